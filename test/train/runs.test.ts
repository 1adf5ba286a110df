// Which calls a model permits while a call that returns a promise runs on it.
import { beforeEach, describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { Callback } from '../../src/models/model.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { values } from '../kernels/reference/values.ts';

beforeEach(() => setSeed(2));

const [x, y] = [ndarray(values(24, 1), [4, 3, 2]), ndarray(values(4, 2), [4, 1])];
const options = { optimizer: 'adam', loss: 'meanSquaredError' } as const;

function make(stateful = false): Model {
  const model = sequential([gru({ units: 3, stateful, inputShape: [null, 2] }), dense({ units: 1 })]);
  model.compile(options);
  return model;
}

const changing: [string, (model: Model) => unknown][] = [
  ['fit', (model) => model.fit(x, y)],
  ['compile', (model) => model.compile(options)],
  ['trainOnBatch', (model) => model.trainOnBatch(x, y)],
  ['restoreModel', (model) => restoreModel(model, encodeModel(model))],
  ['setWeights', (model) => model.setWeights(model.getWeights())],
  ['resetStates', (model) => model.resetStates()],
  ['dispose', (model) => model.dispose()],
];
const batches = () => [[x, y] as const, [x, y] as const];
const weightsOf = (model: Model): number[][] => model.weights.map((weight) => [...weight.toArray()]);

describe.each(changing)('%s', (name, call) => {
  test('while fit runs, is refused and disturbs nothing', async () => {
    const [model, alone] = [make(), make()];
    alone.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
    const run = model.fit(x, y, { epochs: 2, shuffle: false });
    await expect((async () => call(model))()).rejects.toThrow(
      `${name}: expected a model on which nothing runs, but fit() does; wait for it first`,
    );
    await run;
    await alone.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false });
    expect(weightsOf(model)).toEqual(weightsOf(alone));
    await call(model);
  });

  test.each(['evaluate', 'predict'] as const)('while %s runs on batches, is refused', async (other) => {
    const model = make();
    const run = other === 'evaluate' ? model.evaluate(batches) : model.predict(batches);
    await expect((async () => call(model))()).rejects.toThrow(`but ${other}() does`);
    await run;
    await call(model);
  });
});

describe('models that share a layer', () => {
  const share = (stateful = false): [Model, Model] => {
    const shared = gru({ units: 3, stateful, inputShape: [null, 2] });
    const models = ['first', 'second'].map((name) => sequential([shared, dense({ units: 1 })], { name }));
    for (const model of models) model.compile(options);
    return models as [Model, Model];
  };

  test.each(changing)('while fit of one runs, %s of the other is refused', async (name, call) => {
    const [first, second] = share();
    const run = first.fit(x, y);
    await expect((async () => call(second))()).rejects.toThrow(
      `${name}: expected a model on which nothing runs, but fit() does on 'first', which shares layers; wait for it first`,
    );
    await run;
    await call(second);
  });

  test('predict of one leaves the states that fit of the other carries', async () => {
    const [[first, second], [alone]] = [share(true), share(true)];
    alone.weights.forEach((weight, i) => weight.assign(first.weights[i]!.toArray()));
    const run = first.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false });
    const during = second.predict(x);
    await run;
    await alone.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false });
    expect(during.data.every(Number.isFinite)).toBe(true);
    expect(weightsOf(first)).toEqual(weightsOf(alone));
  });

  test('a callback may train the other on a batch', async () => {
    const [first, second] = share();
    const callback: Callback = { onBatchEnd: () => void second.trainOnBatch(x, y) };
    await first.fit(x, y, { epochs: 2, batchSize: 4, callbacks: [callback] });
    expect(second.optimizer.steps).toBe(2);
  });
});

describe('a callback of fit', () => {
  test('may predict, evaluate, save, restore, train on and reset the model', async () => {
    const model = make(true);
    let told = 0;
    const callback: Callback = {
      async onBatchEnd() {
        model.predict(x);
        model.evaluate(x, y);
        restoreModel(model, encodeModel(model));
        model.trainOnBatch(x, y);
        model.resetStates();
        told++;
      },
    };
    await model.fit(x, y, { epochs: 2, batchSize: 4, callbacks: [callback] });
    expect(told).toBe(2);
    expect(model.optimizer.steps).toBe(4);
  });

  test.each(['fit', 'compile', 'dispose'])('may not %s', async (name) => {
    const model = make();
    const call = changing.find(([each]) => each === name)![1];
    const callback: Callback = { onEpochEnd: async () => void (await call(model)) };
    await expect(model.fit(x, y, { callbacks: [callback] })).rejects.toThrow(
      `${name}: expected a model on which nothing runs`,
    );
    expect(model.trainer.runs.isIdle).toBe(true);
  });
});

describe('predict and evaluate while fit runs', () => {
  test('on a stateful model, start from zeros and leave the states that training carries', async () => {
    const [model, alone] = [make(true), make(true)];
    alone.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
    const seen: unknown[] = [];
    const watching: Callback = {
      onBatchEnd: () => {
        seen.push(model.predict(x).data, model.withFreshStates(() => model.predict(x)).data, model.evaluate(x, y).loss);
      },
    };
    const run = model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, callbacks: [watching] });
    model.predict(ndarray(values(6, 1), [1, 3, 2]));
    await run;
    await alone.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false });
    expect(seen).toHaveLength(6);
    expect(seen[0]).toEqual(seen[1]);
    expect(weightsOf(model)).toEqual(weightsOf(alone));
    expect(model.trainer.statefulLayers[0]!.carried.values).toEqual(alone.trainer.statefulLayers[0]!.carried.values);
  });

  test('on batches, are refused of a stateful model and run of another', async () => {
    const [stateful, plain] = [make(true), make()];
    const runs = [stateful, plain].map((each) => each.fit(x, y, { batchSize: 4 }));
    await expect(stateful.predict(batches)).rejects.toThrow(
      'predict on batches, of a stateful model: expected a model on which',
    );
    await expect(stateful.evaluate(batches)).rejects.toThrow('but fit() does');
    const [predicted, measured] = await Promise.all([plain.predict(batches), plain.evaluate(batches)]);
    expect([predicted.shape, typeof measured.loss]).toEqual([[8, 1], 'number']);
    await Promise.all(runs);
  });
});

test('a run that was refused or that failed, leaves the model free', async () => {
  const model = make();
  await expect(model.fit(x, ndarray(values(8, 1), [4, 2]))).rejects.toThrow('targets expected');
  await expect(
    model.fit(() => {
      throw new Error('no batches');
    }),
  ).rejects.toThrow('no batches');
  await expect(model.predict(() => [])).rejects.toThrow('expected one batch or more');
  expect(model.trainer.runs.isIdle).toBe(true);
  model.compile(options);
});
