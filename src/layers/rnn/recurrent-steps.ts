// The recurrences that recurrent-kinds.ts describes, step by step in ops: what has no kernels is walked so, and every cell in `rnn`.
import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { add, mul, sub } from '../../ops/elementwise/elementwise.ts';
import { linear } from '../../ops/products/linear.ts';
import { concatenate } from '../../ops/shapes/joins.ts';
import { reshape } from '../../ops/shapes/layout.ts';
import { slice, split } from '../../ops/shapes/slices.ts';
import { activation as functionOf } from '../activations/activations.ts';
import { composedScan, type Step } from './composed-scan.ts';
import type { WalkSteps } from './recurrent.ts';
import type { DropoutMasks, GruCellOptions, Kind, LstmCellOptions, Weights } from './recurrent-kinds.ts';

type Activation = (x: Tensor) => Tensor;

interface GateWeights {
  /** `[I, G·H]` */
  weight: Tensor;
  /** `[G·H]`, or `[R, G·H]` of which `row` is meant. */
  bias: Tensor | undefined;
  row: number | undefined;
  gates: number;
  units: number;
}

/** Products of one operand with the gates of a weight, each gate under its own dropout mask. What it cuts, it cuts once a sequence. */
class GateProducts {
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

const rowOf = (bias: Tensor, row: number): Tensor =>
  reshape(slice(bias, { axis: 0, from: row, to: row + 1 }), bias.shape.slice(1));

/** The step of a recurrence from its two products; `extra` has the weights beside. */
type MakeStep = (input: GateProducts, hidden: GateProducts, extra: Readonly<Record<string, Parameter>>) => Step;

/**
 * i, f, o = recurrentActivation(x·W + h·U + b), g = activation(…), c′ = f∘c + i∘g, h′ = o∘activation(c′)
 *
 * With peepholes p the gates i and f see p∘c and o sees p∘c′; with a projection P, h′ = (o∘activation(c′))·P.
 */
const lstmStep =
  (activation: Activation, recurrentActivation: Activation): MakeStep =>
  (input, hidden, { peephole, projection }) => {
    const peepholes = peephole && [0, 1, 2].map((gate) => rowOf(peephole.tensor, gate));
    const seeing = (gate: Tensor, p: number, c: Tensor): Tensor =>
      peepholes ? add(gate, mul(c, peepholes[p]!)) : gate;
    return (x, [h, c]) => {
      const gates = split(add(input.of(x), hidden.of(h!)), 4) as [Tensor, Tensor, Tensor, Tensor];
      const i = recurrentActivation(seeing(gates[0], 0, c!));
      const f = recurrentActivation(seeing(gates[1], 1, c!));
      const next = add(mul(f, c!), mul(i, activation(gates[2])));
      const o = recurrentActivation(seeing(gates[3], 2, next));
      const y = mul(o, activation(next));
      const output = projection ? linear(y, projection) : y;
      return { output, states: [output, next] };
    };
  };

/** z, r = recurrentActivation(…), g = activation(…), h′ = z∘h + (1 − z)∘g; the reset gate acts after the product or before it. */
const gruStep =
  (activation: Activation, recurrentActivation: Activation, resetAfter: boolean): MakeStep =>
  (input, hidden) => {
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

/** h′ = activation(x·W + h·U + b) */
const simpleRnnStep =
  (activation: Activation): MakeStep =>
  (input, hidden) =>
  (x, [h]) => {
    const output = activation(add(input.of(x), hidden.of(h!)));
    return { output, states: [output] };
  };

function makeStepOf({ name, options }: Kind): MakeStep {
  const given: LstmCellOptions & GruCellOptions = options;
  const activation = functionOf(given.activation ?? 'tanh');
  const recurrentActivation = functionOf(given.recurrentActivation ?? 'sigmoid');
  if (name === 'lstm') return lstmStep(activation, recurrentActivation);
  if (name === 'gru') return gruStep(activation, recurrentActivation, given.resetAfter ?? true);
  return simpleRnnStep(activation);
}

/** The step of a recurrence, for one batch of sequences. */
export function stepOf(kind: Kind, weights: Weights, masks: DropoutMasks): Step {
  const { gates, biases, options } = kind;
  const { units } = options;
  const bias = weights.bias?.tensor;
  return makeStepOf(kind)(
    new GateProducts(
      { weight: weights.kernel!.tensor, bias, row: biases === 2 ? 0 : undefined, gates, units },
      masks.input,
    ),
    new GateProducts(
      { weight: weights.recurrentKernel!.tensor, bias: biases === 2 ? bias : undefined, row: 1, gates, units },
      masks.hidden,
    ),
    weights,
  );
}

/** Walks a batch of sequences with that step. */
export const walkSteps: WalkSteps = (kind, weights, masks, x, walk) => {
  const widths = { states: kind.states, output: kind.states[0]!.width };
  return composedScan(x, stepOf(kind, weights, masks), widths, walk);
};
