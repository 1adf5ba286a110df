// One GRU time step, after its GEMMs, in the two conventions of Keras: reset_after=True, which is cuDNN's, and
// reset_after=False, which is the original.
//
//   after:    z, r = σ(pre + rec)   q = third block of rec    n = tanh(pre + r·q)
//   before:   z, r = σ(pre)         rh = r·hPrev              n = tanh(pre), to which a GEMM has added rh·U
//   both:     h = z·hPrev + (1 − z)·n
//
// gates, rec [rows, 3H] f32: each row has H values of z, then of r and of the candidate n (Keras's order z r h). rec is
// hPrev·U + recurrent bias. q, rh, hPrev, h, dh, drh, dhPrev [rows, H] f32. All are row-major and dense. h may be
// hPrev; no other buffers overlap.
//
// The step of "before" has two halves, because the GEMM of rh runs between them. Called once for each time step by the
// scan over time (src/cells/gru.ts) and by stream.ts. Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078, in the
// form of Keras's GRU.

import { sigmoid_lanes, tanh_lanes } from '../activation';
import { bytes, load_flushed, load_lanes, store_flushed, store_lanes, vector_bytes } from '../lanes';
import { madd, nmadd } from '../simd';

/** z·hPrev + (1 − z)·n, computed as n + z·(hPrev − n) */
// @ts-ignore: decorator
@inline
function blend(z: v128, hPrev: v128, n: v128): v128 {
  return madd(z, f32x4.sub(hPrev, n), n);
}

/**
 * Forward, reset after. gates: pre-activations of the input side in, activated gates out, in place. q and h are
 * outputs. q is saved for backward. h may be hPrev.
 */
