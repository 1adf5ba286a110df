// The scores of tags and transitions, as the kernels of chains read them.

import { exp_one } from './float64';
import { bytes, LOG_LEAST, row, tags } from './problem';

/** How `prepare` writes the scores: as exponentials or as they are, and T or its transpose. */
export const enum As {
  Exponentials = 0,
  Scores = 1,
  Transposed = 2,
}

// The greatest transition, start and end.
export let topTransition: f64 = 0;
export let topStart: f64 = 0;
export let topEnd: f64 = 0;

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
export function prepare(scores: usize, how: i32, to: usize): bool {
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
