import type { Tensor } from '../autograd/tensor.ts';
import { addActivation } from '../streaming/activations.ts';
import type { StreamProgram } from '../streaming/program.ts';
import { type ActivationName, activation as functionOf } from './activations.ts';
import { type BatchShape, Layer, type LayerConfig, type LayerOptions } from './layer.ts';

export interface ActivationOptions extends LayerOptions {
  activation: ActivationName;
}

class Activation extends Layer {
  readonly className = 'Activation';
  readonly #name: ActivationName;

  constructor(options: ActivationOptions) {
    super('activation', options);
    functionOf(options.activation);
    this.#name = options.activation;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override get outputActivation(): string {
    return this.#name;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), activation: this.#name };
  }

  override addToStream(program: StreamProgram): void {
    addActivation(program, this.#name);
  }

  protected override call(x: Tensor): Tensor {
    return functionOf(this.#name)(x);
  }
}

/**
 * y = activation(x), of any shape.
 *
 * @throws ArgumentError if the activation is unknown.
 * @see keras.layers.Activation
 */
export const activation = (options: ActivationOptions): Layer => new Activation(options);
