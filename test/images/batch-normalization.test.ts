// The moving statistics of batchNormalization: when they move, and what else leaves them alone.
import { beforeEach, describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { earlyStopping } from '../../src/callbacks/early-stopping.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { NonFiniteLossError } from '../../src/checks/divergence.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { batchNormalization, conv2d, maxPooling2d } from '../../src/images.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { globalAveragePooling1d } from '../../src/layers/pooling.ts';
import { flatten } from '../../src/layers/reshape.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { gradientFlow } from '../../src/models/gradient-flow.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { values } from '../kernels/reference/values.ts';

const rows = (count: number, width: number, seed: number): number[][] => {
  const flat = values(count * width, seed, 2);
  return Array.from({ length: count }, (_, i) => Array.from(flat.subarray(i * width, (i + 1) * width)));
};
const x = rows(12, 3, 1);
const y = rows(12, 1, 2);
const moving = (layer: Layer): number[][] => layer.weights.slice(-2).map((weight) => Array.from(weight.toArray()));

/** What the moving statistics are after these batches. */
function movedBy(batches: readonly number[][][], momentum: number): number[][] {
  const [mean, variance] = [batches[0]![0]!.map(() => 0), batches[0]![0]!.map(() => 1)];
  for (const batch of batches) {
    for (const j of mean.keys()) {
      const column = batch.map((row) => row[j]!);
      const average = column.reduce((sum, value) => sum + value, 0) / column.length;
      const spread = column.reduce((sum, value) => sum + (value - average) ** 2, 0) / column.length;
      mean[j] = mean[j]! * momentum + average * (1 - momentum);
      variance[j] = variance[j]! * momentum + spread * (1 - momentum);
    }
  }
  return [mean, variance];
}

function expectMoved(layer: Layer, expected: number[][]): void {
  moving(layer).forEach((statistic, i) => {
    statistic.forEach((value, j) => {
      expect(value, `statistic ${i}, feature ${j}`).toBeCloseTo(expected[i]![j]!, 5);
    });
  });
}

let norm: Layer;
let model: Model;

beforeEach(() => {
  setSeed(4);
  norm = batchNormalization({ momentum: 0.8, inputShape: [3] });
  model = sequential([norm, dense({ units: 1 })]) as Model;
  model.compile({ optimizer: sgd({ learningRate: 0.01 }), loss: 'mse' });
});

describe('moving statistics', () => {
  test('move once at each training step, and not in validation, evaluate, predict and gradientFlow', async () => {
    await model.fit(x, y, { epochs: 2, batchSize: 6, shuffle: false, validationData: [rows(6, 3, 8), rows(6, 1, 9)] });
    const halves = [x.slice(0, 6), x.slice(6)];
    expectMoved(norm, movedBy([...halves, ...halves], 0.8));
    const before = moving(norm);
    model.evaluate(x, y);
    model.predict(x);
    expect(moving(norm)).toEqual(before);
    const recurrent = sequential([
      batchNormalization({ inputShape: [4, 3] }),
      lstm({ units: 2 }),
      dense({ units: 1 }),
    ]) as Model;
    recurrent.compile({ optimizer: 'sgd', loss: 'mse' });
    const first = moving(recurrent.layers[0] as Layer);
    gradientFlow(recurrent, [x.slice(0, 4), x.slice(4, 8)], y.slice(0, 2), { training: true });
    expect(moving(recurrent.layers[0] as Layer)).toEqual(first);
  });

  test('move once where a layer below or above makes its steps again for backward', () => {
    const [below, above] = [0, 1].map(() => batchNormalization({ momentum: 0.5 })) as [Layer, Layer];
    const checkpointed = sequential([
      below,
      lstm({ units: 4, returnSequences: true, checkpointEvery: 2, inputShape: [5, 3] }),
      above,
      globalAveragePooling1d(),
      dense({ units: 1 }),
    ]);
    checkpointed.compile({ optimizer: 'sgd', loss: 'mse' });
    const batch = Array.from({ length: 2 }, (_, b) => rows(5, 3, 20 + b));
    checkpointed.trainOnBatch(batch, y.slice(0, 2));
    expectMoved(below, movedBy([batch.flat()], 0.5));
    expect(moving(above)[1]!.every((variance) => variance > 0.5 && variance < 1)).toBe(true);
  });

  test('of timeDistributed are those of all steps, moved once', () => {
    const inner = batchNormalization({ momentum: 0.5 });
    const layer = timeDistributed(inner);
    const video = Array.from({ length: 2 }, (_, b) => rows(4, 3, 30 + b));
    layer(tensor(video), { training: true });
    expectMoved(inner, movedBy([video.flat()], 0.5));
  });

  test('go back if the step throws', () => {
    model.trainOnBatch(x, y);
    const before = moving(norm);
    const weights = model.getWeights().map(({ data }) => [...data]);
    const huge = y.map(() => [3e38]);
    expect(() => model.trainOnBatch(x, huge)).toThrow(NonFiniteLossError);
    expect(moving(norm)).toEqual(before);
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(weights);
  });

  test('do not move by a batch whose statistics are not finite, or in which nothing counts', () => {
    norm.build([null, 3]);
    const before = moving(norm);
    norm(tensor([[1, Number.NaN, 2]]), { training: true });
    norm(tensor([[1e25, 0, 0], [-1e25, 0, 0]]), { training: true }); // biome-ignore format: one row
    const sequences = batchNormalization();
    sequences(tensor([[[1, 2]]]), { training: true, mask: [[0]] });
    expect(moving(norm)).toEqual(before);
    expect(moving(sequences)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test('of masked steps leave out what is masked, NaN too', () => {
    const layer = batchNormalization({ momentum: 0 });
    const given = tensor([[[1], [3], [Number.NaN]], [[5], [1e30], [7]]]); // biome-ignore format: one row
    layer(given, { training: true, mask: [[1, 1, 0], [1, 0, 1]] }); // biome-ignore format: one row
    expectMoved(layer, [[4], [5]]);
  });

  test('keep five digits where the mean is a thousand times the deviation', () => {
    const layer = batchNormalization({ momentum: 0, epsilon: 1e-12 });
    const far = Array.from({ length: 64 }, (_, i) => [1000 + (i % 2)]);
    const out = layer(tensor(far), { training: true }).toArray();
    expectMoved(layer, [[1000.5], [0.25]]);
    out.forEach((value, i) => {
      expect(value).toBeCloseTo(i % 2 ? 1 : -1, 5);
    });
  });

  test('are not trainable, whatever trainable says, and count so in summary', async () => {
    norm.build([null, 3]);
    const flags = (): boolean[] => norm.weights.map((weight) => weight.trainable);
    expect(flags()).toEqual([true, true, false, false]);
    model.trainable = false;
    expect(flags()).toEqual([false, false, false, false]);
    model.trainable = true;
    expect(flags()).toEqual([true, true, false, false]);
    expect(norm.weights.map(({ name }) => name.split('/').at(-1))).toEqual([
      'gamma',
      'beta',
      'moving_mean',
      'moving_variance',
    ]);
    expect(model.countParams({ trainable: false })).toBe(6);
    expect(model.summary()).toContain('Non-trainable params: 6');
  });

  test('of a frozen layer stay, and normalize in training too', () => {
    model.trainOnBatch(x, y);
    norm.trainable = false;
    const before = moving(norm);
    const [free, bound] = [false, true].map((training) => norm(tensor(x), { training }).toArray());
    model.trainOnBatch(x, y);
    expect(free).toEqual(bound);
    expect(moving(norm)).toEqual(before);
    norm.trainable = true;
    model.trainOnBatch(x, y);
    expect(moving(norm)).not.toEqual(before);
  });

  test('are restored with the best weights', async () => {
    const kept: number[][][] = [];
    const stop = earlyStopping({ monitor: 'worse', mode: 'min', patience: 2, restoreBestWeights: true });
    await model.fit(x, y, {
      epochs: 5,
      batchSize: 6,
      callbacks: [
        {
          onEpochEnd(epoch, logs) {
            kept.push(moving(norm));
            logs.worse = epoch;
          },
        },
        stop,
      ],
    });
    expect(kept.length).toBe(3);
    expect(moving(norm)).toEqual(kept[0]);
    expect(kept[2]).not.toEqual(kept[0]);
  });

  test('have no average of their own beside those of trained weights', async () => {
    model.compile({ optimizer: adam({ useEma: true, emaMomentum: 0.5 }), loss: 'mse' });
    await model.fit(x, y, { epochs: 2, batchSize: 6, shuffle: false });
    const halves = [x.slice(0, 6), x.slice(6)];
    const expected = movedBy([...halves, ...halves], 0.8);
    expectMoved(norm, expected);
    model.withEma(() => expectMoved(norm, expected));
  });

  test('are in a file, with what is trained and what is not', async () => {
    const images = sequential([
      conv2d({ filters: 3, kernelSize: 3, useBias: false, inputShape: [8, 8, 2] }),
      batchNormalization({ momentum: 0.5, epsilon: 0.01 }),
      maxPooling2d(),
      flatten(),
      dense({ units: 2 }),
    ]) as Model;
    images.compile({ optimizer: 'adam', loss: 'mse' });
    const batch = tensor(values(4 * 128, 5), { shape: [4, 8, 8, 2] });
    const target = rows(4, 2, 6);
    images.trainOnBatch(batch, target);
    const { model: loaded } = decodeModel(encodeModel(images));
    expect(loaded.weights.map((weight) => weight.trainable)).toEqual(images.weights.map((weight) => weight.trainable));
    expect(loaded.predict(batch).data).toEqual(images.predict(batch).data);
    for (const each of [images, loaded]) each.trainOnBatch(batch, target);
    loaded.weights.forEach((weight, i) => {
      expect([...weight.toArray()], weight.name).toEqual([...images.weights[i]!.toArray()]);
    });
  });
});

describe('batchNormalization', () => {
  test.each<[string, () => unknown, string]>([
    ['axis 0', () => batchNormalization({ axis: 0 }), 'axis expected an integer other than 0, the batch, got 0'],
    ['axis 0.5', () => batchNormalization({ axis: 0.5 }), 'axis expected an integer other than 0, the batch, got 0.5'],
    ['momentum 1.5', () => batchNormalization({ momentum: 1.5 }), 'momentum expected a number in [0, 1], got 1.5'],
    ['epsilon 0', () => batchNormalization({ epsilon: 0 }), 'epsilon expected a positive number, got 0'],
    [
      'an axis that is not there',
      () => batchNormalization({ axis: 3 })(tensor([[1, 2]])),
      'axis of [1, 2] expected an integer from -2 to 1, got 3',
    ],
    [
      'the batch from the end',
      () => batchNormalization({ axis: -2 })(tensor([[1, 2]])),
      'axis expected another than the batch of [1, 2]',
    ],
    [
      'another number of features',
      () => {
        const layer = batchNormalization();
        layer(tensor([[1, 2]]));
        layer(tensor([[1, 2, 3]]));
      },
      'input expected 2 features, as it was built for, got [1, 3]',
    ],
    [
      'features of unknown number',
      () => batchNormalization().build([null, null]),
      'input expected a known length of axis -1, got [?, ?]',
    ],
    [
      'a mask of its features',
      () => batchNormalization({ axis: 1 })(tensor([[[1], [2]]]), { training: true, mask: [[1, 0]] }),
      'mask expected axes in front of axis 1, the features, got [1, 2]',
    ],
  ])('refuses %s', (_, act, message) => {
    expect(act).toThrow(ArgumentError);
    expect(act).toThrow(message);
  });

  test('keeps its constraints after each update, and says them in its configuration', () => {
    const betaConstraint = { name: 'maxNorm', maxValue: 0.1 } as const;
    const bound = batchNormalization({ gammaConstraint: 'nonNeg', betaConstraint, inputShape: [3] });
    const stack = sequential([bound, dense({ units: 1 })]) as Model;
    bound.weights[0]!.assign([-1, 0.5, -2]);
    bound.weights[1]!.assign([3, 4, 0]);
    stack.compile({ optimizer: sgd({ learningRate: 1e-6 }), loss: 'mse' });
    stack.trainOnBatch(x, y);
    expect([...bound.weights[0]!.toArray()].map((value) => Math.round(value * 100) / 100)).toEqual([0, 0.5, 0]);
    expect(Math.hypot(...bound.weights[1]!.toArray())).toBeCloseTo(0.1, 4);
    expect(bound.config()).toMatchObject({ gammaConstraint: 'nonNeg' });
  });

  test('normalizes by moving statistics while the memory grows', async () => {
    await init();
    const layer = batchNormalization();
    layer.build([null, 2]);
    const many = tensor(new Float32Array(2 ** 22).fill(3), { shape: [2 ** 21, 2] });
    expect(layer(many).toArray()[5]).toBeCloseTo(3 / Math.sqrt(1.001), 5);
  });

  test('takes images whose sizes vary', () => {
    const layer = batchNormalization();
    expect(layer(tensor([[[[1, 2]], [[3, 4]]]])).shape).toEqual([1, 2, 1, 2]);
    expect(layer(tensor([[[[1, 2], [5, 6]]]])).shape).toEqual([1, 1, 2, 2]); // biome-ignore format: one row
  });
});
