// The discrete Fourier transform of real sequences, and its inverse, for any length n.
//
//   rfft:  y_k = c_k·Σ_j w_j·x_j·e^(−2πi·jk/n)                                      k = 0 … ⌊n/2⌋
//   irfft: x_j = w_j·scale·Σ_k over all n bins of Y_k·e^(2πi·jk/n)                  j = 0 … n − 1
//
// c_k is scale, and scale·edges for the bins that are their own conjugates: 0, and n/2 for even n. Y_k is y_k, times
// `edges` for these bins; of them only the real part is read. The upper half of Y are the conjugates of the lower one.
// With scale = 1/n and edges = 1, irfft is the inverse of rfft. With scale = ½ and edges = 2 it is the gradient of
// rfft, and with scale = 2/n and edges = ½ rfft is that of irfft.
//
// x: `batch` sequences of n floats, `step` floats apart; they may overlap. y [batch, ⌊n/2⌋ + 1, 2] f32, dense, real and
// imaginary parts next to each other. window w [n] f32, or 0 for ones. work has 4·N floats, where N is n/2 for even n,
// which is transformed as n/2 complex numbers, and n for odd n. plan is what src/audio/fft/plan.ts writes: 32 i32, the
// number of passes and their factors; for even n cos and −sin of 2πk/n, k < N, in two planes of N floats; then the
// factors of the passes, see passes.ts. Nothing overlaps but the sequences of x. Called by src/audio/fft/transform.ts.

import { bytes, load_lanes, store_lanes } from '../lanes';
import { madd, nmadd } from '../simd';
import { pass } from './passes';

const HEADER: usize = 128;

/** y = the spectra of the sequences of x. */
export function rfft(
  batch: i32,
  n: i32,
  plan: usize,
  x: usize,
  step: i32,
  window: usize,
  y: usize,
  scale: f32,
  edges: f32,
  work: usize,
): void {
  const isEven = (n & 1) == 0;
  const half = isEven ? n >> 1 : n;
  const plane = bytes(half);
  const y_row = 2 * bytes((n >> 1) + 1);
  for (let i = 0; i < batch; i++, x += bytes(step), y += y_row) {
    if (isEven) {
      load_pairs(half, x, window, work);
      const z = passes(half, plan + HEADER + 2 * plane, plan, work, plane);
      unfold(half, plan + HEADER, z, y, scale, edges);
    } else {
      load_real(n, x, window, work);
      memory.fill(work + plane, 0, plane);
      const z = passes(n, plan + HEADER, plan, work, plane);
      for (let k = 0; k <= n >> 1; k++, y += 8) {
        const c = k == 0 ? scale * edges : scale;
        store<f32>(y, load<f32>(z + bytes(k)) * c);
        store<f32>(y, k == 0 ? 0 : load<f32>(z + plane + bytes(k)) * c, 4);
      }
      y -= y_row;
    }
  }
}

/** x = the sequences of the spectra y, or x += them, sequence by sequence in ascending order. */
export function irfft(
  batch: i32,
  n: i32,
  plan: usize,
  y: usize,
  x: usize,
  step: i32,
  window: usize,
  scale: f32,
  edges: f32,
  accumulate: i32,
  work: usize,
): void {
  const isEven = (n & 1) == 0;
  const half = isEven ? n >> 1 : n;
  const plane = bytes(half);
  const y_row = 2 * bytes((n >> 1) + 1);
  for (let i = 0; i < batch; i++, x += bytes(step), y += y_row) {
    // The planes are exchanged, so that the passes transform backward.
    if (isEven) {
      fold(half, plan + HEADER, y, work, edges);
      const z = passes(half, plan + HEADER + 2 * plane, plan, work + plane, -<isize>plane) - plane;
      store_pairs(half, z, window, x, scale, accumulate);
    } else {
      mirror(n, y, work, edges);
      const z = passes(n, plan + HEADER, plan, work + plane, -<isize>plane) - plane;
      store_real(n, z, window, x, scale, accumulate);
    }
  }
}

/** Runs all passes. Returns the address of the real plane of the result. */
function passes(count: i32, factors: usize, plan: usize, x: usize, im: isize): usize {
  let y = x + 2 * bytes(count);
  let m = count;
  let s = 1;
  for (let i = load<i32>(plan); i > 0; i--) {
    plan += 4;
    const r = load<i32>(plan);
    m /= r;
    factors = pass(r, m, s, factors, x, y, im);
    s *= r;
    const from = x;
    x = y;
    y = from;
  }
  return x;
}

