// The inputs of a model that is exported, and random values for them.
import { type Tensor, tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { sizeOf } from '../../checks/shape.ts';
import { entriesOf, mapNested, type Nested } from '../../data/nested.ts';
import { RandomStream } from '../../engine/random.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';

/** An input of the model. */
export interface Input {
  readonly name: string;
  readonly spec: InputSpec;
  /** Shape of a batch, null for a length that varies. */
  readonly shape: BatchShape;
}

/**
 * The inputs of a model. Of one that was built by its data there are two forms: lengths vary, or are those of the data.
 */
export function describeInputs(network: AnyLayer, names: readonly string[] | undefined): Input[][] {
  const entries = entriesOf<InputSpec>(network.inputs, isInputSpec);
  const built = (entries[0]?.[0] === undefined ? network.builtShape : undefined) as BatchShape | undefined;
  const isDeclared = entries.every(([, { shape }]) => shape);
  const form = (varies: boolean): Input[] =>
    entries.map(([key, spec], i) => {
      const data = built?.slice(1).map((n, axis, rest) => (varies && axis < rest.length - 1 ? null : n));
      const sample = spec.shape ?? data;
      if (!sample) throw new ArgumentError(`exportOnnx: input ${key ?? ''} expected a shape in the model's inputs`);
      const batch = key === undefined ? (network.batchInputShape?.[0] ?? null) : null;
      const usual = key === undefined ? 'input' : typeof key === 'number' ? `input_${key}` : key;
      return { name: names?.[i] ?? usual, spec, shape: [batch, ...sample] };
    });
  return isDeclared ? [form(true)] : [form(true), form(false)];
}

/** Lengths of the inputs in a run, by their places `input axis`. */
export type Lengths = (input: number, axis: number) => number;

const isDistinct = (input: number): number => input;

/** Lengths that vary, in both traces: those of the batch fall, so no other length has their pair. */
function lengthsOf(base: readonly [number, number], numberOf: (input: number) => number): [Lengths, Lengths] {
  const one =
    (i: 0 | 1): Lengths =>
    (input, axis) =>
      axis === 0 ? [4, 3][i]! : base[i]! + 6 * (numberOf(input) * 4 + axis - 1) * (i + 1);
  return [one(0), one(1)];
}

/**
 * Lengths of pairs of runs, from short ones to those that a stack of convolutions needs; those of several inputs differ,
 * or are equal.
 */
export const lengthPairs: readonly (readonly [Lengths, Lengths])[] = (
  [
    [7, 11],
    [37, 43],
    [151, 157],
  ] as const
).flatMap((base) => [isDistinct, () => 0].map((numberOf) => lengthsOf(base, numberOf)));

/** Random inputs: some ids and some steps are 0 or the value of a masking layer, and so are hidden by masks. */
export function randomInputs(network: AnyLayer, inputs: readonly Input[], lengths: Lengths, seed: number): Tensor[] {
  const random = new RandomStream(seed);
  const masking = network.tree().find(({ className }) => className === 'Masking');
  const hidden = Number((masking?.config() as { maskValue?: number } | undefined)?.maskValue ?? 0);
  return inputs.map(({ name, spec, shape }, i) => {
    const full = shape.map((n, axis) => n ?? lengths(i, axis));
    const size = sizeOf(full);
    const width = full.length > 2 ? full.at(-1)! : 1;
    const { dtype = 'f32', limit = 5 } = spec;
    let isHidden = false;
    const values = Array.from({ length: size }, (_, at) => {
      if (at % width === 0) isHidden = random.nextUniform() < 0.2;
      if (dtype === 'i32') return isHidden ? 0 : random.nextUint32() % limit;
      const value = 6 * random.nextUniform() - 3;
      return isHidden && masking ? hidden : value;
    });
    return tensor(values, { shape: full, dtype, name });
  });
}

/** Tensors in the form of the inputs of the model. */
export const nest = (x: readonly Tensor[], like: Nested<InputSpec>): Nested<Tensor> => {
  let at = 0;
  return mapNested<InputSpec, Tensor>(like, isInputSpec, () => x[at++]!);
};
