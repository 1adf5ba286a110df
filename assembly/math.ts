// exp, sigmoid, tanh and log of four floats, each within 4 ulp of the correctly rounded value over the whole float32 line (test/kernels/math.exhaustive.ts).
// Only selects, additions, products, quotients and shifts: in the plain build every bit is fixed by the Wasm standard.
//
// Constants stand in a table and are splatted from memory where they are used: a splat of a literal is rebuilt in each round of a loop, and
// the 22 constants of an LSTM step exceed the 15 registers that V8 has on x64, so that locals would be reloaded from the stack anyway.
//
// pmin(x, limit) and pmax(x, limit) return x unless the comparison holds, so NaN and −0 pass through in this order of arguments.

import { madd, nmadd } from './simd';

const table = memory.data<f32>([
  // 0: 1
  1.0,
  // 1–3: log2(e); ln 2 as a head of 9 bits, whose product with any exponent is exact, and a tail
  1.44269504, 0.693359375, -2.12194440e-4,
  // 4–8: e^r = 1 + r·(a1 + r·(a2 + …)), |r| ≤ 0.3475, minimax in relative error 9.3e-8
  0.99999970242125092, 0.49999140414250782, 0.1666764673453818, 0.041899167133927405, 0.0082900758062675457,
  // 9–10: exp: limits beyond which the result is 0 and ∞
  -104.0, 89.0,
  // 11: 1.5·2²³ + 254: adding it rounds to an integer, which stands in the low bits of the sum, here with twice the bias of an exponent
  12583166.0,
  // 12–13: exp of x ≤ 0: 1.5·2²³ + 127 + 32, and 2⁻³²
  12583071.0, 2.3283064365386963e-10,
  // 14–16: sigmoid: −log2(e); the upper limit; 1.5·2²³ + 127 − 32
  -1.44269504, 18.0, 12583007.0,
  // 17–19: −a1, −a3, −a5
  -0.99999970242125092, -0.1666764673453818, -0.0082900758062675457,
  // 20–21: tanh: limits, where it rounds to ±1
  -9.02, 9.02,
  // 22–29: tanh(x) = x·(1 + u·(p1 + u·(p2 + …)))/(1 + u·(q1 + …)), u = x², minimax in relative error 2.2e-8: p4…p1, q4…q1
  1.3384399200909856e-8, 2.0635892611610098e-5, 0.0034974614717514965, 0.13382690277309545,
  7.7902913657286705e-7, 0.00032885239090741635, 0.025884374804659829, 0.46716011523295443,
  // 30–35: log, from FreeBSD's e_logf.c: Lg4…Lg1, ln 2 as head and tail
  0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693, 6.9313812256e-1, 9.0580006145e-6,
  // 36–37: the smallest normal number; 2²⁵
  1.1754943508222875e-38, 33554432.0,
]);

// @ts-ignore: decorator
@inline
function k(index: i32): v128 {
  return v128.load32_splat(table + (<usize>index << 2));
}

/** e^r for |r| ≤ 0.3475 */
// @ts-ignore: decorator
@inline
function exp_polynomial(r: v128): v128 {
  return madd(r, madd(r, madd(r, madd(r, madd(r, k(8), k(7)), k(6)), k(5)), k(4)), k(0));
}

/** e^x. x = n·ln 2 + r; 2ⁿ is multiplied in as two factors of half the exponent, so that n = 128 and subnormal results round once. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, k(10)), k(9));
  const shifted = madd(x, k(1), k(11));
  const n = f32x4.sub(shifted, k(11));
  const r = nmadd(n, k(3), nmadd(n, k(2), x));
  const half = i32x4.shr_s(shifted, 1);
  const first = i32x4.shl(half, 23);
  const second = i32x4.shl(i32x4.sub(shifted, half), 23);
  return f32x4.mul(f32x4.mul(exp_polynomial(r), first), second);
}

/** e^x for x ≤ 0 (or NaN): one factor 2^(n+32), which stays normal down to the smallest result, then 2⁻³² */
// @ts-ignore: decorator
@inline
export function exp_nonpositive(x: v128): v128 {
  x = f32x4.pmax(x, k(9));
  const shifted = madd(x, k(1), k(12));
  const n = f32x4.sub(shifted, k(12));
  const r = nmadd(n, k(3), nmadd(n, k(2), x));
  return f32x4.mul(f32x4.mul(exp_polynomial(r), i32x4.shl(shifted, 23)), k(13));
}

