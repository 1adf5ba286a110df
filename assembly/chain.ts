// Linear chains: sums and maxima over all paths y₁ … y_n of K tags, for conditional random fields and hidden Markov
// models.
//
//   s(y) = start(y₁) + Σₜ eₜ(yₜ) + Σₜ T(yₜ₋₁, yₜ) + end(y_n)
//   log Z = ln Σ over y of e^s(y)        the best path = argmax over y of s(y)
//   ∂log Z/∂eₜ(j) = P(yₜ = j)            ∂log Z/∂T(i, j) = Σₜ P(yₜ₋₁ = i, yₜ = j)
//
// Scores may be −∞, which forbids a tag or a transition. A chain without a path has log Z = −∞ and gradient 0.
//
// Four chains, a tile, are computed together, one in each float64 lane of two vectors. A step is then a product of
// [4, K] and [K, K]:
//
//   αₜ(j) = εₜ(j)·Σᵢ αₜ₋₁(i)·E(i, j) / cₜ      βₜ₋₁(i) = Σⱼ E(i, j)·εₜ(j)·βₜ(j) / dₜ
//
// with E = e^(T − max T) and εₜ = e^(eₜ − max eₜ). c and d make the greatest α and β of each step 1. All numbers but 0
// are at least LEAST, so that no product underflows and no path is lost. A chain for which this does not hold is
// computed again in logarithms, with an exponential for each product. So results are exact for all finite scores.
//
// The arguments that kernels share:
//
//   emissions   [rows, K] f32, e
//   steps       [chains, longest] i32: the row of each step of a chain; past its end any row
//   counts      [chains] i32: number of steps of each chain, at most `longest`. A tile takes as long as its longest.
//   scores      [K + 2, K] f32: T (from row to column), start, end
//   workspace   float64
//
// Below, P is `chains` and Kp is K, each up to a multiple of 4. Buffers do not overlap; those of float64 are aligned to
// 8 bytes. src/ops/chain.ts calls the kernels. Sources: Rabiner 1989, https://doi.org/10.1109/5.18626; Lafferty
// et al. 2001, https://repository.upenn.edu/cis_papers/159.

import { log_f64 } from './log-f64';
import { madd_f64 } from './simd';

/** The least E, ε, α and β but 0. A product of three is a normal number. */
const LEAST: f64 = 1e-100;
/** ln LEAST, rounded up. */
const LOG_LEAST: f64 = -230;
/** Above every quotient that counts: 1/(α·E) is at most 1/LEAST². */
const GREATEST: f64 = 1e250;
/** Bytes of one tag of a tile. */
const TAG: usize = 32;

// The problem of the call in progress.
let chains: i32 = 0;
let longest: i32 = 0;
let tags: i32 = 0;
let emissions: usize = 0;
let steps: usize = 0;
let counts: usize = 0;
/** Bytes of Kp float64, and of a step of a tile. */
let row: usize = 0;
let step: usize = 0;

/** Sets the problem, and returns P. */
function begin(
  chainCount: i32,
  longestChain: i32,
  tagCount: i32,
  emissionsAt: usize,
  stepsAt: usize,
  countsAt: usize,
): i32 {
  chains = chainCount;
  longest = longestChain;
  tags = tagCount;
  emissions = emissionsAt;
  steps = stepsAt;
  counts = countsAt;
  row = wide(padded(tags));
  step = 4 * row;
  return padded(chains);
}

// @ts-ignore: decorator
@inline
function padded(count: i32): i32 {
  return (count + 3) & ~3;
}

/** Bytes of float64. */
// @ts-ignore: decorator
@inline
function wide(count: i32): usize {
  return (<usize>count) << 3;
}

// @ts-ignore: decorator
@inline
function bytes(count: i32): usize {
  return (<usize>count) << 2;
}

/**
 * e^x for x ≤ 0 or NaN, with a relative error below 1e-13; 0 below −700. The Taylor polynomial has the degree 11 for
 * |r| ≤ ½·ln 2.
 */
