// Loads and stores of a whole vector or of a row's tail through one body. `count` is 4 for a whole vector and must then
// be the literal, so that the branch folds away once inlined; 1–3 for a tail. Both paths do the same arithmetic lane by
// lane, so a result does not depend on its place in the row.

import { load_tail, store_tail } from './simd';

// @ts-ignore: decorator
@inline
export function load_lanes(ptr: usize, count: i32): v128 {
  return count == 4 ? v128.load(ptr) : load_some(ptr, count);
}

// @ts-ignore: decorator
@inline
export function store_lanes(ptr: usize, v: v128, count: i32): void {
  if (count == 4) v128.store(ptr, v);
  else store_some(ptr, v, count);
}

// A function that calls itself is not inlined: at every tail of every kernel these two would make up a third of the
// module.

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
