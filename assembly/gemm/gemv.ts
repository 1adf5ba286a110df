/*
 * Product of one or two rows with a matrix: c[n] ← from[n] + a[k]·B[k, n].
 *
 *   a        row i at a + i·rsA, its k floats side by side
 *   packed   B as `gemv_pack_b` packs it (`triple_panels`) or as `gemm_pack_b` does (`panels`); see pack.ts
 *   from     where the sums start: row i at from + i·rsFrom. It moves by fromStep with each panel: 64, or 0 for 16 zeros
 *   c        row i at c + i·rsC; may be from
 *
 * Pointers are byte addresses, strides are bytes. c does not overlap a or B. Called by gemm.ts.
 *
 * The sums and their order are those of `gemm`, so the bits are the same. Reading B bounds the speed: every
 * multiply-add loads one vector of B, and a core starts as many loads as multiply-adds. So nothing is blocked, there
 * are few other loads, and 8 to 12 sums at a time hide the latency of a multiply-add. The second row finds the panel of
 * the first one in a nearer cache. Triple panels are read from the first byte to the last. The panels of `gemm` are read
 * two at a time, which is up to a tenth slower.
 */
import { load_tail, madd, store_tail } from '../simd';
import { NR, ROW } from './microkernel';
import { TRIPLE_PANEL, TRIPLE_ROW, triple_panels_of } from './pack';

/** m rows times a B packed by `gemv_pack_b`: its triple panels, then its other panels. */
export function triple_panels(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rsA: usize,
  packed: usize,
  from: usize,
  rsFrom: usize,
  fromStep: usize,
  c: usize,
  rsC: usize,
): void {
  for (let left = triple_panels_of(n); left > 0; left--) {
    for (let i = 0; i < m; i++) {
      const x = a + i * rsA, start = from + i * rsFrom, to = c + i * rsC;
      if (ASC_FEATURE_RELAXED_SIMD) fused_triple_panel(k, x, packed, start, fromStep, to);
      else plain_triple_panel(k, x, packed, start, fromStep, to);
    }
    n -= TRIPLE_PANEL;
    packed += TRIPLE_ROW * k;
    from += (TRIPLE_PANEL / NR) * fromStep;
    c += TRIPLE_ROW;
  }
  panels(m, n, k, a, rsA, packed, ROW * k, from, rsFrom, fromStep, c, rsC);
}

/**
 * m rows times a B packed by `gemm_pack_b`. `panel` is the distance of its panels: 64·k bytes, or more if B is a block
 * of k. The other parameters are in the first comment.
 */
export function panels(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rsA: usize,
  packed: usize,
  panel: usize,
  from: usize,
  rsFrom: usize,
  fromStep: usize,
  c: usize,
  rsC: usize,
): void {
  for (; n >= 2 * NR; n -= 2 * NR) {
    for (let i = 0; i < m; i++) two_panels(k, a + i * rsA, packed, panel, from + i * rsFrom, fromStep, c + i * rsC);
    packed += 2 * panel;
    from += 2 * fromStep;
    c += 2 * ROW;
  }
  for (; n > 0; n -= NR) {
    for (let i = 0; i < m; i++) one_panel(n, k, a + i * rsA, packed, from + i * rsFrom, c + i * rsC);
    packed += panel;
    from += fromStep;
    c += ROW;
  }
}

// One row times two panels. A round of the loop has two steps of k, and an odd step runs before the loop. With one step
// a round, or with the odd step after the loop, V8 11 (Node 20) puts all loads of a round before all sums. It then runs
// out of registers, and the plain build is half as fast.
function two_panels(
  k: i32, a: usize, b0: usize, panel: usize, from: usize, fromStep: usize, c: usize,
): void {
  const end = b0 + ROW * k;
  if (k & 1) {
    one_step(2, a, b0, panel, from, fromStep, c);
    a += 4;
    b0 += ROW;
    from = c;
    fromStep = ROW;
  }
  let c00 = v128.load(from), c01 = v128.load(from, 16), c02 = v128.load(from, 32), c03 = v128.load(from, 48);
  from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16), c12 = v128.load(from, 32), c13 = v128.load(from, 48);
  let b1 = b0 + panel;
  while (b0 < end) {
    let x = v128.load32_splat(a);
    a += 4;
    c00 = madd(x, v128.load(b0), c00); c01 = madd(x, v128.load(b0, 16), c01);
    c02 = madd(x, v128.load(b0, 32), c02); c03 = madd(x, v128.load(b0, 48), c03);
    c10 = madd(x, v128.load(b1), c10); c11 = madd(x, v128.load(b1, 16), c11);
    c12 = madd(x, v128.load(b1, 32), c12); c13 = madd(x, v128.load(b1, 48), c13);
    x = v128.load32_splat(a);
    a += 4;
    c00 = madd(x, v128.load(b0, 64), c00); c01 = madd(x, v128.load(b0, 80), c01);
    c02 = madd(x, v128.load(b0, 96), c02); c03 = madd(x, v128.load(b0, 112), c03);
    c10 = madd(x, v128.load(b1, 64), c10); c11 = madd(x, v128.load(b1, 80), c11);
    c12 = madd(x, v128.load(b1, 96), c12); c13 = madd(x, v128.load(b1, 112), c13);
    b0 += 2 * ROW;
    b1 += 2 * ROW;
  }
  v128.store(c, c00); v128.store(c, c01, 16); v128.store(c, c02, 32); v128.store(c, c03, 48);
  v128.store(c, c10, 64); v128.store(c, c11, 80); v128.store(c, c12, 96); v128.store(c, c13, 112);
}

