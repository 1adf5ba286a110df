// The arguments and results of metricOf and measure.
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import * as losses from '../../src/losses/index.ts';
import { metricOf } from '../../src/metrics/by-name.ts';
import * as makers from '../../src/metrics/index.ts';
import { type Metric, measure } from '../../src/metrics/metric.ts';
import * as ops from '../../src/ops/index.ts';

describe('metricOf', () => {
  test("Keras's short name, is what the history then has", () => {
    expect(metricOf('mae').name).toBe('mae');
    expect(metricOf('acc').config!()).toEqual({ metric: 'accuracy', name: 'acc' });
    expect(makers.auc({ name: 'area' }).name).toBe('area');
  });

  test.each<[unknown, string | RegExp]>([
    ['f1', /^metric expected one of .*, got 'f1'; did you mean 'f1Score'\?$/],
    ['mean_absolute_error', /got 'mean_absolute_error'; did you mean 'meanAbsoluteError'\?$/],
    [{ metric: 'area', name: 'x' }, /got 'area'$/],
    [{ metric: 'auc', name: 'auc', curve: 'XYZ' }, "auc: curve expected 'ROC', 'PR', got 'XYZ'"],
  ])('%j, throws', (given, message) => {
    expect(() => metricOf(given as 'auc')).toThrow(ArgumentError);
    expect(() => metricOf(given as 'auc')).toThrow(message);
  });

  test('perplexity beside a loss of something else, throws', () => {
    expect(() => metricOf('perplexity', losses.meanSquaredError())).toThrow(
      new ArgumentError('perplexity: expected a loss of one choice among classes, got meanSquaredError'),
    );
  });

  test('a function, is the mean of a number a row or a batch', () => {
    const y = tensor([[0], [0], [0]]);
    const p = tensor([[1], [2], [6]]);
    const perRow = metricOf((a: Tensor, b: Tensor) => ops.sum(ops.sub(b, a), { axis: -1 }));
    const perBatch = metricOf(function largest(_: Tensor, b: Tensor) {
      return Math.max(...b.toArray());
    });
    expect(perBatch.name).toBe('largest');
    expect(perBatch.config).toBeUndefined();
    const states = [perRow.start(), perBatch.start()];
    for (const state of states) state.update(y, p);
    expect(states.map((state) => state.result())).toEqual([3, 6]);
    for (const state of states) state.update(tensor([[0]]), tensor([[7]]), tensor([3]));
    expect(states.map((state) => state.result())).toEqual([(9 + 21) / 6, (18 + 21) / 6]);
    const wrong = metricOf((_: Tensor, b: Tensor) => ops.concatenate([b, b])).start();
    expect(() => wrong.update(y, p)).toThrow(
      new ArgumentError('metric: expected one number, or one for each of 3 rows, got 6'),
    );
  });

  test("an object of the caller's own, is taken as it is, methods of its class included", () => {
    class Count implements Metric {
      readonly name = 'count';
      start() {
        let count = 0;
        return { update: (y: Tensor) => void (count += y.size), result: () => count };
      }
    }
    const measured = measure([metricOf(new Count())]);
    measured.update(tensor([1, 2]), tensor([[1], [2]]));
    expect(measured.logs()).toEqual({ count: 2 });
  });
});

test('measure, gives every number a name of its own', () => {
  const measured = measure([
    makers.precision({ thresholds: [0.2, 0.5] }),
    makers.meanAbsoluteError({ name: 'error' }),
    makers.meanSquaredError({ name: 'error' }),
  ]);
  measured.update(tensor([[1], [0]]), tensor([[0.75], [0.25]]));
  expect(measured.logs()).toEqual({ precision_0: 0.5, precision_1: 1, error: 0.25, error_1: 0.0625 });
});

test.each<[string, () => Metric, string]>([
  ['binaryAccuracy', () => makers.binaryAccuracy({ threshold: 2 }), 'threshold expected a number in [0, 1], got 2'],
  ['topKCategoricalAccuracy', () => makers.topKCategoricalAccuracy({ k: 0 }), 'k expected an integer ≥ 1, got 0'],
  ['precision', () => makers.precision({ thresholds: [0.5, -1] }), 'thresholds expected a number in [0, 1], got -1'],
  ['recall', () => makers.recall({ classId: 1.5 }), 'classId expected an integer ≥ 0, got 1.5'],
  ['fBetaScore', () => makers.fBetaScore({ beta: 0 }), 'beta expected a number > 0, got 0'],
  [
    'f1Score',
    () => makers.f1Score({ average: 'mean' as 'macro' }),
    "average expected 'micro', 'macro', 'weighted', null, got 'mean'",
  ],
  ['auc', () => makers.auc({ numThresholds: 1 }), 'numThresholds expected an integer from 2 to 100,000, got 1'],
  ['r2Score', () => makers.r2Score({ numRegressors: -1 }), 'numRegressors expected an integer ≥ 0, got -1'],
])('%s with an option out of range, throws', (name, run, message) => {
  expect(run).toThrow(new ArgumentError(`${name}: ${message}`));
});

test('targets or weights of another shape, throw', () => {
  const p = tensor(new Float32Array(12), { shape: [3, 4] });
  const y = tensor(new Float32Array(12), { shape: [3, 4] });
  const state = makers.meanSquaredError().start();
  expect(() => state.update(tensor([1, 2, 3]), p)).toThrow('meanSquaredError: targets expected [3, 4], got [3]');
  expect(() => state.update(y, p, tensor([1, 2]))).toThrow('metric: weights expected [3], got [2]');
  expect(() =>
    makers
      .auc()
      .start()
      .update(tensor([1, 2, 3]), p),
  ).toThrow('auc: targets expected [3, 4], got [3]');
});
