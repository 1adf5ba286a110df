import type { Parameter } from '../autograd/parameter.ts';
import { type Tensor, zeros } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import type { LayerConfig } from '../io/model-file.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import {
  type AnyLayer,
  type CallOptions,
  Layer,
  type LayerLike,
  type LayerOptions,
  layerOf,
} from '../layers/base/layer.ts';
import { saveLayer } from '../layers/base/saved-layer.ts';
import { Recurrent } from '../layers/rnn/recurrent.ts';
import { add } from '../ops/elementwise/elementwise.ts';

export class LearnedState extends Layer {
  readonly className = 'LearnedState';
  readonly layer: Recurrent;
  #states: Parameter[] = [];

  constructor(given: LayerLike<AnyLayer>, options: LayerOptions = {}) {
    const layer = layerOf('learnedState: layer', given);
    if (!(layer instanceof Recurrent)) {
      throw new ArgumentError(`learnedState: layer expected a recurrent layer, got a ${layer.className}`);
    }
    if (layer.stateful || layer.sequence.returnState) {
      throw new ArgumentError('learnedState: layer expected neither stateful nor returnState');
    }
    super('learned_state', options, {}, layer.batchInputShape);
    this.layer = layer;
    this.setScope('');
  }

  override get sublayers(): readonly AnyLayer[] {
    return [this.layer];
  }

  override get streamedStates(): number {
    return 0;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.layer.outputShape(inputShape);
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), layer: saveLayer(this.layer) };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#states = this.layer.stateSpecs.map(({ width }, i) => this.addWeight(`initial${i}`, [width], 'zeros'));
    this.layer.build(inputShape);
  }

  protected override call(x: Tensor, { training, mask }: CallOptions): Tensor {
    const batch = x.shape[0]!;
    const initialState = this.#states.map((state) => add(zeros([batch, state.shape[0]!], { engine: x.engine }), state));
    return this.layer(x, { training, mask, initialState }) as Tensor;
  }
}

/**
 * A recurrent layer whose sequences start from states that are weights, not from zeros.
 *
 * Input and output are those of `layer`. Weights: those of `layer`, and `initial0`, `initial1` … `[H]`, one for each of
 * its states: h, for an LSTM h and c. They start as zeros and are trained like other weights.
 *
 * @param layer a recurrent layer, not stateful and without `returnState`.
 * @param options the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its output lives until the open step ends; outside
 *   a step the caller owns it and may `dispose` of it.
 * @throws ArgumentError if `layer` is not such a layer or an option is unknown; when called, what `layer` throws.
 * @see Neural Amp Modeler, whose LSTMs start from learned states
 *
 * @example
 * const amp = sequential([learnedState(lstm({ units: 16, returnSequences: true, inputShape: [null, 1] })), dense({ units: 1 })]);
 */
export const learnedState = (layer: LayerLike<AnyLayer>, options: LayerOptions = {}): Layer =>
  new LearnedState(layer, options);
