// Arrays of doubles, and loops over them: the ground of the float64 reference of ONNX's operators.
import type { NodeProto } from '../../../src/onnx/format/messages.ts';

export interface Array64 {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** Computes the outputs of a node. */
export type Operator64 = (inputs: readonly (Array64 | undefined)[], attributes: Attributes) => readonly Array64[];

/** The attributes of a node, with the version of its operator set. */
export interface Attributes {
  readonly version: number;
  number(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  list(name: string): number[] | undefined;
  texts(name: string): string[] | undefined;
}

const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function attributesOf({ attribute = [] }: NodeProto, version: number): Attributes {
  const find = (name: string) => attribute.find((each) => each.name === name);
  return {
    version,
    number: (name, otherwise) => find(name)?.i ?? find(name)?.f ?? otherwise,
    text: (name, otherwise) => (find(name)?.s ? utf8(find(name)!.s!) : otherwise),
    list: (name) => find(name)?.ints ?? find(name)?.floats,
    texts: (name) => find(name)?.strings?.map(utf8),
  };
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);

/** Calls `body` with each index of a shape, the last axis first. */
export function each(dims: readonly number[], body: (index: readonly number[], at: number) => void): void {
  const size = sizeOf(dims);
  const index = dims.map(() => 0);
  for (let at = 0; at < size; at++) {
    body(index, at);
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0;
  }
}

/** An array whose elements a function of their index gives. */
export function build(dims: readonly number[], f: (index: readonly number[]) => number): Array64 {
  const data = new Float64Array(sizeOf(dims));
  each(dims, (index, at) => {
    data[at] = f(index);
  });
  return { dims: [...dims], data };
}

/** The element at an index. Axes of length 1, and missing ones in front, are repeated. */
export function element({ dims, data }: Array64, index: readonly number[]): number {
  const skipped = index.length - dims.length;
  let place = 0;
  for (let axis = 0; axis < dims.length; axis++)
    place = place * dims[axis]! + (dims[axis] === 1 ? 0 : index[axis + skipped]!);
  return data[place]!;
}

/** Sums f over all indices of a shape. */
export function sum(dims: readonly number[], f: (index: readonly number[]) => number): number {
  let total = 0;
  each(dims, (index) => {
    total += f(index);
  });
  return total;
}

/** The shape that several make together. */
export function together(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((dims) => dims[axis - rank + dims.length] ?? 1)),
  );
}
