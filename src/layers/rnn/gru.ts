// The GRU: options, weights, the step made of ops, the layer and the cell. The fused step is src/cells/gru.ts.
import type { Tensor } from '../../autograd/tensor.ts';
import { gruAfterCell, gruBeforeCell } from '../../cells/gru.ts';
import { hasFusedGates } from '../../cells/layout.ts';
import { add, mul, sub } from '../../ops/elementwise/elementwise.ts';
import { split } from '../../ops/shapes/slices.ts';
import type { ActivationSpec } from '../activations/activations.ts';
import type { OwnNames } from '../base/layer.ts';
import type { RecurrentCell } from './cells/cell.ts';
import type { ComposedStep } from './composed-step.ts';
import { KerasCell } from './keras-cell.ts';
import { KerasRecurrent, type RecurrentOptions } from './keras-recurrent.ts';
import { type CellOptions, cellNames, checkCellOptions, type RecurrenceSpec } from './recurrence-spec.ts';
import type { Recurrent, WithState } from './recurrent.ts';

export interface GruCellOptions extends CellOptions {
  /** Activation of the gates z and r. Default `sigmoid`. */
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
 * z, r = recurrentActivation(…), g = activation(…), h′ = z∘h + (1 − z)∘g; the reset gate acts after the recurrent
 * product or before it.
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
 * With `resetAfter: false` there is one bias and g = activation(x·W + b + (r∘h)·U).
 *
 * Input `[B, T, I]` f32; output `[B, H]` with H = `units`, or `[B, T, H]` with `returnSequences`; with `returnState`
 * an array `[y, h]`, h `[B, H]`. Weights: kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]`, or
 * `[3H]` with `resetAfter: false`; gates in the order z r h.
 *
 * A masked step keeps the states. Its output repeats that of the step before (zeros at first), or is zeros with
 * `zeroOutputForMask`. If the sequences have no steps (T = 0), the output is zero and the states do not change.
 *
 * @param options `units` is required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, `dropout`, `recurrentDropout` or
 *   `weightDrop` is outside [0, 1), or an activation, an initializer, a regularizer or a constraint is unknown; if
 *   `checkpointEvery` is not a positive integer or is given for activations without a fused kernel; with
 *   `tapeloop/lean`, if the activations have no fused kernel; when called, if the input is not an f32 tensor of three
 *   axes or its I differs from that of the kernel, a mask or an initial state does not fit, or the batch of a stateful
 *   layer changes its size.
 * @see keras.layers.GRU; Cho et al. 2014
 *
 * @example
 * const forecaster = sequential([gru({ units: 8, inputShape: [null, 2] }), dense({ units: 1 })]);
 * forecaster.predict(x).shape; // [8, 1]
 */
export function gru<const S extends boolean = false>(
  options: GruOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor]>> {
  const names = { className: 'GRU', defaultName: 'gru', own: gruNames };
  return new KerasRecurrent(names, gruSpec, options, (changed) => gru({ ...options, ...changed } as typeof options));
}

/**
 * One step of `gru`, as a cell for `rnn`. The weights are the same and, except for rounding, so are the results. It is
 * computed by ops.
 *
 * z, r = recurrentActivation(x·W + b + h·U + c), g = activation(x·W + b + r∘(h·U + c)), h′ = z∘h + (1 − z)∘g
 *
 * With `resetAfter: false` there is one bias and g = activation(x·W + b + (r∘h)·U).
 *
 * Input x `[B, I]` f32, `initialState` `[h]`, `[B, H]`, zeros by default; output `[y, h′]` with y = h′. Weights:
 * kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias (b, c) `[2, 3H]`, or `[3H]` with `resetAfter: false`; gates in
 * the order z r h.
 *
 * @param options `units` is required.
 * @returns a cell with its own weights, for `rnn` or for a call that makes one step. Its outputs live until the open
 *   step ends; outside a step the caller owns them.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, `dropout`, `recurrentDropout` or
 *   `weightDrop` is outside [0, 1), or an activation, an initializer, a regularizer or a constraint is unknown; when
 *   called, if the input is not a tensor `[B, I]` or a state does not fit.
 * @see keras.layers.GRUCell
 *
 * @example
 * const [y, h] = gruCell({ units: 4 })(tensor([[1, 2]])); // [1, 4] each
 */
export const gruCell = (options: GruCellOptions): RecurrentCell =>
  new KerasCell({ className: 'GRUCell', defaultName: 'gru_cell', own: gruNames }, gruSpec, gruStep, options, () =>
    gruCell(options),
  );
