import type { DType, Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { flattenNested, type NestedNumbers, shapeOfNested } from '../checks/nested-numbers.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../checks/shape.ts';

/** Typed arrays, and any other object with numbers by index. */
export type NumberArray = ArrayLike<number>;

/** Methods that `addArrayMethods` adds. In an app of `tapeloop/lean` they exist once it has called `addMethods`. */
export interface NdArray<D extends NumberArray = NumberArray> {
  /**
   * Part `i` along the first axis: `x[i]` in NumPy.
   *
   * @param i index on the first axis. Negative indices count from the end.
   * @returns a copy of shape `shape[1:]`; the caller owns it.
   * @throws ArgumentError if there is no such part.
   */
  row(i: number): NdArray<D>;

  /**
   * A part of each axis, as in NumPy's basic indexing: `x.slice([0, 5], null, -1)` is `x[0:5, :, -1]`.
   *
   * @param ranges one for each axis, in order. `[from, to]` keeps the indices from `from` up to but not including `to`;
   *   without `to` it keeps all up to the end. A number keeps one index and removes the axis. Null keeps the whole
   *   axis, as do missing ranges. Negative numbers count from the end.
   * @returns a copy with numbers of the same kind; the caller owns it.
   * @throws ArgumentError if there are more ranges than axes, or a range is not within its axis.
   * @see https://numpy.org/doc/stable/user/basics.indexing.html
   */
  slice(...ranges: readonly SliceRange[]): NdArray<D>;

  /**
   * The index of the greatest number of the flat array. Among equal numbers it is the first; a NaN counts as the
   * greatest.
   *
   * @throws ArgumentError if the array has no number.
   * @see numpy.argmax
   */
  argMax(): number;

  /**
   * The indices of the greatest numbers along one axis.
   *
   * @param axis negative axes count from the end.
   * @returns an i32 array without that axis; the caller owns it.
   * @throws ArgumentError if there is no such axis, or it has length 0.
   */
  argMax(axis: number): NdArray<Int32Array>;
}

/** A row-major array outside linear memory. Data sets consist of them, and `predict` returns one. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface is what `addArrayMethods` adds.
export class NdArray<D extends NumberArray = NumberArray> {
  /** All numbers; the last axis varies fastest. */
  readonly data: D;
  readonly shape: Shape;

  /** Keeps `data` itself, without a copy. Throws `ArgumentError` if `data` does not fill `shape` or has bigints. */
  constructor(data: D, shape: Shape, what = 'ndarray') {
    checkShape(shape);
    this.data = data;
    this.shape = shape;
    expectFull(this, what);
  }

  /**
   * The same numbers as nested arrays.
   *
   * The compiler cannot know the depth of the nesting. Therefore the type allows indexing to any depth, and each part
   * is also a number. Under `noUncheckedIndexedAccess` that holds for the first four elements of each row.
   * `toNested<number[][]>()` states the type. With `toNested<NestedNumbers>()` the compiler requires a check.
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

  /** Nested arrays for `JSON.stringify`, with null for NaN and ±∞. */
  toJSON(): NestedNumbers {
    return this.toNested();
  }
}

/** Nested arrays of unknown depth. Each part may be used as a number or indexed again. */
export type AnyDepth = number & [AnyDepth, AnyDepth, AnyDepth, AnyDepth, ...AnyDepth[]];

/** The part of an axis that `slice` keeps: a range, an index, or null for all. */
export type SliceRange = readonly [from: number, to?: number] | number | null;

/**
 * Throws `ArgumentError` if there are not as many numbers as the shape says. A buffer that was transferred to a worker
 * has none.
 */
function expectFull({ data, shape }: NdArray, what: string): void {
  const got =
    typeof data?.[0] === 'bigint'
      ? 'bigints; Int32Array.from(data, Number) makes ids of them'
      : (data?.length ?? shown(data));
  if (got !== sizeOf(shape)) {
    throw new ArgumentError(`${what}: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${got}`);
  }
}

