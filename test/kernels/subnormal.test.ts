// Cells and optimizers keep no subnormal numbers from step to step: many processors take some 150 cycles for each
// operation on one, and WebAssembly cannot make the processor flush them. Subnormal values are counted, because the
// time that they take differs between hosts.
import { describe, expect, test } from 'vitest';
import { type Kernels, type Ptr, RnnActivation, Unary } from '../../src/engine/abi.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const LEAST = 2 ** -126;
/** What is smaller, cells replace by zeros. */
const LIMIT = 2 ** -100;
const countBelow = (limit: number, x: Float32Array): number => x.filter((y) => y !== 0 && Math.abs(y) < limit).length;

/** Numbers from 2⁻¹²³ to 2⁻⁸⁴ of either sign: products with gates are on both sides of the limit. */
const tiny = (count: number, seed: number): Float32Array =>
  values(count, seed).map((x, i) => Math.sign(x) * 2 ** (-123 + ((i * 7) % 40)) * (1 + Math.abs(x)));
const nan = (count: number): Float32Array => new Float32Array(count).fill(Number.NaN);
/** Gates in (0, 1). */
const gatesOf = (count: number, seed: number): Float32Array => values(count, seed).map((x) => 1 / (1 + Math.exp(-x)));

const mapValues = <A, B>(of: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value)]));

interface Step {
  /** Buffers by name, as many floats a row and unit as said. */
  readonly inputs: Readonly<
    Record<string, readonly [floats: number, make: (count: number, seed: number) => Float32Array]>
  >;
  /** Names of what the kernel writes. */
  readonly written: readonly string[];
  run(kernels: Kernels, rows: number, units: number, at: Readonly<Record<string, Ptr>>): void;
}

const forwards: Record<string, Step> = {
  lstm: {
    inputs: { gates: [4, tiny], cPrev: [1, tiny], c: [1, values], h: [1, values] },
    written: ['c', 'h'],
    run: (k, rows, units, p) => k.lstm_forward(rows, units, Unary.Tanh, 0, p.gates!, p.cPrev!, p.c!, p.h!),
  },
  'lstm with peepholes': {
    inputs: { gates: [4, tiny], p: [3, values], cPrev: [1, tiny], c: [1, values], h: [1, values] },
    written: ['c', 'h'],
    run: (k, rows, units, p) => k.lstm_forward(rows, units, Unary.Tanh, p.p!, p.gates!, p.cPrev!, p.c!, p.h!),
  },
  'lstm of relu': {
    inputs: { gates: [4, tiny], cPrev: [1, tiny], c: [1, values], h: [1, values] },
    written: ['c', 'h'],
    run: (k, rows, units, p) => k.lstm_forward(rows, units, Unary.Relu, 0, p.gates!, p.cPrev!, p.c!, p.h!),
  },
  'gru, reset after': {
    inputs: { gates: [3, tiny], rec: [3, tiny], q: [1, values], hPrev: [1, tiny], h: [1, values] },
    written: ['h'],
    run: (k, rows, units, p) => k.gru_after_forward(rows, units, p.gates!, p.rec!, p.q!, p.hPrev!, p.h!),
  },
  'gru, reset before': {
    inputs: { gates: [3, tiny], hPrev: [1, tiny], rh: [1, values], h: [1, values] },
    written: ['h'],
    run: (k, rows, units, p) => {
      k.gru_before_gates(rows, units, p.gates!, p.hPrev!, p.rh!);
      k.gru_before_output(rows, units, p.gates!, p.hPrev!, p.h!);
    },
  },
  ...Object.fromEntries(
    Object.entries(RnnActivation).map(([name, act]): [string, Step] => [
      `rnn, ${name}`,
      {
        inputs: { pre: [1, tiny], h: [1, values] },
        written: ['h'],
        run: (k, rows, units, p) => k.rnn_forward(rows * units, act, p.pre!, p.h!),
      },
    ]),
  ),
};

