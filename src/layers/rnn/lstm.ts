// The LSTM: options, weights, the step made of ops, the layer and the cell. The fused step is src/cells/lstm.ts.
import type { Tensor } from '../../autograd/tensor.ts';
import { hasFusedGates } from '../../cells/layout.ts';
import * as cells from '../../cells/lstm.ts';
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import { add, mul } from '../../ops/elementwise/elementwise.ts';
import { linear } from '../../ops/products/linear.ts';
import { split } from '../../ops/shapes/slices.ts';
import type { ActivationSpec } from '../activations/activations.ts';
import { type Initializer, type InitializerSpec, initializer } from '../base/initializers.ts';
import type { OwnNames } from '../base/layer.ts';
import type { RecurrentCell } from './cells/cell.ts';
import { type ComposedStep, rowOf } from './composed-step.ts';
import { KerasCell } from './keras-cell.ts';
import { KerasRecurrent, type RecurrentOptions } from './keras-recurrent.ts';
import {
  type CellOptions,
  cellNames,
  checkCellOptions,
  type ExtraWeight,
  type RecurrenceSpec,
} from './recurrence-spec.ts';
import type { Recurrent, WithState } from './recurrent.ts';

export interface LstmCellOptions extends CellOptions {
  /** Activation of the gates i, f and o. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec | undefined;
  /** Whether the bias of the forget gate starts at 1. Default true. */
  unitForgetBias?: boolean | undefined;
  /** Whether the gates also read the cell state, through weights `peephole` `[3, H]` for i, f, o. Default false. */
  peephole?: boolean | undefined;
  /**
   * Width P of the output, at most `units`. A matrix `projection` `[H, P]` maps h to the output, and the next step
   * reads the output in place of h. Default: no projection.
   */
  projSize?: number | undefined;
}

export interface LstmOptions extends LstmCellOptions, RecurrentOptions {}

const lstmNames: OwnNames<LstmCellOptions> = {
  ...cellNames,
  recurrentActivation: 1,
  unitForgetBias: true,
  peephole: true,
  projSize: 1,
};

function lstmSpec(options: LstmCellOptions): RecurrenceSpec {
  checkCellOptions('lstm', options);
  const { units, peephole = false, projSize } = options;
  const { kernelInitializer = 'glorotUniform', unitForgetBias = true, biasInitializer = 'zeros' } = options;
  if (projSize !== undefined && expectCount('lstm: projSize', projSize) > units) {
    throw new ArgumentError(`lstm: projSize expected at most units = ${units}, got ${projSize}`);
  }
  const extra: ExtraWeight[] = [];
  if (peephole) extra.push({ name: 'peephole', shape: [3, units], initializer: rowByRow(kernelInitializer) });
  if (projSize) extra.push({ name: 'projection', shape: [units, projSize], initializer: kernelInitializer });
  const isRelu = extra.length === 0 && options.activation === 'relu';
  const plain = isRelu ? cells.lstmReluCell : cells.lstmCell;
  const fused = peephole ? cells.lstmPeepholeCell : projSize ? cells.lstmProjectionCell : plain;
  const isFused = hasFusedGates(isRelu ? { ...options, activation: 'tanh' } : options) && extra.length < 2;
  return {
    name: 'lstm',
    gates: 4,
    biases: 1,
    options,
    extra,
    states: [
      { name: 'h', width: projSize ?? units },
      { name: 'c', width: units },
    ],
    cell: isFused ? fused : undefined,
    biasInitializer: unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer,
  };
}

// Keras's `unit_forget_bias`: the bias of the forget gate, the second of four, starts at 1.
export const withForgetBias =
  (others: InitializerSpec): Initializer =>
  (shape, random) => {
    const width = shape.at(-1)!;
    return initializer(others)(shape, random).fill(1, width / 4, width / 2);
  };

/** Initializes each row of a matrix like a weight with one axis. */
const rowByRow =
  (spec: InitializerSpec): Initializer =>
  ([rows, columns], random) => {
    const values = new Float32Array(rows! * columns!);
    for (let row = 0; row < rows!; row++) values.set(initializer(spec)([columns!], random), row * columns!);
    return values;
  };

/**
 * i, f, o = recurrentActivation(x·W + h·U + b), g = activation(…), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * With peepholes p, p∘c is added to the gates i and f and p∘c′ to o, before the activation. With a projection matrix P,
 * h′ = (o∘activation(c′))·P.
 */
