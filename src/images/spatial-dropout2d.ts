import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { Layer } from '../layers/base/layer.ts';
import { Dropout, type SpatialDropoutOptions, spatialNames } from '../layers/dropout.ts';
import { expectImages } from './convolution/geometry.ts';

class SpatialDropout2d extends Dropout {
  override readonly className = 'SpatialDropout2D';

  constructor(options: SpatialDropoutOptions) {
    super(options, 'spatial_dropout2d', spatialNames, [null, 1, 1, null]);
  }

  protected override checkInput(inputShape: BatchShape): void {
    expectImages(this.describe(), inputShape);
  }
}

/**
 * Sets random channels to 0 in all of an image while training.
 *
 * y[b, h, w, c] = x[b, h, w, c]·m[b, c] / (1 − rate) with m = 0 with probability `rate`, else 1; outside training y = x
 *
 * Input `[B, H, W, C]` f32; output of the same shape. No weights.
 *
 * @param options `rate` is required.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `rate` is outside [0, 1); when called, if the input is not a tensor
 *   of four axes.
 * @see Tompson et al. 2015; keras.layers.SpatialDropout2D
 *
 * @example
 * spatialDropout2d({ rate: 0.5 })(tensor([[[[1, 2], [3, 4]]]]), { training: true }).shape; // [1, 1, 2, 2]
 */
export const spatialDropout2d = (options: SpatialDropoutOptions): Layer => new SpatialDropout2d(options);
