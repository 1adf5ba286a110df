// From the bytes of a TensorProto to elements, and back.
import { shown } from '../../checks/argument-error.ts';
import { sizeOf } from '../../checks/shape.ts';
import { bytesOf, type FileBytes, isFileBytes } from '../../io/model-file.ts';
import {
  bitsOfBfloat16,
  bitsOfFloat16,
  type ElementType,
  elementType,
  fromBfloat16,
  fromFloat16,
  type HostData,
  hostArray,
} from './element-types.ts';
import type { TensorProto } from './messages.ts';

/** The bytes of a file beside the model, by its relative name. */
export type ExternalData = (location: string) => FileBytes | undefined;

export interface TensorData {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: HostData;
}

const EXTERNAL = 1;

/** Bytes of an element in `rawData`. Integers of 4 bits are two in a byte. */
const sizes: Readonly<Record<string, number>> = {
  ...{ float32: 4, float64: 8, float16: 2, bfloat16: 2, int8: 1, int16: 2, int32: 4, int64: 8 },
  ...{ uint8: 1, uint16: 2, uint32: 4, uint64: 8, bool: 1, int4: 0.5, uint4: 0.5 },
};

/** Reads the elements. Throws an `Error`, whose message follows the name of the tensor, if they do not fill `dims`. */
export function tensorData(proto: TensorProto, external?: ExternalData): TensorData {
  const type = elementType(proto.dataType);
  if (!type) throw new Error(`has element type ${proto.dataType ?? 0}, which cannot be read`);
  const shape = proto.dims ?? [];
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(`has shape [${shape}]`);
  const size = sizeOf(shape);
  const expectLength = (got: number, wanted: number, unit: string): void => {
    if (got !== wanted) throw new Error(`of [${shape}] ${type} expected ${wanted} ${unit}, got ${got}`);
  };
  if (type === 'string') {
    const data = (proto.stringData ?? []).map((bytes) => new TextDecoder().decode(bytes));
    expectLength(data.length, size, 'strings');
    return { type, shape, data };
  }
  const raw = proto.dataLocation === EXTERNAL ? externalBytes(proto, external) : proto.rawData;
  if (raw && (raw.length > 0 || listOf(proto, type).length === 0)) {
    expectLength(raw.length, Math.ceil(size * sizes[type]!), 'bytes');
    return { type, shape, data: fromRaw(type, size, raw) };
  }
  const list = listOf(proto, type);
  const isPacked = type === 'int4' || type === 'uint4';
  expectLength(list.length, isPacked ? Math.ceil(size / 2) : size, 'numbers');
  const data = hostArray(type, size);
  const read = readers[type] ?? ((n: number) => n);
  for (let i = 0; i < size; i++) data[i] = isPacked ? nibble(list[i >> 1]!, i, type === 'int4') : read(list[i]!);
  return { type, shape, data };
}

const readers: Readonly<Record<string, (bits: number) => number>> = {
  float16: fromFloat16,
  bfloat16: fromBfloat16,
};

function listOf(proto: TensorProto, type: ElementType): number[] {
  if (type === 'float32') return proto.floatData ?? [];
  if (type === 'float64') return proto.doubleData ?? [];
  if (type === 'int64') return proto.int64Data ?? [];
  if (type === 'uint64' || type === 'uint32') return proto.uint64Data ?? [];
  return proto.int32Data ?? [];
}

const nibble = (byte: number, i: number, isSigned: boolean): number => {
  const bits = (i % 2 === 0 ? byte : byte >> 4) & 15;
  return isSigned && bits > 7 ? bits - 16 : bits;
};

function fromRaw(type: ElementType, size: number, raw: Uint8Array): Exclude<HostData, string[]> {
  const data = hostArray(type, size);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const is64 = type === 'int64' || type === 'uint64';
  if (type === 'int4' || type === 'uint4') {
    for (let i = 0; i < size; i++) data[i] = nibble(raw[i >> 1]!, i, type === 'int4');
  } else if (is64) {
    // A number beyond 2⁵³, such as the greatest int64 as "to the end", becomes the nearest double.
    const high = type === 'int64' ? 'getInt32' : 'getUint32';
    for (let i = 0; i < size; i++) data[i] = view[high](8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true);
  } else if (readers[type]) {
    for (let i = 0; i < size; i++) data[i] = readers[type]!(view.getUint16(2 * i, true));
  } else {
    // Files and all hosts are little-endian.
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(raw);
  }
  return data;
}

function externalBytes({ externalData = [] }: TensorProto, external: ExternalData | undefined): Uint8Array {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const given = external?.(location);
  if (!given) throw new Error(`has its values in '${location}': externalData expected to give this file`);
  if (!isFileBytes(given))
    throw new Error(`has its values in '${location}': externalData expected a Uint8Array, got ${shown(given)}`);
  const file = bytesOf('importOnnx', given);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? file.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length))
    throw new Error(
      `has its values at ${offset} to ${offset + length} of '${location}', which has ${file.length} bytes`,
    );
  return file.subarray(offset, offset + length);
}

/** Float elements as the `rawData` of a tensor of that type. */
export function rawFloats(type: ElementType, values: ArrayLike<number>): Uint8Array {
  if (type === 'float32') return new Uint8Array(Float32Array.from(values).buffer);
  if (type === 'float64') return new Uint8Array(Float64Array.from(values).buffer);
  const encode = type === 'float16' ? bitsOfFloat16 : bitsOfBfloat16;
  return new Uint8Array(Uint16Array.from(values, encode).buffer);
}
