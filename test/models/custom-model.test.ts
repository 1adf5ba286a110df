import { beforeEach, describe, expect, test } from 'vitest';
import type { Parameter } from '../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type AnyModel, model } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { sgd } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { values } from '../kernels/reference/values.ts';
import { weightsOf } from '../train/regression.ts';
import { expectSameSnapshot, snapshotOf } from '../train/snapshot.ts';
import { rate, twoByTwo, twoX, twoY } from './custom-model-cases.ts';

beforeEach(() => setSeed(11));

/** What one step of SGD leaves of weights, by the gradient of a loss that is computed by hand. */
function steppedBy(weights: readonly Parameter[], loss: () => Tensor): Float32Array[] {
  return engine().step(() => {
    const { grads } = valueAndGrad(loss, weights);
    return weights.map((weight, i) => {
      const gradient = grads[i]!.toArray();
      return weight.toArray().map((value, j) => Math.fround(value - Math.fround(rate * gradient[j]!)));
    });
  });
}

function expectClose(got: readonly Float32Array[], expected: readonly Float32Array[]): void {
  got.forEach((each, i) => each.forEach((value, j) => expect(value).toBeCloseTo(expected[i]![j]!, 6)));
}

const meanSquare = (a: Tensor, b: Tensor): Tensor => ops.mean(ops.square(ops.sub(a, b)));

