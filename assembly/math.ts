// exp, sigmoid, tanh and log of four floats.
//
//   e^x      σ(x) = 1/(1 + e^−x)      tanh(x) = (e^2x − 1)/(e^2x + 1)      ln(x)
//
// Arguments and results are vectors, so there are no pointers but the table below. The float32 results are within 4 ulp
// of the correctly rounded value for every float32 (test/kernels/math.exhaustive.ts). The functions use only selects,
// additions, products, quotients and shifts, so the Wasm standard fixes every bit of the plain build. Called by
// elementwise.ts, activation.ts, the cells and softmax.ts. Sources: minimax polynomials made for these ranges,
// and e_logf.c of FreeBSD's msun for the logarithm.
//
// Constants are in a table and are loaded from memory where they are used. A literal vector would be built again in
// each round of a loop. Locals would be reloaded from the stack: the 22 constants of an LSTM step need more than the 15
// registers that V8 has on x64.
//
// Polynomials are split into halves by r² and are not one Horner chain, because latency bounds these functions. The
// last step stays c + r·(…), which rounds least.
//
// pmin(x, limit) and pmax(x, limit) return x unless the comparison holds. So NaN and −0 pass through in this order of
// arguments.

import { madd, nmadd } from './simd';

const table = memory.data<f32>([
  // One … A5: log2(e); ln 2 as a head of 9 bits, whose product with any exponent is exact, and a tail; the polynomial
  // e^r = 1 + r·(A1 + r·(A2 + …)) for |r| ≤ 0.3475, minimax with relative error 9.3e-8.
  1.0, 1.44269504, 0.693359375, -2.12194440e-4,
  0.99999970242125092, 0.49999140414250782, 0.1666764673453818, 0.041899167133927405, 0.0082900758062675457,
  // ExpLeast … Tiny: limits beyond which e^x is 0 and ∞. A shift is 1.5·2²³ plus a bias. Adding a shift rounds to an
  // integer, and the low bits of the sum are that integer plus the bias. ExpShift has the bias 2·127, for two
  // exponents. DecayShift has 127 + 32, and Tiny = 2⁻³² removes the 32.
  -104.0, 89.0, 12583166.0, 12583071.0, 2.3283064365386963e-10,
  // NegLog2E … NegA5: SigmoidShift has the bias 127 − 32.
  -1.44269504, 18.0, 12583007.0, -0.99999970242125092, -0.1666764673453818, -0.0082900758062675457,
  // TanhLeast … Two: limits beyond which tanh rounds to ±1; TanhShift has the bias 127; ½·ln 2 is one number, because
  // its error times n is below the last bit of E + 2; (e^2r − 1)/r = 2 + r·(B1 + r·(B2 + …)) for |r| ≤ 0.174, minimax
  // with relative error 1.4e-8.
  -9.02, 9.02, 2.885390081777927, 12583039.0, 0.34657359027997264,
  0.08884724506501877, 0.2677343118131467, 0.6666753107996739, 1.3333233833316496, 1.9999999248440672, 2.0,
  // L4 … Half: the polynomial and ln 2 of FreeBSD's e_logf.c; the smallest normal number and 2²⁵; √½, the smallest
  // 1 + f; the bias of an exponent, of a normal number and of a subnormal one scaled by 2²⁵.
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
 * e^x = 2ⁿ·e^r with x = n·ln 2 + r. 2ⁿ is applied as two factors of half the exponent, so n = 128 works and a subnormal
 * result rounds once.
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

/** e^x for x ≤ 0 or NaN. The factor 2^(n+32) is normal down to the smallest result; then 2⁻³² is applied. */
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
 * σ(x) = 1/(1 + e^−x) as s/(s + s·e^−x) with s = 2⁻³². s keeps s·e^−x finite down to the x where the result underflows,
 * so the function needs neither |x| nor a select by sign. −x = n·ln 2 − r, so odd coefficients have the opposite sign.
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
 * e^2x − 1 for |x| ≤ 9.02 or NaN, as 2ⁿ·(e^2r − 1) − (1 − 2ⁿ) with x = n·½·ln 2 + r. At tiny x, n is 0 and the result
 * is exact to rounding. This order of the subtractions keeps −0.
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

/** tanh(x) = E/(E + 2) with E = e^2x − 1. It never exceeds ±1; a rational approximation of the same cost would. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const e = expm1_twice(f32x4.pmax(f32x4.pmin(x, k(K.TanhGreatest)), k(K.TanhLeast)));
  return f32x4.div(e, f32x4.add(e, k(K.Two)));
}

/**
 * ln x as in FreeBSD's e_logf.c: x = 2ⁿ·(1 + f) with 1 + f in [√½, √2), and
 * ln(1 + f) = f − f²/2 + s·(f²/2 + R(s²)) with s = f/(2 + f).
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
  // At NaN, at ∞ and below 0 ln x equals √x: NaN, ∞ and NaN. Only 0 differs.
  const special = v128.bitselect(f32x4.neg(k(K.Inf)), f32x4.sqrt(x), f32x4.eq(x, zero));
  const regular = v128.and(f32x4.gt(x, zero), f32x4.lt(x, k(K.Inf)));
  return v128.bitselect(y, special, regular);
}
