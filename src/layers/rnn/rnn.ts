import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import type { StateSpec } from '../base/carried-states.ts';
import type { AnyLayer } from '../base/layer.ts';
import { saveLayer } from '../base/saved-layer.ts';
import { noCell, RecurrentCell } from './cells/cell.ts';
import { type CellDefinition, DefinedCell } from './cells/defined-cell.ts';
import { StackedCells } from './cells/stacked-cells.ts';
import { composedScan } from './composed-scan.ts';
import { Recurrent, type SequenceOptions, type UnrollOptions, type UnrollResult, type WithState } from './recurrent.ts';
import { unrollWith } from './unroll-with.ts';

export interface RnnOptions extends SequenceOptions {}

/** A recurrent layer around any cell. */
class Rnn<Output> extends Recurrent<Output> {
  readonly className = 'RNN';
  readonly cell: RecurrentCell;

  constructor(cell: RecurrentCell, options: RnnOptions) {
    super('rnn', options);
    this.cell = cell;
    if (options.trainable === false) cell.trainable = false;
    this.setScope('');
  }

  override get sublayers(): readonly AnyLayer[] {
    return [this.cell];
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.cell.stateSpecs;
  }

  override get outputWidth(): number {
    return this.cell.outputWidth;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), cell: saveLayer(this.cell) };
  }

  override copy(options: SequenceOptions): Recurrent<Output> {
    return new Rnn<Output>(this.cell.copy(), { ...this.sequence, trainable: this.trainable, ...options });
  }

  override addToStream(): void {
    throw new ArgumentError(
      `${this.describe()}: an RNN layer cannot run step by step, since no kernel for streams has its cell; with stateful: true, predict() of one step after another does the same`,
    );
  }

  protected override makeWeights([batch = null, , features = null]: BatchShape): void {
    this.cell.build([batch, features]);
  }

  protected override unroll(x: Tensor, options: UnrollOptions): UnrollResult {
    const [batch, , inputs] = x.shape as [number, number, number];
    this.cell.build([batch, inputs]);
    const step = this.cell.begin({ batch, inputs, training: options.training, constants: options.constants });
    const widths = { states: this.stateSpecs, output: this.outputWidth };
    return unrollWith((part, each) => composedScan(part, step, widths, each), x, options);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: cells of one list have weights of different names.
type AnyCell = RecurrentCell | CellDefinition<any>;

function cellOf(cell: AnyCell): RecurrentCell {
  if (cell instanceof RecurrentCell) return cell;
  if ((Object(cell) as { className?: string }).className === undefined) return new DefinedCell(cell);
  throw noCell('rnn', cell);
}

/**
 * A recurrent layer around any cell: a built-in cell, a custom cell, or a list of cells, each of which reads the output
 * of the cell before it.
 *
 * [y_t, states_t] = cell(x_t, states_{t−1})
 *
 * Input `[B, T, I]` f32; output `[B, O]`, where O is the width of the cell's output, or `[B, T, O]` with
 * `returnSequences`; with `returnState` an array `[y, …states]`. The weights are those of the cell. A masked step keeps
 * the states. Its output repeats that of the step before (zeros at first), or is zeros with `zeroOutputForMask`. If the
 * sequences have no steps (T = 0), the output is zero and the states do not change.
 *
 * @param cell `lstmCell(options)`, `gruCell(options)` or `simpleRnnCell(options)`; a `RecurrentCell`; a plain object,
 *   see `CellDefinition`, whose declared weights are initialized, trained, saved and counted like those of any layer;
 *   or a list of these.
 * @param options the options of every recurrent layer, such as `returnSequences`.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option or a property of the cell is unknown, the list of cells is empty, an entry is not
 *   a cell, or its widths are not positive integers; when called, if the input is not an f32 tensor of three axes or
 *   its I differs from that of the kernel, a mask or an initial state does not fit, or the batch of a stateful layer
 *   changes its size, or `call` of the cell returns a wrong number of tensors or a wrong shape.
 * @see keras.layers.RNN, keras.layers.StackedRNNCells
 *
 * @example
 * const minimalGated = {
 *   units: 32,
 *   weights: (inputs) => ({ W: [inputs, 64], U: { shape: [32, 64], initializer: 'orthogonal' }, b: [64] }),
 *   call(x, [h], { W, U, b }) {
 *     const [f, g] = ops.split(ops.add(ops.linear(x, W, b), ops.linear(h, U)), 2);
 *     return ops.add(h, ops.mul(ops.sigmoid(f), ops.sub(ops.tanh(g), h)));
 *   },
 * };
 * const network = sequential([rnn(minimalGated, { inputShape: [null, 2] }), dense({ units: 1 })]);
 * network.predict(x).shape; // [8, 1]
 */
export function rnn<W extends string = never, const S extends boolean = false>(
  cell: CellDefinition<W>,
  options?: RnnOptions & { returnState?: S | undefined },
): Recurrent<WithState<S>>;
export function rnn<const S extends boolean = false>(
  cell: RecurrentCell | readonly AnyCell[],
  options?: RnnOptions & { returnState?: S | undefined },
): Recurrent<WithState<S>>;
export function rnn<S extends boolean>(
  cell: AnyCell | readonly AnyCell[],
  options: RnnOptions = {},
): Recurrent<WithState<S>> {
  const resolved = Array.isArray(cell) ? new StackedCells(Array.from(cell, cellOf)) : cellOf(cell as AnyCell);
  return new Rnn<WithState<S>>(resolved, options);
}
