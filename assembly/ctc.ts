// Connectionist temporal classification (Graves et al. 2006): the probability, summed over all ways to spread a label
// over time, that each step's class is drawn from that step's distribution. A path repeats classes and puts blanks
// between them; the label is what is left when repeats
// and then blanks are taken out. So a path walks the states  ∅ l₁ ∅ l₂ … l_L ∅  (S = 2L + 1; state s is label s >> 1 where s is odd) and at each step
// stays, goes on by one, or by two where that skips a blank between different labels.
//
//   α_t(s) = p_t(s)·(α_{t−1}(s) + α_{t−1}(s−1) + [may skip]·α_{t−1}(s−2))      P = α_T(S−1) + α_T(S−2)      loss = −ln P
//   β_t(s) is the same from the other end: steps and states in descending order
//   ∂loss/∂logits_t(k) = softmax_t(k) − Σ over s of class k of α_t(s)·β_t(s)/(p_t(s)·P)
//
// All of these are numbers mantissa·2^exponent, a float64 in [1, 2) and an i32, since a path's probability is far below
// what a float64 reaches. So nothing underflows, sums need no logarithm, and every bit is fixed by the standard. A
// number takes 12 bytes.

import { fill } from './elementwise';
import { bytes } from './lanes';
import { log_f64 } from './math';

/** Exponent of 0: below any other, and far enough from the ends that sums of some do not wrap. */
const NONE: i32 = -0x20000000;
const LN2: f64 = 0.6931471805599453;
const SIZE: usize = 12;

// The exponent of the sum whose mantissa `add_up` returned last.
let exponent: i32 = 0;

/** 2^n, or 0 where that is no normal float64; n ≤ 2 */
// @ts-ignore: decorator
@inline
function power_of_2(n: i32): f64 {
  return n < -1022 ? 0 : reinterpret<f64>((<i64>(n + 1023)) << 52);
}

/** The class of a state. */
// @ts-ignore: decorator
@inline
function class_of(s: i32, labels: usize, blank: i32): i32 {
  return s & 1 ? load<i32>(labels + bytes(s >> 1)) : blank;
}

/**
 * p_t(s) = e^x of every step and state, mantissa in (½, 2). A log probability x of −∞ or NaN gives 0; a finite one
 * counts as at least −10⁴, so that the exponents of 30,000 steps add up in an i32. A Taylor series whose remainder is
 * 3e-10, which is less than the last bit of x.
 */
function emissions(steps: i32, row: usize, logProbs: usize, states: i32, labels: usize, blank: i32, to: usize): void {
  for (let t = 0; t < steps; t++, logProbs += row) {
    for (let s = 0; s < states; s++, to += SIZE) {
      const given = load<f32>(logProbs + bytes(class_of(s, labels, blank)));
      const isNone = !(given > -Infinity);
      const x: f64 = isNone ? 0 : max<f32>(given, -1e4);
      const n = nearest(x * 1.4426950408889634);
      const r = x - LN2 * n;
      const square = r * r;
      const low = 1 + r + square * (0.5 + r * (1.0 / 6));
      const high = 1.0 / 24 + r * (1.0 / 120) + square * (1.0 / 720 + r * (1.0 / 5040) + square * (1.0 / 40320));
      store<f64>(to, isNone ? 0 : low + square * square * high);
      store<i32>(to, isNone ? NONE : <i32>n, 8);
    }
  }
}

/** The sum of `count` numbers, from `at` on and `stride` bytes apart. */
function add_up(at: usize, stride: isize, count: i32): f64 {
  let greatest = NONE;
  for (let i = 0; i < count; i++, at += stride) greatest = max(greatest, load<i32>(at, 8));
  let sum: f64 = 0;
  for (; count > 0; count--) {
    at -= stride;
    sum += load<f64>(at) * power_of_2(load<i32>(at, 8) - greatest);
  }
  exponent = greatest;
  return sum;
}

