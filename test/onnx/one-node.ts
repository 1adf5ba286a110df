// Graphs of one node, for checks.
import { RandomStream } from '../../src/index.ts';
import { type ArraySpec, attribute, modelOf } from './model-of.ts';

export interface GraphCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly feeds: Readonly<Record<string, ArraySpec>>;
  readonly outputs: readonly string[];
  /** Whether gradients reach the first input. */
  readonly isSmooth: boolean;
}

type Attributes = Readonly<Record<string, number | string | readonly number[] | readonly string[]>>;

export interface Given {
  readonly attributes?: Attributes;
  /** Shapes of the float inputs. */
  readonly inputs?: readonly (readonly number[])[];
  /** Shapes of the float initializers. */
  readonly weights?: readonly (readonly number[])[];
  /** Integers, as initializers behind the others; an empty list leaves an input out. */
  readonly integers?: readonly (readonly number[])[];
  /** Initializers of any type, behind those. */
  readonly tensors?: readonly ArraySpec[];
  readonly outputs?: number;
  readonly opset?: number;
  readonly isSmooth?: boolean;
  /** Adds to the inputs, for functions that want positive ones. */
  readonly shift?: number;
  readonly scale?: number;
}

/** A graph of one node, with inputs and weights of a seed. */
export function oneNode(seed: number, op: string, note: string, given: Given): GraphCase {
  const { attributes = {}, inputs = [[2, 3, 4]], weights = [], integers = [], tensors = [], outputs = 1 } = given;
  const { opset = 17, isSmooth = true, shift = 0, scale = 1 } = given;
  const random = new RandomStream(seed);
  const array = (dims: readonly number[]): ArraySpec => ({
    dims,
    data: Float32Array.from(
      { length: dims.reduce((product, n) => product * n, 1) },
      () => shift + scale * (2 * random.nextUniform() - 1),
    ),
  });
  const feeds = Object.fromEntries(inputs.map((dims, i) => [`x${i}`, array(dims)]));
  const held = Object.fromEntries(weights.map((dims, i) => [`w${i}`, array(dims)]));
  const lists = integers.map((list, i) => [list.length === 0 ? '' : `n${i}`, list] as const);
  for (const [name, list] of lists) {
    if (name) held[name] = { dims: [list.length], data: BigInt64Array.from(list, BigInt) };
  }
  tensors.forEach((each, i) => {
    held[`t${i}`] = each;
  });
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const bytes = modelOf({
    nodes: [
      {
        op,
        inputs: [
          ...Object.keys(feeds),
          ...weights.map((_, i) => `w${i}`),
          ...lists.map(([name]) => name),
          ...tensors.map((_, i) => `t${i}`),
        ],
        outputs: names,
        attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      },
    ],
    inputs: feeds,
    initializers: held,
    outputs: names,
    opset,
  });
  return { name: note ? `${op}, ${note}` : op, bytes, feeds, outputs: names, isSmooth };
}
