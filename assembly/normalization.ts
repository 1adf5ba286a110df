// Layer normalization, row by row.
//
//   y_j = γ_j·x̂_j + β_j      x̂_j = (x_j − μ)·r      r = 1/√(σ² + ε)
//   μ and σ² are the mean and the variance of the row (over n = cols)
//
// x, y, dy, dx, products [rows, cols] f32, row-major and dense; gamma, beta [cols] f32, or 0 for none; stats [rows, 2]
// f32: μ and r of each row, saved by forward for backward. Both come from float64 sums. σ² is summed from the
// differences x − μ, so it does not cancel. A row is read three times; after the first time it is in the L1 cache.
// Called by src/ops/normalization.ts. Source: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450. ε is inside
// the root, as in Keras.

import { bytes, load_lanes, store_lanes, vector_bytes } from './lanes';
import { sum, sum_deviations } from './reduce';
import { high, low, madd, total } from './simd';

/** y = γ·x̂ + β and stats. y may be x. */
export function layer_norm(
  rows: i32,
  cols: i32,
  epsilon: f32,
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  stats: usize,
): void {
  const whole = vector_bytes(cols);
  const tail = cols & 3;
  for (; rows > 0; rows--, stats += 8) {
    store<f32>(stats, <f32>(sum(cols, x) / cols));
    store<f32>(stats + 4, <f32>(1 / sqrt<f64>(sum_deviations(cols, x, load<f32>(stats)) / cols + epsilon)));
    for (let at: usize = 0; at < whole; at += 16) transform(at, 4, x, gamma, beta, y, stats);
    if (tail) transform(whole, tail, x, gamma, beta, y, stats);
    x += bytes(cols);
    y += bytes(cols);
  }
}

/** y = γ·x̂ + β of `count` (1–4) elements. */
// @ts-ignore: decorator
@inline
function transform(at: usize, count: i32, x: usize, gamma: usize, beta: usize, y: usize, stats: usize): void {
  let value = centered(x + at, count, stats);
  if (gamma) value = f32x4.mul(value, load_lanes(gamma + at, count));
  if (beta) value = f32x4.add(value, load_lanes(beta + at, count));
  store_lanes(y + at, value, count);
}

/** x̂ of `count` (1–4) elements. */
// @ts-ignore: decorator
@inline
function centered(x: usize, count: i32, stats: usize): v128 {
  const difference = f32x4.sub(load_lanes(x, count), v128.load32_splat(stats));
  return f32x4.mul(difference, v128.load32_splat(stats, 4));
}

/**
 * dx = r·(d − mean(d) − x̂·mean(d·x̂)) with d = γ·dy if accumulate is 0, dx += the same if it is 1. products = dy·x̂:
 * its column sums are the gradient of γ. Buffers do not overlap.
 */
export function layer_norm_backward(
  rows: i32,
  cols: i32,
  x: usize,
  gamma: usize,
  stats: usize,
  dy: usize,
  dx: usize,
  accumulate: i32,
  products: usize,
): void {
  const whole = vector_bytes(cols);
  const tail = cols & 3;
  for (; rows > 0; rows--, stats += 8) {
    let sum0 = f64x2.splat(0), sum1 = sum0;
    let dot0 = sum0, dot1 = sum0;
    for (let at: usize = 0; at < whole; at += 16) {
      const d = scaled(at, 4, gamma, dy);
      const term = product(at, 4, x, stats, d);
      sum0 = f64x2.add(sum0, low(d));
      sum1 = f64x2.add(sum1, high(d));
      dot0 = f64x2.add(dot0, low(term));
      dot1 = f64x2.add(dot1, high(term));
    }
    if (tail) {
      const d = scaled(whole, tail, gamma, dy);
      const term = product(whole, tail, x, stats, d);
      sum0 = f64x2.add(sum0, low(d));
      sum1 = f64x2.add(sum1, high(d));
      dot0 = f64x2.add(dot0, low(term));
      dot1 = f64x2.add(dot1, high(term));
    }
    const r = <f64>load<f32>(stats + 4);
    const factor = f32x4.splat(<f32>r);
    const shift = f32x4.splat(<f32>((-r * total(sum0, sum1)) / cols));
    const slope = f32x4.splat(<f32>((-r * total(dot0, dot1)) / cols));
    for (let at: usize = 0; at < whole; at += 16) {
      differentiate(at, 4, x, gamma, stats, dy, dx, accumulate, products, factor, shift, slope);
    }
    if (tail) differentiate(whole, tail, x, gamma, stats, dy, dx, accumulate, products, factor, shift, slope);
    x += bytes(cols);
    dy += bytes(cols);
    dx += bytes(cols);
    products += bytes(cols);
  }
}

/** d = γ·dy of `count` (1–4) elements. */
// @ts-ignore: decorator
@inline
function scaled(at: usize, count: i32, gamma: usize, dy: usize): v128 {
  const d = load_lanes(dy + at, count);
  return gamma ? f32x4.mul(d, load_lanes(gamma + at, count)) : d;
}

/** d·x̂ */
// @ts-ignore: decorator
@inline
function product(at: usize, count: i32, x: usize, stats: usize, d: v128): v128 {
  return f32x4.mul(d, centered(x + at, count, stats));
}

/** dx and products of `count` (1–4) elements. */
// @ts-ignore: decorator
@inline
function differentiate(
  at: usize,
  count: i32,
  x: usize,
  gamma: usize,
  stats: usize,
  dy: usize,
  dx: usize,
  accumulate: i32,
  products: usize,
  factor: v128,
  shift: v128,
  slope: v128,
): void {
  const normal = centered(x + at, count, stats);
  const d = madd(slope, normal, madd(factor, scaled(at, count, gamma, dy), shift));
  store_lanes(products + at, f32x4.mul(load_lanes(dy + at, count), normal), count);
  store_lanes(dx + at, accumulate ? f32x4.add(d, load_lanes(dx + at, count)) : d, count);
}
