import { empty, type Shape, sameShape, Tensor } from '../autograd/tensor.ts';
import { spreadMask } from '../ops/broadcast.ts';
import { where } from '../ops/select.ts';

/**
 * A mask f32 for the first axes of `x`, in its memory order: 1 where `counts` says so of the place, 0 elsewhere and wherever `within` is 0.
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
  return within ? where(within, mask, 0) : mask;
}

/** Hands a mask on to an output that has an axis more than it, the others being its own. */
export function passMask(mask: Tensor, output: unknown): void {
  const y = Array.isArray(output) ? output[0] : output;
  const axes = mask.shape.length;
  if (!(y instanceof Tensor) || y.shape.length <= axes || y.mask) return;
  if (sameShape(y.shape.slice(0, axes), mask.shape)) y.mask = mask;
}

/** A mask `[B]` of samples as one of all their steps, `[B, T]`; any other as it is. */
export const stepsOf = (mask: Tensor, shape: Shape): Tensor =>
  mask.shape.length === 1 ? spreadMask('mask', mask, shape.slice(0, 2), false) : mask;
