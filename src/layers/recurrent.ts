import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, formatShape, type Tensor } from '../autograd/tensor.ts';
import type { Cell } from '../cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../cells/gru.ts';
import { lstmCell } from '../cells/lstm.ts';
import { rnnCells } from '../cells/rnn.ts';
import { swapTimeBatch } from '../ops/layout.ts';
import { recurrence } from '../ops/recurrence.ts';
import type { StreamProgram } from '../ops/stream-program.ts';
import { CarriedStates, type StateSpec } from './carried-states.ts';
import type { Initializer, InitializerSpec } from './initializers.ts';
import { type BatchShape, type CallOptions, expectCount, Layer, type LayerConfig, type LayerOptions } from './layer.ts';

export interface RecurrentOptions extends LayerOptions {
  /** Size H of the state. */
  units: number;
  /** Whether to return h of every step, `[B, T, H]`, instead of the last, `[B, H]`. Default false. */
  returnSequences?: boolean;
  /** Whether to return the last states as well: `[y, h]`, for an LSTM `[y, h, c]`. Default false. */
  returnState?: boolean;
  /** Whether a batch starts from the states in which the one before ended. Values are carried, gradients are not. Default false. */
  stateful?: boolean;
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec;
  /** Default `orthogonal`. */
  recurrentInitializer?: InitializerSpec;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec;
}

export interface LstmOptions extends RecurrentOptions {
  /** Whether the forget gate's bias starts at 1. Default true. */
  unitForgetBias?: boolean;
}

export interface GruOptions extends RecurrentOptions {
  /** Whether the reset gate acts after the recurrent product. Default true, as in Keras. */
  resetAfter?: boolean;
}

export interface SimpleRnnOptions extends RecurrentOptions {
  /** Default `tanh`. */
  activation?: keyof typeof rnnCells;
}

/** A layer around the scan over time: weights, states between batches, and Keras's choice of outputs. */
export class Recurrent<Output = Tensor | Tensor[]> extends Layer<Output> {
  readonly className: string;
  readonly cell: Cell;
  readonly #options: RecurrentOptions;
  readonly #extraConfig: LayerConfig;
  readonly #biasInitializer: InitializerSpec | Initializer;
  #kernel: Parameter | undefined;
  #recurrentKernel: Parameter | undefined;
  #bias: Parameter | undefined;
  #carried: CarriedStates | undefined;

  constructor(
    className: string,
    cell: Cell,
    options: RecurrentOptions,
    own: { defaultName: string; config: LayerConfig; biasInitializer?: Initializer | undefined },
  ) {
    super(own.defaultName, options);
    expectCount(`${cell.name}: units`, options.units);
    this.className = className;
    this.cell = cell;
    this.#options = options;
    this.#extraConfig = own.config;
    this.#biasInitializer = options.biasInitializer ?? own.biasInitializer ?? 'zeros';
  }

  get units(): number {
    return this.#options.units;
  }

  get stateful(): boolean {
    return this.#options.stateful ?? false;
  }

