// All of the GRU: its options and weights, its step in ops, the layer and the cell. Its fused step is src/cells/gru.ts.
import type { Tensor } from '../../autograd/tensor.ts';
import { gruAfterCell, gruBeforeCell } from '../../cells/gru.ts';
import { hasFusedGates } from '../../cells/layout.ts';
import { add, mul, sub } from '../../ops/elementwise/elementwise.ts';
import { split } from '../../ops/shapes/slices.ts';
import type { ActivationSpec } from '../activations/activations.ts';
import type { OwnNames } from '../base/layer.ts';
import type { RecurrentCell } from './cell.ts';
import type { ComposedStep } from './composed-step.ts';
import { KerasCell } from './keras-cell.ts';
import { KerasRecurrent, type RecurrentOptions } from './keras-recurrent.ts';
import { type CellOptions, cellNames, checkCellOptions, type RecurrenceSpec } from './recurrence-spec.ts';
import type { Recurrent, WithState } from './recurrent.ts';

export interface GruCellOptions extends CellOptions {
  /** Of the gates z and r. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec | undefined;
  /** Whether the reset gate acts after the recurrent product. Default true, as in Keras. */
  resetAfter?: boolean | undefined;
}

export interface GruOptions extends GruCellOptions, RecurrentOptions {}

const gruNames: OwnNames<GruCellOptions> = { ...cellNames, recurrentActivation: 1, resetAfter: true };

function gruSpec(options: GruCellOptions): RecurrenceSpec {
  checkCellOptions('gru', options);
  const { units, resetAfter = true } = options;
  return {
    name: 'gru',
    gates: 3,
    biases: resetAfter ? 2 : 1,
    options,
    extra: [],
    states: [{ name: 'h', width: units }],
    cell: hasFusedGates(options) ? (resetAfter ? gruAfterCell : gruBeforeCell) : undefined,
    biasInitializer: options.biasInitializer ?? 'zeros',
  };
}

/**
 * z, r = recurrentActivation(…), g = activation(…), h′ = z∘h + (1 − z)∘g; the reset gate acts after the product or
 * before it.
 */
export const gruStep: ComposedStep<GruCellOptions> = (
  { input, hidden, activation, recurrentActivation },
  { resetAfter = true },
) => {
  const gate = (a: Tensor, b: Tensor): Tensor => recurrentActivation(add(a, b));
  return (x, [h]) => {
    const fromInput = split(input.of(x), 3) as [Tensor, Tensor, Tensor];
    const fromHidden = split(hidden.of(h!, 0, resetAfter ? 3 : 2), resetAfter ? 3 : 2);
    const z = gate(fromInput[0], fromHidden[0]!);
    const r = gate(fromInput[1], fromHidden[1]!);
    const candidate = resetAfter ? mul(r, fromHidden[2]!) : hidden.of(mul(r, h!), 2, 3);
    const g = activation(add(fromInput[2], candidate));
    const output = add(g, mul(z, sub(h!, g)));
    return { output, states: [output] };
  };
};

/**
 * Gated recurrent unit, by default with the reset gate after the recurrent product and two biases.
 *
 * z, r = recurrentActivation(x·W + b + h·U + c), g = activation(x·W + b + r∘(h·U + c)), h′ = z∘h + (1 − z)∘g
 *
 * Input `[B, T, I]`; output `[B, H]`, or `[B, T, H]` with `returnSequences`; with `returnState` an array `[y, h]`.
 * kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]` (`[3H]` with `resetAfter: false`), gates z r
 * h.
 *
 * @throws ArgumentError as `lstm` does.
 * @see keras.layers.GRU
 */
export function gru<const S extends boolean = false>(
  options: GruOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor]>> {
  const names = { className: 'GRU', defaultName: 'gru', own: gruNames };
  return new KerasRecurrent(names, gruSpec, options, (changed) => gru({ ...options, ...changed } as typeof options));
}

/**
 * One step of `gru`, as a cell for `rnn`: the same weights and, but for rounding, the same numbers, computed by ops.
 *
 * z, r = σ(x·W + b + h·U + c), g = tanh(x·W_h + b_h + r∘(h·U_h + c_h)), h′ = z∘h + (1 − z)∘g
 *
 * Input x `[B, I]`, `initialState` `[h]` of `[B, H]` (zeros without it); output `[y, h′]`, y being h′. kernel W
 * `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]`, gates z r h; with `resetAfter: false` bias b `[3H]`
 * and g = tanh(x·W_h + b_h + (r∘h)·U_h).
 *
 * @returns as `lstmCell`.
 * @throws ArgumentError as `lstmCell` does.
 * @see keras.layers.GRUCell
 */
export const gruCell = (options: GruCellOptions): RecurrentCell =>
  new KerasCell({ className: 'GRUCell', defaultName: 'gru_cell', own: gruNames }, gruSpec, gruStep, options, () =>
    gruCell(options),
  );