/** All α [steps, states] from all p, with direction 1; with −1 all β. */
function sweep(direction: i32, steps: i32, states: i32, labels: usize, p: usize, to: usize): void {
  const stride = <isize>SIZE * direction;
  const before = stride * states;
  // From the last place back for β.
  const offset = direction > 0 ? 0 : <usize>(steps * states - 1) * SIZE;
  p += offset;
  to += offset;
  for (let k = 0; k < steps; k++) {
    // The i-th state from the end where paths begin.
    for (let i = 0; i < states; i++, p += stride, to += stride) {
      const s = direction > 0 ? i : states - 1 - i;
      let m = load<f64>(p);
      let n = load<i32>(p, 8);
      if (k > 0) {
        let terms = min(i, 1) + 1;
        if (s & 1 && i > 1) {
          const label = labels + bytes(s >> 1);
          if (load<i32>(label) != load<i32>(label - 4 * direction)) terms = 3;
        }
        m *= add_up(to - before, -stride, terms);
        n += exponent;
      } else if (i > 1) m = 0;
      // The mantissa back into [1, 2).
      const shift = m > 0 ? <i32>(reinterpret<i64>(m) >> 52) - 1023 : 0;
      store<f64>(to, m * power_of_2(-shift));
      store<i32>(to, m > 0 ? n + shift : NONE, 8);
    }
  }
}

/**
 * One sequence. Returns its loss; `gradient`, unless 0, holds softmax and gets ∂loss/∂logits in its place, or 0 where
 * the loss is ∞.
 */
function ctc_row(
  steps: i32,
  classes: i32,
  logProbs: usize,
  length: i32,
  labels: usize,
  blank: i32,
  p: usize,
  gradient: usize,
): f64 {
  // Of no step there is one path, which has no label.
  if (steps == 0) return length ? Infinity : 0;
  const states = 2 * length + 1;
  const row = bytes(classes);
  const size = <usize>(steps * states) * SIZE;
  const alpha = p + size;
  const beta = alpha + size;
  emissions(steps, row, logProbs, states, labels, blank, p);
  sweep(1, steps, states, labels, p, alpha);
  const total = add_up(beta - SIZE, -(<isize>SIZE), min(length, 1) + 1);
  const totalExponent = exponent;
  if (total == 0) {
    if (gradient) fill(steps * classes, 0, gradient);
    return Infinity;
  }
  if (gradient) {
    sweep(-1, steps, states, labels, p, beta);
    for (let t = 0; t < steps; t++, gradient += row) {
      for (let s = 0; s < states; s++, p += SIZE) {
        const n = load<i32>(p + size, 8) + load<i32>(p + 2 * size, 8) - load<i32>(p, 8) - totalExponent;
        const share = (load<f64>(p + size) * load<f64>(p + 2 * size) * power_of_2(n)) / (load<f64>(p) * total);
        const at = gradient + bytes(class_of(s, labels, blank));
        // 0/0 where p is 0.
        if (share > 0) store<f32>(at, <f32>(load<f32>(at) - share));
      }
    }
  }
  return -(log_f64(total) + LN2 * totalExponent);
}

/**
 * `rows` sequences: logProbs [rows, steps, classes], of which row i uses inputLengths[i] steps; labels i32 [rows,
 * width], of which it uses labelLengths[i]; losses [rows] out. gradient, 0 or as logProbs: softmax in, ∂losses/∂logits
 * out. scratch: 9·steps·(2·width + 1) elements.
 */
export function ctc(
  rows: i32,
  steps: i32,
  classes: i32,
  logProbs: usize,
  inputLengths: usize,
  width: i32,
  labels: usize,
  labelLengths: usize,
  blank: i32,
  scratch: usize,
  losses: usize,
  gradient: usize,
): void {
  const size = bytes(steps) * <usize>classes;
  for (let i = 0; i < rows; i++) {
    const used = load<i32>(inputLengths + bytes(i));
    const length = load<i32>(labelLengths + bytes(i));
    const loss = ctc_row(used, classes, logProbs, length, labels, blank, scratch, gradient);
    store<f32>(losses + bytes(i), <f32>loss);
    logProbs += size;
    labels += bytes(width);
    if (gradient) {
      fill((steps - used) * classes, 0, gradient + bytes(used) * <usize>classes);
      gradient += size;
    }
  }
}