// @ts-ignore: decorator
@inline
function exp_f64(x: v128): v128 {
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
function exp_one(x: f64): f64 {
  return f64x2.extract_lane(exp_f64(f64x2.splat(x)), 0);
}

/** ln x of a number ≥ 0 that is 0, normal or NaN. */
// @ts-ignore: decorator
@inline
function log_of(x: f64): f64 {
  return x == 0 ? -Infinity : log_f64(x);
}

/** 1/x, or 0 where x is not above 0. */
// @ts-ignore: decorator
@inline
function inverse(x: v128): v128 {
  return v128.and(f64x2.div(f64x2.splat(1), x), f64x2.gt(x, f64x2.splat(0)));
}

// Scores of tags and transitions --------------------------------------------------------------------------------------

/** How `prepare` writes the scores: as exponentials or as they are, and T or its transpose. */
const enum As {
  Exponentials = 0,
  Scores = 1,
  Transposed = 2,
}

// The greatest transition, start and end.
let topTransition: f64 = 0;
let topStart: f64 = 0;
let topEnd: f64 = 0;

/** The greatest of `count` f32; 0 if all are −∞. */
function greatest(count: i32, x: usize): f64 {
  let top: f32 = -Infinity;
  for (const end = x + bytes(count); x < end; x += 4) top = max(top, load<f32>(x));
  return top == -Infinity ? 0 : top;
}

/** Writes `count` scores `stride` bytes apart. Returns whether their exponentials are 0 or at least LEAST. */
function spread(count: i32, x: usize, top: f64, isLog: bool, to: usize, stride: usize): bool {
  let isGood = true;
  for (const end = x + bytes(count); x < end; x += 4, to += stride) {
    const score = <f64>load<f32>(x);
    const below = score - top;
    if (below < LOG_LEAST && below > -Infinity) isGood = false;
    store<f64>(to, isLog ? score : exp_one(below));
  }
  return isGood;
}

/**
 * Writes T [K, Kp], start [Kp] and end [Kp]: E and the like, or the scores. What pads a row counts as −∞. Returns
 * whether all exponentials are 0 or at least LEAST.
 */
function prepare(scores: usize, how: i32, to: usize): bool {
  const isLog = (how & As.Scores) != 0;
  const boundaries = to + row * tags;
  const none: f64 = isLog ? -Infinity : 0;
  for (let at = to; at < boundaries + 2 * row; at += 8) store<f64>(at, none);
  const start = scores + bytes(tags * tags);
  const end = start + bytes(tags);
  topTransition = greatest(tags * tags, scores);
  topStart = greatest(tags, start);
  topEnd = greatest(tags, end);
  const isGood = spread(tags, start, topStart, isLog, boundaries, 8);
  let areGood = spread(tags, end, topEnd, isLog, boundaries + row, 8) && isGood;
  const isTransposed = (how & As.Transposed) != 0;
  const stride = isTransposed ? row : 8;
  for (; scores < start; scores += bytes(tags), to += isTransposed ? 8 : row) {
    areGood = spread(tags, scores, topTransition, isLog, to, stride) && areGood;
  }
  return areGood;
}

// Products ------------------------------------------------------------------------------------------------------------

/** to(j) = Σᵢ x(i)·matrix(i, j) of a tile: x [K, 4], matrix [K, Kp], to [Kp, 4]. */
function product(x: usize, matrix: usize, to: usize): void {
  const end = x + TAG * tags;
  const next = row;
  for (const last = matrix + row; matrix < last; matrix += 32, to += 4 * TAG) {
    let a0 = f64x2.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let at = x, m = matrix; at < end; at += TAG, m += next) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const a = v128.load64_splat(m);
      a0 = madd_f64(x0, a, a0);
      a1 = madd_f64(x1, a, a1);
      const b = v128.load64_splat(m, 8);
      b0 = madd_f64(x0, b, b0);
      b1 = madd_f64(x1, b, b1);
      const c = v128.load64_splat(m, 16);
      c0 = madd_f64(x0, c, c0);
      c1 = madd_f64(x1, c, c1);
      const d = v128.load64_splat(m, 24);
      d0 = madd_f64(x0, d, d0);
      d1 = madd_f64(x1, d, d1);
    }
    store_tags(to, a0, a1, b0, b1);
    store_tags(to + 2 * TAG, c0, c1, d0, d1);
  }
}

/** to(j) = max over i of x(i) + matrix(i, j), laid out as in `product`. */
function max_plus(x: usize, matrix: usize, to: usize): void {
  const end = x + TAG * tags;
  const next = row;
  for (const last = matrix + row; matrix < last; matrix += 32, to += 4 * TAG) {
    let a0 = f64x2.splat(-Infinity);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let at = x, m = matrix; at < end; at += TAG, m += next) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const a = v128.load64_splat(m);
      a0 = f64x2.pmax(a0, f64x2.add(x0, a));
      a1 = f64x2.pmax(a1, f64x2.add(x1, a));
      const b = v128.load64_splat(m, 8);
      b0 = f64x2.pmax(b0, f64x2.add(x0, b));
      b1 = f64x2.pmax(b1, f64x2.add(x1, b));
      const c = v128.load64_splat(m, 16);
      c0 = f64x2.pmax(c0, f64x2.add(x0, c));
      c1 = f64x2.pmax(c1, f64x2.add(x1, c));
      const d = v128.load64_splat(m, 24);
      d0 = f64x2.pmax(d0, f64x2.add(x0, d));
      d1 = f64x2.pmax(d1, f64x2.add(x1, d));
    }
    store_tags(to, a0, a1, b0, b1);
    store_tags(to + 2 * TAG, c0, c1, d0, d1);
  }
}

