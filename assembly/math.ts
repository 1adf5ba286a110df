// exp, sigmoid, tanh and log of four floats, each within 4 ulp of the correctly rounded value over the whole float32
// line (test/kernels/math.exhaustive.ts). Only selects, additions, products, quotients and shifts: in the plain build
// every bit is fixed by the Wasm standard.
//
// Constants stand in a table and are splatted from memory where they are used: a splat of a literal is rebuilt in each
// round of a loop, and the 22 constants of an LSTM step exceed the 15 registers that V8 has on x64, so that locals
// would be reloaded from the stack anyway.
//
// Polynomials split into halves by r² rather than run as one Horner chain: their latency is what bounds these
// functions. The last step stays c + r·(…), which rounds least.
//
// pmin(x, limit) and pmax(x, limit) return x unless the comparison holds, so NaN and −0 pass through in this order of
// arguments.

import { madd, nmadd } from './simd';

const table = memory.data<f32>([
  // One … A5: log2(e); ln 2 as a head of 9 bits, whose product with any exponent is exact, and a tail; e^r = 1 + r·(A1
  // + r·(A2 + …)) for |r| ≤ 0.3475, minimax in relative error 9.3e-8
  1.0, 1.44269504, 0.693359375, -2.12194440e-4,
  0.99999970242125092, 0.49999140414250782, 0.1666764673453818, 0.041899167133927405, 0.0082900758062675457,
  // ExpLeast … Tiny: limits beyond which e^x is 0 and ∞. A shift is 1.5·2²³ plus a bias: adding it rounds to an integer
  // that stands, biased, in the low bits of the sum. The bias is 2·127, that of two exponents; then 127 + 32, with 2⁻³²
  // to take the 32 back
  -104.0, 89.0, 12583166.0, 12583071.0, 2.3283064365386963e-10,
  // NegLog2E … NegA5: the shift's bias is 127 − 32
  -1.44269504, 18.0, 12583007.0, -0.99999970242125092, -0.1666764673453818, -0.0082900758062675457,
  // TanhLeast … Two: limits where tanh rounds to ±1; bias 127; ½·ln 2 in one number, whose error times n is lost in E +
  // 2; (e^2r − 1)/r = 2 + r·(B1 + r·(B2 + …)) for |r| ≤ 0.174, minimax in relative error 1.4e-8
  -9.02, 9.02, 2.885390081777927, 12583039.0, 0.34657359027997264,
  0.08884724506501877, 0.2677343118131467, 0.6666753107996739, 1.3333233833316496, 1.9999999248440672, 2.0,
  // L4 … Half: from FreeBSD's e_logf.c; the smallest normal number and 2²⁵; √½, whose bits are the least of a mantissa;
  // the bias of an exponent, plain and of a subnormal scaled by 2²⁵
  0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693, 6.9313812256e-1, 9.0580006145e-6,
  1.1754943508222875e-38, 33554432.0, 0.7071067690849304, 127.0, 152.0, Infinity, 0.5,
]);

/** Places in the table. */
enum K {
  One,
  Log2E,
  Ln2Head,
  Ln2Tail,
  A1,
  A2,
  A3,
  A4,
  A5,
  ExpLeast,
  ExpGreatest,
  ExpShift,
  DecayShift,
  Tiny,
  NegLog2E,
  SigmoidGreatest,
  SigmoidShift,
  NegA1,
  NegA3,
  NegA5,
  TanhLeast,
  TanhGreatest,
  TwoLog2E,
  TanhShift,
  HalfLn2,
  B5,
  B4,
  B3,
  B2,
  B1,
  Two,
  L4,
  L3,
  L2,
  L1,
  LogLn2Head,
  LogLn2Tail,
  LeastNormal,
  SubnormalScale,
  RootHalf,
  Bias,
  SubnormalBias,
  Inf,
  Half,
}

// @ts-ignore: decorator
@inline
function k(index: i32): v128 {
  return v128.load32_splat(table + (<usize>index << 2));
}

/** e^r for |r| ≤ 0.3475 */
// @ts-ignore: decorator
@inline
function exp_polynomial(r: v128): v128 {
  const square = f32x4.mul(r, r);
  const high = madd(square, k(K.A5), madd(r, k(K.A4), k(K.A3)));
  return madd(r, madd(square, high, madd(r, k(K.A2), k(K.A1))), k(K.One));
}