/**
 * One row times a triple panel, in the plain build. Rounds are those of `two_panels`. 12 sums, 1 of A and 1 product take
 * 14 registers.
 */
function plain_triple_panel(k: i32, a: usize, b: usize, from: usize, fromStep: usize, c: usize): void {
  const end = b + TRIPLE_ROW * k;
  if (k & 1) {
    one_step(TRIPLE_PANEL / NR, a, b, ROW, from, fromStep, c);
    a += 4;
    b += TRIPLE_ROW;
    from = c;
    fromStep = ROW;
  }
  let c0 = v128.load(from), c1 = v128.load(from, 16), c2 = v128.load(from, 32), c3 = v128.load(from, 48);
  from += fromStep;
  let c4 = v128.load(from), c5 = v128.load(from, 16), c6 = v128.load(from, 32), c7 = v128.load(from, 48);
  from += fromStep;
  let c8 = v128.load(from), c9 = v128.load(from, 16), c10 = v128.load(from, 32), c11 = v128.load(from, 48);
  while (b < end) {
    let x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
    x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
  }
  v128.store(c, c0); v128.store(c, c1, 16);
  v128.store(c, c2, 32); v128.store(c, c3, 48);
  v128.store(c, c4, 64); v128.store(c, c5, 80);
  v128.store(c, c6, 96); v128.store(c, c7, 112);
  v128.store(c, c8, 128); v128.store(c, c9, 144);
  v128.store(c, c10, 160); v128.store(c, c11, 176);
}

/**
 * One row times a triple panel, in the relaxed build. A round has four steps of k and loads their four
 * elements of A at once. 12 sums, 1 vector of A, 1 element of it in all lanes and 1 vector of B take 15 registers. The
 * `break` after each step ends the last round. It also keeps Binaryen from moving the sums of a step into those of the
 * next one, which would make chains of four sums and spill. Four steps a round would spill in the plain build, where V8
 * 11 (Node 20) runs.
 */
function fused_triple_panel(k: i32, a: usize, b: usize, from: usize, fromStep: usize, c: usize): void {
  let c0 = v128.load(from), c1 = v128.load(from, 16), c2 = v128.load(from, 32), c3 = v128.load(from, 48);
  from += fromStep;
  let c4 = v128.load(from), c5 = v128.load(from, 16), c6 = v128.load(from, 32), c7 = v128.load(from, 48);
  from += fromStep;
  let c8 = v128.load(from), c9 = v128.load(from, 16), c10 = v128.load(from, 32), c11 = v128.load(from, 48);
  for (; k > 0; k -= 4) {
    const four = k >= 4 ? v128.load(a) : load_tail(a, k);
    a += 16;
    let x = v128.shuffle<f32>(four, four, 0, 0, 0, 0);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
    if (k == 1) break;
    x = v128.shuffle<f32>(four, four, 1, 1, 1, 1);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
    if (k == 2) break;
    x = v128.shuffle<f32>(four, four, 2, 2, 2, 2);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
    if (k == 3) break;
    x = v128.shuffle<f32>(four, four, 3, 3, 3, 3);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += TRIPLE_ROW;
  }
  v128.store(c, c0); v128.store(c, c1, 16);
  v128.store(c, c2, 32); v128.store(c, c3, 48);
  v128.store(c, c4, 64); v128.store(c, c5, 80);
  v128.store(c, c6, 96); v128.store(c, c7, 112);
  v128.store(c, c8, 128); v128.store(c, c9, 144);
  v128.store(c, c10, 160); v128.store(c, c11, 176);
}

/** One step of k for `panels` panels: c ← from + a[0]·(the first row of B). */
function one_step(panels: i32, a: usize, b: usize, panel: usize, from: usize, fromStep: usize, c: usize): void {
  const x = v128.load32_splat(a);
  for (; panels > 0; panels--) {
    for (let at: usize = 0; at < ROW; at += 16) {
      v128.store(c + at, madd(x, v128.load(b + at), v128.load(from + at)));
    }
    b += panel;
    from += fromStep;
    c += ROW;
  }
}

/** One row times one panel, of which `columns` columns exist. They may be less than 16 in the last panel. */
function one_panel(columns: i32, k: i32, a: usize, b: usize, from: usize, c: usize): void {
  let c0 = load_columns(from, columns);
  let c1 = load_columns(from + 16, columns - 4);
  let c2 = load_columns(from + 32, columns - 8);
  let c3 = load_columns(from + 48, columns - 12);
  for (const end = b + ROW * k; b < end; b += ROW) {
    const x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0);
    c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2);
    c3 = madd(x, v128.load(b, 48), c3);
  }
  store_columns(c, c0, columns);
  store_columns(c + 16, c1, columns - 4);
  store_columns(c + 32, c2, columns - 8);
  store_columns(c + 48, c3, columns - 12);
}

// These two call themselves because the compiler does not inline such functions. Inlined four times they would be a
// kernel's worth of code.

/** A vector of `count` floats: all four if `count` is 4 or more, none if it is 0 or less. The other lanes are 0. */
function load_columns(from: usize, count: i32): v128 {
  if (count > 4) return load_columns(from, 4);
  return count == 4 ? v128.load(from) : count > 0 ? load_tail(from, count) : f32x4.splat(0);
}

/** Stores the floats that `load_columns` loads. */
function store_columns(to: usize, v: v128, count: i32): void {
  if (count > 4) store_columns(to, v, 4);
  else if (count == 4) v128.store(to, v);
  else if (count > 0) store_tail(to, v, count);
}