/**
 * 1/(1 + e^−x) as s/(s + s·e^−x) with s = 2⁻³², which keeps s·e^−x finite down to the x where the result underflows: neither |x| nor a
 * select by sign is needed. −x = n·ln 2 − r, so the polynomial has the odd signs turned.
 */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, k(15)), k(9));
  const shifted = madd(x, k(14), k(16));
  const n = f32x4.sub(shifted, k(16));
  const r = madd(n, k(3), madd(n, k(2), x));
  const p = madd(r, madd(r, madd(r, madd(r, madd(r, k(19), k(7)), k(18)), k(5)), k(17)), k(0));
  const s = k(13);
  return f32x4.div(s, madd(p, i32x4.shl(shifted, 23), s));
}

/** tanh x as a rational function; constant terms of exactly 1 make tiny x its own result. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, k(21)), k(20));
  const u = f32x4.mul(x, x);
  const p = madd(u, madd(u, madd(u, madd(u, k(22), k(23)), k(24)), k(25)), k(0));
  const q = madd(u, madd(u, madd(u, madd(u, k(26), k(27)), k(28)), k(29)), k(0));
  return f32x4.div(f32x4.mul(x, p), q);
}

/** ln x after FreeBSD's e_logf.c: x = 2ⁿ·(1 + f) with 1 + f in [√½, √2), s = f/(2 + f), ln(1 + f) = f − f²/2 + s·(f²/2 + R(s²)) */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const subnormal = f32x4.lt(x, k(36));
  const scaled = v128.bitselect(f32x4.mul(x, k(37)), x, subnormal);
  const bits = i32x4.add(scaled, i32x4.splat(0x3f800000 - 0x3f3504f3));
  const exponent = i32x4.sub(i32x4.shr_s(bits, 23), v128.bitselect(i32x4.splat(127 + 25), i32x4.splat(127), subnormal));
  const n = f32x4.convert_i32x4_s(exponent);
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, k(0));
  const s = f32x4.div(f, f32x4.add(f32x4.splat(2), f));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const r = madd(w, madd(w, k(30), k(32)), f32x4.mul(z, madd(w, k(31), k(33))));
  const half = f32x4.mul(f32x4.mul(f32x4.splat(0.5), f), f);
  const small = madd(n, k(35), f32x4.mul(s, f32x4.add(half, r)));
  const y = madd(n, k(34), f32x4.add(f32x4.sub(small, half), f));
  // √x is what ln x must be at NaN, ∞ and below 0; only 0 itself differs.
  const special = v128.bitselect(f32x4.splat(-Infinity), f32x4.sqrt(x), f32x4.eq(x, f32x4.splat(0)));
  const regular = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(Infinity)));
  return v128.bitselect(y, special, regular);
}

/**
 * ln x in float64 for finite x ≥ 1, relative error below 1e-12 also just above 1, where a loss vanishes: 2·atanh(f/(2 + f)) as a series,
 * |f/(2 + f)| ≤ 0.172.
 */
export function log_f64(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i64>(x) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  const n = <f64>((bits >> 52) - 1023);
  const f = reinterpret<f64>((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
  const s = f / (2.0 + f);
  const z = s * s;
  const series = 1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * (1.0 / 15))))));
  return n * 0.6931471805599453 + (2 * s + 2 * s * z * series);
}
