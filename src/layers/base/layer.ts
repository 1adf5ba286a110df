import { Parameter, totalSize } from '../../autograd/parameter.ts';
import { type DType, expectShape, Tensor, tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType, shown, shownForeign } from '../../checks/argument-error.ts';
import { DeadTensorError } from '../../checks/dead-tensor-error.ts';
import type { NestedNumbers } from '../../checks/nested-numbers.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { DataLike, NdArray } from '../../data/array.ts';
import { leavesOf, mapNested, type Nested, type NestedKey } from '../../data/nested.ts';
import { nextStream, type RandomStream, seedStream } from '../../engine/random.ts';
import type { RandomState } from '../../engine/random-bits.ts';
import { recordChange, restoreOnUndo, transaction } from '../../engine/transaction.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import { scale } from '../../ops/elementwise/elementwise.ts';
import { hideMasked } from '../../ops/elementwise/select.ts';
import { customName } from '../../registry/custom-objects.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import { refuseStream } from '../../streaming/refusal.ts';
import { type ConstraintSpec, constraintOf } from '../constraints/constraint.ts';
import { type BatchShape, isShape } from './batch-shape.ts';
import { Callable } from './callable.ts';
import type { CarriedStates } from './carried-states.ts';
import { type Initializer, type InitializerSpec, initializer } from './initializers.ts';
import type { InputSpec } from './input-spec.ts';
import { nameLayers } from './layer-names.ts';
import { maskShape, passMask, withMask } from './mask.ts';
import { type RegularizerSpec, regularizerOf } from './regularizers.ts';

/** Options of every layer. */
export interface LayerOptions {
  /** Unique within a model. Default: the layer's kind, numbered by the model. */
  name?: string | undefined;
  /** Whether training changes its weights. Default true. */
  trainable?: boolean | undefined;
  /** Shape of one sample, for the first layer of a model: `[T, F]`, null for a length that varies. */
  inputShape?: BatchShape | undefined;
  /** The same with the batch as axis 0. */
  batchInputShape?: BatchShape | undefined;
  /** Penalty on the output of the layer, divided by the number of samples in the batch. */
  activityRegularizer?: RegularizerSpec | undefined;
}

const layerNames: Names<LayerOptions> = {
  name: 1,
  trainable: true,
  inputShape: 1,
  batchInputShape: 1,
  activityRegularizer: 1,
};

/** The names of the options of `O` beyond those of every layer. */
export type OwnNames<O extends LayerOptions, Taken extends LayerOptions = LayerOptions> = Names<Omit<O, keyof Taken>>;

export interface CallOptions {
  /** Whether dropout is on. Default: on while a model trains, off elsewhere. `call` always gets true or false. */
  training?: boolean | undefined;
  /**
   * `[B, T]` f32: 1 if a step counts, 0 if it is padding. If the input has more axes, the mask may have any number of
   * its first axes. Default: the mask that the input carries.
   */
  mask?: Tensor | undefined;
  /** For recurrent layers: one `[B, units]` for each state. */
  initialState?: readonly Tensor[] | undefined;
  /** For `rnn`: tensors that its cell reads at every step, such as what an attention cell attends to. */
  constants?: readonly Tensor[] | undefined;
  /** Keeps the outputs of a layer that goes backwards in the order of the input steps. @internal */
  ownTime?: boolean | undefined;
}

/** Call options as a caller gives them. */
export interface GivenCallOptions extends Omit<CallOptions, 'mask' | 'initialState'> {
  /** A tensor, or nested arrays. */
  mask?: CallOptions['mask'] | NestedNumbers | undefined;
  /** A list; for a layer with one state also the tensor itself. */
  initialState?: CallOptions['initialState'] | Tensor | undefined;
}

// Most calls share these two objects, so that a call allocates none.
const plainOptions = [false, true].map((training): CallOptions => Object.freeze({ training }));

const callNames: Names<CallOptions> = { training: true, mask: 1, initialState: 1, constants: 1, ownTime: 1 };

let trainingNow = false;

