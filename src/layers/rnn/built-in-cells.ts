import type { LayerConfig } from '../../io/model-file.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import type { StateSpec } from '../base/carried-states.ts';
import type { Step } from './composed-scan.ts';
import { RecurrentCell } from './recurrent-cell.ts';
import {
  type CellOptions,
  cellNames,
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
import { stepOf } from './recurrent-steps.ts';

/** One of Keras's cells, computed by ops. */
class BuiltInCell extends RecurrentCell {
  readonly className: string;
  readonly #kind: Kind;
  readonly #make: () => RecurrentCell;
  #weights: Weights = {};

  constructor(
    names: { className: string; defaultName: string; own: object },
    kindOf: (options: CellOptions) => Kind,
    options: CellOptions,
    make: () => RecurrentCell,
  ) {
    super(names.defaultName, options, names.own);
    this.className = names.className;
    this.#kind = kindOf(options);
    this.#make = make;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#kind.states;
  }

  override describe(): string {
    return `${this.name}(units=${this.#kind.options.units})`;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override copy(): RecurrentCell {
    return this.#make();
  }

  override begin(sizes: { batch: number; inputs: number; training: boolean }): Step {
    return stepOf(this.#kind, this.#weights, drawMasks(this.#kind, sizes, this.random));
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#weights = makeWeights(this.#kind, this.inputWidth(inputShape), this.addWeight.bind(this));
  }
}

/**
 * One step of `lstm`, as a cell for `rnn`: the same weights and, but for rounding, the same numbers, computed by ops.
 *
 * i, f, o = σ(x·W + h·U + b), g = tanh(x·W_c + h·U_c + b_c), c′ = f∘c + i∘g, h′ = o∘tanh c′
 *
 * Input x `[B, I]`, `initialState` `[h, c]` of `[B, H]` each (zeros without it); output `[y, h′, c′]`, y being h′. kernel W `[I, 4H]`,
 * recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates i f c o; with `projSize` P h is `[B, P]` and U `[P, 4H]`. Other activations stand in the
 * place of σ and tanh.
 *
 * @returns a layer that `rnn` takes, with weights of its own; called by itself it makes one step.
 * @throws ArgumentError for an option out of its range, as `lstm` does; when called, if the input is not `[B, I]`.
 * @see keras.layers.LSTMCell
 */
export const lstmCell = (options: LstmCellOptions): RecurrentCell =>
  new BuiltInCell({ className: 'LSTMCell', defaultName: 'lstm_cell', own: lstmNames }, lstmKind, options, () =>
    lstmCell(options),
  );

/**
 * One step of `gru`, as a cell for `rnn`: the same weights and, but for rounding, the same numbers, computed by ops.
 *
 * z, r = σ(x·W + b + h·U + c), g = tanh(x·W_h + b_h + r∘(h·U_h + c_h)), h′ = z∘h + (1 − z)∘g
 *
 * Input x `[B, I]`, `initialState` `[h]` of `[B, H]` (zeros without it); output `[y, h′]`, y being h′. kernel W `[I, 3H]`, recurrentKernel U
 * `[H, 3H]`, bias (b, c) `[2, 3H]`, gates z r h; with `resetAfter: false` bias b `[3H]` and g = tanh(x·W_h + b_h + (r∘h)·U_h).
 *
 * @returns as `lstmCell`.
 * @throws ArgumentError as `lstmCell` does.
 * @see keras.layers.GRUCell
 */
export const gruCell = (options: GruCellOptions): RecurrentCell =>
  new BuiltInCell({ className: 'GRUCell', defaultName: 'gru_cell', own: gruNames }, gruKind, options, () =>
    gruCell(options),
  );

/**
 * One step of `simpleRnn`, as a cell for `rnn`: the same weights and, but for rounding, the same numbers, computed by ops.
 *
 * h′ = tanh(x·W + h·U + b)
 *
 * Input x `[B, I]`, `initialState` `[h]` of `[B, H]` (zeros without it); output `[y, h′]`, y being h′. kernel W `[I, H]`, recurrentKernel U
 * `[H, H]`, bias b `[H]`.
 *
 * @returns as `lstmCell`.
 * @throws ArgumentError as `lstmCell` does.
 * @see keras.layers.SimpleRNNCell
 */
export const simpleRnnCell = (options: CellOptions): RecurrentCell =>
  new BuiltInCell(
    { className: 'SimpleRNNCell', defaultName: 'simple_rnn_cell', own: cellNames },
    simpleRnnKind,
    options,
    () => simpleRnnCell(options),
  );
