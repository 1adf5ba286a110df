// One query for each sequence, and the rows of that sequence which it attends to.
//
//   dots      y[b, s]  = Σ_d x[b, d]·rows[b, s, d]
//   combine   y[b, :]  = Σ_s w[b, s]·rows[b, s, :]
//   spread    rows[b, s, :] += w[b, s]·x[b, :]
//   additive  y[b, s]  = Σ_d v[d]·tanh(x[b, d] + rows[b, s, d])
//
// x [batch, width], rows [batch, steps, width], w, y [batch, steps] or y [batch, width], v [width], all f32, row-major
// and dense. No buffers overlap. A sum over d has four partial sums, d mod 4, added as (0 + 1) + (2 + 3); a sum over s
// is in ascending order. Called by src/sequences/attend.ts.

import { bytes, load_lanes, store_lanes, vector_bytes } from './lanes';
import { tanh } from './math';
import { madd, nmadd } from './simd';

// @ts-ignore: decorator
@inline
function total(s: v128): f32 {
  return (
    f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3))
  );
}

export function attention_dots(batch: i32, steps: i32, width: i32, x: usize, rows: usize, y: usize): void {
  const row = bytes(width);
  const whole = vector_bytes(width);
  const tail = width & 3;
  for (; batch > 0; batch--, x += row) {
    for (let s = 0; s < steps; s++, rows += row, y += 4) {
      let sum = f32x4.splat(0);
      for (let at: usize = 0; at < whole; at += 16) sum = madd(v128.load(x + at), v128.load(rows + at), sum);
      if (tail) sum = madd(load_lanes(x + whole, tail), load_lanes(rows + whole, tail), sum);
      store<f32>(y, total(sum));
    }
  }
}

/** Adds to y if accumulate is 1. */
export function attention_combine(
  batch: i32,
  steps: i32,
  width: i32,
  w: usize,
  rows: usize,
  y: usize,
  accumulate: i32,
): void {
  const row = bytes(width);
  const whole = vector_bytes(width);
  const tail = width & 3;
  for (; batch > 0; batch--, y += row) {
    if (!accumulate) memory.fill(y, 0, row);
    for (let s = 0; s < steps; s++, rows += row, w += 4) add_row(load<f32>(w), rows, whole, tail, y);
  }
}

export function attention_spread(batch: i32, steps: i32, width: i32, w: usize, x: usize, rows: usize): void {
  const row = bytes(width);
  const whole = vector_bytes(width);
  const tail = width & 3;
  for (; batch > 0; batch--, x += row) {
    for (let s = 0; s < steps; s++, rows += row, w += 4) add_row(load<f32>(w), x, whole, tail, rows);
  }
}

/** y += factor·x */
// @ts-ignore: decorator
@inline
function add_row(factor: f32, x: usize, whole: usize, tail: i32, y: usize): void {
  const f = f32x4.splat(factor);
  for (let at: usize = 0; at < whole; at += 16) v128.store(y + at, madd(f, v128.load(x + at), v128.load(y + at)));
  if (tail) {
    store_lanes(y + whole, madd(f, load_lanes(x + whole, tail), load_lanes(y + whole, tail)), tail);
  }
}

export function attention_additive(
  batch: i32,
  steps: i32,
  width: i32,
  x: usize,
  rows: usize,
  v: usize,
  y: usize,
): void {
  const row = bytes(width);
  const whole = vector_bytes(width);
  const tail = width & 3;
  for (; batch > 0; batch--, x += row) {
    for (let s = 0; s < steps; s++, rows += row, y += 4) {
      let sum = f32x4.splat(0);
      for (let at: usize = 0; at < whole; at += 16) sum = madd(v128.load(v + at), feature(at, 4, x, rows), sum);
      if (tail) sum = madd(load_lanes(v + whole, tail), feature(whole, tail, x, rows), sum);
      store<f32>(y, total(sum));
    }
  }
}

// @ts-ignore: decorator
@inline
function feature(at: usize, count: i32, x: usize, rows: usize): v128 {
  return tanh(f32x4.add(load_lanes(x + at, count), load_lanes(rows + at, count)));
}

/**
 * With t = tanh(x[b, d] + rows[b, s, d]) and g = dy[b, s]·v[d]·(1 − t²): dx[b, d] += g, dRows[b, s, d] += g,
 * dv[d] += dy[b, s]·t. Backward computes t again, which takes less memory than keeping it. A step whose dy is 0 is
 * skipped.
 */
export function attention_additive_backward(
  batch: i32,
  steps: i32,
  width: i32,
  x: usize,
  rows: usize,
  v: usize,
  dy: usize,
  dx: usize,
  dRows: usize,
  dv: usize,
): void {
  const row = bytes(width);
  const whole = vector_bytes(width);
  const tail = width & 3;
  for (; batch > 0; batch--, x += row, dx += row) {
    for (let s = 0; s < steps; s++, rows += row, dRows += row, dy += 4) {
      const given = load<f32>(dy);
      if (given == 0) continue;
      const d = f32x4.splat(given);
      for (let at: usize = 0; at < whole; at += 16) additive_lanes(at, 4, d, x, rows, v, dx, dRows, dv);
      if (tail) additive_lanes(whole, tail, d, x, rows, v, dx, dRows, dv);
    }
  }
}

// @ts-ignore: decorator
@inline
function additive_lanes(
  at: usize,
  count: i32,
  d: v128,
  x: usize,
  rows: usize,
  v: usize,
  dx: usize,
  dRows: usize,
  dv: usize,
): void {
  const t = feature(at, count, x, rows);
  const g = f32x4.mul(f32x4.mul(d, load_lanes(v + at, count)), nmadd(t, t, f32x4.splat(1)));
  store_lanes(dx + at, f32x4.add(load_lanes(dx + at, count), g), count);
  store_lanes(dRows + at, f32x4.add(load_lanes(dRows + at, count), g), count);
  store_lanes(dv + at, madd(d, t, load_lanes(dv + at, count)), count);
}
