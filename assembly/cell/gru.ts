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

import { Activation, value } from '../activation';
import { Unary, unary } from '../elementwise';
import { flush, store_flushed, take_flushed } from '../flush';
import { PAIRS, STRIDE, bytes, load_lanes, load_second, store_lanes, store_pair, vector_bytes } from '../lanes';
import { sigmoid, tanh } from '../math';
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
  const whole = bytes(units & -STRIDE);
  const rest = row - whole;
  for (let end = h + <usize>rows * row; h < end; ) {
    for (const last = h + whole; h < last; ) {
      const z = sigmoid(f32x4.add(v128.load(gates), v128.load(rec)));
      const z1 = PAIRS ? sigmoid(f32x4.add(load_second(gates), load_second(rec))) : z;
      const r = sigmoid(f32x4.add(v128.load(gates + row), v128.load(rec + row)));
      const r1 = PAIRS ? sigmoid(f32x4.add(load_second(gates + row), load_second(rec + row))) : z;
      const candidate = v128.load(rec + row * 2);
      const candidate1 = load_second(rec + row * 2);
      const n = tanh(madd(r, candidate, v128.load(gates + row * 2)));
      const n1 = PAIRS ? tanh(madd(r1, candidate1, load_second(gates + row * 2))) : z;
      const y = flush(blend(z, v128.load(hPrev), n));
      const y1 = PAIRS ? flush(blend(z1, load_second(hPrev), n1)) : z;
      store_pair(gates, z, z1);
      store_pair(gates + row, r, r1);
      store_pair(gates + row * 2, n, n1);
      store_pair(q, candidate, candidate1);
      store_pair(h, y, y1);
      gates += bytes(STRIDE);
      rec += bytes(STRIDE);
      q += bytes(STRIDE);
      hPrev += bytes(STRIDE);
      h += bytes(STRIDE);
    }
    for (let left = units & (STRIDE - 1), at: usize = 0; left > 0; left -= 4, at += 16) {
      const count = min(left, 4);
      after_forward(row, gates + at, rec + at, q + at, hPrev + at, h + at, count);
    }
    gates += rest + row * 2;
    rec += rest + row * 2;
    q += rest;
    hPrev += rest;
    h += rest;
  }
}

/** `count` (1–4) units of forward. */
// @ts-ignore: decorator
@inline
function after_forward(row: usize, gates: usize, rec: usize, q: usize, hPrev: usize, h: usize, count: i32): void {
  const z = value(Activation.Sigmoid, f32x4.add(load_lanes(gates, count), load_lanes(rec, count)));
  const r = value(Activation.Sigmoid, f32x4.add(load_lanes(gates + row, count), load_lanes(rec + row, count)));
  const candidate = load_lanes(rec + row * 2, count);
  const n = value(Activation.Tanh, madd(r, candidate, load_lanes(gates + row * 2, count)));
  store_lanes(gates, z, count);
  store_lanes(gates + row, r, count);
  store_lanes(gates + row * 2, n, count);
  store_lanes(q, candidate, count);
  store_flushed(h, blend(z, load_lanes(hPrev, count), n), count);
}

/**
 * Backward, reset after. gates: activated gates in, gradients of the input side's pre-activations out, in place. q: q
 * in, dq out, in place. dhPrev += dh·z. dh is flushed in place.
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
  const whole = bytes(units & ~7);
  const rest = row - whole;
  const one = f32x4.splat(1);
  for (let end = q + <usize>rows * row; q < end; ) {
    for (const last = q + whole; q < last; gates += 32, q += 32, hPrev += 32, dh += 32, dhPrev += 32) {
      const z = v128.load(gates), z1 = v128.load(gates, 16);
      const r = v128.load(gates + row), r1 = v128.load(gates + row, 16);
      const n = v128.load(gates + row * 2), n1 = v128.load(gates + row * 2, 16);
      const d = flush(v128.load(dh)), d1 = flush(v128.load(dh, 16));
      const zBar = f32x4.sub(one, z), zBar1 = f32x4.sub(one, z1);
      const dhz = f32x4.mul(d, z), dhz1 = f32x4.mul(d1, z1);
      const dn = flush(f32x4.mul(f32x4.mul(d, zBar), nmadd(n, n, one)));
      const dn1 = flush(f32x4.mul(f32x4.mul(d1, zBar1), nmadd(n1, n1, one)));
      const dz = flush(f32x4.mul(f32x4.mul(dhz, zBar), f32x4.sub(v128.load(hPrev), n)));
      const dz1 = flush(f32x4.mul(f32x4.mul(dhz1, zBar1), f32x4.sub(v128.load(hPrev, 16), n1)));
      const dq = flush(f32x4.mul(dn, r)), dq1 = flush(f32x4.mul(dn1, r1));
      const dr = flush(f32x4.mul(f32x4.mul(dq, v128.load(q)), f32x4.sub(one, r)));
      const dr1 = flush(f32x4.mul(f32x4.mul(dq1, v128.load(q, 16)), f32x4.sub(one, r1)));
      const dPrev = flush(f32x4.add(v128.load(dhPrev), dhz)), dPrev1 = flush(f32x4.add(v128.load(dhPrev, 16), dhz1));
      store_pair(gates, dz, dz1);
      store_pair(gates + row, dr, dr1);
      store_pair(gates + row * 2, dn, dn1);
      store_pair(q, dq, dq1);
      store_pair(dh, d, d1);
      store_pair(dhPrev, dPrev, dPrev1);
    }
    for (let left = units & 7, at: usize = 0; left > 0; left -= 4, at += 16) {
      const count = min(left, 4);
      after_backward(row, gates + at, q + at, hPrev + at, dh + at, dhPrev + at, one, count);
    }
    gates += rest + row * 2;
    q += rest;
    hPrev += rest;
    dh += rest;
    dhPrev += rest;
  }
}

/** `count` (1–4) units of backward. */
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
  const dq = flush(f32x4.mul(dn, r));
  store_flushed(gates + row, f32x4.mul(f32x4.mul(dq, load_lanes(q, count)), f32x4.sub(one, r)), count);
  store_lanes(q, dq, count);
}

