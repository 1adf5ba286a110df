// Models as new users build them: a model that cannot work is refused before training, in one sentence.
import { afterEach, describe, expect, test } from 'vitest';
import { nearestName } from '../../src/checks/nearest-name.ts';
import { setHint } from '../../src/checks/options.ts';
import * as t from '../../src/index.ts';

const x = [
  [1, 2],
  [3, 4],
];
const refused = (body: () => unknown, message: string): void => expect(body).toThrow(new t.ArgumentError(message));
const bits = (model: t.Model): number[][] => model.getWeights().map(({ data }) => [...data]);

afterEach(() => setHint(nearestName));

describe('a loss behind the wrong activation of a model of one’s own', () => {
  type Head = Parameters<typeof t.dense>[0];
  const sparse = t.sparseCategoricalCrossentropy;
  const cases: [string, Head, t.CompileOptions['loss'], number[][], string][] = [
    [
      'linear and classes',
      { units: 3 },
      'sparseCategoricalCrossentropy',
      [[1], [0]],
      "sparseCategoricalCrossentropy: expected probabilities, got outputs behind activation 'linear'",
    ],
    [
      'linear and yes or no',
      { units: 1 },
      'bce',
      [[1], [0]],
      "binaryCrossentropy: expected probabilities, got outputs behind activation 'linear'",
    ],
    [
      'tanh and yes or no',
      { units: 1, activation: 'tanh' },
      'bce',
      [[1], [0]],
      "binaryCrossentropy: expected probabilities, got outputs behind activation 'tanh'",
    ],
    [
      'softmax over one',
      { units: 1, activation: 'softmax' },
      'bce',
      [[1], [0]],
      'binaryCrossentropy: expected outputs that can change, got softmax over 1 output',
    ],
    [
      'softmax and logits',
      { units: 3, activation: 'softmax' },
      sparse({ fromLogits: true }),
      [[1], [0]],
      "sparseCategoricalCrossentropy: expected logits, got probabilities behind activation 'softmax'",
    ],
  ];

  test.each(cases)('%s, is refused as sequential refuses it, and nothing is trained', (_, head, loss, y, message) => {
    const own = t.model({ layers: { h: t.dense(head) }, inputs: { shape: [2] } }, (q: t.Tensor, { h }) => h(q));
    const before = bits(own);
    for (const model of [own, t.sequential([t.dense({ ...head, inputShape: [2] })])]) {
      model.compile({ optimizer: 'sgd', loss });
      expect(() => model.trainOnBatch(x, y)).toThrow(t.ArgumentError);
      expect(() => model.trainOnBatch(x, y)).toThrow(message);
      expect(() => model.evaluate(x, y)).toThrow(message);
    }
    expect(bits(own)).toEqual(before);
  });

  test('of one of several outputs, and through dropout and models in models, is refused, too', () => {
    const layers = { a: t.dense({ units: 1 }), b: t.sequential([t.dense({ units: 1 }), t.dropout({ rate: 0.1 })]) };
    const two = t.model({ layers }, (q: t.Tensor, { a, b }) => ({ a: a(q), b: b(q) }));
    two.compile({ optimizer: 'sgd', loss: { a: 'mse', b: 'bce' } });
    const y = { a: [[1], [0]], b: [[1], [0]] };
    expect(() => two.trainOnBatch(x, y)).toThrow("got outputs behind activation 'linear'");
    const inner = t.model({ layers: { a: t.dense({ units: 1 }) } }, (q: t.Tensor, { a }) => a(q));
    const outer = t.sequential([inner]);
    outer.compile({ optimizer: 'sgd', loss: 'bce' });
    expect(() => outer.trainOnBatch(x, y.a)).toThrow("got outputs behind activation 'linear'");
  });

  test('is not seen where ops follow the layer, which may make what the loss reads', () => {
    const own = t.model({ layers: { a: t.dense({ units: 1 }) } }, (q: t.Tensor, { a }) => t.ops.sigmoid(a(q)));
    own.compile({ optimizer: 'sgd', loss: 'bce' });
    expect(own.trainOnBatch(x, [[1], [0]]).loss).toBeGreaterThan(0);
    const layers = { a: t.dense({ units: 1, activation: 'sigmoid' }), same: t.activation({ activation: 'linear' }) };
    const same = t.model({ layers }, (q: t.Tensor, { a, same }) => same(a(q)));
    same.compile({ optimizer: 'sgd', loss: 'bce' });
    expect(same.trainOnBatch(x, [[1], [0]]).loss).toBeGreaterThan(0);
  });
});

