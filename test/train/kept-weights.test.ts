// Packed weights that inference keeps are always up to date, whatever changes the weights, and are freed with the
// model.
import { beforeEach, describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { convLstm2d } from '../../src/images/conv-lstm.ts';
import { conv2d } from '../../src/images/conv2d.ts';
import { conv2dTranspose } from '../../src/images/conv2d-transpose.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';

const x = ndarray(
  Float32Array.from({ length: 2 * 5 * 3 }, (_, i) => Math.sin(i)),
  [2, 5, 3],
);
const y = ndarray(
  Float32Array.from({ length: 2 * 2 }, (_, i) => Math.cos(i)),
  [2, 2],
);

function makeModel(): Model {
  setSeed(3);
  const model = sequential([
    conv1d({ filters: 4, kernelSize: 2, dilationRate: 2, padding: 'causal', inputShape: [null, 3] }),
    bidirectional(lstm({ units: 9, returnSequences: true })),
    gru({ units: 5 }),
    dense({ units: 2 }),
  ]);
  model.compile({ optimizer: adam({ learningRate: 0.1, useEma: true }), loss: 'meanSquaredError' });
  return model;
}

const predictOf = (model: Model): number[] => [...model.predict(x).data];

/** What a model that has kept nothing predicts with the weights of another. */
function freshPrediction(model: Model): number[] {
  const fresh = makeModel();
  fresh.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
  const predicted = predictOf(fresh);
  fresh.dispose();
  return predicted;
}

describe('predict after the weights have changed', () => {
  const halved = (weight: Model['weights'][number]): Float32Array => weight.toArray().map((value) => value / 2);

  beforeEach(async () => {
    await init();
  });

  test.each<[string, (model: Model) => unknown]>([
    ['by a training step', (model) => model.trainOnBatch(x, y)],
    ['by assign', (model) => model.weights.forEach((weight) => weight.assign(halved(weight)))],
    ['by set of their tensors', (model) => model.weights.forEach((weight) => weight.tensor.set(halved(weight)))],
    [
      'to their averages, by swapEma',
      (model) => {
        model.trainOnBatch(x, y);
        model.optimizer.swapEma(model.weights);
      },
    ],
    [
      'to their averages, by finalizeVariableValues',
      (model) => {
        model.trainOnBatch(x, y);
        predictOf(model);
        model.optimizer.finalizeVariableValues(model.weights);
      },
    ],
  ])('%s, is by the new ones', (_, change) => {
    const model = makeModel();
    const before = predictOf(model);
    change(model);
    const after = predictOf(model);
    expect(after).not.toEqual(before);
    expect(after).toEqual(freshPrediction(model));
  });

  test('within withEma and after it, is by the averages and by the weights', () => {
    const model = makeModel();
    for (let i = 0; i < 2; i++) model.trainOnBatch(x, y);
    const before = predictOf(model);
    const [within, expected] = model.withEma(() => [predictOf(model), freshPrediction(model)]);
    expect(within).toEqual(expected);
    expect(within).not.toEqual(before);
    expect(predictOf(model)).toEqual(before);
  });
});

describe('predict of one row, of three, and of one again', () => {
  const rows = (count: number, from = 0) =>
    ndarray(
      Float32Array.from({ length: count * 5 * 3 }, (_, i) => Math.sin(from * 15 + i)),
      [count, 5, 3],
    );
  const makeWide = (): Model => {
    setSeed(4);
    return sequential([
      gru({ units: 27, returnSequences: true, inputShape: [null, 3] }),
      lstm({ units: 31, returnSequences: true }),
    ]);
  };

  test.each(['fast', 'reproducible'] as const)(
    'in %s mode, gives the same bits and keeps one copy of weights',
    async (mode) => {
      const { heap, arena } = await init({ mode });
      const model = makeWide();
      const all = [...model.predict(rows(3)).data];
      const kept = heap.usedBytes - arena.heldBytes;
      const size = all.length / 3;
      for (const row of [0, 2]) {
        expect([...model.predict(rows(1, row)).data]).toEqual(all.slice(row * size, (row + 1) * size));
        expect([...model.predict(rows(3)).data]).toEqual(all);
      }
      expect([...model.predict(rows(2, 1)).data]).toEqual(all.slice(size));
      expect(heap.usedBytes - arena.heldBytes).toBe(kept);
      model.dispose();
    },
  );
});

test('predict of images, after a training step, is by the new weights', async () => {
  await init();
  const make = (): Model => {
    setSeed(5);
    const model = sequential([
      convLstm2d({ filters: 2, kernelSize: 3, padding: 'same', inputShape: [2, 6, 6, 1] }),
      conv2d({ filters: 16, kernelSize: 2, groups: 2, padding: 'same' }),
      // By tiles.
      conv2d({ filters: 16, kernelSize: 3, padding: 'same' }),
      conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 }),
      conv2dTranspose({ filters: 2, kernelSize: 3 }),
      conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2 }),
    ]);
    model.compile({ optimizer: adam({ learningRate: 0.1 }), loss: 'meanSquaredError' });
    return model;
  };
  const images = ndarray(
    Float32Array.from({ length: 72 }, (_, i) => Math.sin(i)),
    [1, 2, 6, 6, 1],
  );
  const model = make();
  const before = model.predict(images);
  model.trainOnBatch(images, ndarray(new Float32Array(before.data.length), before.shape));
  const after = model.predict(images);
  const fresh = make();
  fresh.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
  expect(after.data).not.toEqual(before.data);
  expect(after.data).toEqual(fresh.predict(images).data);
  expect(model.predict(images).data).toEqual(after.data);
});

test('kept weights, over many calls and training steps, take the memory of kernels once and give it back with the model', async () => {
  const { heap, arena } = await init();
  const persistentBytes = (): number => heap.usedBytes - arena.heldBytes;
  const empty = persistentBytes();
  const model = makeModel();
  model.trainOnBatch(x, y);
  const trained = persistentBytes();
  predictOf(model);
  const kept = persistentBytes();
  // Columns are padded to 8, buffers to 64 bytes.
  const kernels = model.weights.filter(({ name }) => /kernel/i.test(name));
  const bytes = kernels.reduce((sum, { shape: [rows, columns] }) => sum + 4 * rows! * (columns! + 16) + 128, 0);
  expect(kept - trained).toBeGreaterThan(0);
  expect(kept - trained).toBeLessThanOrEqual(bytes);
  for (let i = 0; i < 3; i++) {
    model.trainOnBatch(x, y);
    predictOf(model);
  }
  expect(persistentBytes()).toBe(kept);
  model.dispose();
  expect(persistentBytes()).toBe(empty);
});
