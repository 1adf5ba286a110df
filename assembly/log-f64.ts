// The logarithm of one float64, without a table: the extra kernels may have no static data. Called by softmax.ts,
// ctc.ts and chain/.

/**
 * ln x in float64 for normal x; NaN and ∞ return themselves. The relative error is below 1e-12, also just above 1,
 * where a loss goes to 0. It is the series of 2·atanh(s) with s = f/(2 + f), |s| ≤ 0.172, x = 2ⁿ·(1 + f).
 */
export function log_f64(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i64>(x) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  const n = <f64>((bits >> 52) - 1023);
  const f = reinterpret<f64>((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
  const s = f / (2.0 + f);
  const z = s * s;
  const series =
    1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * (1.0 / 15))))));
  return n * 0.6931471805599453 + (2 * s + 2 * s * z * series);
}
