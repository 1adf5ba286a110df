// Exponentials, logarithms and quotients of float64, two at a time.

import { log_f64 } from '../log-f64';
import { madd_f64 } from '../simd';

/**
 * e^x for x ≤ 0 or NaN, with a relative error below 1e-13; 0 below −700. The Taylor polynomial has the degree 11 for
 * |r| ≤ ½·ln 2.
 */
// @ts-ignore: decorator
@inline
export function exp_f64(x: v128): v128 {
  const shift = f64x2.splat(6755399441055744);
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), shift);
  const n = f64x2.sub(shifted, shift);
  const head = f64x2.sub(x, f64x2.mul(n, f64x2.splat(0.6931471803691238)));
  const r = f64x2.sub(head, f64x2.mul(n, f64x2.splat(1.9082149292705877e-10)));
  let p = f64x2.splat(1.0 / 39916800);
  p = madd_f64(p, r, f64x2.splat(1.0 / 3628800));
  p = madd_f64(p, r, f64x2.splat(1.0 / 362880));
  p = madd_f64(p, r, f64x2.splat(1.0 / 40320));
  p = madd_f64(p, r, f64x2.splat(1.0 / 5040));
  p = madd_f64(p, r, f64x2.splat(1.0 / 720));
  p = madd_f64(p, r, f64x2.splat(1.0 / 120));
  p = madd_f64(p, r, f64x2.splat(1.0 / 24));
  p = madd_f64(p, r, f64x2.splat(1.0 / 6));
  p = madd_f64(p, r, f64x2.splat(0.5));
  p = madd_f64(p, r, f64x2.splat(1));
  p = madd_f64(p, r, f64x2.splat(1));
  return v128.andnot(i64x2.add(p, i64x2.shl(shifted, 52)), f64x2.lt(x, f64x2.splat(-700)));
}

// @ts-ignore: decorator
@inline
export function exp_one(x: f64): f64 {
  return f64x2.extract_lane(exp_f64(f64x2.splat(x)), 0);
}

/** ln x of a number ≥ 0 that is 0, normal or NaN. */
// @ts-ignore: decorator
@inline
export function log_of(x: f64): f64 {
  return x == 0 ? -Infinity : log_f64(x);
}

/** 1/x, or 0 where x is not above 0. */
// @ts-ignore: decorator
@inline
export function inverse(x: v128): v128 {
  return v128.and(f64x2.div(f64x2.splat(1), x), f64x2.gt(x, f64x2.splat(0)));
}
