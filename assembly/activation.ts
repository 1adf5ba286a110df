// The activations beyond those of elementwise.ts, and their derivatives: Keras 3's, with its default slopes
// (keras.io/api/layers/activations).
//
// One loop serves them all and calls a function that chooses anew for every vector, some 0.3 ns a float. A loop for
// each would be faster by that, but 5 kB larger, for functions that stand beside a matrix product.
//
// pmin(x, limit) and pmax(x, limit) return x unless the comparison holds, so NaN passes through in this order of
// arguments.

import { load_lanes, store_lanes, vector_bytes } from './lanes';
import { exp, expm1_twice, log, sigmoid, tanh } from './math';
import { madd } from './simd';

/** The numbers are those of `Unary` in src/engine/abi.ts. */
export const enum Activation {
  Exp = 5,
  Log,
  Sigmoid,
  Tanh,
  LeakyRelu = 10,
  Relu6,
  Elu,
  Selu,
  Gelu,
  GeluTanh,
  Softplus,
  Softsign,
  Silu,
  HardSigmoid,
  HardSilu,
  Mish,
}

// Splatted from memory where they are used, as in math.ts: a literal vector takes 18 bytes of code. Leak, SeluScale,
// SeluAlpha; 2·√(2/π) and its product with 0.044715, as is and three times; 1/√(2π); then T and P8 … P0 of `normal`.
const table = memory.data<f32>([
  0, 0.5, 1, 2, 3, 4, 6, 20, -0.5, 0.16666666666666666, -9.02,
  0.2, 1.0507009873554805, 1.6732632423543772,
  1.5957691216057308, 0.07135481627260025, 0.21406444881780076,
  0.3989422804014327,
  0.35, -0.02914592755, 0.08919573624, -0.06399840805, -0.01612219772, -0.06415854375, 0.1026374924, 0.2610452633, -0.6398319946, 0.4999999841,
]);

/** Places in the table. */
const enum K {
  Zero,
  Half,
  One,
  Two,
  Three,
  Four,
  Six,
  Twenty,
  MinusHalf,
  Sixth,
  TanhLeast,
  Leak,
  SeluScale,
  SeluAlpha,
  Gelu1,
  Gelu3,
  Gelu9,
  Density,
  T,
  P8,
  P7,
  P6,
  P5,
  P4,
  P3,
  P2,
  P1,
  P0,
}

/** y = f(x); in place allowed. */
export function activate(count: i32, f: i32, x: usize, y: usize): void {
  const tail = count & 3;
  for (const end = x + vector_bytes(count); x < end; x += 16, y += 16) v128.store(y, value(f, v128.load(x)));
  if (tail) store_lanes(y, value(f, load_lanes(x, tail)), tail);
}

/** dx = dy·f′(x) (accumulate = 0) or dx += dy·f′(x) (1); in place allowed. */
export function activate_backward(count: i32, f: i32, x: usize, dy: usize, dx: usize, accumulate: i32): void {
  const tail = count & 3;
  for (const end = x + vector_bytes(count); x < end; x += 16, dy += 16, dx += 16) {
    const d = f32x4.mul(v128.load(dy), derivative(f, v128.load(x)));
    v128.store(dx, accumulate ? f32x4.add(v128.load(dx), d) : d);
  }
  if (tail) {
    const d = f32x4.mul(load_lanes(dy, tail), derivative(f, load_lanes(x, tail)));
    store_lanes(dx, accumulate ? f32x4.add(load_lanes(dx, tail), d) : d, tail);
  }
}

// @ts-ignore: decorator
@inline
function k(index: i32): v128 {
  return v128.load32_splat(table + (<usize>index << 2));
}

// A function that calls itself is not inlined (lanes.ts): what several functions need is had by one more call of
// `value`.

// @ts-ignore: decorator
@inline
function exp_of(x: v128): v128 {
  return value(Activation.Exp, x);
}

// @ts-ignore: decorator
@inline
function sigmoid_of(x: v128): v128 {
  return value(Activation.Sigmoid, x);
}

/**
 * σ where `count` is what `load_lanes` takes: whole vectors have code of their own, tails share that of `value`, at the
 * price of a call for each row. A copy for the tail would make a cell's kernel half as long again.
 */