/**
 * Backward of h = blend(z, hPrev, n) for `count` (1–4) units. dz and dn, gradients of the pre-activations, replace z
 * and n in gates. dhPrev += dh·z. Returns dn.
 */
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
  const d = take_flushed(dh, count);
  const zBar = f32x4.sub(one, z);
  const dhz = f32x4.mul(d, z);
  const dn = flush(f32x4.mul(f32x4.mul(d, zBar), nmadd(n, n, one)));
  store_flushed(gates, f32x4.mul(f32x4.mul(dhz, zBar), f32x4.sub(load_lanes(hPrev, count), n)), count);
  store_lanes(gates + row * 2, dn, count);
  store_flushed(dhPrev, f32x4.add(load_lanes(dhPrev, count), dhz), count);
  return dn;
}

/** Forward, reset before, first half: activates z and r of gates in place. rh = r·hPrev. */
export function gru_before_gates(rows: i32, units: i32, gates: usize, hPrev: usize, rh: usize): void {
  const row = bytes(units);
  for (; rows > 0; rows--) {
    // z and r of a row are neighbours.
    unary(2 * units, Unary.Sigmoid, gates, gates);
    gates += row;
    multiply(units, gates, hPrev, rh);
    gates += row * 2;
    hPrev += row;
    rh += row;
  }
}

/** Forward, reset before, second half: activates n in place. h = z·hPrev + (1 − z)·n. h may be hPrev. */
export function gru_before_output(rows: i32, units: i32, gates: usize, hPrev: usize, h: usize): void {
  const row = bytes(units);
  for (; rows > 0; rows--) {
    const n = gates + row * 2;
    unary(units, Unary.Tanh, n, n);
    const whole = vector_bytes(units);
    for (let at: usize = 0; at < whole; at += 16) mix(gates, n, hPrev, h, at, 4);
    if (units & 3) mix(gates, n, hPrev, h, whole, units & 3);
    gates = n + row;
    hPrev += row;
    h += row;
  }
}

// @ts-ignore: decorator
@inline
function mix(z: usize, n: usize, hPrev: usize, h: usize, at: usize, count: i32): void {
  const y = blend(load_lanes(z + at, count), load_lanes(hPrev + at, count), load_lanes(n + at, count));
  store_lanes(h + at, flush(y), count);
}

/** y = a·b. `binary` of elementwise.ts would take 1 kB in the builds for streams. */
function multiply(count: i32, a: usize, b: usize, y: usize): void {
  const tail = count & 3;
  for (const end = y + vector_bytes(count); y < end; a += 16, b += 16, y += 16) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)));
  }
  if (tail) store_lanes(y, f32x4.mul(load_lanes(a, tail), load_lanes(b, tail)), tail);
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
  const one = f32x4.splat(1);
  for (; rows > 0; rows--) {
    for (let j = 0; j < units; j += 4) {
      const at = bytes(j);
      output_backward(row, gates + at, hPrev + at, dh + at, dhPrev + at, one, min(units - j, 4));
    }
    gates += row * 3;
    hPrev += row;
    dh += row;
    dhPrev += row;
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
  const one = f32x4.splat(1);
  for (; rows > 0; rows--) {
    for (let j = 0; j < units; j += 4) {
      const at = bytes(j);
      const count = min(units - j, 4);
      const r = load_lanes(gates + row + at, count);
      const dr = f32x4.mul(take_flushed(drh + at, count), r);
      const change = f32x4.mul(f32x4.mul(dr, load_lanes(hPrev + at, count)), f32x4.sub(one, r));
      store_flushed(gates + row + at, change, count);
      store_flushed(dhPrev + at, f32x4.add(load_lanes(dhPrev + at, count), dr), count);
    }
    gates += row * 3;
    hPrev += row;
    drh += row;
    dhPrev += row;
  }
}
