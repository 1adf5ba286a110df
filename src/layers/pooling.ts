import { empty, filled, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount, shown } from '../checks/argument-error.ts';
import { add, clip, div, maximum, mul, scale } from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';
import { conv1dLength } from '../ops/products/convolution.ts';
import { max, mean, sum } from '../ops/reduce.ts';
import { concatenate } from '../ops/shapes/joins.ts';
import { expandDims, reshape } from '../ops/shapes/layout.ts';
import { slice } from '../ops/shapes/slices.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { CallOptions, Layer, LayerOptions, OwnNames } from './base/layer.ts';

/** The lowest float32. Padding with it never changes a maximum. */
const LEAST = -3.4028234663852886e38;

/** A layer that reduces the steps of a sequence. */
abstract class Pooling extends BuiltInLayer {
  protected override get passesMask(): boolean {
    return false;
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
    this.outputShape(inputShape);
  }
}

export interface PoolingOptions extends LayerOptions {
  /** Steps in a window. Default 2. */
  poolSize?: number | undefined;
  /** Steps from one window to the next. Default `poolSize`. */
  strides?: number | undefined;
  /**
   * `valid`: all windows lie inside the sequence. `same`: ⌈T/strides⌉ windows, which may extend beyond its ends.
   * Default `valid`.
   */
  padding?: 'valid' | 'same' | undefined;
}

interface Kind {
  className: string;
  defaultName: string;
  /** The value of the steps beyond the ends of the sequence. */
  padding: number;
  merge(a: Tensor, b: Tensor): Tensor;
  /** Computes the output from the merged windows `[B, T′, F]` and the number of steps in each, `[T′]`. */
  finish(merged: Tensor, counts: readonly number[]): Tensor;
}

const own: OwnNames<PoolingOptions> = { poolSize: 1, strides: 1, padding: 1 };

class WindowPooling extends Pooling {
  readonly className: string;
  readonly #kind: Kind;
  readonly #options: PoolingOptions;
  readonly #size: number;
  readonly #strides: number;

  constructor(kind: Kind, options: PoolingOptions) {
    super(kind.defaultName, options, own);
    this.className = kind.className;
    this.#kind = kind;
    this.#options = options;
    const { poolSize = 2, strides = poolSize, padding = 'valid' } = options;
    this.#size = expectCount(`${this.name}: poolSize`, poolSize);
    this.#strides = expectCount(`${this.name}: strides`, strides);
    if (padding !== 'valid' && padding !== 'same') {
      throw new ArgumentError(`${this.name}: padding expected 'valid' or 'same', got ${shown(padding)}`);
    }
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null, features = null] = inputShape;
    return [batch, time === null ? null : this.#windows(time), features];
  }

  #windows(time: number): number {
    return conv1dLength(time, this.#size, { strides: this.#strides, padding: this.#options.padding ?? 'valid' });
  }

