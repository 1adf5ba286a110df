import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { recordChange } from '../engine/transaction.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { CallOptions, Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import type { ConstraintSpec } from '../layers/constraints/constraint.ts';
import { expectEpsilon } from '../ops/epsilon.ts';
import { expectAxis } from '../ops/shapes/axis.ts';
import { spreadMask } from '../ops/shapes/broadcast.ts';
import { asRows, transpose } from '../ops/shapes/layout.ts';
import { batchNorm, columnStatistics, type Statistics } from './batch-norm.ts';

export interface BatchNormalizationOptions extends LayerOptions {
  /** The axis of the features, each of which has its own statistics; not the batch. Default −1, the last. */
  axis?: number | undefined;
  /** What a training step keeps of the moving statistics, in [0, 1]. Default 0.99. */
  momentum?: number | undefined;
  /** Added to the variance. Default 1e-3. */
  epsilon?: number | undefined;
  /** Whether to add a trained `beta`. Default true. */
  center?: boolean | undefined;
  /** Whether to multiply by a trained `gamma`. Default true. */
  scale?: boolean | undefined;
  /** Default `zeros`. */
  betaInitializer?: InitializerSpec | undefined;
  /** Default `ones`. */
  gammaInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  movingMeanInitializer?: InitializerSpec | undefined;
  /** Default `ones`. */
  movingVarianceInitializer?: InitializerSpec | undefined;
  betaRegularizer?: RegularizerSpec | undefined;
  gammaRegularizer?: RegularizerSpec | undefined;
  betaConstraint?: ConstraintSpec | undefined;
  gammaConstraint?: ConstraintSpec | undefined;
}

const own: OwnNames<BatchNormalizationOptions> = {
  axis: 1,
  momentum: 1,
  epsilon: 1,
  center: true,
  scale: true,
  betaInitializer: 1,
  gammaInitializer: 1,
  movingMeanInitializer: 1,
  movingVarianceInitializer: 1,
  betaRegularizer: 1,
  gammaRegularizer: 1,
  betaConstraint: 1,
  gammaConstraint: 1,
};

class BatchNormalization extends BuiltInLayer {
  readonly className = 'BatchNormalization';
  readonly #options: BatchNormalizationOptions;
  readonly #axis: number;
  readonly #momentum: number;
  readonly #epsilon: number;
  #gamma: Parameter | undefined;
  #beta: Parameter | undefined;
  #movingMean: Parameter | undefined;
  #movingVariance: Parameter | undefined;

