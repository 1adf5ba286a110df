// Operations on 128-bit vectors of four f32 lanes that are not one plain SIMD instruction. This is the only file that
// uses relaxed operations. In the relaxed build a multiply-add is fused and rounds once, if the host fuses it. In the
// plain build it always rounds twice. Most kernels call these functions. Source of the relaxed operations:
// https://github.com/WebAssembly/relaxed-simd.

/** a·b + c */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** a·b + c of two f64 lanes. */
// @ts-ignore: decorator
@inline
export function madd_f64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** c − a·b */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/**
 * Lane i is sums_i + the dot product of the bytes 4i … 4i + 3 of a and of b. a is signed. b is in 0…127: in that range
 * the result is the same on every host. Only the relaxed build has this operation.
 */
// @ts-ignore: decorator
@inline
export function dot_i8_i7(a: v128, b: v128, sums: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sums);
}

/** Lanes 0 and 1 as float64. */
// @ts-ignore: decorator
@inline
export function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** Lanes 2 and 3 as float64. */
// @ts-ignore: decorator
@inline
export function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** The sum of the four float64 lanes of s0 and s1. */
// @ts-ignore: decorator
@inline
export function total(s0: v128, s1: v128): f64 {
  const s = f64x2.add(s0, s1);
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** The first `count` (1–3) floats at `ptr`. The other lanes are 0. Reads nothing beyond them. */
export function load_tail(ptr: usize, count: i32): v128 {
  if (count == 1) return v128.load32_zero(ptr);
  const low = v128.load64_zero(ptr);
  return count == 2 ? low : v128.load_lane<f32>(ptr, low, 2, 8);
}

/** Stores the first `count` (1–3) lanes of v at `ptr`. Writes nothing beyond them. */
export function store_tail(ptr: usize, v: v128, count: i32): void {
  if (count == 1) {
    v128.store_lane<f32>(ptr, v, 0);
    return;
  }
  v128.store_lane<f64>(ptr, v, 0);
  if (count == 3) v128.store_lane<f32>(ptr, v, 2, 8);
}
