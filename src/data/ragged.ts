import type { DType } from '../autograd/tensor.ts';
import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { formatShape, type Shape, sameShape } from '../checks/shape.ts';
import { type DataLike, NdArray, toNdArray } from './array.ts';

/** Sequences of unequal length, `[T_i, …features]` each. Batches of them are padded at the end and masked. */
export class RaggedArray {
  /** The sequences in the given order, `[T_i, …features]` each. */
  readonly sequences: readonly NdArray[];
  /** Shape of one step. */
  readonly features: Shape;
  /** The longest T_i. */
  readonly longest: number;

  /**
   * Throws `ArgumentError` if there is no sequence, or the steps of two sequences differ in shape. A sequence may have
   * no steps.
   */
  constructor(sequences: readonly NdArray[], what = 'ragged') {
    if (sequences.length === 0) throw new ArgumentError(`${what} expected one sequence or more, got none`);
    const at = Math.max(
      sequences.findIndex(({ shape }) => shape[0] !== 0),
      0,
    );
    this.features = sequences[at]!.shape.slice(1);
    sequences.forEach(({ shape }, i) => {
      // An empty list does not tell how many features its steps have.
      const isFree = shape.length === 1 && shape[0] === 0;
      if (!isFree && !sameShape(shape.slice(1), this.features)) {
        const expected = formatShape([null, ...this.features]);
        throw new ArgumentError(`${what}[${i}] expected ${expected} as ${what}[${at}], got ${formatShape(shape)}`);
      }
    });
    this.sequences = sequences;
    this.longest = sequences.reduce((longest, { shape }) => Math.max(longest, shape[0]!), 0);
  }

  /** `[N, longest, …features]` */
  get shape(): Shape {
    return [this.sequences.length, this.longest, ...this.features];
  }
}

/**
 * Sequences of unequal length as one data set for `fit` and `predict`. Batches are padded at the end and masked.
 *
 * @param sequences N arrays `[T_i]` of ids or `[T_i, …features]`. A sequence without steps consists of padding.
 * @returns a data set of shape `[N, longest T_i, …features]`; it may share the arrays with the caller.
 * @throws ArgumentError if there is no sequence, two sequences differ in their features, or a number is not finite.
 * @see https://www.tensorflow.org/guide/ragged_tensor
 * @example
 * const sequences = ragged([[[1, 2], [3, 4]], [[5, 6]]]);
 * sequences.shape; // [2, 2, 2]
 */
export const ragged = (sequences: readonly DataLike[]): RaggedArray => raggedOf(sequences, 'f32', 'ragged');

/**
 * The data that `fit` takes for an input, a target or sample weights: samples of one shape, or sequences of unequal
 * length.
 */
export type SamplesLike = DataLike | RaggedArray | readonly NdArray[];

/**
 * Samples with each number checked. A list of sequences that differ in length becomes a `RaggedArray` of ids `[T_i]` or
 * of features `[T_i, F]`.
 *
 * @param options.oneEachStep whether rows `[T_i]` of unequal length are sequences. If not, they are rows with a missing
 *   feature. Default: whether they are ids.
 * @throws ArgumentError at a ragged row, a number that is not finite as float32, or, for i32, a number that is not a
 *   32-bit integer.
 */
export function toSamples(
  values: SamplesLike,
  dtype: DType,
  what: string,
  { oneEachStep = dtype === 'i32' }: { oneEachStep?: boolean | undefined } = {},
): NdArray | RaggedArray {
  // A RaggedArray of another copy of the package has another class.
  const sequences = (values as RaggedArray | undefined)?.sequences;
  if (Array.isArray(sequences)) return raggedOf(sequences, dtype, what);
  if (Array.isArray(values)) {
    if (values[0] instanceof NdArray) return raggedOf(values as NdArray[], dtype, what);
    // Rows with unequal numbers of features are a mistake; sequences of unequal length are not.
    const withSteps = (values as { length?: number }[]).find((value) => value?.length);
    const isSequence = oneEachStep || isRows(withSteps);
    if (isSequence && differInLength(values)) return raggedOf(values as DataLike[], dtype, what);
  }
  return toNdArray(values as DataLike, dtype, what);
}

const isRows = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && (Array.isArray(value[0]) || ArrayBuffer.isView(value[0]));

function differInLength(values: readonly unknown[]): boolean {
  const lengths = values.map((value) => (value as { length?: unknown } | null)?.length);
  return lengths.every((n) => typeof n === 'number') && lengths.some((n) => n !== lengths[0]);
}

function raggedOf(sequences: readonly DataLike[], dtype: DType, what: string): RaggedArray {
  expectList(what, sequences);
  // `Array.from` turns holes into undefined, which is then refused.
  const arrays = Array.from(sequences, (sequence, i) => toNdArray(sequence, dtype, `${what}[${i}]`, 'step'));
  return new RaggedArray(arrays, what);
}
