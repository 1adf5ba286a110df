import { type DType, empty, expectDType, type Tensor } from '../autograd/tensor.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';

export interface ConstantOptions {
  /** Data type of the elements. Default `f32`. */
  dtype?: DType | undefined;
}

function constant(name: string, shape: Shape, value: number, options: ConstantOptions): Tensor {
  const { dtype = 'f32' } = checkOptions(name, options, { dtype: 1 });
  expectDType(name, dtype);
  const y = empty(shape, { dtype, name });
  y.dataView().fill(value);
  return y;
}

/**
 * Makes a tensor of zeros, in the memory of the current engine.
 *
 * @param shape lengths of the axes.
 * @param options.dtype `f32` or `i32`; default `f32`.
 * @returns a tensor of the open step (outside a step: the caller's to `dispose`).
 * @throws ArgumentError if `shape` is not a list of lengths, `dtype` is not `f32` or `i32`, or an option is unknown.
 * @see numpy.zeros
 */
export const zeros = (shape: Shape, options: ConstantOptions = {}): Tensor => constant('zeros', shape, 0, options);

/**
 * Makes a tensor of ones, in the memory of the current engine.
 *
 * @param shape lengths of the axes.
 * @param options.dtype `f32` or `i32`; default `f32`.
 * @returns a tensor of the open step (outside a step: the caller's to `dispose`).
 * @throws ArgumentError if `shape` is not a list of lengths, `dtype` is not `f32` or `i32`, or an option is unknown.
 * @see numpy.ones
 */
export const ones = (shape: Shape, options: ConstantOptions = {}): Tensor => constant('ones', shape, 1, options);
