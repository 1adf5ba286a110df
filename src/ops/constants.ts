import { type DType, empty, expectDType, type Tensor } from '../autograd/tensor.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';

export interface ConstantOptions {
  /** Default `f32`. */
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
 * Zeros, in the memory of the engine in use.
 *
 * @throws ArgumentError if the shape is no list of lengths.
 * @see numpy.zeros
 */
export const zeros = (shape: Shape, options: ConstantOptions = {}): Tensor => constant('zeros', shape, 0, options);

/**
 * Ones; see `zeros`.
 *
 * @see numpy.ones
 */
export const ones = (shape: Shape, options: ConstantOptions = {}): Tensor => constant('ones', shape, 1, options);
