import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { gru } from '../../../src/layers/rnn/gru.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../../src/layers/rnn/simple-rnn.ts';
import { mul, sum } from '../../../src/ops/index.ts';
import { expectOutput } from '../../golden/expect-close.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import { values } from '../../kernels/reference/values.ts';
import { referenceCells } from '../../reference/cells.ts';
import { runSequence } from '../../reference/sequence.ts';

const input = (batch = 2, time = 3, features = 4, seed = 1): Tensor =>
  tensor(values(batch * time * features, seed), { shape: [batch, time, features] });
const all = (t: Tensor): number[] => Array.from(t.toArray());
/** The outputs at one time step of [B, T, H]. */
const at = (t: Tensor, step: number): number[] => {
  const [batch, time, units] = t.shape as [number, number, number];
  return Array.from({ length: batch }, (_, b) =>
    all(t).slice((b * time + step) * units, (b * time + step + 1) * units),
  ).flat();
};

beforeEach(() => setSeed(7));

describe('what a recurrent layer returns', () => {
  test('by default, is h of the last step', () => {
    const many = lstm({ units: 5, returnSequences: true });
    const x = input();
    const y = many(x);
    expect(y.shape).toEqual([2, 3, 5]);
    setSeed(7);
    const one = lstm({ units: 5 })(x);
    expect(one.shape).toEqual([2, 5]);
    expectSameBits(all(one), at(y, 2), 'last step');
  });

  test('with returnState, is the output and the last states', () => {
    const x = input();
    const [y, h, c] = lstm({ units: 5, returnSequences: true, returnState: true })(x) as [Tensor, Tensor, Tensor];
    expect([y.shape, h.shape, c.shape]).toEqual([
      [2, 3, 5],
      [2, 5],
      [2, 5],
    ]);
    expectSameBits(all(h), at(y, 2), 'h');
    const [last, hidden, ...none] = gru({ units: 5, returnState: true })(x);
    expectSameBits(all(last!), all(hidden!), 'gru');
    expect(none).toEqual([]);
  });

  test('batch-major and stored batch-major or time-major, is as the float64 reference', () => {
    const layer = lstm({ units: 3, returnSequences: true });
    const x = input(2, 4, 3);
    const y = layer(x);
    const [kernel, recurrentKernel, bias] = layer.weights.map((weight) => Float64Array.from(weight.toArray()));
    const timeMajor = Float64Array.from({ length: 24 }, (_, i) => {
      const [t, b, f] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
      return x.toArray()[(b * 4 + t) * 3 + f]!;
    });
    const run = runSequence(
      referenceCells.lstm,
      { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! },
      { x: timeMajor },
      { time: 4, batch: 2, inputSize: 3, units: 3 },
    );
    for (let t = 0; t < 4; t++) {
      expectOutput(`step ${t}`, at(y, t), { shape: [2, 3], values: run.y.slice(t * 6, t * 6 + 6) });
    }
  });

  test('given an initialState, starts from it and passes gradients to it', () => {
    const layer = gru({ units: 3, returnSequences: true, returnState: true });
    const x = input(2, 4, 3);
    const [whole] = layer(x);
    const half = (from: number): Tensor =>
      tensor([0, 1].map((b) => [0, 1].map((t) => all(x).slice((b * 4 + from + t) * 3, (b * 4 + from + t + 1) * 3))));
    const [, h] = layer(half(0));
    const [second] = layer(half(2), { initialState: [h!] });
    expectSameBits(at(second!, 1), at(whole!, 3), 'last step');
    const { grads } = valueAndGrad(() => sum(layer(half(2), { initialState: [h!] })[0]!), [h!]);
    expect(all(grads[0]!).every((g) => g !== 0)).toBe(true);
  });

  test('for an input that has not three axes or other features, is an error that names the layer', () => {
    const layer = lstm({ units: 5, name: 'encoder' });
    expect(() => layer(tensor([[1, 2]]))).toThrow(
      new ArgumentError('encoder(units=5): input expected [batch, time, features], got [1, 2]'),
    );
    layer(input());
    expect(() => layer(input(2, 3, 6))).toThrow(
      new ArgumentError('encoder(units=5): input expected 4 features, as it was built for, got [2, 3, 6]'),
    );
    expect(() => layer(input(), { initialState: [tensor([[1]])] })).toThrow(
      /initialState expected 2 tensors \(h, c\), got 1/,
    );
  });

  test.each([0, -1, 1.5, Number.NaN])('with units %s, cannot be made', (units) => {
    expect(() => lstm({ units })).toThrow(`lstm: units expected an integer ≥ 1, got ${units}`);
  });

  test('simpleRnn with an unknown activation, cannot be made', () => {
    expect(() => simpleRnn({ units: 2, activation: 'toString' as 'tanh' })).toThrow(
      /^simpleRnn: activation expected one of linear, relu, .*, got 'toString'$/,
    );
  });
});

