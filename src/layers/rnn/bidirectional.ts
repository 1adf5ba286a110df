import { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown, shownForeign } from '../../checks/argument-error.ts';
import type { Nested } from '../../data/nested.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { add, mul, scale } from '../../ops/elementwise/elementwise.ts';
import { concatenate } from '../../ops/shapes/joins.ts';
import { type BatchShape, isShape } from '../base/batch-shape.ts';
import { expectStates, type StateSpec } from '../base/carried-states.ts';
import { type AnyLayer, type CallOptions, Layer, type LayerOptions, type OwnNames } from '../base/layer.ts';
import { saveLayer } from '../base/saved-layer.ts';
import { Recurrent } from './recurrent.ts';

const merges = {
  concat: (a: Tensor, b: Tensor): Tensor => concatenate([a, b]),
  sum: (a: Tensor, b: Tensor): Tensor => add(a, b),
  mul: (a: Tensor, b: Tensor): Tensor => mul(a, b),
  ave: (a: Tensor, b: Tensor): Tensor => scale(add(a, b), 0.5),
};

/** How the outputs of the two directions are merged: joined, added, multiplied, averaged, or returned separately. */
export type MergeMode = keyof typeof merges | 'none';

export interface BidirectionalOptions extends LayerOptions {
  /** How the two outputs are merged; `none` or null returns a list of both. Default `concat`. */
  mergeMode?: MergeMode | null | undefined;
  /** The layer that goes backwards, with `goBackwards: true`. Default: a copy of `layer`. */
  backwardLayer?: Recurrent | undefined;
}

const own: OwnNames<BidirectionalOptions> = { mergeMode: 1, backwardLayer: 1 };

/** A forward and a backward recurrent layer over the same sequence. */
class Bidirectional<Output> extends Layer<Output> {
  readonly className = 'Bidirectional';
  readonly forward: Recurrent;
  readonly backward: Recurrent;
  readonly #mergeMode: MergeMode;
  readonly #hasOwnBackward: boolean;

  constructor(layer: Recurrent, options: BidirectionalOptions) {
    if (!(layer instanceof Recurrent)) {
      const got = (layer as { network?: AnyLayer } | undefined)?.network ?? (layer as AnyLayer | undefined);
      const isOurs = (got as unknown) instanceof Layer || !got;
      const name = isOurs ? (got?.className ?? shown(got)) : shownForeign(got, 'sublayers');
      throw new ArgumentError(`bidirectional: layer expected a recurrent layer, got ${name}`);
    }
    super('bidirectional', options, own, layer.batchInputShape);
    const { backwardLayer } = options;
    const mergeMode = options.mergeMode === null ? 'none' : (options.mergeMode ?? 'concat');
    if (mergeMode !== 'none' && (typeof mergeMode !== 'string' || !Object.hasOwn(merges, mergeMode))) {
      const modes = Object.keys(merges).join(', ');
      throw new ArgumentError(`bidirectional: mergeMode expected one of ${modes}, none, got ${shown(mergeMode)}`);
    }
    checkPair(layer, backwardLayer);
    this.#mergeMode = mergeMode;
    this.#hasOwnBackward = backwardLayer !== undefined;
    // As in Keras, the outputs of masked steps are zeros if the layers return sequences.
    const zeroOutputForMask = layer.sequence.returnSequences ?? false;
    const common = { zeroOutputForMask, ...(options.trainable === false ? { trainable: false } : {}) };
    const name = layer.name.replace(/^forward_/, '');
    this.forward = layer.copy({ ...common, name: `forward_${name}` });
    this.backward = backwardLayer
      ? backwardLayer.copy({ ...common, name: backwardLayer.name })
      : layer.copy({ ...common, name: `backward_${name}`, goBackwards: true });
    this.setScope('');
  }

  override get sublayers(): readonly Recurrent[] {
    return [this.forward, this.backward];
  }

  /** The states of the forward layer, then those of the backward layer. */
  get stateSpecs(): readonly StateSpec[] {
    return this.sublayers.flatMap(({ name, stateSpecs }) =>
      stateSpecs.map((spec) => ({ ...spec, name: `${name} ${spec.name}` })),
    );
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const shapes = this.outputShapes(inputShape);
    if (isShape(shapes)) return shapes;
    return (shapes as readonly BatchShape[])[0]!;
  }

