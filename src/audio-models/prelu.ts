import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { add, maximum, minimum, mul } from '../ops/elementwise/elementwise.ts';

/** Options of `prelu`. */
export interface PreluOptions extends LayerOptions {
  /** Initial slopes. Default `zeros`. */
  alphaInitializer?: InitializerSpec | undefined;
}

const own: OwnNames<PreluOptions> = { alphaInitializer: 1 };

class Prelu extends BuiltInLayer {
  readonly className = 'PReLU';
  readonly #options: PreluOptions;
  #alpha: Parameter | undefined;

  constructor(options: PreluOptions) {
    super('prelu', options, own);
    this.#options = options;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#alpha = this.addWeight('alpha', [this.inputWidth(inputShape)], this.#options.alphaInitializer ?? 'zeros');
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
 * Input `[B, …, F]` f32; output of the same shape. Weight: alpha `[F]`.
 *
 * @param options the slopes' initial values.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends; outside
 *   a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option or the initializer is unknown; when called, if the input is not a tensor or its F
 *   differs from that of alpha.
 * @see keras.layers.PReLU, with all axes but the last shared
 *
 * @example
 * prelu({ alphaInitializer: 'ones' })(tensor([[1, -2]])).toArray(); // 1, -2
 */
export const prelu = (options: PreluOptions = {}): Layer => new Prelu(options);
