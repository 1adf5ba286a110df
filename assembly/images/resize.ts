// Stretches one axis of a tensor by linear interpolation.
//
//   y[o, j, :] = (1 − w_j)·x[o, place_j, :] + w_j·x[o, place_j + 1, :]
//
// x, dx [outer, length, inner], y, dy [outer, count, inner] f32, row-major and dense; places [count] i32 in [0,
// length); weights [count] f32 in [0, 1). Where w_j is 0 the row is copied, and row place_j + 1 is not read. No buffers
// overlap. Called by src/images/up-sampling.ts.

import { bytes, load_lanes, store_lanes, vector_bytes } from '../lanes';
import { madd } from '../simd';

export function resize_axis(
  outer: i32,
  length: i32,
  count: i32,
  inner: i32,
  places: usize,
  weights: usize,
  x: usize,
  y: usize,
): void {
  const row = bytes(inner);
  const whole = vector_bytes(inner);
  const tail = inner & 3;
  for (; outer > 0; outer--, x += row * <usize>length) {
    for (let j = 0; j < count; j++, y += row) {
      const from = x + row * <usize>load<i32>(places + bytes(j));
      const weight = load<f32>(weights + bytes(j));
      if (weight == 0) {
        for (let at: usize = 0; at < whole; at += 16) v128.store(y + at, v128.load(from + at));
        if (tail) store_lanes(y + whole, load_lanes(from + whole, tail), tail);
        continue;
      }
      const w = f32x4.splat(weight);
      for (let at: usize = 0; at < whole; at += 16) mix(at, 4, w, from, row, y);
      if (tail) mix(whole, tail, w, from, row, y);
    }
  }
}

// @ts-ignore: decorator
@inline
function mix(at: usize, count: i32, w: v128, from: usize, row: usize, y: usize): void {
  const first = load_lanes(from + at, count);
  store_lanes(y + at, madd(w, f32x4.sub(load_lanes(from + row + at, count), first), first), count);
}

/** dx[o, place_j, :] += (1 − w_j)·dy[o, j, :] and dx[o, place_j + 1, :] += w_j·dy[o, j, :], j in ascending order. */
export function resize_axis_backward(
  outer: i32,
  length: i32,
  count: i32,
  inner: i32,
  places: usize,
  weights: usize,
  dy: usize,
  dx: usize,
): void {
  const row = bytes(inner);
  for (; outer > 0; outer--, dx += row * <usize>length) {
    for (let j = 0; j < count; j++, dy += row) {
      const to = dx + row * <usize>load<i32>(places + bytes(j));
      const weight = load<f32>(weights + bytes(j));
      add_row(inner, 1 - weight, dy, to);
      if (weight != 0) add_row(inner, weight, dy, to + row);
    }
  }
}

/** y += alpha·x */
function add_row(count: i32, alpha: f32, x: usize, y: usize): void {
  const whole = vector_bytes(count);
  const a = f32x4.splat(alpha);
  for (let at: usize = 0; at < whole; at += 16) v128.store(y + at, madd(a, v128.load(x + at), v128.load(y + at)));
  const tail = count & 3;
  if (tail) store_lanes(y + whole, madd(a, load_lanes(x + whole, tail), load_lanes(y + whole, tail)), tail);
}
