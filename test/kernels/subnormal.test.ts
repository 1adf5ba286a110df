// Cells and optimizers keep no subnormal numbers from step to step: many processors take some 150 cycles for each
// operation on one, and WebAssembly cannot make the processor flush them. Subnormal values are counted, because the
// time that they take differs between hosts.
import { describe, expect, test } from 'vitest';
import { type Kernels, type Ptr, RnnActivation } from '../../src/engine/abi.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const LEAST = 2 ** -126;
const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < LEAST;
const subnormals = (x: Float32Array): number => x.filter(isSubnormal).length;

/** Numbers from 2⁻¹⁴⁹ to 2⁻¹¹⁰ of either sign: products with gates are normal, subnormal and zero. */
const tiny = (count: number, seed: number): Float32Array =>
  values(count, seed).map((x, i) => Math.sign(x) * 2 ** (-149 + ((i * 7) % 40)) * (1 + Math.abs(x)));
/** Gates in (0, 1). */
const gatesOf = (count: number, seed: number): Float32Array => values(count, seed).map((x) => 1 / (1 + Math.exp(-x)));

interface Backward {
  /** Buffers by name, as many floats a row and unit as said. */
  readonly inputs: Readonly<
    Record<string, readonly [floats: number, make: (count: number, seed: number) => Float32Array]>
  >;
  /** Names of what the kernel writes. */
  readonly written: readonly string[];
  run(kernels: Kernels, rows: number, units: number, at: Readonly<Record<string, Ptr>>): void;
}

const backwards: Record<string, Backward> = {
  lstm: {
    inputs: { gates: [4, gatesOf], cPrev: [1, values], c: [1, values], dh: [1, tiny], dc: [1, tiny] },
    written: ['gates', 'dc'],
    run: (k, rows, units, p) => k.lstm_backward(rows, units, p.gates!, p.cPrev!, p.c!, p.dh!, p.dc!),
  },
  'gru, reset after': {
    inputs: { gates: [3, gatesOf], q: [1, values], hPrev: [1, values], dh: [1, tiny], dhPrev: [1, tiny] },
    written: ['gates', 'q', 'dhPrev'],
    run: (k, rows, units, p) => k.gru_after_backward(rows, units, p.gates!, p.q!, p.hPrev!, p.dh!, p.dhPrev!),
  },
  'gru, reset before': {
    inputs: { gates: [3, gatesOf], hPrev: [1, values], dh: [1, tiny], drh: [1, tiny], dhPrev: [1, tiny] },
    written: ['gates', 'dhPrev'],
    run: (k, rows, units, p) => {
      k.gru_before_output_backward(rows, units, p.gates!, p.hPrev!, p.dh!, p.dhPrev!);
      k.gru_before_gates_backward(rows, units, p.gates!, p.hPrev!, p.drh!, p.dhPrev!);
    },
  },
  'rnn, tanh': {
    inputs: { h: [1, gatesOf], dh: [1, tiny], dPre: [1, tiny] },
    written: ['dPre'],
    run: (k, rows, units, p) => k.rnn_backward(rows * units, RnnActivation.Tanh, p.h!, p.dh!, p.dPre!),
  },
  'rnn, relu': {
    inputs: { h: [1, values], dh: [1, tiny], dPre: [1, tiny] },
    written: ['dPre'],
    run: (k, rows, units, p) => k.rnn_backward(rows * units, RnnActivation.Relu, p.h!, p.dh!, p.dPre!),
  },
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  describe.each(Object.entries(backwards))('backward of %s', (_, { inputs, written, run }) => {
    /** What the kernel writes, given its inputs times `scale`. */
    function outputs(rows: number, units: number, scale: number): Record<string, Float32Array> {
      sandbox.clear();
      const at: Record<string, Ptr> = {};
      Object.entries(inputs).forEach(([name, [floats, make]], seed) => {
        const own = make(rows * units * floats, seed + 1);
        at[name] = sandbox.f32(make === tiny ? own.map((x) => x * scale) : own);
      });
      run(kernels, rows, units, at);
      sandbox.checkFences();
      return Object.fromEntries(
        written.map((name) => [name, sandbox.read(at[name]!, rows * units * inputs[name]![0])]),
      );
    }

    test.each([
      [1, 1],
      [2, 3],
      [3, 8],
      [5, 13],
    ])('rows=%i units=%i, tiny gradients, writes no subnormal number', (rows, units) => {
      for (const x of Object.values(outputs(rows, units, 1))) expect(subnormals(x)).toBe(0);
    });

    test('tiny gradients, flushes only what is subnormal', () => {
      // Gradients are linear in dh, dc and the like, and times a power of two exact.
      const [small, large] = [outputs(5, 13, 1), outputs(5, 13, 2 ** 60)];
      let flushed = 0;
      for (const name of written) {
        small[name]!.forEach((x, i) => {
          const exact = large[name]![i]! * 2 ** -60;
          // A sum of two flushed numbers, or of one, may differ by what was flushed.
          expect(Math.abs(x - exact)).toBeLessThan(4 * LEAST);
          if (x === 0 && exact !== 0) flushed++;
        });
      }
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
        for (const slot of i % 10 ? [] : slots) seen += subnormals(sandbox.read(slot, count));
      }
      expect(seen, name).toBe(0);
    }
  });
});
