import { Parameter, totalSize } from '../../autograd/parameter.ts';
import { type DType, expectShape, Tensor, tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectType, shown, shownStranger } from '../../checks/argument-error.ts';
import { DeadTensorError } from '../../checks/dead-tensor-error.ts';
import type { NestedNumbers } from '../../checks/nested-numbers.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { DataLike, NdArray } from '../../data/array.ts';
import { leavesOf, mapNested, type Nested, type NestedKey } from '../../data/nested.ts';
import { nextStream, type RandomStream, seedStream } from '../../engine/random.ts';
import type { RandomState } from '../../engine/random-bits.ts';
import { changed, noted, transaction } from '../../engine/transaction.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import { scale } from '../../ops/elementwise/elementwise.ts';
import { hideMasked } from '../../ops/elementwise/select.ts';
import { customName } from '../../registry/custom-objects.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import { refuseStream } from '../../streaming/refusal.ts';
import { type BatchShape, isShape } from './batch-shape.ts';
import { Callable } from './callable.ts';
import type { CarriedStates } from './carried-states.ts';
import { type Initializer, type InitializerSpec, initializer } from './initializers.ts';
import type { InputSpec } from './input-spec.ts';
import { nameLayers } from './layer-names.ts';
import { maskShape, passMask, withMask } from './mask.ts';
import { type RegularizerSpec, regularizerOf } from './regularizers.ts';

/** What every layer takes. */
export interface LayerOptions {
  /** Unique within a model. Default: the layer's kind, numbered by the model. */
  name?: string | undefined;
  /** Whether training changes its weights. Default true. */
  trainable?: boolean | undefined;
  /** Shape of one sample, for a first layer: `[T, F]`, null for a length that varies. */
  inputShape?: BatchShape | undefined;
  /** The same with the batch in front. */
  batchInputShape?: BatchShape | undefined;
  /** Penalty on what the layer gives, for one sample of the batch on average. */
  activityRegularizer?: RegularizerSpec | undefined;
}

const layerNames: Names<LayerOptions> = {
  name: 1,
  trainable: true,
  inputShape: 1,
  batchInputShape: 1,
  activityRegularizer: 1,
};

/** The name of every option that the layers of `O` have beside what every layer takes. */
export type OwnNames<O extends LayerOptions, Taken extends LayerOptions = LayerOptions> = Names<Omit<O, keyof Taken>>;

export interface CallOptions {
  /**
   * Whether dropout and its like are on. Default: on while a model trains, off elsewhere; `call` always gets true or
   * false.
   */
  training?: boolean | undefined;
  /**
   * `[B, T]` f32: 1 where a step counts, 0 where it is padding; for inputs of more axes any number of the first.
   * Default: the mask that the input carries.
   */
  mask?: Tensor | undefined;
  /** For recurrent layers: one `[B, units]` per state. */
  initialState?: readonly Tensor[] | undefined;
  /** Has a layer that goes backwards leave its outputs at their own time. @internal */
  ownTime?: boolean | undefined;
}

/** The same as a caller may give it. */
export interface GivenCallOptions extends Omit<CallOptions, 'mask' | 'initialState'> {
  /** Of a tensor, or of nested arrays. */
  mask?: CallOptions['mask'] | NestedNumbers | undefined;
  /** In a list; of a layer with one state that tensor itself. */
  initialState?: CallOptions['initialState'] | Tensor | undefined;
}

// What most calls get.
const plainOptions = [false, true].map((training): CallOptions => Object.freeze({ training }));

const callNames: Names<CallOptions> = { training: true, mask: 1, initialState: 1, ownTime: 1 };

let trainingNow = false;

/** Runs `body` with dropout and its like on or off. */
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

/** Gives a new weight its values instead of its initializer; it throws where it has none that fit. */
export type WeightSource = (name: string, shape: Shape) => Float32Array;

let weightSource: WeightSource | undefined;

/** Runs `body`, which builds layers, with their weights taken from `source`. @internal */
export function withWeights<T>(source: WeightSource, body: () => T): T {
  weightSource = source;
  try {
    return body();
  } finally {
    weightSource = undefined;
  }
}

/** Whether weights come from a file: then a model is built as a whole, when all names in it are known. @internal */
export const takesWeights = (): boolean => weightSource !== undefined;

