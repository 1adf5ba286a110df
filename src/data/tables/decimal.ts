/** 10⁰ to 10²², the powers of ten that float64 holds exactly. */
const powers = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
];

/** Up to so many digits every whole number is one that float64 holds exactly. @internal */
export const EXACT_DIGITS = 15;

/**
 * The float64 nearest to (high·10^count + low)·10^−scale, the one that `Number` gives for such a text.
 *
 * A whole number and a power of ten that are both exact leave one rounding, that of their quotient or product
 * (Clinger). A longer number is divided as a sum of two float64; where the error of that, below 2⁻⁵⁰ of the correction,
 * might change the rounding, there is no answer.
 *
 * @param high the first digits, at most `EXACT_DIGITS`.
 * @param low the digits that follow, at most `EXACT_DIGITS`.
 * @param count how many digits `low` has.
 * @param scale how many of all digits stand behind the point, less the exponent.
 * @returns the number, or NaN if this way cannot tell it.
 * @see Clinger, How to Read Floating Point Numbers Accurately, 1990; Dekker, A Floating-Point Technique, 1971
 * @internal
 */
export function decimal(high: number, low: number, count: number, scale: number): number {
  if (scale > 22 || scale < -22) return Number.NaN;
  if (count === 0) return scale < 0 ? high * powers[-scale] : high / powers[scale];
  if (scale < 0) return Number.NaN;

  // The whole number as sum + rest, exact: rest is a whole number below 2⁵³.
  const product = high * powers[count];
  const sum = product + low;
  const part = sum - product;
  const rest = productError(high, powers[count], product) + (product - (sum - part)) + (low - part);

  const divisor = powers[scale];
  const quotient = sum / divisor;
  const back = quotient * divisor;
  // What a rounded quotient leaves over is exact in float64.
  const remainder = sum - back - productError(quotient, divisor, back);
  const correction = (remainder + rest) / divisor;
  const nearest = quotient + correction;
  const error = correction * 2 ** -50;
  return quotient + (correction - error) === nearest && quotient + (correction + error) === nearest
    ? nearest
    : Number.NaN;
}

/** a·b − product, exact, for product = a·b as float64 rounds it. */
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
