import type { Tensor } from '../../autograd/tensor.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../../layers/base/built-in-layer.ts';
import type { Layer, LayerOptions } from '../../layers/base/layer.ts';

interface ActivityOptions extends LayerOptions {
  l1?: number | undefined;
  l2?: number | undefined;
}

class ActivityRegularization extends BuiltInLayer {
  readonly className = 'ActivityRegularization';

  constructor(options: ActivityOptions) {
    const { l1 = 0, l2 = 0 } = options;
    super('activity_regularization', { ...options, activityRegularizer: { l1, l2 } }, { l1: 1, l2: 1 });
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override config(): LayerConfig {
    return { ...super.config(), activityRegularizer: undefined };
  }

  /** A stream does not train, so there is no penalty. */
  override addToStream(): void {}

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override call(x: Tensor): Tensor {
    return x;
  }
}

/** y = x, with the penalty l1·Σ|x| + l2·Σx² of a sample while training. */
export const activityRegularizationLayer = (options: ActivityOptions): Layer => new ActivityRegularization(options);
