import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { gru } from '../../../src/layers/rnn/gru.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import type { Recurrent } from '../../../src/layers/rnn/recurrent.ts';
import { simpleRnn } from '../../../src/layers/rnn/simple-rnn.ts';

const all = (t: Tensor): number[] => Array.from(t.toArray());
const training = { training: true };

/** A recurrence that only adds up what it reads: h′ = h + x, for as many features as units. */
function adder(units: number, options: { dropout?: number; recurrentDropout?: number }): Recurrent<Tensor> {
  // An orthogonal matrix of this size would take seconds.
  const made = { kernelInitializer: 'zeros', recurrentInitializer: 'zeros', useBias: false } as const;
  const layer = simpleRnn({ units, activation: 'linear', returnSequences: true, ...made, ...options });
  layer.build([null, null, units]);
  const identity = new Float32Array(units * units);
  for (let i = 0; i < units; i++) identity[i * (units + 1)] = 1;
  for (const weight of layer.weights) weight.assign(identity);
  return layer;
}
const ones = (time: number, units: number): Tensor =>
  tensor(new Float32Array(time * units).fill(1), { shape: [1, time, units] });

beforeEach(() => setSeed(8));

describe('dropout of the input', () => {
  test('has one mask for all steps of a sequence, with its share of zeros', () => {
    const units = 2000;
    const y = all(adder(units, { dropout: 0.25 })(ones(3, units), training));
    const kept = y.slice(0, units);
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    // The standard error of the share is 0.01.
    expect(Math.abs(kept.filter((v) => v === 0).length / units - 0.25)).toBeLessThan(0.04);
    for (const t of [1, 2]) {
      y.slice(t * units, (t + 1) * units).forEach((v, i) => expect(v).toBeCloseTo((t + 1) * kept[i]!, 5));
    }
  });
});

describe('dropout of the recurrent state', () => {
  test('has one mask for all steps of a sequence, and leaves the first alone', () => {
    const units = 500;
    const y = all(adder(units, { recurrentDropout: 0.5 })(ones(3, units), training));
    expect(new Set(y.slice(0, units))).toEqual(new Set([1]));
    // Kept: 1, 1 + 2, 1 + 2·3; dropped: 1 throughout.
    expect(new Set(y.slice(units, 2 * units))).toEqual(new Set([1, 3]));
    expect(new Set(y.slice(2 * units))).toEqual(new Set([1, 7]));
    y.slice(units, 2 * units).forEach((v, i) => expect(y[2 * units + i]).toBe(v === 1 ? 1 : 7));
  });

  test('of a gru, has masks of their own for its gates', () => {
    // Candidate and gates see different parts of h: with one mask for all, z and g would always drop together.
    const units = 64;
    const layer = gru({ units, recurrentDropout: 0.5, useBias: false, activation: 'linear', resetAfter: false });
    layer.build([null, null, units]);
    const [kernel, recurrent] = layer.weights;
    kernel!.assign(new Float32Array(kernel!.size));
    const gates = new Float32Array(units * 3 * units);
    // z and r look at their own unit strongly, so that a kept mask opens them and a dropped one leaves them at 1/2.
    for (let i = 0; i < units; i++)
      for (const [g, w] of [-40, 40, 1].entries()) gates[i * 3 * units + g * units + i] = w;
    recurrent!.assign(gates);
    const h = tensor(new Float32Array(units).fill(1), { shape: [1, units] });
    const y = all(layer(tensor(new Float32Array(units), { shape: [1, 1, units] }), { ...training, initialState: [h] }));
    // z is 0 or 1/2, r 1 or 1/2, the candidate r·2 or 0: z 0 gives 2, 1 or 0, z 1/2 gives 3/2, 1 or 1/2.
    expect(new Set(y.map((v) => Math.round(v * 100) / 100))).toEqual(new Set([2, 1, 0, 1.5, 0.5]));
  });
});

describe.each<[string, (options: object) => Recurrent<Tensor>]>([
  ['lstm', (options) => lstm({ units: 4, ...options })],
  ['lstm of elu', (options) => lstm({ units: 4, activation: 'elu', ...options })],
  ['gru', (options) => gru({ units: 4, ...options })],
  ['simpleRnn', (options) => simpleRnn({ units: 4, ...options })],
])('%s with both', (_, make) => {
  const x = (): Tensor => ones(5, 6);
  const run = (layer: Recurrent<Tensor>, options = {}): number[] => all(layer(x(), options));

  test('outside training, drops nothing', () => {
    const dropping = make({ dropout: 0.5, recurrentDropout: 0.5 });
    const without = make({});
    for (const layer of [dropping, without]) layer.build([null, null, 6]);
    without.weights.forEach((weight, i) => weight.assign(dropping.weights[i]!.toArray()));
    expect(run(dropping)).toEqual(run(without));
  });

  test('while training, has other masks each call and the same after the same seed', () => {
    const twice = (): number[][] => {
      setSeed(8);
      const layer = make({ dropout: 0.5, recurrentDropout: 0.5 });
      return [run(layer, training), run(layer, training)];
    };
    const [first, second] = twice();
    expect(first).not.toEqual(second);
    expect(twice()).toEqual([first, second]);
  });
});

test.each([
  ['dropout', 1],
  ['recurrentDropout', -0.1],
  ['dropout', Number.NaN],
])('%s of %s, cannot be had', (name, rate) => {
  const makers: Record<string, (options: { units: number }) => unknown> = { lstm, gru, simpleRnn };
  for (const [kind, make] of Object.entries(makers)) {
    expect(() => make({ units: 2, [name]: rate })).toThrow(`${kind}: ${name} expected a number in [0, 1), got ${rate}`);
  }
});
