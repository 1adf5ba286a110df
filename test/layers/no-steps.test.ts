import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { ragged } from '../../src/data/ragged.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { additiveAttention, attention } from '../../src/layers/attention.ts';
import type { AnyLayer, Layer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from '../../src/layers/pooling.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';

await init({ mode: 'reproducible' });

const nothing = (...rest: number[]): Tensor => tensor(new Float32Array(0), { shape: [2, 0, ...rest] });
const some = (): Tensor => tensor(values(12, 1), { shape: [2, 2, 3] });
const all = (t: Tensor): number[] => Array.from(t.toArray());
const zeros = (count: number): number[] => new Array<number>(count).fill(0);

const recurrent: [string, (options: object) => Layer<Tensor[]>, number][] = [
  ['lstm', (options) => lstm({ units: 4, ...options }) as unknown as Layer<Tensor[]>, 2],
  ['gru', (options) => gru({ units: 4, ...options }) as unknown as Layer<Tensor[]>, 1],
  ['gru of ops', (options) => gru({ units: 4, activation: 'softsign', ...options }) as unknown as Layer<Tensor[]>, 1],
  ['simpleRnn', (options) => simpleRnn({ units: 4, ...options }) as unknown as Layer<Tensor[]>, 1],
  ['rnn', (options) => rnn(gruCell({ units: 4 }), options) as unknown as Layer<Tensor[]>, 1],
];

describe.each(recurrent)('%s of sequences without steps', (_, make, count) => {
  test('gives no outputs a step, zeros for the last one, and the states that it was given', () => {
    const sequences = { returnSequences: true, goBackwards: true, zeroOutputForMask: true };
    expect((make(sequences)(nothing(3)) as unknown as Tensor).shape).toEqual([2, 0, 4]);
    const layer = make({ returnState: true });
    const [y, ...states] = layer(nothing(3));
    expect([y!.shape, all(y!)]).toEqual([[2, 4], zeros(8)]);
    expect(states.map(all)).toEqual(Array.from({ length: count }, () => zeros(8)));
    const initialState = Array.from({ length: count }, (_, i) => tensor(values(8, i + 1), { shape: [2, 4] }));
    const [last, ...kept] = layer(nothing(3), { initialState });
    expect(all(last!)).toEqual(zeros(8));
    expect(kept.map(all)).toEqual(initialState.map(all));
    for (const state of kept) state.dispose();
    expect(initialState.every((state) => !state.isDisposed)).toBe(true);
  });

  test('has no gradient for its weights, and passes that of the states on', () => {
    const layer = make({ returnState: true });
    layer(some());
    const h = tensor(values(8, 1), { shape: [2, 4] });
    const initialState = [h, h].slice(0, count);
    const { grads } = valueAndGrad(
      () => ops.sum(layer(nothing(3), { initialState, training: true })[1]!),
      [h, ...layer.weights],
    );
    expect(all(grads[0]!)).toEqual(new Array(8).fill(1));
    for (const grad of grads.slice(1)) expect(all(grad).every((value) => value === 0)).toBe(true);
  });

  test('that is stateful, keeps the states it has', () => {
    const layer = make({ stateful: true }) as Layer<Tensor[]> & { states?: Float32Array[] };
    layer(some());
    const before = layer.states;
    layer(nothing(3));
    expect(layer.states).toEqual(before);
  });
});

const same = (x: Tensor): Tensor => x;
test.each<[string, AnyLayer, number[], ((x: Tensor) => Tensor | Tensor[])?]>([
  ['bidirectional', bidirectional(gru({ units: 4 })), [2, 8]],
  ['bidirectional with sequences', bidirectional(gru({ units: 4, returnSequences: true })), [2, 0, 8]],
  ['dense', dense({ units: 4 }), [2, 0, 4]],
  ['timeDistributed', timeDistributed(dense({ units: 4 })), [2, 0, 4]],
  ['layerNormalization', layerNormalization(), [2, 0, 3]],
  ['conv1d with padding', conv1d({ filters: 4, kernelSize: 2, padding: 'same' }), [2, 0, 4]],
  ['maxPooling1d with padding', maxPooling1d({ padding: 'same' }), [2, 0, 3]],
  ['averagePooling1d with padding', averagePooling1d({ padding: 'same' }), [2, 0, 3]],
  ['globalAveragePooling1d', globalAveragePooling1d(), [2, 3]],
  ['globalMaxPooling1d', globalMaxPooling1d(), [2, 3]],
  ['attention, of keys', attention(), [2, 2, 3], (x) => [some(), x]],
  ['additiveAttention, of keys', additiveAttention(), [2, 2, 3], (x) => [some(), x]],
  ['attention, of queries', attention(), [2, 0, 3], (x) => [x, some()]],
])('%s of sequences without steps, gives zeros or nothing, and gradients of zero', (_, layer, shape, inputs = same) => {
  const y = layer(inputs(nothing(3))) as Tensor;
  expect([y.shape, all(y)]).toEqual([shape, zeros(shape.reduce((size, n) => size * n, 1))]);
  const { grads } = valueAndGrad(() => ops.sum(layer(inputs(nothing(3))) as Tensor), layer.weights);
  for (const grad of grads) expect(all(grad).every((value) => value === 0)).toBe(true);
});

test.each<[string, Layer]>([
  ['conv1d', conv1d({ filters: 2, kernelSize: 2 })],
  ['maxPooling1d', maxPooling1d()],
])('%s without padding, of sequences without steps, has no window and says so', (_, layer) => {
  expect(() => layer(nothing(3))).toThrow(
    new ArgumentError('conv1d: x expected at least 2 steps for one window, got 0'),
  );
});

test('what repeats over no rows, gives no rows and gradients of zero', () => {
  const [b, one] = [tensor([1, 2, 3]), tensor([2])];
  expect(ops.add(nothing(3), b).shape).toEqual([2, 0, 3]);
  expect(ops.mul(one, nothing(3)).shape).toEqual([2, 0, 3]);
  const { grads } = valueAndGrad(() => ops.sum(ops.mul(ops.add(nothing(3), b), one)), [b, one]);
  expect(grads.map(all)).toEqual([[0, 0, 0], [0]]);
  expect(() => ops.add(nothing(3), tensor([1, 2]))).toThrow('shapes expected to be equal');
});

describe('sequences of unequal length, some without steps', () => {
  const build = (...layers: AnyLayer[]) => {
    setSeed(1);
    return sequential(layers as Layer[]);
  };

  test('of ids, are read as padding all along, alone as among others', () => {
    const model = build(embedding({ inputDim: 5, outputDim: 2 }), lstm({ units: 3 }), dense({ units: 1 }));
    const y = model.predict([[], [1, 2], []]);
    expect(y.shape).toEqual([3, 1]);
    expect(y.data[1]).toBe(model.predict([[1, 2]]).data[0]);
    expect([y.data[0], y.data[2], model.predict([[], []]).data[0]]).toEqual([0, 0, 0]);
  });

  test('without any steps at all, are as many rows of outputs as samples', () => {
    const model = build(bidirectional(gru({ units: 3, returnSequences: true })));
    const y = model.predict(ndarray(new Float32Array(0), [3, 0, 2]), { batchSize: 2 });
    expect([y.shape, y.data.length]).toEqual([[3, 0, 6], 0]);
  });

  test('of features, first or last in line, train a model', async () => {
    for (const x of [
      [[], [[1], [2]]],
      [[[1], [2]], []],
    ]) {
      const model = build(
        gru({ units: 3, inputShape: [null, 1], returnSequences: true }),
        globalAveragePooling1d(),
        dense({ units: 1 }),
      );
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
      const { history } = await model.fit(x, [[1], [2]], { epochs: 3, batchSize: 1 });
      expect(history.loss!.every(Number.isFinite)).toBe(true);
    }
  });

  test('with a target each step, of a batch without any, have the loss 0 and move nothing', () => {
    for (const loss of ['meanSquaredError', 'mae'] as const) {
      const model = build(gru({ units: 1, inputShape: [null, 1], returnSequences: true }));
      model.compile({ optimizer: 'sgd', loss });
      const before = model.weights.map((weight) => weight.toArray());
      const none = ndarray(new Float32Array(0), [2, 0, 1]);
      expect(model.trainOnBatch(none, none)).toEqual({ loss: 0, gradientNorm: 0 });
      expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
    }
  });

  test('as an array, know their width from those that have steps', () => {
    const made = ragged([[], [[1, 2]], ndarray(new Float32Array(0), [0, 2])]);
    expect([made.features, made.longest, made.shape]).toEqual([[2], 1, [3, 1, 2]]);
    expect(() => ragged([ndarray(new Float32Array(0), [0, 3]), [[1, 2]]])).toThrow(
      new ArgumentError('ragged[0] expected [?, 2] as ragged[1], got [0, 3]'),
    );
  });

  test('with int8 weights, are refused', () => {
    const model = build(gru({ units: 3, inputShape: [null, 2] }));
    const x = ndarray(new Float32Array(0), [2, 0, 2]);
    expect(model.predict(x).shape).toEqual([2, 3]);
    expect(() => model.predict(x, { weights: 'int8' })).toThrow(
      new ArgumentError('predict: x expected one step or more with int8 weights, got none'),
    );
  });
});
