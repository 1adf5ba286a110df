// Common first mistakes in a training loop with `apply`.
import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';

const parameter = (value: number): t.Parameter => new t.Parameter('p', [1], [value]);
const one = (value = 1): t.Tensor => t.tensor([value]);

describe('apply', () => {
  test.each([
    ['sgd', t.sgd],
    ['adam', t.adam],
  ] as const)('of %s leaves frozen parameters, and the norm is of the others', (_, make) => {
    const [optimizer, alone] = [make({ learningRate: 0.1 }), make({ learningRate: 0.1 })];
    const [p, frozen, q] = [parameter(1), parameter(1), parameter(1)];
    frozen.trainable = false;
    expect(optimizer.apply([frozen, p], [one(Number.NaN), one(2)])).toBe(2);
    alone.apply([q], [one(2)]);
    expect([...frozen.toArray(), frozen.version]).toEqual([1, 0]);
    expect(p.toArray()).toEqual(q.toArray());
  });

  test('counts a step for each call, which parts trained in turn share', () => {
    const shared = t.adam({ learningRate: 0.1 });
    const [p, q, r] = [parameter(1), parameter(1), parameter(1)];
    for (let step = 0; step < 2; step++) {
      shared.apply([p], [one()]);
      shared.apply([q], [one()]);
    }
    expect(shared.iterations).toBe(4);
    const own = t.adam({ learningRate: 0.1 });
    for (let step = 0; step < 2; step++) own.apply([r], [one()]);
    expect(r.toArray()[0]).toBeCloseTo(0.8, 5);
    expect(p.toArray()[0]).not.toBeCloseTo(0.8, 2);
  });

  const p = parameter(1);
  test.each([
    ['a tensor', [one()], [one()], 'sgd: expected parameters, got an object'],
    ['one parameter without a list', p, [one()], 'sgd: parameters expected a list, got an object'],
    ['a parameter without gradients', [p], undefined, 'sgd: gradients expected a list, got undefined'],
    [
      'a parameter and the gradients of a layer that was not built',
      [p],
      [],
      'sgd: expected distinct parameters and a gradient for each, got 1 and 0; a layer has weights once it is built',
    ],
    [
      'nothing',
      [],
      [],
      'sgd: expected distinct parameters and a gradient for each, got 0 and 0; a layer has weights once it is built',
    ],
  ])('of %s throws and changes nothing', (_, parameters, gradients, message) => {
    expect(() => t.sgd().apply(parameters as never, gradients as never)).toThrow(new t.ArgumentError(message));
    expect([...p.toArray()]).toEqual([1]);
  });

  test('of a learning rate in quotes is told that a number is expected', () => {
    expect(() => t.sgd({ learningRate: '0.01' as never })).toThrow(
      "optimizer: learningRate expected a number ≥ 0, got '0.01'",
    );
  });
});

test('a model without trainable weights is measured by fit', async () => {
  const model = t.sequential([t.dense({ units: 1, inputShape: [1] })]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  model.network.trainable = false;
  const before = model.getWeights();
  const { history } = await model.fit([[1], [2]], [[1], [2]]);
  expect(history.loss).toHaveLength(1);
  expect(model.getWeights()).toEqual(before);
});
