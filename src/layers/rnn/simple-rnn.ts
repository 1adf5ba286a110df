// All of the simple RNN: its step in ops, the layer and the cell. Its fused step is src/cells/rnn.ts.
import type { Tensor } from '../../autograd/tensor.ts';
import { rnnCells } from '../../cells/rnn.ts';
import { add } from '../../ops/elementwise/elementwise.ts';
import type { RecurrentCell } from './cell.ts';
import type { ComposedStep } from './composed-step.ts';
import { KerasCell } from './keras-cell.ts';
import { KerasRecurrent, type RecurrentOptions } from './keras-recurrent.ts';
import { type CellOptions, cellNames, checkCellOptions, type RecurrenceSpec } from './recurrence-spec.ts';
import type { Recurrent, WithState } from './recurrent.ts';

export interface SimpleRnnOptions extends RecurrentOptions {}

function simpleRnnSpec(options: CellOptions): RecurrenceSpec {
  checkCellOptions('simpleRnn', options);
  const { units, activation = 'tanh' } = options;
  return {
    name: 'simpleRnn',
    gates: 1,
    biases: 1,
    options,
    extra: [],
    states: [{ name: 'h', width: units }],
    cell: typeof activation === 'string' ? rnnCells[activation as keyof typeof rnnCells] : undefined,
    biasInitializer: options.biasInitializer ?? 'zeros',
  };
}

/** h′ = activation(x·W + h·U + b) */
export const simpleRnnStep: ComposedStep =
  ({ input, hidden, activation }) =>
  (x, [h]) => {
    const output = activation(add(input.of(x), hidden.of(h!)));
    return { output, states: [output] };
  };

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
  options: SimpleRnnOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor]>> {
  const names = { className: 'SimpleRNN', defaultName: 'simple_rnn', own: cellNames };
  return new KerasRecurrent(names, simpleRnnSpec, options, (changed) =>
    simpleRnn({ ...options, ...changed } as typeof options),
  );
}

/**
 * One step of `simpleRnn`, as a cell for `rnn`: the same weights and, but for rounding, the same numbers, computed by
 * ops.
 *
 * h′ = tanh(x·W + h·U + b)
 *
 * Input x `[B, I]`, `initialState` `[h]` of `[B, H]` (zeros without it); output `[y, h′]`, y being h′. kernel W
 * `[I, H]`, recurrentKernel U `[H, H]`, bias b `[H]`.
 *
 * @returns as `lstmCell`.
 * @throws ArgumentError as `lstmCell` does.
 * @see keras.layers.SimpleRNNCell
 */
export const simpleRnnCell = (options: CellOptions): RecurrentCell =>
  new KerasCell(
    { className: 'SimpleRNNCell', defaultName: 'simple_rnn_cell', own: cellNames },
    simpleRnnSpec,
    simpleRnnStep,
    options,
    () => simpleRnnCell(options),
  );
