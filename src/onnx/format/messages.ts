// The messages of onnx.proto, as one table that both the reader and the writer follow.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { PbfReader, PbfWriter } from 'pbf';

/** A typed array with its name, as a file holds it. */
export interface TensorProto {
  dims?: number[];
  dataType?: number;
  floatData?: number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: number[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: number[];
  uint64Data?: number[];
  externalData?: StringEntry[];
  dataLocation?: number;
}

export interface StringEntry {
  key?: string;
  value?: string;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
  tensors?: TensorProto[];
  graphs?: GraphProto[];
  type?: number;
  refAttrName?: string;
}

export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  domain?: string;
  overload?: string;
}

/** A function of the file: nodes that stand for a node of its domain and name. */
export interface FunctionProto {
  name?: string;
  input?: string[];
  output?: string[];
  attribute?: string[];
  node?: NodeProto[];
  opsetImport?: OperatorSet[];
  domain?: string;
  attributeProto?: AttributeProto[];
  overload?: string;
}

export interface DimensionProto {
  dimValue?: number;
  dimParam?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: {
    tensorType?: { elemType?: number; shape?: { dim?: DimensionProto[] } };
    sequenceType?: Uint8Array;
    mapType?: Uint8Array;
    sparseTensorType?: Uint8Array;
    optionalType?: Uint8Array;
  };
}

export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  sparseInitializer?: Uint8Array[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
}

export interface OperatorSet {
  domain?: string;
  version?: number;
}

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  opsetImport?: OperatorSet[];
  metadataProps?: StringEntry[];
  functions?: FunctionProto[];
}

type Scalar = 'int' | 'float' | 'double' | 'string' | 'bytes';
/** Name of a property, its kind, and whether it is a list. */
type Field = readonly [name: string, kind: Scalar | Message, isList?: true];
/** The fields of a message by number. A field that is not here is skipped. */
type Message = () => Readonly<Record<number, Field>>;

const entry: Message = () => ({ 1: ['key', 'string'], 2: ['value', 'string'] });
const operatorSet: Message = () => ({ 1: ['domain', 'string'], 2: ['version', 'int'] });
const tensor: Message = () => ({
  1: ['dims', 'int', true],
  2: ['dataType', 'int'],
  4: ['floatData', 'float', true],
  5: ['int32Data', 'int', true],
  6: ['stringData', 'bytes', true],
  7: ['int64Data', 'int', true],
  8: ['name', 'string'],
  9: ['rawData', 'bytes'],
  10: ['doubleData', 'double', true],
  11: ['uint64Data', 'int', true],
  13: ['externalData', entry, true],
  14: ['dataLocation', 'int'],
});
const attribute: Message = () => ({
  1: ['name', 'string'],
  2: ['f', 'float'],
  3: ['i', 'int'],
  4: ['s', 'bytes'],
  5: ['t', tensor],
  6: ['g', graph],
  7: ['floats', 'float', true],
  8: ['ints', 'int', true],
  9: ['strings', 'bytes', true],
  10: ['tensors', tensor, true],
  11: ['graphs', graph, true],
  20: ['type', 'int'],
  21: ['refAttrName', 'string'],
});
const node: Message = () => ({
  1: ['input', 'string', true],
  2: ['output', 'string', true],
  3: ['name', 'string'],
  4: ['opType', 'string'],
  5: ['attribute', attribute, true],
  7: ['domain', 'string'],
  8: ['overload', 'string'],
});
const functionOf: Message = () => ({
  1: ['name', 'string'],
  4: ['input', 'string', true],
  5: ['output', 'string', true],
  6: ['attribute', 'string', true],
  7: ['node', node, true],
  9: ['opsetImport', operatorSet, true],
  10: ['domain', 'string'],
  11: ['attributeProto', attribute, true],
  13: ['overload', 'string'],
});
const dimension: Message = () => ({ 1: ['dimValue', 'int'], 2: ['dimParam', 'string'] });
const shape: Message = () => ({ 1: ['dim', dimension, true] });
const tensorType: Message = () => ({ 1: ['elemType', 'int'], 2: ['shape', shape] });
const type: Message = () => ({
  1: ['tensorType', tensorType],
  4: ['sequenceType', 'bytes'],
  5: ['mapType', 'bytes'],
  8: ['sparseTensorType', 'bytes'],
  9: ['optionalType', 'bytes'],
});
const valueInfo: Message = () => ({ 1: ['name', 'string'], 2: ['type', type] });
const graph: Message = () => ({
  1: ['node', node, true],
  2: ['name', 'string'],
  5: ['initializer', tensor, true],
  11: ['input', valueInfo, true],
  12: ['output', valueInfo, true],
  15: ['sparseInitializer', 'bytes', true],
});
const model: Message = () => ({
  1: ['irVersion', 'int'],
  2: ['producerName', 'string'],
  3: ['producerVersion', 'string'],
  7: ['graph', graph],
  8: ['opsetImport', operatorSet, true],
  14: ['metadataProps', entry, true],
  25: ['functions', functionOf, true],
});

