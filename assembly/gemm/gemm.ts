/*
 * Matrix product: C[m, n] ← init + A[m, k]·B[k, n] with packed B.
 *
 *   a        A, element (i, p) at a + 4·(i·rsA + p·csA); any strides
 *   packed   B, packed by `gemm_pack_b` for `gemm` and by `gemv_pack_b` for `gemv` (pack.ts has the layouts)
 *   c        C, row i at c + 4·i·rsC; its n floats are side by side
 *   bias     [n], read only for Init.Bias
 *   scratch  `gemm_scratch_size()` floats
 *
 * Pointers are byte addresses, strides are elements. C does not overlap an operand or scratch. Called by
 * src/ops/products, src/ops/recurrence and stream.ts.
 *
 *   loop 1  blocks of k        KC: the block of a panel (16 KB) and a tile's rows of A (6 KB) stay in a 32 KB L1 cache
 *   loop 2  blocks of rows     a block of A stays in a 256 KB L2 cache; it is packed into rows if A has other strides
 *   loop 3  blocks of columns  a block of B stays in the L2 cache beside it, or one panel in the L1 cache
 *   loop 4  bands of rows      C is written along its rows: rows of a wide C lie pages apart
 *   loop 5  tiles              microkernel.ts
 *
 * Every element of C starts at its init and takes one multiply-add for each k, in ascending order. A later block of k
 * starts from C. So no bit depends on m, n or the blocks, and a caller may split rows and panels.
 *
 * The loops are those of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008,
 * https://doi.org/10.1145/1356052.1356053), in another order. There a panel of B stays in the L1 cache and a block of A
 * in the L2 cache. Here a band of A stays in the L1 cache and a block of B in the L2 cache, so that whole pages of C are
 * written one after the other. Few rows of A go in the order of that paper.
 */
import { load_tail, store_tail } from '../simd';
import * as few from './gemv';
import { MIN_MR, MR, NR, ROW, run_tile } from './microkernel';
import { pack_a } from './pack';

const KC: i32 = 256;
/** Floats of a packed block of A: 128 KB, half of a small L2 cache. */
const A_BLOCK: i32 = 32768;
/** Floats of a block of A that stays in the L1 cache: 32 KB, which the larger ones of today hold beside a panel. */
const A_SMALL: i32 = 8192;
/** Floats of a block of B: 128 KB, the other half. */
const B_BLOCK: i32 = 32768;
/**
 * Floats between the packed rows: one cache line. Without the gap, rows of 1 KB would all fall into a few sets of the
 * L1 cache when they are written.
 */
const A_GAP: i32 = 16;

/** `init` of `gemm` and `gemv`. The numbers are those of `Init` in src/engine/abi.ts. */
const enum Init {
  Zero,
  Accumulate,
  Bias,
}

/** Sums start here for Init.Zero: one row of a panel, all zeros. */
const zeros = memory.data(64, 16);

/**
 * Floats of scratch that one call of `gemm` may use: a block of A, and a tile for the columns after the last full
 * panel.
 */
export function gemm_scratch_size(): i32 {
  return A_BLOCK + MR * NR;
}

/** C ← init + A·B. Nothing happens if m or n is 0. If k is 0, C becomes init. */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rsA: i32,
  csA: i32,
  packed: usize,
  c: usize,
  rsC: i32,
  init: i32,
  bias: usize,
  scratch: usize,
): void {
  if (m <= 0 || n <= 0) return;
  k = max(k, 0);
  let from = init == Init.Accumulate ? c : init == Init.Bias ? bias : zeros;
  let rsFrom = init == Init.Accumulate ? 4 * rsC : 0;
  let fromStep = init == Init.Zero ? 0 : ROW;
  const isFew = m < MIN_MR;
  const kBlocks = isFew && csA == 1 ? 1 : max((k + KC - 1) / KC, 1);
  const kc = (k + kBlocks - 1) / kBlocks;
  const mc = block_rows(kc);
  let p = 0;
  do {
    const depth = min(kc, k - p);
    const rsBlock = csA == 1 ? 4 * rsA : 4 * (depth + A_GAP);
    for (let i = 0; i < m; ) {
      const rows = m - i < mc + MIN_MR ? m - i : mc;
      let block = a + 4 * (<usize>i * rsA + <usize>p * csA);
      if (csA != 1) {
        pack_a(rows, depth, block, rsA, csA, scratch, rsBlock);
        block = scratch;
      }
      const b = packed + 4 * (<usize>p * NR);
      const start = from + i * rsFrom;
      const to = c + 4 * (<usize>i * rsC);
      const panel = 4 * NR * k;
      if (isFew) few.panels(rows, n, depth, block, rsBlock, b, panel, start, rsFrom, fromStep, to, 4 * rsC);
      else {
        const edge = scratch + 4 * A_BLOCK;
        panels(rows, n, depth, block, rsBlock, b, panel, start, rsFrom, fromStep, to, 4 * rsC, edge);
      }
      i += rows;
    }
    from = c;
    rsFrom = 4 * rsC;
    fromStep = ROW;
    p += depth;
  } while (p < k);
}