test('model.trainable = false, freezes a base that is part of another model, before and after it is built', () => {
  for (const inputShape of [[2], undefined]) {
    t.setSeed(1);
    const base = t.sequential([t.dense({ units: 2, inputShape })]);
    base.trainable = false;
    const model = t.sequential([base, t.dense({ units: 1 })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    model.predict(x);
    const before = bits(model);
    model.trainOnBatch(x, [[1], [0]]);
    const after = bits(model);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after.slice(2)).not.toEqual(before.slice(2));
    expect([base.trainable, model.trainable, base.countParams({ trainable: true })]).toEqual([false, true, 0]);
    base.trainable = true;
    expect(model.countParams({ trainable: false })).toBe(0);
  }
});

test('ids for a model that declares no inputs, are refused with what is to be declared', () => {
  const layers = { e: t.embedding({ inputDim: 4, outputDim: 2 }), g: t.gru({ units: 1 }) };
  const forward = (q: t.Tensor, { e, g }: typeof layers): t.Tensor => g(e(q)) as t.Tensor;
  refused(
    () => t.model({ layers }, forward).predict([[1, 2]]),
    "embed: ids expected i32, got f32; model() wants inputs: { dtype: 'i32' }",
  );
  expect(t.model({ layers, inputs: { dtype: 'i32' } }, forward).predict([[1, 2]]).shape).toEqual([1, 1]);
});

test('setWeights before there are weights, says so', () => {
  const model = t.sequential([t.dense({ units: 1 })]);
  const words = 'setWeights expected weights that are made; inputShape of the first layer makes them, or a call';
  refused(() => model.setWeights([[[1]], [0]]), `sequential: ${words}`);
  refused(() => model.layers[0]!.setWeights([[[1]], [0]]), `dense(units=1): ${words}`);
});

test.each<[string, () => unknown, string]>([
  [
    'inputShape with undefined',
    () => t.gru({ units: 1, inputShape: [undefined, 1] as never }),
    'gru: inputShape expected a list of lengths, got a list of 2; null where it varies',
  ],
  [
    'a regularizer that is a number',
    () => t.gru({ units: 1, recurrentRegularizer: 0.01 as never }),
    "gru: recurrentRegularizer expected 'l1', 'l2', 'l1l2' or { l1, l2 }, got 0.01",
  ],
])('%s, is refused with the option that is meant', (_, make, message) => {
  refused(make, message);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'an activation',
    () => t.dense({ units: 1, activation: 'hard_sigmoid' as 'relu' }),
    /^dense: activation expected one of linear, .*, got 'hard_sigmoid'; did you mean 'hardSigmoid'\?$/,
  ],
  [
    'an initializer',
    () => t.lstm({ units: 1, kernelInitializer: 'he_normal' as 'heNormal' }),
    /^lstm: kernelInitializer expected one of zeros, .*, got 'he_normal'; did you mean 'heNormal'\?$/,
  ],
])('%s in Keras’s spelling, is refused with the layer, the option and ours', (_, make, message) => {
  expect(make).toThrow(t.ArgumentError);
  expect(make).toThrow(message);
  setHint(() => '');
  expect(make).toThrow(/, got '\w+'$/);
});

describe('a model after dispose', () => {
  const disposed = (isBuilt: boolean): t.Model => {
    const model = t.sequential([t.gru({ units: 2, ...(isBuilt && { inputShape: [null, 1] }) })], { name: 'gone' });
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    model.dispose();
    return model;
  };
  const steps = [[[1], [2]]];
  const y = [[1, 2]];

  test.each([true, false])('that was built: %s, says so by name at every use', async (isBuilt) => {
    const model = disposed(isBuilt);
    const gone = new t.DeadTensorError('gone was disposed of');
    const uses: [string, () => unknown][] = [
      ['compile', () => model.compile({ optimizer: 'sgd', loss: 'mse' })],
      ['resetStates', () => model.resetStates()],
      ['summary', () => model.summary()],
      ['predict', () => model.predict(steps)],
      ['evaluate', () => model.evaluate(steps, y)],
      ['trainOnBatch', () => model.trainOnBatch(steps, y)],
    ];
    for (const [name, use] of uses) expect(use, name).toThrow(gone);
    await expect(model.fit(steps, y)).rejects.toThrow(gone);
    expect(model.layers[0]!.isBuilt).toBe(isBuilt);
    expect(() => model.dispose()).not.toThrow();
  });

  test('its weights say that they are gone, and give no advice for tensors of a step', () => {
    expect(() => t.encodeModel(disposed(true))).toThrow(/^tensor 'gru\/\w+' \[.*\] was disposed of$/);
  });
});

test('JSON.stringify of a model, names encodeModel', () => {
  const model = t.sequential([t.dense({ units: 1, inputShape: [1] })]);
  refused(() => JSON.stringify({ model }), 'sequential: a model is no JSON; encodeModel(model) saves it');
});

describe('what another copy of the package made', () => {
  test('sequences of unequal length, are taken', () => {
    const theirs = { ...t.ragged([[1, 2], [3]]) } as t.RaggedArray;
    const model = t.sequential([t.embedding({ inputDim: 4, outputDim: 2 }), t.gru({ units: 1 })] as t.Layer[]);
    expect(model.predict(theirs).shape).toEqual([2, 1]);
  });

  test('a model, is named as such', () => {
    refused(
      () => t.encodeModel({ network: {} } as t.Model),
      'encodeModel: model expected a model, got one of another copy of tapeloop',
    );
  });
});
