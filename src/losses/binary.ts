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

/** −(y ln p + (1 − y) ln(1 − p)) of each element, with p kept 10⁻⁷ from 0 and 1. */
function entropyOf(yTrue: Tensor, yPred: Tensor): Tensor {
  const p = clipped(yPred);
  return neg(add(mul(yTrue, log(p)), mul(complement(yTrue), log(complement(p)))));
}

/** The same from logits: ln(1 + eˣ) − x·y. */
const entropyOfLogits = (yTrue: Tensor, x: Tensor): Tensor => sub(softplus(x), mul(x, yTrue));

/**
 * ℓ = −mean (y ln p + (1 − y) ln(1 − p)) over the last axis, for targets from 0 to 1 of the predictions' shape. From
 * logits x, p = σ(x) and nothing overflows; probabilities are kept 10⁻⁷ from 0 and 1. Smoothing by s makes of 0 s/2 and
 * of 1 1 − s/2.
 *
 * @throws ArgumentError if labelSmoothing is outside [0, 1].
 * @see keras.losses.BinaryCrossentropy
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
  /** Whether to weigh class 1 by alpha and class 0 by 1 − alpha. Default false. */
  applyClassBalancing?: boolean | undefined;
  /** From 0 to 1. Default 0.25. */
  alpha?: number | undefined;
  /** How much less what is nearly right counts; 0 is `binaryCrossentropy`. Default 2. */
  gamma?: number | undefined;
}

/**
 * ℓ = mean (1 − q)^γ·H over the last axis, where H is the loss of `binaryCrossentropy` and q = y·p + (1 − y)(1 − p)
 * what the target got; times y·α + (1 − y)(1 − α) with `applyClassBalancing`. Targets as there.
 *
 * @throws ArgumentError if labelSmoothing or alpha is outside [0, 1], or gamma < 0.
 * @see keras.losses.BinaryFocalCrossentropy; Lin et al. 2018, https://arxiv.org/abs/1708.02002
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
