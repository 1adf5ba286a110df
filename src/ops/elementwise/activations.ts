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

/** y = min(max(x, 0), 6), with derivative 0 at both ends */
export const relu6 = (x: Weight): Tensor => unary('relu6', Unary.Relu6, x);

/** y = x for x > 0, else negativeSlope·x */
export function leakyRelu(x: Weight, negativeSlope = 0.2): Tensor {
  if (negativeSlope === 0.2) return unary('leakyRelu', Unary.LeakyRelu, x);
  if (!isFloat32(negativeSlope)) {
    throw new ArgumentError(`leakyRelu: negativeSlope expected a finite number, got ${shown(negativeSlope)}`);
  }
  return sub(relu(x), scale(relu(neg(x)), negativeSlope));
}

/** y = x for x > 0, else alpha·(eˣ − 1) */
export function elu(x: Weight, alpha = 1): Tensor {
  if (alpha === 1) return unary('elu', Unary.Elu, x);
  expectPositive('elu: alpha', alpha);
  return sub(relu(x), scale(relu(neg(elu(x))), alpha));
}

/** y = 1.0507·elu(x, 1.6733): keeps mean 0 and variance 1 through a stack of dense layers */
export const selu = (x: Weight): Tensor => unary('selu', Unary.Selu, x);

/** y = x for x > 0, else alpha·(exp(x/alpha) − 1): elu whose derivative is 1 on both sides of 0 */
export function celu(x: Weight, alpha = 1): Tensor {
  if (alpha === 1) return elu(x);
  expectPositive('celu: alpha', alpha);
  return scale(elu(scale(x, 1 / alpha)), alpha);
}

/**
 * y = x·Φ(x), Φ the normal distribution: ½·x·(1 + erf(x/√2)), within 2.5e-7·|x|
 *
 * @param options.approximate takes ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) instead.
 * @throws ArgumentError for another option.
 */
export const gelu = (x: Weight, options: { approximate?: boolean | undefined } = {}): Tensor =>
  unary('gelu', checkOptions('gelu', options, { approximate: true }).approximate ? Unary.GeluTanh : Unary.Gelu, x);

/** y = ln(1 + eˣ), within 4 ulp */
export function softplus(x: Weight, ...others: never[]): Tensor {
  expectNoMore('softplus', others);
  return unary('softplus', Unary.Softplus, x);
}

/** y = x/(1 + |x|) */
export const softsign = (x: Weight): Tensor => unary('softsign', Unary.Softsign, x);

/** y = x·σ(x), also called swish */
export const silu = (x: Weight): Tensor => unary('silu', Unary.Silu, x);

/**
 * y = min(max(slope·x + ½, 0), 1), by default relu6(x + 3)/6 as in Keras 3 and PyTorch; a slope of 0.2 is that of Keras
 * 2, TF.js and ONNX
 */
export function hardSigmoid(x: Weight, slope = 1 / 6): Tensor {
  expectPositive('hardSigmoid: slope', slope);
  return unary('hardSigmoid', Unary.HardSigmoid, slope === 1 / 6 ? x : scale(x, 6 * slope));
}

/** y = x·hardSigmoid(x), also called hard swish */
export const hardSilu = (x: Weight): Tensor => unary('hardSilu', Unary.HardSilu, x);

/** y = x·tanh(ln(1 + eˣ)) */
export const mish = (x: Weight): Tensor => unary('mish', Unary.Mish, x);

/** y = ln σ(x) = −ln(1 + e⁻ˣ) */
export const logSigmoid = (x: Weight): Tensor => neg(softplus(neg(x)));

/** y = min(max(x, −1), 1) */
export function hardTanh(x: Weight, ...others: never[]): Tensor {
  expectNoMore('hardTanh', others);
  return clip(x, -1, 1);
}

/** y = x − tanh x */
export const tanhShrink = (x: Weight): Tensor => sub(x, tanh(x));

/** y = x − threshold for x > threshold, x + threshold for x < −threshold, else 0 */
export function softShrink(x: Weight, threshold = 0.5): Tensor {
  expectPositive('softShrink: threshold', threshold);
  return sub(x, clip(x, -threshold, threshold));
}

/** y = x where |x| > threshold, else 0 */
export function hardShrink(x: Weight, threshold = 0.5): Tensor {
  expectPositive('hardShrink: threshold', threshold);
  return select(relu(addScalar(abs(x), -threshold)), x, 0);
}

/** y = ½·(x + √(x² + b)): a softplus without exponentials */
export function squareplus(x: Weight, b = 4): Tensor {
  expectPositive('squareplus: b', b);
  return scale(add(x, sqrt(addScalar(square(x), b))), 0.5);
}

/** y = a·σ(b) for the two halves a, b of an axis, default the last. Throws `ArgumentError` if its length is odd. */
export function glu(x: Weight, axis = -1): Tensor {
  x = floatsOf(x, 'glu: x');
  const [a, b] = split(x, 2, axis);
  return mul(a, sigmoid(b));
}
