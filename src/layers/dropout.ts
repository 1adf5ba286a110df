import type { Tensor } from '../autograd/tensor.ts';
import { dropout as drop, expectRate } from '../ops/elementwise/dropout.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import { type CallOptions, isTraining, type Layer, type LayerOptions, type OwnNames } from './base/layer.ts';

export interface DropoutOptions extends LayerOptions {
  /** Probability of a zero, in [0, 1). */
  rate: number;
  /**
   * Shape of the mask, the batch included: 1 for axes that share it, null for a length that is the input's. Default:
   * all its own.
   */
  noiseShape?: BatchShape | undefined;
}

export interface SpatialDropoutOptions extends LayerOptions {
  /** Probability that a feature is zero at every step, in [0, 1). */
  rate: number;
}

const own: OwnNames<DropoutOptions> = { rate: 1, noiseShape: 1 };

class Dropout extends BuiltInLayer {
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

  /** Nothing to do: off outside training. */
  override addToStream(): void {}

  protected override call(x: Tensor, options: CallOptions): Tensor {
    return isTraining(options) ? drop(x, this.#rate, this.random.nextKey(), { noiseShape: this.#noiseShape }) : x;
  }
}

const spatialNames: OwnNames<SpatialDropoutOptions> = { rate: 1 };

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
 * While training, each element becomes 0 with probability `rate` and is divided by 1 − rate otherwise; elsewhere y = x.
 *
 * @throws ArgumentError if `rate` is outside [0, 1).
 * @see Srivastava et al. 2014; keras.layers.Dropout
 */
export const dropout = (options: DropoutOptions): Layer => new Dropout(options);

/**
 * Dropout of whole features: while training, a feature is zero at every step of a sequence, or at none.
 *
 * Input and output `[B, T, F]`.
 *
 * @throws ArgumentError if `rate` is outside [0, 1); when called, if the input has not three axes.
 * @see keras.layers.SpatialDropout1D
 */
export const spatialDropout1d = (options: SpatialDropoutOptions): Layer => new SpatialDropout1d(options);