  protected override call(x: Tensor): Tensor {
    const [batch, time, features] = x.shape as [number, number, number];
    const windows = this.#windows(time);
    const [size, strides] = [this.#size, this.#strides];
    const missing = Math.max((windows - 1) * strides + size - time, 0);
    const before = this.#options.padding === 'same' ? Math.floor(missing / 2) : 0;
    // Padding after the sequence, so that the slice from every offset has whole strides. The part beyond the last
    // window is not used.
    const after = Math.max(windows * strides + size - 1 - before - time, 0);
    const padded = concatenate([this.#beyond(x, before), x, this.#beyond(x, after)], 1);
    const taps = Array.from({ length: size }, (_, k) => {
      const steps = slice(padded, { axis: 1, from: k, to: k + windows * strides });
      const first = slice(reshape(steps, [batch, windows, strides, features]), { axis: 2, from: 0, to: 1 });
      return reshape(first, [batch, windows, features]);
    });
    const counts = Array.from({ length: windows }, (_, w) => {
      const start = w * strides - before;
      return Math.min(start + size, time) - Math.max(start, 0);
    });
    return this.#kind.finish(taps.reduce(this.#kind.merge), counts);
  }

  #beyond(x: Tensor, steps: number): Tensor {
    const [batch, , features] = x.shape as [number, number, number];
    const y = empty([batch, steps, features], { name: 'padding', engine: x.engine });
    y.dataView().fill(this.#kind.padding);
    return y;
  }
}

/**
 * The maximum of each window of steps, feature by feature.
 *
 * y[b, t, i] = max_k x[b, t·strides + k, i], k = 0 … poolSize − 1
 *
 * Input `[B, T, F]` f32; output `[B, T′, F]`. T′ = ⌊(T − poolSize)/strides⌋ + 1 with `valid` padding, ⌈T/strides⌉ with
 * `same`. Steps beyond the ends of the sequence do not count. The output carries no mask. No weights.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `poolSize` or `strides` is not a positive integer, or `padding` is not
 *   one of its values; when called, if the input is not a tensor of three axes, or, with `valid` padding, is shorter
 *   than a window.
 * @see keras.layers.MaxPooling1D
 *
 * @example
 * maxPooling1d({ poolSize: 2 })(tensor([[[1], [5], [2], [3]]])).toArray(); // 5, 3
 */
export const maxPooling1d = (options: PoolingOptions = {}): Layer =>
  new WindowPooling(
    {
      className: 'MaxPooling1D',
      defaultName: 'max_pooling1d',
      padding: LEAST,
      merge: maximum,
      finish: (y) => y,
    },
    options,
  );

/**
 * The mean of each window of steps, feature by feature.
 *
 * y[b, t, i] = mean_k x[b, t·strides + k, i] over those k in 0 … poolSize − 1 whose step is inside the sequence
 *
 * Input `[B, T, F]` f32; output `[B, T′, F]`. T′ = ⌊(T − poolSize)/strides⌋ + 1 with `valid` padding, ⌈T/strides⌉ with
 * `same`. The output carries no mask. No weights.
 *
 * @param options all have defaults.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `poolSize` or `strides` is not a positive integer, or `padding` is not
 *   one of its values; when called, if the input is not a tensor of three axes, or, with `valid` padding, is shorter
 *   than a window.
 * @see keras.layers.AveragePooling1D
 *
 * @example
 * averagePooling1d({ poolSize: 2 })(tensor([[[1], [5], [2], [4]]])).toArray(); // 3, 3
 */
export const averagePooling1d = (options: PoolingOptions = {}): Layer =>
  new WindowPooling(
    {
      className: 'AveragePooling1D',
      defaultName: 'average_pooling1d',
      padding: 0,
      merge: add,
      finish: (y, counts) => {
        const [count] = counts;
        if (counts.every((n) => n === count)) return scale(y, 1 / count!);
        return mul(
          y,
          tensor(
            counts.map((n) => [1 / n]),
            { engine: y.engine },
          ),
        );
      },
    },
    options,
  );

class GlobalPooling extends Pooling {
  readonly className: string;
  readonly #pool: (x: Tensor, mask: Tensor | undefined) => Tensor;

  constructor(
    className: string,
    defaultName: string,
    options: LayerOptions,
    pool: (x: Tensor, mask: Tensor | undefined) => Tensor,
  ) {
    super(defaultName, options, {});
    this.className = className;
    this.#pool = pool;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [inputShape[0] ?? null, inputShape[2] ?? null];
  }

  protected override call(x: Tensor, { mask }: CallOptions): Tensor {
    const [batch, time, features] = x.shape as [number, number, number];
    // The output of a sequence without steps is 0, because a mean or a maximum of no numbers is undefined.
    if (time === 0) return filled([batch, features], 0, x.engine);
    return this.#pool(x, mask);
  }
}

/**
 * The maximum over all steps, feature by feature.
 *
 * y[b, i] = max_t x[b, t, i]
 *
 * Input `[B, T, F]` f32; output `[B, F]`. Masked steps count too, as in Keras. If T = 0 the output is 0. No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a tensor of three axes.
 * @see keras.layers.GlobalMaxPooling1D
 *
 * @example
 * globalMaxPooling1d()(tensor([[[1], [5], [2]]])).toArray(); // 5
 */
export const globalMaxPooling1d = (options: LayerOptions = {}): Layer =>
  new GlobalPooling('GlobalMaxPooling1D', 'global_max_pooling1d', options, (x) => max(x, { axis: 1 }));

/**
 * The mean over the unmasked steps, feature by feature.
 *
 * y[b, i] = Σ_t mask[b, t]·x[b, t, i] / Σ_t mask[b, t]
 *
 * Input `[B, T, F]` f32; output `[B, F]`. Without a mask every step counts. If a sequence has no unmasked step, its
 * output is 0. No weights.
 *
 * @param options the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown; when called, if the input is not a tensor of three axes.
 * @see keras.layers.GlobalAveragePooling1D
 *
 * @example
 * globalAveragePooling1d()(tensor([[[1], [5], [3]]])).toArray(); // 3
 */
export const globalAveragePooling1d = (options: LayerOptions = {}): Layer =>
  new GlobalPooling('GlobalAveragePooling1D', 'global_average_pooling1d', options, (x, mask) => {
    if (!mask) return mean(x, { axis: 1 });
    const y = sum(select(mask, x, 0), { axis: 1 });
    // The mean of a sequence that is all padding is 0.
    const counts = clip(sum(mask, { axis: 1 }), 1, mask.shape[1]!);
    return div(y, expandDims(counts));
  });
