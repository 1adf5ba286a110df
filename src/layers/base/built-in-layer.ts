import type { Tensor } from '../../autograd/tensor.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { Layer, type LayerInput } from './layer.ts';

/** A built-in layer whose options are enough to make an equal layer. */
export abstract class BuiltInLayer<Output = Tensor, Input extends LayerInput = Tensor> extends Layer<Output, Input> {
  override config(): LayerConfig {
    return this.baseConfig();
  }
}
