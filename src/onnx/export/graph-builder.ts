// Writes a graph: nodes, initializers and their names.
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { type Attribute, attributeProtos } from '../format/attributes.ts';
import { codeOf } from '../format/element-types.ts';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from '../format/messages.ts';

/** The name of a value in the graph. */
export type Wire = string;

export const [FLOAT, INT32, INT64, BOOL] = (['float32', 'int32', 'int64', 'bool'] as const).map(codeOf) as [
  number,
  number,
  number,
  number,
];

/** The shape of a value: a length, or the name of one that varies. */
export type Dims = readonly (number | string)[];

export const valueInfo = (name: string, elemType: number, dims: Dims): ValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n })) },
    },
  },
});

/** The names and initializers of a file, which its graphs share. */
export class Names {
  readonly initializers = new Map<string, TensorProto>();
  readonly #used = new Set<string>();

  /** Takes a name that the caller gave. Throws `ArgumentError` if it is taken. */
  claim(option: string, name: string): void {
    if (this.unique(name) === name) return;
    throw new ArgumentError(`exportOnnx: ${option} expected names that are used once, got '${name}'`);
  }

  /** `wanted`, with a number if it is taken. */
  unique(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#used.has(name); i++) name = `${wanted}_${i}`;
    this.#used.add(name);
    return name;
  }
}

/** A graph while it is written. Initializers are in the outermost graph. */
export class GraphBuilder {
  readonly names: Names;
  readonly nodes: NodeProto[] = [];
  /** Where the values that `transpose` made come from. */
  readonly #transposed = new Map<Wire, { from: Wire; perm: readonly number[] }>();
  /** The outputs of nodes, by what they compute. */
  readonly #known = new Map<string, readonly Wire[]>();
  /** The name before that of every node and value that is made now. */
  scope = '';

  constructor(names: Names) {
    this.names = names;
  }

  /** Adds a node. Of two nodes that compute the same, one is written. An optional input that is left out is ''. */
  node(op: string, inputs: readonly Wire[], attributes: Readonly<Record<string, Attribute>> = {}, outputs = 1): Wire[] {
    const attribute = attributeProtos(attributes);
    const hasGraph = attribute.some(({ g }) => g);
    const key = hasGraph ? '' : JSON.stringify([op, inputs, attributes, outputs]);
    const known = this.#known.get(key);
    if (known && !hasGraph) return [...known];
    const name = this.names.unique(this.scope ? `${this.scope}/${op}` : op);
    const output = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : this.names.unique(`${name}:${i}`)));
    this.nodes.push({ opType: op, name, input: [...inputs], output, attribute });
    this.#known.set(key, output);
    return output;
  }

  /** Adds a node with one output. */
  one(op: string, inputs: readonly Wire[], attributes: Readonly<Record<string, Attribute>> = {}): Wire {
    return this.node(op, inputs, attributes)[0]!;
  }

  /** A node whose only output gets this name. */
  named(name: string, op: string, inputs: readonly Wire[]): void {
    this.nodes.push({ opType: op, name: this.names.unique(`${name}/${op}`), input: [...inputs], output: [name] });
  }

  transpose(x: Wire, perm: readonly number[]): Wire {
    const before = this.#transposed.get(x);
    const [from, whole] = before ? [before.from, perm.map((axis) => before.perm[axis]!)] : [x, perm];
    if (whole.every((axis, i) => axis === i)) return from;
    const y = this.one('Transpose', [from], { perm: whole });
    this.#transposed.set(y, { from, perm: whole });
    return y;
  }

  /** An initializer of float32 under this name. The same name gives the same initializer. */
  floats(name: string, dims: readonly number[], values: () => Float32Array): Wire {
    return this.#initializer(name, () => {
      const data = Float32Array.from(values());
      return { dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(data.buffer) };
    });
  }

  /** The values of a tensor as an initializer. */
  constant(name: string, tensor: Tensor): Wire {
    if (tensor.dtype === 'f32') return this.floats(name, tensor.shape, () => tensor.toArray() as Float32Array);
    const values = tensor.toArray();
    return this.#initializer(name, () => ({ dims: [...tensor.shape], dataType: INT32, int32Data: [...values] }));
  }

  scalar(value: number): Wire {
    return this.floats(`constant_${Object.is(value, -0) ? '-0' : value}`, [], () => Float32Array.of(value));
  }

  /** Integers of 64 bits, as shapes and axes are. */
  ints(values: readonly number[]): Wire {
    return this.#initializer(`ints_${values.join('_')}`, () => ({
      dims: [values.length],
      dataType: INT64,
      int64Data: [...values],
    }));
  }

  /** One integer of 64 bits without axes, as an index is. */
  index(value: number): Wire {
    return this.#initializer(`index_${value}`, () => ({ dims: [], dataType: INT64, int64Data: [value] }));
  }

  #initializer(name: string, make: () => TensorProto): Wire {
    const { initializers } = this.names;
    if (!initializers.has(name)) initializers.set(name, { name: this.names.unique(name), ...make() });
    return initializers.get(name)!.name!;
  }

  graph(name: string, input: ValueInfoProto[], output: ValueInfoProto[]): GraphProto {
    return { name, node: this.nodes, input, output };
  }
}
