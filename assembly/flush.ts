// Zeros for the smallest numbers, whose arithmetic is slow. Pointers are byte addresses of 4-byte elements. Cells and
// optimizers call these functions. They have a table, so the extra kernels may not import them.

import { load_lanes, store_lanes, vector_bytes } from './lanes';

/** The bits of a float32 without its sign, and the largest bits below 2⁻¹⁰⁰ and below 2⁻¹²⁶. */
const table = memory.data<u32>([0x7fffffff, 0x0d7fffff, 0x007fffff]);

/**
 * x, with zeros for numbers below 2⁻¹⁰⁰. Below 2⁻¹²⁶ float32 has only subnormal numbers. WebAssembly cannot make the
 * processor replace them by zeros, and many processors take some 150 cycles for each operation on one. Cells use the
 * higher limit, so that products with weights of 2⁻²⁶ and more are not subnormal either. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function flush(x: v128): v128 {
  return keep_above(4, x);
}

/** x, with zeros for subnormal numbers. NaN stays. */
// @ts-ignore: decorator
@inline
export function flush_subnormal(x: v128): v128 {
  return keep_above(8, x);
}

// @ts-ignore: decorator
@inline
function keep_above(limit: usize, x: v128): v128 {
  const magnitude = v128.and(x, v128.load32_splat(table));
  return v128.and(x, i32x4.gt_s(magnitude, v128.load32_splat(table + limit)));
}

/** Stores the first `count` (1–4) lanes of flush(v). */
export function store_flushed(ptr: usize, v: v128, count: i32): void {
  store_lanes(ptr, flush(v), count);
}

/** The first `count` (1–4) elements at `ptr`, flushed there as well. */
export function take_flushed(ptr: usize, count: i32): v128 {
  const x = flush(load_lanes(ptr, count));
  store_lanes(ptr, x, count);
  return x;
}

/** Flushes `count` floats at `ptr`. */
export function flush_all(count: i32, ptr: usize): void {
  for (const whole = ptr + vector_bytes(count); ptr < whole; ptr += 16) v128.store(ptr, flush(v128.load(ptr)));
  if (count & 3) take_flushed(ptr, count & 3);
}