type Parsed = Record<string, unknown>;

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];
const wireOf = (kind: Field[1]): number => ({ int: VARINT, double: FIXED64, float: FIXED32 })[kind as string] ?? BYTES;

function readMessage(message: Message, pbf: PbfReader, end: number): Parsed {
  const fields = message();
  const into: Parsed = {};
  for (let number = pbf.nextField(end); number !== 0; number = pbf.nextField(end)) {
    const field = fields[number];
    if (!field) continue;
    const [name, kind, isList] = field;
    const packed = isList && pbf.type === BYTES && wireOf(kind) !== BYTES;
    if (!packed && pbf.type !== wireOf(kind)) throw new Error(`field '${name}' expected wire type ${wireOf(kind)}`);
    const list = isList ? ((into[name] ??= []) as unknown[]) : undefined;
    const one = (): unknown => readOne(kind, pbf);
    if (packed) {
      const stop = pbf.readVarint() + pbf.pos;
      while (pbf.pos < stop) list!.push(one());
    } else if (list) list.push(one());
    else into[name] = one();
    if (pbf.pos > end) throw new Error(`field '${name}' is longer than what holds it`);
  }
  return into;
}

function readOne(kind: Field[1], pbf: PbfReader): unknown {
  switch (kind) {
    case 'int':
      return pbf.readVarint(true);
    case 'float':
      return pbf.readFloat();
    case 'double':
      return pbf.readDouble();
    case 'string':
      return pbf.readString();
    case 'bytes':
      return pbf.readBytes();
    default: {
      const length = pbf.readVarint();
      if (length > pbf.length - pbf.pos) throw new Error('a message is longer than the file');
      return readMessage(kind, pbf, length + pbf.pos);
    }
  }
}

function writeMessage(message: Message, value: Parsed, pbf: PbfWriter): void {
  for (const [number, [name, kind, isList]] of Object.entries(message())) {
    const given = value[name];
    if (given === undefined) continue;
    if (isList && wireOf(kind) !== BYTES) writePacked(Number(number), kind, given as number[], pbf);
    else for (const each of isList ? (given as unknown[]) : [given]) writeOne(Number(number), kind, each, pbf);
  }
}

/** The nearest double within int64: 2⁶³, which the greatest int64 is read as, is beyond it. */
const int64Of = (n: number): number => Math.min(n, 2 ** 63 - 1024);

function writePacked(field: number, kind: Field[1], list: number[], pbf: PbfWriter): void {
  if (kind === 'int') pbf.writePackedVarint(field, list.map(int64Of));
  else if (kind === 'float') pbf.writePackedFloat(field, list);
  else pbf.writePackedDouble(field, list);
}

function writeOne(field: number, kind: Field[1], value: unknown, pbf: PbfWriter): void {
  if (kind === 'int') pbf.writeVarintField(field, int64Of(value as number));
  else if (kind === 'float') pbf.writeFloatField(field, value as number);
  else if (kind === 'double') pbf.writeDoubleField(field, value as number);
  else if (kind === 'string') pbf.writeStringField(field, value as string);
  else if (kind === 'bytes') pbf.writeBytesField(field, value as Uint8Array);
  else pbf.writeMessage(field, (each: Parsed, to: PbfWriter) => writeMessage(kind, each, to), value as Parsed);
}

/** Reads a `ModelProto`. Throws an `Error` if the bytes are not one. Byte fields are views of `bytes`. */
export const readModelProto = (bytes: Uint8Array): ModelProto =>
  readMessage(model, new PbfReader(bytes), bytes.length) as ModelProto;

/** Reads a `TensorProto`, as the test cases of ONNX have them. */
export const readTensorProto = (bytes: Uint8Array): TensorProto =>
  readMessage(tensor, new PbfReader(bytes), bytes.length) as TensorProto;

/** The bytes of a `ModelProto`. */
export function writeModelProto(value: ModelProto): Uint8Array {
  const pbf = new PbfWriter();
  writeMessage(model, value as Parsed, pbf);
  return pbf.finish();
}
