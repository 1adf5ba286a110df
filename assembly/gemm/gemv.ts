/*
 * One row of C, or two: c[n] ← from[n] + a[k]·B, the same sums in the same order as `gemm`, hence the same bits. Bound
 * by reading B: every multiply-add loads what it multiplies, and a core loads no more often than it multiplies. So
 * nothing is blocked, other loads are few, and 8 to 12 sums at a time hide a multiply-add's latency. A second row finds
 * what the first one read in a nearer cache. B stands in wide panels (see pack.ts), each read from its first byte to
 * its last, or in the panels that `gemm` reads, four at a time, which is up to a tenth slower. Pointers are byte
 * addresses and strides bytes.
 */
import { load_tail, madd, store_tail } from '../simd';
import { NR } from './microkernel';
import { ROW, WIDE_PANEL, WIDE_ROW, wide_panels_of } from './pack';

/** With B as `gemv_pack_b` leaves it; the rest as in `panels`. */
export function wide_panels(
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
  for (let left = wide_panels_of(n); left > 0; left--) {
    for (let i = 0; i < m; i++) {
      const x = a + i * rsA, start = from + i * rsFrom, to = c + i * rsC;
      if (ASC_FEATURE_RELAXED_SIMD) fused_wide_panel(k, x, packed, start, fromStep, to);
      else plain_wide_panel(k, x, packed, start, fromStep, to);
    }
    n -= WIDE_PANEL;
    packed += WIDE_ROW * k;
    from += (WIDE_PANEL / NR) * fromStep;
    c += WIDE_ROW;
  }
  panels(m, n, k, a, rsA, packed, ROW * k, from, rsFrom, fromStep, c, rsC);
}

/**
 * With B as `gemm_pack_b` leaves it. Row i of A at a + i·rsA, dense; `panel` from one panel of B to the next. C's row i
 * at c + i·rsC; its sums start at from + i·rsFrom, which moves by fromStep from panel to panel: 32, or 0 for 8 zeros.
 * from may be c.
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
  for (; n >= 4 * NR; n -= 4 * NR) {
    for (let i = 0; i < m; i++) four_panels(k, a + i * rsA, packed, panel, from + i * rsFrom, fromStep, c + i * rsC);
    packed += 4 * panel;
    from += 4 * fromStep;
    c += 4 * ROW;
  }
  for (; n > 0; n -= NR) {
    for (let i = 0; i < m; i++) one_panel(n, k, a + i * rsA, packed, from + i * rsFrom, c + i * rsC);
    packed += panel;
    from += fromStep;
    c += ROW;
  }
}

// Two steps of k a round, an odd one before them: with one step, or with the odd one after, V8 11 (Node 20) puts all
// loads of a round before all sums, runs out of registers and halves the speed of the plain build.
function four_panels(
  k: i32, a: usize, b0: usize, panel: usize, from: usize, fromStep: usize, c: usize,
): void {
  const end = b0 + ROW * k;
  if (k & 1) {
    one_step(4, a, b0, panel, from, fromStep, c);
    a += 4;
    b0 += ROW;
    from = c;
    fromStep = ROW;
  }
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16);
  from += fromStep;
  let c20 = v128.load(from), c21 = v128.load(from, 16);
  from += fromStep;
  let c30 = v128.load(from), c31 = v128.load(from, 16);
  let b1 = b0 + panel;
  let b2 = b1 + panel;
  let b3 = b2 + panel;
  while (b0 < end) {
    let x = v128.load32_splat(a);
    a += 4;
    c00 = madd(x, v128.load(b0), c00); c01 = madd(x, v128.load(b0, 16), c01);
    c10 = madd(x, v128.load(b1), c10); c11 = madd(x, v128.load(b1, 16), c11);
    c20 = madd(x, v128.load(b2), c20); c21 = madd(x, v128.load(b2, 16), c21);
    c30 = madd(x, v128.load(b3), c30); c31 = madd(x, v128.load(b3, 16), c31);
    x = v128.load32_splat(a);
    a += 4;
    c00 = madd(x, v128.load(b0, 32), c00); c01 = madd(x, v128.load(b0, 48), c01);
    c10 = madd(x, v128.load(b1, 32), c10); c11 = madd(x, v128.load(b1, 48), c11);
    c20 = madd(x, v128.load(b2, 32), c20); c21 = madd(x, v128.load(b2, 48), c21);
    c30 = madd(x, v128.load(b3, 32), c30); c31 = madd(x, v128.load(b3, 48), c31);
    b0 += 2 * ROW;
    b1 += 2 * ROW;
    b2 += 2 * ROW;
    b3 += 2 * ROW;
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c, c10, 32); v128.store(c, c11, 48);
  v128.store(c, c20, 64); v128.store(c, c21, 80);
  v128.store(c, c30, 96); v128.store(c, c31, 112);
}

/**
 * The plain build's wide panel of 40 columns, in rounds as those of `four_panels`: its 10 sums, one of A, one of B and
 * a product are 13 registers.
 */