  override outputShapes(inputShape: BatchShape): Nested<BatchShape> {
    const [[y, ...states], [z, ...others]] = this.#mapLayers((layer) =>
      listOf(layer.outputShapes(inputShape), isShape),
    );
    const width = this.#mergeMode === 'concat' ? y!.at(-1)! + z!.at(-1)! : y!.at(-1)!;
    const outputs = this.#mergeMode === 'none' ? [y!, z!] : [[...y!.slice(0, -1), width]];
    const all = [...outputs, ...states, ...others];
    return all.length === 1 ? all[0]! : all;
  }

  override config(): LayerConfig {
    return {
      ...this.baseConfig(),
      mergeMode: this.#mergeMode,
      layer: saveLayer(this.forward),
      backwardLayer: this.#hasOwnBackward ? saveLayer(this.backward) : undefined,
    };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    for (const layer of this.sublayers) layer.build(inputShape);
  }

  protected override call(x: Tensor, options: CallOptions): Output {
    const { initialState } = options;
    const batch = x.shape[0]!;
    // Both layers check the batch before either computes, so a refused call changes neither.
    this.#mapLayers((layer) => layer.build(x.shape));
    if (initialState) expectStates(this, initialState, batch);
    this.#mapLayers((layer) => layer.carried?.begin(batch));
    const half = this.forward.stateSpecs.length;
    const given = [initialState?.slice(0, half), initialState?.slice(half)];
    const [[y, ...states], [z, ...others]] = this.#mapLayers((layer, i) =>
      listOf(layer(x, { ...options, initialState: given[i], ownTime: true }), isTensor),
    );
    const outputs = this.#mergeMode === 'none' ? [y!, z!] : [merges[this.#mergeMode](y!, z!)];
    const all = [...outputs, ...states, ...others];
    return (all.length === 1 ? all[0] : all) as Output;
  }

  #mapLayers<T>(f: (layer: Recurrent, i: number) => T): [T, T] {
    return [f(this.forward, 0), f(this.backward, 1)];
  }
}

/** Throws `ArgumentError` unless one layer goes forward, the other backwards, and both give the same kind of output. */
function checkPair(layer: Recurrent, backwardLayer: Recurrent | undefined): void {
  if (layer.sequence.goBackwards) {
    throw new ArgumentError(`bidirectional: layer '${layer.name}' expected to go forward, got goBackwards`);
  }
  if (!backwardLayer) return;
  if (!backwardLayer.sequence.goBackwards) {
    throw new ArgumentError(`bidirectional: backwardLayer '${backwardLayer.name}' expected goBackwards: true`);
  }
  for (const option of ['stateful', 'returnSequences', 'returnState'] as const) {
    const [expected, got] = [layer, backwardLayer].map(({ sequence }) => sequence[option] ?? false);
    if (expected !== got) {
      throw new ArgumentError(
        `bidirectional: backwardLayer '${backwardLayer.name}' expected ${option} ${expected} as '${layer.name}', got ${got}`,
      );
    }
  }
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;
const listOf = <T>(x: Nested<T>, isOne: (x: unknown) => x is T): readonly T[] => (isOne(x) ? [x] : (x as readonly T[]));

type Given<L, M> =
  L extends Recurrent<infer Output>
    ? M extends 'none' | null
      ? Tensor[]
      : Output extends Tensor[]
        ? Tensor[]
        : Output
    : never;

/**
 * A recurrent layer and a copy of it that reads from the end, side by side, each with its own weights.
 *
 * y_t = merge(forward(x₁ … x_t), backward(x_T … x_t)); without `returnSequences` merge(forward at T, backward at 1)
 *
 * Input `[B, T, I]` f32; output `[B, 2H]` with `concat`, `[B, H]` with `sum`, `mul` and `ave`, a list of two tensors
 * `[B, H]` with `none`. If the layer has `returnSequences`, each is `[B, T, …]`, with every output at its own time and
 * zeros at masked steps, as in Keras. If it has `returnState`, the forward states and then the backward states follow,
 * and `initialState` is a list of both. In a masked sequence the backward layer starts at the last unmasked step. The
 * two layers are copies named `forward_…` and `backward_…`; `layer` itself does not change. Of `convLstm2d` outputs and
 * states are images, `[B, H′, W′, F]` in place of `[B, H]`.
 *
 * @param layer a recurrent layer that goes forward.
 * @param options `mergeMode`, default `concat`; `backwardLayer`, default a copy of `layer`; the options of every layer.
 * @returns a layer, to be listed in a model or called with a tensor. Its outputs live until the open step ends;
 *   outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown, `layer` is not recurrent or goes backwards, `mergeMode` is not one of
 *   its values, or `backwardLayer` does not go backwards or differs from `layer` in `stateful`, `returnSequences` or
 *   `returnState`; when called, if the input does not have the axes that `layer` expects, a mask or an initial state
 *   does not fit, or the batch of a stateful layer changes its size.
 * @see Schuster and Paliwal 1997; keras.layers.Bidirectional
 *
 * @example
 * const tagger = sequential([bidirectional(gru({ units: 4, inputShape: [null, 2] })), dense({ units: 1 })]);
 * tagger.predict(x).shape; // [8, 1]
 */
export function bidirectional<L extends Recurrent, const M extends MergeMode | null = 'concat'>(
  layer: L,
  options: BidirectionalOptions & { mergeMode?: M } = {},
): Layer<Given<L, M>> {
  return new Bidirectional<Given<L, M>>(layer, options);
}
