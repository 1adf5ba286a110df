import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { type ActivationSpec, activation } from '../layers/activations/activations.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import type { ConstraintSpec } from '../layers/constraints/constraint.ts';
import { conv2d as convolve, expectGroups } from './convolution/conv2d.ts';
import {
  expectChannelsLast,
  expectImages,
  lengthOf,
  type Pair,
  pairOf,
  type WindowOptions,
  windowsOf,
} from './convolution/geometry.ts';

/** Options of layers that convolve images. */
export interface ImageConvolutionOptions extends LayerOptions, WindowOptions {
  /** Rows and columns of the kernel: a number for both, or `[height, width]`. */
  kernelSize: Pair;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
  /** Default `linear`. */
  activation?: ActivationSpec | undefined;
  /** Default true. */
  useBias?: boolean | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
  biasRegularizer?: RegularizerSpec | undefined;
  biasConstraint?: ConstraintSpec | undefined;
}

/** Names of `ImageConvolutionOptions`. */
export const imageConvolutionNames: OwnNames<ImageConvolutionOptions> = {
  kernelSize: 1,
  strides: 1,
  padding: 1,
  dilationRate: 1,
  dataFormat: 1,
  activation: 1,
  useBias: true,
  biasInitializer: 1,
  biasRegularizer: 1,
  biasConstraint: 1,
};

export interface Conv2dOptions extends ImageConvolutionOptions {
  /** Number of channels in the output. */
  filters: number;
  /** Number of groups of channels, each of which is convolved by itself. Default 1. */
  groups?: number | undefined;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
}

const own: OwnNames<Conv2dOptions> = {
  ...imageConvolutionNames,
  filters: 1,
  groups: 1,
  kernelInitializer: 1,
  kernelRegularizer: 1,
  kernelConstraint: 1,
};

/** Checks the options that layers of convolutions share. Throws `ArgumentError` for one out of range. */
export function checkImageConvolution(what: string, options: ImageConvolutionOptions): void {
  pairOf(`${what}: kernelSize`, options.kernelSize);
  windowsOf(what, options);
  expectChannelsLast(what, options.dataFormat);
  activation(options.activation ?? 'linear', `${what}: activation`);
}

/** The shape `[batch, height, width, channels]` of the output of windows. */
export function convolvedShape(
  what: string,
  options: ImageConvolutionOptions,
  inputShape: BatchShape,
  channels: number,
): BatchShape {
  const windows = windowsOf(what, options);
  const [rows, cols] = pairOf(what, options.kernelSize);
  const [batch = null, height = null, width = null] = inputShape;
  return [batch, lengthOf(what, windows, 0, height, rows), lengthOf(what, windows, 1, width, cols), channels];
}

class Conv2d extends BuiltInLayer {
  readonly className = 'Conv2D';
  readonly #options: Conv2dOptions;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: Conv2dOptions) {
    super('conv2d', options, own);
    expectCount('conv2d: filters', options.filters);
    checkImageConvolution('conv2d', options);
    const { groups = 1, filters } = options;
    expectCount('conv2d: groups', groups);
    if (filters % groups !== 0) {
      throw new ArgumentError(`conv2d: groups expected a divisor of ${filters} filters, got ${groups}`);
    }
    this.#options = options;
  }

  override describe(): string {
    return `${this.name}(filters=${this.#options.filters})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return convolvedShape(this.describe(), this.#options, inputShape, this.#options.filters);
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    expectImages(this.describe(), inputShape);
    const { groups = 1, filters } = this.#options;
    expectGroups(this.describe(), groups, this.inputWidth(inputShape), filters);
    this.outputShape(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { filters, kernelSize, groups = 1, useBias = true } = this.#options;
    const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    const { kernelRegularizer, biasRegularizer } = this.#options;
    const shape = [...pairOf('kernelSize', kernelSize), this.inputWidth(inputShape) / groups, filters];
    this.#kernel = this.addWeight('kernel', shape, kernelInitializer, kernelRegularizer);
    if (useBias) this.#bias = this.addWeight('bias', [filters], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    const { strides, padding, dilationRate, groups } = this.#options;
    const y = convolve(x, this.#kernel!, this.#bias, { strides, padding, dilationRate, groups });
    return activation(this.#options.activation ?? 'linear')(y);
  }
}

/**
 * Convolution over images.
 *
 * y[b, r, c, :] = activation(Σ_ky Σ_kx x[b, r·s + ky·d, c·s + kx·d, :]·kernel[ky, kx] + bias), where s are the strides
 * and d the dilation rates
 *
 * Input `[B, H, W, I]` f32; output `[B, H′, W′, filters]`. H′ = ⌊(H − (KH − 1)·dilationRate − 1)/strides⌋ + 1 with
 * `valid` padding, ⌈H/strides⌉ with `same`; W′ likewise. Weights: kernel `[KH, KW, I/groups, filters]`, bias
 * `[filters]`. As in Keras, the output carries no mask.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or two, `padding` is not one of its
 *   values, `dataFormat` is not `channelsLast`, `groups` does not divide the filters, or the activation, an initializer
 *   or a regularizer is unknown; when called, if the input is not a tensor of four axes, has an I that differs from the
 *   kernel's or that `groups` does not divide, or, with `valid` padding, is smaller than a window.
 * @see keras.layers.Conv2D
 *
 * @example
 * const features = conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' });
 * features(ops.ones([2, 28, 28, 1])).shape; // [2, 28, 28, 4]
 */
export const conv2d = (options: Conv2dOptions): Layer => new Conv2d(options);
