// What the readers of audio models have in common: a file of JSON becomes a model file of tapeloop, which `decodeModel`
// makes a model of, and a stream can run without one.
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../checks/shape.ts';
import { classOf } from '../host/class-of.ts';
import { textOfUtf8 } from '../host/utf8.ts';
import { bytesOf, type FileBytes, FORMAT_VERSION, isFileBytes, type Json, type SavedLayer } from '../io/model-file.ts';
import { clip, describe, expectObject, type Parsed } from '../io/parsed-json.ts';
import { encodeSafetensors, ModelFileError, type SafetensorsTensor } from '../io/safetensors.ts';

/** A file's bytes, its text, or the object that its text describes. */
export type JsonFile = FileBytes | string | object;

/**
 * Runs `read` on the object of a file of JSON. Throws `ModelFileError` if the text is not an object, or `read` throws
 * for what is in it; `ArgumentError` if `given` is of another type.
 */
export function readJsonFile<T>(what: string, given: JsonFile, read: (file: Parsed) => T): T {
  const [kind, isBytes] = [classOf(given), isFileBytes(given)];
  if (!isBytes && typeof given !== 'string' && kind !== 'Object') {
    throw new ArgumentError(`${what}: bytes expected a Uint8Array, a string or an object, got ${kind}`);
  }
  try {
    if (kind === 'Object') return read(given as Parsed);
    const text = isBytes ? textOfUtf8(bytesOf(what, given as FileBytes)) : (given as string);
    return read(expectObject('the file', parsed(text)));
  } catch (cause) {
    // A `TypeError` or a `RangeError` of JavaScript has no message that helps the caller.
    const why = cause instanceof ArgumentError ? cause.message : 'it holds values of another kind';
    throw new ModelFileError(`${what}: ${why}`, { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ArgumentError(`the file expected JSON, got ${JSON.stringify(clip(text))}`);
  }
}

/** Throws `ArgumentError` unless it is an integer of 1 or more. */
export function expectSize(what: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31) return value as number;
  throw new ArgumentError(`${what} expected an integer ≥ 1, got ${describe(value)}`);
}

/** Throws `ArgumentError` for a key that is not in `known`, so that nothing in a file is passed over in silence. */
export function expectKnownKeys(what: string, given: Parsed, known: readonly string[]): void {
  const other = Object.keys(given).find((key) => !known.includes(key));
  if (other === undefined) return;
  throw new ArgumentError(`${what}.${clip(other)} is not supported, got ${describe(given[other])}`);
}

/** Float32 values of nested lists that must have this shape and finite numbers. */
export function valuesOf(what: string, nested: unknown, shape: Shape): Float32Array {
  const values: number[] = [];
  const walk = (value: unknown, [length, ...rest]: readonly number[], at: readonly number[]): void => {
    const place = (): string => `${what}${at.map((i) => `[${i}]`).join('')}`;
    if (length === undefined) {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
        throw new ArgumentError(`${place()} expected a finite number, got ${describe(value)}`);
      }
      values.push(value);
    } else if (!Array.isArray(value) || value.length !== length) {
      const got = Array.isArray(value) ? `${value.length} values` : describe(value);
      throw new ArgumentError(`${place()} expected ${length} values, for ${formatShape(shape)}, got ${got}`);
    } else value.forEach((each, i) => void walk(each, rest, [...at, i]));
  };
  walk(nested, shape, []);
  return Float32Array.from(values);
}

/** A stack of layers and their weights, by full name. */
export interface Converted {
  readonly name: string;
  readonly layers: readonly SavedLayer[];
  readonly weights: ReadonlyMap<string, { shape: Shape; data: Float32Array }>;
  readonly extra: Json;
}

/** A model file of tapeloop with this model. */
export function modelFileOf({ name, layers, weights, extra }: Converted): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [weight, { shape, data }] of weights) tensors.set(weight, { dtype: 'F32', shape: [...shape], data });
  return encodeSafetensors(tensors, {
    format: 'tapeloop',
    formatVersion: String(FORMAT_VERSION),
    network: JSON.stringify({ name, layers }),
    extra: JSON.stringify(extra),
  });
}

/** `[a, b]` as `[b, a]`. */
export function transposed(values: ArrayLike<number>, [a, b]: readonly [number, number]): Float32Array {
  return Float32Array.from({ length: sizeOf([a, b]) }, (_, i) => values[(i % a) * b + Math.floor(i / a)]!);
}
