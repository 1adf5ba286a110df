// log Z of chains.

import { inverse, log_of } from './float64';
import { log_product, log_total } from './log-sums';
import { alpha_of, begin, chains, row, square, step, TAG, tags, wide } from './problem';
import { product } from './products';
import { As, prepare, topEnd, topStart, topTransition } from './scores';
import {
  count0,
  count1,
  count2,
  count3,
  count_of,
  emit,
  find_rows,
  find_tops,
  most0,
  most1,
  open_tile,
  rescale,
  row_of,
  top0,
  top1,
} from './tile';

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
 *   workspace  (Kp + 3)·Kp
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
  const start = workspace + square;
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

/** log Z and ln α of the chains whose flag is set. */
export function log_forward(scores: usize, workspace: usize, alphas: usize, size: i32): void {
  const start = workspace + square;
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
