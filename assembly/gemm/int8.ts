/*
 * Matrix product with weights of one byte: C [m, n] ← init + A [m, k]·B [k, n].
 *
 *   C_ij = init_ij + (Σ_p qA_ip·qB_pj)·scale_i·scale_j
 *   B_pj ≈ qB_pj·scale_j      qB in −127…127                scale_j = max_p |B_pj|/127
 *   A_ip ≈ qA_ip·scale_i      qA in −limit…limit, 14 bits   scale_i = max_p |A_ip|/limit
 *
 * The sum is exact in i32: limit = min(8191, (2³¹ − 1)/(127·k)) prevents an overflow. The operations after it round
 * once each. So A loses almost no accuracy, and both builds give the same bits. Rounding is to the nearest, ties to
 * even. A row of A or column of B whose largest magnitude is below 2⁻¹¹⁰ counts as zeros. If it has a NaN or an
 * infinity, its row or column of C becomes NaN, and the rest of C does not.
 *
 *   a        A, row i at a + 4·i·rsA, its k floats side by side
 *   packed   B: panels of 16 columns. The last panel has 4, 8 or 12 if that is enough; columns after n are zeros. A
 *            panel of w columns has rows of 4w bytes: one of i32, where the sums start; one of f32, the scales; then
 *            ⌈k/4⌉ with 4 successive elements of each column, and zeros after k.
 *   c        C, row i at c + 4·i·rsC, its n floats side by side
 *   bias     [n], read only for Init.Bias
 *   scratch  `gemm_scratch_size()` floats for quantised rows of A: the scale in the first of ROW_HEAD bytes, then 8
 *            bytes for every 4 elements:
 *              plain build     4 i16. The bytes of B are widened. Products of pairs give two vectors of sums, one of
 *                              the even and one of the odd pairs of the columns.
 *              relaxed build   qA + 8192 = 128·high + low: 4 bytes high, 4 bytes low, all in 0…127, where the relaxed
 *                              dot product is the same on every host. There is one vector of sums for high and one for
 *                              low. high starts at −64·Σ qB, which subtracts the 8192 again.
 *
 * Pointers are byte addresses. Strides are elements in exported functions and bytes in the others. C does not overlap
 * an operand or scratch. Called by stream.ts; src/streaming packs.
 */
import { load_lanes, store_lanes } from '../lanes';
import { dot_i8_i7 } from '../simd';

const COLUMNS: i32 = 16;
const ROW_HEAD: i32 = 16;
/** Bytes of scratch that quantised rows may fill. `gemm_scratch_size` is more than that. */
const SCRATCH: i32 = 131072;
/** 2⁻¹¹⁰. 8191 divided by a smaller number comes near the largest float. */
const TINY: f32 = 7.703719777548943e-34;

/** `init` of `gemm_int8`. The numbers are those of `Init` in src/engine/abi.ts. */
const enum Init {
  Zero,
  Accumulate,
  Bias,
}

/** Sums start here for Init.Zero: one row of a panel, all zeros. */
const zeros = memory.data(64, 16);

/** Bytes of packed B. k is at most 32,768: at this k `limit` is 516, and scratch holds one row. */
export function gemm_int8_packed_size(k: i32, n: i32): i32 {
  return n <= 0 ? 0 : (groups(k) + 2) * 16 * ((n + 3) >> 2);
}

/** Groups of 4 elements in k, the last one maybe incomplete. */
// @ts-ignore: decorator
@inline
function groups(k: i32): i32 {
  return (max(k, 0) + 3) >> 2;
}

/**
 * The scale of integers of at most `limit` for numbers of at most `largest`. It is 0 if `largest` is tiny, and NaN if
 * it is not finite.
 */
// @ts-ignore: decorator
@inline
function scale_of(largest: f32, limit: f32): f32 {
  return largest < TINY ? 0 : largest / limit + (largest - largest);
}

/** Packs B [k, n], element (p, j) at b + 4·(p·rsB + j·csB). */
export function gemm_int8_pack(k: i32, n: i32, b: usize, rsB: i32, csB: i32, packed: usize): void {
  for (; n > 0; n -= COLUMNS) {
    const columns = min(n, COLUMNS);
    const row = <usize>((columns + 3) & ~3) * 4;
    pack_panel(k, columns, b, 4 * rsB, 4 * csB, packed, row);
    packed += row * (groups(k) + 2);
    b += 4 * (<usize>COLUMNS * csB);
  }
}

