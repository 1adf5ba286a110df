import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { repeat } from '../ops/shapes/broadcast.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';

export interface RepeatVectorOptions extends LayerOptions {
  /** How many steps T to make. */
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
 * y[b, t, :] = x[b, :] for n steps t: what a decoder reads that is told one vector.
 *
 * Input `[B, F]`, output `[B, n, F]`.
 *
 * @throws ArgumentError if `n` is no positive integer; when called, if the input has not two axes.
 * @see keras.layers.RepeatVector
 */
export const repeatVector = (options: RepeatVectorOptions): Layer => new RepeatVector(options);
