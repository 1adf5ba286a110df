import type { Tensor } from '../autograd/tensor.ts';
import { addScalar, mul, neg, relu, scale, square, sub } from '../ops/elementwise/elementwise.ts';
import { max } from '../ops/reduce.ts';
import { type Loss, type LossOptions, meanRows, rowLoss, sumRows } from './loss.ts';
import { expectTargets } from './target-checks.ts';

/** Targets as −1 and 1. If all are 0 or 1, 0 means −1. */
function signed(yTrue: Tensor): Tensor {
  const areBits = yTrue.dataView().every((y: number) => y === 0 || y === 1);
  return areBits ? addScalar(scale(yTrue, 2), -1) : yTrue;
}

/** max(1 − y·ŷ, 0) */
const margin = (yTrue: Tensor, yPred: Tensor): Tensor => relu(addScalar(neg(mul(signed(yTrue), yPred)), 1));

const hingeLoss =
  (name: string, each: (margin: Tensor) => Tensor) =>
  (options: LossOptions = {}): Loss =>
    rowLoss(
      {
        name,
        values: (yTrue, yPred) => meanRows(each(margin(yTrue, yPred))),
        checkTargets: (ys, _, what) =>
          expectTargets(`${name}: ${what}`, ys, '−1 and 1, or 0 and 1', (y) => y === 0 || y === 1 || y === -1),
      },
      options,
    );

/**
 * Hinge loss of yes-or-no choices: 0 if a prediction has the sign of its target and an absolute value of 1 or more.
 *
 * ℓ = mean max(1 − y·ŷ, 0) over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis. Targets are −1 and 1, or 0 and 1, where 0 means −1.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions; when `fit` or `evaluate` gets the targets, if a target is not
 *   −1, 0 or 1.
 * @see keras.losses.Hinge
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'tanh' })]);
 * classifier.compile({ optimizer: 'adam', loss: hinge() });
 */
export const hinge = /* @__PURE__ */ hingeLoss('hinge', (m) => m);

/**
 * Squared hinge loss of yes-or-no choices.
 *
 * ℓ = mean max(1 − y·ŷ, 0)² over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis. Targets are −1 and 1, or 0 and 1, where 0 means −1.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions; when `fit` or `evaluate` gets the targets, if a target is not
 *   −1, 0 or 1.
 * @see keras.losses.SquaredHinge
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'tanh' })]);
 * classifier.compile({ optimizer: 'adam', loss: squaredHinge() });
 */
export const squaredHinge = /* @__PURE__ */ hingeLoss('squaredHinge', square);

/**
 * Hinge loss of one choice among C classes: the right class should exceed the best wrong one by 1.
 *
 * ℓ = max(max (1 − y)·ŷ − Σ y·ŷ + 1, 0) over the last axis
 *
 * @param options.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the
 *   number of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. One-hot targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the
 *   last axis.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   the targets do not have the shape of the predictions.
 * @see keras.losses.CategoricalHinge
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 3 })]);
 * classifier.compile({ optimizer: 'adam', loss: categoricalHinge() });
 */
export const categoricalHinge = (options: LossOptions = {}): Loss =>
  rowLoss(
    {
      name: 'categoricalHinge',
      values(yTrue, yPred) {
        const right = sumRows(mul(yTrue, yPred));
        const wrong = max(mul(addScalar(neg(yTrue), 1), yPred), { axis: -1 });
        return relu(addScalar(sub(wrong, right), 1));
      },
    },
    options,
  );
