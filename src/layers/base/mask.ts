import { empty, Tensor } from '../../autograd/tensor.ts';
import { type Shape, sameShape } from '../../checks/shape.ts';
import { hideMasked, select } from '../../ops/elementwise/select.ts';
import { viewAs } from '../../ops/shapes/layout.ts';

/**
 * A mask f32 for the first axes of `x`, in its memory order: 1 where `counts` says so of the place, 0 elsewhere and
 * wherever `within` is 0.
 *
 * @param axes how many axes the mask has.
 * @param counts told the place in memory and all values of `x`.
 * @param within a mask of as many axes or fewer.
 */
export function maskOf(
  x: Tensor,
  axes: number,
  counts: (place: number, values: Float32Array | Int32Array) => boolean,
  within?: Tensor | undefined,
): Tensor {
  const mask = empty(x.shape.slice(0, axes), { name: 'mask', timeMajor: x.timeMajor, engine: x.engine });
  const values = x.dataView();
  const to = mask.dataView();
  for (let i = 0; i < to.length; i++) to[i] = Number(counts(i, values));
  return within ? select(within, mask, 0) : mask;
}

/** The shape that a mask of so many axes can have: the first axes of `x`, two at least, but not its features. */
export const maskShape = ({ shape, dtype }: Tensor, axes: number): Shape =>
  shape.slice(0, Math.min(Math.max(axes, 2), dtype === 'f32' ? shape.length - 1 : shape.length));

/** `x` with a mask and nothing bad under it: a tensor of its own, unless it is so already. */
export function withMask(x: Tensor, mask: Tensor): Tensor {
  const good = hideMasked(x, mask);
  if (good.mask === mask) return good;
  const { gatheredFrom } = good;
  return Object.assign(viewAs(good, good.shape, good.timeMajor), { mask, gatheredFrom });
}

/** Hands a mask on to an output that can have it. */
export function passMask(mask: Tensor, output: unknown): void {
  const y = Array.isArray(output) ? output[0] : output;
  if (y instanceof Tensor && !y.mask && sameShape(maskShape(y, mask.shape.length), mask.shape)) y.mask = mask;
}