function pack_panel(k: i32, columns: i32, b: usize, rsB: usize, csB: usize, starts: usize, row: usize): void {
  const scales = starts + row;
  const bytes = scales + row;
  const used: usize = 4 * columns;
  memory.fill(starts, 0, row * (groups(k) + 2));
  // The scales first hold the largest magnitudes. The bits of magnitudes have the order of the numbers, and NaN is
  // last.
  let from = b;
  for (let p = 0; p < k; p++) {
    let at = from;
    for (let j: usize = 0; j < used; j += 4) {
      store<i32>(scales + j, max(load<i32>(scales + j), load<i32>(at) & 0x7fffffff));
      at += csB;
    }
    from += rsB;
  }
  for (let j: usize = 0; j < used; j += 4) store<f32>(scales + j, scale_of(load<f32>(scales + j), 127));
  for (let p = 0; p < k; p++) {
    let at = b;
    const to = bytes + <usize>(p >> 2) * row + (p & 3);
    for (let j: usize = 0; j < used; j += 4) {
      const scale = load<f32>(scales + j);
      const q = scale > 0 ? <i32>nearest(load<f32>(at) / scale) : 0;
      store<i8>(to + j, q);
      if (ASC_FEATURE_RELAXED_SIMD) store<i32>(starts + j, load<i32>(starts + j) - 64 * q);
      at += csB;
    }
    b += rsB;
  }
}

/** C ← init + A·B. */
export function gemm_int8(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rsA: i32,
  packed: usize,
  c: usize,
  rsC: i32,
  init: i32,
  bias: usize,
  scratch: usize,
): void {
  if (m <= 0 || n <= 0) return;
  const depth = groups(k);
  const row = ROW_HEAD + 8 * depth;
  const block = SCRATCH / row;
  const from = init == Init.Accumulate ? c : init == Init.Bias ? bias : zeros;
  const rsFrom = init == Init.Accumulate ? 4 * rsC : 0;
  const fromStep = init == Init.Zero ? 0 : 4 * COLUMNS;
  for (let i = 0; i < m; i += block) {
    const rows = min(block, m - i);
    for (let r = 0; r < rows; r++) quantise(k, a + 4 * (<usize>(i + r) * rsA), scratch + r * row);
    const to = c + 4 * (<usize>i * rsC);
    panels(rows, n, depth, scratch, row, packed, from + i * rsFrom, rsFrom, fromStep, to, 4 * rsC);
  }
}

/** Quantises one row of A: its scale, then its integers. */
function quantise(k: i32, a: usize, to: usize): void {
  const end = a + 4 * <usize>(k & ~3);
  const tail = k & 3;
  const magnitude = i32x4.splat(0x7fffffff);
  let most = i32x4.splat(0);
  for (let at = a; at < end; at += 16) most = i32x4.max_s(most, v128.and(v128.load(at), magnitude));
  if (tail) most = i32x4.max_s(most, v128.and(load_lanes(end, tail), magnitude));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const largest = reinterpret<f32>(max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)));
  const limit = <f32>min(8191, 16909320 / max(k, 1));
  const scale = scale_of(largest, limit);
  store<f32>(to, scale);
  const inverse = f32x4.splat(scale > 0 ? limit / largest : 0);
  to += ROW_HEAD;
  for (; a < end; a += 16) {
    store_group(to, f32x4.mul(v128.load(a), inverse));
    to += 8;
  }
  if (tail) store_group(to, f32x4.mul(load_lanes(end, tail), inverse));
}

/** Rounds 4 elements. In the sum with 1.5·2²³ a number below 2²² becomes an integer in the low bits. */
// @ts-ignore: decorator
@inline
function store_group(to: usize, x: v128): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const q = f32x4.add(x, f32x4.splat(12582912 + 8192));
    const seven = i32x4.splat(127);
    const halves = i16x8.narrow_i32x4_s(v128.and(i32x4.shr_u(q, 7), seven), v128.and(q, seven));
    v128.store_lane<i64>(to, i8x16.narrow_i16x8_u(halves, halves), 0);
  } else {
    const q = i32x4.sub(f32x4.add(x, f32x4.splat(12582912)), i32x4.splat(0x4b400000));
    v128.store_lane<i64>(to, i16x8.narrow_i32x4_s(q, q), 0);
  }
}

/**
 * Quantised rows, which are rsA bytes apart, times every panel. The sums of row i start at from + i·rsFrom. `from`
 * moves by fromStep with each panel.
 */