describe('a stateful layer', () => {
  const states = (layer: { states: Float32Array[] | undefined }): number[][] => layer.states!.map((s) => Array.from(s));

  test('fed windows, gives what one long sequence gives', () => {
    const whole = lstm({ units: 3, returnSequences: true });
    const x = input(2, 4, 3);
    const expected = whole(x);
    setSeed(7);
    const layer = lstm({ units: 3, returnSequences: true, stateful: true });
    expect(layer.states).toBeUndefined();
    for (const from of [0, 2]) {
      const window = tensor(
        [0, 1].map((b) => [0, 1].map((t) => all(x).slice((b * 4 + from + t) * 3, (b * 4 + from + t + 1) * 3))),
      );
      const y = layer(window);
      for (const t of [0, 1]) expectSameBits(at(y, t), at(expected, from + t), `step ${from + t}`);
    }
    expectSameBits(layer.states![0]!, at(expected, 3), 'h carried');
    expect(layer.states!.length).toBe(2);
  });

  test('after resetStates, starts from zeros again', () => {
    const layer = gru({ units: 3, stateful: true });
    const first = all(layer(input()));
    expect(all(layer(input()))).not.toEqual(first);
    layer.resetStates();
    expect(layer.states).toBeUndefined();
    expect(all(layer(input()))).toEqual(first);
  });

  test('after setStates, starts from them', () => {
    const layer = lstm({ units: 3, stateful: true });
    layer(input());
    const kept = layer.states!;
    const second = all(layer(input()));
    layer.setStates(kept, 2);
    expect(states(layer)).toEqual(kept.map((s) => Array.from(s)));
    expect(all(layer(input()))).toEqual(second);
  });

  test('given states that do not fit, throws and keeps its own', () => {
    const layer = lstm({ units: 3, stateful: true });
    layer(input());
    const kept = states(layer);
    const six = new Float32Array(6);
    expect(() => layer.setStates([six], 2)).toThrow('lstm(units=3): states expected 2 arrays, got 1');
    expect(() => layer.setStates([six, new Float32Array(5)], 2)).toThrow(
      'lstm(units=3): states[1] expected 6 values for [2, 3], got 5',
    );
    expect(() => layer.setStates([new Float32Array(9), new Float32Array(9)], 3)).toThrow(ArgumentError);
    expect(states(layer)).toEqual(kept);
  });

  test('given a batch of another size, throws and keeps its states', () => {
    const layer = lstm({ units: 3, stateful: true });
    layer(input());
    const kept = states(layer);
    expect(() => layer(input(3))).toThrow(
      new ArgumentError(
        'lstm(units=3): stateful, so every batch expected 2 samples as the first, got 3; call resetStates() to start anew',
      ),
    );
    expect(states(layer)).toEqual(kept);
    layer.resetStates();
    expect(layer(input(3)).shape).toEqual([3, 3]);
  });

  test('carries values and no gradients', () => {
    const layer = simpleRnn({ units: 3, stateful: true });
    const [first, second] = [input(2, 3, 4, 2), input()];
    const { grads } = valueAndGrad(() => {
      layer(first);
      const y = layer(second);
      return sum(mul(y, y));
    }, [first, second]);
    expect(new Set(grads[0]!.toArray())).toEqual(new Set([0]));
    expect(new Set(grads[1]!.toArray())).not.toEqual(new Set([0]));
  });
});
