// Small models as bytes, for checks against ONNX Runtime.
import { attributeProto } from '../../src/onnx/format/attributes.ts';
import {
  type AttributeProto,
  type FunctionProto,
  type NodeProto,
  type TensorProto,
  writeModelProto,
} from '../../src/onnx/format/messages.ts';

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly AttributeProto[];
  readonly domain?: string;
}

export interface ArraySpec {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;
}

export interface ModelSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs: Readonly<Record<string, ArraySpec>>;
  readonly initializers?: Readonly<Record<string, ArraySpec>>;
  readonly outputs: readonly string[];
  readonly opset?: number;
  readonly functions?: readonly FunctionProto[];
}

/** An attribute of a number, a text, or a list of either. Numbers are integers if all are. */
export function attribute(
  name: string,
  value: number | string | readonly number[] | readonly string[],
): AttributeProto {
  if (typeof value === 'number') return attributeProto(name, Number.isInteger(value) ? value : { float: value });
  if (typeof value === 'string' || typeof value[0] === 'string') return attributeProto(name, value);
  const list = value as readonly number[];
  return attributeProto(name, list.every(Number.isInteger) ? list : { floats: list });
}

const typeOf = ({ data }: ArraySpec): number =>
  data instanceof Float32Array
    ? 1
    : data instanceof Int32Array
      ? 6
      : data instanceof BigInt64Array
        ? 7
        : data instanceof Int8Array
          ? 3
          : 2;

const tensorOf = (name: string, array: ArraySpec): TensorProto => ({
  name,
  dims: [...array.dims],
  dataType: typeOf(array),
  rawData: new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength),
});

export const nodeOf = ({ op, attributes = [], domain = '', inputs, outputs }: NodeSpec): NodeProto => ({
  opType: op,
  domain,
  input: [...inputs],
  output: [...outputs],
  attribute: [...attributes],
});

/** The bytes of a model. */
export function modelOf({
  nodes,
  inputs,
  initializers = {},
  outputs,
  opset = 17,
  functions = [],
}: ModelSpec): Uint8Array {
  return writeModelProto({
    irVersion: 8,
    producerName: 'tapeloop checks',
    opsetImport: [
      { domain: '', version: opset },
      { domain: 'com.microsoft', version: 1 },
      ...[...new Set(functions.map(({ domain }) => domain!))].map((domain) => ({ domain, version: 1 })),
    ],
    functions: [...functions],
    graph: {
      name: 'check',
      node: nodes.map(nodeOf),
      initializer: Object.entries(initializers).map(([name, array]) => tensorOf(name, array)),
      input: Object.entries(inputs).map(([name, array]) => ({
        name,
        type: { tensorType: { elemType: typeOf(array), shape: { dim: array.dims.map((dimValue) => ({ dimValue })) } } },
      })),
      output: outputs.map((name) => ({ name })),
    },
  });
}