const backwards: Record<string, Step> = {
  lstm: {
    inputs: { gates: [4, gatesOf], cPrev: [1, values], c: [1, values], dh: [1, tiny], dc: [1, tiny] },
    written: ['gates', 'dh', 'dc'],
    run: (k, rows, units, p) => k.lstm_backward(rows, units, Unary.Tanh, 0, p.gates!, p.cPrev!, p.c!, p.dh!, p.dc!),
  },
  'lstm with peepholes': {
    inputs: {
      ...{ gates: [4, gatesOf], p: [3, gatesOf], cPrev: [1, values], c: [1, values] },
      ...{ dh: [1, tiny], dc: [1, tiny] },
    },
    written: ['gates', 'dh', 'dc'],
    run: (k, rows, units, p) => k.lstm_backward(rows, units, Unary.Tanh, p.p!, p.gates!, p.cPrev!, p.c!, p.dh!, p.dc!),
  },
  'lstm of relu': {
    inputs: { gates: [4, gatesOf], cPrev: [1, values], c: [1, values], dh: [1, tiny], dc: [1, tiny] },
    written: ['gates', 'dh', 'dc'],
    run: (k, rows, units, p) => k.lstm_backward(rows, units, Unary.Relu, 0, p.gates!, p.cPrev!, p.c!, p.dh!, p.dc!),
  },
  'gru, reset after': {
    inputs: { gates: [3, gatesOf], q: [1, values], hPrev: [1, values], dh: [1, tiny], dhPrev: [1, tiny] },
    written: ['gates', 'q', 'dh', 'dhPrev'],
    run: (k, rows, units, p) => k.gru_after_backward(rows, units, p.gates!, p.q!, p.hPrev!, p.dh!, p.dhPrev!),
  },
  'gru, reset before': {
    inputs: { gates: [3, gatesOf], hPrev: [1, values], dh: [1, tiny], drh: [1, tiny], dhPrev: [1, tiny] },
    written: ['gates', 'dh', 'drh', 'dhPrev'],
    run: (k, rows, units, p) => {
      k.gru_before_output_backward(rows, units, p.gates!, p.hPrev!, p.dh!, p.dhPrev!);
      k.gru_before_gates_backward(rows, units, p.gates!, p.hPrev!, p.drh!, p.dhPrev!);
    },
  },
  'rnn, tanh': {
    inputs: { h: [1, gatesOf], dh: [1, tiny], dPre: [1, tiny] },
    written: ['dh', 'dPre'],
    run: (k, rows, units, p) => k.rnn_backward(rows * units, RnnActivation.Tanh, p.h!, p.dh!, p.dPre!),
  },
  'rnn, relu': {
    inputs: { h: [1, values], dh: [1, tiny], dPre: [1, tiny] },
    written: ['dh', 'dPre'],
    run: (k, rows, units, p) => k.rnn_backward(rows * units, RnnActivation.Relu, p.h!, p.dh!, p.dPre!),
  },
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  /** What the kernel writes, given its tiny inputs times `scale`. */
  function outputs({ inputs, written, run }: Step, rows: number, units: number, scale = 1): Float32Array[] {
    sandbox.clear();
    const at: Record<string, Ptr> = {};
    Object.entries(inputs).forEach(([name, [floats, make]], seed) => {
      const own = make(rows * units * floats, seed + 1);
      at[name] = sandbox.f32(make === tiny ? own.map((x) => x * scale) : own);
    });
    run(kernels, rows, units, at);
    sandbox.checkFences();
    return written.map((name) => sandbox.read(at[name]!, rows * units * inputs[name]![0]));
  }

  const shapes: [rows: number, units: number][] = [
    [1, 1],
    [2, 3],
    [3, 8],
    [5, 13],
    [2, 27],
  ];

  describe.each(Object.entries(forwards))('forward of %s', (_, step) => {
    test.each(shapes)('rows=%i units=%i, tiny states, writes no number below the limit', (rows, units) => {
      for (const x of outputs(step, rows, units)) expect(countBelow(LIMIT, x)).toBe(0);
    });

    test('tiny states, flushes some numbers and leaves others', () => {
      for (const x of outputs(step, 5, 13)) expect(new Set(x.map((y) => Number(y === 0)))).toEqual(new Set([0, 1]));
    });

    test('states that are not finite, stay so', () => {
      const hostile = { ...step, inputs: mapValues(step.inputs, ([floats]) => [floats, nan] as const) };
      for (const x of outputs(hostile, 2, 9)) expect(x.every(Number.isNaN)).toBe(true);
    });
  });

  describe.each(Object.entries(backwards))('backward of %s', (_, step) => {
    const { inputs, written, run } = step;

    test.each(shapes)('rows=%i units=%i, tiny gradients, writes no number below the limit', (rows, units) => {
      for (const x of outputs(step, rows, units)) expect(countBelow(LIMIT, x)).toBe(0);
    });

    test('tiny gradients, flushes only what is below the limit', () => {
      // Gradients are linear in dh, dc and the like, and times a power of two exact.
      const [small, large] = [outputs(step, 5, 13), outputs(step, 5, 13, 2 ** 60)];
      let flushed = 0;
      small.forEach((buffer, j) => {
        buffer.forEach((x, i) => {
          const exact = large[j]![i]! * 2 ** -60;
          // A sum of two flushed numbers, or of one, may differ by what was flushed.
          expect(Math.abs(x - exact)).toBeLessThan(4 * LIMIT);
          if (x === 0 && exact !== 0) flushed++;
        });
      });
      expect(flushed).toBeGreaterThan(0);
    });

    test('gradients that are not finite, stay so', () => {
      sandbox.clear();
      const at: Record<string, Ptr> = {};
      Object.entries(inputs).forEach(([name, [floats, make]], seed) => {
        const own = make(8 * floats, seed + 1);
        at[name] = sandbox.f32(make === tiny ? own.fill(Number.NaN) : own.map(Math.abs));
      });
      run(kernels, 1, 8, at);
      for (const name of written) {
        const [x] = [sandbox.read(at[name]!, 8 * inputs[name]![0])];
        expect(x.some(Number.isNaN), name).toBe(true);
      }
    });
  });

  test('slots of optimizers, after 2,000 zero gradients, are zero or normal', () => {
    const count = 13;
    const zero = new Float32Array(count);
    sandbox.clear();
    const [p, g] = [sandbox.f32(values(count, 1)), sandbox.f32(zero)];
    const slots = Array.from({ length: 3 }, (_, i) => sandbox.f32(values(count, i + 2).map(Math.abs)));
    const [a, b, c] = slots as [Ptr, Ptr, Ptr];
    const steps: Record<string, () => void> = {
      sgd: () => kernels.sgd(count, p, g, a, 1, 0.01, 0.9, 0),
      rmsprop: () => kernels.rmsprop(count, p, g, a, b, c, 1, 0.001, 0.9, 0.9, 1e-7),
      adam: () => kernels.adam(count, p, g, a, b, c, 1, 0.001, 0.9, 0.99, 1e-7, 0),
      adadelta: () => kernels.adadelta(count, p, g, a, b, 1, 0.001, 0.95, 1e-7),
      nadam: () => kernels.nadam(count, p, g, a, b, 1, 0.001, 0.001, 0.9, 0.99, 1e-7),
      adamax: () => kernels.adamax(count, p, g, a, b, 1, 0.001, 0.9, 0.99, 1e-7),
      lion: () => kernels.lion(count, p, g, a, 1, 0.001, 0.9, 0.99),
    };
    const start = slots.map((slot) => sandbox.read(slot, count));
    for (const [name, step] of Object.entries(steps)) {
      for (const [i, slot] of slots.entries()) sandbox.write(slot, start[i]!);
      let seen = 0;
      for (let i = 0; i < 2000; i++) {
        step();
        for (const slot of i % 10 ? [] : slots) seen += countBelow(LEAST, sandbox.read(slot, count));
      }
      expect(seen, name).toBe(0);
    }
  });
});
