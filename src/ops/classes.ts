// From scores to ids and from ids to one-hot rows.
import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { isRecording } from '../autograd/tape.ts';
import { empty, expectTensor, type Tensor, zeros } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { expectIds } from './ids.ts';
import { axisBlock } from './shapes/axis.ts';
import { asRows, transpose } from './shapes/layout.ts';

/**
 * The index of the greatest element along an axis: of equals the first, and the first NaN where there is one. No
 * gradient flows.
 *
 * @param axis default the last; negative ones count from the end.
 * @returns i32, without the axis.
 * @throws ArgumentError if there is no such axis, or nothing along it.
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
 * y[…, k] = 1 where k is the id, else 0
 *
 * @param ids `[…]` i32, each in [0, depth).
 * @returns `[…, depth]` f32.
 * @throws ArgumentError if an id is outside [0, depth), or depth is no whole number from 1 up.
 * @see keras.ops.one_hot, torch.nn.functional.one_hot; for data that is no tensor, `oneHot` of `tapeloop/data`
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