/** `count` (4 or 1) floats at z, and at `z − 4`, `z − 8` … for a whole vector. */
// @ts-ignore: decorator
@inline
function load_down(z: usize, count: i32): v128 {
  if (count == 1) return load_lanes(z, 1);
  const up = v128.load(z - 12);
  return v128.shuffle<f32>(up, up, 3, 2, 1, 0);
}

/** Every second float of two vectors. */
// @ts-ignore: decorator
@inline
function even(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function odd(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

/** Stores `count` (4 or 1) pairs of floats. */
// @ts-ignore: decorator
@inline
function store_zipped(y: usize, a: v128, b: v128, count: i32): void {
  const first = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  if (count == 1) v128.store_lane<f64>(y, first, 0);
  else {
    v128.store(y, first);
    v128.store(y, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
  }
}

/** `count` (4 or 1) pairs of floats: the first vector of two. */
// @ts-ignore: decorator
@inline
function load_pair(y: usize, count: i32): v128 {
  return count == 1 ? v128.load64_zero(y) : v128.load(y);
}

// @ts-ignore: decorator
@inline
function load_next(y: usize, count: i32): v128 {
  return count == 1 ? f32x4.splat(0) : v128.load(y, 16);
}

/** z = the pairs of w·x as complex numbers. */
function load_pairs(half: i32, x: usize, window: usize, z: usize): void {
  const plane = bytes(half);
  let k = 0;
  for (; k <= half - 4; k += 4) pairs(x + 2 * bytes(k), window ? window + 2 * bytes(k) : 0, z + bytes(k), plane, 4);
  for (; k < half; k++) pairs(x + 2 * bytes(k), window ? window + 2 * bytes(k) : 0, z + bytes(k), plane, 1);
}

// @ts-ignore: decorator
@inline
function pairs(x: usize, window: usize, z: usize, plane: usize, count: i32): void {
  let a = load_pair(x, count);
  let b = load_next(x, count);
  if (window) {
    a = f32x4.mul(a, load_pair(window, count));
    b = f32x4.mul(b, load_next(window, count));
  }
  store_lanes(z, even(a, b), count);
  store_lanes(z + plane, odd(a, b), count);
}

function load_real(n: i32, x: usize, window: usize, z: usize): void {
  if (!window) {
    memory.copy(z, x, bytes(n));
    return;
  }
  let k = 0;
  for (; k <= n - 4; k += 4, x += 16, window += 16, z += 16) {
    v128.store(z, f32x4.mul(v128.load(x), v128.load(window)));
  }
  const tail = n - k;
  if (tail) store_lanes(z, f32x4.mul(load_lanes(x, tail), load_lanes(window, tail)), tail);
}

/** The spectrum of 2·half real numbers from that of `half` complex ones, z. */
function unfold(half: i32, turns: usize, z: usize, y: usize, scale: f32, edges: f32): void {
  const plane = bytes(half);
  const a = load<f32>(z);
  const b = load<f32>(z + plane);
  store<f32>(y, (a + b) * (scale * edges));
  store<f32>(y, 0, 4);
  store<f32>(y + 2 * plane, (a - b) * (scale * edges));
  store<f32>(y + 2 * plane, 0, 4);
  let k = 1;
  for (; k <= half - 4; k += 4) unfold_bins(k, plane, turns, z, y, scale, 4);
  for (; k < half; k++) unfold_bins(k, plane, turns, z, y, scale, 1);
}

// @ts-ignore: decorator
@inline
function unfold_bins(k: i32, plane: usize, turns: usize, z: usize, y: usize, scale: f32, count: i32): void {
  const at = bytes(k);
  const a = load_lanes(z + at, count);
  const b = load_lanes(z + plane + at, count);
  const c = load_down(z + plane - at, count);
  const d = load_down(z + 2 * plane - at, count);
  const cos = load_lanes(turns + at, count);
  const sin = load_lanes(turns + plane + at, count);
  const s = f32x4.add(b, d);
  const t = f32x4.sub(a, c);
  const h = f32x4.splat(scale * 0.5);
  const re = f32x4.mul(madd(cos, s, madd(sin, t, f32x4.add(a, c))), h);
  const im = f32x4.mul(nmadd(cos, t, madd(sin, s, f32x4.sub(b, d))), h);
  store_zipped(y + 2 * at, re, im, count);
}

/** z = the complex numbers whose inverse transform has the real sequence of spectrum y as its pairs. */
function fold(half: i32, turns: usize, y: usize, z: usize, edges: f32): void {
  const plane = bytes(half);
  const a = load<f32>(y) * edges;
  const b = load<f32>(y + 2 * plane) * edges;
  store<f32>(z, a + b);
  store<f32>(z + plane, a - b);
  let k = 1;
  for (; k <= half - 4; k += 4) fold_bins(k, plane, turns, y, z, 4);
  for (; k < half; k++) fold_bins(k, plane, turns, y, z, 1);
}

// @ts-ignore: decorator
@inline
function fold_bins(k: i32, plane: usize, turns: usize, y: usize, z: usize, count: i32): void {
  const at = bytes(k);
  const up0 = load_pair(y + 2 * at, count);
  const up1 = load_next(y + 2 * at, count);
  // Bins half − k, half − k − 1, …
  const down = y + 2 * (plane - at) - (count == 1 ? 0 : 24);
  const down0 = load_pair(down, count);
  const down1 = load_next(down, count);
  const a = even(up0, up1);
  const b = odd(up0, up1);
  const c = count == 1 ? down0 : v128.shuffle<f32>(down0, down1, 6, 4, 2, 0);
  const d = count == 1 ? odd(down0, down1) : v128.shuffle<f32>(down0, down1, 7, 5, 3, 1);
  const cos = load_lanes(turns + at, count);
  const sin = load_lanes(turns + plane + at, count);
  const s = f32x4.add(b, d);
  const t = f32x4.sub(a, c);
  const p = madd(s, sin, f32x4.mul(t, cos));
  const q = nmadd(t, sin, f32x4.mul(s, cos));
  store_lanes(z + at, f32x4.sub(f32x4.add(a, c), q), count);
  store_lanes(z + plane + at, f32x4.add(f32x4.sub(b, d), p), count);
}

/** z = all n bins of an odd length. */
function mirror(n: i32, y: usize, z: usize, edges: f32): void {
  const plane = bytes(n);
  store<f32>(z, load<f32>(y) * edges);
  store<f32>(z + plane, 0);
  for (let k = 1; k <= n >> 1; k++) {
    const re = load<f32>(y + 2 * bytes(k));
    const im = load<f32>(y + 2 * bytes(k), 4);
    store<f32>(z + bytes(k), re);
    store<f32>(z + plane + bytes(k), im);
    store<f32>(z + bytes(n - k), re);
    store<f32>(z + plane + bytes(n - k), -im);
  }
}

/** x (+)= w·scale·the pairs of z. */
function store_pairs(half: i32, z: usize, window: usize, x: usize, scale: f32, accumulate: i32): void {
  const plane = bytes(half);
  const c = f32x4.splat(scale);
  let k = 0;
  for (; k <= half - 4; k += 4) {
    const a = v128.load(z + bytes(k));
    const b = v128.load(z + plane + bytes(k));
    const at = 2 * bytes(k);
    put(x + at, v128.shuffle<f32>(a, b, 0, 4, 1, 5), c, window ? window + at : 0, accumulate, 4);
    put(x + at + 16, v128.shuffle<f32>(a, b, 2, 6, 3, 7), c, window ? window + at + 16 : 0, accumulate, 4);
  }
  for (; k < half; k++) {
    const pair = v128.load32_zero(z + bytes(k));
    const at = 2 * bytes(k);
    const both = v128.load_lane<f32>(z + plane + bytes(k), pair, 1);
    put(x + at, both, c, window ? window + at : 0, accumulate, 2);
  }
}

function store_real(n: i32, z: usize, window: usize, x: usize, scale: f32, accumulate: i32): void {
  const c = f32x4.splat(scale);
  let k = 0;
  for (; k <= n - 4; k += 4) {
    const at = bytes(k);
    put(x + at, v128.load(z + at), c, window ? window + at : 0, accumulate, 4);
  }
  const tail = n - k;
  if (tail) put(x + bytes(k), load_lanes(z + bytes(k), tail), c, window ? window + bytes(k) : 0, accumulate, tail);
}

// @ts-ignore: decorator
@inline
function put(x: usize, z: v128, scale: v128, window: usize, accumulate: i32, count: i32): void {
  let y = f32x4.mul(z, scale);
  if (window) y = f32x4.mul(y, load_lanes(window, count));
  store_lanes(x, accumulate ? f32x4.add(load_lanes(x, count), y) : y, count);
}
