import { describe, expect, test } from 'vitest';
import * as t from '../../../src/index.ts';

const { constraints } = t;
const W = [
  [0, 1, 3, 3],
  [0, 0, 0, -3],
  [0, 0, 0, 3],
];
const norms = (w: ArrayLike<number>, units: number): number[] =>
  Array.from({ length: units }, (_, unit) => Math.hypot(...Array.from(w).filter((_value, i) => i % units === unit)));
const applied = (constraint: t.Constraint, w: t.NestedNumbers = W): number[] =>
  Array.from(constraint.apply(t.tensor(w)).toArray());
const close = (got: readonly number[], wanted: readonly number[]): void => {
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6));
};

describe('a constraint', () => {
  const third = 2 / Math.sqrt(3);

  // The values of Keras's own test, keras/src/constraints/constraints_test.py.
  test('maxNorm(2) gives what Keras expects', () => {
    close(applied(constraints.maxNorm()), [0, 1, 2, third, 0, 0, 0, -third, 0, 0, 0, third]);
  });

  test('nonNeg clears negative values', () => {
    close(applied(constraints.nonNeg()), [0, 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 3]);
  });

  test('unitNorm divides each column by its norm, and leaves zeros', () => {
    close(norms(applied(constraints.unitNorm()), 4), [0, 1, 1, 1]);
  });

  test('minMaxNorm goes part of the way at a rate', () => {
    const constraint = constraints.minMaxNorm({ minValue: 2, maxValue: 4, rate: 0.5 });
    close(norms(applied(constraint), 4), [0, 1.5, 3, (4 + Math.sqrt(27)) / 2]);
  });

  test.each(Object.entries(constraints))('%s without its call, is refused', (name, make) => {
    expect(() => t.dense({ units: 2, kernelConstraint: make as never })).toThrow(
      new t.ArgumentError(`dense: kernelConstraint expected ${name}(), got ${name}`),
    );
  });

  test('takes the norm along any axis, or several', () => {
    const cube = [
      [
        [1, 2],
        [2, 4],
      ],
      [
        [2, 4],
        [4, 8],
      ],
    ];
    close(applied(constraints.unitNorm({ axis: 1 }), [[3, 4]]), [0.6, 0.8]);
    close(applied(constraints.unitNorm({ axis: [0, 1] }), cube), [0.2, 0.2, 0.4, 0.4, 0.4, 0.4, 0.8, 0.8]);
    close(
      applied(constraints.maxNorm({ axis: -1, maxValue: 5 }), [
        [3, 4],
        [6, 8],
      ]),
      [3, 4, 3, 4],
    );
  });
});

const X = [
  [
    [1, -2],
    [3, 1],
  ],
  [
    [-1, 2],
    [2, 2],
  ],
];

/** Trains a few steps with a large learning rate. */
function trained(layer: t.Layer, x: t.Data = X, optimizer = t.sgd({ learningRate: 1 })): t.Model {
  const model = t.sequential([layer]);
  const y = model.predict(x) as t.NdArray;
  model.compile({ optimizer, loss: 'mse' });
  for (let step = 0; step < 3; step++)
    model.trainOnBatch(
      x,
      t.ndarray(
        Float32Array.from(y.data, (value) => value - 5),
        y.shape,
      ),
    );
  return model;
}

