import type { StateSpec } from './carried-states.ts';
import type { Step } from './composed-scan.ts';
import type { BatchShape, LayerConfig } from './layer.ts';
import { RecurrentCell } from './recurrent-cell.ts';
import {
  type CellOptions,
  configOf,
  drawMasks,
  type GruCellOptions,
  gruKind,
  type Kind,
  type LstmCellOptions,
  lstmKind,
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

  constructor(className: string, defaultName: string, kind: Kind, make: () => RecurrentCell) {
    super(defaultName, kind.options);
    this.className = className;
    this.#kind = kind;
    this.#make = make;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#kind.states;
  }

  override describe(): string {
    return `${this.name}(units=${this.#kind.options.units})`;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), ...configOf(this.#kind) };
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
 * One step of `lstm`, as a cell for `rnn`: the same weights and numbers, computed by ops.
 *
 * Input `[B, I]`, states `[h, c]`, output `[y, h, c]`.
 *
 * @throws ArgumentError as `lstm` does.
 * @see keras.layers.LSTMCell
 */
export const lstmCell = (options: LstmCellOptions): RecurrentCell =>
  new BuiltInCell('LSTMCell', 'lstm_cell', lstmKind(options), () => lstmCell(options));

/** One step of `gru`, as `lstmCell` is one of `lstm`; states `[h]`. See keras.layers.GRUCell. */
export const gruCell = (options: GruCellOptions): RecurrentCell =>
  new BuiltInCell('GRUCell', 'gru_cell', gruKind(options), () => gruCell(options));

/** One step of `simpleRnn`, as `lstmCell` is one of `lstm`; states `[h]`. See keras.layers.SimpleRNNCell. */
export const simpleRnnCell = (options: CellOptions): RecurrentCell =>
  new BuiltInCell('SimpleRNNCell', 'simple_rnn_cell', simpleRnnKind(options), () => simpleRnnCell(options));
