import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { reshape as reshapeTensor } from '../ops/shapes/layout.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';

/** A layer that changes the shape of each sample, but not its elements. */
abstract class ReshapingLayer extends BuiltInLayer {
  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Tensor): Tensor {
    return reshapeTensor(x, this.outputShape(x.shape) as number[]);
  }
}

class Flatten extends ReshapingLayer {
  readonly className = 'Flatten';

  constructor(options: LayerOptions) {
    super('flatten', options, {});
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [inputShape[0] ?? null, sizeOf(inputShape.slice(1))];
  }
}

/**
 * Flattens each sample to one vector.
 *
 * y[b, :] = the elements of x[b], row-major
 *
 * Input `[B, …]` f32; output `[B, n]`, where n is the number of elements of a sample. As in Keras, the output carries
 * no mask. No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a tensor.
 * @see keras.layers.Flatten
 *
 * @example
 * flatten()(tensor([[[1, 2], [3, 4]]])).shape; // [1, 4]
 */
export const flatten = (options: LayerOptions = {}): Layer => new Flatten(options);

export interface ReshapeOptions extends LayerOptions {
  /** Shape of one sample. At most one length may be −1; it is computed from the others. */
  targetShape: readonly number[];
}

const own: OwnNames<ReshapeOptions> = { targetShape: 1 };

class Reshape extends ReshapingLayer {
  readonly className = 'Reshape';
  readonly #targetShape: readonly number[];

  constructor(options: ReshapeOptions) {
    super('reshape', options, own);
    const { targetShape } = options;
    expectList('reshape: targetShape', targetShape);
    const isLength = (n: number): boolean => n === -1 || (Number.isInteger(n) && n >= 1);
    if (!targetShape.every(isLength) || targetShape.filter((n) => n === -1).length > 1) {
      throw new ArgumentError(
        `reshape: targetShape expected integers ≥ 1, one of them −1 at most, got ${formatShape(targetShape)}`,
      );
    }
    this.#targetShape = targetShape;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const known = sizeOf(this.#targetShape.filter((n) => n !== -1))!;
    const size = sizeOf(inputShape.slice(1));
    const [batch = null] = inputShape;
    if (size === null) return [batch, ...this.#targetShape.map((n) => (n === -1 ? null : n))];
    const rest = size / known;
    if (this.#targetShape.includes(-1) ? !Number.isInteger(rest) : rest !== 1) {
      throw new ArgumentError(
        `${this.describe()}: input expected samples that fill ${formatShape(this.#targetShape)}, got ${formatShape(inputShape)}`,
      );
    }
    return [batch, ...this.#targetShape.map((n) => (n === -1 ? rest : n))];
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.outputShape(inputShape);
  }
}

/** Number of elements in a sample of this shape; null if a length is unknown. */
const sizeOf = (shape: BatchShape): number | null =>
  shape.reduce<number | null>((size, n) => (size === null || n === null ? null : size * n), 1);

/**
 * Changes the shape of each sample. Its elements stay in row-major order.
 *
 * Input `[B, …]` f32; output `[B, …targetShape]`. As in Keras, the output carries no mask. No weights.
 *
 * @param options `targetShape` is required; at most one of its lengths may be −1, which is computed from the others.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, or `targetShape` is not a list of integers ≥ 1 with at most one −1;
 *   when called, if the input is not a tensor or a sample does not fill the shape.
 * @see keras.layers.Reshape
 *
 * @example
 * reshape({ targetShape: [2, -1] })(tensor([[1, 2, 3, 4]])).shape; // [1, 2, 2]
 */
export const reshape = (options: ReshapeOptions): Layer => new Reshape(options);
