import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { decodeStream } from '../../src/streaming/load.ts';
import { firstDifference } from '../train/first-difference.ts';

beforeAll(() => init({ mode: 'reproducible' }));

const ids = [[1, 2, 0, 0], [3, 1, 2, 0]]; // biome-ignore format: two sequences
const y = [[1], [0]];
const namesOf = ({ weights }: Model): string[] => weights.map(({ name }) => name);

function nested() {
  setSeed(5);
  const inner = sequential(
    [embedding({ inputDim: 4, outputDim: 3, maskZero: true }), dropout({ rate: 0.5 }), dense({ units: 3, kernelRegularizer: 'l2' })],
    { name: 'inner' },
  ); // biome-ignore format: one line
  const outer = sequential([inner, gru({ units: 2 }), dense({ units: 1 })]);
  outer.compile({ optimizer: 'adam', loss: 'mse' });
  return { inner, outer };
}

/** The same layers in one model. */
function flat() {
  setSeed(5);
  const model = sequential([
    embedding({ inputDim: 4, outputDim: 3, maskZero: true }),
    dropout({ rate: 0.5 }),
    dense({ units: 3, kernelRegularizer: 'l2' }),
    gru({ units: 2 }),
    dense({ units: 1 }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  return model;
}

describe('a model in a model', () => {
  test('computes, masks, drops and penalises as its layers do in one', () => {
    const { outer } = nested();
    const plain = flat();
    plain.weights.forEach((weight, i) => weight.assign(outer.weights[i]!.toArray()));
    expect(outer.predict(ids).data).toEqual(plain.predict(ids).data);
    expect(outer.evaluate(ids, y)).toEqual(plain.evaluate(ids, y));
    expect(outer.trainOnBatch(ids, y).loss).not.toBe(outer.evaluate(ids, y).loss);
    expect(outer.countParams()).toBe(plain.countParams());
    expect(outer.summary()).toContain('inner (Sequential)');
  });

  test('has its weights under its name there, and under none alone', () => {
    const { inner, outer } = nested();
    expect(namesOf(outer).slice(0, 4)).toEqual(['inner/embedding/embeddings', 'inner/dense/kernel', 'inner/dense/bias', 'gru/kernel']); // biome-ignore format: one line
    expect(outer.getLayer('inner/dense')).toBe(inner.layers[2]);
    inner.summary();
    expect(namesOf(inner)[1]).toBe('dense/kernel');
  });

  test('is saved, loaded and trained on bit for bit; so is it alone', async () => {
    const { inner, outer } = nested();
    await outer.fit(ids, y, { epochs: 2, batchSize: 1 });
    const bytes = encodeModel(outer);
    const alone = decodeModel(encodeModel(inner)).model;
    expect(alone.predict(ids).data).toEqual(inner.predict(ids).data);
    const { model: loaded } = decodeModel(bytes);
    expect(firstDifference(encodeModel(loaded), bytes)).toBe(-1);
    await Promise.all([outer.fit(ids, y, { epochs: 2 }), loaded.fit(ids, y, { epochs: 2 })]);
    expect(firstDifference(encodeModel(loaded), encodeModel(outer))).toBe(-1);
  });

  test('that is trained by itself, changes the other; frozen it is changed by none', () => {
    const { inner, outer } = nested();
    inner.compile({ optimizer: 'sgd', loss: 'mse' });
    const before = outer.predict(ids).data;
    inner.trainOnBatch(ids, ids.map((row) => row.map(() => [1, 1, 1]))); // biome-ignore format: one line
    expect(outer.predict(ids).data).not.toEqual(before);
    inner.network.trainable = false;
    const kept = inner.weights.map((weight) => weight.toArray());
    outer.trainOnBatch(ids, y);
    expect(inner.weights.map((weight) => weight.toArray())).toEqual(kept);
    expect(decodeModel(encodeModel(outer)).model.countParams({ trainable: true })).toBe(outer.countParams({ trainable: true })); // biome-ignore format: one line
  });

  test('of the caller’s own or of timeDistributed, may hold one; bidirectional says what it takes', () => {
    const encoder = sequential([dense({ units: 2, activation: 'tanh' })]);
    const own = model({ layers: { encoder, head: dense({ units: 1 }) } }, (x, { encoder: inner, head }) =>
      head(inner(x)),
    );
    expect(own.predict([[1, 2]]).shape).toEqual([1, 1]);
    expect(namesOf(own)[0]).toBe('encoder/dense/kernel');
    const steps = sequential([timeDistributed(encoder), lstm({ units: 2 })]);
    steps.predict([[[1, 2]]]);
    expect(decodeModel(encodeModel(steps)).model.predict([[[1, 2]]]).data).toEqual(steps.predict([[[1, 2]]]).data); // biome-ignore format: one line
    expect(() => bidirectional(encoder as never)).toThrow(
      new ArgumentError('bidirectional: layer expected a recurrent layer, got Sequential'),
    );
    expect(() => sequential([7 as never])).toThrow('sequential: layers[0] expected a layer or a model, got 7');
  });

  test('with states, carries, resets and streams them', () => {
    const inner = sequential([lstm({ units: 2, returnSequences: true, stateful: true })]);
    const outer = sequential([inner, dense({ units: 1 })]);
    const first = outer.predict([[[1], [2]]]).data; // biome-ignore format: one sequence
    expect(outer.predict([[[1], [2]]]).data).not.toEqual(first); // biome-ignore format: one sequence
    outer.resetStates();
    const stream = outer.stream();
    expect([1, 2].map((x) => stream.step([x])[0])).toEqual(Array.from(first));
    const file = decodeStream(encodeModel(outer), { mode: 'reproducible' });
    expect([1, 2].map((x) => file.step([x])[0])).toEqual(Array.from(first));
    expect(outer.predict([[[1], [2]]], { weights: 'int8' }).shape).toEqual([1, 2, 1]); // biome-ignore format: one sequence
    expect(outer.trainer.statefulLayers[0]!.carried.values).toBeDefined();
  });

  test('that shares a layer with another, stays tied to it in a file', () => {
    const shared = dense({ units: 2 });
    const twice = sequential([sequential([shared, dense({ units: 2 })]), sequential([dense({ units: 2 }), shared])]);
    twice.compile({ optimizer: 'sgd', loss: 'mse' });
    twice.trainOnBatch([[1, 2]], [[0, 1]]);
    const { model: loaded } = decodeModel(encodeModel(twice));
    expect(loaded.weights.length).toBe(6);
    expect(loaded.trainOnBatch([[1, 2]], [[0, 1]])).toEqual(twice.trainOnBatch([[1, 2]], [[0, 1]]));
    expect(firstDifference(encodeModel(loaded), encodeModel(twice))).toBe(-1);
  });
});

describe('names', () => {
  const cell = (units: number) => ({
    name: 'tanh_cell',
    units,
    weights: (n: number) => ({ W: [n, units] }),
    call: (x: never) => x,
  });

  test('of cells of one definition are numbered, in one layer and in two', () => {
    const stack = rnn([cell(2), cell(2)]);
    stack.build([null, 3, 2]);
    expect(stack.weights.map(({ name }) => name)).toEqual(['rnn/stacked_rnn_cells/tanh_cell/W', 'rnn/stacked_rnn_cells/tanh_cell_1/W']); // biome-ignore format: one line
    const one = cell(2);
    const two = sequential([rnn(one, { returnSequences: true, inputShape: [null, 2] }), rnn(one)]);
    expect(namesOf(two)).toEqual(['rnn/tanh_cell/W', 'rnn_1/tanh_cell/W']);
  });

  test('of layers that were built before they enter a model are numbered, weights and optimizer state with them', () => {
    const layers = [dense({ units: 2 }), dense({ units: 2 })] as Layer[];
    for (const layer of layers) layer.build([null, 2]);
    const made = sequential(layers);
    made.network.build([null, 2]);
    expect(namesOf(made)).toEqual(['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias']);
    made.compile({ optimizer: 'adam', loss: 'mse' });
    made.trainOnBatch([[1, 2]], [[0, 1]]);
    const other = sequential([dense({ units: 2, inputShape: [2] }), layers[0]!]);
    expect(namesOf(other)[2]).toBe('dense_1/kernel');
    expect(decodeModel(encodeModel(made)).model.predict([[1, 2]])).toEqual(made.predict([[1, 2]]));
    expect(decodeModel(encodeModel(other)).model.predict([[1, 2]])).toEqual(other.predict([[1, 2]]));
  });

  test('of a cell in two layers are those of its first place, and a file keeps it one', () => {
    const shared = gruCell({ units: 2 });
    const tied = sequential([rnn(shared, { returnSequences: true, inputShape: [null, 2] }), rnn(shared)]);
    const { model: loaded } = decodeModel(encodeModel(tied));
    expect(loaded.weights.length).toBe(3);
    expect(loaded.predict([[[1, 2]]])).toEqual(tied.predict([[[1, 2]]]));
  });
});
