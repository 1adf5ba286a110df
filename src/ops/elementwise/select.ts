import { tensorOf } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectShape, Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Ptr } from '../../engine/abi.ts';
import { spreadMask } from '../shapes/broadcast.ts';
import { inOrder } from '../shapes/layout.ts';
import { type Operand, tensorAmong } from './binary.ts';
import { mul, sub } from './elementwise.ts';

/**
 * y = a where the mask is not 0, else b. This is for masks of sequences: `[B, T]` for `[B, T, F]`. The public `where`
 * aligns shapes as NumPy does.
 *
 * @param mask f32 or i32, of the shape of the result, with length 1 for axes along which it is constant, or with the
 *   leading axes only. No gradient flows to it.
 * @param a tensor of the shape and data type of `b`; one of the two may be a number.
 * @returns a tensor of their shape, in the memory order of the first of them that is a tensor.
 * @throws ArgumentError if neither is a tensor, their shapes or data types differ, or the mask does not fit. @internal
 */
export function select(mask: Tensor, a: Operand, b: Operand): Tensor {
  const like = tensorAmong('where', a, b);
  const [left, right] = [a, b].map((x) => (typeof x === 'number' ? x : tensorOf(x)));
  const { engine, shape, dtype, timeMajor, size } = like;
  const { kernels } = engine;
  if (right instanceof Tensor) {
    expectShape('where: b', right.shape, shape);
    if (right.dtype !== dtype) throw new ArgumentError(`where: b expected ${dtype}, got ${right.dtype}`);
  }
  const choice = spreadMask('where: mask', mask, shape, timeMajor);
  const [from, other] = [left, right].map((x) => (typeof x === 'number' ? x : inOrder(x, timeMajor)));
  const y = empty(shape, { dtype, name: 'where', timeMajor, engine });
  engine.scratch(() => {
    const operand = (x: Tensor | number): [Ptr, number] => {
      if (typeof x !== 'number') return [x.ptr, 1];
      const at = engine.allocateScratch(1);
      (dtype === 'f32' ? engine.f32(at, 1) : engine.i32(at, 1))[0] = x;
      return [at, 0];
    };
    kernels.select(size, choice.ptr, ...operand(from!), ...operand(other!), y.ptr);
  });
  const inputs = [from, other].map((x) => (typeof x === 'number' ? undefined : x));
  record([...inputs, mask], [y], (tape) => {
    const dy = tape.gradientOf(y);
    for (const [i, x] of inputs.entries()) {
      if (!x || !tape.tracks(x)) continue;
      const dx = engine.allocateScratch(size);
      engine.scratch(() => {
        const zero = engine.allocateScratch(1);
        engine.i32(zero, 1)[0] = 0;
        if (i === 0) kernels.select(size, choice.ptr, dy, 1, zero, 0, dx);
        else kernels.select(size, choice.ptr, zero, 0, dy, 1, dx);
      });
      tape.give(x, dx);
    }
  });
  return y;
}

/**
 * `x` with 0 in place of NaN, ∞ and very large numbers (x² ≥ 2^128) where the mask is 0, and without gradient there. It
 * is `x` itself if it has no such numbers. Other masked numbers stay, because a convolution reads masked steps. Takes
 * one pass over x. @internal
 */
export function hideMasked(x: Tensor, mask: Tensor | undefined): Tensor {
  // Rows gathered from a table are weights, and weights are finite.
  if (!mask || x.dtype !== 'f32' || x.gatheredFrom || x.engine.kernels.sum_squares(x.size, x.ptr) < 3e38) return x;
  const squares = mul(x, x);
  // ∞ − ∞ is NaN, and NaN counts as not 0.
  const isBad = select(mask, 0, sub(squares, squares));
  return Object.assign(select(isBad, 0, x), { mask: x.mask });
}