function plain_wide_panel(k: i32, a: usize, b: usize, from: usize, fromStep: usize, c: usize): void {
  const end = b + WIDE_ROW * k;
  if (k & 1) {
    one_step(WIDE_PANEL / NR, a, b, ROW, from, fromStep, c);
    a += 4;
    b += WIDE_ROW;
    from = c;
    fromStep = ROW;
  }
  let c0 = v128.load(from), c1 = v128.load(from, 16);
  from += fromStep;
  let c2 = v128.load(from), c3 = v128.load(from, 16);
  from += fromStep;
  let c4 = v128.load(from), c5 = v128.load(from, 16);
  from += fromStep;
  let c6 = v128.load(from), c7 = v128.load(from, 16);
  from += fromStep;
  let c8 = v128.load(from), c9 = v128.load(from, 16);
  while (b < end) {
    let x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    b += WIDE_ROW;
    x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    b += WIDE_ROW;
  }
  v128.store(c, c0); v128.store(c, c1, 16);
  v128.store(c, c2, 32); v128.store(c, c3, 48);
  v128.store(c, c4, 64); v128.store(c, c5, 80);
  v128.store(c, c6, 96); v128.store(c, c7, 112);
  v128.store(c, c8, 128); v128.store(c, c9, 144);
}

/**
 * The relaxed build's wide panel of 48 columns. Four steps of k a round, with one load of A for all: its 12 sums, 4
 * steps of A, one of them spread, and one of B are 15 registers. The way out after each step is for the last round, and
 * holds Binaryen off from sinking each step's sums into the next one's, which would make chains of four sums and spill.
 * (The plain build spills that way: V8 11 gets along with less in a round.)
 */
function fused_wide_panel(k: i32, a: usize, b: usize, from: usize, fromStep: usize, c: usize): void {
  let c0 = v128.load(from), c1 = v128.load(from, 16);
  from += fromStep;
  let c2 = v128.load(from), c3 = v128.load(from, 16);
  from += fromStep;
  let c4 = v128.load(from), c5 = v128.load(from, 16);
  from += fromStep;
  let c6 = v128.load(from), c7 = v128.load(from, 16);
  from += fromStep;
  let c8 = v128.load(from), c9 = v128.load(from, 16);
  from += fromStep;
  let c10 = v128.load(from), c11 = v128.load(from, 16);
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
    b += WIDE_ROW;
    if (k == 1) break;
    x = v128.shuffle<f32>(four, four, 1, 1, 1, 1);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += WIDE_ROW;
    if (k == 2) break;
    x = v128.shuffle<f32>(four, four, 2, 2, 2, 2);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += WIDE_ROW;
    if (k == 3) break;
    x = v128.shuffle<f32>(four, four, 3, 3, 3, 3);
    c0 = madd(x, v128.load(b), c0); c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2); c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4); c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6); c7 = madd(x, v128.load(b, 112), c7);
    c8 = madd(x, v128.load(b, 128), c8); c9 = madd(x, v128.load(b, 144), c9);
    c10 = madd(x, v128.load(b, 160), c10); c11 = madd(x, v128.load(b, 176), c11);
    b += WIDE_ROW;
  }
  v128.store(c, c0); v128.store(c, c1, 16);
  v128.store(c, c2, 32); v128.store(c, c3, 48);
  v128.store(c, c4, 64); v128.store(c, c5, 80);
  v128.store(c, c6, 96); v128.store(c, c7, 112);
  v128.store(c, c8, 128); v128.store(c, c9, 144);
  v128.store(c, c10, 160); v128.store(c, c11, 176);
}

/** c ← from + a[0]·B's first row. */
function one_step(panels: i32, a: usize, b: usize, panel: usize, from: usize, fromStep: usize, c: usize): void {
  const x = v128.load32_splat(a);
  for (; panels > 0; panels--) {
    v128.store(c, madd(x, v128.load(b), v128.load(from)));
    v128.store(c, madd(x, v128.load(b, 16), v128.load(from, 16)), 16);
    b += panel;
    from += fromStep;
    c += ROW;
  }
}

/** The last panels; of the last one, `columns` may be less than 8. */
function one_panel(columns: i32, k: i32, a: usize, b: usize, from: usize, c: usize): void {
  const rest = columns & 3;
  let c0 = columns >= 4 ? v128.load(from) : load_tail(from, rest);
  let c1 = columns >= NR ? v128.load(from, 16) : columns > 4 ? load_tail(from + 16, rest) : f32x4.splat(0);
  for (const end = b + ROW * k; b < end; b += ROW) {
    const x = v128.load32_splat(a);
    a += 4;
    c0 = madd(x, v128.load(b), c0);
    c1 = madd(x, v128.load(b, 16), c1);
  }
  if (columns >= 4) v128.store(c, c0);
  else store_tail(c, c0, rest);
  if (columns >= NR) v128.store(c, c1, 16);
  else if (columns > 4) store_tail(c + 16, c1, rest);
}
