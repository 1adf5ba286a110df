import { type DType, expectShape, type Tensor } from '../autograd/tensor.ts';
import { expectChoice } from '../checks/choices.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';
import type { NdArray } from '../data/array.ts';
import { div, mul, scale } from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';
import { mean, sum } from '../ops/reduce.ts';
import { reshape } from '../ops/shapes/layout.ts';

/** Options of a loss as JSON has them. */
export type LossConfig = Readonly<Record<string, string | number | boolean | null | undefined | readonly number[]>>;

/**
 * A loss to train on: what it reads and how it is computed.
 *
 * L = Σᵣ wᵣ·ℓᵣ / number of rows, where ℓᵣ is the loss of row r and a row is the last axis of the predictions.
 */
export interface Loss {
  readonly name: string;
  /** i32 where targets are class ids. */
  readonly targetDtype: DType;
  /** What predictions must be, where that makes a difference. */
  readonly reads?: 'probabilities' | 'logits';
  /** Whether the last axis of predictions is one choice among classes, or a yes or no for each. */
  readonly classes?: 'exclusive' | 'independent';
  /** Shape of the targets that predictions of a shape are held against. Without it only `compute` can tell. */
  targetShape?(predictions: Shape): Shape;
  /** Shape of the weights, one for each row: predictions without the last axis. Without it there can be none. */
  weightShape?(predictions: Shape): Shape;
  /**
   * Mean over the batch (and over time), shape []. Weighted it is Σ w·ℓ / number of rows, not / Σ w: for a masked mean
   * the caller scales its mask by rows / rows that count, as Keras does. With `leavesOut`, rows of weight 0 may hold
   * any numbers, NaN too.
   *
   * @param weights f32 of `weightShape`, constants.
   * @param options.isLastUse whether nobody reads the predictions afterwards, so that the loss may overwrite them.
   * @throws ArgumentError if a shape does not fit.
   */
  compute(yTrue: Tensor, yPred: Tensor, weights?: Tensor, options?: { isLastUse?: boolean }): Tensor;
  /**
   * Whether `compute` itself leaves out rows of weight 0. Without it they hold ½, and their targets 1 or class 0,
   * before it sees them.
   */
  readonly leavesOut?: boolean;
  /** The loss of each row, of `weightShape`. */
  values?(yTrue: Tensor, yPred: Tensor): Tensor;
  /**
   * 1 for each row that counts and 0 for those that the targets ask to leave out, of `weightShape`. Without it all
   * count.
   */
  counted?(yTrue: Tensor): Tensor;
  /**
   * Throws `ArgumentError` at targets that can only be a mistake; `predictions` is the shape of theirs, `what` the
   * targets' name.
   */
  checkTargets?(targets: NdArray, predictions: Shape, what: string): void;
  /** Options, JSON, from which `lossOf(name, config)` makes an equal loss. Without it a file has its name alone. */
  config?(): LossConfig;
}

/** Whether the loss has an option `fromLogits`. */
export const readsEither = (loss: Loss): boolean => Object.hasOwn(loss.config?.() ?? {}, 'fromLogits');

/**
 * What the sum of weighted row losses is divided by: `sumOverBatchSize` the number of rows, `sum` nothing,
 * `meanWithSampleWeight` the sum of the weights (nothing weighs anything: the loss is 0).
 */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'meanWithSampleWeight';

export interface LossOptions {
  /** Default `sumOverBatchSize`. */
  reduction?: Reduction | undefined;
}

export const REDUCTIONS: readonly Reduction[] = ['sumOverBatchSize', 'sum', 'meanWithSampleWeight'];

/** By what the mean over rows is to be multiplied to give the reduction. */
export function reductionFactor(reduction: Reduction, rows: number, weights: Tensor | undefined): number {
  if (reduction === 'sumOverBatchSize') return 1;
  if (reduction === 'sum') return rows;
  if (!weights) return 1;
  const total = weights.engine.kernels.sum(weights.size, weights.ptr);
  return total === 0 ? 0 : rows / total;
}

/**
 * Targets and predictions of which rows of weight 0 hold numbers that no loss stumbles over, whatever they held: ½ as a
 * prediction, and as a target `target` or 1, or class 0. No gradient reaches these rows.
 */
export function withoutZeroRows(
  yTrue: Tensor,
  yPred: Tensor,
  weights: Tensor | undefined,
  target = yTrue.dtype === 'i32' ? 0 : 1,
): [yTrue: Tensor, yPred: Tensor] {
  if (!weights?.dataView().includes(0)) return [yTrue, yPred];
  const without = (x: Tensor, value: number): Tensor => Object.assign(select(weights, x, value), { mask: x.mask });
  return [without(yTrue, target), without(yPred, 0.5)];
}

/** Row losses reduced to one number. */
export function reduceRows(values: Tensor, weights: Tensor | undefined, reduction: Reduction): Tensor {
  const weighed = weights ? mul(values, weights) : values;
  // Of no rows, as of a batch whose sequences have no steps, the loss is 0.
  const average = values.size === 0 ? sum(weighed) : mean(weighed);
  const factor = reductionFactor(reduction, values.size, weights);
  return factor === 1 ? average : scale(average, factor);
}

interface RowLoss extends Pick<Loss, 'name' | 'reads' | 'classes' | 'checkTargets' | 'targetShape'> {
  values(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: LossConfig;
}

const withoutLast = (shape: Shape): Shape => shape.slice(0, -1);

/** A loss that is all said by the loss of each row. Without `targetShape` targets have the predictions' shape. */
export function rowLoss(
  { values, config, targetShape = (shape) => shape, ...loss }: RowLoss,
  options: LossOptions,
): Loss {
  const { name } = loss;
  const { reduction = 'sumOverBatchSize' } = checkOptions(name, options, { reduction: 1 });
  expectChoice(name, 'reduction', reduction, REDUCTIONS);
  const checked = (yTrue: Tensor, yPred: Tensor, weights?: Tensor): Tensor => {
    expectShape(`${name}: targets`, yTrue.shape, targetShape(yPred.shape));
    return values(...withoutZeroRows(yTrue, yPred, weights));
  };
  return {
    ...loss,
    targetDtype: 'f32',
    targetShape,
    weightShape: withoutLast,
    leavesOut: true,
    values: (yTrue, yPred) => checked(yTrue, yPred),
    compute(yTrue, yPred, weights) {
      if (weights) expectShape(`${name}: weights`, weights.shape, withoutLast(yPred.shape));
      return reduceRows(checked(yTrue, yPred, weights), weights, reduction);
    },
    config: () => ({ ...config, ...reductionConfig(reduction) }),
  };
}

/** What a configuration says of the reduction: nothing where it is the usual one. */
export const reductionConfig = (reduction: Reduction): LossConfig =>
  reduction === 'sumOverBatchSize' ? {} : { reduction };

export const sumRows = (x: Tensor): Tensor => sum(x, { axis: -1 });
export const meanRows = (x: Tensor): Tensor => mean(x, { axis: -1 });

/** Each row divided by one number. */
export const divideRows = (x: Tensor, each: Tensor): Tensor => div(x, reshape(each, [...each.shape, 1]));
