// Attributes of nodes, as files hold them.
import type { AttributeProto, GraphProto, TensorProto } from './messages.ts';

/** An attribute: integers, real numbers in `float` and `floats`, text, a tensor or a graph. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorProto }
  | { readonly graph: GraphProto };

const [FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS] = [1, 2, 3, 4, 5, 6, 7, 8];
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return { name, i: value, type: INT };
  if (typeof value === 'string') return { name, s: utf8(value), type: STRING };
  if ('float' in value) return { name, f: value.float, type: FLOAT };
  if ('floats' in value) return { name, floats: [...value.floats], type: FLOATS };
  if ('tensor' in value) return { name, t: value.tensor, type: TENSOR };
  if ('graph' in value) return { name, g: value.graph, type: GRAPH };
  if (typeof value[0] === 'string') return { name, strings: (value as readonly string[]).map(utf8), type: STRINGS };
  return { name, ints: [...(value as readonly number[])], type: INTS };
}

export const attributeProtos = (attributes: Readonly<Record<string, Attribute>>): AttributeProto[] =>
  Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
