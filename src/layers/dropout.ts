import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { dropout as drop } from '../ops/dropout.ts';
import { type BatchShape, type CallOptions, isTraining, Layer, type LayerConfig, type LayerOptions } from './layer.ts';

export interface DropoutOptions extends LayerOptions {
  /** Probability of a zero, in [0, 1). */
  rate: number;
}

class Dropout extends Layer {
  readonly className = 'Dropout';
  readonly #rate: number;

  constructor(options: DropoutOptions) {
    super('dropout', options);
    if (!(options.rate >= 0 && options.rate < 1)) {
      throw new ArgumentError(`dropout: rate expected in [0, 1), got ${options.rate}`);
    }
    this.#rate = options.rate;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), rate: this.#rate };
  }

  /** Nothing to do: off outside training. */
  override addToStream(): void {}

  protected override call(x: Tensor, options: CallOptions): Tensor {
    return isTraining(options) ? drop(x, this.#rate, this.random.nextKey()) : x;
  }
}

/**
 * While training, each element becomes 0 with probability `rate` and is divided by 1 − rate otherwise; elsewhere y = x.
 *
 * @throws ArgumentError if `rate` is outside [0, 1).
 * @see Srivastava et al. 2014; keras.layers.Dropout
 */
export const dropout = (options: DropoutOptions): Layer => new Dropout(options);
