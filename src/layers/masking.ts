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
  /** The value of every feature of a padded step. Default 0. */
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

  /** A stream has no padding: every step counts. */
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
 * Masks the steps whose features all equal `maskValue`.
 *
 * mask[b, t] = 1 if some x[b, t, i] ≠ maskValue, else 0; y = x where the mask is 1, else 0
 *
 * Input `[B, T, F]` f32; output `[B, T, F]` with the mask `[B, T]` f32. The layers after it skip the masked steps. If
 * the input has more axes, `[B, T, …, F]`, the mask has all of them but the last. A mask that the input carries is
 * kept: a step counts if both masks have 1 there. No weights.
 *
 * @param options `maskValue`, default 0, and the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `maskValue` is not a finite number; when called, if the input is
 *   not a tensor or has fewer than three axes.
 * @see keras.layers.Masking
 *
 * @example
 * const padded = tensor([[[1, 2], [0, 0]]]); // [1, 2, 2]
 * masking()(padded).mask.toArray(); // 1, 0
 */
export const masking = (options: MaskingOptions = {}): Layer => new Masking(options);
