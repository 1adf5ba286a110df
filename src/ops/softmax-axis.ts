import { tensorOf, type Weight } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { expectAxis } from './shapes/axis.ts';
import { transpose } from './shapes/layout.ts';
import { logSoftmaxRows, softmaxRows } from './softmax.ts';

export interface SoftmaxOptions {
  /**
   * The axis that is normalized; negative ones count from the end. Default −1. Another axis than the last is moved to
   * the end and back.
   */
  axis?: number | undefined;
}

/** A function of rows, applied along any axis. The axis is exchanged with the last one before and after. */
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
 * Softmax: yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along an axis. The maximum is subtracted first, so that nothing overflows.
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis; negative ones count from the end. Default the last.
 * @returns a tensor of the shape of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see keras.ops.softmax, torch.nn.functional.softmax
 */
export const softmax = (x: Weight, options: SoftmaxOptions = {}): Tensor => along('softmax', x, options, softmaxRows);

/**
 * Logarithm of the softmax: yᵢ = xᵢ − ln Σⱼ exp(xⱼ) along an axis.
 *
 * @param x `[…]` f32, any shape.
 * @param options.axis the axis; negative ones count from the end. Default the last.
 * @returns a tensor of the shape of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or an option is unknown.
 * @see keras.ops.log_softmax, torch.nn.functional.log_softmax
 */
export const logSoftmax = (x: Weight, options: SoftmaxOptions = {}): Tensor =>
  along('logSoftmax', x, options, logSoftmaxRows);
