import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { Cell } from '../../cells/cell.ts';
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { mul } from '../../ops/elementwise/elementwise.ts';
import { where } from '../../ops/elementwise/select.ts';
import { scanOf } from '../../ops/recurrence.ts';
import { reshape, swapTimeBatch } from '../../ops/shapes/layout.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import type { StateSpec } from '../base/carried-states.ts';
import { maskOf } from '../base/mask.ts';
import {
  type CellOptions,
  cellNames,
  type DropoutMasks,
  drawMasks,
  type GruCellOptions,
  gruKind,
  gruNames,
  type Kind,
  type LstmCellOptions,
  lstmKind,
  lstmNames,
  makeWeights,
  simpleRnnKind,
  type Weights,
} from './recurrent-kinds.ts';
import { Recurrent, type SequenceOptions, type Walk, type Walked, type WithState } from './recurrent-layer.ts';

export interface RecurrentOptions extends CellOptions, SequenceOptions {
  /**
   * Keeps states for the backward pass at every k-th step alone and makes the steps between them again: memory for T/k + k steps
   * beside the outputs instead of T, for one more forward pass, with the same gradients bit for bit. Least at k = √T.
   */
  checkpointEvery?: number;
}

export interface LstmOptions extends LstmCellOptions, RecurrentOptions {}
export interface GruOptions extends GruCellOptions, RecurrentOptions {}
export interface SimpleRnnOptions extends RecurrentOptions {}

/** Walks a recurrence step by step in ops. */
export type WalkSteps = (kind: Kind, weights: Weights, masks: DropoutMasks, x: Tensor, walk: Walk) => Walked;

let walkSteps: WalkSteps | undefined;

/** Lets recurrences be walked whose activations have no kernels; until then the layers refuse them, so that an app need not carry it. */
export function allowStepsOfOps(walk: WalkSteps): void {
  walkSteps = walk;
}

type Make<Output> = (options: SequenceOptions) => Recurrent<Output>;

/** One of Keras's recurrent layers: fused kernels where its activations have them, else the same numbers from ops. */
class BuiltInRecurrent<Output> extends Recurrent<Output> {
  readonly className: string;
  readonly #kind: Kind;
  readonly #make: Make<Output>;
  #weights: Weights = {};

  constructor(
    names: { className: string; defaultName: string; own: object },
    kindOf: (options: RecurrentOptions) => Kind,
    options: RecurrentOptions,
    make: Make<Output>,
  ) {
    super(names.defaultName, options, { ...names.own, checkpointEvery: 1 });
    const kind = kindOf(options);
    this.className = names.className;
    this.#kind = kind;
    this.#make = make;
    if (!kind.cell && !walkSteps) {
      throw new ArgumentError(
        `${names.defaultName}: activation expected those that have fused kernels; 'tapeloop' has others, 'tapeloop/lean' in rnn(${kind.name}Cell(options))`,
      );
    }
    if (options.checkpointEvery === undefined) return;
    expectCount(`${names.defaultName}: checkpointEvery`, options.checkpointEvery);
    if (!kind.cell) {
      throw new ArgumentError(`${names.defaultName}: checkpointEvery expected activations that have a fused kernel`);
    }
  }

  get units(): number {
    return this.#kind.options.units;
  }

  /** The fused cell, where its activations have one. */
  get cell(): Cell | undefined {
    return this.#kind.cell;
  }

  override describe(): string {
    return `${this.name}(units=${this.units})`;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#kind.states;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override copy(options: SequenceOptions): Recurrent<Output> {
    return this.#make({ ...this.sequence, trainable: this.trainable, ...options });
  }

  override addToStream(program: StreamProgram): void {
    const { cell } = this.#kind;
    const { kernel, recurrentKernel, bias } = this.#weights as Record<string, Parameter>;
    if (!cell?.stream || this.sequence.goBackwards) super.addToStream(program);
    else program.recurrent(cell, { kernel: kernel!, recurrentKernel: recurrentKernel!, bias });
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#weights = makeWeights(this.#kind, this.inputWidth(inputShape), this.addWeight.bind(this));
  }

