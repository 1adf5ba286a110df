import { ArgumentError, type DType, empty, expectShape, type Shape, type Tensor } from '../autograd/tensor.ts';
import { abs, add, addScalar, clip, exp, log, mul, neg, relu, scale, square, sub } from '../ops/elementwise.ts';
import { expectIds } from '../ops/ids.ts';
import { inOrder } from '../ops/layout.ts';
import { mean, sum } from '../ops/reduce.ts';
import { logSoftmax, softmaxCrossEntropy } from '../ops/softmax.ts';

/** A loss to train on: what it reads and how it is computed. */
export interface Loss {
  readonly name: string;
  /** i32 where targets are class ids. */
  readonly targetDtype: DType;
  /** Shape of the targets that predictions of a shape are held against. Without it only `compute` can tell. */
  targetShape?(predictions: Shape): Shape;
  /** Shape of the weights of its values; the predictions' without the last axis where it is not given. */
  weightShape?(predictions: Shape): Shape;
  /** Mean over the batch (and over time), shape []: Σ weight·value / number of values. */
  compute(yTrue: Tensor, yPred: Tensor, weights?: Tensor): Tensor;
  config(): { fromLogits?: boolean };
}

export interface FromLogits {
  /** Whether predictions are logits rather than probabilities. Default false. */
  fromLogits?: boolean;
}

// Keras's epsilon: probabilities are kept this far from 0 and 1 before their logarithm.
const EPSILON = 1e-7;

function regression(name: string, each: (difference: Tensor) => Tensor): () => Loss {
  return () => ({
    name,
    targetDtype: 'f32',
    targetShape: (predictions) => predictions,
    compute(yTrue, yPred) {
      expectShape(`${name}: targets`, yTrue.shape, yPred.shape);
      return mean(each(sub(yPred, yTrue)));
    },
    config: () => ({}),
  });
}

/** L = mean (ŷ − y)². Targets of the predictions' shape. @see keras.losses.MeanSquaredError */
export const meanSquaredError = regression('meanSquaredError', square);

/** L = mean |ŷ − y|. @see keras.losses.MeanAbsoluteError */
export const meanAbsoluteError = regression('meanAbsoluteError', abs);

/**
 * L = −mean (y ln p + (1 − y) ln(1 − p)), from logits x with p = σ(x) computed without overflow.
 *
 * @see keras.losses.BinaryCrossentropy
 */
export function binaryCrossentropy({ fromLogits = false }: FromLogits = {}): Loss {
  return {
    name: 'binaryCrossentropy',
    targetDtype: 'f32',
    targetShape: (predictions) => predictions,
    compute(yTrue, yPred) {
      expectShape('binaryCrossentropy: targets', yTrue.shape, yPred.shape);
      if (fromLogits) {
        // ln(1 + eˣ) − x·y, with the exponent kept below 0.
        const softplus = add(relu(yPred), log(addScalar(exp(neg(abs(yPred))), 1)));
        return mean(sub(softplus, mul(yPred, yTrue)));
      }
      const p = clip(yPred, EPSILON, 1 - EPSILON);
      const other = (x: Tensor): Tensor => addScalar(neg(x), 1);
      return neg(mean(add(mul(yTrue, log(p)), mul(other(yTrue), log(other(p))))));
    },
    config: () => ({ fromLogits }),
  };
}

/**
 * L = −mean over rows of Σ_v y_v ln p_v, for targets `[…, V]` that are distributions (one-hot).
 *
 * @see keras.losses.CategoricalCrossentropy
 */
export function categoricalCrossentropy({ fromLogits = false }: FromLogits = {}): Loss {
  return {
    name: 'categoricalCrossentropy',
    targetDtype: 'f32',
    targetShape: (predictions) => predictions,
    compute(yTrue, yPred) {
      expectShape('categoricalCrossentropy: targets', yTrue.shape, yPred.shape);
      const rows = yPred.size / Math.max(yPred.shape.at(-1) ?? 1, 1);
      const logs = fromLogits ? logSoftmax(yPred) : log(clip(yPred, EPSILON, 1 - EPSILON));
      return scale(sum(mul(yTrue, logs)), -1 / rows);
    },
    config: () => ({ fromLogits }),
  };
}

/**
 * L = −mean over rows of ln p[y], for targets `[…]` that are class ids.
 *
 * @see keras.losses.SparseCategoricalCrossentropy
 */
export function sparseCategoricalCrossentropy({ fromLogits = false }: FromLogits = {}): Loss {
  return {
    name: 'sparseCategoricalCrossentropy',
    targetDtype: 'i32',
    targetShape: (predictions) => predictions.slice(0, -1),
    compute(yTrue, yPred) {
      if (fromLogits) return softmaxCrossEntropy(yPred, yTrue);
      expectShape('sparseCategoricalCrossentropy: targets', yTrue.shape, yPred.shape.slice(0, -1));
      const logs = log(clip(yPred, EPSILON, 1 - EPSILON));
      return scale(sum(mul(oneHot(yTrue, yPred.shape.at(-1)!), logs)), -1 / yTrue.size);
    },
    config: () => ({ fromLogits }),
  };
}

/** ids `[…]` as rows of zeros with a one, `[…, classes]`. */
function oneHot(ids: Tensor, classes: number): Tensor {
  expectIds('targets', ids, classes);
  const ordered = inOrder(ids, false);
  const { engine } = ids;
  const rows = empty([...ids.shape, classes], { name: 'oneHot', engine });
  const values = engine.f32(rows.ptr, rows.size).fill(0);
  engine.i32(ordered.ptr, ids.size).forEach((id, i) => {
    values[i * classes + id] = 1;
  });
  return rows;
}

const losses = {
  meanSquaredError,
  meanAbsoluteError,
  binaryCrossentropy,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
};

export type LossName = keyof typeof losses;

/** The loss of a name, with its options. Throws `ArgumentError` for an unknown name. */
export function lossOf(name: LossName, options: FromLogits = {}): Loss {
  if (!Object.hasOwn(losses, name)) {
    throw new ArgumentError(`loss expected one of ${Object.keys(losses).join(', ')}, got '${name}'`);
  }
  return losses[name](options);
}
