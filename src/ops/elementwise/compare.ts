import { isRecording } from '../../autograd/tape.ts';
import { expectTensor, type Tensor, tensor } from '../../autograd/tensor.ts';
import { eachPair } from '../shapes/runs.ts';
import { binaryOp, type Operand, tensorAmong } from './binary.ts';

/** How two numbers may compare, one bit each. NaN is unordered with every number. */
const LESS = 1;
const GREATER = 2;
const EQUAL = 4;
const UNORDERED = 8;

/** y = 1 where a and b compare in one of the given ways, else 0. */
function compare(name: string, ways: number, a: Operand, b: Operand): Tensor {
  const like = tensorAmong(name, a, b);
  const isId = (x: Operand): boolean => typeof x === 'number' || ('dtype' in x && x.dtype === 'i32');
  const areIds = isId(a) && isId(b);
  const constants: Tensor[] = [];
  // A number that is compared with ids becomes i32 if it is whole: a float holds no more than 24 bits of it.
  const operand = (x: Operand): Operand => {
    if (!areIds || typeof x !== 'number' || (x | 0) !== x) return x;
    const constant = tensor(x, { dtype: 'i32', engine: like.engine });
    constants.push(constant);
    return constant;
  };
  const y = binaryOp(
    {
      name,
      ...(areIds && { check: expectTensor }),
      forward([left, right, y], runs) {
        isRecording([left, right]);
        const [from, other, to] = [left.dataView(), right.dataView(), y.dataView()];
        eachPair(runs, (i, j, k) => {
          const [p, q] = [from[i]!, other[j]!];
          const way = p < q ? LESS : p > q ? GREATER : p === q ? EQUAL : UNORDERED;
          to[k] = ways & way ? 1 : 0;
        });
      },
    },
    operand(a),
    operand(b),
  );
  for (const constant of constants) constant.dispose();
  return y;
}

/**
 * Greater than: y = 1 where a > b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 0. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.greater
 */
export const greater = (a: Operand, b: Operand): Tensor => compare('greater', GREATER, a, b);

/**
 * Greater than or equal: y = 1 where a ≥ b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 0. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.greater_equal
 */
export const greaterEqual = (a: Operand, b: Operand): Tensor => compare('greaterEqual', GREATER | EQUAL, a, b);

/**
 * Less than: y = 1 where a < b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 0. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.less
 */
export const less = (a: Operand, b: Operand): Tensor => compare('less', LESS, a, b);

/**
 * Less than or equal: y = 1 where a ≤ b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 0. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.less_equal
 */
export const lessEqual = (a: Operand, b: Operand): Tensor => compare('lessEqual', LESS | EQUAL, a, b);

/**
 * Equal: y = 1 where a = b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 0. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.equal
 */
export const equal = (a: Operand, b: Operand): Tensor => compare('equal', EQUAL, a, b);

/**
 * Not equal: y = 1 where a ≠ b, else 0
 *
 * Shapes are broadcast as in `add`. A comparison with NaN gives 1. No gradient flows.
 *
 * @param a `[…]` f32, i32 or a number.
 * @param b `[…]` of the data type of `a`, or a number.
 * @returns f32, 1 or 0, of the common shape: a mask for `where` and for layers, or a factor.
 * @throws ArgumentError if both are numbers, one tensor is f32 and the other i32, a number is beyond float32, or two
 *   lengths of one axis differ and neither is 1.
 * @see numpy.not_equal
 */
export const notEqual = (a: Operand, b: Operand): Tensor => compare('notEqual', LESS | GREATER | UNORDERED, a, b);
