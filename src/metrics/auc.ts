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
  /** How many thresholds the curve is drawn through, evenly from 0 to 1. Default 200. */
  numThresholds?: number | undefined;
  /** ROC: recall over false positive rate. PR: precision over recall. Default ROC. */
  curve?: 'ROC' | 'PR' | undefined;
  /**
   * Between thresholds: `interpolation` draws a line (for PR through true and false positives), `minoring` takes the
   * lower end and `majoring` the higher. Default `interpolation`.
   */
  summationMethod?: 'interpolation' | 'minoring' | 'majoring' | undefined;
  /** Thresholds of the caller's own between 0 and 1, which are added, in place of `numThresholds`. */
  thresholds?: readonly number[] | undefined;
  /**
   * Whether each class has a curve of its own; the result is the mean of their areas. Default false: all elements are
   * one curve's.
   */
  multiLabel?: boolean | undefined;
  /** How much each class counts: its elements, or with `multiLabel` its area. Default: all the same. */
  labelWeights?: readonly number[] | undefined;
  /** Whether predictions are logits. Default: what the loss reads. */
  fromLogits?: boolean | undefined;
}

/** What one curve is drawn from: by threshold, the weight of the right and of the wrong among what lies above it. */
interface Curve {
  truePositives: Float64Array;
  falsePositives: Float64Array;
}

type Method = NonNullable<AucOptions['summationMethod']>;

/**
 * Area under the curve that a threshold's course from 1 to 0 draws, for targets that are 0 or else yes, of the
 * predictions' shape, or class ids.
 *
 * @throws ArgumentError if an option is out of range.
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
  // Below everything, and above everything.
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
  // In each place the weight of what lies above that threshold and not above the next.
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

/** The last threshold that p is above; the first is below all. NaN counts as above that alone. */
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

/** Σ over neighbouring thresholds of the distance in x times a height between their y. */
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
 * Between two thresholds true and all positives, TP and P, move on a line, TP = slope·P + intercept, so precision TP/P
 * is a hyperbola: the area is slope·(ΔTP + intercept·ln(P_A/P_B)) / all that are right.
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
