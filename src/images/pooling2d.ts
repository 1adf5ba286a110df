import { filled, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { mean } from '../ops/reduce.ts';
import { reshape } from '../ops/shapes/layout.ts';
import {
  type Axis,
  axisOf,
  expectChannelsLast,
  expectImages,
  lengthOf,
  type Pair,
  pairOf,
  type Windows,
  windowsOf,
} from './convolution/geometry.ts';
import { pool2d } from './pool.ts';

type Kind = 'max' | 'average';

/** A layer that reduces the pixels of images. */
abstract class Pooling extends BuiltInLayer {
  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    expectImages(this.describe(), inputShape);
    this.outputShape(inputShape);
  }
}

export interface Pooling2dOptions extends LayerOptions {
  /** Rows and columns of a window. Default 2. */
  poolSize?: Pair | undefined;
  /** Rows and columns from one window to the next. Default `poolSize`. */
  strides?: Pair | undefined;
  /**
   * `valid`: all windows lie inside the image. `same`: ⌈length/strides⌉ windows along each axis, which may extend
   * beyond its ends. Default `valid`.
   */
  padding?: 'valid' | 'same' | undefined;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
}

const own: OwnNames<Pooling2dOptions> = { poolSize: 1, strides: 1, padding: 1, dataFormat: 1 };

class Pooling2d extends Pooling {
  readonly className: string;
  readonly #kind: Kind;
  readonly #size: readonly [number, number];
  readonly #windows: Windows;

  constructor(kind: Kind, options: Pooling2dOptions) {
    super(`${kind}_pooling2d`, options, own);
    this.className = kind === 'max' ? 'MaxPooling2D' : 'AveragePooling2D';
    this.#kind = kind;
    const { poolSize = 2, strides = poolSize, padding, dataFormat } = options;
    // Kernels count in 32 bits.
    for (const [name, given] of Object.entries({ poolSize, strides })) {
      if (pairOf(`${this.name}: ${name}`, given).every((n) => n < 2 ** 30)) continue;
      throw new ArgumentError(`${this.name}: ${name} expected less than 2^30, got ${shown(given)}`);
    }
    this.#size = pairOf(`${this.name}: poolSize`, poolSize);
    this.#windows = windowsOf(this.name, { strides, padding });
    expectChannelsLast(this.name, dataFormat);
  }

