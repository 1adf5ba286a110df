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

/** A loss that is computed for each element; the loss of a row is the mean of its elements. */
const elementLoss =
  (name: string, each: (yTrue: Tensor, yPred: Tensor) => Tensor) =>
  (options: LossOptions = {}): Loss =>
    rowLoss({ name, values: (yTrue, yPred) => meanRows(each(yTrue, yPred)) }, options);

/**
 * Mean squared error, in the unit of the targets squared.
 *
 * ℓ = mean (ŷ − y)² over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.MeanSquaredError
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: meanSquaredError() }); // or loss: 'mse'
 */
export const meanSquaredError = /* @__PURE__ */ elementLoss('meanSquaredError', (y, p) => square(sub(p, y)));

/**
 * Mean absolute error, in the unit of the targets. Its derivative at ŷ = y is 0.
 *
 * ℓ = mean |ŷ − y| over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.MeanAbsoluteError
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: meanAbsoluteError() }); // or loss: 'mae'
 */
export const meanAbsoluteError = /* @__PURE__ */ elementLoss('meanAbsoluteError', (y, p) => abs(sub(p, y)));

/**
 * Mean absolute error relative to the targets, in per cent.
 *
 * ℓ = 100·mean |(ŷ − y) / max(|y|, 10⁻⁷)| over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.MeanAbsolutePercentageError
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: meanAbsolutePercentageError() }); // or loss: 'mape'
 */
export const meanAbsolutePercentageError = /* @__PURE__ */ elementLoss('meanAbsolutePercentageError', (y, p) =>
  scale(abs(div(sub(p, y), atLeast(abs(y), EPSILON))), 100),
);

/**
 * Mean squared difference of logarithms, for numbers ≥ 0. It compares ratios rather than differences.
 *
 * ℓ = mean (ln(1 + max(ŷ, 10⁻⁷)) − ln(1 + max(y, 10⁻⁷)))² over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.MeanSquaredLogarithmicError
 *
 * @example
 * const positive = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'relu' })]);
 * positive.compile({ optimizer: 'adam', loss: meanSquaredLogarithmicError() }); // or loss: 'msle'
 */
export const meanSquaredLogarithmicError = /* @__PURE__ */ elementLoss('meanSquaredLogarithmicError', (y, p) => {
  const logarithm = (x: Tensor): Tensor => log(addScalar(atLeast(x, EPSILON), 1));
  return square(sub(logarithm(p), logarithm(y)));
});

/**
 * Mean logarithm of the hyperbolic cosine of the error: about d²/2 for a small error d, and |d| − ln 2 for a large one.
 *
 * ℓ = mean ln cosh d over the last axis, with d = ŷ − y, computed as |d| + ln(1 + e^(−2|d|)) − ln 2, without overflow
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.LogCosh
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: logCosh() });
 */
export const logCosh = /* @__PURE__ */ elementLoss('logCosh', (y, p) => {
  const distance = abs(sub(p, y));
  return addScalar(add(distance, softplus(scale(distance, -2))), -Math.LN2);
});

/**
 * Poisson loss, for predicted rates ŷ > 0 and counted events y ≥ 0.
 *
 * ℓ = mean (ŷ − y·ln(ŷ + 10⁻⁷)) over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions; when `fit` or `evaluate` gets the targets, if a target is
 *   negative.
 * @see keras.losses.Poisson
 *
 * @example
 * const rates = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'softplus' })]);
 * rates.compile({ optimizer: 'adam', loss: poisson() });
 */
export const poisson = (options: LossOptions = {}): Loss => ({
  ...elementLoss('poisson', (y, p) => sub(p, mul(y, log(addScalar(p, EPSILON)))))(options),
  checkTargets: (targets, _, what) => expectTargets(`poisson: ${what}`, targets, 'counts ≥ 0', (y) => y >= 0),
});

export interface HuberOptions extends LossOptions {
  /** Size of an error up to which the loss is a parabola. Beyond it the loss is a line. Default 1. */
  delta?: number | undefined;
}

/**
 * Huber loss: squared for small errors, absolute for large ones, so that outliers weigh less than in the squared error.
 *
 * ℓ = mean over the last axis of ½d² where |d| ≤ δ, and of δ|d| − ½δ² elsewhere, with d = ŷ − y
 *
 * @param given.delta δ, in the unit of the targets; default 1.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `delta` is not > 0, `reduction` is not one of its values or an option is unknown; when the
 *   loss gets a batch, if the targets do not have the shape of the predictions.
 * @see keras.losses.Huber
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: huber({ delta: 0.5 }) });
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
 * Cosine of the angle between predictions and targets, with the sign changed: −1 for the same direction, 1 for opposite
 * ones, 0 if one of the two is all zeros.
 *
 * ℓ = −Σ ŷ·y / (‖ŷ‖·‖y‖) over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis, with C numbers.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.CosineSimilarity
 *
 * @example
 * const direction = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 3 })]);
 * direction.compile({ optimizer: 'adam', loss: cosineSimilarity() });
 */
export const cosineSimilarity = (options: LossOptions = {}): Loss =>
  rowLoss({ name: 'cosineSimilarity', values: (y, p) => neg(sumRows(mul(unit(y), unit(p)))) }, options);

/** Rows divided by their length; a row of length 0 stays as it is. */
const unit = (x: Tensor): Tensor => divideRows(x, sqrt(atLeast(sumRows(square(x)), EPSILON * EPSILON)));
