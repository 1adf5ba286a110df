// Runs a recurrence step by step with ops, for activations without fused kernels and for the cells of `rnn`.
import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { mul } from '../../ops/elementwise/elementwise.ts';
import { linear } from '../../ops/products/linear.ts';
import { concatenate } from '../../ops/shapes/joins.ts';
import { reshape } from '../../ops/shapes/layout.ts';
import { slice, split } from '../../ops/shapes/slices.ts';
import { type Activation, activation as functionOf } from '../activations/activations.ts';
import { composedScan, type Step } from './composed-scan.ts';
import type { DropoutMasks, RecurrenceSpec, Weights } from './recurrence-spec.ts';
import type { UnrollOptions, UnrollResult } from './recurrent.ts';

interface GateWeights {
  /** `[I, G·H]` */
  weight: Tensor;
  /** `[G·H]`; or `[R, G·H]`, of which `row` is used. */
  bias: Tensor | undefined;
  row: number | undefined;
  gates: number;
  units: number;
}

/**
 * Multiplies an operand by the gates of a weight. Each gate may have its own dropout mask. The slices of the weight are
 * cached, so that each is cut once for a batch of sequences.
 */
export class GateProducts {
  readonly units: number;
  readonly #weight: Tensor;
  readonly #bias: Tensor | undefined;
  readonly #gates: number;
  readonly #masks: readonly Tensor[];
  readonly #cuts = new Map<string, { weight: Tensor; bias: Tensor | undefined }>();

  constructor({ weight, bias, row, gates, units }: GateWeights, masks: Tensor | undefined) {
    this.units = units;
    this.#weight = weight;
    this.#bias = bias && row !== undefined ? rowOf(bias, row) : bias;
    this.#gates = gates;
    const [count = 0, ...rest] = masks?.shape ?? [];
    this.#masks = masks ? split(masks, count, 0).map((mask) => reshape(mask, rest)) : [];
  }

  /** x·W + b for gates [from, to): `[B, (to − from)·H]`. */
  of(x: Tensor, from = 0, to = this.#gates): Tensor {
    if (this.#masks.length < 2) {
      const { weight, bias } = this.#cut(from, to);
      return linear(this.#masks[0] ? mul(x, this.#masks[0]) : x, weight, bias);
    }
    const parts = Array.from({ length: to - from }, (_, i) => {
      const { weight, bias } = this.#cut(from + i, from + i + 1);
      return linear(mul(x, this.#masks[from + i]!), weight, bias);
    });
    return parts.length === 1 ? parts[0]! : concatenate(parts);
  }

  #cut(from: number, to: number): { weight: Tensor; bias: Tensor | undefined } {
    if (from === 0 && to === this.#gates) return { weight: this.#weight, bias: this.#bias };
    const key = `${from} ${to}`;
    let cut = this.#cuts.get(key);
    if (!cut) {
      const range = { axis: -1, from: from * this.units, to: to * this.units };
      cut = { weight: slice(this.#weight, range), bias: this.#bias && slice(this.#bias, range) };
      this.#cuts.set(key, cut);
    }
    return cut;
  }
}

/** A row of a matrix, as a vector. */
export const rowOf = (bias: Tensor, row: number): Tensor =>
  reshape(slice(bias, { axis: 0, from: row, to: row + 1 }), bias.shape.slice(1));

/** The parts of a recurrence step: products, other weights and activations. */
export interface StepParts {
  /** x·W + b, gate by gate. */
  readonly input: GateProducts;
  /** h·U, plus its own bias if it has one, gate by gate. */
  readonly hidden: GateProducts;
  /** The weights besides kernel, recurrentKernel and bias. */
  readonly extra: Readonly<Record<string, Parameter>>;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
}

/** Makes the step of a recurrence for one batch of sequences. */
export type ComposedStep<Options = never> = (parts: StepParts, options: Options) => Step;

/** Makes the step of `spec` for one batch of sequences, by `makeStep`. */
export function stepOf(spec: RecurrenceSpec, makeStep: ComposedStep, weights: Weights, masks: DropoutMasks): Step {
  const { gates, biases, options } = spec;
  const {
    units,
    activation = 'tanh',
    recurrentActivation = 'sigmoid',
  } = options as RecurrenceSpec['options'] & {
    recurrentActivation?: Parameters<typeof functionOf>[0];
  };
  const bias = weights.bias?.tensor;
  const ofInput = { weight: weights.kernel!.tensor, bias, row: biases === 2 ? 0 : undefined, gates, units };
  const ofHidden = {
    weight: masks.recurrentKernel ?? weights.recurrentKernel!.tensor,
    bias: biases === 2 ? bias : undefined,
    row: 1,
    gates,
    units,
  };
  const parts: StepParts = {
    input: new GateProducts(ofInput, masks.input),
    hidden: new GateProducts(ofHidden, masks.hidden),
    extra: weights,
    activation: functionOf(activation),
    recurrentActivation: functionOf(recurrentActivation),
  };
  return makeStep(parts, options as never);
}

/** Unrolls a batch of sequences with the step of `spec`. */
export function unrollComposed(
  spec: RecurrenceSpec,
  makeStep: ComposedStep,
  weights: Weights,
  masks: DropoutMasks,
  x: Tensor,
  unroll: UnrollOptions,
): UnrollResult {
  const widths = { states: spec.states, output: spec.states[0]!.width };
  return composedScan(x, stepOf(spec, makeStep, weights, masks), widths, unroll);
}