// @ts-ignore: decorator
@inline
export function sigmoid_lanes(x: v128, count: i32): v128 {
  return count == 4 ? sigmoid(x) : value(Activation.Sigmoid, x);
}

/** tanh likewise. */
// @ts-ignore: decorator
@inline
export function tanh_lanes(x: v128, count: i32): v128 {
  return count == 4 ? tanh(x) : value(Activation.Tanh, x);
}

/** e^x − 1 for x ≤ 0, without the cancellation near 0. */
function expm1_nonpositive(x: v128): v128 {
  return expm1_twice(f32x4.pmax(f32x4.mul(x, k(K.Half)), k(K.TanhLeast)));
}

/** relu6(x + 3)/6 */
function hard_sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.pmin(f32x4.pmax(f32x4.add(x, k(K.Three)), k(K.Zero)), k(K.Six)), k(K.Six));
}

/** e^(−x²/2) */
function gauss(x: v128): v128 {
  return exp_of(f32x4.mul(f32x4.mul(x, x), k(K.MinusHalf)));
}

/**
 * The normal distribution Φ(x) = ½·(1 + erf(x/√2)) from g = e^(−x²/2). The smaller tail, ½·erfc(|x|/√2), is g·t·P(u)
 * with t = 1/(1 + 0.35·|x|) and u = 1 − t, had as a product so that it does not cancel near 0. P of degree 8 is minimax
 * in relative error 3.2e-8 up to |x| = 14, where g is 0: so Φ keeps its relative accuracy where it vanishes, but for
 * what g has lost to the rounding of x².
 */
function normal(x: v128, g: v128): v128 {
  const scaled = f32x4.mul(f32x4.abs(x), k(K.T));
  const t = f32x4.div(k(K.One), f32x4.add(scaled, k(K.One)));
  const u = f32x4.mul(scaled, t);
  let p = madd(u, k(K.P8), k(K.P7));
  p = madd(u, p, k(K.P6));
  p = madd(u, p, k(K.P5));
  p = madd(u, p, k(K.P4));
  p = madd(u, p, k(K.P3));
  p = madd(u, p, k(K.P2));
  p = madd(u, p, k(K.P1));
  p = madd(u, p, k(K.P0));
  const tail = f32x4.mul(g, f32x4.mul(t, p));
  return v128.bitselect(f32x4.sub(k(K.One), tail), tail, f32x4.gt(x, k(K.Zero)));
}

/**
 * ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^−|x|. ln w·u/(w − 1) for w = 1 + u takes back what w has lost of u
 * (Kahan).
 */
function softplus(x: v128): v128 {
  const u = exp_of(f32x4.neg(f32x4.abs(x)));
  const w = f32x4.add(u, k(K.One));
  const lost = f32x4.sub(w, k(K.One));
  const corrected = f32x4.div(f32x4.mul(value(Activation.Log, w), u), lost);
  return f32x4.add(f32x4.pmax(x, k(K.Zero)), v128.bitselect(corrected, u, f32x4.gt(lost, k(K.Zero))));
}

