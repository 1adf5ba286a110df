import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectEpsilon } from '../ops/epsilon.ts';
import { layerNorm } from '../ops/normalization.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { InitializerSpec } from './base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';
import type { RegularizerSpec } from './base/regularizers.ts';
import type { ConstraintSpec } from './constraints/constraint.ts';

export interface LayerNormalizationOptions extends LayerOptions {
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
  betaRegularizer?: RegularizerSpec | undefined;
  gammaRegularizer?: RegularizerSpec | undefined;
  betaConstraint?: ConstraintSpec | undefined;
  gammaConstraint?: ConstraintSpec | undefined;
}

const own: OwnNames<LayerNormalizationOptions> = {
  epsilon: 1,
  center: true,
  scale: true,
  betaInitializer: 1,
  gammaInitializer: 1,
  betaRegularizer: 1,
  gammaRegularizer: 1,
  betaConstraint: 1,
  gammaConstraint: 1,
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
 * Normalizes the features of each step separately.
 *
 * y = gamma∘(x − μ)/√(σ² + epsilon) + beta, with mean μ and variance σ² over the last axis
 *
 * Input `[B, …, F]` f32; output of the same shape. Weights: gamma `[F]`, beta `[F]`.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `epsilon` is not a positive number, or an initializer or a regularizer
 *   is unknown; when called, if the input is not a tensor or has an F that differs from that of the weights.
 * @see Ba, Kiros and Hinton 2016; keras.layers.LayerNormalization
 *
 * @example
 * layerNormalization()(tensor([[1, 2, 3]])).shape; // [1, 3]
 */
export const layerNormalization = (options: LayerNormalizationOptions = {}): Layer => new LayerNormalization(options);
