// The gradients of log Z.

import { madd_f64 } from '../simd';
import { exp_f64, exp_one, inverse } from './float64';
import { log_forward } from './forward';
import { log_product } from './log-sums';
import {
  alpha_of,
  begin,
  bytes,
  chains,
  column,
  emissions,
  GREATEST,
  longest,
  PANEL_ROW,
  row,
  square,
  step,
  TAG,
  tags,
  wide,
} from './problem';
import { add_pairs, product } from './products';
import { As, prepare } from './scores';
import {
  count0,
  count1,
  count2,
  count3,
  count_of,
  emit,
  find_rows,
  find_tops,
  live,
  open_tile,
  rescale,
  row0,
  row1,
  row2,
  row3,
  row_of,
} from './tile';

/**
 * The gradients of Σ weights(i)·log Z(i), after `chain_forward`. It changes `alphas`.
 *
 *   workspace   (2·Kp + 7)·Kp + 4·longest·Kp
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
  const beta = workspace + square + 3 * row;
  const gamma = beta + step;
  const pairs = gamma + step * longest;
  memory.fill(pairs, 0, square);
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
    for (let at: usize = 0; at < square; at += 16) {
      v128.store(pairs + at, f64x2.mul(v128.load(pairs + at), v128.load(workspace + at)));
    }
  }
  log_backward(scores, workspace, alphas, size, beta, pairs, weights, dEmissions);
  const start = dScores + bytes(tags * tags);
  for (let i = 0; i < tags; i++) {
    const from = pairs + column(i);
    for (let j = 0; j < tags; j++, dScores += 4) {
      store<f32>(dScores, <f32>load<f64>(from + PANEL_ROW * j));
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
  const end = matrix + square + row;
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
    if (v128.any_true(v128.or(begin0, begin1))) {
      for (let at: usize = 0, e = end; at < TAG * tags; at += TAG, e += 8) {
        const last = v128.load64_splat(e);
        v128.store(beta + at, v128.bitselect(last, v128.load(beta + at), begin0));
        v128.store(beta + at, v128.bitselect(last, v128.load(beta + at, 16), begin1), 16);
      }
    }
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let at: usize = 0; at < TAG * tags; at += TAG) {
      s0 = madd_f64(v128.load(alpha + at), v128.load(beta + at), s0);
      s1 = madd_f64(v128.load(alpha + at, 16), v128.load(beta + at, 16), s1);
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
      const q0 = f32x4.demote_f64x2_zero(p0);
      const q1 = f32x4.demote_f64x2_zero(p1);
      if (t < count0) v128.store_lane<f32>(row0 + offset + tag, q0, 0);
      if (t < count1) v128.store_lane<f32>(row1 + offset + tag, q0, 1);
      if (t < count2) v128.store_lane<f32>(row2 + offset + tag, q1, 0);
      if (t < count3) v128.store_lane<f32>(row3 + offset + tag, q1, 1);
    }
    if (t == 0) break;
    find_tops();
    emit(t, beta, TAG, gamma, flags);
    product(gamma, matrix, beta);
    d0 = f64x2.splat(0);
    d1 = d0;
    for (let b = beta, stop = b + TAG * tags; b < stop; b += TAG) {
      d0 = f64x2.pmax(d0, v128.load(b));
      d1 = f64x2.pmax(d1, v128.load(b, 16));
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
  const end = workspace + square + row;
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

/** to(j, i) += weight·e^(α(i) + T(i, j) + γ(j) − log Z); α in steps of 32 bytes, T transposed and in panels. */
function log_pairs(weight: f64, logZ: f64, alpha: usize, gamma: usize, matrix: usize, to: usize): void {
  const w = f64x2.splat(weight);
  for (let j = 0; j < tags; j++, gamma += 8) {
    const g = f64x2.splat(load<f64>(gamma) - logZ);
    for (let i = 0; i < tags; i += 2) {
      const from = alpha + TAG * i;
      const a = v128.load64_lane(from + TAG, v128.load64_zero(from), 1);
      const at = PANEL_ROW * j + column(i);
      const x = f64x2.add(f64x2.add(a, v128.load(matrix + at)), g);
      v128.store(to + at, f64x2.add(v128.load(to + at), f64x2.mul(w, exp_f64(x))));
    }
  }
}
