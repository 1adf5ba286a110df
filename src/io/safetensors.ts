// The safetensors file format (https://github.com/huggingface/safetensors#format): 8 bytes of little-endian header
// length N, N bytes of JSON, then the bytes of the tensors without gaps. A file may come from anywhere, so every value
// of the header is checked against the actual bytes before memory is allocated for it.

import { ArgumentError } from '../checks/argument-error.ts';
import { TapeloopError } from '../checks/tapeloop-error.ts';
import { classOf } from '../host/class-of.ts';
import { textOfUtf8, utf8Of } from '../host/utf8.ts';
import { clip, describe, isObject, quote } from './parsed-json.ts';

/** A file is not a valid model file. `file` is its name, if the caller gave one. */
export class ModelFileError extends TapeloopError {
  readonly file: string | undefined;

  constructor(message: string, options: { file?: string | undefined; cause?: unknown } = {}) {
    super(options.file === undefined ? message : `${options.file}: ${message}`, { cause: options.cause });
    this.name = 'ModelFileError';
    this.file = options.file;
  }
}

/** The array type of each dtype. */
export interface SafetensorsArrays {
  U64: BigUint64Array;
  I64: BigInt64Array;
  F64: Float64Array;
  F32: Float32Array;
  U32: Uint32Array;
  I32: Int32Array;
  U16: Uint16Array;
  I16: Int16Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

export type SafetensorsDtype = keyof SafetensorsArrays;

/** One tensor: `data` is row-major and holds as many values as `shape` says, 1 for `[]`. */
export type SafetensorsTensor = {
  [D in SafetensorsDtype]: { dtype: D; shape: number[]; data: SafetensorsArrays[D] };
}[SafetensorsDtype];

const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

// In the order of tensors of the official writer: wide before narrow, so that every tensor is aligned.
const constructors = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;
const layoutOrder = /* @__PURE__ */ Object.keys(constructors);
const readableDtypes = /* @__PURE__ */ layoutOrder.concat('F16', 'BF16');

/**
 * Writes tensors and metadata as one safetensors file.
 *
 * @param tensors by name, in any order. The file has them by dtype, wide first, then by name
 * @param metadata strings by key. The file has none if this is empty
 * @returns the whole file; the caller owns it
 * @throws ArgumentError if a tensor is named `__metadata__`, its dtype is unknown, its data is not an array of its
 *   dtype, its length is not the product of its shape, a name or a metadata string has half a surrogate pair, a
 *   metadata value is not a string, or the header is larger than 100 MB, the limit of the format
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(
    ([a, { dtype: p }], [b, { dtype: q }]) => layoutOrder.indexOf(p) - layoutOrder.indexOf(q) || (a < b ? -1 : 1),
  );
  for (const [name, tensor] of sorted) checkTensor(name, tensor);

  // The JSON is joined by hand: an object would move integer-like names to the front and lose the name __proto__.
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"${METADATA}":${metadataJson(metadata)}`);
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const begin = end;
    end += data.byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const header = utf8Of(`{${entries.join(',')}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `encodeSafetensors: expected a header of at most ${MAX_HEADER_BYTES} bytes, names and metadata make ${padded}`,
    );
  }

  const file = new Uint8Array(8 + padded + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, 8 + padded);
  let at = 8 + padded;
  for (const [, { data }] of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): void {
  const where = `encodeSafetensors: tensor ${quote(name)}`;
  if (name === METADATA) throw new ArgumentError(`${where}: the format keeps this name for the metadata`);
  checkWellFormed(name, where);
  if (!Object.hasOwn(constructors, dtype)) {
    throw new ArgumentError(`${where}: dtype expected one of ${layoutOrder.join(', ')}, got ${describe(dtype)}`);
  }
  if (classOf(data) !== constructors[dtype].name) {
    throw new ArgumentError(
      `${where}: data expected a ${constructors[dtype].name} for dtype ${dtype}, got [object ${classOf(data)}]`,
    );
  }
  const count = shape.every(isSize) ? shape.reduce((product, size) => product * size, 1) : Number.NaN;
  if (count !== data.length) {
    throw new ArgumentError(
      `${where}: shape [${shape.join(', ')}] expected a product of ${data.length}, the data's length`,
    );
  }
}

function metadataJson(metadata: Readonly<Record<string, string>>): string {
  const entries = Object.entries(metadata).map(([key, value]) => {
    const where = `encodeSafetensors: metadata ${quote(key)}`;
    if (typeof value !== 'string') throw new ArgumentError(`${where}: expected a string, got ${describe(value)}`);
    checkWellFormed(key, where);
    checkWellFormed(value, where);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${entries.join(',')}}`;
}

/**
 * Throws `ArgumentError` for half a surrogate pair. It has no UTF-8 form, and the official reader rejects the escape
 * that JSON writes for it.
 */
function checkWellFormed(text: string, where: string): void {
  if (/\p{Cs}/u.test(text)) throw new ArgumentError(`${where}: expected well-formed text, got half a surrogate pair`);
}

type Fail = (message: string) => never;

/** The header's entry of one tensor, after its checks. */
interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/**
 * Reads a safetensors file. Half-precision tensors (F16, BF16) come back as F32 with the same values; U64 and I64 as
 * BigInt arrays.
 *
 * @param bytes the whole file. It is not changed, and the results do not refer to it
 * @param file a name for error messages
 * @returns the tensors by name in the order of their bytes, and the metadata (an object without prototype, empty if the
 *   file has none); the caller owns both
 * @throws ModelFileError if the bytes are not one well-formed file: the header's length, UTF-8, JSON or keys; a dtype
 *   that cannot be read; a shape that is not a list of sizes; offsets that are reversed, overlap, leave a gap or do not
 *   end where the file ends; metadata that is not strings. The allocated memory is at most a small multiple of
 *   `bytes.length`.
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file?: string,
): { tensors: Map<string, SafetensorsTensor>; metadata: Record<string, string> } {
  const fail: Fail = (message) => {
    throw new ModelFileError(message, { file });
  };
  const dataStart = headerEnd(bytes, fail);
  const header = parseHeader(bytes.subarray(8, dataStart), fail);

  let metadata: Record<string, string> = Object.create(null);
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = readMetadata(value, fail);
    else entries.push(readEntry(name, value, fail));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, bytes.length - dataStart, fail);

  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // Each tensor gets a copy: the bytes of the file may not be aligned, and may be a view that the caller reuses.
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    tensors.set(name, readTensor(dtype, shape, copy.buffer));
  }
  return { tensors, metadata };
}

/** The metadata of a file, without its tensors. Throws `ModelFileError` if its header is damaged. */
export function safetensorsMetadata(bytes: Uint8Array, file?: string): Record<string, string> {
  const fail: Fail = (message) => {
    throw new ModelFileError(message, { file });
  };
  const header = new Map(Object.entries(parseHeader(bytes.subarray(8, headerEnd(bytes, fail)), fail)));
  return header.has(METADATA) ? readMetadata(header.get(METADATA), fail) : {};
}

/** The offset where the header ends and the data begins. */
function headerEnd(bytes: Uint8Array, fail: Fail): number {
  if (bytes.length < 8)
    fail(`expected at least the 8 bytes of a safetensors header's length, got ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    // A server that does not have the file may answer with a page.
    const what = bytes[0] === 0x3c ? 'an HTML page' : 'not a safetensors file';
    fail(`header length expected at most ${MAX_HEADER_BYTES}, got ${length}: ${what}`);
  }
  if (length > BigInt(bytes.length - 8)) {
    fail(`header length says ${length} bytes, got ${bytes.length - 8} after it: the file is cut short`);
  }
  return 8 + Number(length);
}

function parseHeader(bytes: Uint8Array, fail: Fail): object {
  if (bytes[0] !== 0x7b) {
    fail(`header expected to begin with '{', got ${bytes.length === 0 ? 'no header' : `byte ${bytes[0]}`}`);
  }
  let text: string;
  try {
    text = textOfUtf8(bytes);
  } catch {
    fail('header expected to be UTF-8, got bytes that are not');
  }
  let header: object;
  try {
    header = JSON.parse(text);
  } catch (error) {
    fail(`header expected to be JSON, got a fault: ${clip((error as Error).message)}`);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(`header expected each key once, got ${quote(twice)} twice in one object`);
  return header;
}

/**
 * A key that occurs twice in one object of `json`, if there is one. `json` must be valid. JSON.parse keeps only the
 * last value of such a key and reports no error.
 */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === '{') open.push(new Set());
    else if (json[at] === '}') open.pop();
    else if (json[at] === '"') {
      const start = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
      let next = at + 1;
      while (json[next] <= ' ') next++;
      // In valid JSON a string before a colon is a key of the innermost open object.
      if (json[next] !== ':') continue;
      const key: string = JSON.parse(json.slice(start, at + 1));
      const keys = open[open.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isObject(value)) fail(`${METADATA} expected an object of strings, got ${describe(value)}`);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') fail(`${METADATA} ${quote(key)} expected a string, got ${describe(entry)}`);
    metadata[key] = entry;
  }
  return metadata;
}

function readEntry(name: string, value: unknown, fail: Fail): Entry {
  const where = `tensor ${quote(name)}`;
  if (!isObject(value)) fail(`${where} expected an object, got ${describe(value)}`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !readableDtypes.includes(dtype)) {
    fail(`${where}: dtype expected one of ${readableDtypes.join(', ')}, got ${describe(dtype)}`);
  }
  if (!Array.isArray(shape)) fail(`${where}: shape expected an array, got ${describe(shape)}`);
  let byteLength = bytesPerValue(dtype);
  for (const size of shape) {
    if (!isSize(size)) fail(`${where}: shape expected whole sizes of 0 or more, got ${describe(size)}`);
    byteLength *= size;
    if (!Number.isSafeInteger(byteLength)) fail(`${where}: shape expected a product below 2^53 bytes, got more`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    const got = Array.isArray(offsets) ? `[${offsets.slice(0, 3).map(describe).join(', ')}]` : describe(offsets);
    fail(`${where}: data_offsets expected two whole numbers of 0 or more, got ${got}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin) fail(`${where}: data_offsets expected begin <= end, got [${begin}, ${end}]`);
  if (end - begin !== byteLength) {
    fail(
      `${where}: data_offsets expected ${byteLength} bytes for its ${dtype} shape, got ${end - begin}, [${begin}, ${end}]`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that entries sorted by offset cover the data exactly, as the format demands: without overlap, gap or rest. */
function checkCoverage(entries: Entry[], dataBytes: number, fail: Fail): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    const where = `tensor ${quote(name)}: data_offsets [${begin}, ${end}]`;
    if (end > dataBytes) fail(`${where} end past the file's ${dataBytes} bytes of data`);
    if (begin < covered) fail(`${where} overlap the tensor before, which ends at ${covered}`);
    if (begin > covered) fail(`${where} leave a gap, expected to begin at ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) fail(`expected ${covered} bytes of data after the header, got ${dataBytes}`);
}

function readTensor(dtype: string, shape: number[], buffer: ArrayBuffer): SafetensorsTensor {
  if (dtype === 'F16') return { dtype: 'F32', shape, data: float16ToFloat32(new Uint16Array(buffer)) };
  if (dtype === 'BF16') return { dtype: 'F32', shape, data: bfloat16ToFloat32(new Uint16Array(buffer)) };
  const known = dtype as SafetensorsDtype;
  return { dtype: known, shape, data: new constructors[known](buffer) } as SafetensorsTensor;
}

function bytesPerValue(dtype: string): number {
  return dtype === 'F16' || dtype === 'BF16' ? 2 : constructors[dtype as SafetensorsDtype].BYTES_PER_ELEMENT;
}

/** Whether a file begins as a safetensors file does, with the length of a JSON object and its brace. */
export const isSafetensors = (bytes: Uint8Array): boolean => bytes.length > 8 && bytes[8] === 123;

/** Numbers of float16 from their bits. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i] & 0x8000) << 16;
    const exponent = (halves[i] >> 10) & 31;
    const fraction = halves[i] & 0x3ff;
    // A subnormal half counts in units of 2^-24, and becomes a normal float.
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/** Numbers of bfloat16 from their bits. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

const isSize = (value: unknown): boolean =>
  Number.isSafeInteger(value) && !Object.is(value, -0) && (value as number) >= 0;
