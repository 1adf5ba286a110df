import type { DType, Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../checks/nested-numbers.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../checks/shape.ts';

/** Typed arrays, and whatever else has numbers by index. */
export type NumberArray = ArrayLike<number>;

/** What `addArrayMethods` adds. In an app of `tapeloop/lean` they are there once it has called `addMethods`. */
export interface NdArray<D extends NumberArray = NumberArray> {
  /**
   * Part `i` along the first axis, without it: x[i] in NumPy.
   *
   * @param i negative ones count from the end.
   * @returns a copy, `shape[1:]`.
   * @throws ArgumentError if there is no such part.
   */
  row(i: number): NdArray<D>;

  /**
   * A part of each axis, as NumPy's basic indexing has it: `x.slice([0, 5], null, -1)` is `x[0:5, :, -1]`.
   *
   * @param ranges for the axes in order: `[from, to]` keeps the indices from `from` up to `to`, not included, which may
   *   be left out for the end; an index takes that place and its axis away; null keeps the whole axis, as do axes that
   *   no range stands for. Negative numbers count from the end.
   * @returns a copy, with numbers of the same kind.
   * @throws ArgumentError if there are more ranges than axes, or one is not within its axis.
   * @see https://numpy.org/doc/stable/user/basics.indexing.html
   */
  slice(...ranges: readonly SliceRange[]): NdArray<D>;

  /**
   * The index of the greatest of all numbers in a row, of equals the first, or the first NaN where there is one.
   *
   * @throws ArgumentError if there is no number.
   * @see numpy.argmax
   */
  argMax(): number;

  /**
   * The same along one axis.
   *
   * @param axis negative ones count from the end.
   * @returns an array of indices, without that axis.
   * @throws ArgumentError if there is no such axis, or no number along it.
   */
  argMax(axis: number): NdArray<Int32Array>;
}

/** A row-major array outside linear memory: what data sets are made of and what `predict` returns. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface is what `addArrayMethods` adds.
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

  /**
   * The same numbers as nested arrays.
   *
   * How deep they nest is not known before the program runs. So the compiler lets the result be taken apart to any
   * depth, and each part be used as a number (under `noUncheckedIndexedAccess` the first four of each row without a
   * question); `toNested<number[][]>()` says what it is, and `toNested<NestedNumbers>()` has it asked for.
   *
   * @example
   * const [[next]] = model.predict(x).toNested();
   */
  toNested<T extends NestedNumbers = AnyDepth>(): T {
    const build = (axis: number, from: number, size: number): NestedNumbers => {
      if (axis === this.shape.length) return this.data[from]!;
      const inner = size / Math.max(this.shape[axis]!, 1);
      return Array.from({ length: this.shape[axis]! }, (_, i) => build(axis + 1, from + i * inner, inner));
    };
    return build(0, 0, this.data.length) as T;
  }

  /** What `JSON.stringify` writes: nested arrays, with null for NaN and ±∞. */
  toJSON(): NestedNumbers {
    return this.toNested();
  }
}

/**
 * Nested arrays of a depth that is not known: whatever is taken out of them may be used as a number, or be taken apart
 * again.
 */
export type AnyDepth = number & [AnyDepth, AnyDepth, AnyDepth, AnyDepth, ...AnyDepth[]];

/** What `slice` keeps of an axis: a range, an index, or with null all. */
export type SliceRange = readonly [from: number, to?: number] | number | null;

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
 * @throws ArgumentError at a ragged row, a number that is not finite as float32, or, for i32, one that is no 32-bit
 *   integer; it names the place.
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
      const expected =
        dtype === 'i32' ? 'integers of 32 bits' : Number.isFinite(value) ? 'numbers of float32' : 'finite numbers';
      const at = Math.floor(i / (data.length / shape[0]!));
      throw new ArgumentError(`${what} expected ${expected}, got ${shown(value)} in ${row} ${at} (flat index ${i})`);
    }
  }
  return array;
}

/**
 * Which of `size` numbers, the first at `from` and `stride` apart, is the greatest; of equals the first, and the first
 * NaN where there is one, as in NumPy. @internal
 */
export function argmax(values: NumberArray, from: number, size: number, stride = 1): number {
  let best = 0;
  for (let i = 1; i < size; i++) {
    const greatest = values[from + best * stride]!;
    // Nothing is less than or equal to NaN, nor NaN to anything.
    if (!(values[from + i * stride]! <= greatest) && !Number.isNaN(greatest)) best = i;
  }
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

// Likewise: that of another copy of the package is of another class, and a copy that `structuredClone` or a worker made
// is of none.
const isArray = (values: DataLike): values is NdArray => (values as NdArray).data !== undefined;

/** Samples as one array, of whatever numbers. */
export function asArray(values: DataLike, what: string): NdArray {
  if (values === null || values === undefined) throw new ArgumentError(`${what} expected data, got ${values}`);
  if (isArray(values)) return new NdArray(values.data, values.shape, what);
  if (isTensor(values)) return new NdArray(values.toArray(), values.shape);
  if ((values as { x?: unknown }).x !== undefined)
    throw new ArgumentError(`${what} expected data, got a batch; [batch] is a list of batches`);
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
