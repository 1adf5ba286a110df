import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { precision } from '../../src/metrics/index.ts';
import { Objective, type ObjectiveOptions } from '../../src/train/objective.ts';

const unweighed = { sampleWeight: undefined, classWeight: undefined };

describe('metrics of an objective', () => {
  test('leave padding out, and take no notice of sample weights', () => {
    const objective = new Objective({ loss: sparseCategoricalCrossentropy(), metrics: ['accuracy', 'perplexity'] });
    const watch = objective.metricTracker();
    // Right, wrong, padding; right, padding, padding.
    const yes = [0.5, 0.25, 0.25];
    const prediction = tensor([
      [yes, yes, yes],
      [yes, yes, yes],
    ]);
    prediction.mask = tensor([
      [1, 1, 0],
      [1, 0, 0],
    ]);
    const y = tensor(
      [
        [0, 1, 2],
        [0, 0, 0],
      ],
      { dtype: 'i32' },
    );
    const weighing = { ...unweighed, sampleWeight: tensor([1, 5]) };
    objective.compute(y, prediction, weighing, watch);
    expect(watch.logs().accuracy).toBeCloseTo(2 / 3, 12);
    // ln 2, ln 4 and ln 2.
    expect(watch.logs().perplexity).toBeCloseTo(2 ** (4 / 3), 6);
  });

  test('of several outputs, have names with the output before them', () => {
    const objective = new Objective({
      loss: { a: 'meanSquaredError', b: 'binaryCrossentropy' },
      metrics: { a: ['mae'], b: [precision({ thresholds: [0.2, 0.7] })] },
    });
    const watch = objective.metricTracker();
    const y = { a: tensor([[1], [2]]), b: tensor([[1], [0]]) };
    objective.compute(y, { a: tensor([[2], [4]]), b: tensor([[0.75], [0.5]]) }, unweighed, watch);
    expect(watch.logs()).toEqual({ a_mae: 1.5, b_precision_0: 0.5, b_precision_1: 1 });
  });

  test('a mask of fewer axes than the rows, holds for all rows of its step', () => {
    const objective = new Objective({ loss: 'meanSquaredError', metrics: ['mae'] });
    const watch = objective.metricTracker();
    const prediction = tensor([1, 2, 3, 4, 50, 60, 70, 80], { shape: [1, 2, 2, 2] });
    prediction.mask = tensor([[1, 0]]);
    objective.compute(tensor(new Float32Array(8), { shape: [1, 2, 2, 2] }), prediction, unweighed, watch);
    expect(watch.logs().mae).toBe(2.5);
  });
});

describe('weighted metrics of an objective', () => {
  test('of several outputs, count the weights of their own output, and have its name before theirs', () => {
    const objective = new Objective({
      loss: { a: 'meanSquaredError', b: 'meanSquaredError' },
      metrics: ['mae'],
      weightedMetrics: { a: ['mae', 'mae'], b: ['mse'] },
    });
    const watch = objective.metricTracker();
    const y = { a: tensor([[0], [0]]), b: tensor([[0], [0]]) };
    const sampleWeight = { a: tensor([3, 1]), b: tensor([0, 1]) };
    objective.compute(y, { a: tensor([[1], [5]]), b: tensor([[2], [4]]) }, { ...unweighed, sampleWeight }, watch);
    expect(watch.logs()).toEqual({
      a_mae: 3,
      a_weighted_mae: 2,
      a_weighted_mae_1: 2,
      b_mae: 3,
      b_mse: 16,
    });
  });

  test('over batches of different weight, are those of all rows together', () => {
    const objective = new Objective({ loss: 'meanSquaredError', weightedMetrics: ['mae'] });
    const watch = objective.metricTracker();
    for (const [value, weight] of [
      [1, 3],
      [5, 1],
    ] as const) {
      const weighing = { ...unweighed, sampleWeight: tensor([weight]) };
      objective.compute(tensor([[0]]), tensor([[value]]), weighing, watch);
    }
    expect(watch.logs().mae).toBe(2);
  });
});

describe('an objective', () => {
  const several = { a: 'meanSquaredError', b: 'meanSquaredError' } as const;

  test.each<[string, ObjectiveOptions, string]>([
    [
      'one weight for several losses',
      { loss: several, lossWeights: 2 },
      'compile: lossWeights expected one for each of a, b, got 2',
    ],
    [
      'two weights for one loss',
      { loss: 'mse', lossWeights: [1, 2] },
      "compile: lossWeights expected outputs that have a loss (0), got '1'",
    ],
    [
      'a weight by name for one loss',
      { loss: 'mse', lossWeights: { dense: 1 } },
      "compile: lossWeights expected outputs that have a loss (0), got 'dense'",
    ],
    [
      'a weight that is NaN',
      { loss: several, lossWeights: { b: Number.NaN } },
      "compile: lossWeights expected finite numbers, got NaN for 'b'",
    ],
    [
      'a weight that is a word',
      { loss: 'mse', lossWeights: ['1'] as never },
      "compile: lossWeights expected finite numbers, got '1' for '0'",
    ],
    [
      'weighted metrics for no output',
      { loss: several, weightedMetrics: { c: [] } },
      "compile: weightedMetrics expected outputs that have a loss (a, b), got 'c'",
    ],
  ])('of %s, is refused', (_, options, message) => {
    expect(() => new Objective(options)).toThrow(new ArgumentError(message));
  });

  test('of one named output, takes its weight as a number, too', () => {
    const { heads } = new Objective({ loss: { a: 'meanSquaredError' }, lossWeights: 0.5 });
    expect(heads.map(({ weight }) => weight)).toEqual([0.5]);
  });
});
