import type { Tensor } from '../autograd/tensor.ts';
import { expectFlags } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { softplus } from '../ops/elementwise/activations.ts';
import { add, addScalar, log, mul, neg, scale, sigmoid, sub } from '../ops/elementwise/elementwise.ts';
import { type Loss, meanRows, rowLoss } from './loss.ts';
import {
  type CrossentropyOptions,
  checkCrossentropyOptions,
  clipped,
  complement,
  power,
  readsOf,
  smoothed,
} from './probabilities.ts';
import { expectProbabilities } from './target-checks.ts';

/** −(y ln p + (1 − y) ln(1 − p)) of each element. p is kept 10⁻⁷ away from 0 and 1. */
function entropyOf(yTrue: Tensor, yPred: Tensor): Tensor {
  const p = clipped(yPred);
  return neg(add(mul(yTrue, log(p)), mul(complement(yTrue), log(complement(p)))));
}

/** The cross-entropy of each element from logits: ln(1 + eˣ) − x·y. */
const entropyOfLogits = (yTrue: Tensor, x: Tensor): Tensor => sub(softplus(x), mul(x, yTrue));

/**
 * Cross-entropy of independent yes-or-no choices, one for each output, in nats.
 *
 * ℓ = −mean (y ln p + (1 − y) ln(1 − p)) over the last axis
 *
 * With `fromLogits`, p = σ(x) of predictions x, and nothing overflows. Otherwise predictions are probabilities, kept
 * 10⁻⁷ away from 0 and 1.
 *
 * @param given.fromLogits whether predictions are logits; default false.
 * @param given.labelSmoothing s from 0 to 1: target 0 becomes s/2 and target 1 becomes 1 − s/2; default 0.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y from 0 to 1 and predictions are `[B, …, C]` f32 of one shape; a row is
 *   the last axis.
 * @throws ArgumentError if `labelSmoothing` is outside [0, 1], `fromLogits` is not a boolean, `reduction` is not one of
 *   its values or an option is unknown; when the loss gets a batch, if the targets do not have the shape of the
 *   predictions; when `fit` or `evaluate` gets the targets, if a target is outside [0, 1].
 * @see keras.losses.BinaryCrossentropy
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'sigmoid' })]);
 * classifier.compile({ optimizer: 'adam', loss: binaryCrossentropy({ labelSmoothing: 0.1 }) });
 */
export function binaryCrossentropy(given: CrossentropyOptions = {}): Loss {
  const {
    fromLogits = false,
    labelSmoothing = 0,
    ...options
  } = checkOptions('binaryCrossentropy', given, { fromLogits: 1, labelSmoothing: 1, reduction: 1 });
  const name = 'binaryCrossentropy';
  checkCrossentropyOptions(name, fromLogits, labelSmoothing);
  const entropy = fromLogits ? entropyOfLogits : entropyOf;
  return rowLoss(
    {
      name,
      reads: readsOf(fromLogits),
      classes: 'independent',
      values: (yTrue, yPred) => meanRows(entropy(smoothed(yTrue, labelSmoothing, 2), yPred)),
      checkTargets: (ys, _, what) => expectProbabilities(`${name}: ${what}`, ys),
      config: { fromLogits, labelSmoothing },
    },
    options,
  );
}

export interface BinaryFocalOptions extends CrossentropyOptions {
  /** Whether class 1 is weighted by alpha and class 0 by 1 − alpha. Default false. */
  applyClassBalancing?: boolean | undefined;
  /** Weight of class 1 with `applyClassBalancing`, from 0 to 1. Default 0.25. */
  alpha?: number | undefined;
  /**
   * Exponent γ. A larger one lowers the weight of elements that are nearly right; 0 gives `binaryCrossentropy`. The
   * default is 2.
   */
  gamma?: number | undefined;
}

/**
 * Binary cross-entropy in which elements that are nearly right count less.
 *
 * ℓ = mean (1 − q)^γ·H over the last axis, with H = −(y ln p + (1 − y) ln(1 − p)) and q = y·p + (1 − y)(1 − p), the
 * probability given to the target
 *
 * With `applyClassBalancing` each element is also multiplied by y·α + (1 − y)(1 − α).
 *
 * @param given.applyClassBalancing whether to weight the classes; default false.
 * @param given.alpha α, weight of class 1, from 0 to 1; default 0.25.
 * @param given.gamma γ ≥ 0; default 2.
 * @param given.fromLogits whether predictions are logits x, so that p = σ(x); default false.
 * @param given.labelSmoothing s from 0 to 1: target 0 becomes s/2 and target 1 becomes 1 − s/2; default 0.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y from 0 to 1 and predictions are `[B, …, C]` f32 of one shape; a row is
 *   the last axis.
 * @throws ArgumentError if `labelSmoothing` or `alpha` is outside [0, 1], `gamma` is negative, `fromLogits` or
 *   `applyClassBalancing` is not a boolean, `reduction` is not one of its values or an option is unknown; when the loss
 *   gets a batch, if the targets do not have the shape of the predictions; when `fit` or `evaluate` gets the targets,
 *   if a target is outside [0, 1].
 * @see keras.losses.BinaryFocalCrossentropy; Lin et al. 2018, https://arxiv.org/abs/1708.02002
 *
 * @example
 * const rare = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'sigmoid' })]);
 * rare.compile({ optimizer: 'adam', loss: binaryFocalCrossentropy({ applyClassBalancing: true, alpha: 0.75 }) });
 */
export function binaryFocalCrossentropy(given: BinaryFocalOptions = {}): Loss {
  const {
    applyClassBalancing = false,
    alpha = 0.25,
    gamma = 2,
    fromLogits = false,
    labelSmoothing = 0,
    ...options
  } = checkOptions('binaryFocalCrossentropy', given, {
    applyClassBalancing: 1,
    alpha: 1,
    gamma: 1,
    fromLogits: 1,
    labelSmoothing: 1,
    reduction: 1,
  });
  const name = 'binaryFocalCrossentropy';
  checkCrossentropyOptions(name, fromLogits, labelSmoothing);
  expectFlags(name, { applyClassBalancing });
  expectNumber(`${name}: alpha`, alpha, 'in [0, 1]');
  expectNumber(`${name}: gamma`, gamma, '≥ 0');
  return rowLoss(
    {
      name,
      reads: readsOf(fromLogits),
      classes: 'independent',
      values(yTrue, yPred) {
        const y = smoothed(yTrue, labelSmoothing, 2);
        const p = fromLogits ? sigmoid(yPred) : yPred;
        // 1 − q = y + p − 2·y·p
        const missed = sub(add(y, p), scale(mul(y, p), 2));
        const focal = mul(power(missed, gamma), entropyOf(y, p));
        // y·α + (1 − y)(1 − α)
        const balance = applyClassBalancing ? addScalar(scale(y, 2 * alpha - 1), 1 - alpha) : undefined;
        return meanRows(balance ? mul(balance, focal) : focal);
      },
      checkTargets: (ys, _, what) => expectProbabilities(`${name}: ${what}`, ys),
      config: { applyClassBalancing, alpha, gamma, fromLogits, labelSmoothing },
    },
    options,
  );
}
