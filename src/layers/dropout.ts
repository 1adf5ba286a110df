import type { Tensor } from '../autograd/tensor.ts';
import { dropout as drop, expectRate } from '../ops/elementwise/dropout.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import { type CallOptions, isTraining, type Layer, type LayerOptions, type OwnNames } from './base/layer.ts';

export interface DropoutOptions extends LayerOptions {
  /** Probability of a zero, in [0, 1). */
  rate: number;
  /**
   * Shape of the dropout mask, the batch included: 1 for an axis that shares one value, null for the length of the
   * input. Default: the shape of the input.
   */
  noiseShape?: BatchShape | undefined;
}

export interface SpatialDropoutOptions extends LayerOptions {
  /** Probability that a feature is zero at every step, in [0, 1). */
  rate: number;
}

const own: OwnNames<DropoutOptions> = { rate: 1, noiseShape: 1 };

export class Dropout extends BuiltInLayer {
  readonly className: string = 'Dropout';
  readonly #rate: number;
  readonly #noiseShape: BatchShape | undefined;

  constructor(options: DropoutOptions, defaultName = 'dropout', names: object = own, noiseShape?: BatchShape) {
    super(defaultName, options, names);
    this.#rate = expectRate('dropout: rate', options.rate);
    this.#noiseShape = noiseShape ?? options.noiseShape;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  /** A stream does not train, so nothing is dropped. */
  override addToStream(): void {}

  protected override call(x: Tensor, options: CallOptions): Tensor {
    return isTraining(options) ? drop(x, this.#rate, this.random.nextKey(), { noiseShape: this.#noiseShape }) : x;
  }
}

export const spatialNames: OwnNames<SpatialDropoutOptions> = { rate: 1 };

class SpatialDropout1d extends Dropout {
  override readonly className = 'SpatialDropout1D';

  constructor(options: SpatialDropoutOptions) {
    super(options, 'spatial_dropout1d', spatialNames, [null, 1, null]);
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
  }
}

/**
 * Sets random elements to 0 while training.
 *
 * y = x∘m / (1 − rate) with m = 0 with probability `rate`, else 1; outside training y = x
 *
 * Input `[…]` f32 of any shape; output of the same shape. No weights.
 *
 * @param options `rate` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `rate` is outside [0, 1); when called, if the input is not a
 *   tensor, or, while training, `noiseShape` does not fit its shape.
 * @see Srivastava et al. 2014; keras.layers.Dropout
 *
 * @example
 * const values = tensor([1, 2, 3]);
 * dropout({ rate: 0.5 })(values).toArray(); // 1, 2, 3: nothing is dropped outside training
 * dropout({ rate: 0.5 })(values, { training: true }).toArray(); // each 0 or doubled
 */
export const dropout = (options: DropoutOptions): Layer => new Dropout(options);

/**
 * Sets random features to 0 at every step of a sequence while training.
 *
 * y[b, t, i] = x[b, t, i]·m[b, i] / (1 − rate) with m = 0 with probability `rate`, else 1; outside training y = x
 *
 * Input `[B, T, F]` f32; output of the same shape. No weights.
 *
 * @param options `rate` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `rate` is outside [0, 1); when called, if the input is not a tensor
 *   of three axes.
 * @see Tompson et al. 2015; keras.layers.SpatialDropout1D
 *
 * @example
 * spatialDropout1d({ rate: 0.5 })(tensor([[[1, 2], [3, 4]]]), { training: true }).shape; // [1, 2, 2]
 */
export const spatialDropout1d = (options: SpatialDropoutOptions): Layer => new SpatialDropout1d(options);