  constructor(options: BatchNormalizationOptions) {
    super('batch_normalization', options, own);
    const { axis = -1, momentum = 0.99, epsilon = 1e-3 } = options;
    if (!Number.isInteger(axis) || axis === 0) {
      throw new ArgumentError(
        `batchNormalization: axis expected an integer other than 0, the batch, got ${shown(axis)}`,
      );
    }
    if (!(typeof momentum === 'number' && momentum >= 0 && momentum <= 1)) {
      throw new ArgumentError(`batchNormalization: momentum expected a number in [0, 1], got ${shown(momentum)}`);
    }
    expectEpsilon('batchNormalization: epsilon', epsilon);
    this.#options = options;
    [this.#axis, this.#momentum, this.#epsilon] = [axis, momentum, epsilon];
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  /** The moving statistics are never trained. */
  override set trainable(value: boolean) {
    super.trainable = value;
    this.#freezeStatistics();
  }

  #freezeStatistics(): void {
    for (const statistic of [this.#movingMean, this.#movingVariance]) if (statistic) statistic.trainable = false;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  #axisOf(shape: BatchShape): number {
    const axis = expectAxis(`${this.describe()}: axis of ${formatShape(shape)}`, this.#axis, shape.length);
    if (axis > 0) return axis;
    throw new ArgumentError(`${this.describe()}: axis expected another than the batch of ${formatShape(shape)}`);
  }

  /** Whether the length of the last axis may vary depends on `axis`; `checkInput` holds the length of that axis. */
  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    const features = inputShape[this.#axisOf(inputShape)];
    const expected = this.#movingMean?.size;
    if (expected === undefined || !this.isBuilt || features == null || features === expected) return;
    throw new ArgumentError(
      `${this.describe()}: input expected ${expected} features, as it was built for, got ${formatShape(inputShape)}`,
    );
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const features = inputShape[this.#axisOf(inputShape)];
    if (!features) {
      throw new ArgumentError(
        `${this.describe()}: input expected a known length of axis ${this.#axis}, got ${formatShape(inputShape)}`,
      );
    }
    const { center = true, scale = true, betaRegularizer, gammaRegularizer } = this.#options;
    const { betaInitializer = 'zeros', gammaInitializer = 'ones' } = this.#options;
    const { movingMeanInitializer = 'zeros', movingVarianceInitializer = 'ones' } = this.#options;
    if (scale) this.#gamma = this.addWeight('gamma', [features], gammaInitializer, gammaRegularizer);
    if (center) this.#beta = this.addWeight('beta', [features], betaInitializer, betaRegularizer);
    this.#movingMean = this.addWeight('moving_mean', [features], movingMeanInitializer);
    this.#movingVariance = this.addWeight('moving_variance', [features], movingVarianceInitializer);
    this.#freezeStatistics();
  }

  protected override call(x: Tensor, { training, mask }: CallOptions): Tensor {
    const axis = this.#axisOf(x.shape);
    const last = x.shape.length - 1;
    if (axis === last) return this.#normalize(asRows(x), training! && this.trainable, mask);
    if (mask && mask.shape.length > axis) {
      throw new ArgumentError(
        `${this.describe()}: mask expected axes in front of axis ${axis}, the features, got ${formatShape(mask.shape)}`,
      );
    }
    const order = [...x.shape.keys()].toSpliced(axis, 1).concat(axis);
    const back = [...order.keys()].toSpliced(last, 1).toSpliced(axis, 0, last);
    return transpose(this.#normalize(transpose(x, order), training! && this.trainable, mask), back);
  }

  /** Normalizes the last axis. */
  #normalize(x: Tensor, byBatch: boolean, mask: Tensor | undefined): Tensor {
    const [gamma, beta] = [this.#gamma?.tensor, this.#beta?.tensor];
    if (!byBatch) {
      const [mean, variance] = [this.#movingMean!.tensor, this.#movingVariance!.tensor];
      return batchNorm(x, gamma, beta, { mean, variance }, this.#epsilon);
    }
    const hidden = mask && spreadMask(`${this.describe()}: mask`, mask, x.shape.slice(0, -1), x.timeMajor);
    const statistics = columnStatistics(x, x.shape.at(-1)!, hidden);
    if (statistics.count > 0) this.#move(statistics);
    return batchNorm(x, gamma, beta, { own: statistics, mask: hidden }, this.#epsilon);
  }

  /** Moves the moving statistics towards those of a batch, unless these are not finite. */
  #move({ mean, variance }: Statistics): void {
    const moves = [
      [this.#movingMean!.tensor, mean],
      [this.#movingVariance!.tensor, variance],
    ] as const;
    if (!moves.every(([, values]) => values.every(isFloat32))) return;
    for (const [moving, values] of moves) {
      const before = moving.toArray() as Float32Array;
      recordChange(() => moving.set(before));
      moving.set(before.map((value, j) => value * this.#momentum + values[j]! * (1 - this.#momentum)));
    }
  }
}

/**
 * Normalizes each feature over the batch.
 *
 * y = gamma∘(x − μ)/√(σ² + epsilon) + beta
 *
 * In training, μ and σ² are the mean and the biased variance of each feature over all other axes of the batch, and
 * gradients flow through them; moving_mean and moving_variance become momentum·(their value) + (1 − momentum)·(μ or
 * σ²). Elsewhere, and if `trainable` is false, μ and σ² are the moving ones.
 *
 * Input `[B, …]` f32; output of the same shape. Weights: gamma `[C]`, beta `[C]`, moving_mean `[C]`, moving_variance
 * `[C]`, where C is the length of `axis`. The last two are not trained; each call in training moves them once, and a
 * step that throws takes the move back. A batch with numbers that are not finite does not move them.
 *
 * Masked positions do not count in μ and σ², though they are normalized too. The mask may have any number of the axes
 * in front of `axis`. In a batch in which nothing counts μ and σ² are 0, and nothing moves. Within `timeDistributed`
 * the statistics are those of all steps together.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `axis` is 0 or no integer, `momentum` is outside [0, 1], `epsilon` is
 *   not a positive number, or an initializer, a regularizer or a constraint is unknown; when called, if the input is
 *   not a tensor, has no such axis, or has a length there that differs from the weights', or if the mask has the axis
 *   of the features.
 * @see Ioffe and Szegedy 2015; keras.layers.BatchNormalization
 *
 * @example
 * const layer = batchNormalization();
 * layer(tensor([[1, 10], [3, 30]]), { training: true }).toArray(); // −1, −1, 1, 1, but for epsilon
 */
export const batchNormalization = (options: BatchNormalizationOptions = {}): Layer => new BatchNormalization(options);
