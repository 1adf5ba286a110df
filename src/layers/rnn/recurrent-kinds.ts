import type { Parameter } from '../../autograd/parameter.ts';
import { filled, type Tensor } from '../../autograd/tensor.ts';
import type { Cell } from '../../cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../cells/gru.ts';
import { hasFusedGates } from '../../cells/layout.ts';
import { lstmCell, lstmPeepholeCell, lstmProjectionCell } from '../../cells/lstm.ts';
import { rnnCells } from '../../cells/rnn.ts';
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import type { RandomStream } from '../../engine/random.ts';
import { dropout as drop, expectRate } from '../../ops/elementwise/dropout.ts';
import { type ActivationSpec, activation as functionOf } from '../activations/activations.ts';
import type { StateSpec } from '../base/carried-states.ts';
import { type Initializer, type InitializerSpec, initializer } from '../base/initializers.ts';
import type { LayerOptions, OwnNames } from '../base/layer.ts';
import type { RegularizerSpec } from '../base/regularizers.ts';

/** What Keras's three recurrences take, as layers and as cells. */
export interface CellOptions extends LayerOptions {
  /** Size H of the state. */
  units: number;
  /** Default `tanh`. */
  activation?: ActivationSpec;
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec;
  /** Default `orthogonal`. */
  recurrentInitializer?: InitializerSpec;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec;
  kernelRegularizer?: RegularizerSpec;
  recurrentRegularizer?: RegularizerSpec;
  biasRegularizer?: RegularizerSpec;
  /**
   * Probability that a feature of the input is zero while training, in [0, 1): one mask a sequence, the same at every step; one a
   * gate where there is `recurrentDropout` too, as in Keras. Default 0.
   */
  dropout?: number;
  /** The same for h on its way into the next step: one mask a sequence and gate. Default 0. */
  recurrentDropout?: number;
}

export interface LstmCellOptions extends CellOptions {
  /** Of the gates i, f and o. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec;
  /** Whether the forget gate's bias starts at 1. Default true. */
  unitForgetBias?: boolean;
  /** Whether the gates see the cell state too, by weights `peephole` `[3, H]` for i, f, o. Default false. */
  peephole?: boolean;
  /** Width P of the output, which a matrix `projection` `[H, P]` makes of h, and which alone is fed back. Default: no projection. */
  projSize?: number;
}

export interface GruCellOptions extends CellOptions {
  /** Of the gates z and r. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec;
  /** Whether the reset gate acts after the recurrent product. Default true, as in Keras. */
  resetAfter?: boolean;
}

export const cellNames: OwnNames<CellOptions> = {
  units: 1,
  activation: 1,
  useBias: true,
  kernelInitializer: 1,
  recurrentInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  recurrentRegularizer: 1,
  biasRegularizer: 1,
  dropout: 1,
  recurrentDropout: 1,
};

export const lstmNames: OwnNames<LstmCellOptions> = {
  ...cellNames,
  ...{ recurrentActivation: 1, unitForgetBias: true, peephole: true, projSize: 1 },
};

export const gruNames: OwnNames<GruCellOptions> = { ...cellNames, recurrentActivation: 1, resetAfter: true };

/** A weight that is still to be made. */
interface ExtraWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: InitializerSpec | Initializer;
}

/** One of Keras's recurrences with its options: what it needs and its kernels. */
export interface Kind {
  readonly name: 'lstm' | 'gru' | 'simpleRnn';
  readonly gates: number;
  readonly biases: 1 | 2;
  readonly states: readonly StateSpec[];
  readonly options: CellOptions;
  /** Its kernels, where its activations have some. */
  readonly cell?: Cell | undefined;
  readonly biasInitializer: InitializerSpec | Initializer;
  /** Weights beside kernel, recurrentKernel and bias. */
  readonly extra: readonly ExtraWeight[];
}

export type Weights = Readonly<Record<string, Parameter>>;

function checkRanges(what: string, options: LstmCellOptions | GruCellOptions): void {
  const { units, dropout = 0, recurrentDropout = 0, activation = 'tanh', recurrentActivation = 'sigmoid' } = options;
  expectCount(`${what}: units`, units);
  expectRate(`${what}: dropout`, dropout);
  expectRate(`${what}: recurrentDropout`, recurrentDropout);
  functionOf(activation);
  functionOf(recurrentActivation);
}

