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
import { checkImageConvolution, type ImageConvolutionOptions, imageConvolutionNames } from './conv2d.ts';
import {
  conv2dTranspose as convolve,
  outputPaddingOf,
  type TransposeOptions,
  transposedAxis,
} from './convolution/conv2d-transpose.ts';
import { expectImages, pairOf } from './convolution/geometry.ts';

export interface Conv2dTransposeOptions extends ImageConvolutionOptions, TransposeOptions {
  /** Number of channels in the output. */
  filters: number;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
}

const own: OwnNames<Conv2dTransposeOptions> = {
  ...imageConvolutionNames,
  filters: 1,
  outputPadding: 1,
  kernelInitializer: 1,
  kernelRegularizer: 1,
  kernelConstraint: 1,
};

class Conv2dTranspose extends BuiltInLayer {
  readonly className = 'Conv2DTranspose';
  readonly #options: Conv2dTransposeOptions;
  #kernel: Parameter | undefined;
  #bias: Parameter | undefined;

  constructor(options: Conv2dTransposeOptions) {
    super('conv2d_transpose', options, own);
    expectCount('conv2dTranspose: filters', options.filters);
    checkImageConvolution('conv2dTranspose', options);
    this.#options = options;
    outputPaddingOf('conv2dTranspose', this.#windows);
  }

  get #windows(): TransposeOptions {
    const { strides, padding, dilationRate, outputPadding } = this.#options;
    return { strides, padding, dilationRate, outputPadding };
  }

  override describe(): string {
    return `${this.name}(filters=${this.#options.filters})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, ...sizes] = inputShape;
    const taps = pairOf('kernelSize', this.#options.kernelSize);
    const [height, width] = taps.map((count, i) => {
      const axis = i as 0 | 1;
      const size = sizes[axis] ?? null;
      return size === null ? null : transposedAxis(this.describe(), this.#windows, axis, size, count).input;
    }) as [number | null, number | null];
    return [batch, height, width, this.#options.filters];
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    expectImages(this.describe(), inputShape);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { filters, kernelSize, useBias = true } = this.#options;
    const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = this.#options;
    const { kernelRegularizer, biasRegularizer } = this.#options;
    const shape = [...pairOf('kernelSize', kernelSize), filters, this.inputWidth(inputShape)];
    this.#kernel = this.addWeight('kernel', shape, kernelInitializer, kernelRegularizer);
    if (useBias) this.#bias = this.addWeight('bias', [filters], biasInitializer, biasRegularizer);
  }

  protected override call(x: Tensor): Tensor {
    const y = convolve(x, this.#kernel!, this.#bias, this.#windows);
    return activation(this.#options.activation ?? 'linear')(y);
  }
}

/**
 * Transposed convolution over images, which makes them larger by `strides`: the gradient of `conv2d` with respect to
 * its input, as a layer.
 *
 * y = activation(z), where z starts at bias and z[b, r·s + ky·d − top, c·s + kx·d − left, :] += kernel[ky, kx]·x[b, r,
 * c, :] for every pixel and tap
 *
 * Input `[B, H, W, I]` f32; output `[B, H′, W′, filters]`. With K the span of the kernel, H′ = H·strides with `same`
 * padding and H·strides + max(K − strides, 0) with `valid`; with `outputPadding` p, H′ = (H − 1)·strides + K % 2 + p
 * with `same` and (H − 1)·strides + K + p with `valid`; W′ likewise. Weights: kernel `[KH, KW, filters, I]`, bias
 * `[filters]`. The output carries no mask.
 *
 * @param options `filters` and `kernelSize` are required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or two, `padding` is not one of its
 *   values, `outputPadding` is not less than strides, `dataFormat` is not `channelsLast`, or the activation, an
 *   initializer or a regularizer is unknown; when called, if the input is not a tensor of four axes or has an I that
 *   differs from the kernel's.
 * @see keras.layers.Conv2DTranspose
 *
 * @example
 * const twice = conv2dTranspose({ filters: 3, kernelSize: 4, strides: 2, padding: 'same' });
 * twice(ops.ones([1, 8, 8, 16])).shape; // [1, 16, 16, 3]
 */
export const conv2dTranspose = (options: Conv2dTransposeOptions): Layer => new Conv2dTranspose(options);
