// Rows of weight 0: no bit of a loss, a metric or a gradient depends on their values.
import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { masking } from '../../src/layers/masking.ts';
import { lossOf } from '../../src/losses/by-name.ts';
import * as makers from '../../src/losses/index.ts';
import type { Loss } from '../../src/losses/loss.ts';
import { metrics as makersOfMetrics } from '../../src/metrics/all.ts';
import { metricOf } from '../../src/metrics/by-name.ts';
import { type Metric, measure } from '../../src/metrics/metric.ts';
import { model, sequential } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { Objective } from '../../src/train/objective.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { integers, values } from '../kernels/reference/values.ts';
import '../../src/models/register-all.ts';

const [BATCH, TIME, CLASSES] = [3, 4, 3];
const ROWS = BATCH * TIME;
const KEPT = [1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0];
const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e20];
const isKept = (at: number, width: number): boolean => KEPT[Math.floor(at / width)] === 1;
/** The same numbers, but bad ones in rows that are left out. */
const spoiled = (x: ArrayLike<number>, width: number): Float32Array =>
  Float32Array.from(x, (v, i) => (isKept(i, width) ? v : BAD[i % BAD.length]!));

/** Probabilities, which are good logits, too. */
const predictions = Float32Array.from(values(ROWS * CLASSES, 1), (v) => 0.5 + v / 3);
const oneHot = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => Number(i % CLASSES === i % 2));
const weights = (): Tensor =>
  tensor(
    KEPT.map((k, i) => k * (1 + i / 7)),
    { shape: [BATCH, TIME] },
  );

const run = (loss: Loss, y: Tensor, p: ArrayLike<number>, w: Tensor): { value: number; grad: Float32Array } => {
  const yPred = tensor(p, { shape: [BATCH, TIME, CLASSES] });
  const { value, grads } = valueAndGrad(() => loss.compute(y, yPred, w), [yPred]);
  return { value, grad: grads[0]!.toArray() as Float32Array };
};

