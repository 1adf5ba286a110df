import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import { type AxisBlock, axisBlock } from './shapes/axis.ts';

/** to[o, j, i] = Σ from[o, 0…j, i], or the sum of from[o, j…, i] if reversed. Sums in float64. */
function sums(
  { outer, length, inner }: AxisBlock,
  from: ArrayLike<number>,
  to: Float32Array,
  isReversed: boolean,
): void {
  const [first, step] = isReversed ? [(length - 1) * inner, -inner] : [0, inner];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * length * inner + first + i;
      let sum = 0;
      for (let j = 0; j < length; j++, at += step) {
        sum += from[at]!;
        to[at] = sum;
      }
    }
  }
}

/**
 * Cumulative sum along an axis: yⱼ = x₀ + … + xⱼ, summed in float64
 *
 * @param x `[…]` f32, with one axis or more.
 * @param axis default the last; negative ones count from the end. NumPy's default, all elements in one row, is
 *   `cumsum(reshape(x, [-1]))`.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or there is no such axis.
 * @see numpy.cumsum
 */
export function cumsum(x: Weight, axis = -1): Tensor {
  x = floatsOf(x, 'cumsum: x');
  const block = axisBlock('cumsum', x, axis);
  const { engine, size } = x;
  const y = empty(x.shape, { name: 'cumsum', timeMajor: x.timeMajor, engine });
  sums(block, x.dataView(), engine.f32(y.ptr, size), false);
  record([x], [y], (tape) => {
    const dx = engine.allocateScratch(size);
    sums(block, engine.f32(tape.gradientOf(y), size), engine.f32(dx, size), true);
    tape.give(x, dx);
  });
  return y;
}
