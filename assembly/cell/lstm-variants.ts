// One time step of an LSTM with peephole connections or with relu, after its GEMMs.
//
//   i, f = σ(pre + p·cPrev)   g = act(pre)   c = f·cPrev + i·g   o = σ(pre + p·c)   h = o·act(c)
//
// act: tanh or relu, a number of `Unary` (src/engine/abi.ts). p, dP [3, H] f32: the peephole weights of i, f and o, and
// their gradients; p is 0 for an LSTM without. The other buffers are those of lstm.ts: gates [rows, 4H]; cPrev, c, h,
// dh, dc [rows, H]. All are row-major and dense. c may be cPrev in forward; no other buffers overlap.
//
// Called once for each time step by the scan over time (src/cells/lstm.ts). All units go through the body of lstm.ts for
// units that do not fill vectors. That saves 3 kB in cells that are seldom used. Source of peepholes: Gers and
// Schmidhuber 2000.

import { bytes, load_lanes, store_lanes } from '../lanes';
import { madd } from '../simd';
import { backward_some, forward_some } from './lstm';

/** gates: pre-activations in, activated gates out, in place. c and h are outputs. c may be cPrev. */
export function lstm_variant_forward(
  rows: i32,
  units: i32,
  act: i32,
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
      forward_some(act, row, gates + at, p ? p + at : 0, cPrev + at, c + at, h + at, min(units - j, 4));
    }
    gates += row * 4;
    cPrev += row;
    c += row;
    h += row;
  }
}

/**
 * gates: activated gates in, gradients of the pre-activations out, in place. dc: ∂L/∂c from later steps in, ∂L/∂cPrev
 * out, in place. dh: all of ∂L/∂h.
 *
 *   do = dh·act(c)·o·(1 − o)   dState = dc + dh·o·act′(c) + do·p_o
 *   di = dState·g·i·(1 − i)   df = dState·cPrev·f·(1 − f)   dg = dState·i·act′(pre)
 *   dcPrev = dState·f + di·p_i + df·p_f
 */
export function lstm_variant_backward(
  rows: i32,
  units: i32,
  act: i32,
  gates: usize,
  p: usize,
  cPrev: usize,
  c: usize,
  dh: usize,
  dc: usize,
): void {
  const row = bytes(units);
  for (; rows > 0; rows--) {
    for (let j = 0; j < units; j += 4) {
      const at = bytes(j);
      backward_some(act, row, gates + at, p ? p + at : 0, cPrev + at, c + at, dh + at, dc + at, min(units - j, 4));
    }
    gates += row * 4;
    cPrev += row;
    c += row;
    dh += row;
    dc += row;
  }
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
