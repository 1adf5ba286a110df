// The discrete Fourier transform of N complex numbers, by Stockham's algorithm: one pass for each factor r of N.
//
//   X_k = Σ_j x_j·e^(−2πi·jk/N)
//
// A pass takes s interleaved transforms of length r·m and leaves r·s transforms of length m:
//
//   y[q + s·(r·p + j)] = w^(j·p)·Σ_k x[q + s·(p + m·k)]·ω^(j·k)      w = e^(−2πi/(r·m)), ω = e^(−2πi/r)
//   q in [0, s), p in [0, m), j and k in [0, r)
//
// Planes of N floats have the real and the imaginary parts. x and y are the addresses of the real planes, which do not
// overlap, and the imaginary plane of either is `im` bytes after the real one. With the two planes exchanged, and `im`
// negated, the transform is the inverse one without its factor 1/N. The factors of a pass are (r − 1) pairs of planes
// of m floats, cos and −sin of w^(j·p), j = 1 … r − 1. For r > 5 one pair of planes of r floats follows: ω^j.
// src/audio/fft/plan.ts makes them. Called by real-fft.ts.
// Source: the notation is that of C. Van Loan, Computational Frameworks for the FFT, 1992, section 1.7.

import { bytes, load_lanes, store_lanes } from '../lanes';
import { high, low, madd, madd_f64, nmadd } from '../simd';

/** Runs a pass. Returns the address of the factors of the next one. */
export function pass(r: i32, m: i32, s: i32, factors: usize, x: usize, y: usize, im: isize): usize {
  const end = factors + 2 * bytes(m) * <usize>(r - 1);
  if (r > 5) {
    any(r, m, s, factors, end, x, y, im);
    return end + 2 * bytes(r);
  }
  if (r == 4) {
    if (s == 1) first_four(m, factors, x, y, im);
    else rows(4, m, s, factors, x, y, im);
  } else if (r == 2) rows(2, m, s, factors, x, y, im);
  else if (r == 3) rows(3, m, s, factors, x, y, im);
  else rows(5, m, s, factors, x, y, im);
  return end;
}

/** A pass of a small factor: r is a literal. */
// @ts-ignore: decorator
@inline
function rows(r: i32, m: i32, s: i32, w: usize, x: usize, y: usize, im: isize): void {
  const row = bytes(s);
  const plane = bytes(m);
  const step = row * <usize>m;
  for (let p = 0; p < m; p++, w += 4, y += row * <usize>(r - 1)) {
    let q = 0;
    for (; q <= s - 4; q += 4, x += 16, y += 16) butterfly(r, x, step, y, row, im, w, plane, 4);
    const tail = s - q;
    if (tail) butterfly(r, x, step, y, row, im, w, plane, tail);
    x += bytes(tail);
    y += bytes(tail);
  }
}

// @ts-ignore: decorator
@inline
function butterfly(
  r: i32,
  x: usize,
  step: usize,
  y: usize,
  row: usize,
  im: isize,
  w: usize,
  plane: usize,
  count: i32,
): void {
  if (r == 2) two(x, step, y, row, im, w, plane, count);
  else if (r == 3) three(x, step, y, row, im, w, plane, count);
  else if (r == 4) four(x, step, y, row, im, w, plane, count);
  else five(x, step, y, row, im, w, plane, count);
}

/** Row j of y = (re, im)·w^j. */
// @ts-ignore: decorator
@inline
function put(
  j: i32,
  y: usize,
  row: usize,
  im: isize,
  a: v128,
  b: v128,
  w: usize,
  plane: usize,
  count: i32,
): void {
  const at = w + plane * <usize>(2 * j - 2);
  const cos = v128.load32_splat(at);
  const sin = v128.load32_splat(at + plane);
  const to = y + row * <usize>j;
  store_lanes(to, nmadd(b, sin, f32x4.mul(a, cos)), count);
  store_lanes(to + im, madd(b, cos, f32x4.mul(a, sin)), count);
}

// @ts-ignore: decorator
@inline
function two(x: usize, step: usize, y: usize, row: usize, im: isize, w: usize, plane: usize, count: i32): void {
  const ar = load_lanes(x, count);
  const ai = load_lanes(x + im, count);
  const br = load_lanes(x + step, count);
  const bi = load_lanes(x + step + im, count);
  store_lanes(y, f32x4.add(ar, br), count);
  store_lanes(y + im, f32x4.add(ai, bi), count);
  put(1, y, row, im, f32x4.sub(ar, br), f32x4.sub(ai, bi), w, plane, count);
}

