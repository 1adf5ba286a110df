// Probabilities as logarithms, in float64. −∞ is the logarithm of 0.
import { ln } from '../engine/float64.ts';

/** ln 2π */
export const LN_2PI = 1.8378770664093453;

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/**
 * eˣ, with a relative error below 1e-15. 0 below −708, where the result would not be a normal number. `Math.exp`
 * differs between hosts.
 */
export function exp(x: number): number {
  if (!(x >= -708)) return Number.isNaN(x) ? x : 0;
  if (x > 709.78) return Number.POSITIVE_INFINITY;
  const whole = Math.min(Math.round(x * Math.LOG2E), 1023);
  // ln 2 in two parts, as in fdlibm: the product of the first with `whole` is exact.
  const r = x - whole * LN2_HIGH - whole * LN2_LOW;
  // The series of eʳ for |r| ≤ 0.35: 13 terms reach 1e-17.
  let y = 1 + r * (1 / 12) * (1 + r * (1 / 13));
  y = 1 + r * (1 / 10) * (1 + r * (1 / 11) * y);
  y = 1 + r * (1 / 8) * (1 + r * (1 / 9) * y);
  y = 1 + r * (1 / 6) * (1 + r * (1 / 7) * y);
  y = 1 + r * (1 / 4) * (1 + r * (1 / 5) * y);
  y = 1 + r * (1 + r * (1 / 2) * (1 + r * (1 / 3) * y));
  words[0] = 0;
  words[1] = (whole + 1023) << 20;
  return y * double[0]!;
}

/** ln x; −∞ for 0 and for numbers below the smallest normal one, NaN for negative numbers. */
export const log = (x: number): number =>
  x >= 2.2250738585072014e-308 ? ln(x) : x >= 0 ? Number.NEGATIVE_INFINITY : Number.NaN;

/** ln Σ exp(values[i]) of `size` numbers from `from` on. −∞ if all are −∞. */
export function logSumExp(values: Float64Array, from = 0, size = values.length): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + size; i++) if (values[i]! > top) top = values[i]!;
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (let i = from; i < from + size; i++) sum += exp(values[i]! - top);
  return top + log(sum);
}
