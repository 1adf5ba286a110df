import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions } from '../layers/base/layer.ts';
import { pad } from '../ops/shapes/pad.ts';
import { slice } from '../ops/shapes/slices.ts';
import { expectChannelsLast, expectImages } from './convolution/geometry.ts';

/** A number for both ends of an axis, or one for each. */
export type Ends = number | readonly [before: number, after: number];
/** A number for all four edges, one for rows and columns each, or one for each end of both. */
export type Edges = number | readonly [rows: Ends, columns: Ends];

export interface ZeroPadding1dOptions extends LayerOptions {
  /** Steps of zeros in front and behind. Default 1. */
  padding?: Ends | undefined;
}

export interface ZeroPadding2dOptions extends LayerOptions {
  /** Rows of zeros above and below, columns of zeros to the left and right. Default 1. */
  padding?: Edges | undefined;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
}

export interface Cropping1dOptions extends LayerOptions {
  /** Steps to drop in front and behind. Default 1. */
  cropping?: Ends | undefined;
}

export interface Cropping2dOptions extends LayerOptions {
  /** Rows to drop above and below, columns to drop to the left and right. Default 0. */
  cropping?: Edges | undefined;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
}

const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0;
const ends = (given: unknown): unknown[] => (Array.isArray(given) ? given : [given, given]);
const areEnds = (pair: readonly unknown[]): pair is [number, number] => pair.length === 2 && pair.every(isCount);

/** The counts at both ends of each of `axes` axes. */
function countsOf(what: string, given: Edges | Ends, axes: 1 | 2): readonly (readonly [number, number])[] {
  const pairs = axes === 1 ? [ends(given)] : ends(given).map(ends);
  if (pairs.length === axes && pairs.every(areEnds)) return pairs as [number, number][];
  const form = axes === 1 ? 'or [before, after]' : 'or two, each an integer or [before, after]';
  throw new ArgumentError(`${what} expected an integer ≥ 0, ${form}, got ${shown(given)}`);
}

/** A layer that adds to or drops from the ends of the axes between the batch and the features. */
class Border extends BuiltInLayer {
  readonly className: string;
  readonly #counts: readonly (readonly [number, number])[];
  readonly #isPadding: boolean;

  constructor(
    className: string,
    isPadding: boolean,
    axes: 1 | 2,
    options: LayerOptions & { padding?: Edges; cropping?: Edges; dataFormat?: string },
  ) {
    const option = isPadding ? 'padding' : 'cropping';
    super(`${isPadding ? 'zero_padding' : 'cropping'}${axes}d`, options, {
      [option]: 1,
      ...(axes === 2 && { dataFormat: 1 }),
    });
    expectChannelsLast(this.name, options.dataFormat);
    this.className = className;
    this.#isPadding = isPadding;
    this.#counts = countsOf(`${this.name}: ${option}`, options[option] ?? (isPadding || axes === 1 ? 1 : 0), axes);
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape.map((length, axis) => {
      const counts = this.#counts[axis - 1];
      if (!counts || length === null) return length;
      const beyond = counts[0] + counts[1];
      if (this.#isPadding) return length + beyond;
      if (length > beyond) return length - beyond;
      throw new ArgumentError(
        `${this.describe()}: input expected more than ${beyond} along axis ${axis}, got ${formatShape(inputShape)}`,
      );
    });
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (this.#counts.length === 1) this.expectSequence(inputShape);
    else expectImages(this.describe(), inputShape);
    this.outputShape(inputShape);
  }

  protected override call(x: Tensor): Tensor {
    if (this.#isPadding) return pad(x, [[0, 0], ...this.#counts, [0, 0]]);
    return this.#counts.reduce((y, [before, after], i) => {
      const length = y.shape[i + 1]!;
      return before + after === 0 ? y : slice(y, { axis: i + 1, from: before, to: length - after });
    }, x);
  }
}

/**
 * Adds steps of zeros in front of and behind a sequence.
 *
 * y[b, t, :] = x[b, t − before, :], 0 beyond the ends
 *
 * Input `[B, T, F]` f32; output `[B, before + T + after, F]`. As in Keras, the output carries no mask. No weights.
 *
 * @param options `padding`: an integer, or `[before, after]`; default 1.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `padding` is neither an integer ≥ 0 nor two; when called, if the
 *   input is not a tensor of three axes.
 * @see keras.layers.ZeroPadding1D
 *
 * @example
 * zeroPadding1d({ padding: [1, 0] })(tensor([[[1], [2]]])).toArray(); // 0, 1, 2
 */
export const zeroPadding1d = (options: ZeroPadding1dOptions = {}): Layer =>
  new Border('ZeroPadding1D', true, 1, options as never);

/**
 * Adds rows and columns of zeros around images.
 *
 * y[b, h, w, :] = x[b, h − top, w − left, :], 0 beyond the edges
 *
 * Input `[B, H, W, C]` f32; output `[B, top + H + bottom, left + W + right, C]`. The output carries no mask. No
 * weights.
 *
 * @param options `padding`: an integer, `[rows, columns]`, or `[[top, bottom], [left, right]]`; default 1.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `padding` has another form; when called, if the input is not a
 *   tensor of four axes.
 * @see keras.layers.ZeroPadding2D
 *
 * @example
 * zeroPadding2d({ padding: [0, 1] })(tensor([[[[5]]]])).toArray(); // 0, 5, 0
 */
export const zeroPadding2d = (options: ZeroPadding2dOptions = {}): Layer =>
  new Border('ZeroPadding2D', true, 2, options as never);

/**
 * Drops steps in front and behind.
 *
 * y[b, t, :] = x[b, t + before, :]
 *
 * Input `[B, T, F]` f32; output `[B, T − before − after, F]`. The output carries no mask. No weights.
 *
 * @param options `cropping`: an integer, or `[before, after]`; default 1.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `cropping` is neither an integer ≥ 0 nor two; when called, if the
 *   input is not a tensor of three axes or nothing of it is left.
 * @see keras.layers.Cropping1D
 *
 * @example
 * cropping1d({ cropping: [1, 0] })(tensor([[[1], [2]]])).toArray(); // 2
 */
export const cropping1d = (options: Cropping1dOptions = {}): Layer =>
  new Border('Cropping1D', false, 1, options as never);

/**
 * Drops rows and columns at the edges of images.
 *
 * y[b, h, w, :] = x[b, h + top, w + left, :]
 *
 * Input `[B, H, W, C]` f32; output `[B, H − top − bottom, W − left − right, C]`. The output carries no mask. No
 * weights.
 *
 * @param options `cropping`: an integer, `[rows, columns]`, or `[[top, bottom], [left, right]]`; default 0.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `cropping` has another form; when called, if the input is not a
 *   tensor of four axes or nothing of it is left.
 * @see keras.layers.Cropping2D
 *
 * @example
 * cropping2d({ cropping: [[0, 0], [1, 0]] })(tensor([[[[5], [6]]]])).toArray(); // 6
 */
export const cropping2d = (options: Cropping2dOptions = {}): Layer =>
  new Border('Cropping2D', false, 2, options as never);