/** Runs `body` with dropout on or off. */
export function withTraining<T>(training: boolean, body: () => T): T {
  const outer = trainingNow;
  trainingNow = training;
  try {
    return body();
  } finally {
    trainingNow = outer;
  }
}

export const isTraining = (options: Pick<CallOptions, 'training'>): boolean => options.training ?? trainingNow;

/** Returns the values of a new weight, in place of its initializer. Throws if it has no values of that shape. */
export type WeightSource = (name: string, shape: Shape) => Float32Array;

let weightSource: WeightSource | undefined;

/** Runs `body`, which builds layers, and takes their weights from `source`. @internal */
export function withWeights<T>(source: WeightSource, body: () => T): T {
  weightSource = source;
  try {
    return body();
  } finally {
    weightSource = undefined;
  }
}

/**
 * Whether weights come from a file. A model is then built as a whole, once the names of all its layers are known.
 * @internal
 */
export const takesWeights = (): boolean => weightSource !== undefined;

let outermostNetwork: AnyLayer | undefined;

/**
 * Runs `body`, the forward pass of a network. The layers that it calls must be in the tree of the outermost network.
 * @internal
 */
export function inNetwork<T>(network: AnyLayer, body: () => T): T {
  const outer = outermostNetwork;
  outermostNetwork ??= network;
  try {
    return body();
  } finally {
    outermostNetwork = outer;
  }
}

/** The input of a layer: one tensor, a list, or several by name. */
export type LayerInput = Nested<Tensor>;
export type ShapeOf<Input> = Input extends Tensor
  ? BatchShape
  : Input extends readonly Tensor[]
    ? readonly BatchShape[]
    : Nested<BatchShape>;
/** Any layer, with any input and output. */
// biome-ignore lint/suspicious/noExplicitAny: inputs and outputs of the layers of one model differ.
export type AnyLayer = Layer<any, any>;

/** A layer, or a model, which can be used as a layer. */
export type LayerLike<L extends AnyLayer = AnyLayer> = L | { readonly network: L };

/**
 * Returns the given layer, or the network of the given model. Throws `ArgumentError`, which names the argument, for any
 * other value.
 */
