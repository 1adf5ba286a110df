import { isRecording } from '../../autograd/tape.ts';
import { expectTensor, type Tensor, tensor } from '../../autograd/tensor.ts';
import { eachPair } from '../shapes/runs.ts';
import { binaryOp, type Operand, tensorAmong } from './binary.ts';

/** How one number stands to another, a bit each; NaN is unordered to all. */
const LESS = 1;
const GREATER = 2;
const EQUAL = 4;
const UNORDERED = 8;

/** y = 1 where the two stand to each other in one of the ways, else 0. */
function compare(name: string, ways: number, a: Operand, b: Operand): Tensor {
  const like = tensorAmong(name, a, b);
  const isId = (x: Operand): boolean => typeof x === 'number' || ('dtype' in x && x.dtype === 'i32');
  const areIds = isId(a) && isId(b);
  const constants: Tensor[] = [];
  // Beside ids a number is an id where it can be, for a float holds no more than 24 bits.
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
 * y = 1 where a > b, else 0
 *
 * Shapes line up as in `add`, and one of the two may be a number. The result is f32: a mask for `where` and for layers,
 * and a factor. No gradient flows. Comparisons with NaN are false, but for `notEqual`, as in NumPy.
 *
 * @param a f32, or i32 if b is i32 or a number.
 * @throws ArgumentError if both are numbers, one tensor alone is i32, or the shapes do not line up.
 * @see numpy.greater
 */
export const greater = (a: Operand, b: Operand): Tensor => compare('greater', GREATER, a, b);

/** y = 1 where a ≥ b, else 0; see `greater`. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => compare('greaterEqual', GREATER | EQUAL, a, b);

/** y = 1 where a < b, else 0; see `greater`. */
export const less = (a: Operand, b: Operand): Tensor => compare('less', LESS, a, b);

/** y = 1 where a ≤ b, else 0; see `greater`. */
export const lessEqual = (a: Operand, b: Operand): Tensor => compare('lessEqual', LESS | EQUAL, a, b);

/** y = 1 where a = b, else 0; see `greater`. */
export const equal = (a: Operand, b: Operand): Tensor => compare('equal', EQUAL, a, b);

/** y = 1 where a ≠ b, else 0; see `greater`. NaN is unequal to all. */
export const notEqual = (a: Operand, b: Operand): Tensor => compare('notEqual', LESS | GREATER | UNORDERED, a, b);
