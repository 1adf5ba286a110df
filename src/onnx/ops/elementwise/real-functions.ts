// Functions of real numbers in float64, made of basic arithmetic, so that every host gives the same bits. Relative
// errors are below 1e-14, where the text does not say more.
import { cosPi, exp2, ln, power, sinPi } from '../../../engine/float64.ts';

/** Below this size a series of a few terms is used, because the plain formula would cancel. */
const SMALL = 0.02;

export const exp = (x: number): number => exp2(x / Math.LN2);

/** eˣ − 1 */
export function expm1(x: number): number {
  if (!(Math.abs(x) < SMALL)) return exp(x) - 1;
  let series = 1;
  for (let n = 7; n >= 2; n--) series = 1 + (series * x) / n;
  return x * series;
}

export function log(x: number): number {
  if (x > 0 && x < Number.POSITIVE_INFINITY) return ln(x);
  return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN;
}

/** ln(1 + x) */
export function log1p(x: number): number {
  if (!(Math.abs(x) < SMALL)) return log(1 + x);
  // 2·artanh(x/(2 + x))
  const s = x / (2 + x);
  return 2 * s * (1 + s * s * (1 / 3 + s * s * (1 / 5 + (s * s) / 7)));
}

export const sin = (x: number): number => sinPi(x / Math.PI);
export const cos = (x: number): number => cosPi(x / Math.PI);
export const tan = (x: number): number => sin(x) / cos(x);

export const sinh = (x: number): number =>
  Math.abs(x) < SMALL ? x * (1 + (x * x) / 6 + (x * x * x * x) / 120) : (exp(x) - exp(-x)) / 2;
export const cosh = (x: number): number => (exp(x) + exp(-x)) / 2;

export function tanh(x: number): number {
  if (Math.abs(x) > 20) return Math.sign(x);
  const e = expm1(2 * x);
  return e / (e + 2);
}

export const asinh = (x: number): number => {
  const size = Math.abs(x);
  return Math.sign(x) * log1p(size + (size * size) / (1 + Math.sqrt(size * size + 1)));
};
export const acosh = (x: number): number => log(x + Math.sqrt(x * x - 1));
export const atanh = (x: number): number => log1p((2 * x) / (1 - x)) / 2;

export function atan(x: number): number {
  const size = Math.abs(x);
  if (size > 1) return Math.sign(x) * (Math.PI / 2 - atan(1 / size));
  // Two halvings of the angle leave at most tan(π/16) ≈ 0.2 for the series.
  const half = (t: number): number => t / (1 + Math.sqrt(1 + t * t));
  const t = half(half(x));
  let series = 0;
  for (let n = 21; n >= 1; n -= 2) series = 1 / n - series * t * t;
  return 4 * t * series;
}

export const asin = (x: number): number =>
  Math.abs(x) === 1 ? (x * Math.PI) / 2 : atan(x / Math.sqrt((1 - x) * (1 + x)));
export const acos = (x: number): number => Math.PI / 2 - asin(x);

/** aᵇ, for a < 0 where b is an integer. */
export function pow(a: number, b: number): number {
  if (b === 0 || a === 1) return 1;
  if (b < 0) return 1 / pow(a, -b);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.isNaN(a + b) ? Number.NaN : infinitePower(a, b);
  if (a >= 0) return power(a, b);
  return Number.isInteger(b) ? (b % 2 === 0 ? 1 : -1) * power(-a, b) : Number.NaN;
}

function infinitePower(a: number, b: number): number {
  if (!Number.isFinite(b)) return Math.abs(a) > 1 ? Number.POSITIVE_INFINITY : Math.abs(a) < 1 ? 0 : 1;
  return a > 0 || b % 2 !== 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}
