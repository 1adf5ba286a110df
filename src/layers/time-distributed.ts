import type { DType, Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import type { LayerConfig } from '../io/model-file.ts';
import { max } from '../ops/reduce.ts';
import { spreadMask } from '../ops/shapes/broadcast.ts';
import { inOrder, reshape, swapTimeBatch } from '../ops/shapes/layout.ts';
import { addStepwise, type StreamProgram } from '../streaming/program.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { type AnyLayer, type CallOptions, Layer, type LayerLike, type LayerOptions, layerOf } from './base/layer.ts';
import { maskShape } from './base/mask.ts';
import { saveLayer } from './base/saved-layer.ts';

class TimeDistributed extends Layer {
  readonly className = 'TimeDistributed';
  readonly layer: Layer;

  constructor(given: LayerLike<Layer>, options: LayerOptions) {
    const layer = layerOf('timeDistributed: layer', given);
    super('time_distributed', options, {});
    this.layer = layer;
    if (options.trainable === false) layer.trainable = false;
    this.setScope('');
  }

  override get sublayers(): readonly AnyLayer[] {
    return [this.layer];
  }

  override get inputDtype(): DType {
    return this.layer.inputDtype;
  }

  override get outputActivation(): string | undefined {
    return this.layer.outputActivation;
  }

  override get inputLimit(): number | undefined {
    return this.layer.inputLimit;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null] = inputShape;
    return [batch, time, ...this.layer.outputShape(stepShape(inputShape)).slice(1)];
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), layer: saveLayer(this.layer) };
  }

  override addToStream(program: StreamProgram): void {
    addStepwise(program, this.describe(), () => this.layer.addToStream(program));
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length >= 3 || (this.inputDtype === 'i32' && inputShape.length === 2)) return;
    throw new ArgumentError(`${this.describe()}: input expected [batch, time, …], got ${formatShape(inputShape)}`);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.layer.build(stepShape(inputShape));
  }

  protected override call(x: Tensor, { training, mask }: CallOptions): Tensor {
    // The steps of all sequences are one batch, in the order in which they stand in memory.
    const swapped = (t: Tensor): Tensor => (x.timeMajor ? swapTimeBatch(t) : t);
    const merged = (t: Tensor): Tensor => {
      const [first, second, ...rest] = swapped(t).shape as [number, number, ...number[]];
      return reshape(swapped(t), [first * second, ...rest]);
    };
    const parted = (t: Tensor): Tensor => swapped(reshape(t, [...swapped(x).shape.slice(0, 2), ...t.shape.slice(1)]));
    const steps = merged(x);
    const given = mask && merged(inOrder(mask, x.timeMajor));
    // A step that does not count has nothing in it that does.
    steps.mask = given && spreadMask('mask', given, maskShape(steps, given.shape.length), false);
    const each = this.layer(steps, { training });
    const y = parted(each);
    // A step whose layer has used its mask up counts if any of it does.
    const own = each.mask ?? (steps.mask && max(reshape(steps.mask, [steps.shape[0]!, -1]), { axis: 1 }));
    y.mask = own && parted(own);
    return y;
  }
}

const stepShape = (inputShape: BatchShape): BatchShape => [null, ...inputShape.slice(2)];

/**
 * A layer applied to every step of a sequence by itself: y[:, t] = layer(x[:, t]), with one set of weights.
 *
 * Input `[B, T, …]`; output `[B, T, …]` with each step's output. Its weights are the layer's. Of a mask `[B, T, …]` the
 * layer gets what belongs to its step. The output's mask is that of the layer's outputs; where they have none, a step
 * counts if anything of it does.
 *
 * @throws ArgumentError when called, if the input has no time axis.
 * @see keras.layers.TimeDistributed, whose output in Keras 3 has the mask of the input whatever the layer makes of it
 */
export const timeDistributed = (layer: LayerLike<Layer>, options: LayerOptions = {}): Layer =>
  new TimeDistributed(layer, options);
