import { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, type DType, formatShape, type Shape, type Tensor } from '../autograd/tensor.ts';
import { nextStream, type RandomStream } from '../engine/random.ts';
import type { StreamProgram } from '../ops/stream-program.ts';
import { type Initializer, type InitializerSpec, initializer } from './initializers.ts';

/** A shape with the batch first; null where a length is not known until a batch comes. */
export type BatchShape = readonly (number | null)[];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type LayerConfig = { readonly [key: string]: Json | undefined };

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
}

export interface CallOptions {
  /** Whether dropout and its like are on. Default: on while a model trains, off elsewhere. */
  training?: boolean;
  /** For recurrent layers: one `[B, units]` per state. */
  initialState?: readonly Tensor[];
}

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

export const isTraining = (options: CallOptions): boolean => options.training ?? trainingNow;

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

// Returning a function from the base constructor makes every layer one; fields of the classes below are then put on it.
class Callable {
  constructor(run: (self: never, x: Tensor, options: CallOptions) => unknown) {
    const self = (x: Tensor, options: CallOptions = {}) => run(self as never, x, options);
    // biome-ignore lint/correctness/noConstructorReturn: this is what makes a layer callable.
    return Object.setPrototypeOf(self, new.target.prototype);
  }
}

/** A layer is a function: `y = layer(x)`. The first call makes the weights, where nothing has made them before. */
export interface Layer<Output = Tensor> {
  // biome-ignore lint/style/useShorthandFunctionType: a type alias could not merge with the class.
  (x: Tensor, options?: CallOptions): Output;
}

/**
 * Weights and what is computed with them.
 *
 * A subclass declares its weights in `makeWeights`, computes in `call`, and says in `outputShape` what a batch of a shape
 * becomes.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface is the call signature that `Callable` provides.
export abstract class Layer<Output = Tensor> extends Callable {
  /** Keras's class name, as `summary` prints it. */
  abstract readonly className: string;
  name: string;
  /** Whether the caller chose the name, so that no model may number it. */
  readonly isNamed: boolean;
  readonly batchInputShape: BatchShape | undefined;
  /** In Keras's order; empty until built. */
  readonly weights: Parameter[] = [];
  #trainable: boolean;
  #builtFor: BatchShape | undefined;
  #random: RandomStream | undefined;

  constructor(defaultName: string, options: LayerOptions) {
    super((self: Layer<Output>, x, callOptions) => {
      self.build(x.shape);
      return self.call(x, callOptions);
    });
    this.name = options.name ?? defaultName;
    this.isNamed = options.name !== undefined;
    this.#trainable = options.trainable ?? true;
    this.batchInputShape = options.batchInputShape ?? (options.inputShape && [null, ...options.inputShape]);
  }

  /** Makes the weights that inputs of this shape need. Once built, checks that a shape still fits. */
  build(inputShape: BatchShape): void {
    this.checkInput(inputShape);
    if (this.#builtFor) {
      const [got, expected] = [inputShape.at(-1), this.#builtFor.at(-1)];
      if (this.weights.length > 0 && this.fixesInputWidth && got !== expected) {
        throw new ArgumentError(
          `${this.describe()}: input expected ${expected} features, as it was built for, got ${formatShape(inputShape)}`,
        );
      }
      return;
    }
    try {
      this.makeWeights(inputShape);
    } catch (error) {
      this.unbuild();
      throw error;
    }
    this.#builtFor = inputShape;
  }

  /** Frees what `build` made, as if it had not been called. @internal */
  unbuild(): void {
    for (const weight of this.weights) weight.dispose();
    this.weights.length = 0;
    this.#builtFor = undefined;
    this.#random?.restart();
  }

  get isBuilt(): boolean {
    return this.#builtFor !== undefined;
  }

  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    this.#trainable = value;
    for (const weight of this.weights) weight.trainable = value;
  }

  /** What it reads: token ids are i32. */
  get inputDtype(): DType {
    return 'f32';
  }

  /** Where it reads ids: one more than the largest. */
  get inputLimit(): number | undefined {
    return undefined;
  }

  /** Notes what a call can change beside the weights; the function it returns puts that back. @internal */
  snapshot(): () => void {
    const state = this.#random?.state;
    return () => {
      if (state) this.random.state = state;
      else this.#random?.restart();
    };
  }

  /** The layer's own random numbers, for initial values and masks. */
  get random(): RandomStream {
    return (this.#random ??= nextStream());
  }

  /** Lays the layer out for streaming. Throws `ArgumentError` where it cannot run step by step. @internal */
  addToStream(_program: StreamProgram): void {
    throw new ArgumentError(`${this.describe()}: a ${this.className} layer cannot run step by step`);
  }

  /** What a batch of `inputShape` becomes, without computing it. */
  abstract outputShape(inputShape: BatchShape): BatchShape;
  /** Options that make an equal layer, as plain JSON. */
  abstract config(): LayerConfig;
  protected abstract call(x: Tensor, options: CallOptions): Output;
  protected makeWeights(_inputShape: BatchShape): void {}
  /** Throws `ArgumentError` for an input that could never fit. */
  protected checkInput(_inputShape: BatchShape): void {}
  /** Whether the last axis of the input is the same for every call. */
  protected get fixesInputWidth(): boolean {
    return true;
  }

  /** As errors name it: `lstm(units=128)`. */
  describe(): string {
    return this.name;
  }

  protected addWeight(name: string, shape: Shape, how: InitializerSpec | Initializer): Parameter {
    const fullName = `${this.name}/${name}`;
    const initialize = typeof how === 'function' ? how : initializer(how);
    const values = weightSource ? weightSource(fullName, shape) : initialize(shape, this.random);
    const weight = new Parameter(fullName, shape, values);
    weight.trainable = this.#trainable;
    this.weights.push(weight);
    return weight;
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
    };
  }

  /** Frees the weights' memory; the layer is of no use afterwards. */
  dispose(): void {
    for (const weight of this.weights) weight.dispose();
  }
}

/** Throws `ArgumentError` unless `value` is a whole number from 1 up. */
export function expectCount(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`${what} expected an integer ≥ 1, got ${value}`);
  return value;
}
