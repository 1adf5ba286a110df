/*
 * Packing: copies operands of any strides into the layouts that the microkernels read. The layouts, in floats:
 *
 *   gemm_pack_b   B [k, n] becomes ⌈n/16⌉ panels, one after the other. Each is dense [k, 16]. The panel of column j (a
 *                 multiple of 16) starts at float j·k. Columns after n are zeros.
 *   gemv_pack_b   The same, but the first panels are joined by threes: each triple panel is dense [k, 48], and starts
 *                 where its first panel would start.
 *   pack_a        A [m, k] becomes m rows of k floats, `step` bytes apart.
 *
 * Element (p, j) of B is at b + 4·(p·rsB + j·csB), element (i, p) of A at a + 4·(i·rsA + p·csA). In exported functions
 * pointers are byte addresses and strides are elements; inside they are bytes. Source and target do not overlap. The
 * callers of `gemm` and `gemv` call these functions (src/ops, src/streaming), gemm.ts calls `pack_a`, and `swap_axes`
 * calls `transpose`. The layouts are those of BLIS.
 */
import { NR, ROW } from './microkernel';

/** Columns of a triple panel: 12 vectors of sums. The other registers hold a, b and the product. */
export const TRIPLE_PANEL: i32 = 3 * NR;
export const TRIPLE_ROW: usize = 4 * TRIPLE_PANEL;

/**
 * Number of triple panels of B: the most, or one less if that leaves an even number of panels. `two_panels` of gemv.ts
 * takes two together.
 */
export function triple_panels_of(n: i32): i32 {
  const panels = n / NR;
  const triples = panels / 3;
  return triples > 0 && ((panels - 3 * triples) & 1) ? triples - 1 : triples;
}

/** Floats of packed B. */
export function gemm_packed_size(k: i32, n: i32): i32 {
  return k <= 0 || n <= 0 ? 0 : ((n + NR - 1) / NR) * NR * k;
}

/** Packs B [k, n] into panels. Reads every element once. */
export function gemm_pack_b(k: i32, n: i32, b: usize, rsB: i32, csB: i32, packed: usize): void {
  pack(k, n, b, rsB, csB, packed, NR, ROW * k);
}

/** Packs B [k, n], whose rows are dense, into triple panels and then into panels. */
export function gemv_pack_b(k: i32, n: i32, b: usize, rsB: i32, packed: usize): void {
  for (let left = triple_panels_of(n); left > 0; left--) {
    pack(k, TRIPLE_PANEL, b, rsB, 1, packed, TRIPLE_PANEL, ROW);
    b += TRIPLE_ROW;
    packed += TRIPLE_ROW * k;
    n -= TRIPLE_PANEL;
  }
  pack(k, n, b, rsB, 1, packed, NR, ROW * k);
}

/** Packs into panels whose rows are `width` floats apart. The next panel starts `panel` bytes later. */
function pack(k: i32, n: i32, b: usize, rsB: i32, csB: i32, to: usize, width: usize, panel: usize): void {
  if (k <= 0) return;
  if (csB == 1) {
    for (let p = 0; p < k; p += ROWS) {
      const from = b + 4 * (<usize>p * rsB);
      copy_rows(min(ROWS, k - p), n, from, 4 * rsB, to + 4 * (<usize>p * width), 4 * width, panel);
    }
  }
  for (; n > 0; n -= NR) {
    if (n < NR || (csB != 1 && rsB != 1)) gather(k, min(n, NR), b, 4 * rsB, 4 * csB, to);
    else if (csB != 1) transpose(NR, k, b, 4 * csB, to, ROW);
    b += 4 * NR * csB;
    to += panel;
  }
}

/** Packs A [m, k] into rows of k floats, `step` bytes apart. */
export function pack_a(m: i32, k: i32, a: usize, rsA: i32, csA: i32, to: usize, step: usize): void {
  if (rsA == 1) {
    transpose(k, m, a, 4 * csA, to, step);
    return;
  }
  for (let i = 0; i < m; i++) {
    let from = a + 4 * (<usize>i * rsA);
    for (let p = 0; p < k; p++) {
      store<f32>(to + 4 * p, load<f32>(from));
      from += 4 * csA;
    }
    to += step;
  }
}

/**
 * Rows of B that are packed together if the elements of a row are side by side: each cache line is read once, and runs
 * of 512 bytes are written.
 */
const ROWS: i32 = 8;

/** Copies `rows` rows to all full panels, which are `panel` bytes apart and have rows `row` bytes apart. */
function copy_rows(rows: i32, columns: i32, from: usize, step: usize, to: usize, row: usize, panel: usize): void {
  for (; columns >= NR; columns -= NR) {
    let x = from;
    let y = to;
    for (let p = 0; p < rows; p++) {
      v128.store(y, v128.load(x));
      v128.store(y, v128.load(x, 16), 16);
      v128.store(y, v128.load(x, 32), 32);
      v128.store(y, v128.load(x, 48), 48);
      x += step;
      y += row;
    }
    from += ROW;
    to += panel;
  }
}

/** Copies `columns` (at most 16) strided columns to one panel, and fills its other columns with zeros. */
function gather(k: i32, columns: i32, from: usize, step: usize, columnStep: usize, to: usize): void {
  const zero = f32x4.splat(0);
  for (const end = to + ROW * k; to < end; to += ROW) {
    v128.store(to, zero);
    v128.store(to, zero, 16);
    v128.store(to, zero, 32);
    v128.store(to, zero, 48);
    let at = from;
    for (let j = 0; j < columns; j++) {
      store<f32>(to + 4 * j, load<f32>(at));
      at += columnStep;
    }
    from += step;
  }
}

/** to[c, r] = from[r, c] for r < rows, c < columns, 4-byte elements of any dtype. Row strides are bytes. */
export function transpose(rows: i32, columns: i32, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    let x = from;
    let y = to;
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      const x0 = v128.load(x);
      const x1 = v128.load(x + fromStep);
      const x2 = v128.load(x + 2 * fromStep);
      const x3 = v128.load(x + 3 * fromStep);
      const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
      v128.store(y, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
      v128.store(y + toStep, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
      v128.store(y + 2 * toStep, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
      v128.store(y + 3 * toStep, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
      x += 16;
      y += 4 * toStep;
    }
    for (; c < columns; c++) {
      for (let i: usize = 0; i < 4; i++) store<u32>(y + 4 * i, load<u32>(x + i * fromStep));
      x += 4;
      y += toStep;
    }
    from += 4 * fromStep;
    to += 16;
  }
  for (; r < rows; r++) {
    let x = from;
    let y = to;
    for (let c = 0; c < columns; c++) {
      store<u32>(y, load<u32>(x));
      x += 4;
      y += toStep;
    }
    from += fromStep;
    to += 4;
  }
}
