import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice, expectFlags } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Defined } from '../checks/options.ts';
import { ln } from '../engine/float64.ts';
import type { Loss } from '../losses/loss.ts';
import {
  asProbabilities,
  compareRows,
  type Metric,
  type MetricOptions,
  type MetricState,
  makeMetric,
  ratio,
} from './metric.ts';

export interface AucOptions extends MetricOptions {
  /** Number of thresholds of the curve, evenly spaced from 0 to 1. Default 200. */
  numThresholds?: number | undefined;
  /** `ROC`: recall over false positive rate. `PR`: precision over recall. Default `ROC`. */
  curve?: 'ROC' | 'PR' | undefined;
  /**
   * Height between two thresholds: `interpolation` takes a line (for `PR` between true and false positives), `minoring`
   * the lower end, `majoring` the higher end. Default `interpolation`.
   */
  summationMethod?: 'interpolation' | 'minoring' | 'majoring' | undefined;
  /**
   * Custom thresholds from 0 to 1, used instead of `numThresholds` evenly spaced ones. Two are added, below 0 and above
   * 1.
   */
  thresholds?: readonly number[] | undefined;
  /**
   * Whether each class has its own curve; the result is then the mean of the areas. Default false: all elements belong
   * to one curve.
   */
  multiLabel?: boolean | undefined;
  /** Weight of each class: of its elements, or with `multiLabel` of its area. Default ones. */
  labelWeights?: readonly number[] | undefined;
  /** Whether predictions are logits. Default: whether the loss reads logits. */
  fromLogits?: boolean | undefined;
}

/** Data of one curve. By threshold: the weight of positive and of negative targets among the predictions above it. */
interface Curve {
  truePositives: Float64Array;
  falsePositives: Float64Array;
}

type Method = NonNullable<AucOptions['summationMethod']>;

/**
 * Area under the curve of recall over false positive rate, or of precision over recall, as a threshold runs from 1 to
 * 0.
 *
 * ROC: Σ over neighbouring thresholds of Δ(FP / N)·(height between the two TP / P); PR: the same with Δ(TP / P) and TP
 * / (TP + FP). P and N are the weights of all positive and negative targets.
 *
 * @param options.numThresholds number of thresholds; default 200.
 * @param options.curve `ROC` or `PR`; default `ROC`.
 * @param options.summationMethod `interpolation`, `minoring` or `majoring`; default `interpolation`.
 * @param options.thresholds custom thresholds in [0, 1].
 * @param options.multiLabel whether each class has its own curve; default false.
 * @param options.labelWeights `[C]`, numbers ≥ 0; default ones.
 * @param options.fromLogits whether predictions are logits; default whether the loss reads logits.
 * @param options.name its key in the history; default `auc`.
 * @returns the metric, for `compile`. Targets are `[B, …, C]` f32, 0 or else positive, or class ids `[B, …]` i32;
 *   predictions are `[B, …, C]` f32.
 * @throws ArgumentError if `numThresholds` is not an integer from 2 to 100,000, `curve` or `summationMethod` is not one
 *   of its values, a threshold is outside [0, 1], a label weight is negative, a flag is not a boolean, or an option is
 *   unknown; when a batch is measured, if targets do not have the stated shape, or `labelWeights` has a length other
 *   than C.
 * @see keras.metrics.AUC; Davis & Goadrich 2006, https://www.biostat.wisc.edu/~page/rocpr.pdf
 */
export function auc(options: AucOptions = {}): Metric {
  checkOptions('auc', options, {
    name: 1,
    numThresholds: 1,
    curve: 1,
    summationMethod: 1,
    multiLabel: 1,
    thresholds: 1,
    labelWeights: 1,
    fromLogits: 1,
  });
  const { numThresholds = 200, curve = 'ROC', summationMethod = 'interpolation', multiLabel = false } = options;
  const { thresholds, labelWeights, fromLogits } = options;
  expectNumber('auc: numThresholds', numThresholds, 'an integer from 2 to 100,000');
  expectChoice('auc', 'curve', curve, ['ROC', 'PR']);
  expectChoice('auc', 'summationMethod', summationMethod, ['interpolation', 'minoring', 'majoring']);
  expectFlags('auc', { multiLabel, ...(fromLogits === undefined ? {} : { fromLogits }) });
  for (const each of thresholds ?? []) expectNumber('auc: thresholds', each, 'in [0, 1]');
  for (const each of labelWeights ?? []) expectNumber('auc: labelWeights', each, '≥ 0');
  const inner = thresholds
    ? [...thresholds].sort((a, b) => a - b)
    : Array.from({ length: numThresholds - 2 }, (_, i) => (i + 1) / (numThresholds - 1));
  const config = {
    ...(options.name === undefined ? {} : { name: options.name }),
    numThresholds,
    curve,
    summationMethod,
    multiLabel,
    thresholds: thresholds && [...thresholds],
    labelWeights: labelWeights && [...labelWeights],
    fromLogits,
  };
  // The first threshold is below all probabilities, the last is above all.
  const limits = Float32Array.of(-1e-7, ...inner, 1 + 1e-7);
  return makeMetric('auc', config, (loss) =>
    aucState(limits, { curve, summationMethod, multiLabel, labelWeights, fromLogits }, loss),
  );
}