/** f of four floats: Exp to Tanh for the tails of elementwise.ts, where each has a loop of its own. */
export function value(f: i32, x: v128): v128 {
  switch (f) {
    case Activation.Exp:
      return exp(x);
    case Activation.Log:
      return log(x);
    case Activation.Sigmoid:
      return sigmoid(x);
    case Activation.Tanh:
      return tanh(x);
    case Activation.LeakyRelu:
      return madd(k(K.Leak), f32x4.pmin(x, k(K.Zero)), f32x4.pmax(x, k(K.Zero)));
    case Activation.Relu6:
      return f32x4.pmin(f32x4.pmax(x, k(K.Zero)), k(K.Six));
    case Activation.Elu:
      return v128.bitselect(x, expm1_nonpositive(x), f32x4.gt(x, k(K.Zero)));
    case Activation.Selu: {
      const negative = f32x4.mul(expm1_nonpositive(x), k(K.SeluAlpha));
      return f32x4.mul(v128.bitselect(x, negative, f32x4.gt(x, k(K.Zero))), k(K.SeluScale));
    }
    case Activation.Gelu:
      return f32x4.mul(x, normal(x, gauss(x)));
    case Activation.GeluTanh:
      return f32x4.mul(x, sigmoid_of(f32x4.mul(x, madd(f32x4.mul(x, x), k(K.Gelu3), k(K.Gelu1)))));
    case Activation.Softplus:
      return softplus(x);
    case Activation.Softsign:
      return f32x4.div(x, f32x4.add(f32x4.abs(x), k(K.One)));
    case Activation.Silu:
      return f32x4.mul(x, sigmoid_of(x));
    case Activation.HardSigmoid:
      return hard_sigmoid(x);
    case Activation.HardSilu:
      return f32x4.mul(x, hard_sigmoid(x));
    default: {
      // Mish: tanh(ln(1 + e)) = n/(n + 2) with n = e·(e + 2); beyond x = 20 the quotient is 1.
      const e = exp_of(f32x4.pmin(x, k(K.Twenty)));
      const n = f32x4.mul(e, f32x4.add(e, k(K.Two)));
      return f32x4.div(f32x4.mul(x, n), f32x4.add(n, k(K.Two)));
    }
  }
}

/**
 * The derivative of x·σ(v): σ(v) + xv′·σ(v)·σ(−v) for xv′ = x·v′(x), with the smaller of the two so that neither
 * cancels.
 */
function gated(v: v128, xv: v128): v128 {
  const n = sigmoid_of(f32x4.neg(f32x4.abs(v)));
  const m = f32x4.sub(k(K.One), n);
  return madd(f32x4.mul(n, m), xv, v128.bitselect(m, n, f32x4.gt(v, k(K.Zero))));
}

/**
 * f′(x); at a kink the side that TensorFlow takes: 0 for Relu6 and HardSigmoid, the left one for LeakyRelu, Elu and
 * Selu.
 */
function derivative(f: i32, x: v128): v128 {
  const positive = f32x4.gt(x, k(K.Zero));
  switch (f) {
    case Activation.LeakyRelu:
      return v128.bitselect(k(K.One), k(K.Leak), positive);
    case Activation.Relu6:
      return v128.and(v128.and(positive, f32x4.lt(x, k(K.Six))), k(K.One));
    case Activation.Elu:
      return v128.bitselect(k(K.One), exp_of(x), positive);
    case Activation.Selu:
      return f32x4.mul(v128.bitselect(k(K.One), f32x4.mul(exp_of(x), k(K.SeluAlpha)), positive), k(K.SeluScale));
    case Activation.Gelu: {
      const g = gauss(x);
      return madd(f32x4.mul(x, g), k(K.Density), normal(x, g));
    }
    case Activation.GeluTanh: {
      const square = f32x4.mul(x, x);
      const argument = f32x4.mul(x, madd(square, k(K.Gelu3), k(K.Gelu1)));
      return gated(argument, f32x4.mul(x, madd(square, k(K.Gelu9), k(K.Gelu1))));
    }
    case Activation.Softplus:
      return sigmoid_of(x);
    case Activation.Softsign: {
      const inverse = f32x4.div(k(K.One), f32x4.add(f32x4.abs(x), k(K.One)));
      return f32x4.mul(inverse, inverse);
    }
    case Activation.Silu:
      return gated(x, x);
    case Activation.HardSigmoid:
      return v128.and(f32x4.lt(f32x4.abs(x), k(K.Three)), k(K.Sixth));
    case Activation.HardSilu:
      return madd(v128.and(f32x4.lt(f32x4.abs(x), k(K.Three)), k(K.Sixth)), x, hard_sigmoid(x));
    default: {
      // Mish: t + x·(1 − t²)·σ(x) with t = n/(n + 2).
      const e = exp_of(f32x4.pmin(x, k(K.Twenty)));
      const n = f32x4.mul(e, f32x4.add(e, k(K.Two)));
      const inverse = f32x4.div(k(K.One), f32x4.add(n, k(K.Two)));
      const bend = f32x4.mul(f32x4.mul(f32x4.mul(k(K.Four), e), f32x4.add(e, k(K.One))), f32x4.mul(inverse, inverse));
      return madd(x, bend, f32x4.mul(n, inverse));
    }
  }
}
