import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../checks/argument-error.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { addScalar, scale } from '../ops/elementwise/elementwise.ts';

export interface RescalingOptions extends LayerOptions {
  /** The factor. */
  scale: number;
  /** Added to the product. Default 0. */
  offset?: number | undefined;
}

const own: OwnNames<RescalingOptions> = { scale: 1, offset: 1 };

class Rescaling extends BuiltInLayer {
  readonly className = 'Rescaling';
  readonly #scale: number;
  readonly #offset: number;

  constructor(options: RescalingOptions) {
    super('rescaling', options, own);
    const { scale: factor, offset = 0 } = options;
    for (const [name, value] of Object.entries({ scale: factor, offset })) {
      if (!isFloat32(value)) throw new ArgumentError(`rescaling: ${name} expected a number, got ${shown(value)}`);
    }
    [this.#scale, this.#offset] = [factor, offset];
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override call(x: Tensor): Tensor {
    const y = scale(x, this.#scale);
    return this.#offset === 0 ? y : addScalar(y, this.#offset);
  }
}

/**
 * Multiplies by a number and adds another, as for pixels from 0 to 255.
 *
 * y = scale·x + offset
 *
 * Input `[B, …]` f32; output of the same shape. No weights.
 *
 * @param options `scale` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `scale` or `offset` is not a finite number; when called, if the
 *   input is not a tensor.
 * @see keras.layers.Rescaling
 *
 * @example
 * rescaling({ scale: 1 / 127.5, offset: -1 })(tensor([[0, 255]])).toArray(); // −1, 1
 */
export const rescaling = (options: RescalingOptions): Layer => new Rescaling(options);
