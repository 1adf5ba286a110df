import { beforeEach, describe, expect, test } from 'vitest';
import { engine } from '../../src/engine/engine.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';

beforeEach(() => setSeed(11));

const x = [[1, 2, 3, 4]];
const y = [[1]];
const loss = 'meanSquaredError';
const made = (): Model => {
  const model = sequential([dense({ units: 1, inputShape: [4] })]);
  model.predict(x);
  return model;
};

describe('compile again', () => {
  test('after an optimizer of a name, frees its state at once', () => {
    const model = made();
    const used = engine().heap.usedBytes;
    model.compile({ optimizer: 'adam', loss });
    model.trainOnBatch(x, y);
    expect(engine().heap.usedBytes).toBeGreaterThan(used);
    model.compile({ optimizer: 'sgd', loss });
    expect(engine().heap.usedBytes).toBe(used);
  });

  test('with the optimizer that the model has, keeps its state', () => {
    const [model, like] = [made(), made()];
    like.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
    for (const each of [model, like]) {
      each.compile({ optimizer: 'adam', loss });
      each.trainOnBatch(x, y);
    }
    model.compile({ optimizer: model.optimizer, loss });
    model.compile({ optimizer: model.optimizer, loss });
    for (const each of [model, like]) each.trainOnBatch(x, y);
    expect(model.weights.map((weight) => weight.toArray())).toEqual(like.weights.map((weight) => weight.toArray()));
  });

  test('after an optimizer of the caller’s, leaves it as it is for when it is used again', () => {
    const [model, like] = [made(), made()];
    like.weights.forEach((weight, i) => weight.assign(model.weights[i]!.toArray()));
    const [first, second] = [adam({ learningRate: 0.1 }), adam({ learningRate: 0.1 })];
    model.compile({ optimizer: first, loss });
    like.compile({ optimizer: second, loss });
    for (const each of [model, like]) each.trainOnBatch(x, y);
    model.compile({ optimizer: 'sgd', loss });
    model.compile({ optimizer: first, loss });
    for (const each of [model, like]) each.trainOnBatch(x, y);
    expect(model.weights.map((weight) => weight.toArray())).toEqual(like.weights.map((weight) => weight.toArray()));
  });
});

test('two models of one optimizer, the first disposed of, leave the second its state', () => {
  const optimizer = adam();
  const [gone, stays] = [made(), made()];
  for (const model of [gone, stays]) {
    model.compile({ optimizer, loss });
    model.trainOnBatch(x, y);
  }
  const momentum = [...optimizer.state(stays.weights)].map(([, slot]) => slot.toArray());
  gone.dispose();
  expect([...optimizer.state(stays.weights)].map(([, slot]) => slot.toArray())).toEqual(momentum);
  expect(Math.max(...momentum[0]!)).not.toBe(0);
});

test.each([0, 1, 2, 3])(
  'a model that is saved with no memory for its optimizer’s tensor %i, holds no more than before',
  (at) => {
    const model = made();
    model.compile({ optimizer: 'adam', loss });
    const { heap } = engine();
    const used = heap.usedBytes;
    const { allocate } = heap;
    let left = at;
    heap.allocate = (bytes) => {
      if (left-- === 0) throw new OutOfMemoryError('none left');
      return allocate.call(heap, bytes);
    };
    try {
      expect(() => encodeModel(model)).toThrow('none left');
    } finally {
      heap.allocate = allocate;
    }
    model.compile({ optimizer: 'sgd', loss });
    expect(heap.usedBytes).toBe(used);
  },
);

describe('compile refuses', () => {
  test.each<[string, object, string]>([
    ['metrics that are a number', { metrics: 3 }, 'compile: metrics expected a list of metrics, got 3'],
    [
      'a list in a list of metrics',
      { metrics: [['mae']] },
      'compile: metrics expected a list of metrics, got a list of 1',
    ],
    [
      'weightedMetrics of null',
      { weightedMetrics: null },
      'compile: weightedMetrics expected a list of metrics, got null',
    ],
    ['the function that makes an optimizer', { optimizer: adam }, 'sgd, got a function'],
    ['an object that is no optimizer', { optimizer: { learningRate: 1 } }, 'sgd, got an object'],
  ])('%s, in a sentence that shows it', (_, options, message) => {
    expect(() => made().compile({ optimizer: 'sgd', loss, ...options } as never)).toThrow(message);
  });
});
