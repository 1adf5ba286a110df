import type { Tensor } from '../autograd/tensor.ts';
import { addScalar, mul, neg, relu, scale, square, sub } from '../ops/elementwise/elementwise.ts';
import { max } from '../ops/reduce.ts';
import { type Loss, type LossOptions, meanRows, rowLoss, sumRows } from './loss.ts';
import { expectTargets } from './target-checks.ts';

/** Targets as −1 and 1: where all are 0 or 1, 0 stands for −1. */
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
 * ℓ = mean max(1 − y·ŷ, 0) over the last axis, for targets −1 and 1 (or 0 and 1, of which 0 then stands for −1) of the
 * predictions' shape.
 *
 * @see keras.losses.Hinge
 */
export const hinge = /* @__PURE__ */ hingeLoss('hinge', (m) => m);

/**
 * ℓ = mean max(1 − y·ŷ, 0)² over the last axis, with targets as in `hinge`.
 *
 * @see keras.losses.SquaredHinge
 */
export const squaredHinge = /* @__PURE__ */ hingeLoss('squaredHinge', square);

/**
 * ℓ = max(max (1 − y)·ŷ − Σ y·ŷ + 1, 0) over the last axis, for one-hot targets of the predictions' shape.
 *
 * @see keras.losses.CategoricalHinge
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