/**
 * The same bits as `gemm` gives, for one or two rows of A whose elements are side by side. `gemv_pack_b` packs B.
 */
export function gemv(
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
): void {
  if (n <= 0) return;
  const from = init == Init.Accumulate ? c : init == Init.Bias ? bias : zeros;
  const rsFrom = init == Init.Accumulate ? 4 * rsC : 0;
  const fromStep = init == Init.Zero ? 0 : ROW;
  few.triple_panels(m, n, max(k, 0), a, 4 * rsA, packed, from, rsFrom, fromStep, c, 4 * rsC);
}

/**
 * Rows of a block of A, a multiple of whole tiles. A_BLOCK has room for MIN_MR − 1 more rows, because so few rows
 * cannot be a block of their own. A kc below 64 counts as 64. Otherwise a block would have so many rows that its tiles
 * of C do not stay in the cache.
 */
function block_rows(kc: i32): i32 {
  return ((A_BLOCK / (max(kc, 64) + A_GAP) - MIN_MR + 1) / MR) * MR;
}

/**
 * Rows of the next tile: MR, unless the last tile would then be too low to keep the multiply-adds busy. 32 rows are cut
 * into 6 6 6 6 4 4, not into 6 6 6 6 6 2.
 */
function tile_rows(left: i32): i32 {
  return left == MR || left >= MR + 4 ? MR : left > MR ? (left + 1) / 2 : left;
}

/**
 * Columns of a block of B. They are whole panels. A depth below 64 counts as 64. If the block of A stays in the L1
 * cache, each panel is a block: it comes to that cache once for all tiles.
 */
function block_columns(rows: i32, depth: i32): i32 {
  return rows * depth <= A_SMALL ? NR : max(B_BLOCK / (max(depth, 64) * NR), 1) * NR;
}

/** Loops 3 to 5: one block of A times every panel. Strides are bytes. `edge` is memory of one tile. */
function panels(
  rows: i32,
  n: i32,
  depth: i32,
  a: usize,
  rsA: usize,
  packed: usize,
  panel: usize,
  from: usize,
  rsFrom: usize,
  fromStep: usize,
  c: usize,
  rsC: usize,
  edge: usize,
): void {
  const nc = block_columns(rows, depth);
  for (; n > 0; n -= nc) {
    let bandA = a;
    let bandFrom = from;
    let bandC = c;
    for (let left = rows; left > 0; ) {
      const height = tile_rows(left);
      left -= height;
      let b = packed;
      let tileFrom = bandFrom;
      let tileC = bandC;
      let columns = min(n, nc);
      for (; columns >= NR; columns -= NR) {
        run_tile(height, NR, depth, bandA, rsA, b, tileFrom, rsFrom, tileC, rsC);
        b += panel;
        tileFrom += fromStep;
        tileC += ROW;
      }
      if (columns > 0) {
        copy_columns(height, columns, tileFrom, rsFrom, edge, ROW);
        run_tile(height, columns, depth, bandA, rsA, b, edge, ROW, edge, ROW);
        copy_columns(height, columns, edge, ROW, tileC, rsC);
      }
      bandA += height * rsA;
      bandFrom += height * rsFrom;
      bandC += height * rsC;
    }
    packed += panel * (nc / NR);
    from += fromStep * (nc / NR);
    c += 4 * nc;
  }
}

/** Copies `columns` (1–15) floats of each row. Strides are bytes. */
function copy_columns(rows: i32, columns: i32, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  const vectors = 4 * (columns & ~3);
  const rest = columns & 3;
  for (let i = 0; i < rows; i++) {
    for (let at = 0; at < vectors; at += 16) v128.store(to + at, v128.load(from + at));
    if (rest) store_tail(to + vectors, load_tail(from + vectors, rest), rest);
    from += rsFrom;
    to += rsTo;
  }
}