// @ts-ignore: decorator
@inline
function store_tags(to: usize, a0: v128, a1: v128, b0: v128, b1: v128): void {
  v128.store(to, a0);
  v128.store(to, a1, 16);
  v128.store(to, b0, 32);
  v128.store(to, b1, 48);
}

/** Steps that `add_pairs` takes at a time: their α [8, Kp, 4] are in the first cache for 100 tags. */
const BLOCK: i32 = 8;

/**
 * to(j, i) += Σₜ Σ over the four chains of αₜ₋₁(i)·γₜ(j), for t = 1 … count; α and γ [Kp, 4] of each step, to [Kp, Kp].
 */
function add_pairs(count: i32, alpha: usize, gamma: usize, to: usize): void {
  const size = step;
  gamma += size;
  for (let t = 0; t < count; t += BLOCK, alpha += size * BLOCK, gamma += size * BLOCK) {
    const length = size * min(BLOCK, count - t);
    let sums = to;
    for (let g = gamma, last = g + TAG * tags; g < last; g += 2 * TAG, sums += 2 * row) {
      for (let i: usize = 0; i < row; i += 32) add_block(length, alpha + 4 * i, g, sums + i);
    }
  }
}

// @ts-ignore: decorator
@inline
function add_block(length: usize, alpha: usize, gamma: usize, to: usize): void {
  const size = step;
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (const end = gamma + length; gamma < end; alpha += size, gamma += size) {
    let g0 = v128.load(gamma);
    let g1 = v128.load(gamma, TAG);
    let x = v128.load(alpha);
    a0 = madd_f64(x, g0, a0);
    a1 = madd_f64(x, g1, a1);
    x = v128.load(alpha, TAG);
    b0 = madd_f64(x, g0, b0);
    b1 = madd_f64(x, g1, b1);
    x = v128.load(alpha, 2 * TAG);
    c0 = madd_f64(x, g0, c0);
    c1 = madd_f64(x, g1, c1);
    x = v128.load(alpha, 3 * TAG);
    d0 = madd_f64(x, g0, d0);
    d1 = madd_f64(x, g1, d1);
    g0 = v128.load(gamma, 16);
    g1 = v128.load(gamma, TAG + 16);
    x = v128.load(alpha, 16);
    a0 = madd_f64(x, g0, a0);
    a1 = madd_f64(x, g1, a1);
    x = v128.load(alpha, TAG + 16);
    b0 = madd_f64(x, g0, b0);
    b1 = madd_f64(x, g1, b1);
    x = v128.load(alpha, 2 * TAG + 16);
    c0 = madd_f64(x, g0, c0);
    c1 = madd_f64(x, g1, c1);
    x = v128.load(alpha, 3 * TAG + 16);
    d0 = madd_f64(x, g0, d0);
    d1 = madd_f64(x, g1, d1);
  }
  add_four(to, a0, b0, c0, d0);
  add_four(to + row, a1, b1, c1, d1);
}

/** Adds the sum of the two lanes of each vector to one float64. */
// @ts-ignore: decorator
@inline
function add_four(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
  const cd = f64x2.add(v128.shuffle<f64>(c, d, 0, 2), v128.shuffle<f64>(c, d, 1, 3));
  v128.store(to, f64x2.add(v128.load(to), ab));
  v128.store(to, f64x2.add(v128.load(to, 16), cd), 16);
}

// Tiles ---------------------------------------------------------------------------------------------------------------

// The numbers of steps of the four chains of a tile.
let count0: i32 = 0;
let count1: i32 = 0;
let count2: i32 = 0;
let count3: i32 = 0;
// The rows of the tile at one step, and the greatest score of each.
let row0: usize = 0;
let row1: usize = 0;
let row2: usize = 0;
let row3: usize = 0;
let top0: v128 = i64x2(0, 0);
let top1: v128 = i64x2(0, 0);
// The greatest results of `emit` and `rescale`.
let most0: v128 = i64x2(0, 0);
let most1: v128 = i64x2(0, 0);

/** Number of steps of a chain; 0 for those that fill the last tile. */
function count_of(chain: i32): i32 {
  return chain < chains ? load<i32>(counts + bytes(chain)) : 0;
}

