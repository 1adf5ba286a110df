import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectCount } from '../checks/argument-error.ts';
import { linear } from '../ops/products/linear.ts';
import type { StreamProgram } from '../streaming/program.ts';
import { type ActivationSpec, activation, activationName } from './activations/activations.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { InitializerSpec } from './base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';
import type { RegularizerSpec } from './base/regularizers.ts';
import type { ConstraintSpec } from './constraints/constraint.ts';

export interface DenseOptions extends LayerOptions {
  /** Width of the output. */
  units: number;
  /** Default `linear`. */
  activation?: ActivationSpec | undefined;
  /** Default true. */
  useBias?: boolean | undefined;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  biasRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
  biasConstraint?: ConstraintSpec | undefined;
}

const own: OwnNames<DenseOptions> = {
  units: 1,
  activation: 1,
  useBias: true,
  kernelInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  biasRegularizer: 1,
  kernelConstraint: 1,
  biasConstraint: 1,
};

class Dense extends BuiltInLayer {
  readonly className = 'Dense';
  readonly #options: DenseOptions;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: DenseOptions) {
    super('dense', options, own);
    expectCount('dense: units', options.units);
    activation(options.activation ?? 'linear', 'dense: activation');
    this.#options = options;
  }

  get activation(): ActivationSpec {
    return this.#options.activation ?? 'linear';
  }

  override get outputActivation(): string {
    return activationName(this.activation);
  }

  override describe(): string {
    return `${this.name}(units=${this.#options.units})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.#options.units];
  }

  override addToStream(program: StreamProgram): void {
    program.dense({ kernel: this.#kernel!, bias: this.#bias });
    program.activation(this.outputActivation);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { units, useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    const { kernelRegularizer, biasRegularizer } = this.#options;
    this.#kernel = this.addWeight('kernel', [this.inputWidth(inputShape), units], kernelInitializer, kernelRegularizer);
    if (useBias) this.#bias = this.addWeight('bias', [units], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    return activation(this.activation)(linear(x, this.#kernel!, this.#bias));
  }
}

/**
 * A fully connected layer over the last axis.
 *
 * y = activation(x·kernel + bias)
 *
 * Input `[B, …, I]` f32; output `[B, …, units]`. Weights: kernel `[I, units]`, bias `[units]`.
 *
 * @param options `units` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, or the activation, an initializer
 *   or a regularizer is unknown; when called, if the input is not a tensor, has a last axis of unknown or zero length,
 *   or has an I that differs from the kernel's.
 * @see keras.layers.Dense
 *
 * @example
 * const hidden = dense({ units: 3, activation: 'relu' });
 * hidden(tensor([[1, 2]])).shape; // [1, 3]
 */
export const dense = (options: DenseOptions): Layer => new Dense(options);
