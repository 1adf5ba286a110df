import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';

const X = [
  [
    [1, 2],
    [3, 4],
    [0, -1],
  ],
  [
    [-1, 0],
    [2, 2],
    [1, 1],
  ],
];
const all = (y: unknown): number[] => Array.from((y as t.NdArray).data);

describe('model.upTo', () => {
  const stack = (): t.Model =>
    t.sequential([
      t.lstm({ units: 3, returnSequences: true, inputShape: [null, 2] }),
      t.sequential([t.dense({ units: 4, activation: 'tanh', name: 'inner' }), t.layerNormalization()]),
      t.bidirectional(t.gru({ units: 2 })),
      t.dense({ units: 1, name: 'end' }),
    ]);

  test('of a stack, ends at a layer by name or index, and shares its weights', async () => {
    const model = stack();
    const cut = model.upTo('lstm');
    expect(cut.layers).toEqual([model.layers[0]]);
    expect(cut.predict(X).shape).toEqual([2, 3, 3]);
    expect(all(model.upTo(0).predict(X))).toEqual(all(cut.predict(X)));
    expect(all(model.upTo(model.layers[0]!).predict(X))).toEqual(all(cut.predict(X)));
    expect(model.upTo(-2).predict(X).shape).toEqual([2, 4]);
    expect(all(model.upTo(-1).predict(X))).toEqual(all(model.predict(X)));
    const before = all(cut.predict(X));
    model.compile({ optimizer: 'adam', loss: 'mse' });
    await model.fit(X, [[1], [2]]);
    expect(all(cut.predict(X))).not.toEqual(before);
    const step = cut.stream().step([1, 2]);
    expect(Array.from(step)).toEqual(all(cut.predict([[[1, 2]]])));
  });

  test('reaches layers of an inner stack, and below a wrapper', () => {
    const model = stack();
    expect(model.upTo('inner').predict(X).shape).toEqual([2, 3, 4]);
    expect(model.upTo(1).predict(X).shape).toEqual([2, 3, 4]);
    const both = all(model.upTo('bidirectional').predict(X));
    const forward = all(model.upTo('bidirectional/forward_gru').predict(X));
    expect(forward).toEqual([...both.slice(0, 2), ...both.slice(4, 6)]);
  });

  test('of a custom model, gives the output of the first call, of a layer with several outputs too', () => {
    const layers = { encoder: t.lstm({ units: 3, returnState: true }), head: t.dense({ units: 1 }) };
    const model = t.model({ layers, inputs: { shape: [3, 2] } }, (x, { encoder, head }) => head(encoder(x)[1]!));
    const [y, h, c] = model.upTo('encoder').predict(X) as unknown as t.NdArray[];
    expect([y!.shape, h!.shape, c!.shape]).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ]);
    expect(all(y)).toEqual(all(h));
    const cut = model.upTo('encoder');
    expect(cut.weights.map(({ name }) => name)).toEqual(model.weights.map(({ name }) => name));
  });

  test('of a stateful model, carries the same states', () => {
    const model = t.sequential([t.gru({ units: 2, stateful: true, inputShape: [null, 2] }), t.dense({ units: 1 })]);
    const first = all(model.upTo('gru').predict(X));
    model.predict(X);
    expect(all(model.upTo(0).predict(X))).not.toEqual(first);
    model.resetStates();
    expect(all(model.upTo(0).predict(X))).toEqual(first);
  });

  test.each<[unknown, string]>([
    ['gru', "sequential: upTo expected a layer, 'lstm', 'sequential', 'bidirectional', 'end' or its index, got 'gru'"],
    [4, 'or its index, got 4'],
    [1.5, 'or its index, got 1.5'],
    [undefined, 'or its index, got undefined'],
    [t.dense({ units: 1 }), 'or its index, got a function'],
  ])('of %j, refuses it', (layer, message) => {
    expect(() => stack().upTo(layer as string)).toThrow(message);
  });

  test('of a layer that is not called, refuses when it runs', () => {
    const layers = { used: t.dense({ units: 1 }), unused: t.dense({ units: 1 }) };
    const model = t.model({ layers }, (x, { used }) => used(x));
    expect(() => model.upTo('unused').predict([[1]])).toThrow(
      "upTo('unused') expected a layer that is called, got none",
    );
  });
});
