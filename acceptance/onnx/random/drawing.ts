// A graph while it is drawn: its nodes, and what is known of each value.
import { RandomStream } from '../../../src/index.ts';
import { type ArraySpec, attribute, modelOf, type NodeSpec } from '../../../test/onnx/model-of.ts';

type Type = 'float32' | 'int64' | 'int32' | 'uint8' | 'bool';

/** A value of the graph. Every element is between `low` and `high`. */
export interface Drawn {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: Type;
  readonly low: number;
  readonly high: number;
  /** Whether both sides compute the same bits, so that a comparison or a rounding of it agrees. */
  readonly isExact: boolean;
}

type Attributes = Readonly<Record<string, number | string | readonly number[] | undefined>>;

export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);

export class Drawing {
  readonly opset: number;
  readonly values: Drawn[] = [];
  readonly #random: RandomStream;
  readonly #nodes: NodeSpec[] = [];
  readonly #inputs: Record<string, ArraySpec> = {};
  readonly #held: Record<string, ArraySpec> = {};
  readonly #outputs: string[] = [];

  constructor(seed: number) {
    this.#random = new RandomStream(seed);
    this.opset = this.between(7, 21);
  }

  between(low: number, high: number): number {
    return low + (this.#random.nextUint32() % (high - low + 1));
  }

  chance(share: number): boolean {
    return this.#random.nextUniform() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }

  uniform(low: number, high: number): number {
    return Math.fround(low + (high - low) * this.#random.nextUniform());
  }

  floats(dims: readonly number[], low = -1.5, high = 1.5): ArraySpec {
    return { dims, data: Float32Array.from({ length: sizeOf(dims) }, () => this.uniform(low, high)) };
  }

  input(array: ArraySpec, low: number, high: number): Drawn {
    const name = `x${Object.keys(this.#inputs).length}`;
    this.#inputs[name] = array;
    const type = array.data instanceof Float32Array ? 'float32' : 'int64';
    return this.#known({ name, dims: array.dims, type, low, high, isExact: true });
  }

  /** The name of an initializer. */
  held(array: ArraySpec): string {
    const name = `w${Object.keys(this.#held).length}`;
    this.#held[name] = array;
    return name;
  }

  /** The name of a list of integers. */
  longs(list: readonly number[], dims: readonly number[] = [list.length]): string {
    return this.held({ dims, data: BigInt64Array.from(list, BigInt) });
  }

  #known(value: Drawn): Drawn {
    this.values.push(value);
    return value;
  }

  /** Adds a node. `made` describes its outputs; an output of undefined is in no list of values. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    made: readonly (Omit<Drawn, 'name'> | undefined)[],
    domain = '',
  ): string[] {
    const names = made.map((_, i) => `v${this.#nodes.length}_${i}`);
    this.#nodes.push({
      op,
      domain,
      inputs,
      outputs: names,
      attributes: Object.entries(attributes).flatMap(([name, value]) => {
        if (value === undefined) return [];
        const made = attribute(name, value as number);
        // A float that happens to be an integer.
        return [floatAttributes.has(name) && typeof value === 'number' ? { name, f: value, type: 1 } : made];
      }),
    });
    made.forEach((each, i) => {
      if (!each) return;
      this.#known({ ...each, name: names[i]! });
      this.#outputs.push(names[i]!);
    });
    return names;
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** A value that fits, the newer ones more often; undefined if there is none. */
  find(isWanted: (value: Drawn) => boolean): Drawn | undefined {
    const all = this.values.filter(isWanted);
    if (all.length === 0) return undefined;
    return this.chance(0.6) ? all.at(-1) : this.pick(all);
  }

  finish() {
    return {
      bytes: modelOf({
        nodes: this.#nodes,
        inputs: this.#inputs,
        initializers: this.#held,
        outputs: this.#outputs,
        opset: this.opset,
      }),
      feeds: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes,
    };
  }
}

const floatAttributes = new Set(
  ['alpha', 'beta', 'gamma', 'epsilon', 'bias', 'lambd', 'min', 'max', 'value', 'ratio', 'cubic_coeff_a'].concat([
    'momentum',
  ]),
);
