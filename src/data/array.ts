import type { DType, Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../engine/argument-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../engine/nested-numbers.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../engine/shape.ts';

/** Typed arrays, and whatever else has numbers by index. */
export type NumberArray = ArrayLike<number>;

/** A row-major array outside linear memory: what data sets are made of and what `predict` returns. */
export class NdArray<D extends NumberArray = NumberArray> {
  /** All numbers, the last axis running fastest. */
  readonly data: D;
  readonly shape: Shape;

  /** Throws `ArgumentError` if `data` does not fill `shape` or is of bigints. Keeps `data` itself, no copy. */
  constructor(data: D, shape: Shape, what = 'ndarray') {
    checkShape(shape);
    this.data = data;
    this.shape = shape;
    expectFull(this, what);
  }

  /** The same numbers as nested arrays. */
  toNested(): NestedNumbers {
    const build = (axis: number, from: number, size: number): NestedNumbers => {
      if (axis === this.shape.length) return this.data[from]!;
      const inner = size / Math.max(this.shape[axis]!, 1);
      return Array.from({ length: this.shape[axis]! }, (_, i) => build(axis + 1, from + i * inner, inner));
    };
    return build(0, 0, this.data.length);
  }
}

/** That the numbers still are as many as the shape says: a buffer that was handed to a worker has none left. */
function expectFull({ data, shape }: NdArray, what: string): void {
  const got =
    typeof data?.[0] === 'bigint'
      ? 'bigints; Int32Array.from(data, Number) makes ids of them'
      : (data?.length ?? shown(data));
  if (got !== sizeOf(shape)) {
    throw new ArgumentError(`${what}: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${got}`);
  }
}

/** A flat array with its shape, as `fit` takes it. */
export const ndarray = <D extends NumberArray>(data: D, shape: Shape): NdArray<D> => new NdArray(data, shape);

/** What training and prediction take: nested arrays, a flat array with a shape, or a tensor. */
export type DataLike = NestedNumbers | NdArray | Tensor;

/**
 * Samples as one array, each number checked.
 *
 * @param what the argument's name, for errors.
 * @param row what its first axis counts, for errors.
 * @throws ArgumentError at a ragged row, a number that is not finite as float32, or, for i32, one that is no 32-bit integer; it
 *   names the place.
 */
export function toNdArray(values: DataLike, dtype: DType, what: string, row = 'sample'): NdArray {
  const array = asArray(values, what);
  if (array.shape.length === 0) throw new ArgumentError(`${what} expected at least one axis, got a single number`);
  const { data, shape } = array;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    // As it will stand in linear memory: a number that 32 bits cannot hold would become another one there.
    const isNumber = typeof value === 'number';
    if (!(isNumber && (dtype === 'i32' ? (value | 0) === value : Number.isFinite(Math.fround(value))))) {
      const expected = dtype === 'i32' ? 'integers of 32 bits' : 'finite numbers';
      const at = Math.floor(i / (data.length / shape[0]!));
      throw new ArgumentError(
        `${what} expected ${expected}, got ${isNumber ? value : typeof value} in ${row} ${at} (flat index ${i})`,
      );
    }
  }
  return array;
}

/** Where the largest of `size` numbers from `from` on stands, counted from there; of equals the first. @internal */
export function argmax(values: NumberArray, from: number, size: number): number {
  let best = 0;
  for (let i = 1; i < size; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}

/** Throws `ArgumentError` at the first element outside [0, limit); it names the place. */
export function expectIdsBelow({ data, shape }: NdArray, limit: number, what: string, row = 'sample'): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= 0 && data[i]! < limit) continue;
    const at = Math.floor(i / (data.length / shape[0]!));
    throw new ArgumentError(
      `${what} expected ids in [0, ${limit}), got ${data[i]} in ${row} ${at} of ${formatShape(shape)} (flat index ${i})`,
    );
  }
}

// Told by what it can do: its class would bring the engine to whoever loads data.
const isTensor = (values: DataLike): values is Tensor => (values as Tensor).toArray !== undefined;

/** Samples as one array, of whatever numbers. */
export function asArray(values: DataLike, what: string): NdArray {
  if (values instanceof NdArray) {
    expectFull(values, what);
    return values;
  }
  if (values === null || values === undefined) throw new ArgumentError(`${what} expected data, got ${values}`);
  if (isTensor(values)) return new NdArray(values.toArray(), values.shape);
  const shape = shapeOfNested(values, what);
  if (ArrayBuffer.isView(values)) return new NdArray(values as unknown as Float32Array, shape, what);
  return new NdArray(flattenNested(values, shape, what), shape);
}

/** A typed array of zeros, or an `ArgumentError` that says of which argument so many would be. @internal */
export function allocated<A>(Type: new (length: number) => A, length: number, what: string): A {
  try {
    return new Type(length);
  } catch {
    throw new ArgumentError(`${what} expected fewer numbers than this host has room for, got ${length} in all`);
  }
}
