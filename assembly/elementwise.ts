// Elementwise kernels, fills and copies.
//
//   y = f(x)      dx (+)= dy·f′(x)      y = f(a, b) with broadcasting      y = mask ? a : b
//
// x, y, dy, dx [count] f32, dense. The comments of kernels with strides have their layouts. An output may be one of the
// inputs, except in `copy_2d` and `swap_axes`. Called by the ops (src/ops), the optimizers and the tape. The numbers of
// the functions are `Unary` and `Binary` of src/engine/abi.ts.
//
// `unary` and `unary_backward` select the function again for every vector. The branch goes the same way in the whole
// loop, so it costs at most 0.06 ns a float. A loop for each function would take kilobytes, and the optimizer of asc
// merges most of these loops into one.

import { activate, activate_backward } from './activation';
import { transpose } from './gemm/pack';
import { PAIRS, STRIDE, bytes, load_lanes, load_second, store_lanes, store_pair, vector_bytes } from './lanes';
import { exp, sigmoid, tanh } from './math';
import { madd, nmadd } from './simd';

export enum Unary {
  Neg,
  Abs,
  Square,
  Sqrt,
  Reciprocal,
  Exp,
  Log,
  Sigmoid,
  Tanh,
  Relu,
}

export enum Binary {
  Add,
  Sub,
  Mul,
  Div,
  Max,
  Min,
}

/** y = value */
export function fill(count: i32, value: f32, y: usize): void {
  const v = f32x4.splat(value);
  const tail = count & 3;
  for (let end = y + vector_bytes(count); y < end; y += 16) v128.store(y, v);
  if (tail) store_lanes(y, v, tail);
}

/** y = alpha·x */
export function scale(count: i32, alpha: f32, x: usize, y: usize): void {
  const a = f32x4.splat(alpha);
  const tail = count & 3;
  for (let end = x + vector_bytes(count); x < end; x += 16, y += 16) v128.store(y, f32x4.mul(a, v128.load(x)));
  if (tail) store_lanes(y, f32x4.mul(a, load_lanes(x, tail)), tail);
}

/** y += alpha·x */
export function axpy(count: i32, alpha: f32, x: usize, y: usize): void {
  const a = f32x4.splat(alpha);
  const tail = count & 3;
  for (let end = x + vector_bytes(count); x < end; x += 16, y += 16) {
    v128.store(y, madd(a, v128.load(x), v128.load(y)));
  }
  if (tail) store_lanes(y, madd(a, load_lanes(x, tail), load_lanes(y, tail)), tail);
}

/** y = f(x). y may be x. */
export function unary(count: i32, f: i32, x: usize, y: usize): void {
  if (f <= Unary.Reciprocal || f == Unary.Relu) {
    const constant = f32x4.splat(f == Unary.Reciprocal ? 1 : 0);
    const tail = count & 3;
    for (const end = x + vector_bytes(count); x < end; x += 16, y += 16) {
      v128.store(y, apply(f, v128.load(x), constant));
    }
    if (tail) store_lanes(y, apply(f, load_lanes(x, tail), constant), tail);
    return;
  }
  const whole = bytes(count & -STRIDE);
  if (f == Unary.Exp) transcend(Unary.Exp, whole, x, y);
  else if (f == Unary.Sigmoid) transcend(Unary.Sigmoid, whole, x, y);
  else if (f == Unary.Tanh) transcend(Unary.Tanh, whole, x, y);
  else return activate(count, f, x, y);
  activate(count & (STRIDE - 1), f, x + whole, y + whole);
}

// @ts-ignore: decorator
@inline
function transcend(f: i32, size: usize, x: usize, y: usize): void {
  for (const end = x + size; x < end; x += bytes(STRIDE), y += bytes(STRIDE)) {
    const a = transcendental(f, v128.load(x));
    store_pair(y, a, PAIRS ? transcendental(f, load_second(x)) : a);
  }
}

// @ts-ignore: decorator
@inline
function transcendental(f: i32, x: v128): v128 {
  return f == Unary.Exp ? exp(x) : f == Unary.Sigmoid ? sigmoid(x) : tanh(x);
}

