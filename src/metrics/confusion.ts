import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Defined, type Names } from '../checks/options.ts';
import type { Loss } from '../losses/loss.ts';
import {
  asProbabilities,
  type Comparison,
  compareRows,
  type Metric,
  type MetricOptions,
  type MetricState,
  makeMetric,
  ratio,
} from './metric.ts';

/** Weights of true positives, false positives and false negatives, one entry for each threshold or class. */
interface Counts {
  truePositives: Float64Array;
  falsePositives: Float64Array;
  falseNegatives: Float64Array;
}

const countsOf = (length: number): Counts => ({
  truePositives: new Float64Array(length),
  falsePositives: new Float64Array(length),
  falseNegatives: new Float64Array(length),
});

function count(
  { truePositives, falsePositives, falseNegatives }: Counts,
  at: number,
  truth: number,
  hit: boolean,
  weight: number,
): void {
  // A target of an F-score may lie between 0 and 1. Precision and recall have made it 0 or 1 before.
  if (hit) {
    truePositives[at]! += weight * truth;
    falsePositives[at]! += weight * (1 - truth);
  } else falseNegatives[at]! += weight * truth;
}

export interface PrecisionOptions extends MetricOptions {
  /**
   * Probability above which a prediction is a yes, or several, which give one number each. Default 0.5, or none with
   * `topK`.
   */
  thresholds?: number | readonly number[] | undefined;
  /** Only the k greatest predictions of a row can be a yes. Default: all. */
  topK?: number | undefined;
  /** Only this class counts. Default: all classes. */
  classId?: number | undefined;
}

function thresholded(maker: string, given: PrecisionOptions, result: (counts: Counts, at: number) => number): Metric {
  const names = { name: 1, thresholds: 1, topK: 1, classId: 1 };
  const { thresholds, topK, classId, ...options } = checkOptions(maker, given, names);
  const limits = thresholds === undefined ? [topK === undefined ? 0.5 : -Infinity] : [thresholds].flat();
  if (thresholds !== undefined) {
    for (const each of limits) expectNumber(`${maker}: thresholds`, each, 'in [0, 1]');
  }
  if (topK !== undefined) expectNumber(`${maker}: topK`, topK, 'an integer ≥ 1');
  if (classId !== undefined) expectNumber(`${maker}: classId`, classId, 'an integer ≥ 0');
  const list = typeof thresholds === 'object' ? [...thresholds] : thresholds;
  return makeMetric(maker, { ...options, thresholds: list, topK, classId }, (loss) => {
    const counts = countsOf(limits.length);
    return {
      update(yTrue, yPred, weights) {
        const all = compareRows(maker, yTrue, asProbabilities(yPred, undefined, loss), weights);
        if (classId !== undefined && classId >= all.columns) {
          throw new ArgumentError(`${maker}: classId expected in [0, ${all.columns}), got ${classId}`);
        }
        for (let row = 0; row < all.rows; row++) {
          const chosen = topK === undefined ? undefined : greatest(all, row, topK);
          const weight = all.weights ? all.weights[row]! : 1;
          const [from, to] = classId === undefined ? [0, all.columns] : [classId, classId + 1];
          for (let column = from; column < to; column++) {
            const truth = Number(all.truth(row, column) !== 0);
            const p = chosen && !chosen.has(column) ? -Infinity : all.predictions[row * all.columns + column]!;
            limits.forEach((limit, at) => count(counts, at, truth, p > Math.fround(limit), weight));
          }
        }
      },
      result() {
        const results = limits.map((_, at) => result(counts, at));
        return typeof thresholds === 'object' ? results : results[0]!;
      },
    };
  });
}

/** The columns of the k greatest predictions of a row; of equal ones the first. */
function greatest({ predictions, columns }: Comparison, row: number, k: number): Set<number> {
  const own = predictions.subarray(row * columns, (row + 1) * columns);
  const order = Array.from(own.keys()).sort((a, b) => own[b]! - own[a]! || a - b);
  return new Set(order.slice(0, k));
}

/**
 * Share of predicted yeses that are right: TP / (TP + FP), over all elements; 0 if nothing was predicted as yes.
 *
 * @param options.thresholds one probability or several, in [0, 1]; default 0.5, or none with `topK`.
 * @param options.topK how many of the greatest predictions of a row can be a yes; default all.
 * @param options.classId the only class that counts; default all.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`: one number, or one for each threshold of a list. Targets are `[B, …, C]` f32, 0
 *   or else a yes, or class ids `[B, …]` i32; predictions are `[B, …, C]` f32. If the loss reads logits, thresholds
 *   apply to their probabilities.
 * @throws ArgumentError if a threshold is outside [0, 1], `topK` is not an integer ≥ 1, `classId` is not an integer ≥
 *   0, or an option is unknown; when a batch is measured, if targets do not have the stated shape or `classId` is not
 *   below C.
 * @see keras.metrics.Precision
 */
export const precision = (options: PrecisionOptions = {}): Metric =>
  thresholded('precision', options, ({ truePositives: hit, falsePositives: wrong }, at) =>
    ratio(hit[at]!, hit[at]! + wrong[at]!),
  );

/**
 * Share of true yeses that were predicted: TP / (TP + FN), over all elements; 0 if no target is a yes.
 *
 * @param options.thresholds one probability or several, in [0, 1]; default 0.5, or none with `topK`.
 * @param options.topK how many of the greatest predictions of a row can be a yes; default all.
 * @param options.classId the only class that counts; default all.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`: one number, or one for each threshold of a list. Targets are `[B, …, C]` f32, 0
 *   or else a yes, or class ids `[B, …]` i32; predictions are `[B, …, C]` f32. If the loss reads logits, thresholds
 *   apply to their probabilities.
 * @throws ArgumentError if a threshold is outside [0, 1], `topK` is not an integer ≥ 1, `classId` is not an integer ≥
 *   0, or an option is unknown; when a batch is measured, if targets do not have the stated shape or `classId` is not
 *   below C.
 * @see keras.metrics.Recall
 */
