import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectEpsilon, layerNorm } from '../ops/normalization.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { InitializerSpec } from './base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';
import type { RegularizerSpec } from './base/regularizers.ts';

export interface LayerNormalizationOptions extends LayerOptions {
  /** Added to the variance. Default 1e-3. */
  epsilon?: number | undefined;
  /** Whether to add a trained beta. Default true. */
  center?: boolean | undefined;
  /** Whether to multiply by a trained gamma. Default true. */
  scale?: boolean | undefined;
  /** Default `zeros`. */
  betaInitializer?: InitializerSpec | undefined;
  /** Default `ones`. */
  gammaInitializer?: InitializerSpec | undefined;
  betaRegularizer?: RegularizerSpec | undefined;
  gammaRegularizer?: RegularizerSpec | undefined;
}

const own: OwnNames<LayerNormalizationOptions> = {
  epsilon: 1,
  center: true,
  scale: true,
  betaInitializer: 1,
  gammaInitializer: 1,
  betaRegularizer: 1,
  gammaRegularizer: 1,
};

class LayerNormalization extends BuiltInLayer {
  readonly className = 'LayerNormalization';
  readonly #options: LayerNormalizationOptions;
  #gamma: Parameter | undefined;
  #beta: Parameter | undefined;

  constructor(options: LayerNormalizationOptions) {
    super('layer_normalization', options, own);
    const { epsilon = 1e-3 } = options;
    expectEpsilon('layerNormalization: epsilon', epsilon);
    this.#options = options;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { center = true, scale = true, betaInitializer = 'zeros', gammaInitializer = 'ones' } = this.#options;
    const shape = [this.inputWidth(inputShape)];
    const { betaRegularizer, gammaRegularizer } = this.#options;
    if (scale) this.#gamma = this.addWeight('gamma', shape, gammaInitializer, gammaRegularizer);
    if (center) this.#beta = this.addWeight('beta', shape, betaInitializer, betaRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    return layerNorm(x, this.#gamma, this.#beta, { epsilon: this.#options.epsilon ?? 1e-3 });
  }
}

/**
 * Normalises the features of each step by themselves: y = gamma∘(x − μ)/√(σ² + ε) + beta, μ and σ² over the last axis.
 *
 * Input and output `[B, …, F]`; gamma `[F]`, beta `[F]`.
 *
 * @throws ArgumentError if `epsilon` is no positive number.
 * @see Ba, Kiros and Hinton 2016; keras.layers.LayerNormalization
 */
export const layerNormalization = (options: LayerNormalizationOptions = {}): Layer => new LayerNormalization(options);