// @ts-ignore: decorator
@inline
function three(x: usize, step: usize, y: usize, row: usize, im: isize, w: usize, plane: usize, count: i32): void {
  const ar = load_lanes(x, count);
  const ai = load_lanes(x + im, count);
  const br = load_lanes(x + step, count);
  const bi = load_lanes(x + step + im, count);
  const cr = load_lanes(x + 2 * step, count);
  const ci = load_lanes(x + 2 * step + im, count);
  const tr = f32x4.add(br, cr);
  const ti = f32x4.add(bi, ci);
  const root = f32x4.splat(0.8660254037844386);
  const ur = f32x4.mul(f32x4.sub(br, cr), root);
  const ui = f32x4.mul(f32x4.sub(bi, ci), root);
  const half = f32x4.splat(0.5);
  const vr = nmadd(tr, half, ar);
  const vi = nmadd(ti, half, ai);
  store_lanes(y, f32x4.add(ar, tr), count);
  store_lanes(y + im, f32x4.add(ai, ti), count);
  put(1, y, row, im, f32x4.add(vr, ui), f32x4.sub(vi, ur), w, plane, count);
  put(2, y, row, im, f32x4.sub(vr, ui), f32x4.add(vi, ur), w, plane, count);
}

// @ts-ignore: decorator
@inline
function four(x: usize, step: usize, y: usize, row: usize, im: isize, w: usize, plane: usize, count: i32): void {
  const ar = load_lanes(x, count);
  const ai = load_lanes(x + im, count);
  const br = load_lanes(x + step, count);
  const bi = load_lanes(x + step + im, count);
  const cr = load_lanes(x + 2 * step, count);
  const ci = load_lanes(x + 2 * step + im, count);
  const dr = load_lanes(x + 3 * step, count);
  const di = load_lanes(x + 3 * step + im, count);
  const tr = f32x4.add(ar, cr);
  const ti = f32x4.add(ai, ci);
  const ur = f32x4.sub(ar, cr);
  const ui = f32x4.sub(ai, ci);
  const vr = f32x4.add(br, dr);
  const vi = f32x4.add(bi, di);
  const zr = f32x4.sub(br, dr);
  const zi = f32x4.sub(bi, di);
  store_lanes(y, f32x4.add(tr, vr), count);
  store_lanes(y + im, f32x4.add(ti, vi), count);
  put(1, y, row, im, f32x4.add(ur, zi), f32x4.sub(ui, zr), w, plane, count);
  put(2, y, row, im, f32x4.sub(tr, vr), f32x4.sub(ti, vi), w, plane, count);
  put(3, y, row, im, f32x4.sub(ur, zi), f32x4.add(ui, zr), w, plane, count);
}

// @ts-ignore: decorator
@inline
function five(x: usize, step: usize, y: usize, row: usize, im: isize, w: usize, plane: usize, count: i32): void {
  const ar = load_lanes(x, count);
  const ai = load_lanes(x + im, count);
  const br = load_lanes(x + step, count);
  const bi = load_lanes(x + step + im, count);
  const cr = load_lanes(x + 2 * step, count);
  const ci = load_lanes(x + 2 * step + im, count);
  const dr = load_lanes(x + 3 * step, count);
  const di = load_lanes(x + 3 * step + im, count);
  const er = load_lanes(x + 4 * step, count);
  const ei = load_lanes(x + 4 * step + im, count);
  const tr = f32x4.add(br, er);
  const ti = f32x4.add(bi, ei);
  const ur = f32x4.add(cr, dr);
  const ui = f32x4.add(ci, di);
  const vr = f32x4.sub(br, er);
  const vi = f32x4.sub(bi, ei);
  const zr = f32x4.sub(cr, dr);
  const zi = f32x4.sub(ci, di);
  store_lanes(y, f32x4.add(ar, f32x4.add(tr, ur)), count);
  store_lanes(y + im, f32x4.add(ai, f32x4.add(ti, ui)), count);
  // cos and sin of one and two fifths of a turn
  const c1 = f32x4.splat(0.30901699437494745);
  const c2 = f32x4.splat(-0.8090169943749475);
  const s1 = f32x4.splat(0.9510565162951535);
  const s2 = f32x4.splat(0.5877852522924731);
  const pr = madd(ur, c2, madd(tr, c1, ar));
  const pi = madd(ui, c2, madd(ti, c1, ai));
  const fr = madd(zr, s2, f32x4.mul(vr, s1));
  const fi = madd(zi, s2, f32x4.mul(vi, s1));
  put(1, y, row, im, f32x4.add(pr, fi), f32x4.sub(pi, fr), w, plane, count);
  put(4, y, row, im, f32x4.sub(pr, fi), f32x4.add(pi, fr), w, plane, count);
  const qr = madd(ur, c1, madd(tr, c2, ar));
  const qi = madd(ui, c1, madd(ti, c2, ai));
  const gr = nmadd(zr, s1, f32x4.mul(vr, s2));
  const gi = nmadd(zi, s1, f32x4.mul(vi, s2));
  put(2, y, row, im, f32x4.add(qr, gi), f32x4.sub(qi, gr), w, plane, count);
  put(3, y, row, im, f32x4.sub(qr, gi), f32x4.add(qi, gr), w, plane, count);
}

/**
 * The first pass of a factor 4, where s = 1: four butterflies p … p + 3 at a time, which are transposed when they are
 * stored. Each has the bits that `four` would give it.
 */
function first_four(m: i32, w: usize, x: usize, y: usize, im: isize): void {
  const step = bytes(m);
  let p = 0;
  for (; p <= m - 4; p += 4, x += 16, y += 64, w += 16) four_across(x, step, y, im, w, 4);
  const tail = m - p;
  if (tail) four_across(x, step, y, im, w, tail);
}

