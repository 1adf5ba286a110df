// What can be said of a graph without running it: who makes a value, and what is fixed.
import { sizeOf } from '../../checks/shape.ts';
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from '../format/messages.ts';
import { type ExternalData, tensorData } from '../format/tensor-data.ts';

export const attributeOf = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attribute?.find((each) => each.name === name);
export const intOf = (node: NodeProto, name: string, otherwise: number): number => {
  const found = attributeOf(node, name);
  return found ? (found.i ?? 0) : otherwise;
};
export const floatOf = (node: NodeProto, name: string, otherwise: number): number => {
  const found = attributeOf(node, name);
  return found ? (found.f ?? 0) : otherwise;
};

const isStandard = ({ domain = '' }: NodeProto): boolean => domain === '' || domain === 'ai.onnx';

/** Operators that make weights of weights. */
const MAKES_WEIGHTS = ['Transpose', 'Reshape', 'Unsqueeze', 'Squeeze', 'Identity', 'Slice', 'Split', 'Concat', 'Add'];
/** Operators that numbers pass unchanged. */
const PASSES_NUMBERS = ['Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Cast'];
/** So many numbers are read at most: lengths, axes and their like. */
const FEW = 64;

/** A graph with the graphs around it. */
export class Scope {
  readonly graph: GraphProto;
  readonly parent: Scope | undefined;
  readonly external: ExternalData | undefined;
  readonly #makers = new Map<string, NodeProto>();
  readonly #initializers = new Map<string, TensorProto>();
  readonly #inputs = new Map<string, ValueInfoProto>();
  readonly #fixed = new Map<string, boolean>();
  /** Left operands of a Gemm: they have two axes. */
  readonly readByGemm = new Set<string>();

  constructor(graph: GraphProto, parent?: Scope, external = parent?.external) {
    this.graph = graph;
    this.parent = parent;
    this.external = external;
    for (const node of graph.node ?? []) {
      for (const name of node.output ?? []) if (name) this.#makers.set(name, node);
      if (node.opType === 'Gemm') this.readByGemm.add(node.input?.[0] ?? '');
    }
    for (const proto of graph.initializer ?? []) this.#initializers.set(proto.name ?? '', proto);
    for (const input of graph.input ?? []) this.#inputs.set(input.name ?? '', input);
  }

  /** The node of this graph that makes a value, if it is one of ONNX's own operators. */
  maker(name: string, ...ops: readonly string[]): NodeProto | undefined {
    const node = this.#makers.get(name);
    return node && isStandard(node) && (ops.length === 0 || ops.includes(node.opType ?? '')) ? node : undefined;
  }

  initializer(name: string): TensorProto | undefined {
    return this.#initializers.get(name);
  }

  /** Whether the graph itself, and not one around it, has the value. */
  owns(name: string): boolean {
    return this.#makers.has(name) || this.#initializers.has(name) || this.#inputs.has(name);
  }

  /** The graph that has a value. */
  ownerOf(name: string): Scope | undefined {
    return this.owns(name) ? this : this.parent?.ownerOf(name);
  }

  /** The number of axes that the file declares for an input of the graph. */
  declaredRank(name: string): number | undefined {
    return this.#inputs.get(name)?.type?.tensorType?.shape?.dim?.length;
  }

  /** Whether the file alone decides a value. */
  isFixed(name: string): boolean {
    const owner = this.ownerOf(name);
    if (owner !== this) return owner?.isFixed(name) ?? false;
    if (this.#initializers.has(name)) return true;
    const known = this.#fixed.get(name);
    if (known !== undefined) return known;
    this.#fixed.set(name, false);
    const node = this.maker(name);
    const made =
      node?.opType === 'Constant' ||
      (MAKES_WEIGHTS.includes(node?.opType ?? '') && node!.input!.every((each) => each === '' || this.isFixed(each)));
    this.#fixed.set(name, made);
    return made;
  }

  /** The shape of a fixed value, if it is easily seen. */
  shapeOf(name: string): readonly number[] | undefined {
    const owner = this.ownerOf(name);
    if (owner !== this) return owner?.shapeOf(name);
    const proto = this.#initializers.get(name);
    if (proto) return proto.dims ?? [];
    const node = this.maker(name);
    if (!node) return undefined;
    if (node.opType === 'Constant') {
      const { t, floats, ints } = node.attribute?.[0] ?? {};
      return t ? (t.dims ?? []) : [(floats ?? ints)?.length ?? 1];
    }
    const shape = this.shapeOf(node.input?.[0] ?? '');
    if (!shape) return undefined;
    if (node.opType === 'Identity') return shape;
    if (node.opType === 'Transpose') {
      const order = attributeOf(node, 'perm')?.ints ?? [...shape.keys()].reverse();
      return order.map((axis) => shape[axis]!);
    }
    const size = sizeOf(shape);
    if (node.opType === 'Reshape') {
      const wanted = attributeOf(node, 'shape')?.ints ?? this.numbersOf(node.input?.[1] ?? '');
      if (!wanted || wanted.includes(0)) return undefined;
      const known = sizeOf(wanted.filter((n) => n > 0));
      return wanted.map((n) => (n < 0 ? size / known : n));
    }
    const axes = attributeOf(node, 'axes')?.ints ?? this.numbersOf(node.input?.[1] ?? '');
    if (node.opType === 'Squeeze')
      return shape.filter((n, axis) => !(axes ? axes.some((a) => a === axis || a === axis - shape.length) : n === 1));
    if (node.opType === 'Unsqueeze' && axes?.length === 1 && axes[0] === 0) return [1, ...shape];
    return undefined;
  }

  /** A few fixed numbers. */
  numbersOf(name: string): readonly number[] | undefined {
    const owner = this.ownerOf(name);
    if (owner !== this) return owner?.numbersOf(name);
    const proto = this.#initializers.get(name);
    if (proto) return this.#read(proto);
    const node = this.maker(name);
    if (!node) return undefined;
    if (node.opType === 'Constant') {
      const [given] = node.attribute ?? [];
      if (given?.t) return this.#read(given.t);
      return given?.floats ?? given?.ints ?? (given && [given.i ?? given.f ?? 0]);
    }
    if (PASSES_NUMBERS.includes(node.opType ?? '')) return this.numbersOf(node.input?.[0] ?? '');
    return undefined;
  }

  #read(proto: TensorProto): readonly number[] | undefined {
    if (sizeOf(proto.dims ?? []) > FEW) return undefined;
    try {
      const { data, type } = tensorData(proto, this.external);
      return type === 'string' ? undefined : [...(data as Float32Array)];
    } catch {
      return undefined;
    }
  }

  /** Whether a value is one fixed number. */
  isNumber(name: string, expected: number): boolean {
    const numbers = this.numbersOf(name);
    return numbers?.length === 1 && numbers[0] === expected;
  }
}

/** Names that a graph and the graphs in it read, with how often. */
export function usesOf(graph: GraphProto, into = new Map<string, number>()): Map<string, number> {
  const count = (name: string): void => {
    into.set(name, (into.get(name) ?? 0) + 1);
  };
  for (const node of graph.node ?? []) {
    for (const name of node.input ?? []) count(name);
    for (const { g } of node.attribute ?? []) if (g) usesOf(g, into);
  }
  for (const { name = '' } of graph.output ?? []) count(name);
  return into;
}
