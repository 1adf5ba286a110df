import { filled, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import type { LayerConfig } from '../io/model-file.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { StateSpec } from '../layers/base/carried-states.ts';
import type { AnyLayer, LayerOptions, OwnNames } from '../layers/base/layer.ts';
import { saveLayer } from '../layers/base/saved-layer.ts';
import { type CellBatch, noCell, RecurrentCell } from '../layers/rnn/cells/cell.ts';
import type { Step } from '../layers/rnn/composed-scan.ts';
import { dropout as drop, expectRate } from '../ops/elementwise/dropout.ts';
import { add, scale } from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';

export interface ZoneoutCellOptions extends LayerOptions {
  /** Probability, in [0, 1), that an element of a state keeps its value: one for all states, or one each, h first. */
  zoneout: number | readonly number[];
}

const own: OwnNames<ZoneoutCellOptions> = { zoneout: 1 };

/** Throws `ArgumentError` unless there is a rate for each of `count` states. @internal */
export function zoneoutRates(zoneout: number | readonly number[], count: number): readonly number[] {
  const rates = typeof zoneout === 'number' ? new Array<number>(count).fill(zoneout) : zoneout;
  if (!Array.isArray(rates) || rates.length !== count) {
    throw new ArgumentError(
      `zoneoutCell: zoneout expected a number or ${count}, one for each state, got ${shown(zoneout)}`,
    );
  }
  for (const rate of rates) expectRate('zoneoutCell: zoneout', rate);
  return rates;
}

/** A cell whose states keep some of their values. */
class ZoneoutCell extends RecurrentCell {
  readonly className = 'ZoneoutCell';
  readonly cell: RecurrentCell;
  readonly #options: ZoneoutCellOptions;
  readonly #rates: readonly number[];

  constructor(cell: RecurrentCell, options: ZoneoutCellOptions) {
    super('zoneout_cell', options, own);
    if (!(cell instanceof RecurrentCell)) throw noCell('zoneoutCell', cell);
    this.cell = cell;
    this.#options = options;
    this.#rates = zoneoutRates(options.zoneout, cell.stateSpecs.length);
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

  override copy(): RecurrentCell {
    return new ZoneoutCell(this.cell.copy(), this.#options);
  }

  override begin(sizes: CellBatch): Step {
    const step = this.cell.begin(sizes);
    const zone = (before: Tensor, after: Tensor, rate: number): Tensor => {
      if (rate === 0) return after;
      if (!sizes.training) return add(scale(before, rate), scale(after, 1 - rate));
      const changes = drop(filled(after.shape, 1, after.engine), rate, this.random.nextKey());
      return select(changes, after, before);
    };
    return (x, states) => {
      const made = step(x, states);
      const next = made.states.map((state, i) => zone(states[i]!, state, this.#rates[i]!));
      const at = made.states.indexOf(made.output);
      return { output: at < 0 ? made.output : next[at]!, states: next };
    };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.cell.build(inputShape);
  }
}

/**
 * A cell with zoneout: while training, random elements of a state keep the value of the step before.
 *
 * s′ = d∘s + (1 − d)∘s̃, where s̃ is the state that `cell` makes, and d is 1 with probability `zoneout`, else 0, anew
 * at each step; in inference d is `zoneout` itself
 *
 * Input x `[B, I]` f32 and states `[B, H]` as those of `cell`; output `[y, …states]`. Where y is a state, it is the new
 * one. The weights are those of `cell`.
 *
 * @param cell a cell, such as `lstmCell(options)` or `layerNormLstmCell(options)`.
 * @param options `zoneout` is required: a number, or one for each state, for an LSTM [h, c]. Krueger et al. use 0.05
 *   for h and 0.5 for c.
 * @returns a cell, for `rnn` or for a call that makes one step. Its outputs live until the open step ends; outside a
 *   step the caller owns them.
 * @throws ArgumentError if `cell` is not a cell, an option is unknown, the number of rates differs from that of the
 *   states, or a rate is outside [0, 1).
 * @see Krueger et al. 2016
 *
 * @example
 * const layer = rnn(zoneoutCell(lstmCell({ units: 8 }), { zoneout: [0.05, 0.5] }), { returnSequences: true });
 */
export const zoneoutCell = (cell: RecurrentCell, options: ZoneoutCellOptions): RecurrentCell =>
  new ZoneoutCell(cell, options);
