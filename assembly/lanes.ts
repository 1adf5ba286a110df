// Loads and stores of a whole vector or of the tail of a row, so that one body of a kernel serves both. `count` is 4
// for a whole vector and 1–3 for a tail. The 4 must be a literal: the branch then disappears when the function is
// inlined. Both paths do the same arithmetic lane by lane, so a result does not depend on its place in the row.
// Pointers are byte addresses of 4-byte elements. Most kernels call these functions.

import { load_tail, store_tail } from './simd';

/**
 * Whether kernels take two neighbouring vectors at a time. V8 can join two vectors into one of 256 bits if both go
 * through the same operations, and if every load, even of a constant, comes before the first store. Other hosts
 * gain up to 15%. The builds for streams take one vector: they are 2 kB smaller. No bit depends on it.
 */
// @ts-ignore: a constant of asconfig.json
export const PAIRS: bool = IS_STREAM_BUILD == 0;
/** Floats that a kernel takes at a time. */
export const STRIDE: i32 = PAIRS ? 8 : 4;

/** The second of two neighbouring vectors, if there is one. */
// @ts-ignore: decorator
@inline
export function load_second(ptr: usize): v128 {
  return PAIRS ? v128.load(ptr, 16) : f32x4.splat(0);
}

/** Stores two neighbouring vectors, or the first alone. */
// @ts-ignore: decorator
@inline
export function store_pair(ptr: usize, first: v128, second: v128): void {
  v128.store(ptr, first);
  if (PAIRS) v128.store(ptr, second, 16);
}

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
