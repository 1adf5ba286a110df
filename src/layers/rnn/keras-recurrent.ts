import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { Cell } from '../../cells/cell.ts';
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { mul } from '../../ops/elementwise/elementwise.ts';
import { select } from '../../ops/elementwise/select.ts';
import { scanOf } from '../../ops/recurrence.ts';
import { reshape, swapTimeBatch } from '../../ops/shapes/layout.ts';
import type { StreamProgram } from '../../streaming/program.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import type { StateSpec } from '../base/carried-states.ts';
import { maskOf } from '../base/mask.ts';
import type { ComposedStep, unrollComposed } from './composed-step.ts';
import {
  type CellOptions,
  type DropoutMasks,
  drawMasks,
  makeWeights,
  type RecurrenceSpec,
  type Weights,
} from './recurrence-spec.ts';
import { Recurrent, type SequenceOptions, type UnrollOptions, type UnrollResult } from './recurrent.ts';
import { unrollWith } from './unroll-with.ts';

export interface RecurrentOptions extends CellOptions, SequenceOptions {
  /**
   * Saves the states of every k-th step for backward, which recomputes the steps between. Besides the outputs this
   * takes memory for T/k + k steps instead of T steps, and the time of one more forward pass. The gradients are the
   * same, bit for bit. Memory is least at k = √T.
   */
  checkpointEvery?: number | undefined;
}

/** Unrolls recurrences with ops. `steps` holds the step of each recurrence, by the name of its spec. */
interface Composed {
  unroll: typeof unrollComposed;
  steps: Readonly<Record<string, ComposedStep>>;
}

let composed: Composed | undefined;

/**
 * Enables recurrent layers whose activations have no fused kernels. Without this call the layers refuse such
 * activations, and an app does not contain the code of the steps.
 */
export function registerComposedSteps(given: Composed): void {
  composed = given;
}

type Make<Output> = (options: SequenceOptions) => Recurrent<Output>;

/**
 * A Keras recurrent layer. It runs fused kernels if its activations have them; otherwise it computes the same with ops.
 */
export class KerasRecurrent<Output> extends Recurrent<Output> {
  readonly className: string;
  readonly #spec: RecurrenceSpec;
  readonly #make: Make<Output>;
  #weights: Weights = {};

  constructor(
    names: { className: string; defaultName: string; own: object },
    specOf: (options: RecurrentOptions) => RecurrenceSpec,
    options: RecurrentOptions,
    make: Make<Output>,
  ) {
    super(names.defaultName, options, { ...names.own, checkpointEvery: 1 });
    const spec = specOf(options);
    this.className = names.className;
    this.#spec = spec;
    this.#make = make;
    if (!spec.cell && !composed) {
      throw new ArgumentError(
        `${names.defaultName}: activation expected those that have fused kernels; 'tapeloop' has others, 'tapeloop/lean' in rnn(${spec.name}Cell(options))`,
      );
    }
    if (options.checkpointEvery === undefined) return;
    expectCount(`${names.defaultName}: checkpointEvery`, options.checkpointEvery);
    if (!spec.cell) {
      throw new ArgumentError(`${names.defaultName}: checkpointEvery expected activations that have a fused kernel`);
    }
  }

  get units(): number {
    return this.#spec.options.units;
  }

  /** The fused cell; undefined if its activations have none. */
  get cell(): Cell | undefined {
    return this.#spec.cell;
  }

  override describe(): string {
    return `${this.name}(units=${this.units})`;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#spec.states;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override copy(options: SequenceOptions): Recurrent<Output> {
    return this.#make({ ...this.sequence, trainable: this.trainable, ...options });
  }

  override addToStream(program: StreamProgram): void {
    const { cell } = this.#spec;
    const { kernel, recurrentKernel, bias } = this.#weights as Record<string, Parameter>;
    if (!cell?.stream || this.sequence.goBackwards) super.addToStream(program);
    else program.recurrent(cell, { kernel: kernel!, recurrentKernel: recurrentKernel!, bias });
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#weights = makeWeights(this.#spec, this.inputWidth(inputShape), this.addWeight.bind(this));
  }

  protected override unroll(x: Tensor, unroll: UnrollOptions): UnrollResult {
    const [batch, , inputs] = x.shape as [number, number, number];
    const masks = drawMasks(this.#spec, { batch, inputs, training: unroll.training }, this.random, this.#weights);
    return unrollWith((part, options) => this.#scan(part, options, masks), x, unroll);
  }

  #scan(x: Tensor, unroll: UnrollOptions, masks: DropoutMasks): UnrollResult {
    const { cell, gates } = this.#spec;
    if (!cell) return composed!.unroll(this.#spec, composed!.steps[this.#spec.name]!, this.#weights, masks, x, unroll);
    const { kernel, recurrentKernel, bias, ...extra } = this.#weights as Record<string, Parameter>;
    // If all gates share one dropout mask, the input is multiplied by it once.
    const perGate = masks.input?.shape[0] === gates && gates > 1;
    const input =
      masks.input && !perGate
        ? mul(swapTimeBatch(x), reshape(masks.input, masks.input.shape.slice(1)))
        : swapTimeBatch(x);
    const { outputs, states } = scanOf(
      cell,
      input,
      { kernel: kernel!, recurrentKernel: masks.recurrentKernel ?? recurrentKernel!, bias, extra },
      {
        initialState: unroll.initialState,
        reverse: unroll.reverse,
        returnSequences: unroll.returnSequences,
        mask: unroll.mask && swapTimeBatch(unroll.mask),
        inputDropout: perGate ? masks.input : undefined,
        recurrentDropout: masks.hidden,
        checkpointEvery: (this.sequence as RecurrentOptions).checkpointEvery,
      },
    );
    const result = { outputs: outputs && swapTimeBatch(outputs), last: states[0]!, states };
    return unroll.mask && unroll.initialState ? zeroBeforeFirstStep(result, unroll.mask, unroll.reverse) : result;
  }
}

/** Sets the outputs of a row to zero before its first unmasked step, for any initial state, as in Keras. */
export function zeroBeforeFirstStep(
  { outputs, last, states }: UnrollResult,
  mask: Tensor,
  reverse: boolean,
): UnrollResult {
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
    return { outputs, last: select(made, last, 0), states };
  }
  const made = maskOf(outputs, 2, (i) =>
    outputs.timeMajor ? hasStepped(i % batch, Math.floor(i / batch)) : hasStepped(Math.floor(i / time), i % time),
  );
  return { outputs: select(made, outputs, 0), last, states };
}
