import { tensorOf, type Weight } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { expectAxis } from './shapes/axis.ts';
import { transpose } from './shapes/layout.ts';
import { logSoftmaxRows, softmaxRows } from './softmax.ts';

export interface SoftmaxOptions {
  /** What is summed over; negative ones count from the end. Default −1, the last; others are moved there and back. */
  axis?: number | undefined;
}

/** A function of rows over any axis, which is exchanged with the last one before and after. */
function along(name: string, given: Weight, options: SoftmaxOptions, rows: (x: Tensor) => Tensor): Tensor {
  const { axis = -1 } = checkOptions(name, options, { axis: 1 });
  const x = tensorOf(given, `${name}: x`);
  if (axis === -1) return rows(x);
  const last = x.shape.length - 1;
  const at = expectAxis(`${name}: axis of ${formatShape(x.shape)}`, axis, last + 1);
  const order = [...x.shape.keys()].with(at, last).with(last, at);
  return transpose(rows(transpose(x, order)), order);
}

/**
 * yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) over an axis, with the maximum subtracted first.
 *
 * @param x f32.
 * @returns a tensor of the shape of `x`.
 * @throws ArgumentError if there is no such axis.
 * @see keras.ops.softmax, torch.nn.functional.softmax
 */
export const softmax = (x: Weight, options: SoftmaxOptions = {}): Tensor => along('softmax', x, options, softmaxRows);

/**
 * yᵢ = xᵢ − ln Σⱼ exp(xⱼ) over an axis.
 *
 * @param x f32.
 * @returns a tensor of the shape of `x`.
 * @throws ArgumentError if there is no such axis.
 * @see keras.ops.log_softmax, torch.nn.functional.log_softmax
 */
export const logSoftmax = (x: Weight, options: SoftmaxOptions = {}): Tensor =>
  along('logSoftmax', x, options, logSoftmaxRows);