  protected override walk(x: Tensor, walk: Walk): Walked {
    const [batch, , inputs] = x.shape as [number, number, number];
    const masks = drawMasks(this.#kind, { batch, inputs, training: walk.training }, this.random);
    const { cell, gates } = this.#kind;
    if (!cell) return walkSteps!(this.#kind, this.#weights, masks, x, walk);
    const { kernel, recurrentKernel, bias, ...extra } = this.#weights as Record<string, Parameter>;
    // A mask that all gates share is one of the input itself.
    const perGate = masks.input?.shape[0] === gates && gates > 1;
    const input =
      masks.input && !perGate ? mul(swapTimeBatch(x), reshape(masks.input, [batch, inputs])) : swapTimeBatch(x);
    const { outputs, states } = scanOf(
      cell,
      input,
      { kernel: kernel!, recurrentKernel: recurrentKernel!, bias, extra },
      {
        ...{ initialState: walk.initialState, reverse: walk.reverse, returnSequences: walk.returnSequences },
        mask: walk.mask && swapTimeBatch(walk.mask),
        inputDropout: perGate ? masks.input : undefined,
        recurrentDropout: masks.hidden,
        checkpointEvery: (this.sequence as RecurrentOptions).checkpointEvery,
      },
    );
    const walked = { outputs: outputs && swapTimeBatch(outputs), last: states[0]!, states };
    return walk.mask && walk.initialState ? silentUntilFirst(walked, walk.mask, walk.reverse) : walked;
  }
}

/** Keras's output is zero until a row has made its first step, whatever state it starts from. */
function silentUntilFirst({ outputs, last, states }: Walked, mask: Tensor, reverse: boolean): Walked {
  const [batch, time] = mask.shape as [number, number];
  const kept = mask.toArray();
  const firsts = Array.from({ length: batch }, (_, row) => {
    const steps = Array.from(kept.subarray(row * time, (row + 1) * time));
    return reverse ? steps.findLastIndex((value) => value !== 0) : steps.findIndex((value) => value !== 0);
  });
  const hasStepped = (row: number, t: number): boolean =>
    firsts[row]! >= 0 && (reverse ? t <= firsts[row]! : t >= firsts[row]!);
  if (!outputs) {
    const width = last.shape[1]!;
    const made = maskOf(last, 2, (i) => firsts[Math.floor(i / width)]! >= 0);
    return { outputs, last: where(made, last, 0), states };
  }
  const made = maskOf(outputs, 2, (i) =>
    outputs.timeMajor ? hasStepped(i % batch, Math.floor(i / batch)) : hasStepped(Math.floor(i / time), i % time),
  );
  return { outputs: where(made, outputs, 0), last, states };
}

/**
 * Long short-term memory.
 *
 * i, f, o = recurrentActivation(x·W + h·U + b), g = activation(x·W + h·U + b), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h, c]`.
 * kernel W `[I, 4H]`, recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates in the order i f c o. With `projSize` h is `[B, P]` and U
 * `[P, 4H]`. Of sequences without steps (T = 0) the output is zero and the states stay.
 *
 * @throws ArgumentError if `units` is no positive integer, a rate is outside [0, 1), an activation is unknown, `projSize` is more than
 *   `units`, or `checkpointEvery` is given for activations without a fused kernel; when called, if the input has not three axes,
 *   a mask or an initial state does not fit, or a stateful layer's batch changes.
 * @see keras.layers.LSTM; torch.nn.LSTM (proj_size); Gers and Schmidhuber 2000 (peephole)
 */
export function lstm<const S extends boolean = false>(
  options: LstmOptions & { returnState?: S },
): Recurrent<WithState<S, [y: Tensor, h: Tensor, c: Tensor]>> {
  const names = { className: 'LSTM', defaultName: 'lstm', own: lstmNames };
  return new BuiltInRecurrent(names, lstmKind, options, (changed) =>
    lstm({ ...options, ...changed } as typeof options),
  );
}

/**
 * Gated recurrent unit, by default with the reset gate after the recurrent product and two biases.
 *
 * z, r = recurrentActivation(x·W + b + h·U + c), g = activation(x·W + b + r∘(h·U + c)), h′ = z∘h + (1 − z)∘g
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h]`.
 * kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]` (`[3H]` with `resetAfter: false`), gates z r h.
 *
 * @throws ArgumentError as `lstm` does.
 * @see keras.layers.GRU
 */
export function gru<const S extends boolean = false>(
  options: GruOptions & { returnState?: S },
): Recurrent<WithState<S, [y: Tensor, h: Tensor]>> {
  const names = { className: 'GRU', defaultName: 'gru', own: gruNames };
  return new BuiltInRecurrent(names, gruKind, options, (changed) => gru({ ...options, ...changed } as typeof options));
}

/**
 * Fully connected recurrence: h′ = activation(x·W + h·U + b).
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h]`.
 * kernel W `[I, H]`, recurrentKernel U `[H, H]`, bias b `[H]`.
 *
 * @throws ArgumentError as `lstm` does.
 * @see keras.layers.SimpleRNN
 */
export function simpleRnn<const S extends boolean = false>(
  options: SimpleRnnOptions & { returnState?: S },
): Recurrent<WithState<S, [y: Tensor, h: Tensor]>> {
  const names = { className: 'SimpleRNN', defaultName: 'simple_rnn', own: cellNames };
  return new BuiltInRecurrent(names, simpleRnnKind, options, (changed) =>
    simpleRnn({ ...options, ...changed } as typeof options),
  );
}
