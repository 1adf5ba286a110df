// Weights of TF.js: specs in JSON, and bytes one after another in files.
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../checks/shape.ts';
import type { Json } from '../io/model-file.ts';
import { describe, expectList, expectObject, expectString, isObject } from '../io/parsed-json.ts';
import { float16ToFloat32 } from '../io/safetensors.ts';
import type { KerasArray } from '../keras/weights/keras-array.ts';

/** A weight of a file. */
export interface TfjsWeight extends KerasArray {
  /** Whether it is state of the optimizer. */
  readonly isOptimizer: boolean;
}

/** One entry of `weights`. */
interface Spec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: string;
  readonly isOptimizer: boolean;
  readonly quantization: { readonly dtype: string; readonly scale: number; readonly min: number } | undefined;
}

const bytesOf: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };
/** The bytes of a file in TF.js's shards. */
export const SHARD_BYTES = 4 * 1024 * 1024;

function specOf(value: unknown): Spec {
  const spec = expectObject('weights[]', value);
  const name = expectString('weights[].name', spec.name);
  const what = `weight '${name}'`;
  const dtype = expectString(`${what}: dtype`, spec.dtype);
  const shape = expectList(`${what}: shape`, spec.shape) as number[];
  if (!shape.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 31))
    throw new ArgumentError(`${what}: shape expected integers ≥ 0, got ${describe(spec.shape)}`);
  if (!['float32', 'int32', 'bool'].includes(dtype))
    throw new ArgumentError(`${what}: dtype expected float32, int32 or bool, got ${describe(dtype)}`);
  return {
    name,
    shape,
    dtype,
    isOptimizer: spec.group === 'optimizer',
    quantization: quantizationOf(what, spec.quantization, dtype),
  };
}

function quantizationOf(what: string, value: unknown, dtype: string): Spec['quantization'] {
  if (value === undefined || value === null) return undefined;
  const { dtype: stored, scale = 1, min = 0, original_dtype: _ } = expectObject(`${what}: quantization`, value);
  const isKnown = stored === 'uint8' || stored === 'uint16' || (stored === 'float16' && dtype === 'float32');
  if (!isKnown || dtype === 'bool')
    throw new ArgumentError(
      `${what}: quantization expected uint8, uint16 or float16, got ${describe(stored)} of ${dtype}`,
    );
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    throw new ArgumentError(
      `${what}: quantization expected finite scale and min, got ${describe(scale)} and ${describe(min)}`,
    );
  if (stored !== 'float16' && (!isObject(value) || value.scale === undefined || value.min === undefined))
    throw new ArgumentError(`${what}: quantization expected scale and min, got none`);
  return { dtype: stored, scale: scale as number, min: min as number };
}

/** A group of a manifest: the weights in the joined bytes of its files. */
export function readGroup(specs: unknown, bytes: Uint8Array): TfjsWeight[] {
  let at = 0;
  const weights = expectList('weights', specs).map((value): TfjsWeight => {
    const spec = specOf(value);
    const width = bytesOf[spec.quantization?.dtype ?? spec.dtype]!;
    const length = sizeOf(spec.shape) * width;
    if (!(length <= bytes.length - at))
      throw new ArgumentError(
        `weight '${spec.name}' expected ${length} bytes for ${formatShape(spec.shape)}, got ${bytes.length - at} in the files`,
      );
    const part = bytes.subarray(at, at + length);
    at += length;
    return { name: spec.name, shape: spec.shape, isOptimizer: spec.isOptimizer, data: valuesOf(spec, part) };
  });
  if (at < bytes.length) throw new ArgumentError(`weights expected ${at} bytes in the files, got ${bytes.length}`);
  return weights;
}

function valuesOf({ name, dtype, quantization }: Spec, bytes: Uint8Array): Float32Array {
  // Weights may stand at any byte, and files are little-endian.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stored = quantization?.dtype ?? dtype;
  const count = bytes.length / bytesOf[stored]!;
  const at = (i: number): number => {
    switch (stored) {
      case 'float32':
        return view.getFloat32(4 * i, true);
      case 'int32':
        return view.getInt32(4 * i, true);
      case 'uint16':
      case 'float16':
        return view.getUint16(2 * i, true);
      default:
        return bytes[i]!;
    }
  };
  if (stored === 'float16') return float16ToFloat32(Uint16Array.from({ length: count }, (_, i) => at(i)));
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i);
  if (!quantization) return values;
  const { scale, min } = quantization;
  for (let i = 0; i < count; i++) {
    const value = at(i) * scale + min;
    values[i] = dtype === 'int32' ? Math.round(value) : value;
  }
  if (dtype === 'float32' && values.some((value) => !Number.isFinite(value)))
    throw new ArgumentError(`weight '${name}': quantization expected values of float32`);
  return values;
}

/** Weights to write: values are float32, but for the count of steps. */
export interface WrittenWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array;
  readonly isOptimizer: boolean;
}

/** The manifest of weights, and their bytes in files of at most 4 MB, as TF.js writes them. */
export function writeGroup(weights: readonly WrittenWeight[]): {
  manifest: Json;
  files: Record<string, Uint8Array<ArrayBuffer>>;
} {
  const total = weights.reduce((sum, { data }) => sum + data.byteLength, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { data } of weights) {
    for (let i = 0; i < data.length; i++, at += 4) {
      if (data instanceof Float32Array) view.setFloat32(at, data[i]!, true);
      else view.setInt32(at, data[i]!, true);
    }
  }
  const count = Math.max(1, Math.ceil(total / SHARD_BYTES));
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const files = Object.fromEntries(
    paths.map((path, i) => [path, bytes.slice(i * SHARD_BYTES, (i + 1) * SHARD_BYTES)] as const),
  );
  const specs = weights.map(({ name, shape, data, isOptimizer }) => ({
    name,
    shape: [...shape],
    dtype: data instanceof Float32Array ? 'float32' : 'int32',
    ...(isOptimizer && { group: 'optimizer' }),
  }));
  return { manifest: [{ paths, weights: specs }] as unknown as Json, files };
}
