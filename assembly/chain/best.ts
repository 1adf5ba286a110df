// The best path of chains.

import { begin, bytes, chains, column, longest, PANEL_ROW, row, square, step, TAG, tags, wide } from './problem';
import { max_plus } from './products';
import { As, prepare } from './scores';
import { count_of, find_rows, open_tile, pair, row0, row1, row2, row3 } from './tile';

/**
 * The best path of every chain, by Viterbi's algorithm. Of equal paths it takes the least tag, from the end.
 *
 *   workspace  (Kp + 2)·Kp + 4·longest·Kp
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
  const start = workspace + square;
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
  let x = matrix + square + row;
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
    x = matrix + column(tag);
    stride = PANEL_ROW;
  }
}