describe('rows of weight 0', () => {
  const both = [
    'binaryCrossentropy',
    'binaryFocalCrossentropy',
    'categoricalCrossentropy',
    'categoricalFocalCrossentropy',
  ];
  const floats = Object.keys(makers).filter((name) => name !== 'ctc' && name !== 'sparseCategoricalCrossentropy');
  const cases = [
    ...floats.map((name) => [name, {}] as const),
    ...both.map((name) => [name, { fromLogits: true, labelSmoothing: 0.1 }] as const),
    ['meanSquaredError', { reduction: 'sum' }] as const,
    ['poisson', { reduction: 'meanWithSampleWeight' }] as const,
  ];

  test.each(cases)('of %s %j, may hold any numbers', (name, options) => {
    const loss = lossOf(name as 'mse', options);
    const shape = [BATCH, TIME, CLASSES];
    const plain = run(loss, tensor(oneHot, { shape }), predictions, weights());
    const dirty = run(loss, tensor(spoiled(oneHot, CLASSES), { shape }), spoiled(predictions, CLASSES), weights());
    expect(Number.isFinite(plain.value)).toBe(true);
    expect(dirty.value).toBe(plain.value);
    expectSameBits(dirty.grad, plain.grad, 'gradient');
    expect(plain.grad.some((d) => d !== 0)).toBe(true);
  });

  test.each([
    { fromLogits: true },
    { fromLogits: false },
    { fromLogits: true, ignoreClass: 2 },
    { fromLogits: false, ignoreClass: 2, reduction: 'meanWithSampleWeight' },
    { fromLogits: true, reduction: 'sum' },
  ])('of sparseCategoricalCrossentropy %j, may hold any ids and any predictions', (options) => {
    const loss = makers.sparseCategoricalCrossentropy(options as object);
    const ids = integers(ROWS, CLASSES, 3);
    const y = (each: ArrayLike<number>): Tensor => tensor(each, { shape: [BATCH, TIME], dtype: 'i32' });
    const plain = run(loss, y(ids), predictions, weights());
    const bad = Int32Array.from(ids, (id, i) => (KEPT[i] === 1 ? id : [-1, 99, 2 ** 31 - 1][i % 3]!));
    const dirty = run(loss, y(bad), spoiled(predictions, CLASSES), weights());
    expect(dirty.value).toBe(plain.value);
    expectSameBits(dirty.grad, plain.grad, 'gradient');
  });

  test('of ctc, may hold labels that fit no sequence, and any predictions', () => {
    const loss = makers.ctc();
    const w = tensor([1, 0, 2]);
    const plain = run(
      loss,
      tensor(
        [
          [1, 2],
          [1, 0],
          [2, 0],
        ],
        { dtype: 'i32' },
      ),
      predictions,
      w,
    );
    const dirtyPredictions = predictions.map((v, i) => (Math.floor(i / (TIME * CLASSES)) === 1 ? BAD[i % 6]! : v));
    const dirty = run(
      loss,
      tensor(
        [
          [1, 2],
          [0, 77],
          [2, 0],
        ],
        { dtype: 'i32' },
      ),
      dirtyPredictions,
      w,
    );
    expect(dirty.value).toBe(plain.value);
    expectSameBits(dirty.grad, plain.grad, 'gradient');
  });

  test('of ctc, and steps that a mask leaves out, may hold any predictions', () => {
    const results = [false, true].map((dirty) => {
      const p = tensor(
        dirty ? spoiled(predictions, CLASSES) : predictions.map((v, i) => (isKept(i, CLASSES) ? v : 0)),
        {
          shape: [BATCH, TIME, CLASSES],
        },
      );
      p.mask = tensor(KEPT, { shape: [BATCH, TIME] });
      const y = tensor([[1], [2], [1]], { dtype: 'i32' });
      const { value, grads } = valueAndGrad(() => makers.ctc().compute(y, p), [p]);
      return { value, grad: grads[0]!.toArray().map((d, i) => (isKept(i, CLASSES) ? d : 0)) };
    });
    expect(Number.isFinite(results[0]!.value)).toBe(true);
    expect(results[1]).toEqual(results[0]);
  });

  test('of a loss of the caller’s own, may hold any numbers, whether it is a function or an object', () => {
    const each = (y: Tensor, p: Tensor): Tensor =>
      ops.sum(ops.div(ops.square(ops.sub(ops.log(p), y)), ops.sub(ops.mul(p, p), y)), { axis: -1 });
    const object: Loss = {
      name: 'own',
      targetDtype: 'f32',
      compute: (y, p, w) => ops.mean(ops.mul(each(y, p), w!)),
    };
    for (const own of [each, object]) {
      const shape = [BATCH, TIME, CLASSES];
      const results = [
        [oneHot, predictions],
        [spoiled(oneHot, CLASSES), spoiled(predictions, CLASSES)],
      ].map(([y, p]) => {
        const yPred = tensor(p!, { shape });
        const weighing = { sampleWeight: weights(), classWeight: undefined };
        const compute = () => new Objective({ loss: own }).compute(tensor(y!, { shape }), yPred, weighing).total;
        const { value, grads } = valueAndGrad(compute, [yPred]);
        return { value, grad: grads[0]!.toArray() };
      });
      expect(Number.isFinite(results[0]!.value)).toBe(true);
      expect(results[1]!.value).toBe(results[0]!.value);
      expectSameBits(results[1]!.grad, results[0]!.grad, 'gradient');
    }
  });

  const own = (y: Tensor, p: Tensor): Tensor => ops.mean(ops.abs(ops.sub(y, p)));
  test.each([...Object.keys(makersOfMetrics), 'function'])('of metric %s, may hold any numbers', (name) => {
    const sparse = name.startsWith('sparse');
    const of = (): Metric => (name === 'function' ? metricOf(own) : metricOf(name as 'mse'));
    const logs = [false, true].map((dirty) => {
      const measured = measure([of()], [of()]);
      const ids = integers(ROWS, CLASSES, 3).map((id, i) => (dirty && KEPT[i] === 0 ? -7 : id));
      const [y, p] = [oneHot, predictions].map((x) => (dirty ? spoiled(x, CLASSES) : x));
      const shape = [BATCH, TIME, CLASSES];
      const yTrue = sparse ? tensor(ids, { shape: [BATCH, TIME], dtype: 'i32' }) : tensor(y!, { shape });
      measured.update(yTrue, tensor(p!, { shape }), tensor(KEPT, { shape: [BATCH, TIME] }), weights());
      return measured.logs();
    });
    expect(logs[1]).toEqual(logs[0]);
    expect(Object.values(logs[0]!).every(Number.isFinite)).toBe(true);
  });
});