let running: AnyLayer | undefined;

/**
 * Runs `body`, the inside of a network: the layers that it calls must be in the tree of the outermost one. @internal
 */
export function inNetwork<T>(network: AnyLayer, body: () => T): T {
  const outer = running;
  running ??= network;
  try {
    return body();
  } finally {
    running = outer;
  }
}

/** What a layer takes: most one tensor, some several, in a list or by name. */
export type LayerInput = Nested<Tensor>;
export type ShapeOf<Input> = Input extends Tensor
  ? BatchShape
  : Input extends readonly Tensor[]
    ? readonly BatchShape[]
    : Nested<BatchShape>;
/** Any layer, whatever it takes and gives. */
// biome-ignore lint/suspicious/noExplicitAny: inputs and outputs of the layers of one model differ.
export type AnyLayer = Layer<any, any>;

/** A layer, or a model, which is one, too. */
export type LayerLike<L extends AnyLayer = AnyLayer> = L | { readonly network: L };

/** The layer that something is. Throws `ArgumentError`, which names it, if it is none. */
export function layerOf<L extends AnyLayer>(what: string, given: LayerLike<L>): L {
  const layer = given instanceof Layer ? given : (given as { network?: unknown } | null | undefined)?.network;
  if (layer instanceof Layer) return layer as L;
  throw new ArgumentError(`${what} expected a layer or a model, got ${shownStranger(given, 'sublayers')}`);
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** What is looked at in a layer of somebody's own. */
export interface CustomChecks {
  /** Throws for what `call` returned if it is no tensors, and for a layer that is not built as one should be. */
  called?(layer: AnyLayer, y: unknown, isInNetwork: boolean): void;
  /** Throws for an argument of `addWeight` that does not fit, and outside `makeWeights`. */
  weight?(
    layer: AnyLayer,
    isMaking: boolean,
    given: readonly [name: string, shape: Shape, how: InitializerSpec | Initializer],
  ): void;
}

let checks: CustomChecks = {};

/** Has layers of somebody's own checked; until then an app need not carry the checks. @internal */
export function checkCustomLayers(own: CustomChecks): void {
  checks = own;
}

/** A layer is a function: `y = layer(x)`. The first call makes the weights, where nothing has made them before. */
export interface Layer<Output = Tensor, Input extends LayerInput = Tensor> {
  (x: Input, options?: GivenCallOptions): Output;

  /**
   * Copies of the values of all weights, in the order of `weights`.
   *
   * In an app of `tapeloop/lean` it is there once the app has called `addMethods`.
   *
   * @returns an array `[…]` for each, of the weight's shape, the caller's own; none before the layer is built.
   * @see keras.layers.Layer.get_weights
   */
  getWeights(): NdArray<Float32Array>[];

  /**
   * Sets the values of all weights.
   *
   * @param weights for each of `weights`, in that order, an array of its shape: nested, with a shape, or a tensor. What
   *   `getWeights` gives.
   * @throws ArgumentError if there are more or fewer, a shape differs, a value is not finite, or a call that returns a
   *   promise runs on a model that has the layer, except from a callback of `fit`. Nothing is set then.
   * @see keras.layers.Layer.set_weights
   */
  setWeights(weights: readonly DataLike[]): void;
}

/**
 * Weights and what is computed with them.
 *
 * A subclass declares its weights in `makeWeights` (Keras's `build`), computes in `call`, and says in `outputShape`
 * what a batch of a shape becomes. One that is made of other layers says so in `sublayers`; their weights are then its
 * own.
 *
 * A padded batch carries a mask (`Tensor.mask`). It reaches `call` as `options.mask` and is passed on to an output
 * `[B, T, …]` of the same steps. What it leaves out may be any number, but `call` sees 0 there for NaN and ∞.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface is the call signature that `Callable` provides.
export abstract class Layer<Output = Tensor, Input extends LayerInput = Tensor> extends Callable {
  /** Keras's class name, as `summary` prints it. */
  abstract readonly className: string;
  name: string;
  /** The start of its name if the caller gives none. @internal */
  readonly defaultName: string;
  /** Whether the caller, or the file that it comes from, chose the name, so that no model may number it. @internal */
  isNamed: boolean;
  readonly batchInputShape: BatchShape | undefined;
  /** Whether the caller did not say the shape. @internal */
  readonly assumesShape: boolean;
  readonly #ownWeights: Parameter[] = [];
  // Without the path.
  readonly #weightNames: string[] = [];
  readonly #penalties: (() => Tensor)[] = [];
  readonly #ownOptions: [name: string, value: Json | ((x: Tensor) => Tensor)][] = [];
  readonly #activityRegularizer: RegularizerSpec | undefined;
  // Of the outputs of this step's calls.
  #activity: { step: number; penalties: Tensor[] } = { step: 0, penalties: [] };
  #lastOutput: Nested<BatchShape> | undefined;
  #scope = '';
  #trainable: boolean;
  #builtFor: ShapeOf<Input> | undefined;
  #random: RandomStream | undefined;
  #seeds: RandomStream | undefined;
  // Its tree, when last looked at.
  #known: ReadonlySet<AnyLayer> | undefined;
  #makesWeights = false;
  #isDisposed = false;

  /**
   * @param own names of the options that the layer has beside `LayerOptions`, each with 1: any other is refused, and
   *   `baseConfig` has these too. Without it no option is refused.
   * @param shape its `batchInputShape` where the options give none.
   */
  constructor(defaultName: string, given?: LayerOptions, own?: object, shape?: BatchShape) {
    // With `own` missing options are a mistake of the call; without, a layer of the caller's own has none.
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
    for (const name in own) {
      this.#ownOptions.push([name, (options as Record<string, Json>)[name]!]);
    }
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
    const { mask: given, initialState, ownTime } = checkOptions(this.name, called, callNames);
    const inputs: unknown[] = isTensor(x) ? [x] : Object.values(x ?? {});
    if (inputs.length === 0 || !inputs.every(isTensor)) {
      throw new ArgumentError(
        `${this.describe()}: input expected a tensor, as tensor(values) makes, got ${shownStranger(x, 'timeMajor')}`,
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
    const isPlain = !mask && given === undefined && initialState === undefined && !ownTime;
    const options = isPlain
      ? plainOptions[+training]!
      : { ...called, training, mask, initialState: states || undefined };
    const y = this.call(seen as Input, options);
    checks.called?.(this, y, running !== undefined);
    // A function that returns its argument leaves it what it was.
    if (isTensor(y) && y !== (seen as unknown)) y.activation ??= this.outputActivation;
    if (mask && isTensor(x) && this.passesMask) passMask(mask, y);
    const outputs = y as Nested<Tensor>;
    if (!this.#lastOutput) {
      changed(() => {
        this.#lastOutput = undefined;
      });
    }
    this.#lastOutput = mapNested<Tensor, BatchShape>(outputs, isTensor, ({ shape }) => [null, ...shape.slice(1)]);
    if (this.#activityRegularizer) this.#penalizeActivity(leavesOf(outputs, isTensor), this.#activityRegularizer);
    return y;
  }

  /** Keras's share of one sample: the penalty of the whole output over the number of samples. */
  #penalizeActivity(outputs: readonly Tensor[], regularizer: RegularizerSpec): void {
    const { openStep } = outputs[0]!.engine;
    if (openStep === 0) return;
    if (this.#activity.step !== openStep) this.#activity = { step: openStep, penalties: [] };
    for (const y of outputs) {
      this.#activity.penalties.push(scale(regularizerOf(regularizer)(y), 1 / Math.max(y.shape[0]!, 1)));
    }
  }

  /**
   * Makes the weights that inputs of this shape need, by `makeWeights`, which is what Keras's `build` is. Once built,
   * checks that a shape still fits.
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
      changed(() => {
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

  /** Whether its weights have been made. */
  get isBuilt(): boolean {
    return this.#builtFor !== undefined;
  }

  /** The shape that its weights were made for; undefined before. @internal */
  get builtShape(): ShapeOf<Input> | undefined {
    return this.#builtFor;
  }

  /** The layers it is made of. */
  get sublayers(): readonly AnyLayer[] {
    return [];
  }

  /** Itself and every layer below it, each once, outermost first. */
  tree(): readonly AnyLayer[] {
    const { sublayers } = this;
    return sublayers.length === 0 ? [this] : [...new Set([this, ...sublayers.flatMap((layer) => layer.tree())])];
  }

  /** In Keras's order, those of the layers it is made of included, each once; empty until built. */
  get weights(): readonly Parameter[] {
    const { sublayers } = this;
    if (sublayers.length === 0) return this.#ownWeights;
    return [...new Set([...this.#ownWeights, ...sublayers.flatMap((layer) => layer.weights)])];
  }

  /**
   * How many numbers its weights hold together, those of the layers it is made of included, a shared weight once.
   *
   * @param options.trainable true counts what training changes, false what it does not. Default: both, as `summary` has
   *   them.
   * @throws ArgumentError if it is not built.
   * @see keras.layers.Layer.count_params
   */
  countParams(options: { trainable?: boolean | undefined } = {}): number {
    const { trainable } = checkOptions('countParams', options, { trainable: true });
    if (!this.isBuilt) throw new ArgumentError(`${this.describe()}: countParams() expected a built layer`);
    return totalSize(this.weights.filter((weight) => weight.trainable === (trainable ?? weight.trainable)));
  }

  /**
   * What regularizers add to the loss, `[]` each, for weights and for the outputs of this step's calls. To be called
   * while the step's tape is open. @internal
   */
  penalties(): Tensor[] {
    const { step, penalties } = this.#activity;
    this.#activity = { step: 0, penalties: [] };
    const isOpen = penalties[0]?.engine.openStep === step;
    return [...this.#penalties.map((penalty) => penalty()), ...(isOpen ? penalties : [])];
  }

  /** Shapes of what its last call gave, null for the batch; undefined before the first call. @internal */
  get lastOutput(): Nested<BatchShape> | undefined {
    return this.#lastOutput;
  }

  /** What each of `sublayers` gives, as far as it is known, for `summary`. @internal */
  sublayerShapes(): (Nested<BatchShape> | undefined)[] {
    return this.sublayers.map((layer) => layer.lastOutput);
  }

  /** Its name within the model, after the names of the layers around it: `bidirectional/forward_lstm`. */
  get path(): string {
    return this.#scope + this.name;
  }

  /**
   * Names what stands before its name, and so the layers in it and all their weights. The names follow from where
   * layers stand here, not from what other models they are in.
   *
   * @param scope undefined for an outermost layer, whose name stands before no other.
   * @param seen those that have a name from another place. @internal
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

  /** Throws `ArgumentError` if two have one name for good. */
  protected nameSublayers(seen: ReadonlySet<AnyLayer>): void {
    nameLayers(this.name, this.sublayers, seen);
  }

  /**
   * The layers of a stack in the order in which they run, those of stacks in it included; of any other layer itself.
   * @internal
   */
  get stack(): readonly AnyLayer[] {
    return [this];
  }

  /** Whether it gives its output a mask that its input did not have. @internal */
  get makesMask(): boolean {
    return false;
  }

  /** How many states it has in a stream. @internal */
  get streamedStates(): number {
    return 0;
  }

  /** What a stateful layer carries from batch to batch. @internal */
  get carried(): CarriedStates | undefined {
    return undefined;
  }

  /**
   * Makes stateful layers in it start from zeros. Throws `ArgumentError` if it is given states: `setStates` of the
   * layer takes them.
   */
  resetStates(...none: readonly never[]): void {
    if (none.length > 0) {
      throw new ArgumentError(`${this.describe()}: resetStates() takes no states; setStates(states, batch) does`);
    }
    for (const layer of this.tree()) layer.carried?.reset();
  }

  /**
   * Whether training changes its weights, and those of the layers it is made of. Setting it takes effect at the next
   * batch.
   */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    this.#trainable = value;
    for (const weight of this.#ownWeights) weight.trainable = value;
    for (const layer of this.sublayers) layer.trainable = value;
  }

  /** What it reads. */
  get inputs(): Nested<InputSpec> {
    return { dtype: this.inputDtype, limit: this.inputLimit, shape: this.batchInputShape?.slice(1) };
  }

  /** Token ids are i32. */
  get inputDtype(): DType {
    return 'f32';
  }

  /** Name of the activation that its output comes from, where that is known. */
  get outputActivation(): string | undefined {
    return undefined;
  }

  /** The same of the output at a place. @internal */
  activationOf(key: NestedKey): string | undefined {
    return key === undefined ? this.outputActivation : undefined;
  }

  /** Where it reads ids: one more than the largest. */
  get inputLimit(): number | undefined {
    return undefined;
  }

  /** Throws `ArgumentError` where it runs in a network that does not know of it, and so would not train or save it. */
  #expectListed(): void {
    if (!running || running.#known?.has(this)) return;
    running.#known = new Set(running.tree());
    if (running.#known.has(this)) return;
    throw new ArgumentError(
      `${running.name}: layers expected '${this.name}', too, which it calls, or the sublayers of what calls it`,
    );
  }

  /** The layer's own random numbers, for initial values and masks. */
  get random(): RandomStream {
    this.#expectListed();
    if (!this.#random) {
      noted(this.#seeds ?? seedStream());
      changed(() => {
        this.#random = undefined;
      });
    }
    return noted((this.#random ??= nextStream(this.#seeds)));
  }

  /** Where they stand; undefined before the first, so that looking draws no seed. @internal */
  get randomState(): RandomState | undefined {
    return this.#random?.state;
  }

  /** What a layer of a file takes its seed from, if it has not yet. @internal */
  get seeds(): RandomStream | undefined {
    return this.#seeds;
  }

  /** Replaces them; without a stream the first use takes its seed from `seeds`. @internal */
  setRandom(stream: RandomStream | undefined, seeds?: RandomStream): void {
    const [before, seedsBefore] = [this.#random, this.#seeds];
    changed(() => {
      this.#random = before;
      this.#seeds = seedsBefore;
    });
    this.#random = stream;
    this.#seeds = seeds;
  }

  /** Lays the layer out for streaming. Throws `ArgumentError` where it cannot run step by step. @internal */
  addToStream(_program: StreamProgram): void {
    refuseStream(this.describe(), this.className, this.config());
  }

  /** What a batch of `inputShape` becomes, without computing it. */
  abstract outputShape(inputShape: ShapeOf<Input>): BatchShape;
  /** The same for any number of outputs. */
  outputShapes(inputShape: ShapeOf<Input>): Nested<BatchShape> {
    return this.outputShape(inputShape);
  }
  /** Options that make an equal layer, as plain JSON. */
  abstract config(): LayerConfig;
  protected abstract call(x: Input, options: CallOptions): Output;
  protected makeWeights(_inputShape: ShapeOf<Input>): void {}
  /** Throws `ArgumentError` for an input that could never fit. */
  protected checkInput(_inputShape: ShapeOf<Input>): void {}
  /**
   * Whether an output `[B, T, …]` of one such input has its mask; a layer that sets `mask` on its output itself has
   * decided otherwise.
   */
  protected get passesMask(): boolean {
    return true;
  }
  /** Whether the last axis of the input is the same for every call. */
  protected get fixesInputWidth(): boolean {
    return true;
  }

  /** As errors name it: `lstm(units=128)`. */
  describe(): string {
    return this.name;
  }

  protected addWeight(
    name: string,
    shape: Shape,
    how: InitializerSpec | Initializer,
    regularizer?: RegularizerSpec | undefined,
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
    return weight;
  }

  /** Throws `ArgumentError` unless the input is `[B, T, F]`. */
  protected expectSequence(inputShape: BatchShape): void {
    if (inputShape.length === 3) return;
    throw new ArgumentError(
      `${this.describe()}: input expected [batch, time, features], got ${formatShape(inputShape)}`,
    );
  }

  /** The length of the last axis, which must be known before weights can be made. */
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
        this.#ownOptions.map(([option, value]) => {
          if (typeof value !== 'function') return [option, value];
          // A function that is written in place has the option's name, as that of another layer has.
          return [option, customName(value.name === option ? `${this.path}/${option}` : value.name)];
        }),
      ),
    };
  }

  /** Frees the weights' memory; the layer is of no use afterwards. */
  dispose(): void {
    this.#isDisposed = true;
    for (const weight of this.#ownWeights) weight.dispose();
    this.carried?.reset();
    for (const layer of this.sublayers) layer.dispose();
  }
}

/** Throws `ArgumentError` for an initializer or a regularizer that there is not, whatever the layer wants it for. */
function refuseUnknown(layer: string, options: object): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const what = `${layer}: ${option}`;
    if (option.endsWith('Regularizer')) regularizerOf(value, what);
    if (option.endsWith('Initializer')) initializer(value, what);
  }
}
