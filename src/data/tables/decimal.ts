/** 10⁰ to 10²², the powers of ten that float64 represents exactly. */
const powers = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
];

/** float64 represents every whole number of at most this many digits exactly. @internal */
export const EXACT_DIGITS = 15;

/**
 * The float64 nearest to (high·10^count + low)·10^−scale, the same as `Number` gives for such a text.
 *
 * If the whole number and the power of ten are both exact, only their quotient or product is rounded (Clinger). A
 * longer number is divided as a sum of two float64. The error of that is below 2⁻⁵⁰ of the correction. If it could
 * change the rounding, the result is NaN.
 *
 * @param high the first digits, at most `EXACT_DIGITS`.
 * @param low the digits that follow, at most `EXACT_DIGITS`.
 * @param count number of digits in `low`.
 * @param scale number of digits after the point, minus the exponent.
 * @returns the number, or NaN if this method cannot decide it.
 * @see Clinger, How to Read Floating Point Numbers Accurately, 1990; Dekker, A Floating-Point Technique, 1971
 * @internal
 */
export function decimal(high: number, low: number, count: number, scale: number): number {
  if (scale > 22 || scale < -22) return Number.NaN;
  if (count === 0) return scale < 0 ? high * powers[-scale] : high / powers[scale];
  if (scale < 0) return Number.NaN;

  // The whole number is sum + rest exactly; rest is a whole number below 2⁵³.
  const product = high * powers[count];
  const sum = product + low;
  const part = sum - product;
  const rest = productError(high, powers[count], product) + (product - (sum - part)) + (low - part);

  const divisor = powers[scale];
  const quotient = sum / divisor;
  const back = quotient * divisor;
  // The remainder of a rounded quotient is exact in float64.
  const remainder = sum - back - productError(quotient, divisor, back);
  const correction = (remainder + rest) / divisor;
  const nearest = quotient + correction;
  const error = correction * 2 ** -50;
  return quotient + (correction - error) === nearest && quotient + (correction + error) === nearest
    ? nearest
    : Number.NaN;
}

/** The exact error a·b − product, for product = a·b rounded to float64. */
function productError(a: number, b: number, product: number): number {
  const aHigh = upperHalf(a);
  const bHigh = upperHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The upper 26 bits of a number. */
function upperHalf(x: number): number {
  const shifted = x * (2 ** 27 + 1);
  return shifted - (shifted - x);
}
