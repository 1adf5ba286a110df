// One LSTM time step, after its GEMMs.
//
//   i, f, o = σ(pre)      g = tanh(pre)      c = f·cPrev + i·g      h = o·tanh(c)
//
// gates [rows, 4H] f32: each row has H values of i, then of f, g and o (Keras's order, where g is called c). cPrev, c,
// h, dh, dc [rows, H] f32. All are row-major and dense. c may be cPrev in forward; no other buffers overlap. Backward
// computes tanh(c) again, so the scan does not save another [T, rows, H].
//
// Called once for each time step by the scan over time (src/cells/lstm.ts) and by stream.ts. Source: Hochreiter and
// Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000, in the form of Keras's LSTM.

import { sigmoid_lanes, tanh_lanes } from '../activation';
import { bytes, load_flushed, load_lanes, store_flushed, store_lanes, vector_bytes } from '../lanes';
import { madd, nmadd } from '../simd';

/** gates: pre-activations in, activated gates out, in place. c and h are outputs. c may be cPrev. */
export function lstm_forward(rows: i32, units: i32, gates: usize, cPrev: usize, c: usize, h: usize): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  for (let end = h + <usize>rows * row; h < end; ) {
    for (let stop = h + whole; h < stop; ) {
      forward(row, gates, cPrev, c, h, 4);
      gates += 16;
      cPrev += 16;
      c += 16;
      h += 16;
    }
    if (tail) forward(row, gates, cPrev, c, h, tail);
    gates += row * 4 - whole;
    cPrev += row - whole;
    c += row - whole;
    h += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function forward(row: usize, gates: usize, cPrev: usize, c: usize, h: usize, count: i32): void {
  // All gates are computed before the first store. Four independent chains then overlap, although V8 spills more. On a
  // Zen 5 core this takes 2.7 ns a unit instead of 3.0 with fused multiply-add, and 3.6 instead of 4.1 without.
  const i = sigmoid_lanes(load_lanes(gates, count), count);
  const f = sigmoid_lanes(load_lanes(gates + row, count), count);
  const g = tanh_lanes(load_lanes(gates + row * 2, count), count);
  const o = sigmoid_lanes(load_lanes(gates + row * 3, count), count);
  const state = madd(f, load_lanes(cPrev, count), f32x4.mul(i, g));
  store_lanes(gates, i, count);
  store_lanes(gates + row, f, count);
  store_lanes(gates + row * 2, g, count);
  store_lanes(gates + row * 3, o, count);
  store_lanes(c, state, count);
  store_lanes(h, f32x4.mul(o, tanh_lanes(state, count)), count);
}

/**
 * gates: activated gates in, gradients of the pre-activations out, in place. dc: ∂L/∂c from later steps in, ∂L/∂cPrev
 * out, in place. dh: all of ∂L/∂h.
 *
 *   dState = dc + dh·o·(1 − tanh²c)      dcPrev = dState·f
 *   di = dState·g·i·(1 − i)   df = dState·cPrev·f·(1 − f)   dg = dState·i·(1 − g²)   do = dh·tanh(c)·o·(1 − o)
 */
export function lstm_backward(rows: i32, units: i32, gates: usize, cPrev: usize, c: usize, dh: usize, dc: usize): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  const one = f32x4.splat(1);
  for (let end = dc + <usize>rows * row; dc < end; ) {
    for (let stop = dc + whole; dc < stop; ) {
      backward(row, gates, cPrev, c, dh, dc, one, 4);
      gates += 16;
      cPrev += 16;
      c += 16;
      dh += 16;
      dc += 16;
    }
    if (tail) backward(row, gates, cPrev, c, dh, dc, one, tail);
    gates += row * 4 - whole;
    cPrev += row - whole;
    c += row - whole;
    dh += row - whole;
    dc += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function backward(
  row: usize,
  gates: usize,
  cPrev: usize,
  c: usize,
  dh: usize,
  dc: usize,
  one: v128,
  count: i32,
): void {
  const i = load_lanes(gates, count);
  const f = load_lanes(gates + row, count);
  const g = load_lanes(gates + row * 2, count);
  const o = load_lanes(gates + row * 3, count);
  const dhNow = load_flushed(dh, count);
  const t = tanh_lanes(load_lanes(c, count), count);
  const dState = madd(f32x4.mul(dhNow, o), nmadd(t, t, one), load_lanes(dc, count));
  const dF = f32x4.mul(dState, f);
  const dI = f32x4.mul(dState, i);
  store_flushed(gates, f32x4.mul(f32x4.mul(dI, g), f32x4.sub(one, i)), count);
  store_flushed(gates + row, f32x4.mul(f32x4.mul(dF, load_lanes(cPrev, count)), f32x4.sub(one, f)), count);
  store_flushed(gates + row * 2, f32x4.mul(dI, nmadd(g, g, one)), count);
  store_flushed(gates + row * 3, f32x4.mul(f32x4.mul(dhNow, t), f32x4.mul(o, f32x4.sub(one, o))), count);
  store_flushed(dc, dF, count);
}