export const lstmStep: ComposedStep<LstmCellOptions> = ({ input, hidden, extra, activation, recurrentActivation }) => {
  const { peephole, projection } = extra;
  const peepholes = peephole && [0, 1, 2].map((gate) => rowOf(peephole.tensor, gate));
  const addPeephole = (gate: Tensor, p: number, c: Tensor): Tensor =>
    peepholes ? add(gate, mul(c, peepholes[p]!)) : gate;
  return (x, [h, c]) => {
    const gates = split(add(input.of(x), hidden.of(h!)), 4) as [Tensor, Tensor, Tensor, Tensor];
    const i = recurrentActivation(addPeephole(gates[0], 0, c!));
    const f = recurrentActivation(addPeephole(gates[1], 1, c!));
    const next = add(mul(f, c!), mul(i, activation(gates[2])));
    const o = recurrentActivation(addPeephole(gates[3], 2, next));
    const y = mul(o, activation(next));
    const output = projection ? linear(y, projection) : y;
    return { output, states: [output, next] };
  };
};

/**
 * Long short-term memory.
 *
 * i, f, o = recurrentActivation(x·W + h·U + b), g = activation(x·W + h·U + b), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * Input `[B, T, I]` f32; output `[B, H]` with H = `units`, or `[B, T, H]` with `returnSequences`; with `returnState` an
 * array `[y, h, c]`, h and c `[B, H]`. Weights: kernel W `[I, 4H]`, recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates
 * in the order i f c o. With `peephole` there is a weight `peephole` p `[3, H]`: p∘c is added to the gates i and f, and
 * p∘c′ to o, before the activation. With `projSize` P there is a weight `projection` `[H, P]`: h and the output are
 * `[B, P]`, and U is `[P, 4H]`.
 *
 * A masked step keeps the states. Its output repeats that of the step before (zeros at first), or is zeros with
 * `zeroOutputForMask`. If the sequences have no steps (T = 0), the output is zero and the states do not change.
 *
 * @param options `units` is required.
 * @returns a recurrent layer, to be listed in a model or called with a tensor. Its outputs live until the open step
 *   ends; outside a step the caller owns them and may `dispose` of them.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, `dropout`, `recurrentDropout` or
 *   `weightDrop` is outside [0, 1), or an activation, an initializer, a regularizer or a constraint is unknown; if
 *   `projSize` is not a positive integer or more than `units`; if `checkpointEvery` is not a positive integer or is
 *   given for activations without a fused kernel; with `tapeloop/lean`, if the activations have no fused kernel; when
 *   called, if the input is not an f32 tensor of three axes or its I differs from that of the kernel, a mask or an
 *   initial state does not fit, or the batch of a stateful layer changes its size.
 * @see keras.layers.LSTM; torch.nn.LSTM (proj_size); Gers and Schmidhuber 2000 (peephole)
 *
 * @example
 * const classifier = sequential([lstm({ units: 8, inputShape: [null, 2] }), dense({ units: 1 })]);
 * classifier.predict(x).shape; // [8, 1]
 */
export function lstm<const S extends boolean = false>(
  options: LstmOptions & { returnState?: S | undefined },
): Recurrent<WithState<S, [y: Tensor, h: Tensor, c: Tensor]>> {
  const names = { className: 'LSTM', defaultName: 'lstm', own: lstmNames };
  return new KerasRecurrent(names, lstmSpec, options, (changed) => lstm({ ...options, ...changed } as typeof options));
}

/**
 * One step of `lstm`, as a cell for `rnn`. The weights are the same and, except for rounding, so are the results. It is
 * computed by ops.
 *
 * i, f, o = recurrentActivation(x·W + h·U + b), g = activation(x·W + h·U + b), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * Input x `[B, I]` f32, `initialState` `[h, c]`, each `[B, H]`, zeros by default; output `[y, h′, c′]` with y = h′.
 * Weights: kernel W `[I, 4H]`, recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates in the order i f c o. With `projSize`
 * P, h is `[B, P]` and U is `[P, 4H]`.
 *
 * @param options `units` is required.
 * @returns a cell with its own weights, for `rnn` or for a call that makes one step. Its outputs live until the open
 *   step ends; outside a step the caller owns them.
 * @throws ArgumentError if an option is unknown, `units` is not a positive integer, `dropout`, `recurrentDropout` or
 *   `weightDrop` is outside [0, 1), or an activation, an initializer, a regularizer or a constraint is unknown; if
 *   `projSize` is not a positive integer or more than `units`; when called, if the input is not a tensor `[B, I]` or a
 *   state does not fit.
 * @see keras.layers.LSTMCell
 *
 * @example
 * const [y, h, c] = lstmCell({ units: 4 })(tensor([[1, 2]])); // [1, 4] each
 */
export const lstmCell = (options: LstmCellOptions): RecurrentCell =>
  new KerasCell({ className: 'LSTMCell', defaultName: 'lstm_cell', own: lstmNames }, lstmSpec, lstmStep, options, () =>
    lstmCell(options),
  );
