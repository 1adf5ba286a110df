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
    // The steps of all sequences form one batch, in memory order.
    const swapped = (t: Tensor): Tensor => (x.timeMajor ? swapTimeBatch(t) : t);
    const merged = (t: Tensor): Tensor => {
      const [first, second, ...rest] = swapped(t).shape as [number, number, ...number[]];
      return reshape(swapped(t), [first * second, ...rest]);
    };
    const unmerged = (t: Tensor): Tensor => swapped(reshape(t, [...swapped(x).shape.slice(0, 2), ...t.shape.slice(1)]));
    const steps = merged(x);
    const given = mask && merged(inOrder(mask, x.timeMajor));
    // If a step does not count, nothing in it counts.
    steps.mask = given && spreadMask('mask', given, maskShape(steps, given.shape.length), false);
    const each = this.layer(steps, { training });
    const y = unmerged(each);
    // If the layer consumed the mask of a step, the step counts if any of its mask is 1.
    const own = each.mask ?? (steps.mask && max(reshape(steps.mask, [steps.shape[0]!, -1]), { axis: 1 }));
    y.mask = own && unmerged(own);
    return y;
  }
}

const stepShape = (inputShape: BatchShape): BatchShape => [null, ...inputShape.slice(2)];

/**
 * Applies a layer to every step of a sequence, with one set of weights.
 *
 * y[:, t] = layer(x[:, t])
 *
 * Input `[B, T, …]`, of the data type that the layer reads; output `[B, T, …]`, where … are the axes of the layer's
 * output for one step. The weights are those of the layer. If the input carries a mask `[B, T, …]`, the layer gets the
 * part of the mask that belongs to the step. The output carries the mask of the layer's output. If that has no mask, a
 * step counts if any value of its input mask is 1.
 *
 * @param layer a layer that maps `[B, …]` to one tensor `[B, …]`; or a model, whose network is used as the layer.
 * @param options the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends;
 *   outside a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if `layer` is neither a layer nor a model or an option is unknown; when called, if the input
 *   is not a tensor with a time axis, or the layer refuses a step.
 * @see keras.layers.TimeDistributed; in Keras 3 the output always has the mask of the input
 *
 * @example
 * timeDistributed(dense({ units: 3 }))(tensor([[[1, 2], [3, 4]]])).shape; // [1, 2, 3]
 */
export const timeDistributed = (layer: LayerLike<Layer>, options: LayerOptions = {}): Layer =>
  new TimeDistributed(layer, options);
