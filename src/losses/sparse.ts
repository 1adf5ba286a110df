import { empty, expectF32, expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice, expectFlags } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { sameShape } from '../checks/shape.ts';
import { expectIdsBelow } from '../data/array.ts';
import { div, log, mul, neg, scale } from '../ops/elementwise/elementwise.ts';
import { inOrder, reshape } from '../ops/shapes/layout.ts';
import { pickRows } from '../ops/shapes/pick.ts';
import { logSoftmaxRows, softmaxCrossEntropy } from '../ops/softmax.ts';
import {
  type Loss,
  type LossOptions,
  REDUCTIONS,
  reduceRows,
  reductionConfig,
  reductionFactor,
  sumRows,
  withoutZeroRows,
} from './loss.ts';
import { clipped, type FromLogits, readsOf } from './probabilities.ts';
import { expectTargets } from './target-checks.ts';

export interface SparseCrossentropyOptions extends FromLogits, LossOptions {
  /** A class id whose rows have no loss and are not counted in the mean. Default: none. */
  ignoreClass?: number | null | undefined;
}

/**
 * Cross-entropy of one choice among C classes, for targets that are class ids, in nats.
 *
 * ℓ = −ln p[y]
 *
 * With `fromLogits`, p = softmax(x) of predictions x, and softmax, loss and gradient are one op. Otherwise predictions
 * are probabilities: they are divided by their sum and kept 10⁻⁷ away from 0 and 1.
 *
 * Rows of `ignoreClass` have no loss. With the default reduction the mean is multiplied by n/m: n rows have a weight
 * other than 0, and m of them are not ignored.
 *
 * @param given.fromLogits whether predictions are logits; default false.
 * @param given.ignoreClass the class id to ignore; default none.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets y are `[B, …]` or `[B, …, 1]` i32, each in [0, C); predictions are `[B, …,
 *   C]` f32.
 * @throws ArgumentError if `ignoreClass` is not an integer, `fromLogits` is not a boolean, `reduction` is not one of
 *   its values or an option is unknown; when the loss gets a batch, if there is not one i32 target for each row of
 *   predictions, or a target is neither in [0, C) nor the ignored class.
 * @see keras.losses.SparseCategoricalCrossentropy
 *
 * @example
 * languageModel.compile({ optimizer: 'adam', loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
 */
export function sparseCategoricalCrossentropy(given: SparseCrossentropyOptions = {}): Loss {
  const {
    fromLogits = false,
    ignoreClass,
    reduction = 'sumOverBatchSize',
  } = checkOptions('sparseCategoricalCrossentropy', given, { fromLogits: 1, ignoreClass: 1, reduction: 1 });
  const name = 'sparseCategoricalCrossentropy';
  expectFlags(name, { fromLogits });
  expectChoice(name, 'reduction', reduction, REDUCTIONS);
  const ignored = ignoreClass ?? undefined;
  if (ignored !== undefined) expectNumber(`${name}: ignoreClass`, ignored, 'an integer');

  const expectLabels = (labels: Tensor, yPred: Tensor): void => {
    expectShape(`${name}: targets`, labels.shape, yPred.shape.slice(0, -1));
    if (labels.dtype !== 'i32') throw new ArgumentError(`${name}: targets expected i32, got ${labels.dtype}`);
  };
  /** The ids without a last axis of 1, which is accepted as in Keras. */
  const idsOf = (yTrue: Tensor, { shape: [...rows] }: Tensor): Tensor =>
    rows.pop() && sameShape(yTrue.shape, [...rows, 1]) ? reshape(yTrue, rows) : yTrue;
  const lossOfRows = (labels: Tensor, yPred: Tensor): Tensor => {
    expectLabels(labels, yPred);
    if (fromLogits) return neg(pickRows(logSoftmaxRows(yPred), labels));
    return neg(log(clipped(div(pickRows(yPred, labels), sumRows(yPred)))));
  };
  const loss: Loss = {
    name,
    targetDtype: 'i32',
    reads: readsOf(fromLogits),
    classes: 'exclusive',
    targetShape: (predictions) => predictions.slice(0, -1),
    weightShape: (predictions) => predictions.slice(0, -1),
    leavesOut: true,
    values(given, yPred) {
      const yTrue = idsOf(given, yPred);
      if (ignored === undefined) return lossOfRows(yTrue, yPred);
      expectLabels(yTrue, yPred);
      const { labels, weights } = leaveOut(yTrue, ignored);
      return mul(lossOfRows(...withoutZeroRows(labels, yPred, weights)), weights);
    },
    compute(targets, yPred, given, options) {
      const yTrue = idsOf(targets, yPred);
      expectLabels(yTrue, yPred);
      if (given) {
        expectF32(`${name}: weights`, given);
        expectShape(`${name}: weights`, given.shape, yTrue.shape);
      }
      const { labels, weights } =
        ignored === undefined
          ? { labels: yTrue, weights: given }
          : leaveOut(yTrue, ignored, given, reduction === 'sumOverBatchSize');
      if (!fromLogits) return reduceRows(lossOfRows(...withoutZeroRows(labels, yPred, weights)), weights, reduction);
      const average = softmaxCrossEntropy(yPred, labels, weights, options);
      const factor = reductionFactor(reduction, labels.size, weights);
      return factor === 1 ? average : scale(average, factor);
    },
    checkTargets(ys, predictions, what) {
      const classes = predictions.at(-1)!;
      if (ignored === undefined) expectIdsBelow(ys, classes, what);
      else {
        const expected = `ids in [0, ${classes}), or ${ignored}, the ignored class`;
        expectTargets(`${name}: ${what}`, ys, expected, (id) => id === ignored || (id >= 0 && id < classes));
      }
    },
    config: () => ({ fromLogits, ignoreClass: ignored, ...reductionConfig(reduction) }),
  };
  if (ignored !== undefined) loss.counted = (yTrue) => leaveOut(yTrue, ignored).weights;
  return loss;
}

/**
 * Labels with class 0 in place of the ignored class, and weights that are 0 for these rows. With `rescale` the other
 * weights grow: a mean over all rows then equals the mean over the rows that had a weight before and are not ignored.
 */
function leaveOut(
  yTrue: Tensor,
  ignored: number,
  given?: Tensor,
  rescale = false,
): { labels: Tensor; weights: Tensor } {
  const { engine, shape, timeMajor, size } = yTrue;
  const ordered = given && inOrder(given, timeMajor);
  const labels = empty(shape, { dtype: 'i32', name: 'labels', timeMajor, engine });
  const weights = empty(shape, { name: 'weights', timeMajor, engine });
  const from = engine.i32(yTrue.ptr, size);
  const weigh = ordered && engine.f32(ordered.ptr, size);
  const ids = engine.i32(labels.ptr, size);
  const to = engine.f32(weights.ptr, size);
  let before = 0;
  let after = 0;
  for (let i = 0; i < size; i++) {
    const weight = weigh ? weigh[i]! : 1;
    const counts = from[i] !== ignored;
    ids[i] = counts ? from[i]! : 0;
    to[i] = counts ? weight : 0;
    if (weight !== 0) before++;
    if (to[i] !== 0) after++;
  }
  if (rescale && after > 0) engine.kernels.scale(size, before / after, weights.ptr, weights.ptr);
  return { labels, weights };
}
