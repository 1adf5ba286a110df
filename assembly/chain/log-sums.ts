// Sums of exponentials in logarithms, for chains whose numbers leave the range.

import { exp_f64, exp_one, log_of } from './float64';
import { column, PANEL_ROW, TAG, tags, wide } from './problem';

/** to(j) = ln Σᵢ e^(x(i) + matrix(i, j)); x [K] in steps of `stride` bytes, matrix in panels, to [Kp]. */
export function log_product(x: usize, stride: usize, matrix: usize, to: usize): void {
  const none = f64x2.splat(-Infinity);
  for (let j = 0; j < tags; j += 2, to += 16) {
    const columns = matrix + column(j);
    let top = none;
    let at = x;
    let m = columns;
    for (let i = 0; i < tags; i++, at += stride, m += PANEL_ROW) {
      top = f64x2.max(top, f64x2.add(v128.load64_splat(at), v128.load(m)));
    }
    top = v128.andnot(top, f64x2.eq(top, none));
    let sum = f64x2.splat(0);
    at = x;
    m = columns;
    for (let i = 0; i < tags; i++, at += stride, m += PANEL_ROW) {
      sum = f64x2.add(sum, exp_f64(f64x2.sub(f64x2.add(v128.load64_splat(at), v128.load(m)), top)));
    }
    store<f64>(to, f64x2.extract_lane(top, 0) + log_of(f64x2.extract_lane(sum, 0)));
    store<f64>(to, f64x2.extract_lane(top, 1) + log_of(f64x2.extract_lane(sum, 1)), 8);
  }
}

/** ln Σⱼ e^(x(j) + y(j)); x in steps of 32 bytes. */
export function log_total(x: usize, y: usize): f64 {
  let top: f64 = -Infinity;
  for (let j = 0; j < tags; j++) top = max(top, load<f64>(x + TAG * j) + load<f64>(y + wide(j)));
  if (top == -Infinity) return top;
  let sum: f64 = 0;
  for (let j = 0; j < tags; j++) sum += exp_one(load<f64>(x + TAG * j) + load<f64>(y + wide(j)) - top);
  return top + log_of(sum);
}
