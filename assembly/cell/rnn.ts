// The activation of one SimpleRNN time step, after its GEMMs.
//
//   h = act(pre)      dPre = dh·act′      act: linear, tanh or relu, a number of `RnnActivation` (src/engine/abi.ts)
//
// pre, h, dh, dPre [rows, H] f32, dense, as `count` = rows·H elements. h may be pre. dPre may be h or dh. Called once
// for each time step by the scan over time (src/cells/rnn.ts) and by stream.ts. Source: Elman 1990, in the form of
// Keras's SimpleRNN.

import { Unary, unary } from '../elementwise';
import { flush_all, store_flushed, take_flushed } from '../flush';
import { load_lanes } from '../lanes';
import { nmadd } from '../simd';

/** The numbers are those of `RnnActivation` in src/engine/abi.ts. */
const enum Activation {
  Linear,
  Tanh,
  Relu,
}

/** h = act(pre). h may be pre. */
export function rnn_forward(count: i32, act: i32, pre: usize, h: usize): void {
  if (act == Activation.Linear) memory.copy(h, pre, 4 * count);
  else unary(count, act == Activation.Tanh ? Unary.Tanh : Unary.Relu, pre, h);
  flush_all(count, h);
}

/**
 * dPre = dh·act′ from the output h. act′ is 1, 1 − h², or 1 where h > 0 and 0 elsewhere. dPre may be h or dh. dh is
 * flushed in place.
 */
export function rnn_backward(count: i32, act: i32, h: usize, dh: usize, dPre: usize): void {
  for (; count > 0; count -= 4, h += 16, dh += 16, dPre += 16) {
    const lanes = min(count, 4);
    const y = load_lanes(h, lanes);
    let d = take_flushed(dh, lanes);
    if (act == Activation.Tanh) d = f32x4.mul(d, nmadd(y, y, f32x4.splat(1)));
    else if (act == Activation.Relu) d = v128.and(d, f32x4.gt(y, f32x4.splat(0)));
    store_flushed(dPre, d, lanes);
  }
}
