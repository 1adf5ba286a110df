// Layer normalization, row by row.
//
//   y_j = γ_j·x̂_j + β_j      x̂_j = (x_j − μ)·r      r = 1/√(σ² + ε)
//   μ and σ² are the mean and the variance of the row (over n = cols)
//
// x, y, dy, dx, products [rows, cols] f32, row-major and dense; gamma, beta [cols] f32, or 0 for none; stats [rows, 2]
// f32: μ and r of each row, saved by forward for backward. Both come from float64 sums. σ² is summed from the
// differences x − μ, so it does not cancel. A row goes through several kernels; after the first one it is in the L1
// cache. Called by src/ops/normalization.ts. Source: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450. ε is
// inside the root, as in Keras.

import { axpy, Binary, binary, scale } from './elementwise';
import { bytes } from './lanes';
import { dot, sum, sum_squares } from './reduce';

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
  if (cols <= 0) return;
  for (; rows > 0; rows--) {
    store<f32>(stats, <f32>(sum(cols, x) / cols));
    binary(Binary.Sub, 1, cols, x, 0, 1, stats, 0, 0, y);
    store<f32>(stats + 4, <f32>(1 / sqrt<f64>(sum_squares(cols, y) / cols + epsilon)));
    binary(Binary.Mul, 1, cols, y, 0, 1, stats + 4, 0, 0, y);
    if (gamma) binary(Binary.Mul, 1, cols, y, 0, 1, gamma, 0, 1, y);
    if (beta) binary(Binary.Add, 1, cols, y, 0, 1, beta, 0, 1, y);
    x += bytes(cols);
    y += bytes(cols);
    stats += 8;
  }
}

/**
 * dx = r·(d − mean(d) − x̂·mean(d·x̂)) with d = γ·dy if accumulate is 0, dx += the same if it is 1. products = dy·x̂:
 * its column sums are the gradient of γ. scratch holds cols + 1 floats. Buffers do not overlap.
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
  scratch: usize,
): void {
  if (cols <= 0) return;
  const shift = scratch + bytes(cols);
  for (; rows > 0; rows--) {
    binary(Binary.Sub, 1, cols, x, 0, 1, stats, 0, 0, products);
    binary(Binary.Mul, 1, cols, products, 0, 1, stats + 4, 0, 0, products);
    let d = dy;
    if (gamma) {
      d = scratch;
      binary(Binary.Mul, 1, cols, dy, 0, 1, gamma, 0, 1, d);
    }
    const r = <f64>load<f32>(stats + 4);
    store<f32>(shift, <f32>((-r * sum(cols, d)) / cols));
    if (accumulate) axpy(cols, <f32>r, d, dx);
    else scale(cols, <f32>r, d, dx);
    axpy(cols, <f32>((-r * dot(cols, d, products)) / cols), products, dx);
    binary(Binary.Add, 1, cols, dx, 0, 1, shift, 0, 0, dx);
    binary(Binary.Mul, 1, cols, products, 0, 1, dy, 0, 1, products);
    x += bytes(cols);
    dy += bytes(cols);
    dx += bytes(cols);
    products += bytes(cols);
    stats += 8;
  }
}
