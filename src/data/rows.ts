import { ArgumentError, expectArray, expectList, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { RandomStream } from '../engine/random.ts';
import { asArray, NdArray } from './array.ts';
import { partOf } from './part-of.ts';

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

/** A list of samples: an array by its first axis, a typed array by its numbers, a list by its elements. */
export type Rows = NdArray | TypedArray | readonly unknown[];

export interface ShuffleOptions {
  /** An integer in [0, 2³²). Default 0. The same seed gives the same order on every host. */
  seed?: number | undefined;
}

export interface TrainTestOptions extends ShuffleOptions {
  /**
   * Size of the test part: a share between 0 and 1, rounded up (0.07 of 100 rows are 7 rows), or a number of rows.
   * Default 0.25.
   */
  testSize?: number | undefined;
  /** Whether to shuffle first. Default true. Without it the last rows are the test part, as a time series needs it. */
  shuffle?: boolean | undefined;
}

/**
 * Splits rows in order: the rows before `at`, and the rows from `at` on. These are the training and test parts of a
 * time series.
 *
 * @param rows N samples.
 * @param at a number of rows, or a share between 0 and 1, rounded down: 0.29 of 100 rows are 29 rows.
 * @param options.context number of rows before `at` that the second part begins with. With the input steps of a window
 *   as context, the first output of the second part is row `at`.
 * @returns two copies of the kind of `rows`; the caller owns them.
 * @throws ArgumentError if `at` is not within the rows, `context` is more than the rows before `at`, or an option is
 *   unknown.
 * @example
 * const [past, future] = splitAt([1, 2, 3, 4, 5], 3); // [1, 2, 3] and [4, 5]
 */
export function splitAt<T extends Rows>(rows: T, at: number, options: { context?: number | undefined } = {}): [T, T] {
  const { context = 0 } = checkOptions('splitAt', options, { context: 1 });
  const count = rowCount(rows, 'splitAt: rows');
  expectType('splitAt: at', at, 'a number');
  const from = at > 0 && at < 1 ? partOf(count, at) : at;
  if (!Number.isInteger(from) || from < 0 || from > count) {
    throw new ArgumentError(
      `splitAt: at expected 0 to ${count}, the rows, or a part between 0 and 1, got ${shown(at)}`,
    );
  }
  if (!Number.isInteger(context) || context < 0 || context > from) {
    throw new ArgumentError(`splitAt: context expected 0 to ${from}, the rows before, got ${shown(context)}`);
  }
  return [sliceRows(rows, 0, from), sliceRows(rows, from - context, count)];
}

/**
 * Splits samples and their labels into a training and a test part, by default at random, all arrays alike.
 *
 * @param arrays with N rows each, such as `[x, y]`.
 * @param options default: testSize 0.25, shuffle true, seed 0.
 * @returns copies of the kinds of `arrays`, as `{ train: [x, y], test: [x, y] }`; the caller owns them.
 * @throws ArgumentError if the arrays have different numbers of rows, a part would be empty, or an option is unknown or
 *   out of its range.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html
 * @example
 * const { train, test } = trainTestSplit([x, y], { testSize: 0.25, seed: 1 });
 * await model.fit(...train, { epochs: 2, validationData: test });
 */
export function trainTestSplit<T extends readonly Rows[] | []>(
  arrays: T,
  options: TrainTestOptions = {},
): { train: T; test: T } {
  const names = { testSize: 1, shuffle: true, seed: 1 };
  const { testSize = 0.25, shuffle: shuffled = true, seed = 0 } = checkOptions('trainTestSplit', options, names);
  const count = commonCount(arrays, 'trainTestSplit');
  expectType('trainTestSplit: testSize', testSize, 'a number');
  const test = testSize > 0 && testSize < 1 ? count - partOf(count, 1 - testSize) : testSize;
  if (!Number.isInteger(test) || test < 1 || test >= count) {
    throw new ArgumentError(
      `trainTestSplit: testSize expected a part between 0 and 1 or 1 to ${count - 1} of ${count} rows, got ${shown(testSize)}`,
    );
  }
  const ordered = shuffled ? shuffle(arrays, { seed }) : arrays;
  return {
    train: ordered.map((rows) => sliceRows(rows, 0, count - test)) as readonly Rows[] as T,
    test: ordered.map((rows) => sliceRows(rows, count - test, count)) as readonly Rows[] as T,
  };
}

/**
 * Puts samples and their labels into the same random order. `fit` shuffles its training part itself, but
 * `validationSplit` takes the last rows, so data sorted by label is shuffled first.
 *
 * @param arrays with N rows each, such as `[x, y]`.
 * @param options.seed an integer in [0, 2³²). Default 0.
 * @returns copies of the kinds of `arrays`; the caller owns them.
 * @throws ArgumentError if the arrays have different numbers of rows, `seed` is not an integer in [0, 2³²), or an
 *   option is unknown.
 * @see sklearn.utils.shuffle
 * @example
 * const [samples, labels] = shuffle([x, y], { seed: 1 });
 */
export function shuffle<T extends readonly Rows[] | []>(arrays: T, options: ShuffleOptions = {}): T {
  checkOptions('shuffle', options, { seed: 1 });
  const count = commonCount(arrays, 'shuffle');
  const order = new RandomStream(options.seed ?? 0).shuffle(Uint32Array.from({ length: count }, (_, i) => i));
  return arrays.map((rows) => takeRows(rows, order)) as readonly Rows[] as T;
}

/**
 * The rows with the given indices, in that order. An index may occur more than once.
 *
 * @param rows N samples.
 * @param indices integers in [0, N).
 * @returns a copy of the kind of `rows`; the caller owns it.
 * @throws ArgumentError if an index is not an integer in [0, N).
 * @see numpy.take
 * @example
 * takeRows(['a', 'b', 'c'], [2, 0]); // ['c', 'a']
 */
export function takeRows<T extends Rows>(rows: T, indices: ArrayLike<number>): T {
  const count = rowCount(rows, 'takeRows: rows');
  expectArray('takeRows: indices', indices);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (Number.isInteger(index) && index >= 0 && index < count) continue;
    throw new ArgumentError(`takeRows: indices[${i}] expected 0 to ${count - 1}, got ${shown(index)}`);
  }
  if (!(rows instanceof NdArray)) return taken(rows as List, indices, 1) as unknown as T;
  const size = rows.data.length / Math.max(count, 1);
  return new NdArray(taken(rows.data as List<number>, indices, size), [
    indices.length,
    ...rows.shape.slice(1),
  ]) as NdArray as T;
}