describe('a layer applies its constraints after each update', () => {
  const recurrent = {
    units: 2,
    kernelConstraint: 'nonNeg',
    recurrentConstraint: { name: 'maxNorm', maxValue: 0.5 },
    biasConstraint: constraints.unitNorm({ axis: -1 }),
  } as const;
  test.each<[string, t.Layer, number]>([
    ['lstm', t.lstm(recurrent), 8],
    ['gru', t.gru({ ...recurrent, resetAfter: false }), 6],
    ['simpleRnn', t.simpleRnn(recurrent), 2],
    ['rnn(lstmCell)', t.rnn(t.lstmCell(recurrent)), 8],
    ['bidirectional(gru)', t.bidirectional(t.gru({ ...recurrent, resetAfter: false })), 6],
  ])('%s: kernel, recurrent kernel and bias', (_, layer, width) => {
    const { weights } = trained(layer);
    for (const { name, tensor } of weights) {
      const values = tensor.toArray();
      if (name.endsWith('bias')) expect(Math.hypot(...values)).toBeCloseTo(1, 5);
      else if (name.endsWith('recurrentKernel')) expect(Math.max(...norms(values, width))).toBeLessThan(0.500001);
      else expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    }
  });

  test('dense, conv1d, layerNormalization, embedding: each of its weights', () => {
    const both = { kernelConstraint: 'unitNorm', biasConstraint: 'nonNeg' } as const;
    const [kernel, bias] = trained(t.dense({ units: 3, ...both })).weights;
    close(norms(kernel!.toArray(), 3), [1, 1, 1]);
    expect(Math.min(...bias!.toArray())).toBe(0);
    const conv = trained(
      t.conv1d({ filters: 3, kernelSize: 2, ...both, kernelConstraint: constraints.unitNorm({ axis: [0, 1] }) }),
    );
    close(norms(conv.weights[0]!.toArray(), 3), [1, 1, 1]);
    const norm = trained(t.layerNormalization({ gammaConstraint: 'unitNorm', betaConstraint: 'nonNeg' })).weights;
    close(norms(norm[0]!.toArray(), 1), [1]);
    expect(Math.min(...norm[1]!.toArray())).toBe(0);
    const ids = t.embedding({ inputDim: 3, outputDim: 2, embeddingsConstraint: constraints.unitNorm({ axis: 1 }) });
    const [embeddings] = trained(ids, [[0, 1, 2]]).weights;
    for (let row = 0; row < 3; row++) {
      expect(Math.hypot(...embeddings!.toArray().subarray(2 * row, 2 * row + 2))).toBeCloseTo(1, 5);
    }
  });

  test('a custom cell declares it with the weight, a custom layer gives it to addWeight', () => {
    const cell: t.CellDefinition<'W'> = {
      units: 2,
      weights: (inputs) => ({ W: { shape: [inputs, 2], constraint: 'unitNorm' } }),
      call: (x, [h], { W }) => t.ops.add(h!, t.ops.linear(x, W)),
    };
    close(norms(trained(t.rnn(cell)).weights[0]!.toArray(), 2), [1, 1]);
    class Scaled extends t.Layer {
      readonly className = 'Scaled';
      #w: t.Parameter | undefined;
      outputShape(shape: t.BatchShape): t.BatchShape {
        return shape;
      }
      config(): t.LayerConfig {
        return this.baseConfig();
      }
      protected override makeWeights(): void {
        this.#w = this.addWeight('w', [2], 'ones', undefined, (w) => t.ops.clip(w, 0.5, 2));
      }
      protected override call(x: t.Tensor): t.Tensor {
        return t.ops.mul(x, this.#w!.tensor);
      }
    }
    const [w] = trained(new Scaled('scaled')).weights;
    for (const value of w!.toArray()) expect(value >= 0.5 && value <= 2).toBe(true);
  });
});

test('as in Keras, constraints are applied after moving averages, and after batches that only accumulate', () => {
  const layer = t.dense({ units: 1, useBias: false, kernelInitializer: 'ones', kernelConstraint: 'nonNeg' });
  layer.build([null, 1]);
  const optimizer = t.sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5 });
  for (const gradient of [3, 1]) optimizer.apply(layer.weights, [t.tensor([[gradient]])]);
  // p: 1 − 3 = −2, average −2, p 0; then 0 − 1 = −1, average −1.5, p 0.
  expect(layer.weights[0]!.toArray()[0]).toBe(0);
  optimizer.swapEma(layer.weights);
  expect(layer.weights[0]!.toArray()[0]).toBe(-1.5);
});

