// Metrics against the numbers that Keras's own tests expect of them (keras/src/metrics/*_test.py, Keras 3).
import { describe, expect, test } from 'vitest';
import { type DType, tensor } from '../../src/autograd/tensor.ts';
import type { NestedNumbers } from '../../src/checks/nested-numbers.ts';
import * as makers from '../../src/metrics/index.ts';
import type { Metric, MetricResult } from '../../src/metrics/metric.ts';

const resultOf = (
  metric: Metric,
  y: NestedNumbers,
  p: NestedNumbers,
  weights?: NestedNumbers,
  dtype: DType = 'f32',
): MetricResult => {
  const state = metric.start();
  state.update(tensor(y, { dtype }), tensor(p), weights === undefined ? undefined : tensor(weights));
  return state.result();
};

function expectClose(got: MetricResult, expected: MetricResult, digits: number): void {
  const list = [expected].flat();
  const values = [got].flat();
  expect(values).toHaveLength(list.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(list[i]!, digits);
}

const column = (values: number[]): number[][] => values.map((value) => [value]);

describe('accuracies', () => {
  const rows = [
    [0.1, 0.9, 0.8],
    [0.05, 0.95, 0],
  ];
  const oneHot = [
    [0, 0, 1],
    [0, 1, 0],
  ];

  test.each<[string, Metric, NestedNumbers, NestedNumbers, DType, number[], number, number]>([
    [
      'binaryAccuracy',
      makers.binaryAccuracy(),
      column([1, 1, 0, 0]),
      column([0.98, 1, 0, 0.6]),
      'f32',
      [1, 0, 0, 1],
      0.75,
      0.5,
    ],
    ['categoricalAccuracy', makers.categoricalAccuracy(), oneHot, rows, 'f32', [0.7, 0.3], 0.5, 0.3],
    ['sparseCategoricalAccuracy', makers.sparseCategoricalAccuracy(), [2, 1], rows, 'i32', [0.7, 0.3], 0.5, 0.3],
    ['topKCategoricalAccuracy', makers.topKCategoricalAccuracy({ k: 1 }), oneHot, rows, 'f32', [0.7, 0.3], 0.5, 0.3],
    [
      'sparseTopKCategoricalAccuracy',
      makers.sparseTopKCategoricalAccuracy({ k: 1 }),
      [2, 1],
      rows,
      'i32',
      [0.7, 0.3],
      0.5,
      0.3,
    ],
  ])('%s', (_, metric, y, p, dtype, weights, plain, weighted) => {
    expect(resultOf(metric, y, p, undefined, dtype)).toBeCloseTo(plain, 6);
    expect(resultOf(metric, y, p, weights, dtype)).toBeCloseTo(weighted, 6);
  });

  test('binaryAccuracy, a threshold of its own', () => {
    const [y, p] = [column([1, 1, 0, 0]), column([0.98, 0.5, 0.1, 0.2])];
    expect(resultOf(makers.binaryAccuracy({ threshold: 0.3 }), y, p)).toBe(1);
    expect(resultOf(makers.binaryAccuracy({ threshold: 0.9 }), y, p)).toBe(0.75);
  });
});

describe('precision and recall', () => {
  test.each<[string, Metric, number[], number[], MetricResult]>([
    ['precision', makers.precision(), [0, 1, 1, 0], [1, 0, 1, 0], 0.5],
    ['precision of nothing', makers.precision(), [0, 0, 0, 0], [0, 0, 0, 0], 0],
    [
      'precision at two thresholds',
      makers.precision({ thresholds: [0.5, 0.7] }),
      [0, 1, 1, 0],
      [1, 0, 0.6, 0],
      [0.5, 0],
    ],
    ['precision of the 3 greatest', makers.precision({ topK: 3 }), [0, 1, 1, 0, 0], [0.2, 0.1, 0.5, 0, 0.2], 1 / 3],
    [
      'precision of the 2 greatest above 0.7',
      makers.precision({ topK: 2, thresholds: 0.7 }),
      [0, 1, 1, 0, 1],
      [0.2, 0.8, 0.6, 0, 0.2],
      1,
    ],
    ['recall', makers.recall(), [0, 1, 1, 0], [1, 0, 1, 0], 0.5],
    ['recall of nothing', makers.recall(), [0, 0, 0, 0], [0, 0, 0, 0], 0],
  ])('%s', (_, metric, y, p, expected) => {
    expectClose(resultOf(metric, [y], [p]), expected, 6);
  });

  test('precision of one class', () => {
    const y = [
      [0, 0, 1],
      [1, 0, 0],
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ];
    const p = [
      [0.1, 0.2, 0.7],
      [0.5, 0.3, 0.2],
      [0.2, 0.6, 0.2],
      [0.7, 0.2, 0.1],
      [0.1, 0.1, 0.8],
    ];
    expect(resultOf(makers.precision({ classId: 1 }), y, p)).toBe(1);
  });
});

describe('fBetaScore', () => {
  const several = {
    p: [
      [0.7, 0.7, 0.7],
      [1, 0, 0],
      [0.9, 0.8, 0],
    ],
    y: [
      [0, 0, 1],
      [1, 1, 0],
      [1, 1, 1],
    ],
  };
  const single = {
    y: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
    ],
    p: [
      [0.9, 0.1, 0],
      [0.2, 0.6, 0.2],
      [0, 0, 1],
      [0.4, 0.3, 0.3],
      [0, 0.9, 0.1],
      [0, 0, 1],
    ],
  };
  const halved = [0.5, 1, 1, 1, 0.5, 1];

  test.each<['micro' | 'macro' | 'weighted' | null, number, MetricResult]>([
    [null, 0.5, [0.71428573, 0.5, 0.833334]],
    [null, 1, [0.8, 0.5, 0.6666667]],
    [null, 2, [0.9090904, 0.5, 0.555556]],
    ['micro', 2, 0.6666667],
    ['macro', 0.5, 0.6825397],
    ['macro', 1, 0.6555555],
    ['macro', 2, 0.6548822],
    ['weighted', 0.5, 0.6825397],
    ['weighted', 2, 0.6548822],
  ])('several labels above 0.66, average %s, beta %d', (average, beta, expected) => {
    expectClose(resultOf(makers.fBetaScore({ average, beta, threshold: 0.66 }), several.y, several.p), expected, 5);
  });

  test.each<['micro' | 'macro' | 'weighted' | null, number, number[], MetricResult]>([
    [null, 0.5, [1, 1, 1, 1, 1, 1], [0.909091, 0.555556, 1]],
    [null, 1, [1, 0, 1, 1, 0, 1], [1, 0, 1]],
    [null, 0.5, halved, [0.9375, 0.714286, 1]],
    [null, 1, halved, [0.857143, 0.8, 1]],
    [null, 2, halved, [0.789474, 0.909091, 1]],
    ['micro', 0.5, halved, 0.9],
    ['macro', 0.5, halved, 0.883929],
    ['macro', 2, [1, 0, 1, 1, 0, 1], 0.666667],
    ['weighted', 0.5, halved, 0.917857],
    ['weighted', 1, halved, 0.902857],
    ['weighted', 2, halved, 0.897608],
  ])('the greatest of each row, average %s, beta %d, weights %j', (average, beta, weights, expected) => {
    expectClose(resultOf(makers.fBetaScore({ average, beta }), single.y, single.p, weights), expected, 5);
  });

  test('f1Score is that of beta 1, and no row of zeros is a yes', () => {
    expectClose(resultOf(makers.f1Score(), single.y, single.p), [0.8, 0.6666667, 1], 6);
    expectClose(resultOf(makers.f1Score(), [[1, 1]], [[0, 0]]), [0, 0], 6);
  });
});

