import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { dense } from '../../src/layers/dense.ts';
import { masking } from '../../src/layers/masking.ts';
import type { FitOptions } from '../../src/models/model.ts';
import { type CompileOptions, type Model, sequential } from '../../src/models/model.ts';
import { sgd } from '../../src/optimizers/index.ts';
import golden from '../golden/weighting.json' with { type: 'json' };

type Case = (typeof golden.cases)[number];

function modelOf({ masked, units, activation, kernel, bias, x, ...options }: Case): Model {
  const model = sequential([...(masked ? [masking()] : []), dense({ units, activation: activation as 'linear' })]);
  model.network.build([null, ...shapeOf(x).slice(1)]);
  model.weights[0]!.assign((kernel as number[][]).flat());
  model.weights[1]!.assign(bias);
  const { loss, metrics, weightedMetrics, lossWeights } = options;
  const compiled = { loss, metrics, weightedMetrics, lossWeights: lossWeights ?? undefined };
  model.compile({ optimizer: sgd({ learningRate: golden.rate }), ...compiled } as CompileOptions);
  return model;
}

const shapeOf = (x: unknown): number[] => (Array.isArray(x) ? [x.length, ...shapeOf(x[0])] : []);

describe('one epoch of Keras, weighted by', () => {
  test.each(golden.cases.map((each) => [each.name, each] as const))(
    '%s, has its loss, metrics and weights',
    async (_, each) => {
      const model = modelOf(each);
      const weighing = { sampleWeight: each.sampleWeight ?? undefined, classWeight: each.classWeight ?? undefined };
      const options = { ...weighing, batchSize: each.x.length } as FitOptions;
      const evaluated = model.evaluate(each.x as number[][], each.y as number[][], options as never);
      const { history } = await model.fit(each.x as number[][], each.y as number[][], { ...options, shuffle: false });
      expect(Object.keys(history).sort()).toEqual(Object.keys(each.logs).sort());
      for (const [name, value] of Object.entries(each.logs)) {
        expect(history[name]![0]).toBeCloseTo(value!, 5);
        expect(evaluated[name]).toBe(history[name]![0]);
      }
      each.after.forEach((values, i) =>
        (values as number[][])
          .flat()
          .forEach((value, j) => expect(model.weights[i]!.toArray()[j]).toBeCloseTo(value, 5)),
      );
    },
  );
});

describe('weights that do not fit', () => {
  const [rows, steps] = [golden.cases[0]!, golden.cases[1]!];

  test.each<[string, Case, object, string]>([
    ['too few', rows, { sampleWeight: [1, 2] }, 'x and sampleWeight expected as many samples, got [4, 2] and [2]'],
    [
      'of steps, where there are none',
      rows,
      { sampleWeight: [[1], [1], [1], [1]] },
      'sampleWeight expected [4], got [4, 1]',
    ],
    [
      'of too few steps',
      steps,
      { sampleWeight: [[1], [1], [1], [1]] },
      'sampleWeight expected [4] or [4, 3], got [4, 1]',
    ],
    [
      'that are no number',
      rows,
      { sampleWeight: [1, 2, Number.NaN, 1] },
      'sampleWeight expected finite numbers, got NaN in sample 2 (flat index 2)',
    ],
    [
      'of a class that is negative',
      rows,
      { classWeight: { 0: -1 } },
      "classWeight expected finite numbers ≥ 0 by class id, got -1 for '0'",
    ],
    [
      'of a class by name',
      rows,
      { classWeight: { cat: 1 } },
      "classWeight expected finite numbers ≥ 0 by class id, got 1 for 'cat'",
    ],
  ])('%s, are refused before the first step', async (_, each, weighing, message) => {
    const model = modelOf(each);
    const [x, y] = [each.x as number[][], each.y as number[][]];
    await expect(model.fit(x, y, weighing)).rejects.toThrow(new ArgumentError(message));
    expect(() => model.evaluate(x, y, weighing)).toThrow(new ArgumentError(message));
    expect(model.optimizer.steps).toBe(0);
  });

  test('of classes, are not for validation', async () => {
    const [x, y] = [
      [[0], [1], [2], [3]],
      [[0], [1], [1], [0]],
    ];
    const model = sequential([dense({ units: 1, activation: 'sigmoid', inputShape: [1] })]);
    model.compile({ optimizer: sgd({ learningRate: 0 }), loss: 'binaryCrossentropy' });
    const { history } = await model.fit(x, y, { classWeight: { 0: 5 }, validationData: [x, y] });
    expect(history.val_loss).toEqual([model.evaluate(x, y).loss]);
    expect(history.loss![0]).not.toBeCloseTo(history.val_loss![0]!, 2);
  });
});
