import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { transpose } from '../ops/shapes/layout.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';

export interface PermuteOptions extends LayerOptions {
  /** Axis i of a sample's result is axis `dims[i]` of the sample, counted from 1 as in Keras. */
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
 * Exchanges axes of each sample: `dims: [2, 1]` makes `[B, F, T]` of `[B, T, F]`. As in Keras, the output carries no
 * mask.
 *
 * @throws ArgumentError if `dims` does not name every axis once; when called, if the input has others.
 * @see keras.layers.Permute
 */
export const permute = (options: PermuteOptions): Layer => new Permute(options);
