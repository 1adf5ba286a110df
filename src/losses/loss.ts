import { type DType, expectShape, type Tensor } from '../autograd/tensor.ts';
import { expectChoice } from '../checks/choices.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';
import type { NdArray } from '../data/array.ts';
import { div, mul, scale } from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';
import { mean, sum } from '../ops/reduce.ts';
import { reshape } from '../ops/shapes/layout.ts';

/** Options of a loss, in JSON. */
export type LossConfig = Readonly<Record<string, string | number | boolean | null | undefined | readonly number[]>>;

/**
 * A loss to train on: which targets and predictions it reads, and how it is computed.
 *
 * L = Σᵣ wᵣ·ℓᵣ / number of rows, where ℓᵣ is the loss of row r, and a row is the last axis of the predictions
 */
export interface Loss {
  readonly name: string;
  /** i32 if targets are class ids. */
  readonly targetDtype: DType;
  /** Whether predictions are probabilities or logits, if the loss needs one of the two. */
  readonly reads?: 'probabilities' | 'logits';
  /** Whether the last axis of predictions is one choice among classes, or an independent choice for each. */
  readonly classes?: 'exclusive' | 'independent';
  /**
   * Shape of the targets for the shape of the predictions. If it is missing, `compute` checks the shape of the targets.
   */
  targetShape?(predictions: Shape): Shape;
  /**
   * Shape of the weights, one for each row: that of the predictions without the last axis. If it is missing, the loss
   * takes no weights.
   */
  weightShape?(predictions: Shape): Shape;
  /**
   * The loss of a batch: the mean over rows, shape []. With weights it is Σ w·ℓ / number of rows, not divided by Σ w.
   * For a masked mean the caller multiplies the mask by the number of rows / the number of unmasked rows, as Keras
   * does. With `leavesOut`, rows of weight 0 may hold any numbers, NaN too.
   *
   * @param weights f32 of `weightShape`, constants.
   * @param options.isLastUse whether the predictions are not read afterwards, so that the loss may overwrite them.
   * @throws ArgumentError if a shape does not fit.
   */
  compute(yTrue: Tensor, yPred: Tensor, weights?: Tensor, options?: { isLastUse?: boolean }): Tensor;
  /**
   * Whether `compute` itself leaves out rows of weight 0. If not, the predictions of these rows are replaced by ½, and
   * their targets by 1 or class 0, before `compute` gets them.
   */
  readonly leavesOut?: boolean;
  /** The loss of each row, in `weightShape`. */
  values?(yTrue: Tensor, yPred: Tensor): Tensor;
  /**
   * 1 for rows that count and 0 for rows that the targets exclude, in `weightShape`. If it is missing, all rows count.
   */
  counted?(yTrue: Tensor): Tensor;
  /**
   * Throws `ArgumentError` for targets that can only be a mistake. `predictions` is the shape of their predictions,
   * `what` the name of the targets.
   */
  checkTargets?(targets: NdArray, predictions: Shape, what: string): void;
  /**
   * Options, JSON, from which `lossOf(name, config)` makes an equal loss. Without it a model file keeps only the name.
   */
  config?(): LossConfig;
}

/** Whether the loss has an option `fromLogits`. */
export const readsEither = (loss: Loss): boolean => Object.hasOwn(loss.config?.() ?? {}, 'fromLogits');

/**
 * How weighted losses of rows become one number: `sumOverBatchSize` divides their sum by the number of rows, `sum` does
 * not divide it, `meanWithSampleWeight` divides it by the sum of the weights. If all weights are 0, that loss is 0.
 */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'meanWithSampleWeight';

export interface LossOptions {
  /** Default `sumOverBatchSize`. */
  reduction?: Reduction | undefined;
}

export const REDUCTIONS: readonly Reduction[] = ['sumOverBatchSize', 'sum', 'meanWithSampleWeight'];

/** The factor that turns the mean over rows into the reduction. */
export function reductionFactor(reduction: Reduction, rows: number, weights: Tensor | undefined): number {
  if (reduction === 'sumOverBatchSize') return 1;
  if (reduction === 'sum') return rows;
  if (!weights) return 1;
  const total = weights.engine.kernels.sum(weights.size, weights.ptr);
  return total === 0 ? 0 : rows / total;
}

/**
 * Replaces the numbers in rows of weight 0, so that NaN there has no effect: a prediction becomes ½, a target becomes
 * `target`, by default 1 or class 0. These rows get no gradient.
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
  // The loss of no rows is 0: a batch may hold only sequences without steps.
  const average = values.size === 0 ? sum(weighed) : mean(weighed);
  const factor = reductionFactor(reduction, values.size, weights);
  return factor === 1 ? average : scale(average, factor);
}

interface RowLoss extends Pick<Loss, 'name' | 'reads' | 'classes' | 'checkTargets' | 'targetShape'> {
  values(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: LossConfig;
}

const withoutLast = (shape: Shape): Shape => shape.slice(0, -1);

/** A loss that is defined by the loss of each row. Without `targetShape`, targets have the shape of the predictions. */
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

/** The reduction as a part of a configuration, empty for the default. */
export const reductionConfig = (reduction: Reduction): LossConfig =>
  reduction === 'sumOverBatchSize' ? {} : { reduction };

export const sumRows = (x: Tensor): Tensor => sum(x, { axis: -1 });
export const meanRows = (x: Tensor): Tensor => mean(x, { axis: -1 });

/** Each row divided by one number. */
export const divideRows = (x: Tensor, each: Tensor): Tensor => div(x, reshape(each, [...each.shape, 1]));
