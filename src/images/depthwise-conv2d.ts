import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectCount } from '../checks/argument-error.ts';
import { activation } from '../layers/activations/activations.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { Layer, OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import type { ConstraintSpec } from '../layers/constraints/constraint.ts';
import { linear } from '../ops/products/linear.ts';
import { reshape } from '../ops/shapes/layout.ts';
import {
  checkImageConvolution,
  convolvedShape,
  type ImageConvolutionOptions,
  imageConvolutionNames,
} from './conv2d.ts';
import { depthwiseConv2d as convolve } from './convolution/depthwise.ts';
import { expectImages, pairOf } from './convolution/geometry.ts';

/** Options of layers that convolve each channel by itself. */
interface DepthwiseOptions {
  /** Number M of outputs of each channel. Default 1. */
  depthMultiplier?: number | undefined;
  /** Default `glorotUniform`. */
  depthwiseInitializer?: InitializerSpec | undefined;
  depthwiseRegularizer?: RegularizerSpec | undefined;
  depthwiseConstraint?: ConstraintSpec | undefined;
}

export interface DepthwiseConv2dOptions extends ImageConvolutionOptions, DepthwiseOptions {}

interface PointwiseOptions {
  /** Number of channels in the output. */
  filters: number;
  /** Default `glorotUniform`. */
  pointwiseInitializer?: InitializerSpec | undefined;
  pointwiseRegularizer?: RegularizerSpec | undefined;
  pointwiseConstraint?: ConstraintSpec | undefined;
}

export interface SeparableConv2dOptions extends DepthwiseConv2dOptions, PointwiseOptions {}

export interface SeparableConv1dOptions
  extends Omit<DepthwiseConv2dOptions, 'kernelSize' | 'strides' | 'dilationRate'>,
    PointwiseOptions {
  /** Number K of steps in a window. */
  kernelSize: number;
  /** Steps from one window to the next. Default 1. */
  strides?: number | undefined;
  /** Distance between the steps of a window. Default 1. */
  dilationRate?: number | undefined;
}

const own: OwnNames<DepthwiseConv2dOptions> = {
  ...imageConvolutionNames,
  depthMultiplier: 1,
  depthwiseInitializer: 1,
  depthwiseRegularizer: 1,
  depthwiseConstraint: 1,
};
const separableNames: OwnNames<SeparableConv2dOptions> = {
  ...own,
  filters: 1,
  pointwiseInitializer: 1,
  pointwiseRegularizer: 1,
  pointwiseConstraint: 1,
};