test('a constraint that fails undoes the update', () => {
  let isBroken = false;
  const own = (w: t.Tensor): t.Tensor => (isBroken ? t.ops.scale(w, Number.POSITIVE_INFINITY) : w);
  const model = t.sequential([t.dense({ units: 2, kernelConstraint: own, inputShape: [2] })]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const step = (): unknown => model.trainOnBatch([[1, 2]], [[1, 1]]);
  step();
  const all = (): number[] =>
    [...model.weights.map(({ tensor }) => tensor), ...model.optimizer.state(model.weights).values()].flatMap((each) =>
      Array.from(each.toArray()),
    );
  const before = all();
  isBroken = true;
  expect(step).toThrow("parameter 'dense/kernel': value 0 expected a finite number, got ");
  expect(all()).toEqual(before);
  expect(model.optimizer.steps).toBe(1);
});

describe('a saved model', () => {
  test('keeps constraints by name, with options and as objects', () => {
    const layers = (): t.Layer[] => [
      t.lstm({
        units: 2,
        inputShape: [null, 2],
        kernelConstraint: 'nonNeg',
        recurrentConstraint: { name: 'maxNorm', axis: 1 },
      }),
      t.dense({ units: 1, kernelConstraint: constraints.minMaxNorm({ maxValue: 2, rate: 0.5 }) }),
    ];
    const model = t.sequential(layers());
    model.compile({ optimizer: t.sgd({ learningRate: 1 }), loss: 'mse' });
    const loaded = t.decodeModel(t.encodeModel(model)).model as t.Model;
    expect(t.encodeModel(loaded)).toEqual(t.encodeModel(model));
    for (const each of [model, loaded]) each.trainOnBatch(X, [[9], [9]]);
    expect(loaded.weights.map((w) => w.toArray())).toEqual(model.weights.map((w) => w.toArray()));
  });

  test('has the name of a custom constraint', () => {
    const halved = (w: t.Tensor): t.Tensor => t.ops.scale(w, 0.5);
    const model = t.sequential([t.dense({ units: 1, kernelConstraint: halved, inputShape: [2] })]);
    model.compile({ optimizer: t.sgd({ learningRate: 0 }), loss: 'mse' });
    const bytes = t.encodeModel(model);
    expect(() => t.decodeModel(bytes)).toThrow("kernelConstraint 'halved'");
    const loaded = t.decodeModel(bytes, { customObjects: { halved } }).model as t.Model;
    const before = loaded.weights[0]!.toArray();
    loaded.trainOnBatch([[1, 2]], [[1]]);
    close(
      Array.from(loaded.weights[0]!.toArray()),
      Array.from(before, (value) => value / 2),
    );
    expect(t.encodeModel(loaded).length).toBe(bytes.length);
  });
});

test.each<[() => unknown, string]>([
  [
    () => t.dense({ units: 1, kernelConstraint: 'maxnorm' as never }),
    "dense: kernelConstraint expected one of maxNorm, minMaxNorm, nonNeg, unitNorm or a function, got 'maxnorm'; did you mean 'maxNorm'?",
  ],
  [
    () => t.lstm({ units: 1, recurrentConstraint: { name: 'maxNorm', max: 1 } as never }),
    "maxNorm: unknown option 'max'",
  ],
  [() => t.dense({ units: 1, biasConstraint: null as never }), 'dense: biasConstraint expected one of'],
  [() => constraints.maxNorm({ maxValue: -1 }), 'maxNorm: maxValue expected a number ≥ 0, got -1'],
  [() => constraints.minMaxNorm({ rate: 2 }), 'minMaxNorm: rate expected a number in [0, 1], got 2'],
  [
    () => constraints.unitNorm({ axis: [] }),
    'unitNorm: axis expected an integer or a list of integers, got a list of 0',
  ],
  [
    () => t.dense({ units: 1, biasConstraint: constraints.unitNorm({ axis: 1 }) }).build([null, 2]),
    'axis of [1] expected an integer from -1 to 0, got 1',
  ],
  [
    () => t.dense({ units: 1, kernelConstraint: (w) => t.ops.sum(w) }).build([null, 2]),
    "constraint of 'dense/kernel': output expected [2, 1], got []",
  ],
])('a constraint that does not fit is refused: %#', (call, message) => {
  expect(call).toThrow(message);
});
