import type { Tensor } from '../../autograd/tensor.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import { BuiltInLayer } from '../base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from '../base/layer.ts';
import { type ActivationSpec, activationName, activation as functionOf } from './activations.ts';

export interface ActivationOptions extends LayerOptions {
  activation: ActivationSpec;
}

const own: OwnNames<ActivationOptions> = { activation: 1 };

class Activation extends BuiltInLayer {
  readonly className = 'Activation';
  readonly #activation: ActivationSpec;

  constructor(options: ActivationOptions) {
    super('activation', options, own);
    functionOf(options.activation, 'activation: activation');
    this.#activation = options.activation;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override get outputActivation(): string {
    return activationName(this.#activation);
  }

  override addToStream(program: StreamProgram): void {
    program.activation(this.outputActivation);
  }

  protected override call(x: Tensor): Tensor {
    return functionOf(this.#activation)(x);
  }
}

/**
 * y = activation(x), of any shape.
 *
 * @throws ArgumentError if the activation is unknown.
 * @see keras.layers.Activation
 */
export const activation = (options: ActivationOptions): Layer => new Activation(options);
