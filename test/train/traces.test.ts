// A call that fails leaves no trace.
import { beforeEach, describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { values } from '../kernels/reference/values.ts';

beforeEach(() => setSeed(4));

function stateful(): Model {
  const model = sequential([gru({ units: 4, stateful: true, inputShape: [null, 2] }), dense({ units: 1 })]);
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  return model;
}

const statesOf = (model: Model) => model.trainer.statefulLayers.map(({ carried }) => carried.values);
const x = (count: number, time = 3, width = 2) => ndarray(values(count * time * width, 3), [count, time, width]);
const y = (count: number, width = 1) => ndarray(values(count * width, 5), [count, width]);

describe('a model with carried states', () => {
  test.each(['float32', 'int8'] as const)(
    'predict of %s weights that fails on its last batch, leaves the states',
    (weights) => {
      const model = stateful();
      model.predict(x(4), { batchSize: 4, weights });
      const before = statesOf(model);
      expect(() => model.predict(x(10), { batchSize: 4, weights })).toThrow(/stateful, so every batch expected 4/);
      expect(statesOf(model)).toEqual(before);
    },
  );

  test('evaluate that fails on its last batch, leaves the states', () => {
    const model = stateful();
    expect(() => model.evaluate(x(6), y(6), { batchSize: 4 })).toThrow(/stateful, so every batch expected 4/);
    expect(statesOf(model)).toEqual([undefined]);
    expect(model.evaluate(x(6), y(6), { batchSize: 6 }).loss).toBeGreaterThan(0);
  });

  test('evaluate and predict of batches that fail on a later one, leave the states', async () => {
    const model = stateful();
    model.predict(x(4), { batchSize: 4 });
    const before = statesOf(model);
    const batches = () => [[x(4), y(4)] as const, [x(3), y(3)] as const];
    await expect(model.evaluate(batches)).rejects.toThrow(/stateful/);
    expect(statesOf(model)).toEqual(before);
    await expect(model.predict(batches)).rejects.toThrow(/stateful/);
    expect(statesOf(model)).toEqual(before);
  });

  test('a metric that throws after the update would have been made, leaves weights and states', () => {
    const model = stateful();
    let calls = 0;
    const metric = () => {
      if (++calls === 1) throw new RangeError('metric');
      return y(1) as never;
    };
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: [metric] });
    const before = model.weights.map((weight) => weight.toArray());
    expect(() => model.trainOnBatch(x(2), y(2))).toThrow('metric');
    expect(statesOf(model)).toEqual([undefined]);
    expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
    expect(model.optimizer.steps).toBe(0);
  });
});

describe('a model that is not built', () => {
  const unbuilt = (): Model => {
    const model = sequential([gru({ units: 4 }), dense({ units: 1 })]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    return model;
  };

  test.each<[string, (model: Model) => unknown]>([
    ['trainOnBatch with targets of another width', (model) => model.trainOnBatch(x(2, 3, 5), y(2, 3))],
    ['evaluate with targets of another width', (model) => model.evaluate(x(2, 3, 5), y(2, 3))],
    ['fit with targets of another width', (model) => model.fit(x(2, 3, 5), y(2, 3))],
    ['fit with bad validation data', (model) => model.fit(x(2, 3, 5), y(2), { validationData: [x(2, 3, 5), y(2, 3)] })],
    [
      'fit with validation data of another width',
      (model) => model.fit(x(2, 3, 5), y(2), { validationData: [x(2, 3, 4), y(2)] }),
    ],
    ['fit on batches of which the first is bad', (model) => model.fit(() => [[x(2, 3, 5), y(2, 3)] as const])],
  ])('is not built by %s, and takes another width then', async (_, call) => {
    const model = unbuilt();
    await expect((async () => call(model))()).rejects.toThrow(/expected/);
    expect(model.network.isBuilt).toBe(false);
    expect(model.weights).toEqual([]);
    const { loss } = model.trainOnBatch(x(2), y(2));
    setSeed(4);
    expect(unbuilt().trainOnBatch(x(2), y(2)).loss).toBe(loss);
  });
});