/** Opens the tile that begins with a chain. Returns the number of steps of its longest chain. */
function open_tile(chain: i32): i32 {
  count0 = count_of(chain);
  count1 = count_of(chain + 1);
  count2 = count_of(chain + 2);
  count3 = count_of(chain + 3);
  return max(max(count0, count1), max(count2, count3));
}

/** Address of the emissions of step t of a chain. */
function row_of(chain: i32, t: i32): usize {
  return emissions + bytes(load<i32>(steps + bytes(min(chain, chains - 1) * longest + t)) * tags);
}

// @ts-ignore: decorator
@inline
function pair(a: usize, b: usize, at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_lane<f32>(b + at, v128.load32_zero(a + at), 1));
}

/** Finds the rows of the tile at step t. */
function find_rows(chain: i32, t: i32): void {
  row0 = row_of(chain, t);
  row1 = row_of(chain + 1, t);
  row2 = row_of(chain + 2, t);
  row3 = row_of(chain + 3, t);
}

/** Finds the greatest score of each row; 0 if all are −∞. */
function find_tops(): void {
  const none = f64x2.splat(-Infinity);
  let t0 = none;
  let t1 = none;
  for (let at: usize = 0, end = bytes(tags); at < end; at += 4) {
    t0 = f64x2.pmax(t0, pair(row0, row1, at));
    t1 = f64x2.pmax(t1, pair(row2, row3, at));
  }
  top0 = v128.andnot(t0, f64x2.eq(t0, none));
  top1 = v128.andnot(t1, f64x2.eq(t1, none));
}

