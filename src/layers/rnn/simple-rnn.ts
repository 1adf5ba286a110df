// The simple RNN: the step made of ops, the layer and the cell. The fused step is src/cells/rnn.ts.
import type { Tensor } from '../../autograd/tensor.ts';
import { rnnCells } from '../../cells/rnn.ts';
import { add } from '../../ops/elementwise/elementwise.ts';
import type { RecurrentCell } from './cells/cell.ts';
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
 * Fully connected recurrence.
 *
 * h′ = activation(x·W + h·U + b)
 *
 * Input `[B, T, I]` f32; output `[B, H]` with H = `units`, or `[B, T, H]` with `returnSequences`; with `returnState`
 * an array `[y, h]`, h `[B, H]`. Weights: kernel W `[I, H]`, recurrentKernel U `[H, H]`, bias b `[H]`.
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
 * @see keras.layers.SimpleRNN; Elman 1990
 *
 * @example
 * const counter = sequential([simpleRnn({ units: 8, inputShape: [null, 2] }), dense({ units: 1 })]);
 * counter.predict(x).shape; // [8, 1]
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
 * One step of `simpleRnn`, as a cell for `rnn`. The weights are the same and, except for rounding, so are the results.
 * It is computed by ops.
 *
 * h′ = activation(x·W + h·U + b)
 *
 * Input x `[B, I]` f32, `initialState` `[h]`, `[B, H]`, zeros by default; output `[y, h′]` with y = h′. Weights:
 * kernel W `[I, H]`, recurrentKernel U `[H, H]`, bias b `[H]`.
 *
 * @param options `units` is required.
 * @returns a cell with its own weights, for `rnn` or for a call that makes one step. Its outputs live until the open
 *   step ends; outside a step the caller owns them.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, `dropout`, `recurrentDropout` or
 *   `weightDrop` is outside [0, 1), or an activation, an initializer, a regularizer or a constraint is unknown; when
 *   called, if the input is not a tensor `[B, I]` or a state does not fit.
 * @see keras.layers.SimpleRNNCell
 *
 * @example
 * const [y, h] = simpleRnnCell({ units: 4 })(tensor([[1, 2]])); // [1, 4] each
 */
export const simpleRnnCell = (options: CellOptions): RecurrentCell =>
  new KerasCell(
    { className: 'SimpleRNNCell', defaultName: 'simple_rnn_cell', own: cellNames },
    simpleRnnSpec,
    simpleRnnStep,
    options,
    () => simpleRnnCell(options),
  );
