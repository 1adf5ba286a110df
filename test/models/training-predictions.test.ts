import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';

const X = [
  [
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [1, 1],
    [1, 1],
    [1, 1],
  ],
];
const all = (y: unknown): number[] => Array.from((y as t.NdArray).data);

describe('predict with training: true', () => {
  test('draws new masks at each call, and for each sequence', async () => {
    const model = t.sequential([t.dense({ units: 16, inputShape: [3, 2] }), t.dropout({ rate: 0.5 })]);
    const [first, second] = [model.predict(X, { training: true }), model.predict(X, { training: true })].map(all);
    expect(first).not.toEqual(second);
    expect(first!.filter((value) => value === 0).length).toBeGreaterThan(10);
    expect(all(model.predict(X))).not.toContain(0);
    const batches = all(await model.predict(() => [{ x: X }], { training: true }));
    expect(batches).toContain(0);
  });

  test('holds the masks of a recurrent layer over a sequence', () => {
    // h = relu(x∘m·W): all steps see the same x and the same mask.
    const model = t.sequential([
      t.simpleRnn({ units: 8, dropout: 0.5, returnSequences: true, recurrentInitializer: 'zeros', inputShape: [3, 2] }),
    ]);
    const y = all(model.predict(X, { training: true }));
    expect(y.slice(8, 16)).toEqual(y.slice(0, 8));
    expect(y.slice(16, 24)).toEqual(y.slice(0, 8));
  });

  test('has the mean of the layer without dropout, for a linear layer', () => {
    const model = t.sequential([t.dropout({ rate: 0.5, inputShape: [2] }), t.dense({ units: 1 })]);
    const many = Array.from({ length: 20_000 }, () => [1, 2]);
    const mean =
      all(model.predict(many, { training: true, batchSize: 20_000 })).reduce((sum, y) => sum + y, 0) / 20_000;
    expect(mean).toBeCloseTo(all(model.predict([[1, 2]]))[0]!, 1);
  });

  test('is refused with int8 weights', () => {
    const model = t.sequential([t.gru({ units: 2, inputShape: [null, 2] })]);
    expect(() => model.predict(X, { training: true, weights: 'int8' })).toThrow(
      "predict: training expected weights 'float32', got 'int8'",
    );
    expect(() => model.predict(X, { training: 1 as never })).toThrow('predict: training expected true or false, got 1');
  });
});

describe.each<[string, (options: { units: number; weightDrop: number }) => t.Layer]>([
  ['lstm', t.lstm],
  ['gru', t.gru],
  ['simpleRnn', t.simpleRnn],
  ['lstm of ops', (options) => t.lstm({ ...options, activation: 'gelu' })],
  ['rnn of a cell', (options) => t.rnn(t.gruCell(options))],
  ['bidirectional', (options) => t.bidirectional(t.lstm(options) as never)],
])('weightDrop of %s', (_, make) => {
  test('drops recurrent weights while training, one mask for all sequences and steps', () => {
    t.setSeed(3);
    const layer = make({ units: 16, weightDrop: 0.5 });
    const x = t.tensor([X[0]!, X[0]!] as number[][][]);
    const plain = layer(x).toArray();
    const y = layer(x, { training: true }).toArray();
    const again = layer(x, { training: true }).toArray();
    expect(y).not.toEqual(plain);
    expect(y).not.toEqual(again);
    expect(y.slice(0, y.length / 2)).toEqual(y.slice(y.length / 2));
    expect(layer(x).toArray()).toEqual(plain);
  });

  test('gives the gradient of a dropped weight 0', () => {
    const layer = make({ units: 8, weightDrop: 0.5 });
    const x = t.tensor(X);
    layer(x);
    const recurrent = layer.weights.filter(({ name }) => /recurrentKernel/.test(name));
    const { grads } = t.valueAndGrad(() => t.ops.sum(t.ops.square(layer(x, { training: true }))), recurrent);
    for (const grad of grads) {
      const zeros = Array.from(grad.toArray()).filter((value) => value === 0).length / grad.size;
      expect(zeros).toBeGreaterThan(0.35);
      expect(zeros).toBeLessThan(0.65);
    }
  });

  test('is refused outside [0, 1)', () => {
    expect(() => make({ units: 1, weightDrop: 1 })).toThrow(/: weightDrop expected a number in \[0, 1\), got 1/);
  });
});

test('weightDrop is h·(U∘m)/(1 − p), with the mask of the gradient', () => {
  const layer = t.simpleRnn({ units: 3, weightDrop: 0.5, kernelInitializer: 'ones' });
  const x = t.tensor([[[0.5], [0.25]]]);
  layer(x);
  const [kernel, U] = layer.weights;
  const state = layer.random.state;
  const y = layer(x, { training: true }).toArray();
  layer.random.state = state;
  const dropped = t.ops.dropout(U!, 0.5, layer.random.nextKey());
  const h = t.ops.tanh(t.ops.matmul(t.tensor([[0.5]]), kernel!));
  const wanted = t.ops.tanh(t.ops.add(t.ops.matmul(t.tensor([[0.25]]), kernel!), t.ops.matmul(h, dropped)));
  wanted.toArray().forEach((value, i) => expect(y[i]).toBeCloseTo(value, 6));
});