  override describe(): string {
    return `${this.name}(units=${this.units})`;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null] = inputShape;
    return this.#options.returnSequences ? [batch, time, this.units] : [batch, this.units];
  }

  override config(): LayerConfig {
    const { units, returnSequences, returnState, stateful, useBias } = this.#options;
    const { kernelInitializer, recurrentInitializer, biasInitializer } = this.#options;
    return {
      ...this.baseConfig(),
      ...{ units, returnSequences, returnState, stateful, useBias },
      ...{ kernelInitializer, recurrentInitializer, biasInitializer },
      ...this.#extraConfig,
    };
  }

  /** The states of the recurrence, h first. */
  get stateSpecs(): readonly StateSpec[] {
    return this.cell.states.map((name) => ({ name, width: this.units }));
  }

  /** The states a stateful layer carries, `[B, H]` each; undefined before its first batch and after `resetStates`. */
  get states(): Float32Array[] | undefined {
    return this.carried?.values;
  }

  /** Sets the states that the next batch starts from. Throws `ArgumentError` if one does not hold `batch`·units values. */
  setStates(states: readonly ArrayLike<number>[], batch: number): void {
    this.carried?.set(states, batch);
  }

  override get carried(): CarriedStates | undefined {
    if (!this.stateful) return undefined;
    return (this.#carried ??= new CarriedStates(this.stateSpecs, () => this.describe()));
  }

  override addToStream(program: StreamProgram): void {
    program.recurrent(this.cell, {
      kernel: this.#kernel!,
      recurrentKernel: this.#recurrentKernel!,
      bias: this.#bias,
    });
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length !== 3) {
      throw new ArgumentError(
        `${this.describe()}: input expected [batch, time, features], got ${formatShape(inputShape)}`,
      );
    }
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { units, useBias = true } = this.#options;
    const { kernelInitializer = 'glorotUniform', recurrentInitializer = 'orthogonal' } = this.#options;
    const width = this.cell.gates * units;
    this.#kernel = this.addWeight('kernel', [this.inputWidth(inputShape), width], kernelInitializer);
    this.#recurrentKernel = this.addWeight('recurrentKernel', [units, width], recurrentInitializer);
    if (useBias) {
      this.#bias = this.addWeight('bias', this.cell.biases === 2 ? [2, width] : [width], this.#biasInitializer);
    }
  }

  protected override call(x: Tensor, options: CallOptions): Output {
    const { returnSequences = false, returnState = false } = this.#options;
    const { carried } = this;
    const { outputs, states } = recurrence(
      this.cell,
      swapTimeBatch(x),
      { kernel: this.#kernel!, recurrentKernel: this.#recurrentKernel!, bias: this.#bias },
      { initialState: options.initialState ?? carried?.begin(x.shape[0]!), returnSequences },
    );
    carried?.keep(states);
    const y = outputs ? swapTimeBatch(outputs) : states[0]!;
    return (returnState ? [y, ...states] : y) as Output;
  }
}

// Keras's unit_forget_bias: ones for the second of the four gates.
const forgetBias: Initializer = (shape) => {
  const width = shape.at(-1)!;
  return new Float32Array(width).fill(1, width / 4, width / 2);
};

type WithState<O extends RecurrentOptions> = O extends { returnState: true } ? Tensor[] : Tensor;

/**
 * Long short-term memory.
 *
 * i, f, o = σ(x·W + h·U + b), g = tanh(x·W + h·U + b), c′ = f∘c + i∘g, h′ = o∘tanh c′
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h, c]`.
 * kernel W `[I, 4H]`, recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates in the order i f c o.
 *
 * @throws ArgumentError if `units` is no positive integer; when called, if the input has not three axes, or if a stateful
 *   layer's batch changes.
 * @see keras.layers.LSTM
 */
export function lstm<O extends LstmOptions>(options: O): Recurrent<WithState<O>> {
  const { unitForgetBias } = options;
  const biasInitializer = (unitForgetBias ?? true) ? forgetBias : undefined;
  return new Recurrent('LSTM', lstmCell, options, { defaultName: 'lstm', config: { unitForgetBias }, biasInitializer });
}

/**
 * Gated recurrent unit, by default with the reset gate after the recurrent product and two biases.
 *
 * z, r = σ(x·W + b + h·U + c), g = tanh(x·W + b + r∘(h·U + c)), h′ = z∘h + (1 − z)∘g
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h]`.
 * kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]` (`[3H]` with `resetAfter: false`), gates z r h.
 *
 * @throws ArgumentError as `lstm` does.
 * @see keras.layers.GRU
 */
export function gru<O extends GruOptions>(options: O): Recurrent<WithState<O>> {
  const { resetAfter } = options;
  const cell = (resetAfter ?? true) ? gruAfterCell : gruBeforeCell;
  return new Recurrent('GRU', cell, options, { defaultName: 'gru', config: { resetAfter } });
}

/**
 * Fully connected recurrence: h′ = activation(x·W + h·U + b).
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h]`.
 * kernel W `[I, H]`, recurrentKernel U `[H, H]`, bias b `[H]`.
 *
 * @throws ArgumentError as `lstm` does, and if the activation has no kernel.
 * @see keras.layers.SimpleRNN
 */
export function simpleRnn<O extends SimpleRnnOptions>(options: O): Recurrent<WithState<O>> {
  const { activation = 'tanh' } = options;
  if (!Object.hasOwn(rnnCells, activation)) {
    throw new ArgumentError(
      `simpleRnn: activation expected one of ${Object.keys(rnnCells).join(', ')}, got '${activation}'`,
    );
  }
  return new Recurrent('SimpleRNN', rnnCells[activation], options, {
    defaultName: 'simple_rnn',
    config: { activation: options.activation },
  });
}
