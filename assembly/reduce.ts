// Reductions: sums, maxima and tests over all elements, over rows or over columns.
//
//   Σ x_i      Σ x_i²      Σ x_i·y_i      y_j = Σ_i x_ij      y_i = Σ_j x_ij      y_i = max_j x_ij
//
// x [count] or [rows, cols] f32, row-major; ldx is the row stride in elements, and x is dense where there is none. No
// output overlaps an input. Called by src/ops, the optimizers (norms), the losses, the metrics, and the checks of
// parameters and streams (`all_finite`).
//
// Sums run in float64. The number of elements alone fixes their order: four partial sums of two lanes over blocks of 8,
// folded pairwise, then the remaining elements in ascending order. So the bits are the same if threads share the work
// and each row, column or tensor belongs to one thread.

import { bytes, vector_bytes } from './lanes';

/** Two floats at x as float64. */
// @ts-ignore: decorator
@inline
function pair(x: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(x));
}

enum Term {
  Value,
  Product,
  Deviation,
}

/** x, x·y or (x − mean)² as float64. The products are exact there. */
// @ts-ignore: decorator
@inline
function term(kind: i32, x: usize, y: usize, mean: v128): v128 {
  let a = pair(x);
  if (kind == Term.Value) return a;
  if (kind == Term.Deviation) a = f64x2.sub(a, mean);
  return f64x2.mul(a, kind == Term.Product ? pair(y) : a);
}

// @ts-ignore: decorator
@inline
function accumulate_terms(kind: i32, count: i32, x: usize, y: usize, center: f64): f64 {
  const mean = f64x2.splat(center);
  const end = x + bytes(count);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (const stop = x + bytes(count & ~7); x < stop; x += 32, y += 32) {
    s0 = f64x2.add(s0, term(kind, x, y, mean));
    s1 = f64x2.add(s1, term(kind, x + 8, y + 8, mean));
    s2 = f64x2.add(s2, term(kind, x + 16, y + 16, mean));
    s3 = f64x2.add(s3, term(kind, x + 24, y + 24, mean));
  }
  const folded = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let total = f64x2.extract_lane(folded, 0) + f64x2.extract_lane(folded, 1);
  for (; x < end; x += 4, y += 4) {
    let a = <f64>load<f32>(x);
    if (kind == Term.Deviation) a -= center;
    total += kind == Term.Value ? a : a * (kind == Term.Product ? <f64>load<f32>(y) : a);
  }
  return total;
}

/** Σ x_i */
export function sum(count: i32, x: usize): f64 {
  return accumulate_terms(Term.Value, count, x, 0, 0);
}

/** Σ x_i² */
export function sum_squares(count: i32, x: usize): f64 {
  return dot(count, x, x);
}

/** Σ (x_i − mean)² */
export function sum_deviations(count: i32, x: usize, mean: f64): f64 {
  return accumulate_terms(Term.Deviation, count, x, 0, mean);
}

/** Σ x_i·y_i */
export function dot(count: i32, x: usize, y: usize): f64 {
  return accumulate_terms(Term.Product, count, x, y, 0);
}

/**
 * y[j] = Σ_i x[i, j] if accumulate is 0, y[j] += Σ_i x[i, j] if it is 1, rounded to float32 once. Columns are summed 16
 * at a time (one cache line), then 4 at a time, then one by one. Each column is summed in ascending order of rows.
 */
export function col_sum(rows: i32, cols: i32, x: usize, ldx: i32, y: usize, accumulate: i32): void {
  const row = bytes(ldx);
  const span = row * <usize>rows;
  let j = 0;
  for (; j + 16 <= cols; j += 16, x += 64, y += 64) {
    let s0 = accumulate ? pair(y) : f64x2.splat(0);
    let s1 = accumulate ? pair(y + 8) : f64x2.splat(0);
    let s2 = accumulate ? pair(y + 16) : f64x2.splat(0);
    let s3 = accumulate ? pair(y + 24) : f64x2.splat(0);
    let s4 = accumulate ? pair(y + 32) : f64x2.splat(0);
    let s5 = accumulate ? pair(y + 40) : f64x2.splat(0);
    let s6 = accumulate ? pair(y + 48) : f64x2.splat(0);
    let s7 = accumulate ? pair(y + 56) : f64x2.splat(0);
    for (let at = x, end = x + span; at != end; at += row) {
      s0 = f64x2.add(s0, pair(at));
      s1 = f64x2.add(s1, pair(at + 8));
      s2 = f64x2.add(s2, pair(at + 16));
      s3 = f64x2.add(s3, pair(at + 24));
      s4 = f64x2.add(s4, pair(at + 32));
      s5 = f64x2.add(s5, pair(at + 40));
      s6 = f64x2.add(s6, pair(at + 48));
      s7 = f64x2.add(s7, pair(at + 56));
    }
    v128.store(y, narrow(s0, s1));
    v128.store(y + 16, narrow(s2, s3));
    v128.store(y + 32, narrow(s4, s5));
    v128.store(y + 48, narrow(s6, s7));
  }
  for (; j + 4 <= cols; j += 4, x += 16, y += 16) {
    let s0 = accumulate ? pair(y) : f64x2.splat(0);
    let s1 = accumulate ? pair(y + 8) : f64x2.splat(0);
    for (let at = x, end = x + span; at != end; at += row) {
      s0 = f64x2.add(s0, pair(at));
      s1 = f64x2.add(s1, pair(at + 8));
    }
    v128.store(y, narrow(s0, s1));
  }
  for (; j < cols; j++, x += 4, y += 4) {
    let s: f64 = accumulate ? load<f32>(y) : 0;
    for (let at = x, end = x + span; at != end; at += row) s += load<f32>(at);
    store<f32>(y, <f32>s);
  }
}

