import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { sparseCategoricalCrossentropy } from '../../src/train/losses.ts';
import { precision } from '../../src/train/metrics/makers.ts';
import { Objective } from '../../src/train/objective.ts';

const unweighed = { sampleWeight: undefined, classWeight: undefined };

describe('metrics of an objective', () => {
  test('leave padding out, and take no notice of sample weights', () => {
    const objective = new Objective({ loss: sparseCategoricalCrossentropy(), metrics: ['accuracy', 'perplexity'] });
    const watch = objective.watch();
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
    const watch = objective.watch();
    const y = { a: tensor([[1], [2]]), b: tensor([[1], [0]]) };
    objective.compute(y, { a: tensor([[2], [4]]), b: tensor([[0.75], [0.5]]) }, unweighed, watch);
    expect(watch.logs()).toEqual({ a_mae: 1.5, b_precision_0: 0.5, b_precision_1: 1 });
  });

  test('a mask of fewer axes than the rows, holds for all rows of its step', () => {
    const objective = new Objective({ loss: 'meanSquaredError', metrics: ['mae'] });
    const watch = objective.watch();
    const prediction = tensor([1, 2, 3, 4, 50, 60, 70, 80], { shape: [1, 2, 2, 2] });
    prediction.mask = tensor([[1, 0]]);
    objective.compute(tensor(new Float32Array(8), { shape: [1, 2, 2, 2] }), prediction, unweighed, watch);
    expect(watch.logs().mae).toBe(2.5);
  });
});
