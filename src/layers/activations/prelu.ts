import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import { add, maximum, minimum, mul } from '../../ops/elementwise/elementwise.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import { BuiltInLayer } from '../base/built-in-layer.ts';
import type { InitializerSpec } from '../base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from '../base/layer.ts';
import type { RegularizerSpec } from '../base/regularizers.ts';
import type { ConstraintSpec } from '../constraints/constraint.ts';

/** Options of `prelu`. */
export interface PreluOptions extends LayerOptions {
  /** Initial slopes. Default `zeros`. */
  alphaInitializer?: InitializerSpec | undefined;
  alphaRegularizer?: RegularizerSpec | undefined;
  alphaConstraint?: ConstraintSpec | undefined;
  /**
   * The axes along which one slope serves all elements, with the batch as axis 0; alpha then has the shape of a sample,
   * with 1 for these axes, as in Keras. Default: all but the last, and alpha has one axis.
   */
  sharedAxes?: readonly number[] | undefined;
}

const own: OwnNames<PreluOptions> = { alphaInitializer: 1, alphaRegularizer: 1, alphaConstraint: 1, sharedAxes: 1 };

class Prelu extends BuiltInLayer {
  readonly className = 'PReLU';
  readonly #options: PreluOptions;
  #alpha: Parameter | undefined;

  constructor(options: PreluOptions) {
    super('prelu', options, own);
    const { sharedAxes } = options;
    const isAxes =
      sharedAxes === undefined || (Array.isArray(sharedAxes) && sharedAxes.every((n) => n >= 1 && n % 1 === 0));
    if (!isAxes) throw new ArgumentError(`prelu: sharedAxes expected a list of axes from 1, got ${shown(sharedAxes)}`);
    this.#options = options;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { alphaInitializer = 'zeros', alphaRegularizer, sharedAxes } = this.#options;
    const shape = sharedAxes ? this.#slopesOf(inputShape, sharedAxes) : [this.inputWidth(inputShape)];
    this.#alpha = this.addWeight('alpha', shape, alphaInitializer, alphaRegularizer);
  }

  /** The shape of a sample, with 1 for the axes that share a slope. */
  #slopesOf(inputShape: BatchShape, shared: readonly number[]): Shape {
    const other = shared.find((axis) => axis >= inputShape.length);
    const shape = inputShape.slice(1).map((n, i) => (shared.includes(i + 1) ? 1 : n));
    if (other === undefined && shape.every((n) => n !== null)) return shape;
    const got = `${formatShape(inputShape)} and sharedAxes ${formatShape(shared)}`;
    throw new ArgumentError(
      `${this.describe()}: input expected known lengths of the axes that share no slope, got ${got}`,
    );
  }

  protected override call(x: Tensor): Tensor {
    return add(maximum(x, 0), mul(minimum(x, 0), this.#alpha!));
  }
}

/**
 * A rectifier with a trained slope for the negative numbers of each feature.
 *
 * y = max(x, 0) + alpha·min(x, 0)
 *
 * Input `[B, …, F]` f32; output of the same shape. Weight: alpha `[F]`, or with `sharedAxes` the shape of a sample with
 * 1 for these axes.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends; outside
 *   a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option, the initializer, the regularizer or the constraint is unknown, or `sharedAxes` is
 *   not a list of integers ≥ 1; when called, if the input is not a tensor, its shape does not fit alpha, or a length
 *   that alpha needs is unknown.
 * @see keras.layers.PReLU
 *
 * @example
 * prelu({ alphaInitializer: 'ones' })(tensor([[1, -2]])).toArray(); // 1, -2
 */
export const prelu = (options: PreluOptions = {}): Layer => new Prelu(options);
