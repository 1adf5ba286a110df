// Scores to class ids, and class ids to one-hot rows.
import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { isRecording } from '../autograd/tape.ts';
import { empty, expectTensor, type Tensor, zeros } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { expectIds } from './ids.ts';
import { axisBlock } from './shapes/axis.ts';
import { asRows, transpose } from './shapes/layout.ts';

/**
 * Index of the greatest element along an axis: the first of equal ones, or the first NaN. No gradient flows.
 *
 * y[…] = argmaxₖ x[…, k, …]
 *
 * @param x `[…]` f32, with one axis or more.
 * @param axis default the last; negative ones count from the end.
 * @returns i32, the shape of `x` without the axis.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or its length is 0.
 * @see numpy.argmax
 */
export function argmax(x: Weight, axis = -1): Tensor {
  x = floatsOf(x, 'argmax: x');
  const { axis: at, length } = axisBlock('argmax', x, axis);
  if (length === 0)
    throw new ArgumentError(`argmax: axis ${axis} of ${formatShape(x.shape)} expected an element or more`);
  isRecording([x]);
  const others = [...x.shape.keys()].filter((each) => each !== at);
  const rows = asRows(transpose(x, [...others, at]));
  const shape = x.shape.toSpliced(at, 1);
  const timeMajor = rows.timeMajor && shape.length > 1;
  const y = empty(shape, { dtype: 'i32', name: 'argmax', timeMajor, engine: x.engine });
  x.engine.kernels.argmax(y.size, length, rows.ptr, y.ptr);
  return y;
}

/**
 * Turns class ids into one-hot rows: y[…, k] = 1 where k is the id, else 0
 *
 * @param ids `[…]` i32, each in [0, depth).
 * @param depth number of classes.
 * @returns `[…, depth]` f32, in the memory order of `ids`.
 * @throws ArgumentError if `ids` is not an i32 tensor, an id is outside [0, depth), or `depth` is not an integer ≥ 1.
 * @see keras.ops.one_hot, torch.nn.functional.one_hot; `oneHot` of `tapeloop/data` for data that is not a tensor
 */
export function oneHot(ids: Tensor, depth: number): Tensor {
  expectTensor('oneHot: ids', ids);
  if (ids.dtype !== 'i32') throw new ArgumentError(`oneHot: ids expected i32, got ${ids.dtype} for '${ids.name}'`);
  expectCount('oneHot: depth', depth);
  expectIds('oneHot: ids', ids, depth);
  const y = zeros([...ids.shape, depth], { name: 'oneHot', timeMajor: ids.timeMajor, engine: ids.engine });
  const to = y.dataView();
  ids.dataView().forEach((id, row) => {
    to[row * depth + id] = 1;
  });
  return y;
}
