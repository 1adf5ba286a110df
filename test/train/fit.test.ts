import { beforeEach, describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { type DataLike, NdArray, ndarray } from '../../src/data/array.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { fBetaScore } from '../../src/metrics/index.ts';
import type { Callback } from '../../src/models/model.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { scale } from '../../src/ops/elementwise/elementwise.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import type { Logs } from '../../src/train/logs.ts';
import { integers, values } from '../kernels/reference/values.ts';
import { expectSameWeights, regression, sequences, targets, weightsOf } from './regression.ts';
import { expectSameSnapshot, snapshotOf } from './snapshot.ts';

beforeEach(() => setSeed(11));

describe('learning', () => {
  test('the parity of every prefix of 6 bits, reaches full accuracy', async () => {
    const bits = Array.from({ length: 64 }, (_, n) => Array.from({ length: 6 }, (_, t) => [(n >> t) & 1]));
    const parity = bits.map((row) =>
      row.map((_, t) => [row.slice(0, t + 1).reduce((sum, [bit]) => sum + bit!, 0) % 2]),
    );
    const model = sequential([
      gru({ units: 8, returnSequences: true, inputShape: [6, 1] }),
      dense({ units: 1, activation: 'sigmoid' }),
    ]);
    model.compile({ optimizer: adam({ learningRate: 0.03 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const { history } = await model.fit(bits, parity, { epochs: 60, batchSize: 16 });
    expect(history.accuracy!.at(-1)).toBe(1);
    expect(model.evaluate(bits, parity).accuracy).toBe(1);
    const truth = parity.flat(2);
    expect(model.predict(bits).data.every((p, i) => p > 0.5 === (truth[i] === 1))).toBe(true);
  });

  test.each([
    ['simpleRnn', () => simpleRnn({ units: 16, returnSequences: true })],
    ['lstm', () => lstm({ units: 16, returnSequences: true })],
  ] as const)('to echo tokens two steps later with %s, brings the loss near zero', async (_, layer) => {
    const random = new RandomStream(5);
    const x = Array.from({ length: 128 }, () => Array.from({ length: 8 }, () => random.nextUint32() % 4));
    const y = x.map((row) => row.map((_, t) => row[t - 2] ?? 0));
    const model = sequential([embedding({ inputDim: 4, outputDim: 4 }), layer(), dense({ units: 4 })]);
    model.compile({
      optimizer: adam({ learningRate: 0.02 }),
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
      metrics: ['accuracy'],
    });
    const before = model.evaluate(x, y);
    const { history } = await model.fit(x, y, { epochs: 40, batchSize: 16 });
    expect(before.loss).toBeGreaterThan(1);
    expect(history.loss!.at(-1)).toBeLessThan(0.1);
    expect(model.evaluate(x, y).accuracy).toBeGreaterThan(0.99);
  });
});

describe('fit', () => {
  test('gives one number an epoch for the loss, each metric, and both again for validation', async () => {
    const { epoch, history } = await regression().fit(sequences(10), targets(10), { epochs: 3, validationSplit: 0.2 });
    expect(epoch).toEqual([0, 1, 2]);
    expect(Object.keys(history)).toEqual(['loss', 'meanAbsoluteError', 'val_loss', 'val_meanAbsoluteError']);
    for (const series of Object.values(history)) expect(series.length).toBe(3);
  });

  test('with a validationSplit whose product is a rounding error below a whole number, trains on that many', async () => {
    let batches = 0;
    const callbacks = [{ onBatchEnd: () => void batches++ }];
    // 10 · (1 − 0.8) = 1.9999999999999996 in float64.
    await regression().fit(sequences(10), targets(10), { batchSize: 1, validationSplit: 0.8, callbacks });
    expect(batches).toBe(2);
  });

  test('with metrics that are no mean over batches, has them over the whole epoch', async () => {
    const [x, y] = [ndarray(values(80, 3), [40, 2]), ndarray(integers(40, 2, 4), [40, 1])];
    const model = sequential([dense({ units: 1, activation: 'sigmoid', inputShape: [2] })]);
    const watched = ['auc', 'recall', fBetaScore({ average: 'macro', beta: 2, threshold: 0.5 })] as const;
    model.compile({ optimizer: sgd({ learningRate: 0 }), loss: 'binaryCrossentropy', metrics: watched });
    const seen: Logs[] = [];
    const callbacks = [{ onBatchEnd: (_: number, logs: Logs) => void seen.push(logs) }];
    const { history } = await model.fit(x, y, { batchSize: 7, epochs: 2, callbacks, validationData: [x, y] });
    const { auc, recall, fBetaScore: score } = model.evaluate(x, y, { batchSize: 40 });
    expect(auc).toBeGreaterThan(0);
    expect(history).toMatchObject({ auc: [auc, auc], recall: [recall, recall], fBetaScore: [score, score] });
    expect(history).toMatchObject({ val_auc: [auc, auc], val_recall: [recall, recall] });
    // Told after each batch over the epoch so far.
    expect(seen[5]!.auc).toBe(auc);
    expect(seen[6]!.auc).not.toBe(auc);
  });

  test('validates on the last samples, as they stood before any shuffling', async () => {
    const [x, y] = [sequences(10), targets(10)];
    const model = regression(sgd({ learningRate: 0 }));
    const { history } = await model.fit(x, y, { validationSplit: 0.3 });
    const tail = model.evaluate(ndarray(x.data.slice(42), [3, 3, 2]), ndarray(y.data.slice(7), [3, 1]));
    expect(history.val_loss).toEqual([tail.loss]);
    expect(history.val_meanAbsoluteError).toEqual([tail.meanAbsoluteError]);
  });

  test('with validationData, validates on it and trains on all', async () => {
    const [x, y] = [sequences(5, 3, 2, 8), targets(5, 9)];
    const model = regression(sgd({ learningRate: 0 }));
    const { history } = await model.fit(sequences(10), targets(10), { validationData: [x, y] });
    expect(history.val_loss).toEqual([model.evaluate(x, y).loss]);
  });

  test('trains on the last, smaller batch, and weighs it by its samples', async () => {
    const logs: number[] = [];
    const model = sequential([dense({ units: 1, kernelInitializer: 'zeros', inputShape: [1] })]);
    model.compile({ optimizer: sgd({ learningRate: 0 }), loss: 'meanSquaredError' });
    const { history } = await model.fit([[0], [0], [0], [0], [0]], [[1], [1], [2], [2], [4]], {
      batchSize: 2,
      shuffle: false,
      callbacks: [{ onBatchEnd: (_, { loss }) => void logs.push(loss!) }],
    });
    expect(logs).toEqual([1, 4, 16]);
    expect(history.loss).toEqual([(2 * 1 + 2 * 4 + 16) / 5]);
  });

  test('after one setSeed, gives the same history and weights to the bit; after another, others', async () => {
    const run = async (seed: number) => {
      setSeed(seed);
      const model = regression();
      const { history } = await model.fit(sequences(20), targets(20), {
        epochs: 3,
        batchSize: 8,
        validationSplit: 0.25,
      });
      return { model, history };
    };
    const [one, two, other] = [await run(4), await run(4), await run(5)];
    expect(two.history).toEqual(one.history);
    expectSameWeights(one.model, two.model);
    expect(weightsOf(other.model)).not.toEqual(weightsOf(one.model));
  });

  test('shuffles every epoch anew, and not at all when told not to', async () => {
    const orders = async (shuffle: boolean): Promise<string[]> => {
      const model = sequential([dense({ units: 1, kernelInitializer: 'zeros', inputShape: [1] })]);
      model.compile({ optimizer: sgd({ learningRate: 0 }), loss: 'meanAbsoluteError' });
      const epochs: number[][] = [];
      const x = Array.from({ length: 9 }, (_, i) => [i]);
      await model.fit(x, x, {
        epochs: 3,
        batchSize: 1,
        shuffle,
        callbacks: [
          { onEpochBegin: () => void epochs.push([]), onBatchEnd: (_, { loss }) => void epochs.at(-1)!.push(loss!) },
        ],
      });
      return epochs.map(String);
    };
    expect(new Set(await orders(false))).toEqual(new Set(['0,1,2,3,4,5,6,7,8']));
    const shuffled = await orders(true);
    expect(new Set(shuffled).size).toBe(3);
    for (const order of shuffled) expect(order.split(',').sort().join()).toBe('0,1,2,3,4,5,6,7,8');
  });

  test('from initialEpoch on, counts epochs as if those before had been; where none is left, trains none', async () => {
    const epochs: number[] = [];
    const model = regression();
    const callbacks: Callback[] = [{ onEpochBegin: (epoch) => void epochs.push(epoch) }];
    const { epoch } = await model.fit(sequences(4), targets(4), { epochs: 5, initialEpoch: 3, callbacks });
    expect([epoch, epochs, model.optimizer.steps]).toEqual([[3, 4], [3, 4], 2]);
    const none = await model.fit(sequences(4), targets(4), { epochs: 5, initialEpoch: 5 });
    expect(none).toEqual({ epoch: [], history: {}, validated: [] });
  });

  test('leaves the arrays it was given as they are', async () => {
    const [x, y] = [sequences(6), targets(6)];
    const before = [x.data.slice(), y.data.slice()];
    await regression().fit(x, y, { epochs: 2, batchSize: 2 });
    expect([x.data, y.data]).toEqual(before);
  });

  test('calls its callbacks in order and waits for those that are async', async () => {
    const calls: string[] = [];
    const named = (name: string, wait: boolean): Callback => {
      const note = async (text: string): Promise<void> => {
        if (wait) await new Promise((resolve) => setImmediate(resolve));
        calls.push(`${name} ${text}`);
      };
      return {
        onEpochBegin: (epoch) => note(`begin ${epoch}`),
        onBatchEnd: (batch, logs) => note(`batch ${batch} ${Object.keys(logs)}`),
        onEpochEnd: (epoch, logs) => note(`end ${epoch} ${Object.keys(logs)}`),
      };
    };
    const callbacks = [named('slow', true), {}, named('quick', false)];
    await regression().fit(sequences(4), targets(4), { epochs: 2, batchSize: 2, callbacks, validationSplit: 0.25 });
    const epoch = (n: number): string[] =>
      [
        `begin ${n}`,
        'batch 0 loss,meanAbsoluteError',
        'batch 1 loss,meanAbsoluteError',
        `end ${n} loss,meanAbsoluteError,val_loss,val_meanAbsoluteError`,
      ].flatMap((text) => [`slow ${text}`, `quick ${text}`]);
    expect(calls).toEqual([...epoch(0), ...epoch(1)]);
  });

  test('whose callback throws, rejects with its error', async () => {
    const callbacks = [{ onBatchEnd: () => Promise.reject(new Error('from the callback')) }];
    await expect(regression().fit(sequences(4), targets(4), { callbacks })).rejects.toThrow('from the callback');
  });

  test('aborted in a callback, ends after the batch in progress with the reason', async () => {
    const controller = new AbortController();
    const model = regression();
    const callbacks = [{ onBatchEnd: (batch: number) => void (batch === 1 && controller.abort(new Error('enough'))) }];
    const run = model.fit(sequences(8), targets(8), { epochs: 5, batchSize: 2, callbacks, signal: controller.signal });
    await expect(run).rejects.toThrow('enough');
    expect(model.optimizer.iterations).toBe(2);
  });

  test('given a signal that is aborted already, trains nothing', async () => {
    const model = regression();
    const run = model.fit(sequences(8), targets(8), { signal: AbortSignal.abort(new Error('too late')) });
    await expect(run).rejects.toThrow('too late');
    expect(model.optimizer.iterations).toBe(0);
  });

  test('lets a timer fire while it trains', async () => {
    // Only a timer aborts: a fit that never yields would go through all its epochs and resolve.
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('the timer fired')), 0);
    const run = regression().fit(sequences(64), targets(64), {
      epochs: 3000,
      batchSize: 64,
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow('the timer fired');
  });

  test('of a stateful model, carries states on and validates without touching them', async () => {
    const make = (): Model => {
      setSeed(2);
      const model = sequential([gru({ units: 3, stateful: true, inputShape: [null, 2] }), dense({ units: 1 })]);
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model;
    };
    const [plain, validated] = [make(), make()];
    const options = { batchSize: 2, shuffle: false, epochs: 2 };
    await plain.fit(sequences(4), targets(4), options);
    await validated.fit(sequences(4), targets(4), { ...options, validationData: [sequences(6), targets(6)] });
    expectSameSnapshot(snapshotOf(validated), snapshotOf(plain));
    await expect(plain.fit(sequences(5), targets(5), options)).rejects.toThrow(
      'fit: a stateful model expected a number of samples that batchSize 2 divides, got 5',
    );
    const before = snapshotOf(plain);
    const validationData = [sequences(3), targets(3)] as const;
    await expect(plain.fit(sequences(4), targets(4), { ...options, validationData })).rejects.toThrow(
      'fit: a stateful model expected a number of samples to validate on that batchSize 2 divides, got 3',
    );
    expectSameSnapshot(snapshotOf(plain), before);
  });
});

describe('penalties of regularizers', () => {
  test('are part of loss and gradient, in training and in evaluation', () => {
    const built = sequential([
      dense({ units: 2, kernelRegularizer: { l1: 0.1, l2: 0.2 }, biasRegularizer: 'l2', inputShape: [2] }),
      dense({ units: 1, activityRegularizer: 'l2' }),
    ]);
    const weights = [[0.5, -0.25, 1, 0.75], [0.5, -1], [1, 0.5], [0.25]];
    built.weights.forEach((weight, i) => weight.assign(weights[i]!));
    built.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: 'meanSquaredError' });
    const x = [
      [1, 2],
      [0, -1],
    ];
    const y = [[1], [0]];
    // h = x·K + b: [3, 0.25], [−0.5, −1.75]; p = [3.375, −1.125].
    const error = ((3.375 - 1) ** 2 + 1.125 ** 2) / 2;
    const penalty = 0.1 * (0.5 + 0.25 + 1 + 0.75) + 0.2 * (0.25 + 0.0625 + 1 + 0.5625) + 0.01 * (0.25 + 1);
    const activity = (0.01 * (3.375 ** 2 + 1.125 ** 2)) / 2;
    expect(built.evaluate(x, y).loss).toBeCloseTo(error + penalty + activity, 5);
    expect(built.trainOnBatch(x, y).loss).toBeCloseTo(error + penalty + activity, 5);
    // ∂/∂p of both rows: of the error, and 0.01·2p/2 of the activity.
    const [d1, d2] = [3.375 - 1 + 0.01 * 3.375, -1.125 - 0.01 * 1.125];
    const expected = [
      [d1, 0.5 * d1, 2 * d1 - d2, 0.5 * (2 * d1 - d2)].map((data, i) => {
        const w = weights[0]![i]!;
        return w - 0.5 * (data + 0.1 * Math.sign(w) + 0.4 * w);
      }),
      [0.5 - 0.5 * (d1 + d2 + 0.02 * 0.5), -1 - 0.5 * (0.5 * (d1 + d2) + 0.02 * -1)],
      [1 - 0.5 * (3 * d1 - 0.5 * d2), 0.5 - 0.5 * (0.25 * d1 - 1.75 * d2)],
      [0.25 - 0.5 * (d1 + d2)],
    ];
    built.weights.forEach((weight, i) =>
      weight.toArray().forEach((value, j) => expect(value).toBeCloseTo(expected[i]![j]!, 5)),
    );
  });
});

describe('evaluate, predict and trainOnBatch', () => {
  test('evaluate, is the mean of hand-computed losses whatever the batch size', () => {
    const model = sequential([
      dense({ units: 1, kernelInitializer: { name: 'constant', value: 2 }, biasInitializer: 'ones', inputShape: [1] }),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['meanAbsoluteError', 'meanSquaredError'] });
    // ŷ = 2x + 1: errors 1, 3, 0, −2, 5.
    const [x, y] = [
      [[0], [1], [2], [3], [4]],
      [[0], [0], [5], [9], [4]],
    ];
    for (const batchSize of [1, 2, 5, 32]) {
      const { loss, ...metrics } = model.evaluate(x, y, { batchSize });
      // A batch's loss is a float32.
      expect(loss).toBeCloseTo(39 / 5, 6);
      expect(metrics).toEqual({ meanAbsoluteError: 11 / 5, meanSquaredError: 39 / 5 });
    }
  });

  test('accuracy, counts binary, one-hot and class-id targets as Keras does', () => {
    const measure = (
      units: number,
      loss: Parameters<Model['compile']>[0]['loss'],
      x: number[][],
      y: DataLike,
    ): number => {
      const identity = Array.from({ length: units }, (_, i) =>
        Array.from({ length: units }, (_, j) => Number(i === j)),
      );
      // The probabilities as they are given. Behind an op no activation is known that would not fit the loss.
      const layer = dense({ units, useBias: false });
      const same = model({ layers: { layer }, inputs: { shape: [units] } }, (x, { layer }) => scale(layer(x), 1));
      same.weights[0]!.assign(identity.flat());
      same.compile({ optimizer: 'sgd', loss, metrics: ['accuracy'] });
      return same.evaluate(x, y).accuracy!;
    };
    expect(measure(1, 'binaryCrossentropy', [[0.9], [0.2], [0.5], [0.7]], [[1], [0], [0], [0]])).toBe(3 / 4);
    const rows = [
      [0.1, 0.7, 0.2],
      [0.6, 0.3, 0.1],
      [0.2, 0.2, 0.6],
    ];
    expect(measure(3, 'sparseCategoricalCrossentropy', rows, [1, 0, 1])).toBe(2 / 3);
    expect(
      measure(3, 'categoricalCrossentropy', rows, [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
      ]),
    ).toBe(2 / 3);
  });

  test('predict, gives an array of the outputs for every kind of data and batch size', () => {
    const model = regression();
    const x = sequences(5);
    const whole = model.predict(x);
    expect(whole).toBeInstanceOf(NdArray);
    expect(whole.shape).toEqual([5, 1]);
    for (const other of [x.toNested(), tensor(x.data, { shape: x.shape })] as DataLike[]) {
      expect(model.predict(other).data).toEqual(whole.data);
    }
    for (const batchSize of [1, 2, 5]) expect(model.predict(x, { batchSize }).data).toEqual(whole.data);
    const many = sequential([lstm({ units: 4, returnSequences: true, inputShape: [null, 2] }), dense({ units: 3 })]);
    expect(many.predict(x).shape).toEqual([5, 3, 3]);
  });

  test('trainOnBatch, gives loss, gradient norm and metrics of the batch before its update', () => {
    const model = sequential([lstm({ units: 4, inputShape: [null, 2] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
    const expected = model.evaluate(sequences(4), targets(4));
    const logs = model.trainOnBatch(sequences(4), targets(4));
    expect(Object.keys(logs)).toEqual(['loss', 'gradientNorm', 'meanAbsoluteError']);
    expect(logs.loss).toBe(expected.loss);
    expect(logs.meanAbsoluteError).toBe(expected.meanAbsoluteError);
    expect(logs.gradientNorm).toBeGreaterThan(0);
    expect(model.evaluate(sequences(4), targets(4)).loss).not.toBe(expected.loss);
  });

  test('trainOnBatch of a model that is not built, builds it', () => {
    const model = sequential([lstm({ units: 4 }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    expect(model.weights.length).toBe(0);
    model.trainOnBatch(sequences(4), targets(4));
    expect(model.weights.length).toBe(5);
  });

  test('trainOnBatch with a frozen layer, changes the others alone', () => {
    const model = sequential([lstm({ units: 4, inputShape: [null, 2], trainable: false }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const before = weightsOf(model);
    model.trainOnBatch(sequences(4), targets(4));
    const after = weightsOf(model);
    expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
    expect(after.slice(3)).not.toEqual(before.slice(3));
  });
});
