import { filled, type Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError, shownForeign } from '../../../checks/argument-error.ts';
import { formatShape } from '../../../checks/shape.ts';
import type { LayerConfig } from '../../../io/model-file.ts';
import type { BatchShape } from '../../base/batch-shape.ts';
import { expectStates, type StateSpec } from '../../base/carried-states.ts';
import { type CallOptions, isTraining, Layer } from '../../base/layer.ts';
import type { Step } from '../composed-scan.ts';

/** A batch of sequences, as a cell begins it. */
export interface CellBatch {
  readonly batch: number;
  /** Number of features of x. */
  readonly inputs: number;
  /** Whether dropout is on. */
  readonly training: boolean;
  /** The tensors that the caller gave for all steps. */
  readonly constants?: readonly Tensor[] | undefined;
}

/** The error about a value that is no cell. @internal */
export function noCell(what: string, given: unknown): ArgumentError {
  const got = given instanceof Layer ? `the layer ${given.className}` : shownForeign(given, 'sublayers');
  return new ArgumentError(`${what}: cell expected a cell, such as gruCell(options), got ${got}`);
}

/**
 * One step of a recurrence, as a layer. `rnn` unrolls a sequence with it.
 *
 * A direct call makes one step: input `[B, I]`, `initialState` in the options, output `[y, …states]`.
 */
export abstract class RecurrentCell extends Layer<Tensor[]> {
  /** Name and width of each state. */
  abstract get stateSpecs(): readonly StateSpec[];
  /**
   * Begins a batch of sequences. Draws the dropout masks, which hold for a whole sequence, and returns the function
   * that makes one step.
   */
  abstract begin(sizes: CellBatch): Step;

  /** Width of the output. */
  get outputWidth(): number {
    return this.stateSpecs[0]!.width;
  }

  /** Makes an equal cell with its own weights. A subclass overrides this if its `config` is not enough to make it. */
  copy(): RecurrentCell {
    return new (this.constructor as new (options: LayerConfig) => RecurrentCell)(this.config());
  }

  override outputShape([batch = null]: BatchShape): BatchShape {
    return [batch, this.outputWidth];
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length === 2) return;
    throw new ArgumentError(`${this.describe()}: input expected [batch, features], got ${formatShape(inputShape)}`);
  }

  protected override call(x: Tensor, options: CallOptions): Tensor[] {
    const [batch, inputs] = x.shape as [number, number];
    const { initialState = this.stateSpecs.map(({ width }) => filled([batch, width], 0, x.engine)) } = options;
    expectStates(this, initialState, batch);
    const step = this.begin({ batch, inputs, training: isTraining(options), constants: options.constants });
    const { output, states } = step(x, initialState);
    return [output, ...states];
  }
}
