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

/** Weight of the elements that were predicted rightly, wrongly, and missed, one entry a threshold or class. */
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
  // A target of F-score may be a share of 1; of precision and recall it is 0 or 1 by now.
  if (hit) {
    truePositives[at]! += weight * truth;
    falsePositives[at]! += weight * (1 - truth);
  } else falseNegatives[at]! += weight * truth;
}

export interface PrecisionOptions extends MetricOptions {
  /**
   * Above which a prediction, as a probability, stands for yes; several give a number each. Default 0.5, with topK
   * none.
   */
  thresholds?: number | readonly number[] | undefined;
  /** Only the k greatest predictions of a row can stand for yes. */
  topK?: number | undefined;
  /** Only this class counts. */
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

/** The columns of a row's k greatest predictions; of equal ones the first. */
function greatest({ predictions, columns }: Comparison, row: number, k: number): Set<number> {
  const own = predictions.subarray(row * columns, (row + 1) * columns);
  const order = Array.from(own.keys()).sort((a, b) => own[b]! - own[a]! || a - b);
  return new Set(order.slice(0, k));
}

/**
 * Of what was predicted as yes, the share that is: TP / (TP + FP), over all elements. Targets are 0 or else yes, of the
 * predictions' shape, or class ids. Where the loss reads logits, thresholds are for their probabilities.
 *
 * @throws ArgumentError if a threshold is outside [0, 1], or topK or classId no index.
 * @see keras.metrics.Precision
 */
export const precision = (options: PrecisionOptions = {}): Metric =>
  thresholded('precision', options, ({ truePositives: hit, falsePositives: wrong }, at) =>
    ratio(hit[at]!, hit[at]! + wrong[at]!),
  );

/**
 * Of what is a yes, the share that was predicted: TP / (TP + FN), over all elements; the rest as for `precision`.
 *
 * @throws ArgumentError if a threshold is outside [0, 1], or topK or classId no index.
 * @see keras.metrics.Recall
 */
export const recall = (options: PrecisionOptions = {}): Metric =>
  thresholded('recall', options, ({ truePositives: hit, falseNegatives: missed }, at) =>
    ratio(hit[at]!, hit[at]! + missed[at]!),
  );

export interface F1Options extends MetricOptions {
  /**
   * `micro` counts all classes together, `macro` is the mean over classes, `weighted` that mean weighted by how often a
   * class is right; null gives a number for each class. Default null.
   */
  average?: 'micro' | 'macro' | 'weighted' | null | undefined;
  /**
   * Above which a prediction, as a probability, stands for yes, in (0, 1]. Default null: the greatest of each row does.
   */
  threshold?: number | null | undefined;
}

export interface FBetaOptions extends F1Options {
  /** How many times as much as precision recall matters. Default 1. */
  beta?: number | undefined;
}

// Keras adds it to every denominator, so that 0 / 0 is 0.
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
          // Of several greatest each is chosen, but none of a row of zeros.
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
 * F_β = (1 + β²)·P·R / (β²·P + R) of precision P and recall R of each class. Targets are rows of 0 and 1 of the
 * predictions' shape, or class ids; all axes before the last are samples.
 *
 * @throws ArgumentError for an unknown average, a beta ≤ 0 or a threshold outside (0, 1].
 * @see keras.metrics.FBetaScore
 */
export const fBetaScore = (options: FBetaOptions = {}): Metric =>
  fScore('fBetaScore', checkOptions('fBetaScore', options, { ...f1Names, beta: 1 }));

/**
 * F₁ = 2·P·R / (P + R); see `fBetaScore`.
 *
 * @see keras.metrics.F1Score
 */
export const f1Score = (options: F1Options = {}): Metric =>
  fScore('f1Score', checkOptions('f1Score', options, f1Names));
