import type { DType } from '../autograd/tensor.ts';
import { ArgumentError, expectArray, isFloat32, shown } from '../checks/argument-error.ts';
import type { NestedNumbers } from '../checks/nested-numbers.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape, sameShape } from '../checks/shape.ts';
import { allocated, asArray, NdArray } from './array.ts';

export interface PadOptions {
  /** Steps L of the result. Default: those of the longest sequence. */
  maxLength?: number | undefined;
  /** The side on which short sequences are padded. Default `'pre'`. */
  padding?: 'pre' | 'post' | undefined;
  /** The side on which long sequences are cut. Default `'pre'`. */
  truncating?: 'pre' | 'post' | undefined;
  /** The padding value. Default 0. */
  value?: number | undefined;
  /** The type of the result. Default `'i32'`, which takes integers only. */
  dtype?: DType | undefined;
}

/**
 * Makes one array of sequences of unequal length: short sequences are padded, long ones cut.
 *
 * @param sequences N lists of T numbers, or of T samples of one shape `[T, …]`. T may differ, and may be 0.
 * @param options default: L of the longest sequence, padding and truncating 'pre', value 0, dtype 'i32'.
 * @returns `[N, L, …]`, an `Int32Array` or, with `dtype: 'f32'`, a `Float32Array`; the caller owns it.
 * @throws ArgumentError if the samples of two sequences differ in shape, a number does not fit `dtype`, or an option is
 *   unknown or out of its range.
 * @see https://keras.io/api/data_loading/timeseries/#pad_sequences-function
 * @example
 * padSequences([[1], [2, 3], [4, 5, 6]], { maxLength: 2 }); // [[0, 1], [2, 3], [5, 6]]
 */
export function padSequences(
  sequences: ArrayLike<NestedNumbers | NdArray>,
  options: PadOptions = {},
): NdArray<Int32Array | Float32Array> {
  const names = { maxLength: 1, padding: 1, truncating: 1, value: 1, dtype: 1 };
  const {
    padding = 'pre',
    truncating = 'pre',
    value = 0,
    dtype = 'i32',
  } = checkOptions('padSequences', options, names);
  for (const [key, side] of Object.entries({ padding, truncating })) {
    if (side !== 'pre' && side !== 'post') {
      throw new ArgumentError(`padSequences: ${key} expected 'pre' or 'post', got ${shown(side)}`);
    }
  }
  if (dtype !== 'i32' && dtype !== 'f32')
    throw new ArgumentError(`padSequences: dtype expected 'i32' or 'f32', got ${shown(dtype)}`);
  expectArray('padSequences: sequences', sequences);
  const arrays = Array.from({ length: sequences.length }, (_, i) => sequenceOf(sequences[i]!, i));
  const longest = arrays.reduce((length, { shape }) => Math.max(length, shape[0]!), 0);
  const { maxLength = longest } = options;
  if (!Number.isInteger(maxLength) || maxLength < 0) {
    throw new ArgumentError(`padSequences: maxLength expected a whole number of 0 or more, got ${shown(maxLength)}`);
  }

  // An empty list does not tell the shape of its samples.
  const withSamples = arrays.findIndex(({ shape }) => shape[0]! > 0);
  const sample = arrays[withSamples]?.shape.slice(1) ?? [];
  const size = sample.reduce((product, n) => product * n, 1);
  const length = arrays.length * maxLength * size;
  const data = allocated<Int32Array | Float32Array>(
    dtype === 'i32' ? Int32Array : Float32Array,
    length,
    'padSequences: maxLength',
  );
  const fits = (x: number): boolean => (dtype === 'i32' ? (x | 0) === x : isFloat32(x));
  const expected = dtype === 'i32' ? "integers of 32 bits (dtype: 'f32' takes others)" : 'finite numbers';
  if (typeof value !== 'number' || !fits(value))
    throw new ArgumentError(`padSequences: value expected ${expected}, got ${shown(value)}`);
  // New memory is zero already, and the host reserves it only when it is written.
  if (value !== 0) data.fill(value);

  for (const [n, { data: from, shape }] of arrays.entries()) {
    const steps = shape[0]!;
    if (steps > 0 && !sameShape(shape.slice(1), sample)) {
      throw new ArgumentError(
        `padSequences: sequences[${n}] expected samples of shape ${formatShape(sample)}, as in sequences[${withSamples}], got ${formatShape(shape.slice(1))}`,
      );
    }
    const kept = Math.min(steps, maxLength);
    const first = (truncating === 'pre' ? steps - kept : 0) * size;
    const to = (n * maxLength + (padding === 'pre' ? maxLength - kept : 0)) * size;
    for (let i = 0; i < kept * size; i++) {
      const x = from[first + i]!;
      if (!fits(x)) throw new ArgumentError(`padSequences: sequences[${n}] expected ${expected}, got ${x}`);
      data[to + i] = x;
    }
  }
  return new NdArray<Int32Array | Float32Array>(data, [arrays.length, maxLength, ...sample]);
}

function sequenceOf(sequence: NestedNumbers | NdArray, index: number): NdArray {
  const array = asArray(sequence, `padSequences: sequences[${index}]`);
  if (array.shape.length > 0) return array;
  throw new ArgumentError(`padSequences: sequences[${index}] expected a list, got ${array.data[0]}`);
}
