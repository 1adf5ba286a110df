// The functions of `Unary` and `Binary` and their derivatives in float64, by name.
import type { Binary, Unary } from '../../../src/engine/abi.ts';
import { activations } from './activation.ts';
import { sigmoid } from './math.ts';

interface Differentiable {
  value(x: number): number;
  /** f′(x); only where f is differentiable, and 0 at the kink of Abs and Relu. */
  derivative(x: number): number;
  /** Whether f takes negative arguments; default true. */
  signed?: boolean;
}

export const unary: Record<keyof typeof Unary, Differentiable> = {
  Neg: { value: (x) => -x, derivative: () => -1 },
  Abs: { value: Math.abs, derivative: Math.sign },
  Square: { value: (x) => x * x, derivative: (x) => 2 * x },
  Sqrt: { value: Math.sqrt, derivative: (x) => 0.5 / Math.sqrt(x), signed: false },
  Reciprocal: { value: (x) => 1 / x, derivative: (x) => -1 / (x * x) },
  Exp: { value: Math.exp, derivative: Math.exp },
  Log: { value: Math.log, derivative: (x) => 1 / x, signed: false },
  Sigmoid: { value: sigmoid, derivative: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  Tanh: { value: Math.tanh, derivative: (x) => 1 - Math.tanh(x) ** 2 },
  Relu: { value: (x) => Math.max(x, 0), derivative: (x) => (x > 0 ? 1 : 0) },
  ...activations,
};

export const binary: Record<keyof typeof Binary, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
};
