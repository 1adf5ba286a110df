// One LSTM time step, after its GEMMs.
//
//   i, f = σ(pre + p·cPrev)   g = act(pre)   c = f·cPrev + i·g   o = σ(pre + p·c)   h = o·act(c)
//
// act: tanh or relu, a number of `Unary` (src/engine/abi.ts). p [3, H] f32: the peephole weights of i, f and o, or 0
// for none. gates [rows, 4H] f32: each row has H values of i, then of f, g and o (Keras's order, where g is called c).
// cPrev, c, h, dh, dc [rows, H] f32. All are row-major and dense. c may be cPrev in forward; no other buffers overlap.
// Backward computes act(c) again, so the scan does not save another [T, rows, H].
//
// Relu and peepholes are rare. All of their units go through the body for units that do not fill vectors.
//
// Called once for each time step by the scan over time (src/cells/lstm.ts) and by stream.ts. Source: Hochreiter and
// Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000, in the form of Keras's LSTM; peepholes:
// Gers and Schmidhuber 2000.

import { Activation, value } from '../activation';
import { flush, store_flushed, take_flushed } from '../flush';
import { PAIRS, STRIDE, bytes, load_lanes, load_second, store_lanes, store_pair } from '../lanes';
import { sigmoid, tanh } from '../math';
import { madd, nmadd } from '../simd';

/** gates: pre-activations in, activated gates out, in place. c and h are outputs. c may be cPrev. */
export function lstm_forward(
  rows: i32,
  units: i32,
  act: i32,
  p: usize,
  gates: usize,
  cPrev: usize,
  c: usize,
  h: usize,
): void {
  const row = bytes(units);
  const whole: usize = p != 0 || act != Activation.Tanh ? 0 : bytes(units & -STRIDE);
  const rest = row - whole;
  for (let end = h + <usize>rows * row; h < end; ) {
    // All gates are computed before the first store: independent chains overlap, although V8 spills more.
    for (const last = h + whole; h < last; ) {
      const i = sigmoid(v128.load(gates));
      const i1 = PAIRS ? sigmoid(load_second(gates)) : i;
      const f = sigmoid(v128.load(gates + row));
      const f1 = PAIRS ? sigmoid(load_second(gates + row)) : i;
      const g = tanh(v128.load(gates + row * 2));
      const g1 = PAIRS ? tanh(load_second(gates + row * 2)) : i;
      const o = sigmoid(v128.load(gates + row * 3));
      const o1 = PAIRS ? sigmoid(load_second(gates + row * 3)) : i;
      const state = madd(f, v128.load(cPrev), f32x4.mul(i, g));
      const state1 = PAIRS ? madd(f1, load_second(cPrev), f32x4.mul(i1, g1)) : i;
      const y = flush(f32x4.mul(o, tanh(state)));
      const y1 = PAIRS ? flush(f32x4.mul(o1, tanh(state1))) : i;
      const kept = flush(state);
      const kept1 = PAIRS ? flush(state1) : i;
      store_pair(gates, i, i1);
      store_pair(gates + row, f, f1);
      store_pair(gates + row * 2, g, g1);
      store_pair(gates + row * 3, o, o1);
      store_pair(c, kept, kept1);
      store_pair(h, y, y1);
      gates += bytes(STRIDE);
      cPrev += bytes(STRIDE);
      c += bytes(STRIDE);
      h += bytes(STRIDE);
    }
    for (let at: usize = 0; at < rest; at += 16) {
      forward_some(act, row, gates + at, p ? p + at : 0, cPrev + at, c + at, h + at, <i32>min(rest - at, 16) >> 2);
    }
    gates += rest + row * 3;
    cPrev += rest;
    c += rest;
    h += rest;
  }
}

/**
 * `count` (1–4) units of forward. p is 0 or that of these units. It calls the activations, because inlined they would
 * take 1 kB.
 */
function forward_some(
  act: i32,
  row: usize,
  gates: usize,
  p: usize,
  cPrev: usize,
  c: usize,
  h: usize,
  count: i32,
): void {
  const before = load_lanes(cPrev, count);
  let i = load_lanes(gates, count);
  let f = load_lanes(gates + row, count);
  let o = load_lanes(gates + row * 3, count);
  if (p) {
    i = madd(load_lanes(p, count), before, i);
    f = madd(load_lanes(p + row, count), before, f);
  }
  i = value(Activation.Sigmoid, i);
  f = value(Activation.Sigmoid, f);
  const g = value(act, load_lanes(gates + row * 2, count));
  const state = madd(f, before, f32x4.mul(i, g));
  if (p) o = madd(load_lanes(p + row * 2, count), state, o);
  o = value(Activation.Sigmoid, o);
  store_lanes(gates, i, count);
  store_lanes(gates + row, f, count);
  store_lanes(gates + row * 2, g, count);
  store_lanes(gates + row * 3, o, count);
  store_flushed(c, state, count);
  store_flushed(h, f32x4.mul(o, value(act, state)), count);
}

/**
 * gates: activated gates in, gradients of the pre-activations out, in place. dc: ∂L/∂c from later steps in, ∂L/∂cPrev
 * out, in place. dh: all of ∂L/∂h; flushed in place.
 *
 *   do = dh·act(c)·o·(1 − o)   dState = dc + dh·o·act′(c) + do·p_o
 *   di = dState·g·i·(1 − i)   df = dState·cPrev·f·(1 − f)   dg = dState·i·act′(pre)
 *   dcPrev = dState·f + di·p_i + df·p_f
 */