/** All ones in the lanes of the first two or the last two chains that have more than t steps. */
// @ts-ignore: decorator
@inline
function live(t: i32, a: i32, b: i32): v128 {
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
function emit(t: i32, x: usize, stride: usize, to: usize, flags: usize): void {
  const live0 = live(t, count0, count1);
  const live1 = live(t, count2, count3);
  const least = f64x2.splat(LOG_LEAST);
  const none = f64x2.splat(-Infinity);
  const t0 = top0;
  const t1 = top1;
  let bad0 = f64x2.splat(0);
  let bad1 = bad0;
  let m0 = bad0;
  let m1 = bad0;
  const stop = to + step;
  for (let at: usize = 0, end = bytes(tags); at < end; at += 4, x += stride, to += TAG) {
    const e0 = f64x2.sub(pair(row0, row1, at), t0);
    const e1 = f64x2.sub(pair(row2, row3, at), t1);
    bad0 = v128.or(bad0, v128.and(f64x2.lt(e0, least), f64x2.gt(e0, none)));
    bad1 = v128.or(bad1, v128.and(f64x2.lt(e1, least), f64x2.gt(e1, none)));
    const x0 = stride == 8 ? v128.load64_splat(x) : v128.load(x);
    const x1 = stride == 8 ? x0 : v128.load(x, 16);
    const y0 = v128.and(f64x2.mul(x0, exp_f64(e0)), live0);
    const y1 = v128.and(f64x2.mul(x1, exp_f64(e1)), live1);
    // In contrast to pmax, max keeps NaN.
    m0 = f64x2.max(m0, y0);
    m1 = f64x2.max(m1, y1);
    v128.store(to, y0);
    v128.store(to, y1, 16);
  }
  memory.fill(to, 0, stop - to);
  most0 = m0;
  most1 = m1;
  mark(flags, v128.and(bad0, live0), v128.and(bad1, live1));
}

/** x·factor in place. Marks chains for which a result is neither 0 nor at least LEAST. */
function rescale(x: usize, factor0: v128, factor1: v128, flags: usize): void {
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

// Forward -------------------------------------------------------------------------------------------------------------

/** Adds step t to log Z of one chain: ln cₜ and what was taken from the scores; at the end also Σⱼ α(j)·e^end(j). */
function add_step(t: i32, count: i32, logZ: usize, c: f64, top: f64, alpha: usize, end: usize): void {
  if (t >= count) return;
  let sum = load<f64>(logZ) + log_of(c) + top + (t == 0 ? topStart : topTransition);
  if (t == count - 1) {
    let total: f64 = 0;
    for (const stop = alpha + TAG * tags; alpha < stop; alpha += TAG, end += 8) {
      total += load<f64>(alpha) * load<f64>(end);
    }
    sum += log_of(total) + topEnd;
  }
  store<f64>(logZ, sum);
}

/**
 * log Z of every chain, and what `chain_backward` needs.
 *
 *   workspace  (K + 3)·Kp
 *   alphas     2·P + P·longest·Kp float64, output: log Z [P]; 1 for chains in logarithms and 0 for others [P]; α [P/4,
 *              longest, Kp, 4]
 */
export function chain_forward(
  chainCount: i32,
  longestChain: i32,
  tagCount: i32,
  emissionsAt: usize,
  stepsAt: usize,
  countsAt: usize,
  scores: usize,
  workspace: usize,
  alphas: usize,
): void {
  const size = begin(chainCount, longestChain, tagCount, emissionsAt, stepsAt, countsAt);
  const start = workspace + row * tags;
  const end = start + row;
  const isGood = prepare(scores, As.Exponentials, workspace);
  for (let i = 0; i < size; i++) {
    store<f64>(alphas + wide(i), 0);
    store<f64>(alphas + wide(size + i), isGood ? 0 : 1);
  }
  for (let chain = 0; chain < size && isGood; chain += 4) {
    const most = open_tile(chain);
    const logZ = alphas + wide(chain);
    const flags = logZ + wide(size);
    let alpha = alpha_of(alphas, chain);
    for (let t = 0; t < most; t++, alpha += step) {
      find_rows(chain, t);
      find_tops();
      if (t > 0) product(alpha - step, workspace, alpha);
      emit(t, t > 0 ? alpha : start, t > 0 ? TAG : 8, alpha, flags);
      const c0 = most0;
      const c1 = most1;
      rescale(alpha, inverse(c0), inverse(c1), flags);
      add_step(t, count0, logZ, f64x2.extract_lane(c0, 0), f64x2.extract_lane(top0, 0), alpha, end);
      add_step(t, count1, logZ + 8, f64x2.extract_lane(c0, 1), f64x2.extract_lane(top0, 1), alpha + 8, end);
      add_step(t, count2, logZ + 16, f64x2.extract_lane(c1, 0), f64x2.extract_lane(top1, 0), alpha + 16, end);
      add_step(t, count3, logZ + 24, f64x2.extract_lane(c1, 1), f64x2.extract_lane(top1, 1), alpha + 24, end);
    }
  }
  log_forward(scores, workspace, alphas, size);
}

/** Address of the first α of a chain. The α of a tile are 32 bytes apart. */
// @ts-ignore: decorator
@inline
function alpha_of(alphas: usize, chain: i32): usize {
  return alphas + wide(2 * padded(chains)) + step * longest * (chain >> 2) + wide(chain & 3);
}

/** log Z and ln α of the chains whose flag is set. */
function log_forward(scores: usize, workspace: usize, alphas: usize, size: i32): void {
  const start = workspace + row * tags;
  const end = start + row;
  const sums = end + row;
  let isPrepared = false;
  for (let chain = 0; chain < chains; chain++) {
    const count = count_of(chain);
    if (load<f64>(alphas + wide(size + chain)) == 0 || count == 0) continue;
    if (!isPrepared) prepare(scores, As.Scores, workspace);
    isPrepared = true;
    let alpha = alpha_of(alphas, chain);
    for (let t = 0; t < count; t++, alpha += step) {
      if (t > 0) log_product(alpha - step, TAG, workspace, sums);
      let from = t > 0 ? sums : start;
      let e = row_of(chain, t);
      for (let to = alpha, stop = alpha + TAG * tags; to < stop; to += TAG, from += 8, e += 4) {
        store<f64>(to, load<f64>(from) + load<f32>(e));
      }
    }
    store<f64>(alphas + wide(chain), log_total(alpha - step, end));
  }
}

/** to(j) = ln Σᵢ e^(x(i) + matrix(i, j)); x [K] in steps of `stride` bytes, matrix [K, Kp], to [Kp]. */
function log_product(x: usize, stride: usize, matrix: usize, to: usize): void {
  const none = f64x2.splat(-Infinity);
  for (const last = matrix + row; matrix < last; matrix += 16, to += 16) {
    let top = none;
    let at = x;
    let m = matrix;
    for (let i = 0; i < tags; i++, at += stride, m += row) {
      top = f64x2.max(top, f64x2.add(v128.load64_splat(at), v128.load(m)));
    }
    top = v128.andnot(top, f64x2.eq(top, none));
    let sum = f64x2.splat(0);
    at = x;
    m = matrix;
    for (let i = 0; i < tags; i++, at += stride, m += row) {
      sum = f64x2.add(sum, exp_f64(f64x2.sub(f64x2.add(v128.load64_splat(at), v128.load(m)), top)));
    }
    store<f64>(to, f64x2.extract_lane(top, 0) + log_of(f64x2.extract_lane(sum, 0)));
    store<f64>(to, f64x2.extract_lane(top, 1) + log_of(f64x2.extract_lane(sum, 1)), 8);
  }
}

/** ln Σⱼ e^(x(j) + y(j)); x in steps of 32 bytes. */
function log_total(x: usize, y: usize): f64 {
  let top: f64 = -Infinity;
  for (let j = 0; j < tags; j++) top = max(top, load<f64>(x + TAG * j) + load<f64>(y + wide(j)));
  if (top == -Infinity) return top;
  let sum: f64 = 0;
  for (let j = 0; j < tags; j++) sum += exp_one(load<f64>(x + TAG * j) + load<f64>(y + wide(j)) - top);
  return top + log_of(sum);
}

// Backward ------------------------------------------------------------------------------------------------------------

/**
 * The gradients of Σ weights(i)·log Z(i), after `chain_forward`. It changes `alphas`.
 *
 *   workspace   (K + 7)·Kp + 4·longest·Kp + Kp·Kp
 *   weights     [P] float64. A chain of weight 0 gets gradient 0, whatever its numbers are.
 *   dEmissions  [rows, K] f32, output: the rows of the steps within the counts. No other row is written.
 *   dScores     [K + 2, K] f32, output
 */
export function chain_backward(
  chainCount: i32,
  longestChain: i32,
  tagCount: i32,
  emissionsAt: usize,
  stepsAt: usize,
  countsAt: usize,
  scores: usize,
  workspace: usize,
  alphas: usize,
  weights: usize,
  dEmissions: usize,
  dScores: usize,
): void {
  const size = begin(chainCount, longestChain, tagCount, emissionsAt, stepsAt, countsAt);
  const beta = workspace + row * (tags + 3);
  const gamma = beta + step;
  const pairs = gamma + step * longest;
  memory.fill(pairs, 0, row * padded(tags));
  if (prepare(scores, As.Transposed, workspace)) {
    for (let chain = 0; chain < size; chain += 4) {
      const flags = alphas + wide(size + chain);
      const most = open_tile(chain);
      const alpha = alpha_of(alphas, chain);
      walk_back(chain, most, alpha, beta, gamma, workspace, weights + wide(chain), flags, dEmissions);
      leave_out(most, alpha, gamma, weights + wide(chain), flags);
      if (most > 1) add_pairs(most - 1, alpha, gamma, pairs);
    }
    // P(i, j) = E(i, j)·Σ α(i)·γ(j)
    for (let at: usize = 0, end = row * tags; at < end; at += 16) {
      v128.store(pairs + at, f64x2.mul(v128.load(pairs + at), v128.load(workspace + at)));
    }
  }
  log_backward(scores, workspace, alphas, size, beta, pairs, weights, dEmissions);
  const start = dScores + bytes(tags * tags);
  for (let i: usize = 0; i < <usize>tags; i++) {
    for (let j: usize = 0; j < <usize>tags; j++, dScores += 4) {
      store<f32>(dScores, <f32>load<f64>(pairs + row * j + (i << 3)));
    }
  }
  add_boundaries(start, dEmissions);
}

/** The gradients of start and end: the sums of those of the first and of the last emissions. */
function add_boundaries(to: usize, dEmissions: usize): void {
  for (let j = 0; j < tags; j++, to += 4) {
    let first: f64 = 0;
    let last: f64 = 0;
    for (let chain = 0; chain < chains; chain++) {
      const count = count_of(chain);
      if (count == 0) continue;
      const at = dEmissions - emissions + bytes(j);
      first += load<f32>(row_of(chain, 0) + at);
      last += load<f32>(row_of(chain, count - 1) + at);
    }
    store<f32>(to, <f32>first);
    store<f32>(to + bytes(tags), <f32>last);
  }
}

/**
 * β of a tile from its last step to its first. Writes weight·α·β / Σ α·β as gradients of the emissions, and γₜ =
 * weight·ε·β / (dₜ·Σ α·β), for which weight·P(i, j) = αₜ₋₁(i)·E(i, j)·γₜ(j).
 */
function walk_back(
  chain: i32,
  most: i32,
  alpha: usize,
  beta: usize,
  gamma: usize,
  matrix: usize,
  weights: usize,
  flags: usize,
  dEmissions: usize,
): void {
  const end = matrix + row * (tags + 1);
  const weight0 = v128.load(weights);
  const weight1 = v128.load(weights, 16);
  const limit = f64x2.splat(GREATEST);
  let d0 = f64x2.splat(0);
  let d1 = d0;
  memory.fill(beta, 0, step);
  alpha += step * (most - 1);
  gamma += step * (most - 1);
  for (let t = most - 1; t >= 0; t--, alpha -= step, gamma -= step) {
    // Chains whose last step this is begin with e^end.
    const begin0 = v128.xor(live(t, count0, count1), live(t + 1, count0, count1));
    const begin1 = v128.xor(live(t, count2, count3), live(t + 1, count2, count3));
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let at: usize = 0, e = end; at < TAG * tags; at += TAG, e += 8) {
      const last = v128.load64_splat(e);
      const b0 = v128.bitselect(last, v128.load(beta + at), begin0);
      const b1 = v128.bitselect(last, v128.load(beta + at, 16), begin1);
      v128.store(beta + at, b0);
      v128.store(beta + at, b1, 16);
      s0 = madd_f64(v128.load(alpha + at), b0, s0);
      s1 = madd_f64(v128.load(alpha + at, 16), b1, s1);
    }
    s0 = inverse(s0);
    s1 = inverse(s1);
    if (t < most - 1) {
      for (let g = gamma + step, stop = g + TAG * tags; g < stop; g += TAG) {
        const g0 = f64x2.pmin(f64x2.mul(f64x2.mul(v128.load(g), d0), s0), limit);
        const g1 = f64x2.pmin(f64x2.mul(f64x2.mul(v128.load(g, 16), d1), s1), limit);
        v128.store(g, f64x2.mul(g0, weight0));
        v128.store(g, f64x2.mul(g1, weight1), 16);
      }
    }
    find_rows(chain, t);
    const offset = dEmissions - emissions;
    for (let at: usize = 0, tag: usize = 0; tag < bytes(tags); at += TAG, tag += 4) {
      const p0 = f64x2.mul(f64x2.mul(f64x2.mul(v128.load(alpha + at), v128.load(beta + at)), s0), weight0);
      const p1 = f64x2.mul(f64x2.mul(f64x2.mul(v128.load(alpha + at, 16), v128.load(beta + at, 16)), s1), weight1);
      if (t < count0) store<f32>(row0 + offset + tag, <f32>f64x2.extract_lane(p0, 0));
      if (t < count1) store<f32>(row1 + offset + tag, <f32>f64x2.extract_lane(p0, 1));
      if (t < count2) store<f32>(row2 + offset + tag, <f32>f64x2.extract_lane(p1, 0));
      if (t < count3) store<f32>(row3 + offset + tag, <f32>f64x2.extract_lane(p1, 1));
    }
    if (t == 0) break;
    find_tops();
    emit(t, beta, TAG, gamma, flags);
    product(gamma, matrix, beta);
    d0 = f64x2.splat(0);
    d1 = d0;
    for (let b = beta, stop = b + TAG * tags; b < stop; b += TAG) {
      d0 = f64x2.max(d0, v128.load(b));
      d1 = f64x2.max(d1, v128.load(b, 16));
    }
    d0 = inverse(d0);
    d1 = inverse(d1);
    rescale(beta, d0, d1, flags);
  }
}

/** Replaces by 0 the α and γ of chains in logarithms and of weight 0, which may be any numbers. */
function leave_out(most: i32, alpha: usize, gamma: usize, weights: usize, flags: usize): void {
  const zero = f64x2.splat(0);
  const kept0 = v128.andnot(f64x2.eq(v128.load(flags), zero), f64x2.eq(v128.load(weights), zero));
  const kept1 = v128.andnot(f64x2.eq(v128.load(flags, 16), zero), f64x2.eq(v128.load(weights, 16), zero));
  if (i64x2.all_true(kept0) && i64x2.all_true(kept1)) return;
  for (const end = alpha + step * most; alpha < end; alpha += TAG, gamma += TAG) {
    v128.store(alpha, v128.and(v128.load(alpha), kept0));
    v128.store(alpha, v128.and(v128.load(alpha, 16), kept1), 16);
    v128.store(gamma, v128.and(v128.load(gamma), kept0));
    v128.store(gamma, v128.and(v128.load(gamma, 16), kept1), 16);
  }
}

/** Gradients of the chains whose flag is set, in logarithms, and gradients 0 for chains of weight 0. */
function log_backward(
  scores: usize,
  workspace: usize,
  alphas: usize,
  size: i32,
  beta: usize,
  pairs: usize,
  weights: usize,
  dEmissions: usize,
): void {
  log_forward(scores, workspace, alphas, size);
  const gamma = beta + row;
  const end = workspace + row * (tags + 1);
  let isPrepared = false;
  for (let chain = 0; chain < chains; chain++) {
    const weight = load<f64>(weights + wide(chain));
    const logZ = load<f64>(alphas + wide(chain));
    const count = count_of(chain);
    if (weight != 0 && load<f64>(alphas + wide(size + chain)) == 0) continue;
    if (weight == 0 || logZ == -Infinity) {
      for (let t = 0; t < count; t++) memory.fill(row_of(chain, t) + dEmissions - emissions, 0, bytes(tags));
      continue;
    }
    if (!isPrepared) prepare(scores, As.Scores | As.Transposed, workspace);
    isPrepared = true;
    let alpha = alpha_of(alphas, chain) + step * (count - 1);
    for (let t = count - 1; t >= 0; t--, alpha -= step) {
      if (t < count - 1) log_product(gamma, 8, workspace, beta);
      else memory.copy(beta, end, row);
      const e = row_of(chain, t);
      for (let j = 0; j < tags; j++) {
        const b = load<f64>(beta + wide(j));
        const p = weight * exp_one(load<f64>(alpha + TAG * j) + b - logZ);
        store<f64>(gamma + wide(j), b + load<f32>(e + bytes(j)));
        store<f32>(e + dEmissions - emissions + bytes(j), <f32>p);
      }
      if (t > 0) log_pairs(weight, logZ, alpha - step, gamma, workspace, pairs);
    }
  }
}

/** to(j, i) += weight·e^(α(i) + T(i, j) + γ(j) − log Z); α in steps of 32 bytes, T transposed. */
function log_pairs(weight: f64, logZ: f64, alpha: usize, gamma: usize, matrix: usize, to: usize): void {
  const w = f64x2.splat(weight);
  for (let j = 0; j < tags; j++, gamma += 8) {
    const g = f64x2.splat(load<f64>(gamma) - logZ);
    for (let i: usize = 0; i < row; i += 16, matrix += 16, to += 16) {
      const a = v128.load64_lane(alpha + 4 * i + TAG, v128.load64_zero(alpha + 4 * i), 1);
      const x = f64x2.add(f64x2.add(a, v128.load(matrix)), g);
      v128.store(to, f64x2.add(v128.load(to), f64x2.mul(w, exp_f64(x))));
    }
  }
}

// The best path -------------------------------------------------------------------------------------------------------

/**
 * The best path of every chain, by Viterbi's algorithm. Of equal paths it takes the least tag, from the end.
 *
 *   workspace  (K + 2)·Kp + 4·longest·Kp
 *   paths      [chains, longest] i32, output within the counts
 *   best       [chains] f32, output: the score of each path, 0 for a chain without steps
 */
export function chain_best(
  chainCount: i32,
  longestChain: i32,
  tagCount: i32,
  emissionsAt: usize,
  stepsAt: usize,
  countsAt: usize,
  scores: usize,
  workspace: usize,
  paths: usize,
  best: usize,
): void {
  const size = begin(chainCount, longestChain, tagCount, emissionsAt, stepsAt, countsAt);
  const start = workspace + row * tags;
  const delta = start + 2 * row;
  prepare(scores, As.Scores, workspace);
  for (let chain = 0; chain < size; chain += 4) {
    const most = open_tile(chain);
    let at = delta;
    for (let t = 0; t < most; t++, at += step) {
      find_rows(chain, t);
      if (t > 0) max_plus(at - step, workspace, at);
      let x = t > 0 ? at : start;
      const stride: usize = t > 0 ? TAG : 8;
      for (let to = at, tag: usize = 0; tag < bytes(tags); tag += 4, to += TAG, x += stride) {
        const x0 = t > 0 ? v128.load(x) : v128.load64_splat(x);
        const x1 = t > 0 ? v128.load(x, 16) : x0;
        v128.store(to, f64x2.add(x0, pair(row0, row1, tag)));
        v128.store(to, f64x2.add(x1, pair(row2, row3, tag)), 16);
      }
    }
    for (let r = chain; r < min(chain + 4, chains); r++) {
      const last = delta + wide(r - chain);
      trace(count_of(r), last, workspace, paths + bytes(r * longest), best + bytes(r));
    }
  }
}

/** Follows the best path of one chain from its end; δ in steps of 32 bytes. */
function trace(count: i32, delta: usize, matrix: usize, path: usize, best: usize): void {
  let x = matrix + row * (tags + 1);
  let stride: usize = 8;
  store<f32>(best, 0);
  for (let t = count - 1; t >= 0; t--) {
    const from = delta + step * t;
    let tag = 0;
    let most: f64 = -Infinity;
    for (let j = 0; j < tags; j++, x += stride) {
      const score = load<f64>(from + TAG * j) + load<f64>(x);
      if (score > most) {
        most = score;
        tag = j;
      }
    }
    if (t == count - 1) store<f32>(best, <f32>most);
    store<i32>(path + bytes(t), tag);
    x = matrix + wide(tag);
    stride = row;
  }
}
