import { tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { clip, log, mul, neg, sub } from '../ops/elementwise/elementwise.ts';
import { logSoftmaxRows, softmaxRows } from '../ops/softmax.ts';
import { type Loss, type LossOptions, rowLoss, sumRows } from './loss.ts';
import {
  type CrossentropyOptions,
  checkCrossentropyOptions,
  clipped,
  complement,
  EPSILON,
  normalised,
  power,
  readsOf,
  smoothed,
} from './probabilities.ts';
import { expectDistributions, expectProbabilities } from './target-checks.ts';

/**
 * ℓ = −Σ y ln p over the last axis, for one-hot targets, or other distributions, of the predictions' shape.
 * Probabilities are divided by their sum and kept 10⁻⁷ from 0 and 1; from logits, p = softmax(x). Smoothing by s over C
 * classes makes of y (1 − s)·y + s/C.
 *
 * @throws ArgumentError if labelSmoothing is outside [0, 1].
 * @see keras.losses.CategoricalCrossentropy
 */
export function categoricalCrossentropy(given: CrossentropyOptions = {}): Loss {
  const {
    fromLogits = false,
    labelSmoothing = 0,
    ...options
  } = checkOptions('categoricalCrossentropy', given, { fromLogits: 1, labelSmoothing: 1, reduction: 1 });
  const name = 'categoricalCrossentropy';
  checkCrossentropyOptions(name, fromLogits, labelSmoothing);
  return rowLoss(
    {
      name,
      reads: readsOf(fromLogits),
      classes: 'exclusive',
      values(yTrue, yPred) {
        const logs = fromLogits ? logSoftmaxRows(yPred) : log(clipped(normalised(yPred)));
        return neg(sumRows(mul(smoothed(yTrue, labelSmoothing, yPred.shape.at(-1)!), logs)));
      },
      checkTargets: (ys, predictions, what) => expectDistributions(`${name}: ${what}`, ys, predictions.at(-1)!),
      config: { fromLogits, labelSmoothing },
    },
    options,
  );
}

export interface CategoricalFocalOptions extends CrossentropyOptions {
  /** Weight of every class, or one for each. Default 0.25. */
  alpha?: number | readonly number[] | undefined;
  /** How much less what is nearly right counts. Default 2. */
  gamma?: number | undefined;
}

/**
 * ℓ = −Σ α·(1 − p)^γ·y ln p over the last axis; targets and p as in `categoricalCrossentropy`.
 *
 * @throws ArgumentError if labelSmoothing is outside [0, 1], gamma < 0, or alpha is no number or list of numbers.
 * @see keras.losses.CategoricalFocalCrossentropy; Lin et al. 2018, https://arxiv.org/abs/1708.02002
 */
export function categoricalFocalCrossentropy(given: CategoricalFocalOptions = {}): Loss {
  const {
    alpha = 0.25,
    gamma = 2,
    fromLogits = false,
    labelSmoothing = 0,
    ...options
  } = checkOptions('categoricalFocalCrossentropy', given, {
    alpha: 1,
    gamma: 1,
    fromLogits: 1,
    labelSmoothing: 1,
    reduction: 1,
  });
  const name = 'categoricalFocalCrossentropy';
  checkCrossentropyOptions(name, fromLogits, labelSmoothing);
  expectNumber(`${name}: gamma`, gamma, '≥ 0');
  const alphas = Array.isArray(alpha) ? [...alpha] : [alpha as number];
  for (const each of alphas) expectNumber(`${name}: alpha`, each, 'a finite number');
  return rowLoss(
    {
      name,
      reads: readsOf(fromLogits),
      classes: 'exclusive',
      values(yTrue, yPred) {
        const classes = yPred.shape.at(-1)!;
        if (alphas.length !== 1 && alphas.length !== classes) {
          throw new ArgumentError(`${name}: alpha expected one number or ${classes}, got ${alphas.length}`);
        }
        const p = clipped(normalised(fromLogits ? softmaxRows(yPred) : yPred));
        const entropy = mul(smoothed(yTrue, labelSmoothing, classes), log(p));
        const weights = tensor(alphas, { engine: yPred.engine, name: 'alpha' });
        return neg(sumRows(mul(mul(power(complement(p), gamma), entropy), weights)));
      },
      checkTargets: (ys, predictions, what) => expectDistributions(`${name}: ${what}`, ys, predictions.at(-1)!),
      config: { alpha: typeof alpha === 'object' ? alphas : alpha, gamma, fromLogits, labelSmoothing },
    },
    options,
  );
}

/**
 * ℓ = Σ y ln(y/p) over the last axis, for distributions y of the predictions' shape; both are kept from 10⁻⁷ to 1.
 *
 * @see keras.losses.KLDivergence
 */
export const klDivergence = (options: LossOptions = {}): Loss =>
  rowLoss(
    {
      name: 'klDivergence',
      reads: 'probabilities',
      classes: 'exclusive',
      values(yTrue, yPred) {
        const y = clip(yTrue, EPSILON, 1);
        return sumRows(mul(y, sub(log(y), log(clip(yPred, EPSILON, 1)))));
      },
      checkTargets: (ys, _, what) => expectProbabilities(`klDivergence: ${what}`, ys),
    },
    options,
  );