// @ts-ignore: decorator
@inline
function four_across(x: usize, step: usize, y: usize, im: isize, w: usize, count: i32): void {
  const ar = load_lanes(x, count);
  const ai = load_lanes(x + im, count);
  const br = load_lanes(x + step, count);
  const bi = load_lanes(x + step + im, count);
  const cr = load_lanes(x + 2 * step, count);
  const ci = load_lanes(x + 2 * step + im, count);
  const dr = load_lanes(x + 3 * step, count);
  const di = load_lanes(x + 3 * step + im, count);
  const tr = f32x4.add(ar, cr);
  const ti = f32x4.add(ai, ci);
  const ur = f32x4.sub(ar, cr);
  const ui = f32x4.sub(ai, ci);
  const vr = f32x4.add(br, dr);
  const vi = f32x4.add(bi, di);
  const zr = f32x4.sub(br, dr);
  const zi = f32x4.sub(bi, di);
  const y1r = f32x4.add(ur, zi);
  const y1i = f32x4.sub(ui, zr);
  const y2r = f32x4.sub(tr, vr);
  const y2i = f32x4.sub(ti, vi);
  const y3r = f32x4.sub(ur, zi);
  const y3i = f32x4.add(ui, zr);
  const c1 = load_lanes(w, count);
  const s1 = load_lanes(w + step, count);
  const c2 = load_lanes(w + 2 * step, count);
  const s2 = load_lanes(w + 3 * step, count);
  const c3 = load_lanes(w + 4 * step, count);
  const s3 = load_lanes(w + 5 * step, count);
  put_columns(
    y,
    f32x4.add(tr, vr),
    nmadd(y1i, s1, f32x4.mul(y1r, c1)),
    nmadd(y2i, s2, f32x4.mul(y2r, c2)),
    nmadd(y3i, s3, f32x4.mul(y3r, c3)),
    count,
  );
  put_columns(
    y + im,
    f32x4.add(ti, vi),
    madd(y1i, c1, f32x4.mul(y1r, s1)),
    madd(y2i, c2, f32x4.mul(y2r, s2)),
    madd(y3i, c3, f32x4.mul(y3r, s3)),
    count,
  );
}

/** Stores lane i of a, b, c, d as row i of y, for the first `count` lanes. */
// @ts-ignore: decorator
@inline
function put_columns(y: usize, a: v128, b: v128, c: v128, d: v128, count: i32): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  v128.store(y, v128.shuffle<f64>(ab, cd, 0, 2));
  if (count > 1) v128.store(y + 16, v128.shuffle<f64>(ab, cd, 1, 3));
  if (count < 3) return;
  const above = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const below = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(y + 32, v128.shuffle<f64>(above, below, 0, 2));
  if (count > 3) v128.store(y + 48, v128.shuffle<f64>(above, below, 1, 3));
}

/** A pass of any factor, by its definition. Sums are made in float64, k ascending. `roots` is the address of ω^j. */
function any(r: i32, m: i32, s: i32, w: usize, roots: usize, x: usize, y: usize, im: isize): void {
  const row = bytes(s);
  const plane = bytes(m);
  for (let p = 0; p < m; p++, w += 4, y += row * <usize>(r - 1)) {
    for (let q = 0; q < s; q += 4) {
      const count = min(s - q, 4);
      for (let j = 0; j < r; j++) any_row(j, r, x, row * <usize>m, y, row, im, w, plane, roots, count);
      x += bytes(count);
      y += bytes(count);
    }
  }
}

function any_row(
  j: i32,
  r: i32,
  x: usize,
  step: usize,
  y: usize,
  row: usize,
  im: isize,
  w: usize,
  plane: usize,
  roots: usize,
  count: i32,
): void {
  let re0 = f64x2.splat(0);
  let re1 = re0;
  let im0 = re0;
  let im1 = re0;
  for (let k = 0, turn = 0; k < r; k++, x += step) {
    const at = roots + bytes(turn);
    const cos = f64x2.splat(load<f32>(at));
    const sin = f64x2.splat(load<f32>(at + bytes(r)));
    const minus = f64x2.neg(sin);
    const a = load_lanes(x, count);
    const b = load_lanes(x + im, count);
    re0 = madd_f64(low(b), minus, madd_f64(low(a), cos, re0));
    re1 = madd_f64(high(b), minus, madd_f64(high(a), cos, re1));
    im0 = madd_f64(low(b), cos, madd_f64(low(a), sin, im0));
    im1 = madd_f64(high(b), cos, madd_f64(high(a), sin, im1));
    turn += j;
    if (turn >= r) turn -= r;
  }
  const re = narrow(re0, re1);
  const imaginary = narrow(im0, im1);
  if (j == 0) {
    store_lanes(y, re, count);
    store_lanes(y + im, imaginary, count);
  } else put(j, y, row, im, re, imaginary, w, plane, count);
}

/** Four float64 lanes as float32. */
// @ts-ignore: decorator
@inline
function narrow(lower: v128, upper: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(lower), f32x4.demote_f64x2_zero(upper), 0, 2);
}
