import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { repeat } from '../ops/shapes/broadcast.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';

export interface RepeatVectorOptions extends LayerOptions {
  /** Number T of steps to make. */
  n: number;
}

const own: OwnNames<RepeatVectorOptions> = { n: 1 };

class RepeatVector extends BuiltInLayer {
  readonly className = 'RepeatVector';
  readonly #n: number;

  constructor(options: RepeatVectorOptions) {
    super('repeat_vector', options, own);
    this.#n = expectCount('repeatVector: n', options.n);
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, features = null] = inputShape;
    return [batch, this.#n, features];
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length === 2) return;
    throw new ArgumentError(`${this.describe()}: input expected [batch, features], got ${formatShape(inputShape)}`);
  }

  protected override call(x: Tensor): Tensor {
    return repeat(x, this.#n);
  }
}

/**
 * Repeats a vector over n time steps, for a decoder to read.
 *
 * y[b, t, :] = x[b, :], t = 0 … n − 1
 *
 * Input `[B, F]` f32; output `[B, n, F]`. No weights.
 *
 * @param options `n` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `n` is not a positive integer; when called, if the input is not a
 *   tensor of two axes.
 * @see keras.layers.RepeatVector
 *
 * @example
 * repeatVector({ n: 3 })(tensor([[1, 2]])).shape; // [1, 3, 2]
 */
export const repeatVector = (options: RepeatVectorOptions): Layer => new RepeatVector(options);