/**
 * e^x. x = n·ln 2 + r; 2ⁿ is multiplied in as two factors of half the exponent, so that n = 128 and subnormal results
 * round once.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, k(K.ExpGreatest)), k(K.ExpLeast));
  const shifted = madd(x, k(K.Log2E), k(K.ExpShift));
  const n = f32x4.sub(shifted, k(K.ExpShift));
  const r = nmadd(n, k(K.Ln2Tail), nmadd(n, k(K.Ln2Head), x));
  const half = i32x4.shr_s(shifted, 1);
  const first = i32x4.shl(half, 23);
  const second = i32x4.shl(i32x4.sub(shifted, half), 23);
  return f32x4.mul(f32x4.mul(exp_polynomial(r), first), second);
}

/** e^x for x ≤ 0 (or NaN): one factor 2^(n+32), which stays normal down to the smallest result, then 2⁻³² */
// @ts-ignore: decorator
@inline
export function exp_nonpositive(x: v128): v128 {
  x = f32x4.pmax(x, k(K.ExpLeast));
  const shifted = madd(x, k(K.Log2E), k(K.DecayShift));
  const n = f32x4.sub(shifted, k(K.DecayShift));
  const r = nmadd(n, k(K.Ln2Tail), nmadd(n, k(K.Ln2Head), x));
  return f32x4.mul(f32x4.mul(exp_polynomial(r), i32x4.shl(shifted, 23)), k(K.Tiny));
}

/**
 * 1/(1 + e^−x) as s/(s + s·e^−x) with s = 2⁻³², which keeps s·e^−x finite down to the x where the result underflows:
 * neither |x| nor a select by sign is needed. −x = n·ln 2 − r, so the polynomial has the odd signs turned.
 */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, k(K.SigmoidGreatest)), k(K.ExpLeast));
  const shifted = madd(x, k(K.NegLog2E), k(K.SigmoidShift));
  const n = f32x4.sub(shifted, k(K.SigmoidShift));
  const r = madd(n, k(K.Ln2Tail), madd(n, k(K.Ln2Head), x));
  const square = f32x4.mul(r, r);
  const high = madd(square, k(K.NegA5), madd(r, k(K.A4), k(K.NegA3)));
  const p = madd(r, madd(square, high, madd(r, k(K.A2), k(K.NegA1))), k(K.One));
  const s = k(K.Tiny);
  return f32x4.div(s, madd(p, i32x4.shl(shifted, 23), s));
}

/**
 * e^2x − 1 for |x| ≤ 9.02 (or NaN) as 2ⁿ·(e^2r − 1) − (1 − 2ⁿ), x = n·½ln 2 + r: exact to rounding at tiny x, where n =
 * 0. The order of the subtractions keeps −0.
 */
// @ts-ignore: decorator
@inline
export function expm1_twice(x: v128): v128 {
  const shifted = madd(x, k(K.TwoLog2E), k(K.TanhShift));
  const r = nmadd(f32x4.sub(shifted, k(K.TanhShift)), k(K.HalfLn2), x);
  const square = f32x4.mul(r, r);
  const high = madd(square, k(K.B5), madd(r, k(K.B4), k(K.B3)));
  const q = madd(r, madd(square, high, madd(r, k(K.B2), k(K.B1))), k(K.Two));
  const scale = i32x4.shl(shifted, 23);
  return f32x4.sub(f32x4.mul(f32x4.mul(r, scale), q), f32x4.sub(k(K.One), scale));
}

/** E/(E + 2) with E = e^2x − 1: never beyond ±1, as a rational approximation of the same cost would be. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const e = expm1_twice(f32x4.pmax(f32x4.pmin(x, k(K.TanhGreatest)), k(K.TanhLeast)));
  return f32x4.div(e, f32x4.add(e, k(K.Two)));
}

/**
 * ln x after FreeBSD's e_logf.c: x = 2ⁿ·(1 + f) with 1 + f in [√½, √2), s = f/(2 + f), ln(1 + f) = f − f²/2 + s·(f²/2 +
 * R(s²))
 */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const zero = f32x4.sub(k(K.One), k(K.One));
  const subnormal = f32x4.lt(x, k(K.LeastNormal));
  const scaled = v128.bitselect(f32x4.mul(x, k(K.SubnormalScale)), x, subnormal);
  const bits = i32x4.add(scaled, i32x4.sub(k(K.One), k(K.RootHalf)));
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const n = f32x4.sub(exponent, v128.bitselect(k(K.SubnormalBias), k(K.Bias), subnormal));
  const f = f32x4.sub(i32x4.add(i32x4.shr_u(i32x4.shl(bits, 9), 9), k(K.RootHalf)), k(K.One));
  const s = f32x4.div(f, f32x4.add(k(K.Two), f));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const r = madd(w, madd(w, k(K.L4), k(K.L2)), f32x4.mul(z, madd(w, k(K.L3), k(K.L1))));
  const half = f32x4.mul(f32x4.mul(k(K.Half), f), f);
  const small = madd(n, k(K.LogLn2Tail), f32x4.mul(s, f32x4.add(half, r)));
  const y = madd(n, k(K.LogLn2Head), f32x4.add(f32x4.sub(small, half), f));
  // √x is what ln x must be at NaN, ∞ and below 0; only 0 itself differs.
  const special = v128.bitselect(f32x4.neg(k(K.Inf)), f32x4.sqrt(x), f32x4.eq(x, zero));
  const regular = v128.and(f32x4.gt(x, zero), f32x4.lt(x, k(K.Inf)));
  return v128.bitselect(y, special, regular);
}

/**
 * ln x in float64 for finite x ≥ 1, relative error below 1e-12 also just above 1, where a loss vanishes: 2·atanh(f/(2 +
 * f)) as a series,
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
