// Connectionist temporal classification: the loss −ln P of a label, and its gradient.
//
// P is the sum of the probabilities of all paths that spell the label. A path gives each step one class, a label or the
// blank ∅. It spells the label that remains when repeated classes are merged first and blanks are removed then.
// So a path goes through the S = 2L + 1 states  ∅ l₁ ∅ l₂ … l_L ∅.  State s is label s >> 1 if s is odd, else blank.
// In each step a path stays, moves on by one state, or moves on by two if that skips a blank between different labels.
//
//   α_t(s) = p_t(s)·(α_{t−1}(s) + α_{t−1}(s−1) + [may skip]·α_{t−1}(s−2))
//   P = α_T(S−1) + α_T(S−2)      loss = −ln P
//   β_t(s) is the same from the other end: steps and states in descending order
//   ∂loss/∂logits_t(k) = softmax_t(k) − Σ over s of class k of α_t(s)·β_t(s)/(p_t(s)·P)
//
// p, α, β [steps, S] are numbers mantissa·2^exponent: an f64 mantissa in [1, 2) and an i32 exponent, 12 bytes together.
// The probability of a path is far below the smallest float64. With exponents nothing underflows, sums need no
// logarithm, and the Wasm standard fixes every bit.
//
// The comment of `ctc` has the layout of its pointers. Buffers do not overlap. src/ops/ctc.ts calls it. Source: Graves
// et al. 2006,
// https://www.cs.toronto.edu/~graves/icml_2006.pdf.

import { fill } from './elementwise';
import { bytes } from './lanes';
import { log_f64 } from './log-f64';

/** Exponent of the number 0. It is below every other exponent, and sums of a few such exponents do not overflow. */
const NONE: i32 = -0x20000000;
const LN2: f64 = 0.6931471805599453;
const SIZE: usize = 12;

// The exponent of the last sum of `add_up`, which returns only the mantissa.
let exponent: i32 = 0;

/** 2^n for n ≤ 2, or 0 if 2^n is not a normal float64. */
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
 * p_t(s) = e^x of every step and state, with the mantissa in (½, 2). A log probability x of −∞ or NaN gives 0. A finite
 * x below −10⁴ counts as −10⁴, so the exponents of 30,000 steps add up in an i32. The Taylor series has a remainder of
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

/** The sum of `count` numbers that start at `at` and are `stride` bytes apart. */
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

/** Makes all α [steps, states] from all p if direction is 1, and all β if it is −1. */
function sweep(direction: i32, steps: i32, states: i32, labels: usize, p: usize, to: usize): void {
  const stride = <isize>SIZE * direction;
  const before = stride * states;
  // β runs backward from the last place.
  const offset = direction > 0 ? 0 : <usize>(steps * states - 1) * SIZE;
  p += offset;
  to += offset;
  for (let k = 0; k < steps; k++) {
    // i counts states from the end where the paths of this direction begin.
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
      // Brings the mantissa back into [1, 2).
      const shift = m > 0 ? <i32>(reinterpret<i64>(m) >> 52) - 1023 : 0;
      store<f64>(to, m * power_of_2(-shift));
      store<i32>(to, m > 0 ? n + shift : NONE, 8);
    }
  }
}

/**
 * Returns the loss of one sequence. `gradient` may be 0. Otherwise it holds the softmax and receives ∂loss/∂logits in
 * its place, or zeros if the loss is ∞.
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
  // Without steps there is one path, the empty one. It spells the empty label.
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
        // share is NaN (0/0) if p is 0.
        if (share > 0) store<f32>(at, <f32>(load<f32>(at) - share));
      }
    }
  }
  return -(log_f64(total) + LN2 * totalExponent);
}

/**
 * The losses of `rows` sequences, and their gradients.
 *
 *   logProbs      [rows, steps, classes] f32. Row i uses the first inputLengths[i] steps.
 *   inputLengths  [rows] i32, at most `steps`
 *   labels        [rows, width] i32. Row i uses the first labelLengths[i]. None of them is `blank`.
 *   labelLengths  [rows] i32, at most `width`
 *   scratch       9·steps·(2·width + 1) elements: p, α and β of one sequence
 *   losses        [rows] f32, output. ∞ if no path spells the label.
 *   gradient      0 for none, or [rows, steps, classes] f32: softmax in, ∂losses/∂logits out
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
