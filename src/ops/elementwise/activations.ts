// Keras 3's activations beyond those of elementwise.ts; https://keras.io/api/layers/activations has every definition.

import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectNoMore, isFloat32, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { Unary } from '../../engine/abi.ts';
import { split } from '../shapes/slices.ts';
import {
  abs,
  add,
  addScalar,
  clip,
  mul,
  neg,
  relu,
  scale,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
  unary,
} from './elementwise.ts';
import { select } from './select.ts';

function expectPositive(what: string, value: number): void {
  if (!(isFloat32(value) && value > 0))
    throw new ArgumentError(`${what} expected a positive number, got ${shown(value)}`);
}

/**
 * Rectified linear unit up to 6: y = min(max(x, 0), 6), with derivative 0 at both ends
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const relu6 = (x: Weight): Tensor => unary('relu6', Unary.Relu6, x);

/**
 * Leaky rectified linear unit: y = x for x > 0, else negativeSlope·x
 *
 * @param x `[…]` f32, any shape.
 * @param negativeSlope default 0.2.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `negativeSlope` is not a finite number.
 * @see https://keras.io/api/layers/activations
 */
export function leakyRelu(x: Weight, negativeSlope = 0.2): Tensor {
  if (negativeSlope === 0.2) return unary('leakyRelu', Unary.LeakyRelu, x);
  if (!isFloat32(negativeSlope)) {
    throw new ArgumentError(`leakyRelu: negativeSlope expected a finite number, got ${shown(negativeSlope)}`);
  }
  return sub(relu(x), scale(relu(neg(x)), negativeSlope));
}

/**
 * Exponential linear unit: y = x for x > 0, else alpha·(eˣ − 1)
 *
 * @param x `[…]` f32, any shape.
 * @param alpha default 1.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `alpha` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function elu(x: Weight, alpha = 1): Tensor {
  if (alpha === 1) return unary('elu', Unary.Elu, x);
  expectPositive('elu: alpha', alpha);
  return sub(relu(x), scale(relu(neg(elu(x))), alpha));
}

/**
 * Scaled exponential linear unit: y = 1.0507·elu(x, 1.6733). It keeps mean 0 and variance 1 through a stack of dense
 * layers.
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const selu = (x: Weight): Tensor => unary('selu', Unary.Selu, x);

/**
 * Continuously differentiable elu: y = x for x > 0, else alpha·(exp(x/alpha) − 1). Its derivative is 1 on both sides of
 * 0.
 *
 * @param x `[…]` f32, any shape.
 * @param alpha default 1.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `alpha` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function celu(x: Weight, alpha = 1): Tensor {
  if (alpha === 1) return elu(x);
  expectPositive('celu: alpha', alpha);
  return scale(elu(scale(x, 1 / alpha)), alpha);
}

/**
 * Gaussian error linear unit: y = x·Φ(x) = ½·x·(1 + erf(x/√2)), within 2.5e-7·|x|. Φ is the normal distribution.
 *
 * @param x `[…]` f32, any shape.
 * @param options.approximate computes ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) instead; default false.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor, `approximate` is not a boolean or another option is given.
 * @see https://keras.io/api/layers/activations
 */
export const gelu = (x: Weight, options: { approximate?: boolean | undefined } = {}): Tensor =>
  unary('gelu', checkOptions('gelu', options, { approximate: true }).approximate ? Unary.GeluTanh : Unary.Gelu, x);

/**
 * Softplus: y = ln(1 + eˣ), within 4 ulp
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or more than one argument is given.
 * @see https://keras.io/api/layers/activations
 */
export function softplus(x: Weight, ...others: never[]): Tensor {
  expectNoMore('softplus', others);
  return unary('softplus', Unary.Softplus, x);
}

/**
 * Softsign: y = x/(1 + |x|)
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const softsign = (x: Weight): Tensor => unary('softsign', Unary.Softsign, x);

/**
 * Sigmoid linear unit, also called swish: y = x·σ(x)
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const silu = (x: Weight): Tensor => unary('silu', Unary.Silu, x);

/**
 * Piecewise linear sigmoid: y = min(max(slope·x + ½, 0), 1)
 *
 * @param x `[…]` f32, any shape.
 * @param slope default 1/6, as in Keras 3 and PyTorch: relu6(x + 3)/6. Keras 2, TF.js and ONNX have 0.2.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `slope` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function hardSigmoid(x: Weight, slope = 1 / 6): Tensor {
  expectPositive('hardSigmoid: slope', slope);
  return unary('hardSigmoid', Unary.HardSigmoid, slope === 1 / 6 ? x : scale(x, 6 * slope));
}

/**
 * Piecewise silu, also called hard swish: y = x·hardSigmoid(x)
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const hardSilu = (x: Weight): Tensor => unary('hardSilu', Unary.HardSilu, x);

/**
 * Mish: y = x·tanh(ln(1 + eˣ))
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const mish = (x: Weight): Tensor => unary('mish', Unary.Mish, x);

/**
 * Logarithm of the sigmoid: y = ln σ(x) = −ln(1 + e⁻ˣ)
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const logSigmoid = (x: Weight): Tensor => neg(softplus(neg(x)));

/**
 * Piecewise linear tanh: y = min(max(x, −1), 1)
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or more than one argument is given.
 * @see https://keras.io/api/layers/activations
 */
export function hardTanh(x: Weight, ...others: never[]): Tensor {
  expectNoMore('hardTanh', others);
  return clip(x, -1, 1);
}

/**
 * Tanh shrinkage: y = x − tanh x
 *
 * @param x `[…]` f32, any shape.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor.
 * @see https://keras.io/api/layers/activations
 */
export const tanhShrink = (x: Weight): Tensor => sub(x, tanh(x));

/**
 * Soft shrinkage: y = x − threshold for x > threshold, x + threshold for x < −threshold, else 0
 *
 * @param x `[…]` f32, any shape.
 * @param threshold default 0.5.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `threshold` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function softShrink(x: Weight, threshold = 0.5): Tensor {
  expectPositive('softShrink: threshold', threshold);
  return sub(x, clip(x, -threshold, threshold));
}

/**
 * Hard shrinkage: y = x where |x| > threshold, else 0
 *
 * @param x `[…]` f32, any shape.
 * @param threshold default 0.5.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `threshold` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function hardShrink(x: Weight, threshold = 0.5): Tensor {
  expectPositive('hardShrink: threshold', threshold);
  return select(relu(addScalar(abs(x), -threshold)), x, 0);
}

/**
 * Softplus without exponentials: y = ½·(x + √(x² + b))
 *
 * @param x `[…]` f32, any shape.
 * @param b default 4.
 * @returns a tensor of the shape and the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor or `b` is not > 0.
 * @see https://keras.io/api/layers/activations
 */
export function squareplus(x: Weight, b = 4): Tensor {
  expectPositive('squareplus: b', b);
  return scale(add(x, sqrt(addScalar(square(x), b))), 0.5);
}

/**
 * Gated linear unit: y = a·σ(b), where a and b are the two halves of an axis.
 *
 * @param x `[…]` f32, with one axis or more.
 * @param axis default the last; negative ones count from the end.
 * @returns the shape of `x` with half the length along the axis, in the memory order of `x`.
 * @throws ArgumentError if `x` is not an f32 tensor, there is no such axis or its length is odd.
 * @see https://keras.io/api/layers/activations
 */
export function glu(x: Weight, axis = -1): Tensor {
  x = floatsOf(x, 'glu: x');
  const [a, b] = split(x, 2, axis);
  return mul(a, sigmoid(b));
}
