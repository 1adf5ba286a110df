// One time step of an LSTM with peephole connections, after its GEMMs: the gates also see the cell state.
//
//   i, f = σ(pre + p·cPrev)   g = tanh(pre)   c = f·cPrev + i·g   o = σ(pre + p·c)   h = o·tanh(c)
//
// p, dP [3, H] f32: the peephole weights of i, f and o, and their gradients. The other buffers are those of lstm.ts:
// gates [rows, 4H]; cPrev, c, h, dh, dc [rows, H]. All are row-major and dense. c may be cPrev in forward; no other
// buffers overlap.
//
// Called once for each time step by the scan over time (src/cells/lstm.ts). One body serves whole vectors and tails,
// and it calls the activations instead of inlining them. That saves 2 kB in a cell that is seldom used. Source: Gers
// and Schmidhuber 2000.

import { Activation, value } from '../activation';
import { bytes, load_flushed, load_lanes, store_flushed, store_lanes } from '../lanes';
import { madd, nmadd } from '../simd';

/** gates: pre-activations in, activated gates out, in place. c and h are outputs. c may be cPrev. */
export function lstm_peephole_forward(
  rows: i32,
  units: i32,
  gates: usize,
  p: usize,
  cPrev: usize,
  c: usize,
  h: usize,
): void {
  const row = bytes(units);
  for (; rows > 0; rows--) {
    for (let j = 0; j < units; j += 4) {
      const at = bytes(j);
      forward(row, gates + at, p + at, cPrev + at, c + at, h + at, min(units - j, 4));
    }
    gates += row * 4;
    cPrev += row;
    c += row;
    h += row;
  }
}

// @ts-ignore: decorator
@inline
function forward(row: usize, gates: usize, p: usize, cPrev: usize, c: usize, h: usize, count: i32): void {
  const before = load_lanes(cPrev, count);
  const i = value(Activation.Sigmoid, madd(load_lanes(p, count), before, load_lanes(gates, count)));
  const f = value(Activation.Sigmoid, madd(load_lanes(p + row, count), before, load_lanes(gates + row, count)));
  const g = value(Activation.Tanh, load_lanes(gates + row * 2, count));
  const state = madd(f, before, f32x4.mul(i, g));
  const o = value(Activation.Sigmoid, madd(load_lanes(p + row * 2, count), state, load_lanes(gates + row * 3, count)));
  store_lanes(gates, i, count);
  store_lanes(gates + row, f, count);
  store_lanes(gates + row * 2, g, count);
  store_lanes(gates + row * 3, o, count);
  store_lanes(c, state, count);
  store_lanes(h, f32x4.mul(o, value(Activation.Tanh, state)), count);
}

/**
 * gates: activated gates in, gradients of the pre-activations out, in place. dc: ∂L/∂c from later steps in, ∂L/∂cPrev
 * out, in place. dh: all of ∂L/∂h.
 *
 *   do = dh·tanh(c)·o·(1 − o)   dState = dc + dh·o·(1 − tanh²c) + do·p_o
 *   di = dState·g·i·(1 − i)   df = dState·cPrev·f·(1 − f)   dg = dState·i·(1 − g²)
 *   dcPrev = dState·f + di·p_i + df·p_f
 */
export function lstm_peephole_backward(
  rows: i32,
  units: i32,
  gates: usize,
  p: usize,
  cPrev: usize,
  c: usize,
  dh: usize,
  dc: usize,
): void {
  const row = bytes(units);
  const one = f32x4.splat(1);
  for (; rows > 0; rows--) {
    for (let j = 0; j < units; j += 4) {
      const at = bytes(j);
      backward(row, gates + at, p + at, cPrev + at, c + at, dh + at, dc + at, one, min(units - j, 4));
    }
    gates += row * 4;
    cPrev += row;
    c += row;
    dh += row;
    dc += row;
  }
}

// @ts-ignore: decorator
@inline
function backward(
  row: usize,
  gates: usize,
  p: usize,
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
  const t = value(Activation.Tanh, load_lanes(c, count));
  const dO = f32x4.mul(f32x4.mul(dhNow, t), f32x4.mul(o, f32x4.sub(one, o)));
  const direct = madd(f32x4.mul(dhNow, o), nmadd(t, t, one), load_lanes(dc, count));
  const dState = madd(dO, load_lanes(p + row * 2, count), direct);
  const dI = f32x4.mul(f32x4.mul(f32x4.mul(dState, i), g), f32x4.sub(one, i));
  const dF = f32x4.mul(f32x4.mul(f32x4.mul(dState, f), load_lanes(cPrev, count)), f32x4.sub(one, f));
  store_flushed(gates, dI, count);
  store_flushed(gates + row, dF, count);
  store_flushed(gates + row * 2, f32x4.mul(f32x4.mul(dState, i), nmadd(g, g, one)), count);
  store_flushed(gates + row * 3, dO, count);
  const through = madd(dI, load_lanes(p, count), f32x4.mul(dState, f));
  store_flushed(dc, madd(dF, load_lanes(p + row, count), through), count);
}

/**
 * dP += (Σ di·cPrev, Σ df·cPrev, Σ do·c), summed over the rows in ascending order. gates holds di, df and do: the
 * output of backward.
 */
export function lstm_peephole_weights(rows: i32, units: i32, gates: usize, cPrev: usize, c: usize, dP: usize): void {
  const row = bytes(units);
  for (; rows > 0; rows--) {
    add_products(units, gates, cPrev, dP);
    add_products(units, gates + row, cPrev, dP + row);
    add_products(units, gates + row * 3, c, dP + row * 2);
    gates += row * 4;
    cPrev += row;
    c += row;
  }
}

/** y += a·b */
function add_products(count: i32, a: usize, b: usize, y: usize): void {
  for (; count > 0; count -= 4, a += 16, b += 16, y += 16) {
    const lanes = min(count, 4);
    store_lanes(y, madd(load_lanes(a, lanes), load_lanes(b, lanes), load_lanes(y, lanes)), lanes);
  }
}