// Relu keeps NaN and −0: pmax returns its first argument unless the first is smaller.
// @ts-ignore: decorator
@inline
function apply(f: i32, x: v128, constant: v128): v128 {
  if (f == Unary.Relu) return f32x4.pmax(x, constant);
  if (f == Unary.Neg) return f32x4.neg(x);
  if (f == Unary.Abs) return f32x4.abs(x);
  if (f == Unary.Square) return f32x4.mul(x, x);
  if (f == Unary.Sqrt) return f32x4.sqrt(x);
  return f32x4.div(constant, x);
}

/**
 * dx = dy·f′ if accumulate is 0, dx += dy·f′ if it is 1. Each function reads x or y = f(x), whichever makes f′ cheaper.
 * The other pointer is not read. dx may be x, y or dy.
 */
export function unary_backward(count: i32, f: i32, x: usize, y: usize, dy: usize, dx: usize, accumulate: i32): void {
  if (f > Unary.Relu) return activate_backward(count, f, x, dy, dx, accumulate);
  let saved =
    f == Unary.Sqrt || f == Unary.Reciprocal || f == Unary.Exp || f == Unary.Sigmoid || f == Unary.Tanh ? y : x;
  const constant = f32x4.splat(f == Unary.Square ? 2 : f == Unary.Sqrt ? 0.5 : f == Unary.Relu ? 0 : 1);
  const signs = i32x4.splat(0x80000000);
  const tail = count & 3;
  for (const end = dx + vector_bytes(count); dx < end; saved += 16, dy += 16, dx += 16) {
    const d = differentiate(f, v128.load(saved), v128.load(dy), constant, signs);
    v128.store(dx, accumulate ? f32x4.add(v128.load(dx), d) : d);
  }
  if (tail) {
    const d = differentiate(f, load_lanes(saved, tail), load_lanes(dy, tail), constant, signs);
    store_lanes(dx, accumulate ? f32x4.add(load_lanes(dx, tail), d) : d, tail);
  }
}

/**
 * dy·f′ from `saved`, which is y for Sqrt, Reciprocal, Exp, Sigmoid and Tanh and x for the others. Abs′(0) = 0 and
 * Relu′(0) = 0, at −0 too.
 */
// @ts-ignore: decorator
@inline
function differentiate(f: i32, saved: v128, dy: v128, constant: v128, signs: v128): v128 {
  if (f == Unary.Tanh) return f32x4.mul(dy, nmadd(saved, saved, constant));
  if (f == Unary.Sigmoid) return f32x4.mul(f32x4.mul(dy, saved), f32x4.sub(constant, saved));
  if (f == Unary.Relu) return v128.and(dy, f32x4.gt(saved, constant));
  if (f == Unary.Exp) return f32x4.mul(dy, saved);
  if (f == Unary.Log) return f32x4.div(dy, saved);
  if (f == Unary.Neg) return f32x4.neg(dy);
  if (f == Unary.Abs) {
    return v128.and(v128.xor(dy, v128.and(saved, signs)), f32x4.ne(saved, f32x4.splat(0)));
  }
  if (f == Unary.Square) return f32x4.mul(f32x4.mul(dy, saved), constant);
  if (f == Unary.Sqrt) return f32x4.div(f32x4.mul(dy, constant), saved);
  return f32x4.neg(f32x4.mul(f32x4.mul(dy, saved), saved));
}

/**
 * y[i, j] = f(a[i·outerA + j·innerA], b[i·outerB + j·innerB]) for y [outer, inner], dense. Inner strides are 0 or 1. A
 * stride of 0 repeats an element or a row. y may be an operand that has y's own layout.
 */
export function binary(
  f: i32,
  outer: i32,
  inner: i32,
  a: usize,
  outerA: i32,
  innerA: i32,
  b: usize,
  outerB: i32,
  innerB: i32,
  y: usize,
): void {
  // A single column becomes one row if its strides allow that, and dense rows become one long row. Then there is only
  // one tail, and not one for each row.
  if (inner == 1 && (outerA | 1) == 1 && (outerB | 1) == 1) {
    inner = outer;
    innerA = outerA;
    innerB = outerB;
    outer = 1;
  } else if ((innerA ? outerA == inner : outerA == 0) && (innerB ? outerB == inner : outerB == 0)) {
    inner *= outer;
    outer = 1;
  }
  if (inner <= 0) return;
  const tail = inner & 3;
  const whole = vector_bytes(inner);
  for (; outer > 0; outer--) {
    switch (f) {
      case Binary.Add:
        combine(Binary.Add, whole, a, innerA, b, innerB, y);
        break;
      case Binary.Sub:
        combine(Binary.Sub, whole, a, innerA, b, innerB, y);
        break;
      case Binary.Mul:
        combine(Binary.Mul, whole, a, innerA, b, innerB, y);
        break;
      case Binary.Div:
        combine(Binary.Div, whole, a, innerA, b, innerB, y);
        break;
      case Binary.Max:
        combine(Binary.Max, whole, a, innerA, b, innerB, y);
        break;
      case Binary.Min:
        combine(Binary.Min, whole, a, innerA, b, innerB, y);
        break;
    }
    if (tail) {
      const left = innerA ? load_lanes(a + whole, tail) : v128.load32_splat(a);
      const right = innerB ? load_lanes(b + whole, tail) : v128.load32_splat(b);
      store_lanes(y + whole, pair(f, left, right), tail);
    }
    a += bytes(outerA);
    b += bytes(outerB);
    y += bytes(inner);
  }
}

