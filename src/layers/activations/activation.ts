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
 * Applies an activation.
 *
 * y = activation(x)
 *
 * Input `[…]` f32 of any shape; output of the same shape. No weights.
 *
 * @param options `activation` is required: a name, or a function from a tensor to a tensor of the same shape.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option or the activation is unknown; when called, if the input is not a tensor or the
 *   function changes the shape.
 * @see keras.layers.Activation
 *
 * @example
 * activation({ activation: 'relu' })(tensor([-1, 2])).toArray(); // 0, 2
 */
export const activation = (options: ActivationOptions): Layer => new Activation(options);
