import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { exp2 } from '../../engine/float64.ts';

/** Names of the element types of ONNX, by their number in a file. */
const names = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
} as const;

export type ElementType = (typeof names)[keyof typeof names];

/** The type of a number in a file; undefined if values of this type cannot be read. */
export const elementType = (code: number | undefined): ElementType | undefined =>
  (names as Record<number, ElementType>)[code ?? 0];

export const codeOf = (type: ElementType): number =>
  Number(Object.entries(names).find(([, name]) => name === type)![0]);

/** Elements outside linear memory. Integers of 64 bits are doubles, exact to 2⁵³; a boolean is 0 or 1. */
export type HostData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | string[];

const arrays: Record<Exclude<ElementType, 'string'>, new (length: number) => Exclude<HostData, string[]>> = {
  float32: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: Float64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: Float64Array,
  bool: Uint8Array,
  uint4: Uint8Array,
  int4: Int8Array,
};

export const isFloat = (type: ElementType): boolean => type.includes('float');

/** An array for `length` elements of a type, all 0. */
export const hostArray = (type: ElementType, length: number): Exclude<HostData, string[]> =>
  new arrays[type as 'float32'](length);

/** Numbers as elements of a type. Throws `ArgumentError` for what is no number, or none of the type. */
export function elementsOf(what: string, type: ElementType, values: ArrayLike<unknown>): Exclude<HostData, string[]> {
  if (type === 'float32' && values instanceof Float32Array) return values;
  const elements = hostArray(type, values.length);
  const isReal = isFloat(type);
  for (let i = 0; i < elements.length; i++) {
    const value = values[i];
    const isNumber = typeof value === 'number' || typeof value === 'bigint' || (type === 'bool' && value === !!value);
    if (isNumber) elements[i] = Number(value);
    // Floats are rounded. An integer that is not what was given, is out of range.
    const fits = isReal || (Number.isInteger(elements[i]) && elements[i] === Number(value));
    if (!isNumber || !fits)
      throw new ArgumentError(`${what} expected elements of ${type}, got ${shown(value)} at ${i}`);
  }
  return elements;
}

/** An array for `length` elements of any type, a `HostData` once all are set. */
export const anyArray = (type: ElementType, length: number): { [i: number]: number | string } =>
  type === 'string' ? Array<string>(length) : hostArray(type, length);

/** The nearest float16, ties to even. */
export function toFloat16(value: number): number {
  const f = Math.fround(value);
  if (!Number.isFinite(f) || f === 0) return f;
  const size = Math.abs(f);
  // The unit of the last place of a float16 of this size; below 2⁻¹⁴ it is 2⁻²⁴.
  word.f[0] = size;
  const exponent = (word.u[0]! >>> 23) - 127;
  const unit = exp2(Math.max(exponent, -14) - 10);
  const rounded = roundToEven(size / unit) * unit;
  return Math.sign(f) * (rounded > 65504 ? Number.POSITIVE_INFINITY : rounded);
}

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  word.f[0] = value;
  const bits = word.u[0]!;
  if (Number.isNaN(value)) return value;
  word.u[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return word.f[0]!;
}

/** The bits of the nearest float16. */
export function bitsOfFloat16(value: number): number {
  const rounded = toFloat16(value);
  word.f[0] = rounded;
  const bits = word.u[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 127;
  if (exponent === 128) return sign | 0x7c00 | (Number.isNaN(rounded) ? 0x200 : 0);
  // Below 2⁻¹⁴ a float16 counts steps of 2⁻²⁴.
  if (exponent < -14) return sign | (Math.abs(rounded) * exp2(24));
  return sign | ((exponent + 15) << 10) | ((bits >>> 13) & 0x3ff);
}

/** The bits of the nearest bfloat16. */
export function bitsOfBfloat16(value: number): number {
  word.f[0] = toBfloat16(value);
  return word.u[0]! >>> 16;
}

/** The nearest integer; the even one of two. */
export function roundToEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

const buffer = new ArrayBuffer(4);
const word = { f: new Float32Array(buffer), u: new Uint32Array(buffer) };

/** A float16 from its 16 bits. */
export function fromFloat16(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? exp2(exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

/** A bfloat16 from its 16 bits. */
export function fromBfloat16(bits: number): number {
  word.u[0] = bits << 16;
  return word.f[0]!;
}
