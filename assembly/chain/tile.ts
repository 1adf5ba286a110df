// Four chains side by side: their rows at a step, and what is done with the scores there.

import { exp_f64 } from './float64';
import { bytes, chains, counts, emissions, LEAST, LOG_LEAST, longest, step, steps, TAG, tags } from './problem';
import { greatest } from './scores';

// The numbers of steps of the four chains of a tile.
export let count0: i32 = 0;
export let count1: i32 = 0;
export let count2: i32 = 0;
export let count3: i32 = 0;
// The rows of the tile at one step, and the greatest score of each.
export let row0: usize = 0;
export let row1: usize = 0;
export let row2: usize = 0;
export let row3: usize = 0;
export let top0: v128 = i64x2(0, 0);
export let top1: v128 = i64x2(0, 0);
// The greatest results of `emit` and `rescale`.
export let most0: v128 = i64x2(0, 0);
export let most1: v128 = i64x2(0, 0);

/** Number of steps of a chain; 0 for those that fill the last tile. */
export function count_of(chain: i32): i32 {
  return chain < chains ? load<i32>(counts + bytes(chain)) : 0;
}

/** Opens the tile that begins with a chain. Returns the number of steps of its longest chain. */
export function open_tile(chain: i32): i32 {
  count0 = count_of(chain);
  count1 = count_of(chain + 1);
  count2 = count_of(chain + 2);
  count3 = count_of(chain + 3);
  return max(max(count0, count1), max(count2, count3));
}

/** Address of the emissions of step t of a chain. */
export function row_of(chain: i32, t: i32): usize {
  return emissions + bytes(load<i32>(steps + bytes(min(chain, chains - 1) * longest + t)) * tags);
}

// @ts-ignore: decorator
@inline
export function pair(a: usize, b: usize, at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_lane<f32>(b + at, v128.load32_zero(a + at), 1));
}

/** Finds the rows of the tile at step t. */
export function find_rows(chain: i32, t: i32): void {
  row0 = row_of(chain, t);
  row1 = row_of(chain + 1, t);
  row2 = row_of(chain + 2, t);
  row3 = row_of(chain + 3, t);
}

/** Finds the greatest score of each row; 0 if all are −∞. */
export function find_tops(): void {
  top0 = f64x2.replace_lane(f64x2.splat(greatest(tags, row0)), 1, greatest(tags, row1));
  top1 = f64x2.replace_lane(f64x2.splat(greatest(tags, row2)), 1, greatest(tags, row3));
}

/** All ones in the lanes of the first two or the last two chains that have more than t steps. */
// @ts-ignore: decorator
@inline
export function live(t: i32, a: i32, b: i32): v128 {
  return i64x2.replace_lane(i64x2.splat(a > t ? -1 : 0), 1, b > t ? -1 : 0);
}

/** Sets the flags of the chains whose lane is not 0. */
function mark(flags: usize, bad0: v128, bad1: v128): void {
  if (!v128.any_true(v128.or(bad0, bad1))) return;
  const one = f64x2.splat(1);
  v128.store(flags, v128.bitselect(one, v128.load(flags), bad0));
  v128.store(flags, v128.bitselect(one, v128.load(flags, 16), bad1), 16);
}

/**
 * to(j) = x(j)·ε(j), and 0 for chains without step t. x is `stride` bytes apart: 32, or 8 if all chains have the same.
 * Marks chains whose ε is neither 0 nor at least LEAST.
 */
export function emit(t: i32, x: usize, stride: usize, to: usize, flags: usize): void {
  const live0 = live(t, count0, count1);
  const live1 = live(t, count2, count3);
  const least = f64x2.splat(LOG_LEAST);
  const t0 = top0;
  const t1 = top1;
  let low0 = f64x2.splat(0);
  let low1 = low0;
  let m0 = low0;
  let m1 = low0;
  const stop = to + step;
  for (let at: usize = 0, end = bytes(tags); at < end; at += 4, x += stride, to += TAG) {
    const e0 = f64x2.sub(pair(row0, row1, at), t0);
    const e1 = f64x2.sub(pair(row2, row3, at), t1);
    low0 = v128.or(low0, f64x2.lt(e0, least));
    low1 = v128.or(low1, f64x2.lt(e1, least));
    const x0 = stride == 8 ? v128.load64_splat(x) : v128.load(x);
    const x1 = stride == 8 ? x0 : v128.load(x, 16);
    const y0 = v128.and(f64x2.mul(x0, exp_f64(e0)), live0);
    const y1 = v128.and(f64x2.mul(x1, exp_f64(e1)), live1);
    m0 = f64x2.pmax(y0, m0);
    m1 = f64x2.pmax(y1, m1);
    v128.store(to, y0);
    v128.store(to, y1, 16);
  }
  memory.fill(to, 0, stop - to);
  most0 = m0;
  most1 = m1;
  low0 = v128.and(low0, live0);
  low1 = v128.and(low1, live1);
  if (v128.any_true(v128.or(low0, low1))) mark_low(low0, low1, flags);
}

/** Marks chains of `low0` and `low1` that have a score below LOG_LEAST other than −∞. */
function mark_low(low0: v128, low1: v128, flags: usize): void {
  const least = f64x2.splat(LOG_LEAST);
  const none = f64x2.splat(-Infinity);
  let bad0 = f64x2.splat(0);
  let bad1 = bad0;
  for (let at: usize = 0, end = bytes(tags); at < end; at += 4) {
    const e0 = f64x2.sub(pair(row0, row1, at), top0);
    const e1 = f64x2.sub(pair(row2, row3, at), top1);
    bad0 = v128.or(bad0, v128.and(f64x2.lt(e0, least), f64x2.gt(e0, none)));
    bad1 = v128.or(bad1, v128.and(f64x2.lt(e1, least), f64x2.gt(e1, none)));
  }
  mark(flags, v128.and(bad0, low0), v128.and(bad1, low1));
}

/** x·factor in place. Marks chains for which a result is neither 0 nor at least LEAST. */
export function rescale(x: usize, factor0: v128, factor1: v128, flags: usize): void {
  const zero = f64x2.splat(0);
  const least = f64x2.splat(LEAST);
  let bad0 = zero;
  let bad1 = zero;
  for (const end = x + TAG * tags; x < end; x += TAG) {
    const y0 = f64x2.mul(v128.load(x), factor0);
    const y1 = f64x2.mul(v128.load(x, 16), factor1);
    bad0 = v128.or(bad0, v128.and(f64x2.gt(y0, zero), f64x2.lt(y0, least)));
    bad1 = v128.or(bad1, v128.and(f64x2.gt(y1, zero), f64x2.lt(y1, least)));
    v128.store(x, y0);
    // Not as a vector: V8's pass that joins vectors (Node 26.12) aborts where the factors would be joined.
    v128.store64_lane(x, y1, 0, 16);
    v128.store64_lane(x, y1, 1, 24);
  }
  mark(flags, bad0, bad1);
}
