import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { allocated, type DataLike, expectIdsBelow, NdArray, toNdArray } from './array.ts';

/**
 * One-hot vectors of class ids: y[…, k] = 1 if k = ids[…], else 0. `categoricalCrossentropy` takes such targets.
 *
 * @param ids `[…]`, class ids from 0: nested arrays, an array with a shape, or a tensor.
 * @param depth number of classes. Default: the greatest id plus one, which is right only if the last class occurs.
 * @returns `[…, depth]` f32; the caller owns it.
 * @throws ArgumentError if an id is not an integer in [0, depth), or depth is not an integer ≥ 1.
 * @see keras.utils.to_categorical; `ops.oneHot` for tensors
 * @example
 * oneHot([2, 0], 3).toNested(); // [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(ids: DataLike, depth?: number): NdArray<Float32Array> {
  const { data, shape } = toNdArray(ids, 'i32', 'oneHot: ids');
  let classes = depth;
  if (classes === undefined) {
    if (data.length === 0) throw new ArgumentError('oneHot: depth expected, for there are no ids, got undefined');
    classes = 1;
    for (let i = 0; i < data.length; i++) classes = Math.max(classes, data[i]! + 1);
  }
  expectCount('oneHot: depth', classes);
  const array = new NdArray(data, shape);
  expectIdsBelow(array, classes, 'oneHot: ids');
  const rows = allocated(Float32Array, data.length * classes, 'oneHot: ids');
  for (let i = 0; i < data.length; i++) rows[i * classes + data[i]!] = 1;
  return new NdArray(rows, [...shape, classes]);
}