class DepthwiseConv2d extends BuiltInLayer {
  readonly className = 'DepthwiseConv2D';
  readonly #options: DepthwiseConv2dOptions;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: DepthwiseConv2dOptions) {
    super('depthwise_conv2d', options, own);
    checkImageConvolution('depthwiseConv2d', options);
    expectCount('depthwiseConv2d: depthMultiplier', options.depthMultiplier ?? 1);
    this.#options = options;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const channels = inputShape.at(-1)! * (this.#options.depthMultiplier ?? 1);
    return convolvedShape(this.describe(), this.#options, inputShape, channels);
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    expectImages(this.describe(), inputShape);
    this.outputShape(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { kernelSize, depthMultiplier = 1, useBias = true } = this.#options;
    const { depthwiseInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    const { depthwiseRegularizer, depthwiseConstraint, biasRegularizer } = this.#options;
    const inputs = this.inputWidth(inputShape);
    const shape = [...pairOf('kernelSize', kernelSize), inputs, depthMultiplier];
    this.#kernel = this.addWeight('kernel', shape, depthwiseInitializer, depthwiseRegularizer, depthwiseConstraint);
    if (useBias) this.#bias = this.addWeight('bias', [inputs * depthMultiplier], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    const { strides, padding, dilationRate } = this.#options;
    const y = convolve(x, this.#kernel!, this.#bias, { strides, padding, dilationRate });
    return activation(this.#options.activation ?? 'linear')(y);
  }
}

/** Number of spatial axes. With one of them, a sequence is an image of one row. */
type Rank = 1 | 2;

class SeparableConv extends BuiltInLayer {
  readonly className: string;
  readonly #rank: Rank;
  readonly #options: SeparableConv2dOptions;
  /** The options of an image of one row, if there is one spatial axis. */
  readonly #windows: ImageConvolutionOptions;
  #depthwise: Parameter | undefined;
  #pointwise: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(rank: Rank, options: SeparableConv2dOptions) {
    const what = `separableConv${rank}d`;
    super(`separable_conv${rank}d`, options, separableNames);
    const { filters, kernelSize, strides = 1, dilationRate = 1 } = options;
    expectCount(`${what}: filters`, filters);
    expectCount(`${what}: depthMultiplier`, options.depthMultiplier ?? 1);
    const line = (name: string, size: unknown) => [1, expectCount(`${what}: ${name}`, size as number)] as const;
    this.#windows =
      rank === 2
        ? options
        : {
            ...options,
            kernelSize: line('kernelSize', kernelSize),
            strides: line('strides', strides),
            dilationRate: line('dilationRate', dilationRate),
          };
    checkImageConvolution(what, this.#windows);
    this.className = `SeparableConv${rank}D`;
    this.#rank = rank;
    this.#options = options;
  }

  override describe(): string {
    return `${this.name}(filters=${this.#options.filters})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, ...image] = inputShape;
    const images = this.#rank === 2 ? inputShape : [batch, 1, ...image];
    const shape = convolvedShape(this.describe(), this.#windows, images, this.#options.filters);
    return this.#rank === 2 ? shape : shape.toSpliced(1, 1);
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (this.#rank === 2) expectImages(this.describe(), inputShape);
    else this.expectSequence(inputShape);
    this.outputShape(inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { filters, depthMultiplier = 1, useBias = true } = this.#options;
    const { depthwiseInitializer = 'glorotUniform', pointwiseInitializer = 'glorotUniform' } = this.#options;
    const { biasInitializer = 'zeros', biasRegularizer } = this.#options;
    const { depthwiseRegularizer, pointwiseRegularizer } = this.#options;
    const taps = pairOf('kernelSize', this.#windows.kernelSize).slice(-this.#rank);
    const inputs = this.inputWidth(inputShape);
    const depthwise = [...taps, inputs, depthMultiplier];
    const pointwise = [...taps.map(() => 1), inputs * depthMultiplier, filters];
    this.#depthwise = this.addWeight('depthwiseKernel', depthwise, depthwiseInitializer, depthwiseRegularizer);
    this.#pointwise = this.addWeight('pointwiseKernel', pointwise, pointwiseInitializer, pointwiseRegularizer);
    if (useBias) this.#bias = this.addWeight('bias', [filters], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    const { strides, padding, dilationRate } = this.#windows;
    const [batch, ...image] = x.shape as [number, ...number[]];
    const images = this.#rank === 2 ? x : reshape(x, [batch, 1, ...image]);
    const kernel = reshape(this.#depthwise!, [
      ...pairOf('kernelSize', this.#windows.kernelSize),
      ...this.#depthwise!.shape.slice(-2),
    ]);
    const each = convolve(images, kernel, undefined, { strides, padding, dilationRate });
    const y = linear(each, reshape(this.#pointwise!, this.#pointwise!.shape.slice(-2)), this.#bias);
    const result = activation(this.#options.activation ?? 'linear')(y);
    return this.#rank === 2 ? result : reshape(result, result.shape.toSpliced(1, 1));
  }
}

/**
 * Convolution of each channel of images by itself.
 *
 * y[b, r, c, i·M + m] = activation(Σ_ky Σ_kx x[b, r·s + ky·d, c·s + kx·d, i]·kernel[ky, kx, i, m] + bias), where s are
 * the strides and d the dilation rates
 *
 * Input `[B, H, W, I]` f32; output `[B, H′, W′, I·M]` with M = `depthMultiplier`; H′ and W′ are those of `conv2d`.
 * Weights: kernel `[KH, KW, I, M]`, bias `[I·M]`. As in Keras, the output carries no mask.
 *
 * @param options `kernelSize` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or two, `padding` is not one of its
 *   values, `dataFormat` is not `channelsLast`, or the activation, an initializer or a regularizer is unknown; when
 *   called, if the input is not a tensor of four axes, has an I that differs from the kernel's, or, with `valid`
 *   padding, is smaller than a window.
 * @see keras.layers.DepthwiseConv2D
 *
 * @example
 * depthwiseConv2d({ kernelSize: 3, padding: 'same' })(ops.ones([2, 8, 8, 16])).shape; // [2, 8, 8, 16]
 */
export const depthwiseConv2d = (options: DepthwiseConv2dOptions): Layer => new DepthwiseConv2d(options);

/**
 * A depthwise convolution of images, then a product of each pixel with a matrix: far fewer weights than `conv2d`.
 *
 * y = activation(depthwise(x)·pointwiseKernel + bias)
 *
 * Input `[B, H, W, I]` f32; output `[B, H′, W′, filters]`; H′ and W′ are those of `conv2d`. Weights: depthwiseKernel
 * `[KH, KW, I, M]` with M = `depthMultiplier`, pointwiseKernel `[1, 1, I·M, filters]`, bias `[filters]`. As in Keras,
 * the output carries no mask.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or two, `padding` is not one of its
 *   values, `dataFormat` is not `channelsLast`, or the activation, an initializer or a regularizer is unknown; when
 *   called, if the input is not a tensor of four axes, has an I that differs from the kernel's, or, with `valid`
 *   padding, is smaller than a window.
 * @see keras.layers.SeparableConv2D; Chollet 2017, "Xception"
 *
 * @example
 * separableConv2d({ filters: 32, kernelSize: 3 })(ops.ones([2, 8, 8, 16])).shape; // [2, 6, 6, 32]
 */
export const separableConv2d = (options: SeparableConv2dOptions): Layer => new SeparableConv(2, options);

/**
 * A depthwise convolution of sequences, then a product of each step with a matrix.
 *
 * y = activation(depthwise(x)·pointwiseKernel + bias)
 *
 * Input `[B, T, I]` f32; output `[B, T′, filters]`; T′ is that of `conv1d`. Weights: depthwiseKernel `[K, I, M]` with
 * M = `depthMultiplier`, pointwiseKernel `[1, I·M, filters]`, bias `[filters]`. As in Keras, the output carries no
 * mask.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, `padding` is not one of its values,
 *   `dataFormat` is not `channelsLast`, or the activation, an initializer or a regularizer is unknown; when called, if
 *   the input is not a tensor of three axes, has an I that differs from the kernel's, or, with `valid` padding, is
 *   shorter than a window.
 * @see keras.layers.SeparableConv1D
 *
 * @example
 * separableConv1d({ filters: 4, kernelSize: 3, padding: 'same' })(ops.ones([2, 10, 3])).shape; // [2, 10, 4]
 */
export const separableConv1d = (options: SeparableConv1dOptions): Layer =>
  new SeparableConv(1, options as SeparableConv2dOptions);
