// Softmax over the last axis, its logarithm, and its cross-entropy with integer targets, row by row.
//
//   y_j = e^(x_j − m)/s      s = Σ_j e^(x_j − m)      m = max_j x_j
//   log y_j = (x_j − m) − ln s      loss = ln s + m − x_target
//
// x, y, dy, dx, logits, dLogits [rows, cols] f32, row-major and dense; targets [rows] i32; loss, weights [rows]
// f32. The comment of each function says which of them may be the same buffer. Called by src/ops/softmax.ts,
// src/ops/ctc.ts and stream.ts.
//
// The maximum of the row is subtracted first, so every exponent is ≤ 0 and s ≥ 1. A logit of −∞ gives 0. A row that has
// only −∞, or a NaN, or +∞, gives NaN. s is a float64 sum: the loss of a confident prediction is ln s with s just above
// 1, where float32 has too few digits.

import { PAIRS, bytes, lane_mask, load_lanes, load_second, store_lanes, store_pair, vector_bytes } from './lanes';
import { log_f64 } from './log-f64';
import { exp_nonpositive } from './math';
import { max_of } from './reduce';
import { high, low, madd, total } from './simd';

/** Σ e^(x_j − m) of one row. If `keep` is true the terms are also stored to y, which may be x. */
function exp_sum(cols: i32, x: usize, greatest: f32, y: usize, keep: bool): f64 {
  const m = f32x4.splat(greatest);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  for (; PAIRS && cols >= 8; cols -= 8, x += 32, y += 32) {
    const e = exp_nonpositive(f32x4.sub(v128.load(x), m));
    const e1 = exp_nonpositive(f32x4.sub(load_second(x), m));
    if (keep) store_pair(y, e, e1);
    s0 = f64x2.add(f64x2.add(s0, low(e)), low(e1));
    s1 = f64x2.add(f64x2.add(s1, high(e)), high(e1));
  }
  for (; cols > 0; cols -= 4, x += 16, y += 16) {
    const count = min(cols, 4);
    let e = exp_nonpositive(f32x4.sub(load_lanes(x, count), m));
    if (count < 4) e = v128.and(e, lane_mask(count));
    if (keep) store_lanes(y, e, count);
    s0 = f64x2.add(s0, low(e));
    s1 = f64x2.add(s1, high(e));
  }
  return total(s0, s1);
}

/** y = softmax(x). y may be x. */
export function softmax(rows: i32, cols: i32, x: usize, y: usize): void {
  const tail = cols & 3;
  for (; rows > 0; rows--) {
    const factor = f32x4.splat(<f32>(1 / exp_sum(cols, x, max_of(cols, x), y, true)));
    for (let end = y + vector_bytes(cols); y < end; y += 16) v128.store(y, f32x4.mul(v128.load(y), factor));
    if (tail) store_lanes(y, f32x4.mul(load_lanes(y, tail), factor), tail);
    x += bytes(cols);
    y += bytes(tail);
  }
}

/** y = (x − m) − ln s. y may be x. */
export function log_softmax(rows: i32, cols: i32, x: usize, y: usize): void {
  const tail = cols & 3;
  for (; rows > 0; rows--) {
    const greatest = max_of(cols, x);
    const m = f32x4.splat(greatest);
    const logSum = f32x4.splat(<f32>log_f64(exp_sum(cols, x, greatest, y, false)));
    for (let end = x + vector_bytes(cols); x < end; x += 16, y += 16) {
      v128.store(y, f32x4.sub(f32x4.sub(v128.load(x), m), logSum));
    }
    if (tail) store_lanes(y, f32x4.sub(f32x4.sub(load_lanes(x, tail), m), logSum), tail);
    x += bytes(tail);
    y += bytes(tail);
  }
}

/**
 * dx = y·(dy − Σ y·dy) for each row if accumulate is 0, dx += the same if it is 1. y is the output of `softmax`. dx may
 * be y or dy if accumulate is 0.
 */
export function softmax_backward(rows: i32, cols: i32, y: usize, dy: usize, dx: usize, accumulate: i32): void {
  const tail = cols & 3;
  const whole = vector_bytes(cols);
  for (; rows > 0; rows--) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let at: usize = 0; at < whole; at += 16) {
      const a = v128.load(y + at);
      const b = v128.load(dy + at);
      s0 = f64x2.add(s0, f64x2.mul(low(a), low(b)));
      s1 = f64x2.add(s1, f64x2.mul(high(a), high(b)));
    }
    if (tail) {
      const a = load_lanes(y + whole, tail);
      const b = load_lanes(dy + whole, tail);
      s0 = f64x2.add(s0, f64x2.mul(low(a), low(b)));
      s1 = f64x2.add(s1, f64x2.mul(high(a), high(b)));
    }
    const mean = f32x4.splat(<f32>total(s0, s1));
    for (let end = y + whole; y < end; y += 16, dy += 16, dx += 16) {
      const d = f32x4.mul(v128.load(y), f32x4.sub(v128.load(dy), mean));
      v128.store(dx, accumulate ? f32x4.add(v128.load(dx), d) : d);
    }
    if (tail) {
      const d = f32x4.mul(load_lanes(y, tail), f32x4.sub(load_lanes(dy, tail), mean));
      store_lanes(dx, accumulate ? f32x4.add(load_lanes(dx, tail), d) : d, tail);
    }
    y += bytes(tail);
    dy += bytes(tail);
    dx += bytes(tail);
  }
}

/**
 * loss[i] = ln s + (m − logits[i, targets[i]]), and dLogits = scale·weights[i]·(softmax(logits) − onehot(targets))
 * unless dLogits is 0. weights may be 0, which means all ones. dLogits may be logits. targets are in [0, cols). They
 * are not checked here.
 */
export function softmax_cross_entropy(
  rows: i32,
  cols: i32,
  logits: usize,
  targets: usize,
  weights: usize,
  scale: f32,
  loss: usize,
  dLogits: usize,
): void {
  const tail = cols & 3;
  for (let i = 0; i < rows; i++) {
    const chosen = bytes(load<i32>(targets + bytes(i)));
    const m = max_of(cols, logits);
    const margin = <f64>m - <f64>load<f32>(logits + chosen);
    const s = exp_sum(cols, logits, m, dLogits, dLogits != 0);
    store<f32>(loss + bytes(i), <f32>(log_f64(s) + margin));
    logits += bytes(cols);
    if (!dLogits) continue;
    const factor = f32x4.splat(<f32>(1 / s));
    const weight: f32 = weights ? scale * load<f32>(weights + bytes(i)) : scale;
    const v = f32x4.splat(weight);
    const target = dLogits + chosen;
    const atTarget = weight * (load<f32>(target) * <f32>(1 / s) - 1);
    for (let end = dLogits + vector_bytes(cols); dLogits < end; dLogits += 16) {
      v128.store(dLogits, f32x4.mul(v, f32x4.mul(v128.load(dLogits), factor)));
    }
    if (tail) store_lanes(dLogits, f32x4.mul(v, f32x4.mul(load_lanes(dLogits, tail), factor)), tail);
    dLogits += bytes(tail);
    store<f32>(target, atTarget);
  }
}
