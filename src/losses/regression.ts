import type { Tensor } from '../autograd/tensor.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { softplus } from '../ops/elementwise/activations.ts';
import {
  abs,
  add,
  addScalar,
  clip,
  div,
  log,
  mul,
  neg,
  scale,
  sqrt,
  square,
  sub,
} from '../ops/elementwise/elementwise.ts';
import { divideRows, type Loss, type LossOptions, meanRows, rowLoss, sumRows } from './loss.ts';
import { atLeast, EPSILON } from './probabilities.ts';
import { expectTargets } from './target-checks.ts';

/** A loss of each element by itself; a row's is their mean. */
const elementLoss =
  (name: string, each: (yTrue: Tensor, yPred: Tensor) => Tensor) =>
  (options: LossOptions = {}): Loss =>
    rowLoss({ name, values: (yTrue, yPred) => meanRows(each(yTrue, yPred)) }, options);

/**
 * ℓ = mean (ŷ − y)² over the last axis; targets of the predictions' shape.
 *
 * @see keras.losses.MeanSquaredError
 */
export const meanSquaredError = elementLoss('meanSquaredError', (y, p) => square(sub(p, y)));

/**
 * ℓ = mean |ŷ − y| over the last axis; targets of the predictions' shape.
 *
 * @see keras.losses.MeanAbsoluteError
 */
export const meanAbsoluteError = elementLoss('meanAbsoluteError', (y, p) => abs(sub(p, y)));

/**
 * ℓ = 100·mean |(ŷ − y) / max(|y|, 10⁻⁷)| over the last axis, in per cent; targets of the predictions' shape.
 *
 * @see keras.losses.MeanAbsolutePercentageError
 */
export const meanAbsolutePercentageError = elementLoss('meanAbsolutePercentageError', (y, p) =>
  scale(abs(div(sub(p, y), atLeast(abs(y), EPSILON))), 100),
);

/**
 * ℓ = mean (ln(1 + max(ŷ, 10⁻⁷)) − ln(1 + max(y, 10⁻⁷)))² over the last axis; targets of the predictions' shape.
 *
 * @see keras.losses.MeanSquaredLogarithmicError
 */
export const meanSquaredLogarithmicError = elementLoss('meanSquaredLogarithmicError', (y, p) => {
  const logarithm = (x: Tensor): Tensor => log(addScalar(atLeast(x, EPSILON), 1));
  return square(sub(logarithm(p), logarithm(y)));
});

/**
 * ℓ = mean ln cosh(ŷ − y) over the last axis; targets of the predictions' shape. Computed as |d| + ln(1 + e^(−2|d|)) −
 * ln 2, which does not overflow.
 *
 * @see keras.losses.LogCosh
 */
export const logCosh = elementLoss('logCosh', (y, p) => {
  const distance = abs(sub(p, y));
  return addScalar(add(distance, softplus(scale(distance, -2))), -Math.LN2);
});

/**
 * ℓ = mean (ŷ − y·ln(ŷ + 10⁻⁷)) over the last axis, for rates ŷ > 0 and counts y ≥ 0 of the predictions' shape.
 *
 * @see keras.losses.Poisson
 */
export const poisson = (options: LossOptions = {}): Loss => ({
  ...elementLoss('poisson', (y, p) => sub(p, mul(y, log(addScalar(p, EPSILON)))))(options),
  checkTargets: (targets, _, what) => expectTargets(`poisson: ${what}`, targets, 'counts ≥ 0', (y) => y >= 0),
});

export interface HuberOptions extends LossOptions {
  /** Where the loss turns from a parabola into a line. Default 1. */
  delta?: number | undefined;
}

/**
 * ℓ = mean over the last axis of ½d² where |d| ≤ δ, and δ|d| − ½δ² beyond, with d = ŷ − y; targets of the predictions'
 * shape.
 *
 * @throws ArgumentError unless delta > 0.
 * @see keras.losses.Huber
 */
export function huber(given: HuberOptions = {}): Loss {
  const { delta = 1, ...options } = checkOptions('huber', given, { delta: 1, reduction: 1 });
  expectNumber('huber: delta', delta, '> 0');
  const values = (y: Tensor, p: Tensor): Tensor => {
    const distance = abs(sub(p, y));
    const near = clip(distance, -1, delta);
    return meanRows(add(scale(square(near), 0.5), scale(sub(distance, near), delta)));
  };
  return rowLoss({ name: 'huber', values, config: { delta } }, options);
}

/**
 * ℓ = −Σ ŷ·y / (‖ŷ‖·‖y‖) over the last axis, −1 for the same direction, 1 for opposite ones, 0 beside a vector of
 * zeros; targets of the predictions' shape.
 *
 * @see keras.losses.CosineSimilarity
 */
export const cosineSimilarity = (options: LossOptions = {}): Loss =>
  rowLoss({ name: 'cosineSimilarity', values: (y, p) => neg(sumRows(mul(unit(y), unit(p)))) }, options);

/** Rows brought to length 1; one of length 0 stays. */
const unit = (x: Tensor): Tensor => divideRows(x, sqrt(atLeast(sumRows(square(x)), EPSILON * EPSILON)));