describe('regression', () => {
  test('rootMeanSquaredError', () => {
    expect(resultOf(makers.rootMeanSquaredError(), [[2, 4, 6]], [[1, 3, 2]])).toBeCloseTo(Math.sqrt(6), 6);
    const [y, p] = [column([2, 4, 6, 8]), column([1, 3, 2, 3])];
    expect(resultOf(makers.rootMeanSquaredError(), y, p, [0, 1, 0, 1])).toBeCloseTo(Math.sqrt(13), 6);
  });

  test('logCosh and cosineSimilarity', () => {
    const [y, p] = [
      [
        [0, 1],
        [0, 0],
      ],
      [
        [1, 1],
        [0, 0],
      ],
    ];
    expect(resultOf(makers.logCosh(), y, p)).toBeCloseTo(0.10844523, 6);
    expect(resultOf(makers.logCosh(), y, p, [1, 0])).toBeCloseTo(0.21689045, 6);
    const similar = resultOf(
      makers.cosineSimilarity(),
      [
        [0, 1],
        [1, 1],
      ],
      [
        [1, 0],
        [1, 1],
      ],
    );
    expect(similar).toBeCloseTo(0.5, 6);
  });

  const y = [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ];
  const p = [
    [0.4, 0.5, 0.6],
    [0.1, 0.2, 0.3],
    [0.5, 0.8, 0.2],
  ];
  const far = [
    [0.4, 0.9, 1.6],
    [0.1, 1.2, 0.6],
    [1.5, 0.8, 0.6],
  ];
  const weights = [0.8, 0.1, 0.4];

  test.each<[makers.R2Options['classAggregation'] & {}, number, number[][], number[] | undefined, MetricResult]>([
    [null, 0, p, undefined, [0.37, -1.295, 0.565]],
    ['uniformAverage', 0, p, undefined, -0.12],
    ['varianceWeightedAverage', 0, p, undefined, -0.12],
    [null, 0, far, weights, [0.17305559, -8.836666, -0.521]],
    [null, 1, far, weights, [0.054920673, -10.241904, -0.7382858]],
    [null, 2, far, weights, [-0.10259259, -12.115555, -1.0280001]],
    ['uniformAverage', 1, far, weights, -3.641756534576416],
    ['varianceWeightedAverage', 0, far, weights, -1.3710224628448486],
    ['varianceWeightedAverage', 2, far, weights, -2.161363363265991],
  ] as never)(
    'r2Score %s of %d regressors, of %j weighted %j, is %j',
    (classAggregation, numRegressors, given, w, expected) => {
      expectClose(resultOf(makers.r2Score({ classAggregation, numRegressors }), y, given, w), expected, 4);
    },
  );
});