describe('a model of several inputs and outputs', () => {
  test('by name, logs each loss and metric under the name of its output, and their weighted sum', () => {
    const { loss, price_loss, kind_loss, ...rest } = twoByTwo().evaluate(twoX, twoY) as Record<string, number>;
    expect(Object.keys(rest)).toEqual(['kind_accuracy']);
    expect(loss).toBeCloseTo(price_loss! + 0.25 * kind_loss!, 6);
  });

  test('makes the step of the weighted sum of its losses', () => {
    const made = twoByTwo();
    const [read, note, price, kind] = made.layers as Layer[];
    const expected = steppedBy(made.weights, () => {
      const [series, facts] = Object.values(twoX).map(({ data, shape }) => tensor(data, { shape }));
      const both = ops.add(read!(series!), note!(facts!));
      const first = meanSquare(price!(both), tensor(twoY.price.data, { shape: [6, 1] }));
      const second = ops.softmaxCrossEntropy(kind!(both), tensor(twoY.kind, { dtype: 'i32' }));
      return ops.add(first, ops.scale(second, 0.25));
    });
    made.trainOnBatch(twoX, twoY);
    expectClose(weightsOf(made as never), expected);
  });

  test('in fit, cuts every input and target alike, and validates each output', async () => {
    const made = twoByTwo();
    const { history } = await made.fit(twoX, twoY, { epochs: 2, batchSize: 2, validationSplit: 0.34 });
    expect(Object.keys(history)).toEqual(
      ['', 'val_'].flatMap((prefix) =>
        ['loss', 'price_loss', 'kind_loss', 'kind_accuracy'].map((name) => prefix + name),
      ),
    );
    expect(made.optimizer.steps).toBe(4);
  });

  test('predicts in the form of its outputs, whatever the batch size', () => {
    const made = twoByTwo();
    const whole = made.predict(twoX);
    expect([whole.price.shape, whole.kind.shape]).toEqual([
      [6, 1],
      [6, 4],
    ]);
    const parts = made.predict(twoX, { batchSize: 4 });
    expect(parts.price.data).toEqual(whole.price.data);
    expect(parts.kind.data).toEqual(whole.kind.data);
  });

  test('in lists, takes and gives lists', async () => {
    const made = model(
      { layers: [dense({ units: 2 }), dense({ units: 1 })], inputs: [{ shape: [2] }, { shape: [3] }] },
      ([a, b], [one, other]) => [one!(a), other!(b)] as Tensor[],
    );
    made.compile({
      optimizer: 'sgd',
      loss: ['meanSquaredError', 'meanAbsoluteError'],
      lossWeights: [1, 2],
      metrics: [[], ['meanSquaredError']],
    });
    const x = [ndarray(values(8, 1), [4, 2]), ndarray(values(12, 2), [4, 3])];
    const y = [ndarray(values(8, 3), [4, 2]), ndarray(values(4, 4), [4, 1])];
    const logs = made.evaluate(x, y);
    expect(Object.keys(logs)).toEqual(['loss', '0_loss', '1_loss', '1_meanSquaredError']);
    expect(logs.loss).toBeCloseTo(logs['0_loss']! + 2 * logs['1_loss']!, 6);
    expect(made.predict(x).map(({ shape }) => shape)).toEqual([
      [4, 2],
      [4, 1],
    ]);
    await made.fit(() => [{ x, y }], { epochs: 2 });
    expect(made.optimizer.steps).toBe(2);
  });

  test.each<[string, (made: AnyModel) => unknown, RegExp]>([
    [
      'an input that is missing',
      (made) => made.trainOnBatch({ series: twoX.series }, twoY),
      /^x expected values by name \(series, facts\), got series$/,
    ],
    [
      'one too many',
      (made) => made.trainOnBatch({ ...twoX, other: twoX.facts }, twoY),
      /^x expected values by name \(series, facts\), got series, facts, other$/,
    ],
    [
      'a list for names',
      (made) => made.predict([twoX.series, twoX.facts]),
      /^x expected values by name \(series, facts\), got a list of 2$/,
    ],
    [
      'one array for several',
      (made) => made.evaluate(twoX, twoY.price),
      /^y expected values by name \(price, kind\), got/,
    ],
    [
      'samples of two numbers',
      (made) => made.trainOnBatch({ ...twoX, facts: [[1, 2]] }, twoY),
      /^x\.series and x\.facts expected as many samples, got \[6, 3, 2\] and \[1, 2\]$/,
    ],
    [
      'a class that does not exist',
      (made) => made.trainOnBatch(twoX, { ...twoY, kind: [0, 0, 0, 0, 0, 4] }),
      /^y\.kind expected ids in \[0, 4\), got 4 in sample 5/,
    ],
    [
      'another shape of an output',
      (made) => made.trainOnBatch(twoX, { ...twoY, price: ndarray(values(12, 5), [6, 2]) }),
      /^meanSquaredError: targets expected \[6, 1\], got \[6, 2\]$/,
    ],
    [
      'weights of one output alone',
      (made) => made.trainOnBatch(twoX, twoY, { sampleWeight: { kind: [1, 1, 1, 1, 1, 1] } }),
      /^sampleWeight expected values by name \(price, kind\), got kind$/,
    ],
    [
      'class weights',
      (made) => made.trainOnBatch(twoX, twoY, { classWeight: { 0: 2 } }),
      /^classWeight expected a model of one output, got 2; use sampleWeight$/,
    ],
  ])('%s, is refused and changes nothing', (_, run, message) => {
    const made = twoByTwo();
    made.trainOnBatch(twoX, twoY);
    const before = snapshotOf(made as never);
    expect(() => run(made)).toThrow(ArgumentError);
    expect(() => run(made)).toThrow(message);
    expectSameSnapshot(snapshotOf(made as never), before);
  });

  test.each<[string, object, RegExp]>([
    [
      'a weight for no output',
      { lossWeights: { prise: 1 } },
      /lossWeights expected outputs that have a loss \(price, kind\), got 'prise'/,
    ],
    [
      'metrics for no output',
      { metrics: { prise: [] } },
      /metrics expected outputs that have a loss \(price, kind\), got 'prise'/,
    ],
  ])('%s, is refused by compile', (_, options, message) => {
    const { loss } = { loss: { price: 'meanSquaredError', kind: 'sparseCategoricalCrossentropy' } } as const;
    expect(() => twoByTwo().compile({ optimizer: 'sgd', loss, ...options })).toThrow(message);
  });

  test('a loss for other outputs than it has, is refused before the first step', () => {
    const made = twoByTwo();
    made.compile({ optimizer: 'sgd', loss: { price: 'meanSquaredError' } });
    expect(() => made.trainOnBatch(twoX, { price: twoY.price })).toThrow(
      'loss expected one for each of price, kind, got 1',
    );
    made.compile({ optimizer: 'sgd', loss: { price: 'meanSquaredError', sort: 'meanSquaredError' } });
    expect(() => made.trainOnBatch(twoX, { price: twoY.price, sort: twoY.price })).toThrow('got none for kind');
  });

  test('whose forward returns something else, says so', () => {
    const made = model({ layers: [dense({ units: 1 })] }, (x, [layer]) => [layer!(x).shape] as never);
    expect(() => made.predict([[1]])).toThrow('forward expected to return a tensor, a list of tensors or some by name');
  });
});