describe('a model', () => {
  const X = [
    [[1], [2], [0]],
    [[3], [0], [0]],
  ];
  const [TAME, WILD] = [0, 3e38].map((bad) => [
    [[1], [2], [bad]],
    [[3], [bad], [bad]],
  ]);
  const built = (loss: string, layers = [masking(), dense({ units: 1 })]) => {
    setSeed(3);
    const network = sequential(layers);
    network.compile({ optimizer: 'sgd', loss: loss as 'mse', metrics: ['mae'], weightedMetrics: ['mse'] });
    return network;
  };

  test.each(['mse', 'mae', 'huber', 'logCosh', 'poisson', 'msle'])(
    'trained by %s on targets that are huge where its mask or a weight of 0 leaves them out, is trained as on zeros',
    async (loss) => {
      const every = async (y: number[][][] | undefined, options: object) => {
        const network = built(loss);
        const { history } = await network.fit(X, y!, { epochs: 2, shuffle: false, ...options });
        return [history, network.evaluate(X, y!), network.weights.map((w) => Array.from(w.toArray()))];
      };
      const masked = await every(WILD, {});
      expect(masked).toEqual(await every(TAME, {}));
      expect((masked[0] as { loss: number[] }).loss.every(Number.isFinite)).toBe(true);
      const sampleWeight = [
        [1, 1, 0],
        [1, 0, 0],
      ];
      const weighted = async (y: number[][][] | undefined) => {
        const network = built(loss, [dense({ units: 1 })]);
        const logs = network.trainOnBatch(X, y!, { sampleWeight });
        return [
          logs.loss,
          logs.gradientNorm,
          logs.mean_squared_error,
          network.weights.map((w) => Array.from(w.toArray())),
        ];
      };
      expect(await weighted(WILD)).toEqual(await weighted(TAME));
    },
  );

  test('with a class that weighs 0, learns nothing of its rows, however large their inputs', () => {
    const train = (big: number) => {
      setSeed(3);
      const network = sequential([dense({ units: 2, activation: 'softmax', inputShape: [1] })]);
      network.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
      const logs = network.trainOnBatch([[1], [big], [2]], [0, 1, 0], { classWeight: { 1: 0 } });
      return [logs, network.weights.map((w) => Array.from(w.toArray()))];
    };
    expect(train(1e38)).toEqual(train(1));
  });

  test('with a mask and reduction sum, has the sum over what the mask keeps, as in Keras', () => {
    const network = sequential([masking(), dense({ units: 1, kernelInitializer: 'ones' })]);
    network.compile({ optimizer: 'sgd', loss: makers.meanSquaredError({ reduction: 'sum' }) });
    // (1 − 3)² + (2 − 3)² + (3 − 3)²
    expect(
      network.evaluate(X, [
        [[3], [3], [9]],
        [[3], [9], [9]],
      ]).loss,
    ).toBe(5);
  });

  test('measured in batches whose masks keep unequal numbers of steps, has a loss that depends on batchSize, as in Keras', () => {
    const network = sequential([masking(), dense({ units: 1, kernelInitializer: 'ones' })]);
    network.compile({ optimizer: 'sgd', loss: 'mae' });
    const y = [
      [[2], [3], [0]],
      [[7], [0], [0]],
    ];
    // Errors 1, 1 and 4: their mean, and the mean of the means of two batches.
    expect(network.evaluate(X, y, { batchSize: 2 }).loss).toBe(2);
    expect(network.evaluate(X, y, { batchSize: 1 }).loss).toBe(2.5);
  });

  test('with an output of lossWeight 0, is trained by the others alone, even if its loss is infinite', () => {
    const train = (target: number) => {
      setSeed(3);
      const layers = { a: dense({ units: 1 }), b: dense({ units: 1 }) };
      const network = model({ layers }, (x: Tensor, { a, b }) => ({ a: a(x), b: b(x) }));
      network.compile({ optimizer: 'sgd', loss: { a: 'mse', b: 'mse' }, lossWeights: { b: 0 } });
      const { loss, a_loss, b_loss } = network.trainOnBatch([[1]], { a: [[2]], b: [[target]] });
      expect(loss).toBe(a_loss);
      expect(b_loss).toBe(target === 3e38 ? Number.POSITIVE_INFINITY : b_loss);
      return network.weights.map((w) => Array.from(w.toArray()));
    };
    expect(train(3e38)).toEqual(train(1));
  });

  test('whose mask has not the shape of its predictions, is refused by name', () => {
    const layers = { words: embedding({ inputDim: 3, outputDim: 2 }), head: dense({ units: 1 }) };
    const network = model({ layers, inputs: { dtype: 'i32', shape: [2] } }, (x: Tensor, { words, head }) => {
      const y = head(ops.sum(words(x), { axis: 1 }));
      y.mask = tensor([[1, 0]]);
      return y;
    });
    network.compile({ optimizer: 'sgd', loss: 'mse' });
    expect(() => network.trainOnBatch([[1, 2]], [[1]])).toThrow(new ArgumentError('mask expected [1], got [1, 2]'));
  });
});
