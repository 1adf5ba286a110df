// The spec of a recurrence, which lstm.ts, gru.ts and simple-rnn.ts fill in; and the weights and dropout masks that are
// made from it.
import type { Parameter } from '../../autograd/parameter.ts';
import { filled, type Tensor } from '../../autograd/tensor.ts';
import type { Cell } from '../../cells/cell.ts';
import { expectCount } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import type { RandomStream } from '../../engine/random.ts';
import { dropout as drop, expectRate } from '../../ops/elementwise/dropout.ts';
import { type ActivationSpec, activation as functionOf } from '../activations/activations.ts';
import type { StateSpec } from '../base/carried-states.ts';
import type { Initializer, InitializerSpec } from '../base/initializers.ts';
import type { LayerOptions, OwnNames } from '../base/layer.ts';
import type { RegularizerSpec } from '../base/regularizers.ts';
import type { ConstraintSpec } from '../constraints/constraint.ts';

/** Options of the three recurrences of Keras, as layers and as cells. */
export interface CellOptions extends LayerOptions {
  /** Size H of the state. */
  units: number;
  /** Default `tanh`. */
  activation?: ActivationSpec | undefined;
  /** Default true. */
  useBias?: boolean | undefined;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  /** Default `orthogonal`. */
  recurrentInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  recurrentRegularizer?: RegularizerSpec | undefined;
  biasRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
  recurrentConstraint?: ConstraintSpec | undefined;
  biasConstraint?: ConstraintSpec | undefined;
  /**
   * Probability, in [0, 1), that a feature of the input is zero while training. A sequence has one mask for all its
   * steps; with `recurrentDropout` it has one for each gate, as in Keras. Default 0.
   */
  dropout?: number | undefined;
  /** The same for h before the recurrent product: one mask for each sequence and gate. Default 0. */
  recurrentDropout?: number | undefined;
  /**
   * Probability that an element of the recurrent kernel is zero while training: DropConnect, one mask for all sequences
   * and steps of a batch (Merity et al. 2017). The others are divided by 1 − weightDrop. Default 0.
   */
  weightDrop?: number | undefined;
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
  kernelConstraint: 1,
  recurrentConstraint: 1,
  biasConstraint: 1,
  dropout: 1,
  recurrentDropout: 1,
  weightDrop: 1,
};

/** A weight besides kernel, recurrentKernel and bias. */
export interface ExtraWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: InitializerSpec | Initializer;
}

/** A recurrence of Keras: sizes, options, weights and kernels. */
export interface RecurrenceSpec {
  readonly name: string;
  readonly gates: number;
  readonly biases: 1 | 2;
  readonly states: readonly StateSpec[];
  readonly options: CellOptions;
  /** The fused kernels; undefined if the activations have none. */
  readonly cell?: Cell | undefined;
  readonly biasInitializer: InitializerSpec | Initializer;
  /** Weights besides kernel, recurrentKernel and bias. */
  readonly extra: readonly ExtraWeight[];
}

export type Weights = Readonly<Record<string, Parameter>>;

/** Throws `ArgumentError` for an option out of its range. */
export function checkCellOptions(
  what: string,
  options: CellOptions & { readonly recurrentActivation?: ActivationSpec | undefined },
): void {
  const { units, dropout = 0, recurrentDropout = 0, weightDrop = 0, activation, recurrentActivation } = options;
  expectCount(`${what}: units`, units);
  expectRate(`${what}: dropout`, dropout);
  expectRate(`${what}: recurrentDropout`, recurrentDropout);
  expectRate(`${what}: weightDrop`, weightDrop);
  for (const [option, given] of Object.entries({ activation, recurrentActivation })) {
    if (given !== undefined) functionOf(given, `${what}: ${option}`);
  }
}

/** Makes the weights of a recurrence in the order of Keras. `add` is the layer's `addWeight`. */
export function makeWeights(
  { options, gates, biases, states, extra, biasInitializer }: RecurrenceSpec,
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
    kernel,
    recurrentKernel,
    ...(useBias && { bias: add('bias', biasShape, biasInitializer, options.biasRegularizer) }),
    ...Object.fromEntries(extra.map(({ name, shape, initializer: how }) => [name, add(name, shape, how)])),
  };
}

/** Dropout masks of one batch of sequences, scaled by 1/(1 − rate). */
export interface DropoutMasks {
  /** `[G, B, I]`; `[1, B, I]` if the gates share one mask. */
  readonly input?: Tensor | undefined;
  /** `[G, B, H]` */
  readonly hidden?: Tensor | undefined;
  /** The recurrent kernel with dropped elements. */
  readonly recurrentKernel?: Tensor | undefined;
}

/** Draws the dropout masks of a batch while training; none otherwise. `weights` are those of the recurrence. */
export function drawMasks(
  { options, gates, states }: RecurrenceSpec,
  sizes: { batch: number; inputs: number; training: boolean },
  random: RandomStream,
  weights: Weights,
): DropoutMasks {
  const { dropout = 0, recurrentDropout = 0, weightDrop = 0 } = options;
  if (!sizes.training) return {};
  const draw = (rate: number, count: number, width: number): Tensor | undefined =>
    rate === 0 ? undefined : drop(filled([count, sizes.batch, width], 1), rate, random.nextKey());
  return {
    input: draw(dropout, recurrentDropout > 0 ? gates : 1, sizes.inputs),
    hidden: draw(recurrentDropout, gates, states[0]!.width),
    recurrentKernel: weightDrop > 0 ? drop(weights.recurrentKernel!, weightDrop, random.nextKey()) : undefined,
  };
}