  override outputShape([batch = null, height = null, width = null, channels = null]: BatchShape): BatchShape {
    const [rows, columns] = this.#size;
    const what = this.describe();
    return [
      batch,
      lengthOf(what, this.#windows, 0, height, rows),
      lengthOf(what, this.#windows, 1, width, columns),
      channels,
    ];
  }

  protected override call(x: Tensor): Tensor {
    const axis = (at: 0 | 1): Axis => axisOf(this.describe(), this.#windows, at, x.shape[at + 1]!, this.#size[at]);
    return pool2d(this.#kind, x, axis(0), axis(1));
  }
}

/**
 * The maximum of each window of an image, channel by channel.
 *
 * y[b, p, q, c] = max_{i, j} x[b, p·strides[0] + i, q·strides[1] + j, c], i < poolSize[0], j < poolSize[1]
 *
 * Input `[B, H, W, C]` f32; output `[B, H′, W′, C]`. H′ = ⌊(H − poolSize[0])/strides[0]⌋ + 1 with `valid` padding,
 * ⌈H/strides[0]⌉ with `same`; W′ likewise. Pixels beyond the edges do not count. Where several pixels of a window are
 * the greatest, the first of them, row by row, gets the gradient. The output carries no mask. No weights.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `poolSize` or `strides` is neither a positive integer nor two, or
 *   `padding` is not one of its values; when called, if the input is not a tensor of four axes, or, with `valid`
 *   padding, is smaller than a window.
 * @see keras.layers.MaxPooling2D
 *
 * @example
 * const image = tensor([[[[1], [5]], [[2], [3]]]]); // [1, 2, 2, 1]
 * maxPooling2d({ poolSize: 2 })(image).toArray(); // 5
 */
export const maxPooling2d = (options: Pooling2dOptions = {}): Layer => new Pooling2d('max', options);

/**
 * The mean of each window of an image, channel by channel.
 *
 * y[b, p, q, c] = mean_{i, j} x[b, p·strides[0] + i, q·strides[1] + j, c] over those (i, j) whose pixel is inside
 *
 * Input `[B, H, W, C]` f32; output `[B, H′, W′, C]`. H′ = ⌊(H − poolSize[0])/strides[0]⌋ + 1 with `valid` padding,
 * ⌈H/strides[0]⌉ with `same`; W′ likewise. The output carries no mask. No weights.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `poolSize` or `strides` is neither a positive integer nor two, or
 *   `padding` is not one of its values; when called, if the input is not a tensor of four axes, or, with `valid`
 *   padding, is smaller than a window.
 * @see keras.layers.AveragePooling2D
 *
 * @example
 * const image = tensor([[[[1], [5]], [[2], [4]]]]); // [1, 2, 2, 1]
 * averagePooling2d({ poolSize: 2 })(image).toArray(); // 3
 */
export const averagePooling2d = (options: Pooling2dOptions = {}): Layer => new Pooling2d('average', options);

export interface GlobalPooling2dOptions extends LayerOptions {
  /** Whether height and width stay as axes of length 1. Default false. */
  keepdims?: boolean | undefined;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
}

const globalNames: OwnNames<GlobalPooling2dOptions> = { keepdims: true, dataFormat: 1 };

class GlobalPooling2d extends Pooling {
  readonly className: string;
  readonly #kind: Kind;
  readonly #keepdims: boolean;

  constructor(kind: Kind, options: GlobalPooling2dOptions) {
    super(`global_${kind}_pooling2d`, options, globalNames);
    this.className = kind === 'max' ? 'GlobalMaxPooling2D' : 'GlobalAveragePooling2D';
    this.#kind = kind;
    this.#keepdims = options.keepdims ?? false;
    expectChannelsLast(this.name, options.dataFormat);
  }

  override outputShape([batch = null, , , channels = null]: BatchShape): BatchShape {
    return this.#keepdims ? [batch, 1, 1, channels] : [batch, channels];
  }

  protected override call(x: Tensor): Tensor {
    const [batch, height, width, channels] = x.shape as [number, number, number, number];
    const shape = this.outputShape(x.shape) as number[];
    // The output of an image without pixels is 0, because a mean or a maximum of no numbers is undefined.
    if (height * width === 0) return filled(shape, 0, x.engine);
    const all = (input: number): Axis => ({ input, output: 1, taps: input, stride: 1, dilation: 1, before: 0 });
    const y =
      this.#kind === 'max'
        ? pool2d('max', x, all(height), all(width))
        : mean(reshape(x, [batch, height * width, channels]), { axis: 1 });
    return reshape(y, shape);
  }
}

/**
 * The maximum over all pixels, channel by channel.
 *
 * y[b, c] = max_{h, w} x[b, h, w, c]
 *
 * Input `[B, H, W, C]` f32; output `[B, C]`, or `[B, 1, 1, C]` with `keepdims`. The first of equal pixels, row by row,
 * gets the gradient. If there are no pixels the output is 0. No weights.
 *
 * @param options `keepdims`, default false.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a tensor of four axes.
 * @see keras.layers.GlobalMaxPooling2D
 *
 * @example
 * globalMaxPooling2d()(tensor([[[[1], [5]], [[2], [3]]]])).toArray(); // 5
 */
export const globalMaxPooling2d = (options: GlobalPooling2dOptions = {}): Layer => new GlobalPooling2d('max', options);

/**
 * The mean over all pixels, channel by channel.
 *
 * y[b, c] = mean_{h, w} x[b, h, w, c]
 *
 * Input `[B, H, W, C]` f32; output `[B, C]`, or `[B, 1, 1, C]` with `keepdims`. If there are no pixels the output is 0.
 * No weights.
 *
 * @param options `keepdims`, default false.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a tensor of four axes.
 * @see keras.layers.GlobalAveragePooling2D
 *
 * @example
 * globalAveragePooling2d()(tensor([[[[1], [5]], [[2], [4]]]])).toArray(); // 3
 */
export const globalAveragePooling2d = (options: GlobalPooling2dOptions = {}): Layer =>
  new GlobalPooling2d('average', options);
