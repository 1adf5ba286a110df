// The activation of one SimpleRNN time step, after its GEMMs.
//
//   h = act(pre)      dPre = dh·act′      act: linear, tanh or relu, a number of `RnnActivation` (src/engine/abi.ts)
//
// pre, h, dh, dPre [rows, H] f32, dense, as `count` = rows·H elements. h may be pre. dPre may be h or dh. Called once
// for each time step by the scan over time (src/cells/rnn.ts) and by stream.ts. Source: Elman 1990, in the form of
// Keras's SimpleRNN.

import { flush, load_lanes, store_flushed, store_lanes, vector_bytes } from '../lanes';
import { tanh } from '../math';
import { nmadd } from '../simd';

enum Activation {
  Linear,
  Tanh,
  Relu,
}

/** h = act(pre). h may be pre. */
export function rnn_forward(count: i32, act: i32, pre: usize, h: usize): void {
  if (act == Activation.Tanh) forward(count, Activation.Tanh, pre, h);
  else if (act == Activation.Relu) forward(count, Activation.Relu, pre, h);
  else forward(count, Activation.Linear, pre, h);
}

// @ts-ignore: decorator
@inline
function forward(count: i32, act: i32, pre: usize, h: usize): void {
  const zero = f32x4.splat(0);
  const tail = count & 3;
  for (let end = pre + vector_bytes(count); pre < end; pre += 16, h += 16) {
    v128.store(h, activate(act, v128.load(pre), zero));
  }
  if (tail) store_lanes(h, activate(act, load_lanes(pre, tail), zero), tail);
}

// @ts-ignore: decorator
@inline
function activate(act: i32, x: v128, zero: v128): v128 {
  if (act == Activation.Tanh) return tanh(x);
  if (act == Activation.Relu) return f32x4.pmax(x, zero);
  return x;
}

/** dPre = dh·act′ from the output h. act′ is 1, 1 − h², or 1 where h > 0 and 0 elsewhere. dPre may be h or dh. */
export function rnn_backward(count: i32, act: i32, h: usize, dh: usize, dPre: usize): void {
  if (act == Activation.Tanh) backward(count, Activation.Tanh, h, dh, dPre);
  else if (act == Activation.Relu) backward(count, Activation.Relu, h, dh, dPre);
  else backward(count, Activation.Linear, h, dh, dPre);
}

// @ts-ignore: decorator
@inline
function backward(count: i32, act: i32, h: usize, dh: usize, dPre: usize): void {
  const constant = act == Activation.Relu ? f32x4.splat(0) : f32x4.splat(1);
  const tail = count & 3;
  for (let end = h + vector_bytes(count); h < end; h += 16, dh += 16, dPre += 16) {
    v128.store(dPre, flush(differentiate(act, v128.load(h), v128.load(dh), constant)));
  }
  if (tail) store_flushed(dPre, differentiate(act, load_lanes(h, tail), load_lanes(dh, tail), constant), tail);
}

// @ts-ignore: decorator
@inline
function differentiate(act: i32, h: v128, dh: v128, constant: v128): v128 {
  if (act == Activation.Tanh) return f32x4.mul(dh, nmadd(h, h, constant));
  if (act == Activation.Relu) return v128.and(dh, f32x4.gt(h, constant));
  return dh;
}
