import { ArgumentError, type DType, formatShape, type Tensor } from '../autograd/tensor.ts';
import { reshape, swapTimeBatch } from '../ops/layout.ts';
import { addStepwise, type StreamProgram } from '../streaming/program.ts';
import {
  type AnyLayer,
  type BatchShape,
  type CallOptions,
  Layer,
  type LayerConfig,
  type LayerOptions,
} from './layer.ts';

class TimeDistributed extends Layer {
  readonly className = 'TimeDistributed';
  readonly layer: Layer;

  constructor(layer: Layer, options: LayerOptions) {
    super('time_distributed', options);
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
    return { ...this.baseConfig(), layer: { className: this.layer.className, config: this.layer.config() } };
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

  protected override call(x: Tensor, { training }: CallOptions): Tensor {
    // The steps of all sequences are one batch, in the order in which they stand in memory.
    const inMemory = x.timeMajor ? swapTimeBatch(x) : x;
    const [first, second, ...rest] = inMemory.shape as [number, number, ...number[]];
    const y = this.layer(reshape(inMemory, [first * second, ...rest]), { training });
    const steps = reshape(y, [first, second, ...y.shape.slice(1)]);
    return x.timeMajor ? swapTimeBatch(steps) : steps;
  }
}

const stepShape = (inputShape: BatchShape): BatchShape => [null, ...inputShape.slice(2)];

/**
 * A layer applied to every step of a sequence by itself: y[:, t] = layer(x[:, t]), with one set of weights.
 *
 * Input `[B, T, …]`; output `[B, T, …]` with each step's output. Its weights are the layer's.
 *
 * @throws ArgumentError when called, if the input has no time axis.
 * @see keras.layers.TimeDistributed
 */
export const timeDistributed = (layer: Layer, options: LayerOptions = {}): Layer => new TimeDistributed(layer, options);
