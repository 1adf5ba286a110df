// Recurrent layers around the cells of this folder.
import { checkOptions } from '../checks/options.ts';
import type { RecurrentCell } from '../layers/rnn/cells/cell.ts';
import type { Recurrent, SequenceOptions, WithState } from '../layers/rnn/recurrent.ts';
import { rnn } from '../layers/rnn/rnn.ts';
import {
  type LayerNormGruCellOptions,
  type LayerNormLstmCellOptions,
  layerNormGruCell,
  layerNormGruNames,
  layerNormLstmCell,
  layerNormLstmNames,
} from './layer-norm-cells.ts';
import { zoneoutCell } from './zoneout.ts';

interface ZoneoutOption {
  /** Probability, in [0, 1), that an element of a state keeps its value: one, or one for each state. Default 0. */
  zoneout?: number | readonly number[] | undefined;
}

export interface LayerNormLstmOptions extends LayerNormLstmCellOptions, SequenceOptions, ZoneoutOption {}
export interface LayerNormGruOptions extends LayerNormGruCellOptions, SequenceOptions, ZoneoutOption {}

const sequenceNames = {
  returnSequences: true,
  returnState: true,
  goBackwards: true,
  stateful: true,
  zeroOutputForMask: true,
  name: 1,
  trainable: 1,
  inputShape: 1,
  batchInputShape: 1,
  activityRegularizer: 1,
};

/** Gives each option to the layer or to the cell. */
function around<S extends boolean, Cell extends ZoneoutOption>(
  what: string,
  options: SequenceOptions & Cell & { returnState?: S | undefined },
  names: object,
  makeCell: (options: never) => RecurrentCell,
): Recurrent<WithState<S>> {
  const known = { ...names, ...sequenceNames, zoneout: 1 };
  const given = Object.entries(checkOptions(what, options, known as never));
  const isOfLayer = ([name]: [string, unknown]): boolean => Object.hasOwn(sequenceNames, name);
  const cellOptions = Object.fromEntries(given.filter((each) => !isOfLayer(each) && each[0] !== 'zoneout'));
  const cell = makeCell(cellOptions as never);
  const { zoneout } = options;
  const zoned = zoneout === undefined ? cell : zoneoutCell(cell, { zoneout });
  return rnn<S>(zoned, Object.fromEntries(given.filter(isOfLayer)));
}

/**
 * An LSTM with layer normalization, and zoneout if asked for: `rnn` around `layerNormLstmCell` and `zoneoutCell`.
 *
 * i, f, o = recurrentActivation(LN(x·W) + LN(h·U) + b), g = activation(…), c′ = LN(f∘c + i∘g), h′ = o∘activation(c′)
 *
 * Input `[B, T, I]` f32; output `[B, H]` with H = `units`, or `[B, T, H]` with `returnSequences`; with `returnState` an
 * array `[y, h, c]`. The weights are those of the cell.
 *
 * @param options those of `layerNormLstmCell` and of every recurrent layer; `units` is required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown or out of range; when called, as `rnn`.
 * @see tfa.rnn.LayerNormLSTMCell; Ba, Kiros and Hinton 2016; Krueger et al. 2016 (zoneout)
 *
 * @example
 * const network = sequential([layerNormLstm({ units: 8, zoneout: [0.05, 0.5], inputShape: [null, 2] })]);
 */
export const layerNormLstm = <const S extends boolean = false>(
  options: LayerNormLstmOptions & { returnState?: S | undefined },
): Recurrent<WithState<S>> =>
  around<S, LayerNormLstmOptions>('layerNormLstm', options, layerNormLstmNames, layerNormLstmCell);

/**
 * A GRU with layer normalization, and zoneout if asked for: `rnn` around `layerNormGruCell` and `zoneoutCell`.
 *
 * z, r = recurrentActivation(s + u), g = activation(s + r∘u), h′ = z∘h + (1 − z)∘g, s = LN(x·W) + b, u = LN(h·U)
 *
 * Input `[B, T, I]` f32; output `[B, H]` with H = `units`, or `[B, T, H]` with `returnSequences`; with `returnState` an
 * array `[y, h]`. The weights are those of the cell.
 *
 * @param options those of `layerNormGruCell` and of every recurrent layer; `units` is required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown or out of range; when called, as `rnn`.
 * @see Ba, Kiros and Hinton 2016; Krueger et al. 2016 (zoneout)
 *
 * @example
 * const network = sequential([layerNormGru({ units: 8, inputShape: [null, 2] })]);
 */
export const layerNormGru = <const S extends boolean = false>(
  options: LayerNormGruOptions & { returnState?: S | undefined },
): Recurrent<WithState<S>> =>
  around<S, LayerNormGruOptions>('layerNormGru', options, layerNormGruNames, layerNormGruCell);
