// Gradients of the peephole weights of an LSTM over one time step. lstm.ts has the step itself and its buffers.
//
// dP [3, H] f32: gradients of the peephole weights of i, f and o. gates [rows, 4H], cPrev, c [rows, H]. All are
// row-major and dense; no buffers overlap. Called once for each time step by the scan over time (src/cells/lstm.ts).

import { bytes, load_lanes, store_lanes } from '../lanes';
import { madd } from '../simd';

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