describe('weights that are used twice', () => {
  const ids = [
    [0, 1, 2],
    [3, 4, 0],
  ];
  const next = [
    [1, 2, 3],
    [4, 0, 1],
  ];

  test('by a layer called twice, get the sum of both gradients', () => {
    const layer = dense({ units: 2, activation: 'tanh' });
    const made = model({ layers: { layer }, inputs: { shape: [2] } }, (x, { layer }) => layer(layer(x)));
    made.compile({ optimizer: sgd({ learningRate: rate }), loss: 'meanSquaredError' });
    const [x, y] = [ndarray(values(8, 1), [4, 2]), ndarray(values(8, 2), [4, 2])];
    const untied = steppedBy(made.weights, () => {
      const [kernel, bias] = made.weights;
      const apply = (z: Tensor): Tensor => ops.tanh(ops.linear(z, kernel!, bias!));
      return meanSquare(apply(apply(tensor(x.data, { shape: x.shape }))), tensor(y.data, { shape: y.shape }));
    });
    expect(made.weights.length).toBe(2);
    made.trainOnBatch(x, y);
    expectClose(weightsOf(made as never), untied);
  });

  test('by an embedding whose transpose is the output layer, get both gradients', async () => {
    const made = model(
      {
        layers: {
          embed: embedding({ inputDim: 5, outputDim: 4 }),
          recurrent: lstm({ units: 4, returnSequences: true }) as Layer,
        },
        inputs: { dtype: 'i32', limit: 5, shape: [null] },
      },
      (ids, { embed, recurrent }) => ops.linear(recurrent(embed(ids)), ops.transpose(embed.weights[0]!.tensor)),
    );
    const loss = sparseCategoricalCrossentropy({ fromLogits: true });
    made.compile({ optimizer: sgd({ learningRate: rate }), loss });
    const [table, ...others] = made.weights;
    // The same with a table of its own at either end: the tied one's gradient is the sum of theirs.
    const values = table!.toArray();
    const { input, output, rest } = engine().step(() => {
      const [input, output] = [0, 1].map(() => tensor(values, { shape: [5, 4] }));
      const { grads } = valueAndGrad(() => {
        const vectors = ops.embed(tensor(ids.flat(), { shape: [2, 3], dtype: 'i32' }), input!);
        const h = (made.getLayer('recurrent') as Layer)(vectors);
        return ops.softmaxCrossEntropy(
          ops.linear(h, ops.transpose(output!)),
          tensor(next.flat(), { shape: [2, 3], dtype: 'i32' }),
        );
      }, [input!, output!, ...others]);
      const [a, b, ...rest] = grads.map((grad) => grad.toArray());
      return { input: a!, output: b!, rest };
    });
    const before = others.map((weight) => weight.toArray());
    made.trainOnBatch(ids, next);
    table!.toArray().forEach((value, i) => expect(value).toBeCloseTo(values[i]! - rate * (input[i]! + output[i]!), 6));
    others.forEach((weight, w) =>
      weight.toArray().forEach((value, i) => expect(value).toBeCloseTo(before[w]![i]! - rate * rest[w]![i]!, 6)),
    );
    const { history } = await made.fit(ids, next, { epochs: 30 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
  });

  test('frozen, stay, while gradients flow through them', () => {
    const made = twoByTwo();
    (made.getLayer('price') as Layer).trainable = false;
    const names = ['price/kernel', 'price/bias'];
    const find = () => made.weights.map(({ name }, i) => [names.includes(name), weightsOf(made as never)[i]!] as const);
    const before = find();
    made.trainOnBatch(twoX, twoY);
    find().forEach(([frozen, after], i) => {
      if (frozen) expectSameBits(after, before[i]![1], 'frozen');
      else expect(after).not.toEqual(before[i]![1]);
    });
  });
});

describe('a function as loss', () => {
  test('of shape [], is what training minimizes, and is named by a file', () => {
    const made = model({ layers: { layer: dense({ units: 1 }) }, inputs: { shape: [2] } }, (x, { layer }) => layer(x));
    const [x, y] = [ndarray(values(8, 1), [4, 2]), ndarray(values(4, 2), [4, 1])];
    const fourth = (yTrue: Tensor, yPred: Tensor): Tensor => ops.mean(ops.square(ops.square(ops.sub(yTrue, yPred))));
    made.compile({ optimizer: sgd({ learningRate: rate }), loss: fourth });
    const expected = steppedBy(made.weights, () =>
      fourth(tensor(y.data, { shape: y.shape }), (made.layers[0] as Layer)(tensor(x.data, { shape: x.shape }))),
    );
    made.trainOnBatch(x, y);
    expectClose(weightsOf(made as never), expected);
    expect(() => decodeModel(encodeModel(made))).toThrow(
      "it names model 'model', loss 'fourth', which tapeloop does not have",
    );
  });
});
