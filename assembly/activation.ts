// The activations that elementwise.ts does not have, and their derivatives. Definitions and default slopes are those of
// Keras 3 (https://keras.io/api/layers/activations/).
//
//   y = f(x)      dx = dy·f′(x) or dx += dy·f′(x)      f is a number of `Activation`
//
// x, y, dy, dx [count] f32, dense. y may be x. dx may be x or dy. `unary` and `unary_backward` of elementwise.ts call
// both loops. The tails of cells call `value`.
//
// One loop serves all functions. It selects the function again for every vector, which costs some 0.3 ns a float. A
// loop for each function would save that time, but the module would be 5 kB larger. A matrix product runs before or
// after these functions and takes longer than they do.
//
// pmin(x, limit) and pmax(x, limit) return x unless the comparison holds. So NaN passes through in this order of
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
  Relu,
  LeakyRelu,
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

// Constants are loaded from memory where they are used, as in math.ts: a literal vector takes 18 bytes of code. The
// first row has the small numbers of `K`. The second has Leak, SeluScale and SeluAlpha. The third has 2·√(2/π), then
// 2·√(2/π)·0.044715, then three times that. The fourth has 1/√(2π). The last rows have T and P8 … P0 of `normal`.
const table = memory.data<f32>([
  0, 0.5, 1, 2, 3, 4, 6, 20, -0.5, 0.16666666666666666, -9.02,
  0.2, 1.0507009873554805, 1.6732632423543772,
  1.5957691216057308, 0.07135481627260025, 0.21406444881780076,
  0.3989422804014327,
  0.35, -0.02914592755, 0.08919573624, -0.06399840805, -0.01612219772,
  -0.06415854375, 0.1026374924, 0.2610452633, -0.6398319946, 0.4999999841,
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

/** y = f(x). y may be x. */
export function activate(count: i32, f: i32, x: usize, y: usize): void {
  const tail = count & 3;
  for (const end = x + vector_bytes(count); x < end; x += 16, y += 16) v128.store(y, value(f, v128.load(x)));
  if (tail) store_lanes(y, value(f, load_lanes(x, tail)), tail);
}

/** dx = dy·f′(x) if accumulate is 0, dx += dy·f′(x) if it is 1. dx may be x or dy. */
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

// The compiler does not inline a function that calls itself. These two functions call `value`, so the module has one
// more copy of exp and of sigmoid, and not one copy for each activation that uses them.

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

/** e^x − 1 for x ≤ 0. It does not cancel near 0. */
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
 * The normal distribution Φ(x) = ½·(1 + erf(x/√2)) from g = e^(−x²/2).
 *
 * The smaller tail ½·erfc(|x|/√2) is g·t·P(u) with t = 1/(1 + 0.35·|x|) and u = 1 − t. u is computed as the product
 * 0.35·|x|·t, which does not cancel near 0. P has degree 8. It is minimax with relative error 3.2e-8 up to |x| = 14,
 * where g is 0. So Φ keeps its relative accuracy where it goes to 0, except for the error of g from the rounding of x².
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
 * ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^−|x|. ln(1 + u) is ln(w)·u/(w − 1) with w = 1 + u rounded: the
 * quotient corrects the rounding error of w (Kahan).
 */
function softplus(x: v128): v128 {
  const u = exp_of(f32x4.neg(f32x4.abs(x)));
  const w = f32x4.add(u, k(K.One));
  const lost = f32x4.sub(w, k(K.One));
  const corrected = f32x4.div(f32x4.mul(value(Activation.Log, w), u), lost);
  return f32x4.add(f32x4.pmax(x, k(K.Zero)), v128.bitselect(corrected, u, f32x4.gt(lost, k(K.Zero))));
}

/** f of four floats. elementwise.ts has inlined loops for Exp to Tanh and calls this for their tails. */
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
    case Activation.Relu:
      return f32x4.pmax(x, k(K.Zero));
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
      // Mish: tanh(ln(1 + e)) = n/(n + 2) with e = e^x and n = e·(e + 2). Beyond x = 20 the quotient is 1.
      const e = exp_of(f32x4.pmin(x, k(K.Twenty)));
      const n = f32x4.mul(e, f32x4.add(e, k(K.Two)));
      return f32x4.div(f32x4.mul(x, n), f32x4.add(n, k(K.Two)));
    }
  }
}

/**
 * The derivative of x·σ(v(x)): σ(v) + xv·σ(v)·σ(−v) with xv = x·v′(x). The smaller of σ(v) and σ(−v) is computed
 * first, and the other is 1 minus it, so neither cancels.
 */
function gated(v: v128, xv: v128): v128 {
  const n = sigmoid_of(f32x4.neg(f32x4.abs(v)));
  const m = f32x4.sub(k(K.One), n);
  return madd(f32x4.mul(n, m), xv, v128.bitselect(m, n, f32x4.gt(v, k(K.Zero))));
}

/**
 * f′(x). At a kink it has TensorFlow's value: 0 for Relu6 and HardSigmoid, the left derivative for LeakyRelu, Elu and
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
      // Mish: t + x·(1 − t²)·σ(x) with t = n/(n + 2), and n as in `value`.
      const e = exp_of(f32x4.pmin(x, k(K.Twenty)));
      const n = f32x4.mul(e, f32x4.add(e, k(K.Two)));
      const inverse = f32x4.div(k(K.One), f32x4.add(n, k(K.Two)));
      const bend = f32x4.mul(f32x4.mul(f32x4.mul(k(K.Four), e), f32x4.add(e, k(K.One))), f32x4.mul(inverse, inverse));
      return madd(x, bend, f32x4.mul(n, inverse));
    }
  }
}