function aucState(
  limits: Float32Array,
  options: Defined<Pick<AucOptions, 'curve' | 'summationMethod' | 'multiLabel'>> &
    Pick<AucOptions, 'labelWeights' | 'fromLogits'>,
  loss: Loss | undefined,
): MetricState {
  const { curve, summationMethod, multiLabel, labelWeights, fromLogits } = options;
  // Element i has the weight of the predictions above threshold i and not above threshold i + 1.
  let histograms: Curve[] | undefined;
  const newCurve = (): Curve => ({
    truePositives: new Float64Array(limits.length),
    falsePositives: new Float64Array(limits.length),
  });
  return {
    update(yTrue, yPred, weights) {
      const all = compareRows('auc', yTrue, asProbabilities(yPred, fromLogits, loss), weights);
      const { rows, columns, predictions } = all;
      if (labelWeights && labelWeights.length !== columns) {
        throw new ArgumentError(`auc: labelWeights expected ${columns} numbers, got ${labelWeights.length}`);
      }
      histograms ??= Array.from({ length: multiLabel ? columns : 1 }, newCurve);
      for (let row = 0; row < rows; row++) {
        const own = all.weights ? all.weights[row]! : 1;
        for (let column = 0; column < columns; column++) {
          const { truePositives, falsePositives } = histograms[multiLabel ? column : 0]!;
          const weight = multiLabel || !labelWeights ? own : own * labelWeights[column]!;
          const p = Math.min(Math.max(predictions[row * columns + column]!, 0), 1);
          (all.truth(row, column) !== 0 ? truePositives : falsePositives)[bucketOf(limits, p)]! += weight;
        }
      }
    },
    result() {
      if (!histograms) return 0;
      const areas = histograms.map((histogram) => {
        const drawn = {
          truePositives: sumsFromEnd(histogram.truePositives),
          falsePositives: sumsFromEnd(histogram.falsePositives),
        };
        if (curve === 'PR' && summationMethod === 'interpolation') return interpolatedPrArea(drawn);
        return area(drawn, curve, summationMethod);
      });
      const each = multiLabel && labelWeights ? labelWeights : areas.map(() => 1);
      const total = each.reduce((sum, w) => sum + w, 0);
      return ratio(
        areas.reduce((sum, value, i) => sum + value * each[i]!, 0),
        total,
      );
    },
  };
}

/** Index of the last threshold below p. The first threshold is below every number; for NaN the index is 0. */
function bucketOf(limits: Float32Array, p: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (p > limits[middle]!) low = middle;
    else high = middle - 1;
  }
  return low;
}

function sumsFromEnd(x: Float64Array): Float64Array {
  const sums = x.slice();
  for (let i = sums.length - 2; i >= 0; i--) sums[i]! += sums[i + 1]!;
  return sums;
}

/** Area under a curve: Σ over neighbouring thresholds of their distance in x times a height between their two y. */
function area({ truePositives, falsePositives }: Curve, curve: 'ROC' | 'PR', method: Method): number {
  const [positives, negatives] = [truePositives[0]!, falsePositives[0]!];
  const recall = truePositives.map((tp) => ratio(tp, positives));
  const [x, y] =
    curve === 'ROC'
      ? [falsePositives.map((fp) => ratio(fp, negatives)), recall]
      : [recall, truePositives.map((tp, i) => ratio(tp, tp + falsePositives[i]!))];
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const [a, b] = [y[i]!, y[i + 1]!];
    const height = { interpolation: (a + b) / 2, minoring: Math.min(a, b), majoring: Math.max(a, b) }[method];
    sum += (x[i]! - x[i + 1]!) * height;
  }
  return sum;
}

/**
 * Between two thresholds, true positives TP and all predicted positives P move on a line, TP = slope·P + intercept.
 * Precision TP/P is then a hyperbola, and the area is slope·(ΔTP + intercept·ln(P_A/P_B)) / (weight of all positive
 * targets).
 */
function interpolatedPrArea({ truePositives: tp, falsePositives: fp }: Curve): number {
  const positives = tp.map((value, i) => value + fp[i]!);
  let sum = 0;
  for (let i = 0; i + 1 < positives.length; i++) {
    const gained = tp[i]! - tp[i + 1]!;
    const slope = ratio(gained, Math.max(positives[i]! - positives[i + 1]!, 0));
    const intercept = tp[i + 1]! - slope * positives[i + 1]!;
    const [more, fewer] = [positives[i]!, positives[i + 1]!];
    sum += slope * (gained + (more > 0 && fewer > 0 ? intercept * ln(more / fewer) : 0));
  }
  return ratio(sum, Math.max(tp[0]!, 0));
}
