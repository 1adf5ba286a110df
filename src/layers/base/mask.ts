import { empty, Tensor } from '../../autograd/tensor.ts';
import { type Shape, sameShape } from '../../checks/shape.ts';
import { hideMasked, select } from '../../ops/elementwise/select.ts';
import { viewAs } from '../../ops/shapes/layout.ts';

/**
 * Makes an f32 mask for the first axes of `x`, in its memory order: 1 where `counts` returns true, 0 elsewhere and
 * wherever `within` is 0.
 *
 * @param axes number of axes of the mask.
 * @param counts gets the index of a mask element in memory order, and all values of `x`.
 * @param within a mask with at most as many axes.
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

/** The shape of a mask with that many axes: the first axes of `x`, at least two, without the axis of features. */
export const maskShape = ({ shape, dtype }: Tensor, axes: number): Shape =>
  shape.slice(0, Math.min(Math.max(axes, 2), dtype === 'f32' ? shape.length - 1 : shape.length));

/**
 * Returns `x` with `mask`, and with 0 in place of NaN and ∞ where it is masked. The result is a new tensor, unless `x`
 * already has both.
 */
export function withMask(x: Tensor, mask: Tensor): Tensor {
  const good = hideMasked(x, mask);
  if (good.mask === mask) return good;
  const { gatheredFrom } = good;
  return Object.assign(viewAs(good, good.shape, good.timeMajor), { mask, gatheredFrom });
}

/** Sets the mask of an output, or of the first of several, if its shape fits and it has no mask. */
export function passMask(mask: Tensor, output: unknown): void {
  const y = Array.isArray(output) ? output[0] : output;
  if (y instanceof Tensor && !y.mask && sameShape(maskShape(y, mask.shape.length), mask.shape)) y.mask = mask;
}
