// Products of a tile of four chains and a matrix.

import { madd_f64 } from '../simd';
import { row, step, TAG, tags } from './problem';

/** to(j) = Σᵢ x(i)·matrix(i, j) of a tile: x [K, 4], matrix [K, Kp], to [Kp, 4]. */
export function product(x: usize, matrix: usize, to: usize): void {
  const end = x + TAG * tags;
  const next = row;
  for (const last = matrix + row; matrix < last; matrix += 32, to += 4 * TAG) {
    let a0 = f64x2.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let at = x, m = matrix; at < end; at += TAG, m += next) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const a = v128.load64_splat(m);
      a0 = madd_f64(x0, a, a0);
      a1 = madd_f64(x1, a, a1);
      const b = v128.load64_splat(m, 8);
      b0 = madd_f64(x0, b, b0);
      b1 = madd_f64(x1, b, b1);
      const c = v128.load64_splat(m, 16);
      c0 = madd_f64(x0, c, c0);
      c1 = madd_f64(x1, c, c1);
      const d = v128.load64_splat(m, 24);
      d0 = madd_f64(x0, d, d0);
      d1 = madd_f64(x1, d, d1);
    }
    store_tags(to, a0, a1, b0, b1);
    store_tags(to + 2 * TAG, c0, c1, d0, d1);
  }
}

/** to(j) = max over i of x(i) + matrix(i, j), laid out as in `product`. */
export function max_plus(x: usize, matrix: usize, to: usize): void {
  const end = x + TAG * tags;
  const next = row;
  for (const last = matrix + row; matrix < last; matrix += 32, to += 4 * TAG) {
    let a0 = f64x2.splat(-Infinity);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let at = x, m = matrix; at < end; at += TAG, m += next) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const a = v128.load64_splat(m);
      a0 = f64x2.pmax(a0, f64x2.add(x0, a));
      a1 = f64x2.pmax(a1, f64x2.add(x1, a));
      const b = v128.load64_splat(m, 8);
      b0 = f64x2.pmax(b0, f64x2.add(x0, b));
      b1 = f64x2.pmax(b1, f64x2.add(x1, b));
      const c = v128.load64_splat(m, 16);
      c0 = f64x2.pmax(c0, f64x2.add(x0, c));
      c1 = f64x2.pmax(c1, f64x2.add(x1, c));
      const d = v128.load64_splat(m, 24);
      d0 = f64x2.pmax(d0, f64x2.add(x0, d));
      d1 = f64x2.pmax(d1, f64x2.add(x1, d));
    }
    store_tags(to, a0, a1, b0, b1);
    store_tags(to + 2 * TAG, c0, c1, d0, d1);
  }
}

// @ts-ignore: decorator
@inline
function store_tags(to: usize, a0: v128, a1: v128, b0: v128, b1: v128): void {
  v128.store(to, a0);
  v128.store(to, a1, 16);
  v128.store(to, b0, 32);
  v128.store(to, b1, 48);
}

/** Steps that `add_pairs` takes at a time: their α [8, Kp, 4] are in the first cache for 100 tags. */
const BLOCK: i32 = 8;

/**
 * to(j, i) += Σₜ Σ over the four chains of αₜ₋₁(i)·γₜ(j), for t = 1 … count; α and γ [Kp, 4] of each step, to [Kp, Kp].
 */
export function add_pairs(count: i32, alpha: usize, gamma: usize, to: usize): void {
  const size = step;
  gamma += size;
  for (let t = 0; t < count; t += BLOCK, alpha += size * BLOCK, gamma += size * BLOCK) {
    const length = size * min(BLOCK, count - t);
    let sums = to;
    for (let g = gamma, last = g + TAG * tags; g < last; g += 2 * TAG, sums += 2 * row) {
      for (let i: usize = 0; i < row; i += 32) add_block(length, alpha + 4 * i, g, sums + i);
    }
  }
}

// @ts-ignore: decorator
@inline
function add_block(length: usize, alpha: usize, gamma: usize, to: usize): void {
  const size = step;
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (const end = gamma + length; gamma < end; alpha += size, gamma += size) {
    let g0 = v128.load(gamma);
    let g1 = v128.load(gamma, TAG);
    let x = v128.load(alpha);
    a0 = madd_f64(x, g0, a0);
    a1 = madd_f64(x, g1, a1);
    x = v128.load(alpha, TAG);
    b0 = madd_f64(x, g0, b0);
    b1 = madd_f64(x, g1, b1);
    x = v128.load(alpha, 2 * TAG);
    c0 = madd_f64(x, g0, c0);
    c1 = madd_f64(x, g1, c1);
    x = v128.load(alpha, 3 * TAG);
    d0 = madd_f64(x, g0, d0);
    d1 = madd_f64(x, g1, d1);
    g0 = v128.load(gamma, 16);
    g1 = v128.load(gamma, TAG + 16);
    x = v128.load(alpha, 16);
    a0 = madd_f64(x, g0, a0);
    a1 = madd_f64(x, g1, a1);
    x = v128.load(alpha, TAG + 16);
    b0 = madd_f64(x, g0, b0);
    b1 = madd_f64(x, g1, b1);
    x = v128.load(alpha, 2 * TAG + 16);
    c0 = madd_f64(x, g0, c0);
    c1 = madd_f64(x, g1, c1);
    x = v128.load(alpha, 3 * TAG + 16);
    d0 = madd_f64(x, g0, d0);
    d1 = madd_f64(x, g1, d1);
  }
  add_four(to, a0, b0, c0, d0);
  add_four(to + row, a1, b1, c1, d1);
}

/** Adds the sum of the two lanes of each vector to one float64. */
// @ts-ignore: decorator
@inline
function add_four(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
  const cd = f64x2.add(v128.shuffle<f64>(c, d, 0, 2), v128.shuffle<f64>(c, d, 1, 3));
  v128.store(to, f64x2.add(v128.load(to), ab));
  v128.store(to, f64x2.add(v128.load(to, 16), cd), 16);
}
