import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { allocated, asArray, type DataLike, NdArray } from './array.ts';

/**
 * Places the columns of several arrays side by side, in order.
 *
 * @param arrays each `[N]` for one feature, or `[N, F]`.
 * @returns `[N, sum of F]` float64; the caller owns it.
 * @throws ArgumentError if there is no array, an array has another number of axes, or the numbers of rows differ.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.column_stack.html
 * @example
 * columnStack([[1, 2], [[3, 4], [5, 6]]]); // [[1, 3, 4], [2, 5, 6]]
 */
export function columnStack(arrays: readonly DataLike[]): NdArray<Float64Array> {
  const given = expectList('columnStack: arrays', arrays);
  if (given.length === 0) throw new ArgumentError('columnStack: arrays expected one array or more, got none');
  const parts = Array.from(given as DataLike[], (array, i) => asArray(array, `columnStack: arrays[${i}]`));
  const [rows] = parts[0].shape;
  for (const [i, { shape }] of parts.entries()) {
    if ((shape.length === 1 || shape.length === 2) && shape[0] === rows) continue;
    const expected = i === 0 ? '[N] or [N, F]' : `[${rows}] or [${rows}, F], as arrays[0] has ${rows} rows`;
    throw new ArgumentError(`columnStack: arrays[${i}] expected ${expected}, got ${formatShape(shape)}`);
  }
  const width = parts.reduce((sum, { shape }) => sum + (shape[1] ?? 1), 0);
  const data = allocated(Float64Array, rows * width, 'columnStack: arrays');
  let first = 0;
  for (const { data: from, shape } of parts) {
    const size = shape[1] ?? 1;
    for (let i = 0; i < from.length; i++) data[Math.floor(i / size) * width + first + (i % size)] = from[i];
    first += size;
  }
  return new NdArray(data, [rows, width]);
}
