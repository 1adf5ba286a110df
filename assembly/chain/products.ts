// Products of a tile of four chains and a matrix in panels.

import { madd_f64 } from '../simd';
import { COLUMNS, PANEL_ROW, panel, square, step, TAG, tags } from './problem';

/** to(j) = Σᵢ x(i)·matrix(i, j) of a tile: x [K, 4], to [Kp, 4]. */
export function product(x: usize, matrix: usize, to: usize): void {
  combine(false, x, matrix, to);
}

/** to(j) = max over i of x(i) + matrix(i, j), laid out as in `product`. */
export function max_plus(x: usize, matrix: usize, to: usize): void {
  combine(true, x, matrix, to);
}

// @ts-ignore: decorator
@inline
function add_term(isMax: bool, x: v128, m: v128, a: v128): v128 {
  return isMax ? f64x2.pmax(a, f64x2.add(x, m)) : madd_f64(x, m, a);
}

// @ts-ignore: decorator
@inline
function combine(isMax: bool, x: usize, matrix: usize, to: usize): void {
  const end = x + TAG * tags;
  for (const last = matrix + square; matrix < last; matrix += panel, to += COLUMNS * TAG) {
    let a0 = f64x2.splat(isMax ? -Infinity : 0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    let e0 = a0;
    let e1 = a0;
    let f0 = a0;
    let f1 = a0;
    for (let at = x, m = matrix; at < end; at += TAG, m += PANEL_ROW) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const a = v128.load64_splat(m);
      a0 = add_term(isMax, x0, a, a0);
      a1 = add_term(isMax, x1, a, a1);
      const b = v128.load64_splat(m, 8);
      b0 = add_term(isMax, x0, b, b0);
      b1 = add_term(isMax, x1, b, b1);
      const c = v128.load64_splat(m, 16);
      c0 = add_term(isMax, x0, c, c0);
      c1 = add_term(isMax, x1, c, c1);
      const d = v128.load64_splat(m, 24);
      d0 = add_term(isMax, x0, d, d0);
      d1 = add_term(isMax, x1, d, d1);
      const e = v128.load64_splat(m, 32);
      e0 = add_term(isMax, x0, e, e0);
      e1 = add_term(isMax, x1, e, e1);
      const f = v128.load64_splat(m, 40);
      f0 = add_term(isMax, x0, f, f0);
      f1 = add_term(isMax, x1, f, f1);
    }
    store_tags(to, a0, a1, b0, b1);
    store_tags(to + 2 * TAG, c0, c1, d0, d1);
    store_tags(to + 4 * TAG, e0, e1, f0, f1);
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
const BLOCK: i32 = 6;

/**
 * to(j, i) += Σₜ Σ over the four chains of αₜ₋₁(i)·γₜ(j), for t = 1 … count; α and γ [Kp, 4] of each step, to in
 * panels.
 */
export function add_pairs(count: i32, alpha: usize, gamma: usize, to: usize): void {
  const size = step;
  gamma += size;
  for (let t = 0; t < count; t += BLOCK, alpha += size * BLOCK, gamma += size * BLOCK) {
    const length = size * min(BLOCK, count - t);
    let rows = to;
    for (let g = gamma, last = g + TAG * tags; g < last; g += 2 * TAG, rows += 2 * PANEL_ROW) {
      let sums = rows;
      for (let a = alpha, end = alpha + size; a < end; a += COLUMNS * TAG, sums += panel) add_block(length, a, g, sums);
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
  let e0 = a0;
  let e1 = a0;
  let f0 = a0;
  let f1 = a0;
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
    x = v128.load(alpha, 4 * TAG);
    e0 = madd_f64(x, g0, e0);
    e1 = madd_f64(x, g1, e1);
    x = v128.load(alpha, 5 * TAG);
    f0 = madd_f64(x, g0, f0);
    f1 = madd_f64(x, g1, f1);
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
    x = v128.load(alpha, 4 * TAG + 16);
    e0 = madd_f64(x, g0, e0);
    e1 = madd_f64(x, g1, e1);
    x = v128.load(alpha, 5 * TAG + 16);
    f0 = madd_f64(x, g0, f0);
    f1 = madd_f64(x, g1, f1);
  }
  add_two(to, a0, b0);
  add_two(to + 16, c0, d0);
  add_two(to + 32, e0, f0);
  add_two(to + PANEL_ROW, a1, b1);
  add_two(to + PANEL_ROW + 16, c1, d1);
  add_two(to + PANEL_ROW + 32, e1, f1);
}

/** Adds the sum of the two lanes of each vector to one float64. */
// @ts-ignore: decorator
@inline
function add_two(to: usize, a: v128, b: v128): void {
  const sums = f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
  v128.store(to, f64x2.add(v128.load(to), sums));
}