export function lstm_backward(
  rows: i32,
  units: i32,
  act: i32,
  p: usize,
  gates: usize,
  cPrev: usize,
  c: usize,
  dh: usize,
  dc: usize,
): void {
  const row = bytes(units);
  const whole: usize = p != 0 || act != Activation.Tanh ? 0 : bytes(units & ~7);
  const rest = row - whole;
  const one = f32x4.splat(1);
  for (let end = dc + <usize>rows * row; dc < end; ) {
    for (const last = dc + whole; dc < last; gates += 32, cPrev += 32, c += 32, dh += 32, dc += 32) {
      const i = v128.load(gates), i1 = v128.load(gates, 16);
      const f = v128.load(gates + row), f1 = v128.load(gates + row, 16);
      const g = v128.load(gates + row * 2), g1 = v128.load(gates + row * 2, 16);
      const o = v128.load(gates + row * 3), o1 = v128.load(gates + row * 3, 16);
      const d = flush(v128.load(dh)), d1 = flush(v128.load(dh, 16));
      const t = tanh(v128.load(c)), t1 = tanh(v128.load(c, 16));
      const s = madd(f32x4.mul(d, o), nmadd(t, t, one), v128.load(dc));
      const s1 = madd(f32x4.mul(d1, o1), nmadd(t1, t1, one), v128.load(dc, 16));
      const dF = f32x4.mul(s, f), dF1 = f32x4.mul(s1, f1);
      const dI = f32x4.mul(s, i), dI1 = f32x4.mul(s1, i1);
      const xI = flush(f32x4.mul(f32x4.mul(dI, g), f32x4.sub(one, i)));
      const xI1 = flush(f32x4.mul(f32x4.mul(dI1, g1), f32x4.sub(one, i1)));
      const xF = flush(f32x4.mul(f32x4.mul(dF, v128.load(cPrev)), f32x4.sub(one, f)));
      const xF1 = flush(f32x4.mul(f32x4.mul(dF1, v128.load(cPrev, 16)), f32x4.sub(one, f1)));
      const xG = flush(f32x4.mul(dI, nmadd(g, g, one))), xG1 = flush(f32x4.mul(dI1, nmadd(g1, g1, one)));
      const xO = flush(f32x4.mul(f32x4.mul(d, t), f32x4.mul(o, f32x4.sub(one, o))));
      const xO1 = flush(f32x4.mul(f32x4.mul(d1, t1), f32x4.mul(o1, f32x4.sub(one, o1))));
      const dPrev = flush(dF), dPrev1 = flush(dF1);
      store_pair(gates, xI, xI1);
      store_pair(gates + row, xF, xF1);
      store_pair(gates + row * 2, xG, xG1);
      store_pair(gates + row * 3, xO, xO1);
      store_pair(dh, d, d1);
      store_pair(dc, dPrev, dPrev1);
    }
    for (let at: usize = 0; at < rest; at += 16) {
      const count = <i32>min(rest - at, 16) >> 2;
      backward_some(act, row, gates + at, p ? p + at : 0, cPrev + at, c + at, dh + at, dc + at, count);
    }
    gates += rest + row * 3;
    cPrev += rest;
    c += rest;
    dh += rest;
    dc += rest;
  }
}

/** act′ where act is y. */
// @ts-ignore: decorator
@inline
function slope(act: i32, y: v128): v128 {
  const one = f32x4.splat(1);
  return act == Activation.Relu ? v128.and(f32x4.gt(y, f32x4.splat(0)), one) : nmadd(y, y, one);
}

/** `count` (1–4) units of backward, with the arguments of `forward_some`. */
function backward_some(
  act: i32,
  row: usize,
  gates: usize,
  p: usize,
  cPrev: usize,
  c: usize,
  dh: usize,
  dc: usize,
  count: i32,
): void {
  const one = f32x4.splat(1);
  const i = load_lanes(gates, count);
  const f = load_lanes(gates + row, count);
  const g = load_lanes(gates + row * 2, count);
  const o = load_lanes(gates + row * 3, count);
  const d = take_flushed(dh, count);
  const t = value(act, load_lanes(c, count));
  const dO = f32x4.mul(f32x4.mul(d, t), f32x4.mul(o, f32x4.sub(one, o)));
  let dState = madd(f32x4.mul(d, o), slope(act, t), load_lanes(dc, count));
  if (p) dState = madd(dO, load_lanes(p + row * 2, count), dState);
  const through = f32x4.mul(dState, f);
  const kept = f32x4.mul(dState, i);
  const dI = f32x4.mul(f32x4.mul(kept, g), f32x4.sub(one, i));
  const dF = f32x4.mul(f32x4.mul(through, load_lanes(cPrev, count)), f32x4.sub(one, f));
  store_flushed(gates, dI, count);
  store_flushed(gates + row, dF, count);
  store_flushed(gates + row * 2, f32x4.mul(kept, slope(act, g)), count);
  store_flushed(gates + row * 3, dO, count);
  let dPrev = through;
  if (p) dPrev = madd(dF, load_lanes(p + row, count), madd(dI, load_lanes(p, count), through));
  store_flushed(dc, dPrev, count);
}
