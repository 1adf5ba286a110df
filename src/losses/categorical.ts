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
 * Cross-entropy of one choice among C classes, for one-hot targets, in nats.
 *
 * ℓ = −Σ y ln p over the last axis
 *
 * With `fromLogits`, p = softmax(x) of predictions x. Otherwise predictions are probabilities: they are divided by
 * their sum and kept 10⁻⁷ away from 0 and 1. For targets that are class ids use `sparseCategoricalCrossentropy`.
 *
 * @param given.fromLogits whether predictions are logits; default false.
 * @param given.labelSmoothing s from 0 to 1: target y becomes (1 − s)·y + s/C; default 0.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y, one-hot or other distributions, and predictions are `[B, …, C]` f32 of
 *   one shape; a row is the last axis, with C classes.
 * @throws ArgumentError if `labelSmoothing` is outside [0, 1], `fromLogits` is not a boolean, `reduction` is not one of
 *   its values or an option is unknown; when the loss gets a batch, if the targets do not have the shape of the
 *   predictions; when `fit` or `evaluate` gets the targets, if a row is not all zeros and does not sum to 1 within
 *   0.02, or a number is outside [0, 1].
 * @see keras.losses.CategoricalCrossentropy
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 3, activation: 'softmax' })]);
 * classifier.compile({ optimizer: 'adam', loss: categoricalCrossentropy({ labelSmoothing: 0.1 }) });
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
  /** Weight of every class, or a list with one weight for each class. Default 0.25. */
  alpha?: number | readonly number[] | undefined;
  /**
   * Exponent γ. A larger one lowers the weight of classes that are nearly right; 0 gives all of them the same weight.
   * Default 2.
   */
  gamma?: number | undefined;
}

/**
 * Categorical cross-entropy in which classes that are nearly right count less.
 *
 * ℓ = −Σ α·(1 − p)^γ·y ln p over the last axis
 *
 * With `fromLogits`, p = softmax(x) of predictions x. Otherwise predictions are probabilities. In both cases p is
 * divided by its sum and kept 10⁻⁷ away from 0 and 1.
 *
 * @param given.alpha α, one weight for all classes or a list `[C]`; default 0.25.
 * @param given.gamma γ ≥ 0; default 2.
 * @param given.fromLogits whether predictions are logits; default false.
 * @param given.labelSmoothing s from 0 to 1: target y becomes (1 − s)·y + s/C; default 0.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y, one-hot or other distributions, and predictions are `[B, …, C]` f32 of
 *   one shape; a row is the last axis, with C classes.
 * @throws ArgumentError if `labelSmoothing` is outside [0, 1], `gamma` is negative, `alpha` is neither a finite number
 *   nor a list of finite numbers, `fromLogits` is not a boolean, `reduction` is not one of its values or an option is
 *   unknown; when the loss gets a batch, if the targets do not have the shape of the predictions, or `alpha` has
 *   neither one number nor C; when `fit` or `evaluate` gets the targets, if a row is not all zeros and does not sum to
 *   1 within 0.02, or a number is outside [0, 1].
 * @see keras.losses.CategoricalFocalCrossentropy; Lin et al. 2018, https://arxiv.org/abs/1708.02002
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 3, activation: 'softmax' })]);
 * classifier.compile({ optimizer: 'adam', loss: categoricalFocalCrossentropy({ alpha: [0.5, 0.25, 0.25] }) });
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
 * Kullback–Leibler divergence of predicted distributions from those of the targets, in nats.
 *
 * ℓ = Σ y ln(y/ŷ) over the last axis; y and ŷ are kept between 10⁻⁷ and 1
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are probabilities `[B, …, C]` f32 of one shape; a row
 *   is the last axis.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions; when `fit` or `evaluate` gets the targets, if a target is
 *   outside [0, 1].
 * @see keras.losses.KLDivergence
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 3, activation: 'softmax' })]);
 * classifier.compile({ optimizer: 'adam', loss: klDivergence() }); // or loss: 'kld'
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
