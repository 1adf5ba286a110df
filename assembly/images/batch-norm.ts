// Batch normalization: the columns of a matrix, each by one mean and one factor.
//
//   y = (x − μ)·factor + β        μ, σ² over the rows that count      factor = γ·r      r = 1/√(σ² + ε)
//   dx = factor·dy + w·(shift + slope·(x − μ))      w = 1 for a row that counts, else 0
//
// x, y, dy, dx [rows, cols] f32, row-major and dense; mask [rows] f32, 0 for a row that does not count, or address 0 if
// all do; mean, inverse (r), factor, beta, shift, slope [cols] f32; sums [2, cols] f64. Buffers do not overlap, but y
// may be x. The caller makes factor, shift and slope, which are `cols` numbers (src/images/batch-norm.ts). Sums run in
// float64, rows in ascending order. There is no cancellation in Σx² − (Σx)²/n: the squares are exact, and float64 has
// 29 bits more than x. Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167. ε is inside the root, as in Keras.

import { bytes, load_lanes, store_lanes, vector_bytes } from '../lanes';
import { high, low, madd } from '../simd';

/** Rows that are read together, 8 columns at a time: a block of 128 columns stays in the L1 cache. */
const BLOCK: i32 = 32;

/** sums[0] += Σ x and sums[1] += Σ x² over the rows that count. */
export function batch_norm_sums(rows: i32, cols: i32, x: usize, mask: usize, sums: usize): void {
  column_sums(rows, cols, x, mask, 0, 0, 0, sums);
}

/** sums[0] += Σ dy and sums[1] += Σ dy·(x − μ)·r over all rows. */
export function batch_norm_gradient_sums(
  rows: i32,
  cols: i32,
  x: usize,
  mean: usize,
  inverse: usize,
  dy: usize,
  sums: usize,
): void {
  column_sums(rows, cols, x, 0, mean, inverse, dy, sums);
}

// @ts-ignore: decorator
@inline
function column_sums(
  rows: i32,
  cols: i32,
  x: usize,
  mask: usize,
  mean: usize,
  inverse: usize,
  dy: usize,
  sums: usize,
): void {
  const row = bytes(cols);
  const whole = vector_bytes(cols);
  const second = sums + (<usize>cols << 3);
  for (; rows > 0; rows -= BLOCK) {
    const count = min(rows, BLOCK);
    let at: usize = 0;
    for (; at + 32 <= whole; at += 32) {
      add_columns(count, row, 8, x + at, mask, mean + at, inverse + at, dy && dy + at, sums + 2 * at, second + 2 * at);
    }
    for (; at < whole; at += 16) {
      add_columns(count, row, 4, x + at, mask, mean + at, inverse + at, dy && dy + at, sums + 2 * at, second + 2 * at);
    }
    for (; at < row; at += 4) {
      add_column(count, row, x + at, mask, mean + at, inverse + at, dy && dy + at, sums + 2 * at, second + 2 * at);
    }
    x += row * <usize>count;
    if (mask) mask += bytes(count);
    if (dy) dy += row * <usize>count;
  }
}

/** Adds `count` rows of 4 or 8 columns to their sums. */
// @ts-ignore: decorator
@inline
function add_columns(
  count: i32,
  row: usize,
  columns: i32,
  x: usize,
  mask: usize,
  mean: usize,
  inverse: usize,
  dy: usize,
  sums: usize,
  products: usize,
): void {
  let s0 = v128.load(sums), s1 = v128.load(sums, 16);
  let p0 = v128.load(products), p1 = v128.load(products, 16);
  let s2 = s0, s3 = s0, p2 = s0, p3 = s0;
  if (columns == 8) {
    s2 = v128.load(sums, 32), s3 = v128.load(sums, 48);
    p2 = v128.load(products, 32), p3 = v128.load(products, 48);
  }
  for (; count > 0; count--, x += row) {
    const counts = mask == 0 || load<f32>(mask) != 0;
    if (mask) mask += 4;
    if (counts) {
      let a = v128.load(x);
      let b = a;
      if (dy) {
        a = v128.load(dy);
        b = f32x4.mul(f32x4.sub(v128.load(x), v128.load(mean)), v128.load(inverse));
      }
      s0 = f64x2.add(s0, low(a));
      s1 = f64x2.add(s1, high(a));
      p0 = f64x2.add(p0, f64x2.mul(low(a), low(b)));
      p1 = f64x2.add(p1, f64x2.mul(high(a), high(b)));
      if (columns == 8) {
        a = v128.load(x, 16);
        b = a;
        if (dy) {
          a = v128.load(dy, 16);
          b = f32x4.mul(f32x4.sub(v128.load(x, 16), v128.load(mean, 16)), v128.load(inverse, 16));
        }
        s2 = f64x2.add(s2, low(a));
        s3 = f64x2.add(s3, high(a));
        p2 = f64x2.add(p2, f64x2.mul(low(a), low(b)));
        p3 = f64x2.add(p3, f64x2.mul(high(a), high(b)));
      }
    }
    if (dy) dy += row;
  }
  v128.store(sums, s0), v128.store(sums, s1, 16);
  v128.store(products, p0), v128.store(products, p1, 16);
  if (columns == 8) {
    v128.store(sums, s2, 32), v128.store(sums, s3, 48);
    v128.store(products, p2, 32), v128.store(products, p3, 48);
  }
}

