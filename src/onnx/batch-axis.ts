import type { Tensor } from '../autograd/tensor.ts';
import { transpose } from '../ops/shapes/layout.ts';

/** Exchanges axis 0 and the axis of the batch. */
export function swapAxes(x: Tensor, batch: number): Tensor {
  if (batch === 0) return x;
  const axes = [...x.shape.keys()];
  [axes[0], axes[batch]] = [batch, 0];
  return transpose(x, axes);
}
