// Keras 3's activations and their derivatives in float64, by the names of `Unary`.
import { sigmoid } from './math.ts';

/** erfc z, relative error below 1e-12: a series of positive terms near 0, a continued fraction beyond 2. */
export function erfc(z: number): number {
  if (z < 0) return 2 - erfc(-z);
  const scale = Math.exp(-z * z) / Math.sqrt(Math.PI);
  if (z < 2) {
    let term = 2 * z;
    let sum = term;
    for (let n = 1; term > 1e-18 * sum; n++) sum += term *= (2 * z * z) / (2 * n + 1);
    return 1 - scale * sum;
  }
  let fraction = z;
  for (let n = 80; n > 0; n--) fraction = z + n / 2 / fraction;
  return scale / fraction;
}

const normal = (x: number): number => erfc(-x / Math.SQRT2) / 2;
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x: number): number => Math.min(Math.max(x + 3, 0), 6) / 6;
const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };
// 0.5·(1 + tanh u) = σ(2u)
const gate = (x: number): number => sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));

interface Activation {
  value(x: number): number;
  /** f′(x), at a kink as the kernel has it. */
  derivative(x: number): number;
}

export const activations = {
  LeakyRelu: { value: (x) => (x > 0 ? x : 0.2 * x), derivative: (x) => (x > 0 ? 1 : 0.2) },
  Relu6: { value: (x) => Math.min(Math.max(x, 0), 6), derivative: (x) => (x > 0 && x < 6 ? 1 : 0) },
  Elu: { value: (x) => (x > 0 ? x : Math.expm1(x)), derivative: (x) => (x > 0 ? 1 : Math.exp(x)) },
  Selu: {
    value: (x) => SELU.scale * (x > 0 ? x : SELU.alpha * Math.expm1(x)),
    derivative: (x) => SELU.scale * (x > 0 ? 1 : SELU.alpha * Math.exp(x)),
  },
  Gelu: { value: (x) => x * normal(x), derivative: (x) => normal(x) + x * density(x) },
  GeluTanh: {
    value: (x) => x * gate(x),
    derivative: (x) => {
      const s = gate(x);
      return s + x * s * (1 - s) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    },
  },
  Softplus: { value: softplus, derivative: sigmoid },
  Softsign: { value: (x) => x / (1 + Math.abs(x)), derivative: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  Silu: { value: (x) => x * sigmoid(x), derivative: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  HardSigmoid: { value: hardSigmoid, derivative: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0) },
  HardSilu: {
    value: (x) => x * hardSigmoid(x),
    derivative: (x) => hardSigmoid(x) + (Math.abs(x) < 3 ? x / 6 : 0),
  },
  Mish: {
    value: (x) => x * Math.tanh(softplus(x)),
    derivative: (x) => {
      const t = Math.tanh(softplus(x));
      return t + x * (1 - t * t) * sigmoid(x);
    },
  },
} satisfies Record<string, Activation>;