export function layerOf<L extends AnyLayer>(what: string, given: LayerLike<L>): L {
  const layer = given instanceof Layer ? given : (given as { network?: unknown } | null | undefined)?.network;
  if (layer instanceof Layer) return layer as L;
  throw new ArgumentError(`${what} expected a layer or a model, got ${shownForeign(given, 'sublayers')}`);
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Checks of custom layers. */
export interface CustomChecks {
  /** Throws if `call` returned no tensors, or if the layer was not built by `build`. */
  called?(layer: AnyLayer, y: unknown, isInNetwork: boolean, x: unknown, options: GivenCallOptions): void;
  /** Throws if an argument of `addWeight` does not fit, or if it is called outside `makeWeights`. */
  weight?(
    layer: AnyLayer,
    isMaking: boolean,
    given: readonly [name: string, shape: Shape, how: InitializerSpec | Initializer],
  ): void;
}

let checks: CustomChecks = {};

/** Turns on the checks of custom layers. Without this call an app does not contain them. @internal */
export function checkCustomLayers(own: CustomChecks): void {
  checks = own;
}

/** A layer is a function: `y = layer(x)`. Its first call makes its weights, unless they exist already. */
export interface Layer<Output = Tensor, Input extends LayerInput = Tensor> {
  (x: Input, options?: GivenCallOptions): Output;

  /**
   * Copies the values of all weights, in the order of `weights`.
   *
   * An app of `tapeloop/lean` calls `addMethods` first.
   *
   * @returns one array for each weight, of its shape `[…]`, owned by the caller; no array until the layer is built.
   * @see keras.layers.Layer.get_weights
   */
  getWeights(): NdArray<Float32Array>[];

  /**
   * Sets the values of all weights.
   *
   * @param weights one array of the shape `[…]` of each weight, in the order of `weights`, as `getWeights` gives them:
   *   nested numbers, an `NdArray` or a tensor.
   * @throws ArgumentError if the number of arrays or a shape differs, a value is not finite, or a call that returns a
   *   promise runs on a model that has the layer, except from a callback of `fit`. Nothing is set then.
   * @see keras.layers.Layer.set_weights
   */
  setWeights(weights: readonly DataLike[]): void;
}

/**
 * The base class of all layers: weights, and a computation with them.
 *
 * A subclass makes its weights in `makeWeights` (`build` in Keras), computes in `call`, and returns the output shape
 * for an input shape in `outputShape`. If it is made of other layers, it lists them in `sublayers`; their weights are
 * then its weights.
 *
 * A padded batch carries a mask (`Tensor.mask`). `call` gets it as `options.mask`, and an output `[B, T, …]` of the
 * same steps gets it too. Masked values of the input may be any number; `call` gets 0 in place of NaN and ∞ there.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `Callable` makes the object callable as the interface says.
export abstract class Layer<Output = Tensor, Input extends LayerInput = Tensor> extends Callable {
  /** The class name of Keras, as `summary` prints it. */
  abstract readonly className: string;
  name: string;
  /** The name, without a number, if the caller gives none. @internal */
  readonly defaultName: string;
  /** Whether the caller or a file chose the name. A model does not number such a name. @internal */
  isNamed: boolean;
  readonly batchInputShape: BatchShape | undefined;
  /** Whether the caller gave no input shape. @internal */
  readonly assumesShape: boolean;
  readonly #ownWeights: Parameter[] = [];
  // Weight names without the path.
  readonly #weightNames: string[] = [];
  readonly #penalties: (() => Tensor)[] = [];
  readonly #ownOptions: Record<string, Json | ((x: Tensor) => Tensor)> = {};
  readonly #activityRegularizer: RegularizerSpec | undefined;
  // Penalties on the outputs of the calls in one step.
  #activity: { step: number; penalties: Tensor[] } = { step: 0, penalties: [] };
  #lastOutput: Nested<BatchShape> | undefined;
  #scope = '';
  #trainable: boolean;
  #builtFor: ShapeOf<Input> | undefined;
  #random: RandomStream | undefined;
  #seeds: RandomStream | undefined;
  // The layers of the tree when it was last read.
  #known: ReadonlySet<AnyLayer> | undefined;
  #makesWeights = false;
  #isDisposed = false;

  /**
   * @param own names of the layer's options beyond `LayerOptions`, each with true for a boolean and 1 for any other
   *   type. Any other option is refused. `baseConfig` includes these options. Without `own` no option is refused.
   * @param shape `batchInputShape`, if the options give none.
   */
  constructor(defaultName: string, given?: LayerOptions, own?: object, shape?: BatchShape) {
    // With `own`, missing options are a mistake of the caller. Without it, as in a custom layer, they may be missing.
    const options = own ? given! : (given ?? {});
    if (own) checkOptions(defaultName, options, { ...own, ...layerNames });
    super((self: Layer<Output, Input>, x: Input, callOptions: GivenCallOptions) =>
      transaction(() => self.#run(x, callOptions)),
    );
    this.defaultName = defaultName;
    this.name = options.name ?? defaultName;
    expectType(`${defaultName}: name`, this.name, 'a string');
    this.#activityRegularizer = options.activityRegularizer;
    refuseUnknown(defaultName, options);
    for (const name in own) this.#ownOptions[name] = (options as Record<string, Json>)[name]!;
    this.isNamed = options.name !== undefined;
    this.#trainable = options.trainable ?? true;
    const { inputShape, batchInputShape = inputShape } = options;
    if (batchInputShape !== undefined && !isShape(batchInputShape)) {
      throw new ArgumentError(
        `${this.name}: inputShape expected a list of lengths, got ${shown(batchInputShape)}; null where it varies`,
      );
    }
    this.assumesShape = !batchInputShape;
    this.batchInputShape = options.batchInputShape ?? (inputShape ? [null, ...inputShape] : shape);
  }

  #run(x: Input, called: GivenCallOptions): Output {
    if (isTensor(called)) throw new ArgumentError(`${this.describe()}: input expected one list of tensors, got two`);
    const { mask: given, initialState, constants, ownTime } = checkOptions(this.name, called, callNames);
    const inputs: unknown[] = isTensor(x) ? [x] : Object.values(x ?? {});
    if (inputs.length === 0 || !inputs.every(isTensor)) {
      throw new ArgumentError(
        `${this.describe()}: input expected a tensor, as tensor(values) makes, got ${shownForeign(x, 'timeMajor')}`,
      );
    }
    this.build(mapNested<Tensor, BatchShape>(x, isTensor, (each) => each.shape) as ShapeOf<Input>);
    let mask = isTensor(x) ? x.mask : undefined;
    if (isTensor(given)) mask = given;
    else if (given) mask = tensor(given, { name: `${this.describe()}: mask`, dtype: 'f32', engine: inputs[0]!.engine });
    if (mask && isTensor(x)) {
      expectShape(`${this.describe()}: mask`, mask.shape, maskShape(x, mask.shape.length));
    }
    const seen = mapNested<Tensor, Tensor>(x, isTensor, (each) =>
      isTensor(x) && mask ? withMask(each, mask) : hideMasked(each, each.mask),
    );
    const states = isTensor(initialState) ? [initialState] : initialState;
    const training = isTraining(called);
    const isPlain = !mask && given === undefined && initialState === undefined && !constants && !ownTime;
    const options = isPlain
      ? plainOptions[+training]!
      : { ...called, training, mask, initialState: states || undefined };
    const y = this.call(seen as Input, options);
    checks.called?.(this, y, outermostNetwork !== undefined, x, called);
    // If `call` returns its argument, the activation of the argument does not change.
    if (isTensor(y) && y !== (seen as unknown)) y.activation ??= this.outputActivation;
    if (mask && isTensor(x) && this.passesMask) passMask(mask, y);
    const outputs = y as Nested<Tensor>;
    if (!this.#lastOutput) {
      recordChange(() => {
        this.#lastOutput = undefined;
      });
    }
    this.#lastOutput = mapNested<Tensor, BatchShape>(outputs, isTensor, ({ shape }) => [null, ...shape.slice(1)]);
    if (this.#activityRegularizer) this.#penalizeActivity(leavesOf(outputs, isTensor), this.#activityRegularizer);
    return y;
  }

  /** As in Keras, the penalty of the whole output is divided by the number of samples. */
  #penalizeActivity(outputs: readonly Tensor[], regularizer: RegularizerSpec): void {
    const { openStep } = outputs[0]!.engine;
    if (openStep === 0) return;
    if (this.#activity.step !== openStep) this.#activity = { step: openStep, penalties: [] };
    for (const y of outputs) {
      this.#activity.penalties.push(scale(regularizerOf(regularizer)(y), 1 / Math.max(y.shape[0]!, 1)));
    }
  }

  /**
   * Makes the weights for inputs of this shape, by `makeWeights`. A built layer only checks that the shape fits.
   *
   * @throws ArgumentError if the shape does not fit the layer; DeadTensorError after `dispose`.
   * @see keras.layers.Layer.build
   */
  build(inputShape: ShapeOf<Input>): void {
    this.expectAlive();
    this.checkInput(inputShape);
    if (this.#builtFor && this.isBuilt) {
      if (this.#ownWeights.length === 0) return;
      this.#expectListed();
      if (!this.fixesInputWidth) return;
      const expected = (this.#builtFor as BatchShape).at(-1);
      if ((inputShape as BatchShape).at(-1) !== expected) {
        const got = formatShape(inputShape as BatchShape);
        throw new ArgumentError(
          `${this.describe()}: input expected ${expected} features, as it was built for, got ${got}`,
        );
      }
      return;
    }
    transaction(() => {
      recordChange(() => {
        for (const weight of this.#ownWeights) weight.dispose();
        this.#ownWeights.length = 0;
        this.#weightNames.length = 0;
        this.#penalties.length = 0;
        this.#builtFor = undefined;
        this.#makesWeights = false;
      });
      this.#makesWeights = true;
      this.makeWeights(inputShape);
      this.#makesWeights = false;
      this.#builtFor = inputShape;
    });
  }

  /** Throws `DeadTensorError` after `dispose`. @internal */
  expectAlive(): void {
    if (this.#isDisposed) throw new DeadTensorError(`${this.describe()} was disposed of`);
  }

  /** Whether the weights are made. */
  get isBuilt(): boolean {
    return this.#builtFor !== undefined;
  }

  /** The input shape that the weights were made for; undefined before. @internal */
  get builtShape(): ShapeOf<Input> | undefined {
    return this.#builtFor;
  }

  /** The layers that this layer is made of. */
  get sublayers(): readonly AnyLayer[] {
    return [];
  }

  /** This layer and every layer below it, each once, outermost first. */
  tree(): readonly AnyLayer[] {
    const { sublayers } = this;
    return sublayers.length === 0 ? [this] : [...new Set([this, ...sublayers.flatMap((layer) => layer.tree())])];
  }

  /** The weights in the order of Keras, those of `sublayers` included, each once; empty until built. */
  get weights(): readonly Parameter[] {
    const { sublayers } = this;
    if (sublayers.length === 0) return this.#ownWeights;
    return [...new Set([...this.#ownWeights, ...sublayers.flatMap((layer) => layer.weights)])];
  }

  /**
   * Counts the numbers in the weights, those of `sublayers` included. A shared weight counts once.
   *
   * @param options.trainable true counts the trainable weights, false the others. Default: all, as in `summary`.
   * @throws ArgumentError if an option is unknown or the layer is not built.
   * @see keras.layers.Layer.count_params
   */
  countParams(options: { trainable?: boolean | undefined } = {}): number {
    const { trainable } = checkOptions('countParams', options, { trainable: true });
    if (!this.isBuilt) throw new ArgumentError(`${this.describe()}: countParams() expected a built layer`);
    return totalSize(this.weights.filter((weight) => weight.trainable === (trainable ?? weight.trainable)));
  }

  /**
   * The penalties of regularizers, `[]` each, on weights and on the outputs of this step's calls. To be called while
   * the tape of the step is open. @internal
   */
  penalties(): Tensor[] {
    const { step, penalties } = this.#activity;
    this.#activity = { step: 0, penalties: [] };
    const isOpen = penalties[0]?.engine.openStep === step;
    return [...this.#penalties.map((penalty) => penalty()), ...(isOpen ? penalties : [])];
  }

  /** Output shapes of the last call, null for the batch; undefined before the first call. @internal */
  get lastOutput(): Nested<BatchShape> | undefined {
    return this.#lastOutput;
  }

  /** Output shapes of `sublayers`, as far as they are known, for `summary`. @internal */
  sublayerShapes(): (Nested<BatchShape> | undefined)[] {
    return this.sublayers.map((layer) => layer.lastOutput);
  }

  /** The names of the enclosing layers and its own name, such as `bidirectional/forward_lstm`. */
  get path(): string {
    return this.#scope + this.name;
  }

  /**
   * Sets the path before the name, and with it the names of all layers and weights below. The names depend only on
   * this tree, not on other models that share a layer.
   *
   * @param scope undefined for the outermost layer, whose name is not part of any path.
   * @param seen layers that were already named at another place in the tree. @internal
   */
  setScope(scope?: string, seen = new Set<AnyLayer>()): void {
    this.#scope = scope ?? '';
    this.#ownWeights.forEach((weight, i) => {
      weight.name = `${this.path}/${this.#weightNames[i]}`;
    });
    this.nameSublayers(seen);
    for (const layer of this.sublayers) {
      if (seen.has(layer)) continue;
      seen.add(layer);
      layer.setScope(scope === undefined ? '' : `${this.path}/`, seen);
    }
  }

  /** Throws `ArgumentError` if two layers have the same fixed name. */
  protected nameSublayers(seen: ReadonlySet<AnyLayer>): void {
    nameLayers(this.name, this.sublayers, seen);
  }

  /**
   * The layers of a stack in the order in which they run, those of inner stacks included; for any other layer the
   * layer itself. @internal
   */
  get stack(): readonly AnyLayer[] {
    return [this];
  }

  /** Whether the output can have a mask that the input did not have. @internal */
  get makesMask(): boolean {
    return false;
  }

  /** Number of states in a stream. @internal */
  get streamedStates(): number {
    return 0;
  }

  /** The states that a stateful layer carries from batch to batch. @internal */
  get carried(): CarriedStates | undefined {
    return undefined;
  }

  /**
   * Makes the stateful layers among this layer and its sublayers start from zeros at the next batch.
   *
   * @throws ArgumentError if it is given states; `setStates` of a layer takes them.
   * @see keras.layers.RNN (reset_state)
   */
  resetStates(...none: readonly never[]): void {
    if (none.length > 0) {
      throw new ArgumentError(`${this.describe()}: resetStates() takes no states; setStates(states, batch) does`);
    }
    for (const layer of this.tree()) layer.carried?.reset();
  }

  /**
   * Whether training changes the weights, those of `sublayers` included. Setting it takes effect at the next batch.
   *
   * @see keras.layers.Layer (trainable)
   */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    if (typeof value !== 'boolean')
      throw new ArgumentError(`${this.name}: trainable expected true or false, got ${shown(value)}`);
    this.#trainable = value;
    for (const weight of this.#ownWeights) weight.trainable = value;
    for (const layer of this.sublayers) layer.trainable = value;
  }

  /** Data type, id limit and sample shape of each input. */
  get inputs(): Nested<InputSpec> {
    return { dtype: this.inputDtype, limit: this.inputLimit, shape: this.batchInputShape?.slice(1) };
  }

  /** Data type of the input; i32 for token ids. */
  get inputDtype(): DType {
    return 'f32';
  }

  /** Name of the activation that makes the output, if known. */
  get outputActivation(): string | undefined {
    return undefined;
  }

  /** The activation of one of several outputs, by its key. @internal */
  activationOf(key: NestedKey): string | undefined {
    return key === undefined ? this.outputActivation : undefined;
  }

  /** For an input of ids: the largest id plus 1. */
  get inputLimit(): number | undefined {
    return undefined;
  }

  /** Throws `ArgumentError` if the layer runs in a network that does not list it, and so would not train or save it. */
  #expectListed(): void {
    const network = outermostNetwork;
    if (!network || network.#known?.has(this)) return;
    network.#known = new Set(network.tree());
    if (network.#known.has(this)) return;
    throw new ArgumentError(
      `${network.name}: layers expected '${this.name}', too, which it calls, or the sublayers of what calls it`,
    );
  }

  /** The random numbers of this layer, for initial values and dropout masks. */
  get random(): RandomStream {
    this.#expectListed();
    if (!this.#random) {
      restoreOnUndo(this.#seeds ?? seedStream());
      recordChange(() => {
        this.#random = undefined;
      });
    }
    return restoreOnUndo((this.#random ??= nextStream(this.#seeds)));
  }

  /** State of the random numbers; undefined before the first is drawn, so that reading it draws no seed. @internal */
  get randomState(): RandomState | undefined {
    return this.#random?.state;
  }

  /** The stream from which a loaded layer takes its seed, if it has none yet. @internal */
  get seeds(): RandomStream | undefined {
    return this.#seeds;
  }

  /** Replaces the stream of random numbers. Without `stream` the first use takes its seed from `seeds`. @internal */
  setRandom(stream: RandomStream | undefined, seeds?: RandomStream): void {
    const [before, seedsBefore] = [this.#random, this.#seeds];
    recordChange(() => {
      this.#random = before;
      this.#seeds = seedsBefore;
    });
    this.#random = stream;
    this.#seeds = seeds;
  }

  /** Adds the layer to a stream program. Throws `ArgumentError` if it cannot run step by step. @internal */
  addToStream(program: StreamProgram): void {
    if (!program.addOther?.(this)) refuseStream(this.describe(), this.className, this.config());
  }

  /** The output shape for a batch of `inputShape`, without computing the output. */
  abstract outputShape(inputShape: ShapeOf<Input>): BatchShape;
  /** The output shapes, nested like the outputs. */
  outputShapes(inputShape: ShapeOf<Input>): Nested<BatchShape> {
    return this.outputShape(inputShape);
  }
  /**
   * The options that make an equal layer, as plain JSON. A custom layer returns `{ ...this.baseConfig(), …options }`.
   */
  abstract config(): LayerConfig;
  protected abstract call(x: Input, options: CallOptions): Output;
  protected makeWeights(_inputShape: ShapeOf<Input>): void {}
  /** Throws `ArgumentError` for an input shape that does not fit. */
  protected checkInput(_inputShape: ShapeOf<Input>): void {}
  /**
   * Whether an output `[B, T, …]` of an input `[B, T, …]` gets its mask. It has no effect on an output on which the
   * layer sets `mask` itself.
   */
  protected get passesMask(): boolean {
    return true;
  }
  /** Whether the last axis of the input has the same length in every call. */
  protected get fixesInputWidth(): boolean {
    return true;
  }

  /** The layer as errors name it: `lstm(units=128)`. */
  describe(): string {
    return this.name;
  }

  /**
   * Makes a weight of the layer.
   *
   * @param constraint default: that of the layer's option, such as `kernelConstraint` for `kernel` and
   *   `recurrentConstraint` for `recurrentKernel`.
   */
  protected addWeight(
    name: string,
    shape: Shape,
    how: InitializerSpec | Initializer,
    regularizer?: RegularizerSpec | undefined,
    constraint = this.#ownOptions[`${name}Constraint`.replace('KernelC', 'C')] as ConstraintSpec | undefined,
  ): Parameter {
    const fullName = `${this.path}/${name}`;
    checks.weight?.(this, this.#makesWeights, [name, shape, how]);
    const initialize = typeof how === 'function' ? how : initializer(how);
    if (!weightSource && !(sizeOf(shape) < 2 ** 30)) {
      throw new ArgumentError(`${fullName} expected fewer than 2^30 numbers, got ${formatShape(shape)}`);
    }
    const values = weightSource ? weightSource(fullName, shape) : initialize(shape, this.random);
    const weight = new Parameter(fullName, shape, values);
    weight.trainable = this.#trainable;
    weight.isOwned = true;
    this.#ownWeights.push(weight);
    this.#weightNames.push(name);
    if (regularizer) this.#penalties.push(() => regularizerOf(regularizer)(weight));
    if (constraint) constraintOf(constraint, fullName).attach(weight);
    return weight;
  }

  /** Throws `ArgumentError` unless the input is `[B, T, F]`. */
  protected expectSequence(inputShape: BatchShape): void {
    if (inputShape.length === 3) return;
    throw new ArgumentError(
      `${this.describe()}: input expected [batch, time, features], got ${formatShape(inputShape)}`,
    );
  }

  /** The length of the last axis. Throws `ArgumentError` if it is unknown or 0: weights need it. */
  protected inputWidth(inputShape: BatchShape): number {
    const width = inputShape.at(-1);
    if (typeof width !== 'number' || width < 1) {
      throw new ArgumentError(`${this.describe()}: input expected a known last axis, got ${formatShape(inputShape)}`);
    }
    return width;
  }

  protected baseConfig(): LayerConfig {
    return {
      name: this.name,
      trainable: this.#trainable ? undefined : false,
      batchInputShape: this.batchInputShape,
      activityRegularizer: this.#activityRegularizer,
      ...Object.fromEntries(
        Object.entries(this.#ownOptions).map(([option, value]) => {
          if (typeof value !== 'function') return [option, value];
          // An inline function has the name of the option, in every layer. The path makes the name unique.
          return [option, customName(value.name === option ? `${this.path}/${option}` : value.name)];
        }),
      ),
    };
  }

  /** Frees the memory of the weights. The layer cannot be used afterwards. */
  dispose(): void {
    this.#isDisposed = true;
    for (const weight of this.#ownWeights) weight.dispose();
    this.carried?.reset();
    for (const layer of this.sublayers) layer.dispose();
  }
}

/**
 * Throws `ArgumentError` for an unknown value of any option whose name ends in `Initializer`, `Regularizer` or
 * `Constraint`.
 */
function refuseUnknown(layer: string, options: object): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const what = `${layer}: ${option}`;
    if (option.endsWith('Regularizer')) regularizerOf(value, what);
    if (option.endsWith('Initializer')) initializer(value, what);
    if (option.endsWith('Constraint')) constraintOf(value, what);
  }
}
