// Loads and stores of a whole vector or of the tail of a row, so that one body of a kernel serves both. `count` is 4
// for a whole vector and 1–3 for a tail. The 4 must be a literal: the branch then disappears when the function is
// inlined. Both paths do the same arithmetic lane by lane, so a result does not depend on its place in the row.
// Pointers are byte addresses of 4-byte elements. Most kernels call these functions.

import { load_tail, store_tail } from './simd';

/** `count` (1–4) elements at `ptr`. The other lanes are 0. Reads nothing beyond them. */
// @ts-ignore: decorator
@inline
export function load_lanes(ptr: usize, count: i32): v128 {
  return count == 4 ? v128.load(ptr) : load_some(ptr, count);
}

/** Stores the first `count` (1–4) lanes of v at `ptr`. Writes nothing beyond them. */
// @ts-ignore: decorator
@inline
export function store_lanes(ptr: usize, v: v128, count: i32): void {
  if (count == 4) v128.store(ptr, v);
  else store_some(ptr, v, count);
}

// These two functions call themselves, because the compiler does not inline such functions. Inlined at every tail of
// every kernel, they would be a third of the module.

function load_some(ptr: usize, count: i32): v128 {
  return count == 3 ? v128.load_lane<f32>(ptr, load_some(ptr, 2), 2, 8) : load_tail(ptr, count);
}

function store_some(ptr: usize, v: v128, count: i32): void {
  if (count == 3) {
    store_some(ptr, v, 2);
    v128.store_lane<f32>(ptr, v, 2, 8);
  } else {
    store_tail(ptr, v, count);
  }
}

/** All ones in the first `count` (0–4) lanes. */
// @ts-ignore: decorator
@inline
export function lane_mask(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** Bytes of `count` elements. */
// @ts-ignore: decorator
@inline
export function bytes(count: i32): usize {
  return (<usize>count) << 2;
}

/** Bytes of the whole vectors among `count` elements. */
// @ts-ignore: decorator
@inline
export function vector_bytes(count: i32): usize {
  return bytes(count & ~3);
}

/** The smallest normal float32, 2⁻¹²⁶. */
const least = memory.data<f32>([1.1754943508222875e-38]);

/**
 * x, with zeros for subnormal numbers. WebAssembly cannot make the processor do this, and many processors take some 150
 * cycles for each operation on such a number. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function flush(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), v128.load32_splat(least)));
}

// A tail calls it, for the same reason as `load_some`.
function flush_some(x: v128, count: i32): v128 {
  return count > 4 ? flush_some(x, 4) : flush(x);
}

/** Stores the first `count` (1–4) lanes of flush(v). Cells and optimizers store so what they read in the next step. */
// @ts-ignore: decorator
@inline
export function store_flushed(ptr: usize, v: v128, count: i32): void {
  if (count == 4) v128.store(ptr, flush(v));
  else store_some(ptr, flush_some(v, count), count);
}

/** The first `count` (1–4) lanes of flush of what is at `ptr`. */
// @ts-ignore: decorator
@inline
export function load_flushed(ptr: usize, count: i32): v128 {
  return count == 4 ? flush(v128.load(ptr)) : flush_some(load_some(ptr, count), count);
}
