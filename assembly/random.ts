// Random numbers as a function of (seed, counter): Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
// Element e takes word e mod 4 of the block whose counter is (⌊e/4⌋, 0) and whose key is the seed, so any cut of a range gives the same
// words, and so do both builds: nothing here is fused.

import { bytes } from './lanes';

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** The word of element e. For the ends of a range, which four blocks at a time do not fit. */
function word(seedLow: u32, seedHigh: u32, e: u64): u32 {
  const block = e >> 2;
  let c0 = <u32>block;
  let c1 = <u32>(block >> 32);
  let c2: u32 = 0;
  let c3: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>M0 * <u64>c0;
    const p1 = <u64>M1 * <u64>c2;
    c0 = <u32>(p1 >> 32) ^ c1 ^ seedLow;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ seedHigh;
    c3 = <u32>p0;
    seedLow += W0;
    seedHigh += W1;
  }
  const pick = <u32>e & 3;
  return pick == 0 ? c0 : pick == 1 ? c1 : pick == 2 ? c2 : c3;
}

enum Kind {
  Dropout,
  Uniform,
}

/**
 * y = emit(word of its element) for elements e, e + 1, …: four blocks at a time, lane by lane, then transposed into the order of elements; what
 * does not fill four blocks, word by word.
 */
function generate(
  kind: i32,
  count: i32,
  seedLow: u32,
  seedHigh: u32,
  e: u64,
  x: usize,
  y: usize,
  p0: v128,
  p1: v128,
  p2: v128,
): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  const w0 = i32x4.splat(W0);
  const w1 = i32x4.splat(W1);
  while (count > 0) {
    if (count < 16 || (e & 3) != 0) {
      const words = i32x4.splat(word(seedLow, seedHigh, e));
      store<f32>(y, f32x4.extract_lane(emit(kind, words, v128.load32_zero(x), p0, p1, p2), 0));
      count--;
      e++;
      x += 4;
      y += 4;
      continue;
    }
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
    const low01 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
    emit_four(kind, v128.shuffle<i32>(low01, low23, 0, 1, 4, 5), x, y, p0, p1, p2);
    emit_four(kind, v128.shuffle<i32>(low01, low23, 2, 3, 6, 7), x + 16, y + 16, p0, p1, p2);
    emit_four(kind, v128.shuffle<i32>(high01, high23, 0, 1, 4, 5), x + 32, y + 32, p0, p1, p2);
    emit_four(kind, v128.shuffle<i32>(high01, high23, 2, 3, 6, 7), x + 48, y + 48, p0, p1, p2);
    count -= 16;
    e += 16;
    x += 64;
    y += 64;
  }
}

// @ts-ignore: decorator
@inline
function emit_four(kind: i32, words: v128, x: usize, y: usize, p0: v128, p1: v128, p2: v128): void {
  v128.store(y, emit(kind, words, v128.load(x), p0, p1, p2));
}

/** Dropout: p0 = threshold, p1 = factor. Uniform: p0 = (high − low)·2⁻²⁴, p1 = low, p2 = the greatest result. */
// @ts-ignore: decorator
@inline
function emit(kind: i32, words: v128, x: v128, p0: v128, p1: v128, p2: v128): v128 {
  if (kind == Kind.Dropout) return v128.and(f32x4.mul(x, p1), i32x4.ge_u(words, p0));
  const unit = f32x4.convert_i32x4_s(i32x4.shr_u(words, 8));
  return f32x4.pmin(f32x4.add(f32x4.mul(unit, p0), p1), p2);
}

/** y = x/(1 − rate), or +0 with probability rate (word < rate·2³²), whatever x is. rate = 1 drops all. y may be x. */
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
  generate(Kind.Dropout, count, seedLow, seedHigh, <u64>counter, x, y, threshold, factor, factor);
}

/** Uniform in [low, high), 24 bits of each word. Rounding could reach high; the float32 below it is the limit. */
export function random_uniform(
  count: i32,
  low: f32,
  high: f32,
  seedLow: u32,
  seedHigh: u32,
  counter: f64,
  y: usize,
): void {
  const step = f32x4.splat(<f32>((<f64>high - <f64>low) / 16777216));
  const greatest = f32x4.splat(below(high));
  generate(Kind.Uniform, count, seedLow, seedHigh, <u64>counter, y, y, step, f32x4.splat(low), greatest);
}

/** The greatest float32 less than x. */
function below(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  if (x > 0) return reinterpret<f32>(bits - 1);
  return x < 0 ? reinterpret<f32>(bits + 1) : reinterpret<f32>(0x80000001);
}