/**
 * A flat array with its shape, as `fit` and `predict` take it.
 *
 * @param data numbers in row-major order, any typed array or array of numbers. It is referenced, not copied.
 * @param shape lengths of the axes, outermost first. Their product is `data.length`.
 * @returns the array; it shares `data` with the caller.
 * @throws ArgumentError if `data` is not an array of numbers or does not fill `shape`, or `shape` is not a list of
 *   lengths.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.reshape.html
 * @example
 * const samples = ndarray(new Float32Array(24), [4, 3, 2]);
 * samples.shape; // [4, 3, 2]
 */
export const ndarray = <D extends NumberArray>(data: D, shape: Shape): NdArray<D> => new NdArray(data, shape);

/** The data that training and prediction take: nested arrays, a flat array with a shape, or a tensor. */
export type DataLike = NestedNumbers | NdArray | Tensor;

/**
 * Samples as one array, with each number checked.
 *
 * @param what name of the argument, for errors.
 * @param row name of an element of the first axis, for errors.
 * @throws ArgumentError at a ragged row, a number that is not finite as float32, or, for i32, a number that is not a
 *   32-bit integer. The message names the place.
 */
export function toNdArray(values: DataLike, dtype: DType, what: string, row = 'sample'): NdArray {
  const array = asArray(values, what);
  if (array.shape.length === 0) throw new ArgumentError(`${what} expected at least one axis, got a single number`);
  const { data, shape } = array;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    // The number is checked as it is stored: a number that 32 bits cannot hold would become another number.
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
 * The index of the greatest of `size` numbers, the first at `from` and `stride` apart. Among equal numbers it is the
 * first; a NaN counts as the greatest, as in NumPy. @internal
 */
export function argmax(values: NumberArray, from: number, size: number, stride = 1): number {
  let best = 0;
  for (let i = 1; i < size; i++) {
    const greatest = values[from + best * stride]!;
    // A comparison with NaN is false, so the first NaN becomes the greatest and stays it.
    if (!(values[from + i * stride]! <= greatest) && !Number.isNaN(greatest)) best = i;
  }
  return best;
}

/** Throws `ArgumentError` at the first element outside [0, limit). The message names the place. */
export function expectIdsBelow({ data, shape }: NdArray, limit: number, what: string, row = 'sample'): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= 0 && data[i]! < limit) continue;
    const at = Math.floor(i / (data.length / shape[0]!));
    throw new ArgumentError(
      `${what} expected ids in [0, ${limit}), got ${data[i]} in ${row} ${at} of ${formatShape(shape)} (flat index ${i})`,
    );
  }
}

// A tensor is recognized by a method, because its class would import the engine into apps that only load data.
const isTensor = (values: DataLike): values is Tensor => (values as Tensor).toArray !== undefined;

// An array is recognized by a property: an array of another copy of the package has another class, and one from
// `structuredClone` or a worker has none.
const isArray = (values: DataLike): values is NdArray => (values as NdArray).data !== undefined;

/** Samples as one array, with numbers of any kind. */
export function asArray(values: DataLike, what: string): NdArray {
  if (values === null || values === undefined) throw new ArgumentError(`${what} expected data, got ${values}`);
  if (isArray(values)) return new NdArray(values.data, values.shape, what);
  if (isTensor(values)) return new NdArray(values.toArray(), values.shape);
  if ((values as { x?: unknown }).x !== undefined)
    throw new ArgumentError(`${what} expected data, got an object with x; give its x and y as two arguments`);
  const shape = shapeOfNested(values, what);
  if (ArrayBuffer.isView(values)) return new NdArray(values as unknown as Float32Array, shape, what);
  return new NdArray(flattenNested(values, shape, what), shape);
}

/**
 * A typed array of zeros. Throws an `ArgumentError` that names the argument if the host cannot allocate it. @internal
 */
export function allocated<A>(Type: new (length: number) => A, length: number, what: string): A {
  try {
    return new Type(length);
  } catch {
    throw new ArgumentError(`${what} expected fewer numbers than this host has room for, got ${length} in all`);
  }
}