/**
 * sums[j] += Σ_i x[i, j] for sums [cols] f64, in ascending order of i. It is `col_sum` without its rounding, for rows
 * that come in several parts. ldx may be negative.
 */
export function col_sum_wide(rows: i32, cols: i32, x: usize, ldx: i32, sums: usize): void {
  const row = bytes(ldx);
  const span = row * <usize>rows;
  let j = 0;
  for (; j + 16 <= cols; j += 16, x += 64, sums += 128) {
    let s0 = v128.load(sums);
    let s1 = v128.load(sums, 16);
    let s2 = v128.load(sums, 32);
    let s3 = v128.load(sums, 48);
    let s4 = v128.load(sums, 64);
    let s5 = v128.load(sums, 80);
    let s6 = v128.load(sums, 96);
    let s7 = v128.load(sums, 112);
    for (let at = x, end = x + span; at != end; at += row) {
      s0 = f64x2.add(s0, pair(at));
      s1 = f64x2.add(s1, pair(at + 8));
      s2 = f64x2.add(s2, pair(at + 16));
      s3 = f64x2.add(s3, pair(at + 24));
      s4 = f64x2.add(s4, pair(at + 32));
      s5 = f64x2.add(s5, pair(at + 40));
      s6 = f64x2.add(s6, pair(at + 48));
      s7 = f64x2.add(s7, pair(at + 56));
    }
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
    v128.store(sums, s4, 64);
    v128.store(sums, s5, 80);
    v128.store(sums, s6, 96);
    v128.store(sums, s7, 112);
  }
  for (; j < cols; j++, x += 4, sums += 8) {
    let s = load<f64>(sums);
    for (let at = x, end = x + span; at != end; at += row) s += load<f32>(at);
    store<f64>(sums, s);
  }
}

/** Rounds four float64 to float32. */
// @ts-ignore: decorator
@inline
function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** y[i] = Σ_j x[i, j] if accumulate is 0, y[i] += Σ_j x[i, j] if it is 1, rounded to float32 once. */
export function row_sum(rows: i32, cols: i32, x: usize, ldx: i32, y: usize, accumulate: i32): void {
  for (; rows > 0; rows--) {
    const s = sum(cols, x);
    store<f32>(y, <f32>(accumulate ? s + load<f32>(y) : s));
    x += bytes(ldx);
    y += 4;
  }
}

/** y[i] = max_j x[i, j]. It is NaN if the row has a NaN, and −∞ if the row is empty. */
export function row_max(rows: i32, cols: i32, x: usize, y: usize): void {
  for (; rows > 0; rows--) {
    store<f32>(y, max_of(cols, x));
    x += bytes(cols);
    y += 4;
  }
}

/** The greatest of `count` floats, or NaN if one is NaN. If all are zeros, the sign of the result is that of one. */
export function max_of(count: i32, x: usize): f32 {
  const end = x + bytes(count);
  let m0 = f32x4.splat(-Infinity), m1 = m0;
  // `f32x4.max`, which returns NaN, takes some 8 instructions on x64. `pmax` takes one and passes over NaN.
  let hasNaN = f32x4.splat(0);
  for (const stop = x + bytes(count & ~7); x < stop; x += 32) {
    const a = v128.load(x), b = v128.load(x, 16);
    m0 = f32x4.pmax(m0, a), m1 = f32x4.pmax(m1, b);
    hasNaN = v128.or(hasNaN, v128.or(f32x4.ne(a, a), f32x4.ne(b, b)));
  }
  m0 = f32x4.pmax(m0, m1);
  m0 = f32x4.pmax(m0, v128.shuffle<f32>(m0, m0, 2, 3, 0, 1));
  let greatest = max<f32>(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1));
  for (; x < end; x += 4) greatest = max<f32>(greatest, load<f32>(x));
  return v128.any_true(hasNaN) ? NaN : greatest;
}

/** out [rows] i32: the index of each row's first maximum. A NaN counts as the greatest, as in NumPy. */
export function argmax(rows: i32, cols: i32, x: usize, out: usize): void {
  for (; rows > 0; rows--) {
    const greatest = max_of(cols, x);
    let j = 0;
    if (greatest != greatest) {
      while (j < cols && load<f32>(x + bytes(j)) == load<f32>(x + bytes(j))) j++;
    } else {
      const wanted = f32x4.splat(greatest);
      while (j + 4 <= cols && !v128.any_true(f32x4.eq(v128.load(x + bytes(j)), wanted))) j += 4;
      while (j < cols && load<f32>(x + bytes(j)) != greatest) j++;
    }
    store<i32>(out, j);
    x += bytes(cols);
    out += 4;
  }
}

/**
 * 1 if every element is finite, else 0. It tests the bits of the exponent, because an optimizer in fast-math mode may
 * remove comparisons with NaN.
 */
export function all_finite(count: i32, x: usize): i32 {
  const exponent = i32x4.splat(0x7f800000);
  const end = x + bytes(count);
  for (const stop = x + vector_bytes(count); x < stop; x += 16) {
    if (v128.any_true(i32x4.eq(v128.and(v128.load(x), exponent), exponent))) return 0;
  }
  for (; x < end; x += 4) {
    if ((load<u32>(x) & 0x7f800000) == 0x7f800000) return 0;
  }
  return 1;
}
