// Exponentials, logarithms and quotients of float64, two at a time.

import { log_f64 } from '../log-f64';
import { madd_f64 } from '../simd';

// Constants of e^x. They are globals that are set at each call: V8 builds a literal vector again in each round of a
// loop, and the extra kernels may have no static data. Fn is 1/n!.
let SHIFT: f64 = 0;
let LOG2_E: f64 = 0;
let LN2_HEAD: f64 = 0;
let LN2_TAIL: f64 = 0;
let F11: f64 = 0;
let F10: f64 = 0;
let F9: f64 = 0;
let F8: f64 = 0;
let F7: f64 = 0;
let F6: f64 = 0;
let F5: f64 = 0;
let F4: f64 = 0;
let F3: f64 = 0;
let F2: f64 = 0;
let ONE: f64 = 0;
let LEAST_X: f64 = 0;

/** Sets the constants of `exp_f64`. */
export function set_constants(): void {
  SHIFT = 6755399441055744;
  LOG2_E = 1.4426950408889634;
  LN2_HEAD = 0.6931471803691238;
  LN2_TAIL = 1.9082149292705877e-10;
  F11 = 1.0 / 39916800;
  F10 = 1.0 / 3628800;
  F9 = 1.0 / 362880;
  F8 = 1.0 / 40320;
  F7 = 1.0 / 5040;
  F6 = 1.0 / 720;
  F5 = 1.0 / 120;
  F4 = 1.0 / 24;
  F3 = 1.0 / 6;
  F2 = 0.5;
  ONE = 1;
  LEAST_X = -700;
}

/**
 * e^x for x ≤ 0 or NaN, with a relative error below 1e-13; 0 below −700. The Taylor polynomial has the degree 11 for
 * |r| ≤ ½·ln 2. Its terms are added in pairs, because latency bounds one chain of additions.
 */
// @ts-ignore: decorator
@inline
export function exp_f64(x: v128): v128 {
  const shift = f64x2.splat(SHIFT);
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), shift);
  const n = f64x2.sub(shifted, shift);
  const head = f64x2.sub(x, f64x2.mul(n, f64x2.splat(LN2_HEAD)));
  const r = f64x2.sub(head, f64x2.mul(n, f64x2.splat(LN2_TAIL)));
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const p0 = f64x2.add(r, f64x2.splat(ONE));
  const p2 = madd_f64(f64x2.splat(F3), r, f64x2.splat(F2));
  const p4 = madd_f64(f64x2.splat(F5), r, f64x2.splat(F4));
  const p6 = madd_f64(f64x2.splat(F7), r, f64x2.splat(F6));
  const p8 = madd_f64(f64x2.splat(F9), r, f64x2.splat(F8));
  const p10 = madd_f64(f64x2.splat(F11), r, f64x2.splat(F10));
  const high = madd_f64(madd_f64(p10, r2, p8), r4, madd_f64(p6, r2, p4));
  const p = madd_f64(high, r4, madd_f64(p2, r2, p0));
  return v128.andnot(i64x2.add(p, i64x2.shl(shifted, 52)), f64x2.lt(x, f64x2.splat(LEAST_X)));
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
