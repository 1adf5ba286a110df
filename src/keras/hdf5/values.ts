// Types, shapes and the values that bytes stand for.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, IV.A.2.b and IV.A.2.d
import type { Cursor, Source } from './source.ts';
import type { HdfValues } from './tree.ts';

/** Reads `count` texts of varying length from the references to them. */
export type Texts = (references: Uint8Array, count: number) => string[];

/** How values of a type are made from bytes. */
export interface Datatype {
  /** Bytes of one value. */
  readonly size: number;
  /** Makes `count` values of `count · size` bytes, which may be a view of the file. */
  decode(bytes: Uint8Array, count: number): HdfValues;
}

/** Reads a dataspace: the shape, `[0]` for a space without values. */
export function readShape(cursor: Cursor): number[] {
  const version = cursor.u8();
  const rank = cursor.u8();
  const flags = cursor.u8();
  if (version === 1) cursor.skip(5);
  else if (version !== 2) cursor.source.fail(`a shape expected version 1 or 2, got ${version}`);
  else if (cursor.u8() === 2) return [0];
  if (flags > 1) cursor.source.fail(`a shape expected flags of 0 or 1, got ${flags}`);
  return Array.from({ length: rank }, () => cursor.length());
}

/** The number of values of a shape. Throws above 2^53. */
export function countOf(source: Source, shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) source.fail(`a shape expected fewer than 2^53 values, got [${shape.join(', ')}]`);
  return count;
}

const classes = [
  'integers',
  'floats',
  'times',
  'texts',
  'bit fields',
  'opaque bytes',
  'compounds',
  'references',
  'enumerations',
  'lists of varying length',
  'arrays',
];

/** Reads a type. Its `decode` throws if the type is not supported. */
export function readDatatype(cursor: Cursor, varying: Texts): Datatype {
  const { source } = cursor;
  const kind = cursor.u8() & 15;
  const bits = cursor.uint(3);
  const size = cursor.u32();
  const unsupported = (what: string): Datatype => ({
    size,
    decode: () => source.fail(`${what} are not supported`),
  });
  if (size === 0) source.fail('a type expected a size above 0');
  if (kind === 0) return integers(size, (bits & 8) !== 0, (bits & 1) !== 0) ?? unsupported(`integers of ${size} bytes`);
  if (kind === 1) {
    cursor.skip(5);
    const exponentBits = cursor.u8();
    return (
      floats(size, exponentBits, bits) ?? unsupported(`floats of ${size} bytes with ${exponentBits} exponent bits`)
    );
  }
  if (kind === 3) return { size, decode: (bytes, count) => texts(source, { bytes, count, size }) };
  // Keras marks bfloat16, which HDF5 has no type for, as opaque pairs of bytes.
  if (kind === 5 && size === 2) return { size, decode: bfloat16 };
  if (kind === 8) {
    const { decode } = readDatatype(cursor, varying);
    return { size, decode };
  }
  if (kind === 9 && (bits & 15) === 1 && size === 16) {
    return { size, decode: varying };
  }
  return unsupported(classes[kind] ?? `values of class ${kind}`);
}

type Reader = (view: DataView, at: number, isLittle: boolean) => number;

/** A type whose values are read one by one into an array that `make` makes. */
const numbers = (size: number, isBig: boolean, make: (count: number) => HdfValues, read: Reader): Datatype => ({
  size,
  decode(bytes, count) {
    const values = make(count) as Float64Array;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) values[i] = read(view, i * size, !isBig);
    return values;
  },
});

function integers(size: number, isSigned: boolean, isBig: boolean): Datatype | undefined {
  if (size === 1) {
    return isSigned
      ? numbers(
          1,
          isBig,
          (count) => new Int8Array(count),
          (view, at) => view.getInt8(at),
        )
      : numbers(
          1,
          isBig,
          (count) => new Uint8Array(count),
          (view, at) => view.getUint8(at),
        );
  }
  if (size === 2) {
    return isSigned
      ? numbers(
          2,
          isBig,
          (count) => new Int16Array(count),
          (view, at, little) => view.getInt16(at, little),
        )
      : numbers(
          2,
          isBig,
          (count) => new Uint16Array(count),
          (view, at, little) => view.getUint16(at, little),
        );
  }
  if (size === 4) {
    return isSigned
      ? numbers(
          4,
          isBig,
          (count) => new Int32Array(count),
          (view, at, little) => view.getInt32(at, little),
        )
      : numbers(
          4,
          isBig,
          (count) => new Uint32Array(count),
          (view, at, little) => view.getUint32(at, little),
        );
  }
  if (size !== 8) return undefined;
  const read: Reader = isSigned
    ? (view, at, little) => Number(view.getBigInt64(at, little))
    : (view, at, little) => Number(view.getBigUint64(at, little));
  return numbers(8, isBig, (count) => new Float64Array(count), read);
}

function floats(size: number, exponentBits: number, bits: number): Datatype | undefined {
  const isBig = (bits & 1) !== 0;
  // Bit 6 with bit 0 is the byte order of a VAX.
  if (bits & 64) return undefined;
  const f32 = (count: number): HdfValues => new Float32Array(count);
  if (size === 2 && exponentBits === 5) return numbers(2, isBig, f32, halfAt);
  if (size === 4 && exponentBits === 8)
    return numbers(4, isBig, f32, (view, at, little) => view.getFloat32(at, little));
  if (size === 8 && exponentBits === 11) {
    return numbers(
      8,
      isBig,
      (count) => new Float64Array(count),
      (view, at, little) => view.getFloat64(at, little),
    );
  }
  return undefined;
}

function halfAt(view: DataView, at: number, isLittle: boolean): number {
  const half = view.getUint16(at, isLittle);
  const sign = half & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(half >> 10) & 31, half & 0x3ff];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * POWERS[exponent]!;
}

/** 2^(e − 25) for each exponent e of half precision. */
const POWERS = /* @__PURE__ */ Array.from({ length: 31 }, (_, e) => (e < 25 ? 1 / (1 << (25 - e)) : 1 << (e - 25)));

function bfloat16(bytes: Uint8Array, count: number): Float32Array {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  return new Float32Array(words.buffer);
}

function texts(source: Source, { bytes, count, size }: { bytes: Uint8Array; count: number; size: number }): string[] {
  return Array.from({ length: count }, (_, i) => source.text(bytes.subarray(i * size, (i + 1) * size)));
}
