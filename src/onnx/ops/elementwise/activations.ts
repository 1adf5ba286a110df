// Activations, for arrays and for tensors. Operators and recurrent cells use them.
import type { Tensor } from '../../../autograd/tensor.ts';
import * as ops from '../../../ops/index.ts';
import { mapped } from '../mapped.ts';
import * as real from './real-functions.ts';

export type Unary = (x: number) => number;
/** A function of one number, and the same of a tensor with its gradient. */
export type Elementwise = readonly [f: Unary, kernel: (x: Tensor) => Tensor];

const { sqrt, abs, sign, PI } = Math;

export const sigmoidOf: Unary = (x) => 1 / (1 + real.exp(-x));
export const softplusOf: Unary = (x) => (x > 0 ? x + real.log1p(real.exp(-x)) : real.log1p(real.exp(x)));

/** The error function, to float64's last digits: a series near 0, a continued fraction for the rest. */
export function erf(x: number): number {
  // Abramowitz and Stegun 7.1.6 and 7.1.14.
  const z = abs(x);
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let n = 1; abs(term) > 1e-17 * sum; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return (sign(x) * 2 * real.exp(-z * z) * sum) / sqrt(PI);
  }
  if (z > 6) return sign(x);
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return sign(x) * (1 - real.exp(-z * z) / (fraction * sqrt(PI)));
}

export const leakyRelu = (alpha: number): Elementwise => [
  (x) => (x < 0 ? alpha * x : x),
  (x) => ops.leakyRelu(x, alpha),
];

export function thresholdedRelu(alpha: number): Elementwise {
  const f: Unary = (x) => (x > alpha ? x : 0);
  return [f, (x) => mapped(x, f, (each) => +(each > alpha))];
}

export function elu(alpha: number): Elementwise {
  const f: Unary = (x) => (x < 0 ? alpha * real.expm1(x) : x);
  return [f, (x) => (alpha > 0 ? ops.elu(x, alpha) : mapped(x, f, (each, y) => (each < 0 ? y + alpha : 1)))];
}

export const celu = (alpha: number): Elementwise => [
  (x) => Math.max(x, 0) + Math.min(0, alpha * real.expm1(x / alpha)),
  (x) => ops.celu(x, alpha),
];

export function selu(alpha: number, gamma: number): Elementwise {
  const f: Unary = (x) => gamma * (x > 0 ? x : alpha * real.expm1(x));
  return [f, (x) => mapped(x, f, (each, y) => (each > 0 ? gamma : y + gamma * alpha))];
}

export const hardSigmoid = (alpha: number, beta: number): Elementwise => [
  (x) => Math.max(0, Math.min(1, alpha * x + beta)),
  (x) => ops.clip(ops.addScalar(ops.scale(x, alpha), beta), 0, 1),
];

export function shrink(lambda: number, bias: number): Elementwise {
  const f: Unary = (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  return [f, (x) => mapped(x, f, (each) => +(abs(each) > lambda))];
}

export const gelu = (approximate: boolean): Elementwise => [
  approximate
    ? (x) => 0.5 * x * (1 + real.tanh(sqrt(2 / PI) * (x + 0.044715 * x ** 3)))
    : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  (x) => ops.gelu(x, { approximate }),
];

export const swish = (alpha: number): Elementwise => [
  (x) => x * sigmoidOf(alpha * x),
  (x) => ops.mul(x, ops.sigmoid(ops.scale(x, alpha))),
];
