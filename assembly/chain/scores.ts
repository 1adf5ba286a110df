// The scores of tags and transitions, as the kernels of chains read them.

import { exp_f64 } from './float64';
import { bytes, COLUMNS, column, LOG_LEAST, PANEL_ROW, panel, row, square, tags } from './problem';

/** How `prepare` writes the scores: as exponentials or as they are, and T or its transpose. */
export const enum As {
  Exponentials = 0,
  Scores = 1,
  Transposed = 2,
}

/** The greatest of `count` f32 but NaN; 0 if there is none above −∞. */
export function greatest(count: i32, x: usize): f64 {
  let m = f32x4.splat(-Infinity);
  const end = x + bytes(count);
  for (const stop = x + bytes(count & ~3); x < stop; x += 16) m = f32x4.pmax(m, v128.load(x));
  for (; x < end; x += 4) m = f32x4.pmax(m, v128.load32_splat(x));
  m = f32x4.pmax(m, v128.shuffle<f32>(m, m, 2, 3, 0, 1));
  const top = max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1));
  return top == -Infinity ? 0 : top;
}

// The greatest transition, start and end.
export let topTransition: f64 = 0;
export let topStart: f64 = 0;
export let topEnd: f64 = 0;

/**
 * Writes `tags` scores: six are `stride` bytes apart, and the next six begin `next` bytes behind the first. Returns
 * whether their exponentials are 0 or at least LEAST.
 */
function spread(x: usize, top: f64, isLog: bool, to: usize, stride: usize, next: usize): bool {
  let isGood = true;
  for (let j = 0; j < tags; j += 2, x += 8) {
    const isLast = j == tags - 1;
    const scores = f64x2.promote_low_f32x4(isLast ? v128.load32_splat(x) : v128.load64_zero(x));
    const below = f64x2.sub(scores, f64x2.splat(top));
    const isBad = v128.and(f64x2.lt(below, f64x2.splat(LOG_LEAST)), f64x2.gt(below, f64x2.splat(-Infinity)));
    if (v128.any_true(isBad)) isGood = false;
    const y = isLog ? scores : exp_f64(below);
    const at = to + next * (j / COLUMNS) + stride * (j % COLUMNS);
    v128.store64_lane(at, y, 0);
    if (!isLast) v128.store64_lane(at + stride, y, 1);
  }
  return isGood;
}

/**
 * Writes T in panels, start [Kp] and end [Kp]: E and the like, or the scores. What pads them counts as −∞. Returns
 * whether all exponentials are 0 or at least LEAST.
 */
export function prepare(scores: usize, how: i32, to: usize): bool {
  const isLog = (how & As.Scores) != 0;
  const boundaries = to + square;
  const none: f64 = isLog ? -Infinity : 0;
  for (let at = to; at < boundaries + 2 * row; at += 8) store<f64>(at, none);
  const start = scores + bytes(tags * tags);
  const end = start + bytes(tags);
  topTransition = greatest(tags * tags, scores);
  topStart = greatest(tags, start);
  topEnd = greatest(tags, end);
  const isGood = spread(start, topStart, isLog, boundaries, 8, 8 * COLUMNS);
  let areGood = spread(end, topEnd, isLog, boundaries + row, 8, 8 * COLUMNS) && isGood;
  const isTransposed = (how & As.Transposed) != 0;
  for (let i = 0; i < tags; i++, scores += bytes(tags)) {
    const isRowGood = isTransposed
      ? spread(scores, topTransition, isLog, to + column(i), PANEL_ROW, COLUMNS * PANEL_ROW)
      : spread(scores, topTransition, isLog, to + PANEL_ROW * i, 8, panel);
    areGood = isRowGood && areGood;
  }
  return areGood;
}