/**
 * The whole vectors, `size` bytes, of one row of `binary`. An operand of stride 0 is read once. The branch on the
 * strides goes the same way in the whole row, so it costs almost no time.
 */
// @ts-ignore: decorator
@inline
function combine(f: i32, size: usize, a: usize, innerA: i32, b: usize, innerB: i32, y: usize): void {
  const left = v128.load32_splat(a);
  const right = v128.load32_splat(b);
  for (const end = y + size; y < end; a += 16, b += 16, y += 16) {
    v128.store(y, pair(f, innerA ? v128.load(a) : left, innerB ? v128.load(b) : right));
  }
}

// Max and Min return NaN if an argument is NaN. For them −0 is less than +0.
// @ts-ignore: decorator
@inline
function pair(f: i32, a: v128, b: v128): v128 {
  if (f == Binary.Add) return f32x4.add(a, b);
  if (f == Binary.Sub) return f32x4.sub(a, b);
  if (f == Binary.Mul) return f32x4.mul(a, b);
  if (f == Binary.Div) return f32x4.div(a, b);
  if (f == Binary.Max) return f32x4.max(a, b);
  return f32x4.min(a, b);
}

/**
 * y = a where mask is not 0, else b. Elements are copied as bits. mask [count] f32 or i32; a, b, y have 4-byte elements
 * of any dtype; strideA and strideB are 0 or 1. y may be mask, or an operand of stride 1.
 */
export function select(count: i32, mask: usize, a: usize, strideA: i32, b: usize, strideB: i32, y: usize): void {
  for (; count > 0; count--) {
    // The shift drops the sign, so −0 counts as 0.
    store<u32>(y, load<u32>(mask) << 1 ? load<u32>(a) : load<u32>(b));
    mask += 4;
    a += bytes(strideA);
    b += bytes(strideB);
    y += 4;
  }
}

/**
 * Copies x [rows, cols] with row stride ldx to y with row stride ldy, 4-byte elements of any dtype. ldx may be
 * negative, or 0, which repeats one row. x and y do not overlap.
 */
export function copy_2d(rows: i32, cols: i32, x: usize, ldx: i32, y: usize, ldy: i32): void {
  if (ldx == cols && ldy == cols) {
    copy_row(rows * cols, x, y);
    return;
  }
  for (; rows > 0; rows--) {
    copy_row(cols, x, y);
    x += bytes(ldx);
    y += bytes(ldy);
  }
}

/** Copies `count` 4-byte elements of any dtype. */
// @ts-ignore: decorator
@inline
export function copy_row(count: i32, x: usize, y: usize): void {
  const tail = count & 3;
  for (let end = x + vector_bytes(count); x < end; x += 16, y += 16) v128.store(y, v128.load(x));
  if (tail) store_lanes(y, load_lanes(x, tail), tail);
}

/** y[j, i, :] = x[i, j, :] for x [a, b, inner], 4-byte elements of any dtype. x and y do not overlap. */
export function swap_axes(a: i32, b: i32, inner: i32, x: usize, y: usize): void {
  if (inner == 1) {
    transpose(a, b, x, bytes(b), y, bytes(a));
    return;
  }
  const row = bytes(inner);
  for (let i = 0; i < a; i++) {
    let to = y + <usize>i * row;
    for (let j = 0; j < b; j++) {
      copy_row(inner, x, to);
      x += row;
      to += <usize>a * row;
    }
  }
}
