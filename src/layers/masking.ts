import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, isFloat32, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { select } from '../ops/elementwise/select.ts';
import type { StreamProgram } from '../streaming/program.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import type { CallOptions, Layer, LayerOptions, OwnNames } from './base/layer.ts';
import { maskOf } from './base/mask.ts';

export interface MaskingOptions extends LayerOptions {
  /** What every feature of a padded step is. Default 0. */
  maskValue?: number | undefined;
}

const own: OwnNames<MaskingOptions> = { maskValue: 1 };

class Masking extends BuiltInLayer {
  readonly className = 'Masking';
  readonly #maskValue: number;

  constructor(options: MaskingOptions) {
    super('masking', options, own);
    const { maskValue = 0 } = options;
    if (!isFloat32(maskValue)) {
      throw new ArgumentError(`masking: maskValue expected a finite number, got ${shown(maskValue)}`);
    }
    this.#maskValue = Math.fround(maskValue);
  }

  override get makesMask(): boolean {
    return true;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length >= 3) return;
    throw new ArgumentError(
      `${this.describe()}: input expected [batch, time, features], got ${formatShape(inputShape)}`,
    );
  }

  /** A live step is there: nothing is padding. */
  override addToStream(_program: StreamProgram): void {}

  protected override call(x: Tensor, options: CallOptions): Tensor {
    const width = x.shape.at(-1)!;
    const value = this.#maskValue;
    const counts = (step: number, values: ArrayLike<number>): boolean => {
      for (let i = step * width; i < (step + 1) * width; i++) if (values[i] !== value) return true;
      return false;
    };
    const mask = maskOf(x, x.shape.length - 1, counts, options.mask);
    const y = select(mask, x, 0);
    y.mask = mask;
    return y;
  }
}

/**
 * Masks the steps whose every feature is `maskValue`: layers after it skip them, and they are 0 in its output.
 *
 * mask[b, t] = 1 if some x[b, t, i] ≠ maskValue, else 0; y = x where the mask is 1, else 0
 *
 * Input and output `[B, T, F]`; the output carries the mask `[B, T]`. Of `[B, T, …, F]` the mask has every axis but the
 * last.
 *
 * @throws ArgumentError if `maskValue` is not finite; when called, if the input has fewer than three axes.
 * @see keras.layers.Masking
 */
export const masking = (options: MaskingOptions = {}): Layer => new Masking(options);
