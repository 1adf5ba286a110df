import { empty, sameShape, Tensor } from '../autograd/tensor.ts';
import { inOrder } from '../ops/layout.ts';

/**
 * A mask `[B, T]` f32 for a batch, in its memory order: 1 where `counts` says so of the step, 0 elsewhere and wherever `within` is 0.
 *
 * @param x `[B, T, …]`
 * @param counts told the step's place in memory and all values of `x`.
 */
export function maskOf(
  x: Tensor,
  counts: (step: number, values: Float32Array | Int32Array) => boolean,
  within?: Tensor | undefined,
): Tensor {
  const shape = x.shape.slice(0, 2);
  const mask = empty(shape, { name: 'mask', timeMajor: x.timeMajor, engine: x.engine });
  const outer = within && inOrder(within, x.timeMajor).dataView();
  const values = x.dataView();
  const to = mask.dataView();
  for (let i = 0; i < to.length; i++) to[i] = counts(i, values) && outer?.[i] !== 0 ? 1 : 0;
  return mask;
}

/** Hands a mask on to an output that has a value for each of its steps. */
export function passMask(mask: Tensor, output: unknown): void {
  const y = Array.isArray(output) ? output[0] : output;
  if (!(y instanceof Tensor) || y.shape.length < 3 || y.mask) return;
  if (sameShape(y.shape.slice(0, 2), mask.shape)) y.mask = mask;
}
