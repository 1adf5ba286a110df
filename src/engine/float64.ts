// Float64 functions made of basic arithmetic only. Those of `Math` differ between hosts in the last bits, but training
// must give the same bits on every host. Relative errors are below 5e-16 unless noted.

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** ln x for normal positive x. */
export function ln(x: number): number {
  double[0] = x;
  let exponent = (words[1]! >>> 20) - 1023;
  words[1] = (words[1]! & 0xfffff) | 0x3ff00000;
  let m = double[0]!;
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  // ln m = 2·artanh(s) as a series in s ≤ 0.172: 11 terms reach 1e-17.
  const s = (m - 1) / (m + 1);
  let series = 0;
  for (let n = 21; n >= 1; n -= 2) series = series * s * s + 1 / n;
  return exponent * Math.LN2 + 2 * s * series;
}

/** 2ˣ; 0 if that is below the smallest normal number. */
export function exp2(x: number): number {
  if (x >= 1024) return Number.POSITIVE_INFINITY;
  if (!(x >= -1022)) return Number.isNaN(x) ? x : 0;
  // x = 1023.7 rounds to 1024, which is too large for an exponent.
  const whole = Math.min(Math.round(x), 1023);
  const rest = (x - whole) * Math.LN2;
  // The series of e^rest for |rest| ≤ 0.7: 18 terms reach 1e-18.
  let series = 1;
  for (let n = 18; n >= 1; n--) series = 1 + (series * rest) / n;
  words[0] = 0;
  words[1] = (whole + 1023) << 20;
  return double[0]! * series;
}

/** base^exponent for an integer exponent ≥ 0, by squaring. The relative error is about 1e-16 times the exponent. */
export function integerPower(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

/**
 * base^exponent for base ≥ 0. Relative error below 1e-14 for results within 1e±12. Integer exponents up to 16 are
 * computed by squaring.
 */
export function power(base: number, exponent: number): number {
  if (Number.isInteger(exponent) && exponent >= 0 && exponent <= 16) return integerPower(base, exponent);
  if (base === 0) return exponent > 0 ? 0 : Number.POSITIVE_INFINITY;
  return exp2((exponent * ln(base)) / Math.LN2);
}

/** cos πx, exact at every quarter turn. Absolute error below 4e-16. */
export function cosPi(x: number): number {
  const turn = Math.abs(x) % 2;
  const half = turn > 1 ? 2 - turn : turn;
  return half > 0.5 ? -cosFirstQuarter(1 - half) : cosFirstQuarter(half);
}

/** cos πx for 0 ≤ x ≤ ½: the series of cos πx up to ¼, and that of sin π(½ − x) above. Both angles are at most π/4. */
function cosFirstQuarter(x: number): number {
  const fromSine = x > 0.25;
  const angle = Math.PI * (fromSine ? 0.5 - x : x);
  const square = angle * angle;
  let series = 1;
  for (let n = fromSine ? 19 : 18; n >= 2; n -= 2) series = 1 - (series * square) / (n * (n - 1));
  return fromSine ? angle * series : series;
}

/** sin πx, exact at every quarter turn. Absolute error below 4e-16. Near 0 the relative error is below 4e-16 too. */
export function sinPi(x: number): number {
  if (x === 0) return x;
  const turn = Math.abs(x) % 2;
  const half = turn > 1 ? turn - 1 : turn;
  const first = half > 0.5 ? 1 - half : half;
  const value = first > 0.25 ? cosFirstQuarter(0.5 - first) : sinFirstEighth(first);
  return x < 0 === turn > 1 ? value : -value;
}

/** sin πx for 0 ≤ x ≤ ¼. */
function sinFirstEighth(x: number): number {
  const angle = Math.PI * x;
  let series = 1;
  for (let n = 19; n >= 2; n -= 2) series = 1 - (series * angle * angle) / (n * (n - 1));
  return angle * series;
}
