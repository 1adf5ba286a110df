// The fused cell steps against float64, and their gradients against central differences of the same.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { type Ptr, RnnActivation, Unary } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits } from './compare.ts';
import { gruAfter, gruBeforeGates, gruBeforeOutput, lstm, rnnActivation } from './reference/cell.ts';
import { inner, numericGradient } from './reference/gradient.ts';
import { counts, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

// Activations within 4 ulp and a few roundings of values below 4 in magnitude: 8 · 2⁻²⁴ of 4.
const FORWARD = { absolute: 2e-6 };
// Products of up to four activated values, each of that accuracy.
const BACKWARD = { absolute: 4e-6, relative: 1e-5 };

const aligned: [string, boolean][] = [
  ['aligned', false],
  ['misaligned by 4', true],
];

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;
  const close = (at: Ptr, expected: ArrayLike<number>, tolerance: object, what: string) =>
    expectClose(sandbox.read(at, expected.length), expected, tolerance, what);

  describe.each(shapes)('rows=%i units=%i', (rows, units) => {
    const n = rows * units;
    const cPrev = values(n, 2, 2);
    const hPrev = values(n, 3);
    const dh = values(n, 4);

    describe.each(aligned)('%s', (_, misaligned) => {
      const shape = `rows=${rows} units=${units} misaligned=${misaligned}`;
      const put = (x: ArrayLike<number> | number) => sandbox.f32(x, misaligned);

      test('lstm forward and backward match float64', () => {
        sandbox.clear();
        const pre = values(4 * n, 1, 4);
        const dc = values(n, 5);
        const [gates, cPrevAt, c, h, dhAt, dcAt] = [put(pre), put(cPrev), put(n), put(n), put(dh), put(dc)];
        kernels.lstm_forward(rows, units, Unary.Tanh, 0, gates, cPrevAt, c, h);
        const expected = lstm(rows, units, pre, cPrev);
        close(gates, expected.gates, FORWARD, `lstm gates ${shape}`);
        close(c, expected.c, FORWARD, `lstm c ${shape}`);
        close(h, expected.h, FORWARD, `lstm h ${shape}`);

        kernels.lstm_backward(rows, units, Unary.Tanh, 0, gates, cPrevAt, c, dhAt, dcAt);
        const loss = (p: ArrayLike<number>, s: ArrayLike<number>) => {
          const step = lstm(rows, units, p, s);
          return inner(step.h, dh) + inner(step.c, dc);
        };
        close(
          gates,
          numericGradient((p) => loss(p, cPrev), pre),
          BACKWARD,
          `lstm dGates ${shape}`,
        );
        close(
          dcAt,
          numericGradient((s) => loss(pre, s), cPrev),
          BACKWARD,
          `lstm dcPrev ${shape}`,
        );
        sandbox.checkFences();
      });

      test.each([
        ['lstm with peepholes', Unary.Tanh, true],
        ['lstm of relu', Unary.Relu, false],
        ['lstm of relu with peepholes', Unary.Relu, true],
      ])('%s, forward and backward match float64', (_, f, peepholes) => {
        const act = f === Unary.Relu ? rnnActivation.Relu : Math.tanh;
        sandbox.clear();
        const [pre, p, dc, before] = [
          values(4 * n, 1, 4),
          values(3 * units, 9, Number(peepholes)),
          values(n, 5),
          values(3 * units, 7),
        ];
        const [gates, pAt, cPrevAt, c, h] = [put(pre), peepholes ? put(p) : 0, put(cPrev), put(n), put(n)];
        const [dhAt, dcAt, dP] = [put(dh), put(dc), put(before)];
        kernels.lstm_forward(rows, units, f, pAt, gates, cPrevAt, c, h);
        const expected = lstm(rows, units, pre, cPrev, p, act);
        close(gates, expected.gates, FORWARD, `gates ${shape}`);
        close(c, expected.c, FORWARD, `c ${shape}`);
        close(h, expected.h, FORWARD, `h ${shape}`);

        const cAt = put(sandbox.read(c, n));
        kernels.lstm_backward(rows, units, f, pAt, gates, cPrevAt, cAt, dhAt, dcAt);
        kernels.lstm_peephole_weights(rows, units, gates, cPrevAt, cAt, dP);
        const loss = (q: ArrayLike<number>, s: ArrayLike<number>, w: ArrayLike<number>) => {
          const step = lstm(rows, units, q, s, w, act);
          return inner(step.h, dh) + inner(step.c, dc);
        };
        const gradients: [string, Ptr, ArrayLike<number>][] = [
          ['dGates', gates, numericGradient((q) => loss(q, cPrev, p), pre)],
          ['dcPrev', dcAt, numericGradient((s) => loss(pre, s, p), cPrev)],
          ['dPeephole', dP, numericGradient((w) => loss(pre, cPrev, w), p).map((d, i) => d + before[i]!)],
        ];
        for (const [name, at, gradient] of gradients) close(at, gradient, BACKWARD, `${name} ${shape}`);
        sandbox.checkFences();
      });

      test('gru reset after, forward and backward match float64', () => {
        sandbox.clear();
        const pre = values(3 * n, 1, 3);
        const rec = values(3 * n, 6, 2);
        const before = values(n, 7);
        const [gates, recAt, q, hPrevAt, h, dhAt, dhPrev] = [
          put(pre),
          put(rec),
          put(n),
          put(hPrev),
          put(n),
          put(dh),
          put(before),
        ];
        kernels.gru_after_forward(rows, units, gates, recAt, q, hPrevAt, h);
        const expected = gruAfter(rows, units, pre, rec, hPrev);
        close(gates, expected.gates, FORWARD, `gru gates ${shape}`);
        close(q, expected.q, {}, `gru q ${shape}`);
        close(h, expected.h, FORWARD, `gru h ${shape}`);

        kernels.gru_after_backward(rows, units, gates, q, hPrevAt, dhAt, dhPrev);
        const loss = (p: ArrayLike<number>, r: ArrayLike<number>, s: ArrayLike<number>) =>
          inner(gruAfter(rows, units, p, r, s).h, dh);
        const dRec = numericGradient((r) => loss(pre, r, hPrev), rec);
        const dState = numericGradient((s) => loss(pre, rec, s), hPrev);
        close(
          gates,
          numericGradient((p) => loss(p, rec, hPrev), pre),
          BACKWARD,
          `gru dGates ${shape}`,
        );
        close(
          q,
          dRec.filter((_, i) => Math.floor(i / units) % 3 === 2),
          BACKWARD,
          `gru dq ${shape}`,
        );
        close(
          dhPrev,
          dState.map((d, i) => d + before[i]!),
          BACKWARD,
          `gru dhPrev ${shape}`,
        );
        sandbox.checkFences();
      });

      test('gru reset before, both halves forward and backward match float64', () => {
        sandbox.clear();
        const pre = values(3 * n, 1, 3);
        const drh = values(n, 8);
        const before = values(n, 7);
        const [gates, hPrevAt, rh, h, dhAt, dhPrev, drhAt] = [
          put(pre),
          put(hPrev),
          put(n),
          put(n),
          put(dh),
          put(before),
          put(drh),
        ];
        kernels.gru_before_gates(rows, units, gates, hPrevAt, rh);
        const first = gruBeforeGates(rows, units, pre, hPrev);
        close(gates, first.gates, FORWARD, `gru gates ${shape}`);
        close(rh, first.rh, FORWARD, `gru r·hPrev ${shape}`);
        kernels.gru_before_output(rows, units, gates, hPrevAt, h);
        const second = gruBeforeOutput(rows, units, first.gates, hPrev);
        close(gates, second.gates, FORWARD, `gru gates with candidate ${shape}`);
        close(h, second.h, FORWARD, `gru h ${shape}`);

        // Of pre-activations: through both halves for z, through the second for the candidate, through the first for r.
        const whole = (p: ArrayLike<number>) =>
          inner(gruBeforeOutput(rows, units, gruBeforeGates(rows, units, p, hPrev).gates, hPrev).h, dh);
        const ofR = (p: ArrayLike<number>, s: ArrayLike<number>) => inner(gruBeforeGates(rows, units, p, s).rh, drh);
        const dWhole = numericGradient(whole, pre);
        const dR = numericGradient((p) => ofR(p, hPrev), pre);
        const block = (i: number) => Math.floor(i / units) % 3;
        const dState = numericGradient((s) => inner(gruBeforeOutput(rows, units, first.gates, s).h, dh), hPrev);
        const dStateOfR = numericGradient((s) => ofR(pre, s), hPrev);

        kernels.gru_before_output_backward(rows, units, gates, hPrevAt, dhAt, dhPrev);
        close(
          gates,
          dWhole.map((d, i) => (block(i) === 1 ? first.gates[i]! : d)),
          BACKWARD,
          `gru dz and dn ${shape}`,
        );
        close(
          dhPrev,
          dState.map((d, i) => d + before[i]!),
          BACKWARD,
          `gru dhPrev of the output ${shape}`,
        );
        kernels.gru_before_gates_backward(rows, units, gates, hPrevAt, drhAt, dhPrev);
        close(
          gates,
          dWhole.map((d, i) => (block(i) === 1 ? dR[i]! : d)),
          BACKWARD,
          `gru dGates ${shape}`,
        );
        close(
          dhPrev,
          dState.map((d, i) => d + dStateOfR[i]! + before[i]!),
          BACKWARD,
          `gru dhPrev ${shape}`,
        );
        sandbox.checkFences();
      });
    });

    test('c in place of cPrev and h in place of hPrev give the same bits', () => {
      sandbox.clear();
      const pre = values(4 * n, 1, 4);
      const [apart, shared, cPrevAt, c, h1, h2] = [0, 0, 0, 0, 0, 0].map((_, i) =>
        sandbox.f32(i < 2 ? pre : i === 2 ? cPrev : n),
      );
      const inPlace = sandbox.f32(cPrev);
      kernels.lstm_forward(rows, units, Unary.Tanh, 0, apart!, cPrevAt!, c!, h1!);
      kernels.lstm_forward(rows, units, Unary.Tanh, 0, shared!, inPlace, inPlace, h2!);
      expectSameBits(sandbox.read(inPlace, n), sandbox.read(c!, n), 'lstm c');
      expectSameBits(sandbox.read(h2!, n), sandbox.read(h1!, n), 'lstm h');

      const gru = (hPrevAt: Ptr, h: Ptr) => {
        kernels.gru_after_forward(
          rows,
          units,
          sandbox.f32(values(3 * n, 1)),
          sandbox.f32(values(3 * n, 2)),
          sandbox.f32(n),
          hPrevAt,
          h,
        );
        return sandbox.read(h, n);
      };
      const state = sandbox.f32(hPrev);
      expectSameBits(gru(state, state), gru(sandbox.f32(hPrev), sandbox.f32(n)), 'gru after h');
      const output = (hPrevAt: Ptr, h: Ptr) => {
        kernels.gru_before_output(rows, units, sandbox.f32(values(3 * n, 1)), hPrevAt, h);
        return sandbox.read(h, n);
      };
      const state2 = sandbox.f32(hPrev);
      expectSameBits(output(state2, state2), output(sandbox.f32(hPrev), sandbox.f32(n)), 'gru before h');
      sandbox.checkFences();
    });
  });

  describe.each(Object.entries(rnnActivation))('rnn %s', (name, reference) => {
    const act = RnnActivation[name as keyof typeof rnnActivation];

    test.each(counts)('count=%i matches float64, apart and in place', (count) => {
      const pre = values(count, 1, 3);
      const dh = values(count, 2);
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [preAt, h, dhAt, dPre] = [pre, count, dh, count].map((x) => sandbox.f32(x, misaligned)) as [
          Ptr,
          Ptr,
          Ptr,
          Ptr,
        ];
        kernels.rnn_forward(count, act, preAt, h);
        close(h, Array.from(pre, reference), FORWARD, `h of ${count}`);
        kernels.rnn_backward(count, act, h, dhAt, dPre);
        const gradient = numericGradient((p) => inner(p.map(reference), dh), pre);
        close(dPre, gradient, BACKWARD, `dPre of ${count}`);
        const apart = sandbox.read(dPre, count);
        kernels.rnn_forward(count, act, preAt, preAt);
        expectSameBits(sandbox.read(preAt, count), sandbox.read(h, count), 'h in place');
        kernels.rnn_backward(count, act, preAt, dhAt, preAt);
        expectSameBits(sandbox.read(preAt, count), apart, 'dPre in place');
        sandbox.checkFences();
      }
    });

    test('NaN propagates forward', () => {
      sandbox.clear();
      const h = sandbox.f32(2);
      kernels.rnn_forward(2, act, sandbox.f32([Number.NaN, 1]), h);
      expectSameBits(sandbox.read(h, 1), [Number.NaN], name);
    });
  });

  test('a unit gets the same bits wherever in the row it stands, any rows and units', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 21 }),
        fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 5, maxLength: 5 }),
        (rows, units, [i, f, g, o, c]) => {
          const step = (rows: number, units: number) => {
            sandbox.clear();
            const n = rows * units;
            const pre = Array.from({ length: 4 * n }, (_, at) => [i, f, g, o][Math.floor(at / units) % 4]!);
            const [gates, state, h] = [sandbox.f32(pre), sandbox.f32(new Float32Array(n).fill(c!)), sandbox.f32(n)];
            kernels.lstm_forward(rows, units, Unary.Tanh, 0, gates, state, state, h);
            const forward = [...sandbox.read(state, n), ...sandbox.read(h, n)];
            kernels.lstm_backward(rows, units, Unary.Tanh, 0, gates, state, state, h, state);
            sandbox.checkFences();
            return { outputs: [...forward, ...sandbox.read(state, n)], gates: sandbox.read(gates, 4 * n) };
          };
          const one = step(1, 1);
          const all = step(rows, units);
          const n = rows * units;
          expectSameBits(
            all.outputs,
            all.outputs.map((_, at) => one.outputs[Math.floor(at / n)]!),
            `lstm ${rows}×${units}`,
          );
          expectSameBits(
            all.gates,
            all.gates.map((_, at) => one.gates[Math.floor(at / units) % 4]!),
            `gates ${rows}×${units}`,
          );
        },
      ),
      { seed: 1, numRuns: 80 },
    );
  });

  test('saturated gates give exact limits, and a NaN stays in its own unit', () => {
    sandbox.clear();
    const pre = [100, 100, 100, -100, 1e30, Infinity, Number.NaN, 1e30, -1e30, 100, 1e30, Infinity];
    const [gates, c, h, dh, dc] = [pre, [1, 2, 3], 3, [1, 1, 1], [0, 0, 0]].map((x) => sandbox.f32(x)) as Ptr[];
    kernels.lstm_forward(1, 3, Unary.Tanh, 0, gates!, c!, c!, h!);
    // Three units; the NaN is unit 0's g. i = o = 1; f = 1 for units 1 and 2; g = 1 and −1.
    expectSameBits(sandbox.read(c!, 3), [Number.NaN, 3, 2], 'c');
    kernels.lstm_backward(1, 3, Unary.Tanh, 0, gates!, c!, c!, dh!, dc!);
    const gradients = sandbox.read(gates!, 12);
    expectClose(
      Array.from(gradients, (d, i) => (i % 3 === 0 ? 0 : d)),
      new Float32Array(12),
      {},
      'gradients',
    );
  });
});
