import { record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount, shown } from '../checks/argument-error.ts';
import type { Ptr } from '../engine/abi.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { axisBlock } from '../ops/shapes/axis.ts';
import { expectChannelsLast, expectImages, type Pair, pairOf } from './convolution/geometry.ts';

export type Interpolation = 'nearest' | 'bilinear';

/**
 * Makes an axis `factor` times as long.
 *
 * @param x `[…]` f32, in either memory order.
 * @returns `[…, factor·n, …]` in the memory order of x. `nearest` repeats each element. `bilinear` mixes the two
 *   elements whose centers are nearest, and repeats the outermost at the ends.
 */
function stretch(x: Tensor, axis: number, factor: number, interpolation: Interpolation): Tensor {
  if (factor === 1) return x;
  const { engine, timeMajor } = x;
  const kernels = extraKernels(engine);
  const { outer, length, inner } = axisBlock('upSampling', x, axis);
  const count = length * factor;
  const y = empty(x.shape.with(axis, count), { name: 'upSampling', timeMajor, engine });
  /** Where each element of y is along the axis of x: the element before it, and the weight of the next. */
  const place = (): readonly [places: Ptr, weights: Ptr] => {
    const [places, weights] = [engine.allocateScratch(count), engine.allocateScratch(count)];
    const [at, shares] = [engine.i32(places, count), engine.f32(weights, count)];
    for (let j = 0; j < count; j++) {
      // Element j covers [j, j + 1) of the long axis. Its center is at (j + ½)/factor of the short one.
      const center = interpolation === 'nearest' ? Math.floor(j / factor) : (j + 0.5) / factor - 0.5;
      const bounded = Math.min(Math.max(center, 0), length - 1);
      at[j] = Math.floor(bounded);
      shares[j] = bounded - at[j]!;
    }
    return [places, weights];
  };
  engine.scratch(() => kernels.resize_axis(outer, length, count, inner, ...place(), x.ptr, y.ptr));
  record(
    [x],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const dx = tape.intoZeroed(x)!;
      engine.scratch(() => kernels.resize_axis_backward(outer, length, count, inner, ...place(), dy, dx));
    },
    { forgetsOutputs: true },
  );
  return y;
}

/** A layer that makes the axes between the batch and the features longer. */
class UpSampling extends BuiltInLayer {
  readonly className: string;
  readonly #factors: readonly number[];
  readonly #interpolation: Interpolation;

  constructor(
    options: LayerOptions & { dataFormat?: 'channelsLast' | undefined },
    names: object,
    factors: readonly number[],
    interpolation: Interpolation,
  ) {
    super(`up_sampling${factors.length}d`, options, names);
    this.className = `UpSampling${factors.length}D`;
    this.#factors = factors;
    this.#interpolation = interpolation;
    expectChannelsLast(this.name, options.dataFormat);
    if (interpolation !== 'nearest' && interpolation !== 'bilinear') {
      throw new ArgumentError(
        `${this.name}: interpolation expected 'nearest' or 'bilinear', got ${shown(interpolation)}`,
      );
    }
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape.map((length, axis) => length && length * (this.#factors[axis - 1] ?? 1));
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (this.#factors.length === 1) this.expectSequence(inputShape);
    else expectImages(this.describe(), inputShape);
  }

  protected override call(x: Tensor): Tensor {
    return this.#factors.reduce((y, factor, i) => stretch(y, i + 1, factor, this.#interpolation), x);
  }
}

export interface UpSampling1dOptions extends LayerOptions {
  /** How often each step is repeated. Default 2. */
  size?: number | undefined;
}

export interface UpSampling2dOptions extends LayerOptions {
  /** How often each row and each column is repeated. Default 2. */
  size?: Pair | undefined;
  /** Default `nearest`. */
  interpolation?: Interpolation | undefined;
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
}

const names1d: OwnNames<UpSampling1dOptions> = { size: 1 };
const names2d: OwnNames<UpSampling2dOptions> = { size: 1, interpolation: 1, dataFormat: 1 };

/**
 * Repeats each step of a sequence.
 *
 * y[b, t, :] = x[b, ⌊t/size⌋, :]
 *
 * Input `[B, T, F]` f32; output `[B, size·T, F]`. As in Keras, the output carries no mask. No weights.
 *
 * @param options `size`, default 2.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `size` is not a positive integer; when called, if the input is not a
 *   tensor of three axes.
 * @see keras.layers.UpSampling1D
 *
 * @example
 * upSampling1d({ size: 2 })(tensor([[[1], [2]]])).toArray(); // 1, 1, 2, 2
 */
export const upSampling1d = (options: UpSampling1dOptions = {}): Layer =>
  new UpSampling(options, names1d, [expectCount('up_sampling1d: size', options?.size ?? 2)], 'nearest');

/**
 * Makes images larger by whole factors.
 *
 * `nearest`: y[b, h, w, :] = x[b, ⌊h/size[0]⌋, ⌊w/size[1]⌋, :]. `bilinear`: the pixels of x around
 * ((h + ½)/size[0] − ½, (w + ½)/size[1] − ½), weighed by their distances; beyond the outermost centers, the edge.
 *
 * Input `[B, H, W, C]` f32; output `[B, size[0]·H, size[1]·W, C]`. The output carries no mask. No weights.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `size` is neither a positive integer nor two, or `interpolation` is
 *   not one of its values; when called, if the input is not a tensor of four axes.
 * @see keras.layers.UpSampling2D
 *
 * @example
 * upSampling2d({ size: [1, 2] })(tensor([[[[1], [2]]]])).toArray(); // 1, 1, 2, 2
 */
export const upSampling2d = (options: UpSampling2dOptions = {}): Layer =>
  new UpSampling(
    options,
    names2d,
    pairOf('up_sampling2d: size', options?.size ?? 2),
    options?.interpolation ?? 'nearest',
  );
