// Many time steps of an LSTM in one call.
//
//   gates[t] += h·U   then the fused step of lstm.ts, with h = y[t − 1]
//
// gates [steps, rows, 4H] f32: x·W + b, replaced by activated gates. u: U [H, 4H], packed by `gemv_pack_b` for 1 or 2
// rows, else by `gemm_pack_b`. h, c [rows, H]: the states, replaced. y [steps, rows, H]. scratch: that of gemm. No buffers
// overlap. The sums and their order are those of the scan over time, so the bits are the same. Called by
// src/audio-models/streams.
import { Activation } from '../activation';
import { copy_2d } from '../elementwise';
import { gemm, gemv } from '../gemm/gemm';
import { MIN_MR } from '../gemm/microkernel';
import { bytes } from '../lanes';
import { lstm_forward } from './lstm';

/** `Init.Accumulate` of src/engine/abi.ts. */
const ACCUMULATE: i32 = 1;

export function lstm_steps(
  steps: i32,
  rows: i32,
  units: i32,
  gates: usize,
  u: usize,
  h: usize,
  c: usize,
  y: usize,
  scratch: usize,
): void {
  const width = 4 * units;
  const state = bytes(rows * units);
  let before = h;
  for (; steps > 0; steps--) {
    if (rows < MIN_MR) gemv(rows, width, units, before, units, u, gates, width, ACCUMULATE, 0);
    else gemm(rows, width, units, before, units, 1, u, gates, width, ACCUMULATE, 0, scratch);
    lstm_forward(rows, units, Activation.Tanh, 0, gates, c, c, y);
    before = y;
    gates += bytes(rows * width);
    y += state;
  }
  if (before != h) copy_2d(1, rows * units, before, 0, h, 0);
}
