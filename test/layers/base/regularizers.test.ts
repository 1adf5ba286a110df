import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import type { Layer } from '../../../src/layers/base/layer.ts';
import type { RegularizerSpec } from '../../../src/layers/base/regularizers.ts';
import { conv1d } from '../../../src/layers/conv1d.ts';
import { dense } from '../../../src/layers/dense.ts';
import { embedding } from '../../../src/layers/embedding.ts';
import { layerNormalization } from '../../../src/layers/layer-normalization.ts';
import { gru } from '../../../src/layers/rnn/gru.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../../src/layers/rnn/simple-rnn.ts';
import { sequential } from '../../../src/models/model.ts';

const squares = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, v) => sum + v * v, 0);
const sizes = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, v) => sum + Math.abs(v), 0);
const X = [
  [1, 2],
  [3, -1],
  [0, 0.5],
];

/** How much more the loss of a model is than that of predictions which are right. */
function penalty(
  layers: Layer[],
  x: number[][] | number[][][],
): { loss: number; outputs: ArrayLike<number>; model: ReturnType<typeof sequential> } {
  const model = sequential(layers);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const y = model.predict(x);
  return { loss: model.evaluate(x, y).loss!, outputs: y.data, model };
}

describe('a penalty on weights', () => {
  test.each<[RegularizerSpec, (w: ArrayLike<number>) => number]>([
    ['l2', (w) => 0.01 * squares(w)],
    ['l1', (w) => 0.01 * sizes(w)],
    ['l1l2', (w) => 0.01 * (sizes(w) + squares(w))],
    [{ l1: 0.1, l2: 0.2 }, (w) => 0.1 * sizes(w) + 0.2 * squares(w)],
  ])('of %j, is added to the loss', (spec, expected) => {
    const { loss, model } = penalty([dense({ units: 3, kernelRegularizer: spec })], X);
    expect(loss).toBeCloseTo(expected(model.weights[0]!.toArray()), 5);
  });

  const recurrent = { kernelRegularizer: 'l2', recurrentRegularizer: { l2: 0.1 }, biasRegularizer: { l1: 1 } } as const;
  const start = { units: 2, biasInitializer: 'ones' } as const;
  test.each<[string, Layer, number[]]>([
    ['lstm', lstm({ ...start, ...recurrent }), [0.01, 0.1, 1]],
    ['gru', gru({ ...start, ...recurrent }), [0.01, 0.1, 1]],
    ['simpleRnn', simpleRnn({ ...start, ...recurrent }), [0.01, 0.1, 1]],
  ])('of %s, counts kernel, recurrent kernel and bias', (_, layer, [kernel, recurrentKernel, bias]) => {
    const { loss, model } = penalty([layer], [X]);
    const [w, u, b] = model.weights.map((weight) => weight.toArray());
    expect(loss).toBeCloseTo(kernel! * squares(w!) + recurrentKernel! * squares(u!) + bias! * sizes(b!), 4);
  });

  test('of other layers, counts each by its own name', () => {
    const conv = penalty([conv1d({ filters: 2, kernelSize: 2, kernelRegularizer: 'l1', biasRegularizer: 'l1' })], [X]);
    expect(conv.loss).toBeCloseTo(0.01 * sizes(conv.model.weights[0]!.toArray()), 5);
    const norm = penalty([layerNormalization({ gammaRegularizer: { l1: 1 }, betaRegularizer: 'l2' })], X);
    expect(norm.loss).toBeCloseTo(2, 5);
    const ids = penalty([embedding({ inputDim: 4, outputDim: 2, embeddingsRegularizer: { l2: 1 } })], [[1, 2]]);
    expect(ids.loss).toBeCloseTo(squares(ids.model.weights[0]!.toArray()), 5);
  });
});

describe('a penalty on outputs', () => {
  test('is the mean over the samples of a batch, as in Keras', () => {
    const { loss, outputs } = penalty([dense({ units: 3, activityRegularizer: { l1: 0.1, l2: 0.2 } })], X);
    expect(loss).toBeCloseTo((0.1 * sizes(outputs) + 0.2 * squares(outputs)) / X.length, 5);
  });

  test('of a layer that is called more than once, counts every call of the step and none of another', () => {
    const layer = dense({ units: 2, useBias: false, kernelInitializer: 'ones', activityRegularizer: { l2: 1 } });
    const model = sequential([layer, dense({ units: 1 })]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const y = model.predict([[1, 1]]);
    for (let i = 0; i < 3; i++) model.predict([[5, 5]]);
    expect(model.evaluate([[1, 1]], y).loss).toBeCloseTo(8, 5);
    expect(model.evaluate([[1, 1]], y).loss).toBeCloseTo(8, 5);
  });

  test('pulls outputs to zero', () => {
    const model = sequential([
      dense({ units: 1, kernelInitializer: 'ones', activityRegularizer: { l2: 1 }, inputShape: [1] }),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    for (let i = 0; i < 300; i++) model.trainOnBatch([[1]], [[1]]);
    // The least of (y − 1)² + y².
    expect(model.predict([[1]]).data[0]).toBeCloseTo(0.5, 3);
  });
});

test.each<[unknown, string]>([
  ['l3', ` expected 'l1', 'l2', 'l1l2' or { l1, l2 }, got 'l3'`],
  [{ l2: -1 }, ': l2 expected a number ≥ 0, below 3.4e38, got -1'],
])('a regularizer %j, is refused when the layer is made', (spec, message) => {
  for (const option of ['kernelRegularizer', 'biasRegularizer', 'activityRegularizer']) {
    expect(() => dense({ units: 1, [option]: spec as RegularizerSpec })).toThrow(
      new ArgumentError(`dense: ${option}${message}`),
    );
    expect(() => lstm({ units: 1, [option]: spec as RegularizerSpec })).toThrow(
      new ArgumentError(`lstm: ${option}${message}`),
    );
  }
});