export function lstmKind(options: LstmCellOptions): Kind {
  checkRanges('lstm', options);
  const { units, peephole = false, projSize } = options;
  const { kernelInitializer = 'glorotUniform', unitForgetBias = true, biasInitializer = 'zeros' } = options;
  if (projSize !== undefined && expectCount('lstm: projSize', projSize) > units) {
    throw new ArgumentError(`lstm: projSize expected at most units = ${units}, got ${projSize}`);
  }
  const extra: ExtraWeight[] = [];
  if (peephole) extra.push({ name: 'peephole', shape: [3, units], initializer: rowByRow(kernelInitializer) });
  if (projSize) extra.push({ name: 'projection', shape: [units, projSize], initializer: kernelInitializer });
  const fused = peephole ? lstmPeepholeCell : projSize ? lstmProjectionCell : lstmCell;
  return {
    ...{ name: 'lstm', gates: 4, biases: 1, options, extra },
    states: [
      { name: 'h', width: projSize ?? units },
      { name: 'c', width: units },
    ],
    cell: hasFusedGates(options) && extra.length < 2 ? fused : undefined,
    biasInitializer: unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer,
  };
}

export function gruKind(options: GruCellOptions): Kind {
  checkRanges('gru', options);
  const { units, resetAfter = true } = options;
  return {
    ...{ name: 'gru', gates: 3, biases: resetAfter ? 2 : 1, options, extra: [] },
    states: [{ name: 'h', width: units }],
    cell: hasFusedGates(options) ? (resetAfter ? gruAfterCell : gruBeforeCell) : undefined,
    biasInitializer: options.biasInitializer ?? 'zeros',
  };
}

export function simpleRnnKind(options: CellOptions): Kind {
  checkRanges('simpleRnn', options);
  const { units, activation = 'tanh' } = options;
  return {
    ...{ name: 'simpleRnn', gates: 1, biases: 1, options, extra: [] },
    states: [{ name: 'h', width: units }],
    cell: typeof activation === 'string' ? rnnCells[activation as keyof typeof rnnCells] : undefined,
    biasInitializer: options.biasInitializer ?? 'zeros',
  };
}

// Keras's unit_forget_bias: ones for the second of the four gates.
const withForgetBias =
  (others: InitializerSpec): Initializer =>
  (shape, random) => {
    const width = shape.at(-1)!;
    return initializer(others)(shape, random).fill(1, width / 4, width / 2);
  };

/** Each row of a matrix by itself, as a weight of one axis. */
const rowByRow =
  (spec: InitializerSpec): Initializer =>
  ([rows, columns], random) => {
    const values = new Float32Array(rows! * columns!);
    for (let row = 0; row < rows!; row++) values.set(initializer(spec)([columns!], random), row * columns!);
    return values;
  };

/** Makes Keras's weights of a recurrence, in its order, by the layer's `addWeight`. */
export function makeWeights(
  { options, gates, biases, states, extra, biasInitializer }: Kind,
  inputs: number,
  add: (name: string, shape: Shape, how: InitializerSpec | Initializer, regularizer?: RegularizerSpec) => Parameter,
): Weights {
  const { units, useBias = true } = options;
  const { kernelInitializer = 'glorotUniform', recurrentInitializer = 'orthogonal' } = options;
  const width = gates * units;
  const recurrentShape = [states[0]!.width, width];
  const kernel = add('kernel', [inputs, width], kernelInitializer, options.kernelRegularizer);
  const recurrentKernel = add('recurrentKernel', recurrentShape, recurrentInitializer, options.recurrentRegularizer);
  const biasShape = biases === 2 ? [2, width] : [width];
  return {
    ...{ kernel, recurrentKernel },
    ...(useBias && { bias: add('bias', biasShape, biasInitializer, options.biasRegularizer) }),
    ...Object.fromEntries(extra.map(({ name, shape, initializer: how }) => [name, add(name, shape, how)])),
  };
}

/** Masks of one batch of sequences, scaled by 1/(1 − rate). */
export interface DropoutMasks {
  /** `[G, B, I]`, or `[1, B, I]` where gates share one. */
  readonly input?: Tensor | undefined;
  /** `[G, B, H]` */
  readonly hidden?: Tensor | undefined;
}

/** Draws what a batch drops while training; nothing otherwise. */
export function drawMasks(
  { options, gates, states }: Kind,
  sizes: { batch: number; inputs: number; training: boolean },
  random: RandomStream,
): DropoutMasks {
  const { dropout = 0, recurrentDropout = 0 } = options;
  if (!sizes.training) return {};
  const draw = (rate: number, count: number, width: number): Tensor | undefined =>
    rate === 0 ? undefined : drop(filled([count, sizes.batch, width], 1), rate, random.nextKey());
  return {
    input: draw(dropout, recurrentDropout > 0 ? gates : 1, sizes.inputs),
    hidden: draw(recurrentDropout, gates, states[0]!.width),
  };
}