export function gru_after_forward(
  rows: i32,
  units: i32,
  gates: usize,
  rec: usize,
  q: usize,
  hPrev: usize,
  h: usize,
): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  for (let end = h + <usize>rows * row; h < end; ) {
    for (let stop = h + whole; h < stop; ) {
      after_forward(row, gates, rec, q, hPrev, h, 4);
      gates += 16;
      rec += 16;
      q += 16;
      hPrev += 16;
      h += 16;
    }
    if (tail) after_forward(row, gates, rec, q, hPrev, h, tail);
    gates += row * 3 - whole;
    rec += row * 3 - whole;
    q += row - whole;
    hPrev += row - whole;
    h += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function after_forward(row: usize, gates: usize, rec: usize, q: usize, hPrev: usize, h: usize, count: i32): void {
  const z = sigmoid_lanes(f32x4.add(load_lanes(gates, count), load_lanes(rec, count)), count);
  const r = sigmoid_lanes(f32x4.add(load_lanes(gates + row, count), load_lanes(rec + row, count)), count);
  const candidate = load_lanes(rec + row * 2, count);
  const n = tanh_lanes(madd(r, candidate, load_lanes(gates + row * 2, count)), count);
  store_lanes(gates, z, count);
  store_lanes(gates + row, r, count);
  store_lanes(gates + row * 2, n, count);
  store_lanes(q, candidate, count);
  store_lanes(h, blend(z, load_lanes(hPrev, count), n), count);
}

/**
 * Backward, reset after. gates: activated gates in, gradients of the input side's pre-activations out, in place. q: q
 * in, dq out, in place. dhPrev += dh·z.
 *
 *   dn = dh·(1 − z)·(1 − n²)   dq = dn·r   dr = dn·q·r·(1 − r)   dz = dh·(hPrev − n)·z·(1 − z)
 */
export function gru_after_backward(
  rows: i32,
  units: i32,
  gates: usize,
  q: usize,
  hPrev: usize,
  dh: usize,
  dhPrev: usize,
): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  const one = f32x4.splat(1);
  for (let end = q + <usize>rows * row; q < end; ) {
    for (let stop = q + whole; q < stop; ) {
      after_backward(row, gates, q, hPrev, dh, dhPrev, one, 4);
      gates += 16;
      q += 16;
      hPrev += 16;
      dh += 16;
      dhPrev += 16;
    }
    if (tail) after_backward(row, gates, q, hPrev, dh, dhPrev, one, tail);
    gates += row * 3 - whole;
    q += row - whole;
    hPrev += row - whole;
    dh += row - whole;
    dhPrev += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function after_backward(
  row: usize,
  gates: usize,
  q: usize,
  hPrev: usize,
  dh: usize,
  dhPrev: usize,
  one: v128,
  count: i32,
): void {
  const dn = output_backward(row, gates, hPrev, dh, dhPrev, one, count);
  const r = load_lanes(gates + row, count);
  const dq = f32x4.mul(dn, r);
  store_flushed(gates + row, f32x4.mul(f32x4.mul(dq, load_lanes(q, count)), f32x4.sub(one, r)), count);
  store_flushed(q, dq, count);
}

/**
 * Backward of h = blend(z, hPrev, n). dz and dn, gradients of the pre-activations, replace z and n in gates. dhPrev +=
 * dh·z. Returns dn.
 */
// @ts-ignore: decorator
@inline
function output_backward(
  row: usize,
  gates: usize,
  hPrev: usize,
  dh: usize,
  dhPrev: usize,
  one: v128,
  count: i32,
): v128 {
  const z = load_lanes(gates, count);
  const n = load_lanes(gates + row * 2, count);
  const dhNow = load_flushed(dh, count);
  const zBar = f32x4.sub(one, z);
  const dhz = f32x4.mul(dhNow, z);
  const dn = f32x4.mul(f32x4.mul(dhNow, zBar), nmadd(n, n, one));
  store_flushed(gates, f32x4.mul(f32x4.mul(dhz, zBar), f32x4.sub(load_lanes(hPrev, count), n)), count);
  store_flushed(gates + row * 2, dn, count);
  store_flushed(dhPrev, f32x4.add(load_lanes(dhPrev, count), dhz), count);
  return dn;
}

/** Forward, reset before, first half: activates z and r of gates in place. rh = r·hPrev. */
export function gru_before_gates(rows: i32, units: i32, gates: usize, hPrev: usize, rh: usize): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  for (let end = rh + <usize>rows * row; rh < end; ) {
    for (let stop = rh + whole; rh < stop; ) {
      before_gates(row, gates, hPrev, rh, 4);
      gates += 16;
      hPrev += 16;
      rh += 16;
    }
    if (tail) before_gates(row, gates, hPrev, rh, tail);
    gates += row * 3 - whole;
    hPrev += row - whole;
    rh += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function before_gates(row: usize, gates: usize, hPrev: usize, rh: usize, count: i32): void {
  const r = sigmoid_lanes(load_lanes(gates + row, count), count);
  store_lanes(gates, sigmoid_lanes(load_lanes(gates, count), count), count);
  store_lanes(gates + row, r, count);
  store_lanes(rh, f32x4.mul(r, load_lanes(hPrev, count)), count);
}

/** Forward, reset before, second half: activates n in place. h = z·hPrev + (1 − z)·n. h may be hPrev. */
export function gru_before_output(rows: i32, units: i32, gates: usize, hPrev: usize, h: usize): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  for (let end = h + <usize>rows * row; h < end; ) {
    for (let stop = h + whole; h < stop; ) {
      before_output(row, gates, hPrev, h, 4);
      gates += 16;
      hPrev += 16;
      h += 16;
    }
    if (tail) before_output(row, gates, hPrev, h, tail);
    gates += row * 3 - whole;
    hPrev += row - whole;
    h += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function before_output(row: usize, gates: usize, hPrev: usize, h: usize, count: i32): void {
  const n = tanh_lanes(load_lanes(gates + row * 2, count), count);
  store_lanes(gates + row * 2, n, count);
  store_lanes(h, blend(load_lanes(gates, count), load_lanes(hPrev, count), n), count);
}

/**
 * Backward of the second half. dz and dn, gradients of the pre-activations, replace z and n in gates. r stays. dhPrev
 * += dh·z.
 */
export function gru_before_output_backward(
  rows: i32,
  units: i32,
  gates: usize,
  hPrev: usize,
  dh: usize,
  dhPrev: usize,
): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  const one = f32x4.splat(1);
  for (let end = dh + <usize>rows * row; dh < end; ) {
    for (let stop = dh + whole; dh < stop; ) {
      output_backward(row, gates, hPrev, dh, dhPrev, one, 4);
      gates += 16;
      hPrev += 16;
      dh += 16;
      dhPrev += 16;
    }
    if (tail) output_backward(row, gates, hPrev, dh, dhPrev, one, tail);
    gates += row * 3 - whole;
    hPrev += row - whole;
    dh += row - whole;
    dhPrev += row - whole;
  }
}

/** Backward of the first half. drh is ∂L/∂rh. dr = drh·hPrev·r·(1 − r) replaces r in gates. dhPrev += drh·r. */
export function gru_before_gates_backward(
  rows: i32,
  units: i32,
  gates: usize,
  hPrev: usize,
  drh: usize,
  dhPrev: usize,
): void {
  const row = bytes(units);
  const whole = vector_bytes(units);
  const tail = units & 3;
  const one = f32x4.splat(1);
  for (let end = drh + <usize>rows * row; drh < end; ) {
    for (let stop = drh + whole; drh < stop; ) {
      before_gates_backward(row, gates, hPrev, drh, dhPrev, one, 4);
      gates += 16;
      hPrev += 16;
      drh += 16;
      dhPrev += 16;
    }
    if (tail) before_gates_backward(row, gates, hPrev, drh, dhPrev, one, tail);
    gates += row * 3 - whole;
    hPrev += row - whole;
    drh += row - whole;
    dhPrev += row - whole;
  }
}

// @ts-ignore: decorator
@inline
function before_gates_backward(
  row: usize,
  gates: usize,
  hPrev: usize,
  drh: usize,
  dhPrev: usize,
  one: v128,
  count: i32,
): void {
  const r = load_lanes(gates + row, count);
  const dr = f32x4.mul(load_flushed(drh, count), r);
  store_flushed(gates + row, f32x4.mul(f32x4.mul(dr, load_lanes(hPrev, count)), f32x4.sub(one, r)), count);
  store_flushed(dhPrev, f32x4.add(load_lanes(dhPrev, count), dr), count);
}