/** The interface that arrays and typed arrays share. */
interface List<E = unknown> extends ArrayLike<E> {
  readonly constructor: unknown;
  slice(from: number, to: number): List<E>;
}

/** Copies runs of `size` elements into a list of the same kind. */
function taken<E>(list: List<E>, indices: ArrayLike<number>, size: number): List<E> {
  const copy: E[] = new (list.constructor as ArrayConstructor)(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    for (let j = 0; j < size; j++) copy[i * size + j] = list[indices[i]! * size + j]!;
  }
  return copy;
}

function sliceRows<T extends Rows>(rows: T, from: number, to: number): T {
  if (!(rows instanceof NdArray)) {
    // A typed array whose buffer was transferred to another thread has no rows and cannot be sliced.
    return (rows.length === 0 ? taken(rows as List, [], 1) : (rows as List).slice(from, to)) as unknown as T;
  }
  const size = rows.data.length / Math.max(rows.shape[0]!, 1);
  const data = (rows.data as List<number>).slice(from * size, to * size);
  return new NdArray(data, [to - from, ...rows.shape.slice(1)]) as NdArray as T;
}

function rowCount(rows: Rows, what: string): number {
  if (!(rows instanceof NdArray)) {
    expectArray(what, rows);
    return rows.length;
  }
  // Throws if the buffer of the array was transferred to another thread.
  asArray(rows, what);
  if (rows.shape.length > 0) return rows.shape[0]!;
  throw new ArgumentError(`${what} expected at least one axis, got a single number`);
}

function commonCount(arrays: readonly Rows[], what: string): number {
  expectList(`${what}: arrays`, arrays);
  const counts = Array.from(arrays, (rows, i) => rowCount(rows, `${what}: arrays[${i}]`));
  const other = counts.findIndex((count) => count !== counts[0]);
  if (counts.length === 0) throw new ArgumentError(`${what}: expected one array or more, got none`);
  if (other < 0) return counts[0]!;
  throw new ArgumentError(`${what}: arrays[${other}] expected ${counts[0]} rows, as arrays[0], got ${counts[other]}`);
}