// @ts-ignore: decorator
@inline
function add_column(
  count: i32,
  row: usize,
  x: usize,
  mask: usize,
  mean: usize,
  inverse: usize,
  dy: usize,
  sums: usize,
  products: usize,
): void {
  let s = load<f64>(sums);
  let p = load<f64>(products);
  for (; count > 0; count--, x += row) {
    const counts = mask == 0 || load<f32>(mask) != 0;
    if (mask) mask += 4;
    if (counts) {
      const a: f32 = dy ? load<f32>(dy) : load<f32>(x);
      const b: f32 = dy ? (load<f32>(x) - load<f32>(mean)) * load<f32>(inverse) : a;
      s += <f64>a;
      p += <f64>a * <f64>b;
    }
    if (dy) dy += row;
  }
  store<f64>(sums, s);
  store<f64>(products, p);
}

/** y = (x − mean)·factor + beta. y may be x. */
export function batch_norm(
  rows: i32,
  cols: i32,
  x: usize,
  mean: usize,
  factor: usize,
  beta: usize,
  y: usize,
): void {
  const whole = vector_bytes(cols);
  const tail = cols & 3;
  for (; rows > 0; rows--) {
    for (let at: usize = 0; at < whole; at += 16) transform(at, 4, x, mean, factor, beta, y);
    if (tail) transform(whole, tail, x, mean, factor, beta, y);
    x += bytes(cols);
    y += bytes(cols);
  }
}

// @ts-ignore: decorator
@inline
function transform(at: usize, count: i32, x: usize, mean: usize, factor: usize, beta: usize, y: usize): void {
  const difference = f32x4.sub(load_lanes(x + at, count), load_lanes(mean + at, count));
  const value = madd(difference, load_lanes(factor + at, count), load_lanes(beta + at, count));
  store_lanes(y + at, value, count);
}

/** dx = factor·dy + w·(shift + slope·(x − mean)) if accumulate is 0, dx += the same if it is 1. */
export function batch_norm_backward(
  rows: i32,
  cols: i32,
  x: usize,
  mask: usize,
  mean: usize,
  factor: usize,
  shift: usize,
  slope: usize,
  dy: usize,
  dx: usize,
  accumulate: i32,
): void {
  const whole = vector_bytes(cols);
  const tail = cols & 3;
  for (; rows > 0; rows--) {
    const counts = mask == 0 || load<f32>(mask) != 0;
    if (mask) mask += 4;
    for (let at: usize = 0; at < whole; at += 16) {
      differentiate(at, 4, counts, x, mean, factor, shift, slope, dy, dx, accumulate);
    }
    if (tail) differentiate(whole, tail, counts, x, mean, factor, shift, slope, dy, dx, accumulate);
    x += bytes(cols);
    dy += bytes(cols);
    dx += bytes(cols);
  }
}

// @ts-ignore: decorator
@inline
function differentiate(
  at: usize,
  count: i32,
  counts: bool,
  x: usize,
  mean: usize,
  factor: usize,
  shift: usize,
  slope: usize,
  dy: usize,
  dx: usize,
  accumulate: i32,
): void {
  let d = f32x4.mul(load_lanes(factor + at, count), load_lanes(dy + at, count));
  if (counts) {
    const difference = f32x4.sub(load_lanes(x + at, count), load_lanes(mean + at, count));
    d = f32x4.add(d, madd(load_lanes(slope + at, count), difference, load_lanes(shift + at, count)));
  }
  store_lanes(dx + at, accumulate ? f32x4.add(d, load_lanes(dx + at, count)) : d, count);
}
