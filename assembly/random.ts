// Random numbers as a function of a seed and a counter: `dropout` and `hash_uniform`.
//
//   y_i = x_i/(1 − rate), or 0 with probability rate      y_i = low + scale·n_i
//
// x, y [count] f32, dense; y may be x. Called by src/ops/elementwise/dropout.ts and src/engine/random.ts.
//
// `dropout` uses Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011,
// https://doi.org/10.1145/2063384.2063405). Element e takes word e mod 4 of the block with counter (⌊e/4⌋, 0) and the
// seed as key. So the words do not depend on how a range is split. Both builds give the same bits, because no operation
// here is fused.

import { bytes } from './lanes';

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/**
 * y = x/(1 − rate), or +0 with probability rate, also for an x of NaN or ∞. An element is dropped if its word is less
 * than rate·2³². rate = 1 drops all. Element i has the counter `counter` + i. y may be x. Backward is the same call on
 * the gradient.
 *
 * Four blocks are made at a time, one in each lane, and transposed into the order of the elements. Of elements that do
 * not fill four blocks, one is made at a time.
 */
export function dropout(
  count: i32,
  rate: f64,
  seedLow: u32,
  seedHigh: u32,
  counter: f64,
  x: usize,
  y: usize,
): void {
  if (rate >= 1) {
    for (const end = y + bytes(count); y < end; y += 4) store<f32>(y, 0);
    return;
  }
  const threshold = i32x4.splat(<u32>(rate * 4294967296));
  const factor = f32x4.splat(<f32>(1 / (1 - rate)));
  let e = <u64>counter;
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  const w0 = i32x4.splat(W0);
  const w1 = i32x4.splat(W1);
  while (count > 0) {
    const block = e >> 2;
    const first = i32x4.splat(<u32>block);
    let c0 = i32x4.add(first, i32x4(0, 1, 2, 3));
    let c1 = i32x4.sub(i32x4.splat(<u32>(block >> 32)), i32x4.lt_u(c0, first));
    let c2 = i32x4.splat(0);
    let c3 = c2;
    let key0 = i32x4.splat(seedLow);
    let key1 = i32x4.splat(seedHigh);
    for (let round = 0; round < 10; round++) {
      const high0 = v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(c0, m0), i64x2.extmul_high_i32x4_u(c0, m0), 1, 3, 5, 7);
      const high1 = v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(c2, m1), i64x2.extmul_high_i32x4_u(c2, m1), 1, 3, 5, 7);
      const low0 = i32x4.mul(c0, m0);
      const low1 = i32x4.mul(c2, m1);
      c0 = v128.xor(high1, v128.xor(c1, key0));
      c1 = low1;
      c2 = v128.xor(high0, v128.xor(c3, key1));
      c3 = low0;
      key0 = i32x4.add(key0, w0);
      key1 = i32x4.add(key1, w1);
    }
    const place = <u32>e & 3;
    if (count < 16 || place) {
      const words = place == 0 ? c0 : place == 1 ? c1 : place == 2 ? c2 : c3;
      v128.store_lane<f32>(y, kept(words, v128.load32_zero(x), threshold, factor), 0);
      count--;
      e++;
      x += 4;
      y += 4;
      continue;
    }
    const low01 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
    drop_four(v128.shuffle<i32>(low01, low23, 0, 1, 4, 5), x, y, threshold, factor);
    drop_four(v128.shuffle<i32>(low01, low23, 2, 3, 6, 7), x + 16, y + 16, threshold, factor);
    drop_four(v128.shuffle<i32>(high01, high23, 0, 1, 4, 5), x + 32, y + 32, threshold, factor);
    drop_four(v128.shuffle<i32>(high01, high23, 2, 3, 6, 7), x + 48, y + 48, threshold, factor);
    count -= 16;
    e += 16;
    x += 64;
    y += 64;
  }
}

// @ts-ignore: decorator
@inline
function drop_four(words: v128, x: usize, y: usize, threshold: v128, factor: v128): void {
  v128.store(y, kept(words, v128.load(x), threshold, factor));
}

// @ts-ignore: decorator
@inline
function kept(words: v128, x: v128, threshold: v128, factor: v128): v128 {
  return v128.and(f32x4.mul(x, factor), i32x4.ge_u(words, threshold));
}

/** The mixing function of src/engine/random.ts, a bijection of words, for four words. */
function mix(x: v128): v128 {
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/**
 * y = low + scale·n for integers n in [0, 2⁵³), computed in float64 and rounded to float32. n has 27 bits of one word
 * above 26 bits of the next. These are the bits of `RandomStream.nextUniform`, scaled. `mixed` is the mixed seed of the
 * stream, `call` its first counter. Two elements are made at a time.
 */
export function hash_uniform(count: i32, mixed: i32, call: i32, low: f64, scale: f64, y: usize): void {
  const seed = i32x4.splat(mixed);
  let calls = i32x4.add(i32x4.splat(call), i32x4(0x9e3779b9, 0x9e3779ba, 0x9e3779bb, 0x9e3779bc));
  for (; count > 0; count -= 2) {
    let words = calls;
    // mix(mix(calls) ^ seed). A loop, so that `mix` is inlined once.
    for (let round = 0; round < 2; round++) words = mix(round ? v128.xor(words, seed) : words);
    const upper = f64x2.convert_low_i32x4_u(v128.shuffle<i32>(i32x4.shr_u(words, 5), words, 0, 2, 0, 2));
    const lower = f64x2.convert_low_i32x4_u(v128.shuffle<i32>(i32x4.shr_u(words, 6), words, 1, 3, 1, 3));
    const n = f64x2.add(f64x2.mul(upper, f64x2.splat(67108864)), lower);
    const values = f32x4.demote_f64x2_zero(f64x2.add(f64x2.splat(low), f64x2.mul(f64x2.splat(scale), n)));
    if (count == 1) v128.store_lane<f32>(y, values, 0);
    else v128.store_lane<f64>(y, values, 0);
    calls = i32x4.add(calls, i32x4.splat(4));
    y += 8;
  }
}
