import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { conv1dLength, conv1d as convolve, type Conv1dOptions as Windows } from '../ops/products/convolution.ts';
import { type ActivationSpec, activation } from './activations/activations.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { InitializerSpec } from './base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from './base/layer.ts';
import type { RegularizerSpec } from './base/regularizers.ts';
import type { ConstraintSpec } from './constraints/constraint.ts';

export interface Conv1dOptions extends LayerOptions {
  /** Number of features in the output. */
  filters: number;
  /** Number K of steps in a window. */
  kernelSize: number;
  /** Steps from one window to the next. Default 1. */
  strides?: number | undefined;
  /**
   * `valid`: windows lie inside the sequence. `same`: zeros on both sides. `causal`: zeros in front. Default `valid`.
   */
  padding?: 'valid' | 'same' | 'causal' | undefined;
  /** Distance between the steps of a window. Default 1. */
  dilationRate?: number | undefined;
  /** Number of groups of channels, each of which is convolved by itself. Default 1. */
  groups?: number | undefined;
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

const own: OwnNames<Conv1dOptions> = {
  filters: 1,
  kernelSize: 1,
  strides: 1,
  padding: 1,
  dilationRate: 1,
  groups: 1,
  activation: 1,
  useBias: true,
  kernelInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  biasRegularizer: 1,
  kernelConstraint: 1,
  biasConstraint: 1,
};

class Conv1d extends BuiltInLayer {
  readonly className = 'Conv1D';
  readonly #options: Conv1dOptions;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: Conv1dOptions) {
    super('conv1d', options, own);
    expectCount('conv1d: filters', options.filters);
    expectCount('conv1d: kernelSize', options.kernelSize);
    expectCount('conv1d: dilationRate', options.dilationRate ?? 1);
    expectCount('conv1d: groups', options.groups ?? 1);
    activation(options.activation ?? 'linear', 'conv1d: activation');
    this.#options = options;
    // This length is enough for any window, so only a wrong option throws here.
    conv1dLength(options.kernelSize * (options.dilationRate ?? 1), options.kernelSize, this.#windows);
  }

  get #windows(): Windows {
    const { strides = 1, padding = 'valid', dilationRate = 1, groups = 1 } = this.#options;
    return { strides, padding, dilationRate, groups };
  }

  override describe(): string {
    return `${this.name}(filters=${this.#options.filters})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null] = inputShape;
    const { filters, kernelSize } = this.#options;
    return [batch, time === null ? null : conv1dLength(time, kernelSize, this.#windows), filters];
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
    const { filters, groups = 1 } = this.#options;
    if ((inputShape[2] ?? 0) % groups || filters % groups) {
      throw new ArgumentError(
        `${this.describe()}: groups expected a divisor of ${inputShape[2]} channels and ${filters} filters, got ${groups}`,
      );
    }
    this.outputShape(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { filters, kernelSize, groups = 1, useBias = true } = this.#options;
    const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    const { kernelRegularizer, biasRegularizer } = this.#options;
    const shape = [kernelSize, this.inputWidth(inputShape) / groups, filters];
    this.#kernel = this.addWeight('kernel', shape, kernelInitializer, kernelRegularizer);
    if (useBias) this.#bias = this.addWeight('bias', [filters], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    return activation(this.#options.activation ?? 'linear')(convolve(x, this.#kernel!, this.#bias, this.#windows));
  }
}

/**
 * Convolution over time.
 *
 * y[b, t, :] = activation(Σ_k x[b, t·strides + k·dilationRate, :]·kernel[k] + bias)
 *
 * Input `[B, T, I]` f32; output `[B, T′, filters]`. T′ = ⌊(T − (K − 1)·dilationRate − 1)/strides⌋ + 1 with `valid`
 * padding, ⌈T/strides⌉ with `same` and `causal`. Weights: kernel `[K, I/groups, filters]` with K = `kernelSize`,
 * bias `[filters]`. As in Keras, the output carries no mask.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, `padding` is not one of its values,
 *   or the activation, an initializer or a regularizer is unknown; when called, if the input is not a tensor of three
 *   axes, has an I that differs from the kernel's or that `groups` does not divide, or, with `valid` padding, is
 *   shorter than a window.
 * @see keras.layers.Conv1D
 *
 * @example
 * const features = conv1d({ filters: 4, kernelSize: 3, padding: 'causal' });
 * features(tensor([[[1], [2], [3]]])).shape; // [1, 3, 4]
 */
export const conv1d = (options: Conv1dOptions): Layer => new Conv1d(options);
