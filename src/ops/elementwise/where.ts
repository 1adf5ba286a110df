import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { filled, Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32 } from '../../checks/argument-error.ts';
import { broadcastTo } from '../shapes/broadcast.ts';
import { commonShape, type Operand } from './binary.ts';
import { select } from './select.ts';

/**
 * Chooses between two operands: y = a where the mask is not 0, else b
 *
 * The three shapes are broadcast as in `add`. A mask `[B, T]` of sequences `[B, T, F]` needs one more axis:
 * `where(expandDims(mask), a, b)`.
 *
 * @param mask `[…]` f32 or i32. No gradient flows to it.
 * @param a `[…]` f32 or i32, or a number.
 * @param b `[…]` of the data type of `a`, or a number. Two numbers give f32.
 * @returns a tensor of the common shape.
 * @throws ArgumentError if `mask` is not a tensor, the data types of `a` and `b` differ, a number does not fit the data
 *   type, or two lengths of one axis differ and neither is 1.
 * @see numpy.where
 *
 * @example
 * const z = tensor([-1, 2, -3]);
 * ops.where(ops.greater(z, 0), z, 0).toArray(); // 0 2 0
 */
export function where(mask: Weight, a: Operand, b: Operand): Tensor {
  const choice = tensorOf(mask, 'where: mask');
  const operands = [a, b].map((x, i) => (typeof x === 'number' ? x : tensorOf(x, `where: ${'ab'[i]}`)));
  const tensors = [choice, ...operands].filter((x) => x instanceof Tensor);
  const areIds = operands.some((x) => typeof x !== 'number' && x.dtype === 'i32');
  for (const [i, x] of operands.entries()) {
    if (typeof x !== 'number' || (areIds ? (x | 0) === x : !Number.isFinite(x) || isFloat32(x))) continue;
    const expected = areIds ? 'an integer of 32 bits for ids' : 'float32';
    throw new ArgumentError(`where: ${'ab'[i]} expected ${expected}, got ${x}`);
  }
  const shape = commonShape(
    'where',
    tensors.map((x) => x.shape),
  );
  const [left, right] = operands.map((x) => (typeof x === 'number' ? x : broadcastTo(x, shape))) as [Operand, Operand];
  const whole = broadcastTo(choice, shape);
  if (typeof left !== 'number' || typeof right !== 'number') return select(whole, left, right);
  const first = filled(shape, left, choice.engine);
  try {
    return select(whole, first, right);
  } finally {
    // Outside a step this frees its memory. Inside a step it lives until the step ends.
    first.dispose();
  }
}
