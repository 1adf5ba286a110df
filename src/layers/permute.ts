import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { transpose } from '../ops/shapes/layout.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';

export interface PermuteOptions extends LayerOptions {
  /** Axis i of the output is axis `dims[i − 1]` of the sample; axes count from 1, as in Keras. */
  dims: readonly number[];
}

const own: OwnNames<PermuteOptions> = { dims: 1 };

class Permute extends BuiltInLayer {
  readonly className = 'Permute';
  readonly #dims: readonly number[];

  constructor(options: PermuteOptions) {
    super('permute', options, own);
    const { dims } = options;
    expectList('permute: dims', dims);
    if (![...dims].every((_, i) => dims.includes(i + 1))) {
      throw new ArgumentError(
        `permute: dims expected every axis from 1 to ${dims.length} once, got ${formatShape(dims)}`,
      );
    }
    this.#dims = dims;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [0, ...this.#dims].map((axis) => inputShape[axis] ?? null);
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length === this.#dims.length + 1) return;
    throw new ArgumentError(
      `${this.describe()}: input expected ${this.#dims.length} axes and the batch, got ${formatShape(inputShape)}`,
    );
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override call(x: Tensor): Tensor {
    return transpose(x, [0, ...this.#dims]);
  }
}

/**
 * Reorders the axes of each sample.
 *
 * y.shape[i] = x.shape[dims[i − 1]] for i = 1 … n; the batch stays axis 0
 *
 * Input `[B, d₁, …, dₙ]` f32; output `[B, …]`. `dims: [2, 1]` turns `[B, T, F]` into `[B, F, T]`. As in Keras, the
 * output carries no mask. No weights.
 *
 * @param options `dims` is required: each axis from 1 to n once.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, or `dims` is not a list that has every axis from 1 to n once; when
 *   called, if the input is not a tensor with n + 1 axes.
 * @see keras.layers.Permute
 *
 * @example
 * permute({ dims: [2, 1] })(tensor([[[1, 2, 3]]])).shape; // [1, 3, 1]
 */
export const permute = (options: PermuteOptions): Layer => new Permute(options);