function panels(
  rows: i32,
  n: i32,
  depth: i32,
  a: usize,
  rsA: usize,
  packed: usize,
  from: usize,
  rsFrom: usize,
  fromStep: usize,
  c: usize,
  rsC: usize,
): void {
  for (; n >= COLUMNS; n -= COLUMNS) {
    for (let i = 0; i < rows; i++) sixteen(depth, a + i * rsA, packed, from + i * rsFrom, c + i * rsC);
    packed += 64 * <usize>(depth + 2);
    from += fromStep;
    c += 4 * COLUMNS;
  }
  const row = <usize>((n + 3) & ~3) * 4;
  for (; n > 0; n -= 4) {
    for (let i = 0; i < rows; i++) four(min(n, 4), depth, a + i * rsA, packed, row, from + i * rsFrom, c + i * rsC);
    packed += 16;
    from += fromStep >> 2;
    c += 16;
  }
}

/** One row times a whole panel. 8 vectors of sums hide the latency of the dot product. */
function sixteen(depth: i32, a: usize, b: usize, from: usize, c: usize): void {
  const scale = v128.load32_splat(a);
  const scales = b + 64;
  let p0 = v128.load(b), p1 = v128.load(b, 16), p2 = v128.load(b, 32), p3 = v128.load(b, 48);
  let q0 = i32x4.splat(0), q1 = q0, q2 = q0, q3 = q0;
  a += ROW_HEAD;
  b += 128;
  for (const end = b + 64 * <usize>depth; b < end; b += 64) {
    let w = v128.load(b);
    if (ASC_FEATURE_RELAXED_SIMD) {
      const high = v128.load32_splat(a), low = v128.load32_splat(a, 4);
      p0 = dot_i8_i7(w, high, p0); q0 = dot_i8_i7(w, low, q0);
      w = v128.load(b, 16); p1 = dot_i8_i7(w, high, p1); q1 = dot_i8_i7(w, low, q1);
      w = v128.load(b, 32); p2 = dot_i8_i7(w, high, p2); q2 = dot_i8_i7(w, low, q2);
      w = v128.load(b, 48); p3 = dot_i8_i7(w, high, p3); q3 = dot_i8_i7(w, low, q3);
    } else {
      const x = v128.load64_splat(a);
      p0 = pairs_low(w, x, p0); q0 = pairs_high(w, x, q0);
      w = v128.load(b, 16); p1 = pairs_low(w, x, p1); q1 = pairs_high(w, x, q1);
      w = v128.load(b, 32); p2 = pairs_low(w, x, p2); q2 = pairs_high(w, x, q2);
      w = v128.load(b, 48); p3 = pairs_low(w, x, p3); q3 = pairs_high(w, x, q3);
    }
    a += 8;
  }
  // All loads come before the first store, so that V8 can join vectors (lanes.ts).
  const c0 = finish(p0, q0, scale, scales, v128.load(from));
  const c1 = finish(p1, q1, scale, scales + 16, v128.load(from, 16));
  const c2 = finish(p2, q2, scale, scales + 32, v128.load(from, 32));
  const c3 = finish(p3, q3, scale, scales + 48, v128.load(from, 48));
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
}

/** One row times at most 4 columns of a panel whose rows have `row` bytes. */
function four(columns: i32, depth: i32, a: usize, b: usize, row: usize, from: usize, c: usize): void {
  const scale = v128.load32_splat(a);
  const scales = b + row;
  let p = v128.load(b);
  let q = i32x4.splat(0);
  a += ROW_HEAD;
  b += 2 * row;
  for (const end = b + row * depth; b < end; b += row) {
    const w = v128.load(b);
    if (ASC_FEATURE_RELAXED_SIMD) {
      p = dot_i8_i7(w, v128.load32_splat(a), p);
      q = dot_i8_i7(w, v128.load32_splat(a, 4), q);
    } else {
      const x = v128.load64_splat(a);
      p = pairs_low(w, x, p);
      q = pairs_high(w, x, q);
    }
    a += 8;
  }
  store_lanes(c, finish(p, q, scale, scales, load_lanes(from, columns)), columns);
}

// The bytes of B are loaded 16 at a time and widened in two halves. Two loads of 8 bytes that widen are 15% slower in
// V8 11 (Node 20).

// @ts-ignore: decorator
@inline
function pairs_low(w: v128, x: v128, sums: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(w), x));
}

// @ts-ignore: decorator
@inline
function pairs_high(w: v128, x: v128, sums: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(w), x));
}

/** init plus the two vectors of sums, joined and with their scales. */
// @ts-ignore: decorator
@inline
function finish(p: v128, q: v128, scale: v128, scales: usize, init: v128): v128 {
  const sum = ASC_FEATURE_RELAXED_SIMD
    ? i32x4.add(i32x4.shl(p, 7), q)
    : i32x4.add(v128.shuffle<i32>(p, q, 0, 2, 4, 6), v128.shuffle<i32>(p, q, 1, 3, 5, 7));
  return f32x4.add(init, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), v128.load(scales)));
}