export const recall = (options: PrecisionOptions = {}): Metric =>
  thresholded('recall', options, ({ truePositives: hit, falseNegatives: missed }, at) =>
    ratio(hit[at]!, hit[at]! + missed[at]!),
  );

export interface F1Options extends MetricOptions {
  /**
   * `micro` counts all classes together; `macro` is the mean over classes; `weighted` is the mean over classes weighted
   * by the sum of their targets; null gives a number for each class. Default null.
   */
  average?: 'micro' | 'macro' | 'weighted' | null | undefined;
  /** Probability above which a prediction is a yes, in (0, 1]. Default null: the greatest prediction of each row is. */
  threshold?: number | null | undefined;
}

export interface FBetaOptions extends F1Options {
  /** β, how many times as much recall counts as precision. Default 1. */
  beta?: number | undefined;
}

// Added to every denominator, as in Keras, so that 0 / 0 is 0.
const EPSILON = 1e-7;

const f1Names: Names<F1Options> = { name: 1, average: 1, threshold: 1 };

function fScore(maker: string, given: FBetaOptions): Metric {
  const { average = null, threshold = null, beta = 1, ...options } = given;
  expectChoice(maker, 'average', average, ['micro', 'macro', 'weighted', null]);
  expectNumber(`${maker}: beta`, beta, '> 0');
  if (threshold !== null) {
    expectNumber(`${maker}: threshold`, threshold, 'in (0, 1]');
  }
  const config = maker === 'f1Score' ? { average, threshold } : { average, threshold, beta };
  return makeMetric(maker, { ...options, ...config }, (loss) => fScoreState(maker, { average, threshold, beta }, loss));
}

function fScoreState(
  maker: string,
  { average, threshold, beta }: Defined<Omit<FBetaOptions, 'name'>>,
  loss: Loss | undefined,
): MetricState {
  let counts: Counts | undefined;
  const score = (hit: number, wrong: number, missed: number): number => {
    const p = hit / (hit + wrong + EPSILON);
    const r = hit / (hit + missed + EPSILON);
    return ((1 + beta * beta) * p * r) / (beta * beta * p + r + EPSILON);
  };
  const sumOf = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0);
  return {
    update(yTrue: Tensor, yPred: Tensor, weights?: Tensor) {
      const all = compareRows(maker, yTrue, asProbabilities(yPred, undefined, loss), weights);
      const { rows, columns, predictions } = all;
      counts ??= countsOf(columns);
      for (let row = 0; row < rows; row++) {
        const own = predictions.subarray(row * columns, (row + 1) * columns);
        const most = threshold === null ? own.reduce((a, b) => Math.max(a, b), -Infinity) : 0;
        const weight = all.weights ? all.weights[row]! : 1;
        if (weight === 0) continue;
        own.forEach((p, column) => {
          // Several equally great predictions all count as yes; in a row of zeros none does.
          const hit = threshold === null ? p >= most && Math.abs(p) > 1e-9 : p > Math.fround(threshold);
          count(counts!, column, all.truth(row, column), hit, weight);
        });
      }
    },
    result() {
      if (!counts) return 0;
      const { truePositives, falsePositives, falseNegatives } = counts;
      if (average === 'micro') return score(sumOf(truePositives), sumOf(falsePositives), sumOf(falseNegatives));
      const scores = truePositives.map((hit, i) => score(hit, falsePositives[i]!, falseNegatives[i]!));
      if (average === null) return [...scores];
      if (average === 'macro') return sumOf(scores) / scores.length;
      const support = truePositives.map((hit, i) => hit + falseNegatives[i]!);
      return sumOf(scores.map((each, i) => each * support[i]!)) / (sumOf(support) + EPSILON);
    },
  };
}

/**
 * Weighted harmonic mean of precision P and recall R of each class: F_β = (1 + β²)·P·R / (β²·P + R)
 *
 * @param options.average `micro`, `macro`, `weighted` or null; default null.
 * @param options.threshold a probability in (0, 1], or null for the greatest of each row; default null.
 * @param options.beta β > 0; default 1.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`: one number, or C with `average: null`. Targets are `[B, …, C]` f32 of 0 and 1, or
 *   class ids `[B, …]` i32; predictions are `[B, …, C]` f32. All axes before the last are samples.
 * @throws ArgumentError if `average` is not one of its values, `beta` is not > 0, `threshold` is outside (0, 1], or an
 *   option is unknown; when a batch is measured, if targets do not have the stated shape.
 * @see keras.metrics.FBetaScore
 */
export const fBetaScore = (options: FBetaOptions = {}): Metric =>
  fScore('fBetaScore', checkOptions('fBetaScore', options, { ...f1Names, beta: 1 }));

/**
 * Harmonic mean of precision P and recall R of each class: F₁ = 2·P·R / (P + R)
 *
 * @param options.average `micro`, `macro`, `weighted` or null; default null.
 * @param options.threshold a probability in (0, 1], or null for the greatest of each row; default null.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`: one number, or C with `average: null`. Targets are `[B, …, C]` f32 of 0 and 1, or
 *   class ids `[B, …]` i32; predictions are `[B, …, C]` f32. All axes before the last are samples.
 * @throws ArgumentError if `average` is not one of its values, `threshold` is outside (0, 1], or an option is unknown;
 *   when a batch is measured, if targets do not have the stated shape.
 * @see keras.metrics.F1Score
 */
export const f1Score = (options: F1Options = {}): Metric =>
  fScore('f1Score', checkOptions('f1Score', options, f1Names));
