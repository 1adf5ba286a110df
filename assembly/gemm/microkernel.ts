/*
 * The microkernels of GEMM: a tile of C that stays in registers while it is summed over k.
 *
 *   to[r, j] = from[r, j] + Σ_p a[r, p]·b[p, j]      r < rows, j < 8 or 16, p = 0 … k − 1 in ascending order
 *
 *            b0   b1        a      row r at a + r·rsA, its k floats side by side
 *   a0[p] → c00  c01        b      a panel of packed B, [k, 16], dense
 *   a1[p] → c10  c11        from   where the sums start: row r at from + r·rsFrom, 16 floats; rsFrom = 0 repeats one
 *     …                            row, such as a bias
 *   a5[p] → c50  c51        to     where the sums go: row r at to + r·rsTo, 16 floats; may be from
 *
 * Pointers are byte addresses, row strides are bytes. to does not overlap a or b. Called by gemm.ts. Source: the
 * microkernel of BLIS (Van Zee and van de Geijn 2015, https://doi.org/10.1145/2764454).
 *
 * V8 leaves 15 vector registers on x64. The fused tile of 6×8 takes 12 sums, 2 of B and 1 of A: 15. The plain one of
 * 5×8 takes 10 sums, 2 of B, 1 of A and 1 product: 14. So a panel is computed as two halves of 8 columns. Their bytes
 * share cache lines, and both halves come from the L1 cache.
 *
 * A host whose engine joins two neighbouring vectors into one of 256 bits (V8's revectorization) has twice the room.
 * There one tile of 6×16 (5×16 in the plain build) takes the whole panel, and is twice as fast. Everywhere else its
 * sums do not fit into registers, so `set_wide` chooses the tile. Both tiles sum in the same order: the bits are the
 * same.
 *
 * The loops over k are not unrolled. In straight-line steps Binaryen moves each sum into the next one. The sums become
 * long dependent chains, the loaded vectors spill, and a third of the speed is lost.
 */
import { madd } from '../simd';

/** Columns of a panel, which BLIS calls micro-panel. `PANEL_COLUMNS` of src/engine/abi.ts is the same number. */
export const NR: i32 = 16;
/** Bytes of a panel's row: one cache line. */
export const ROW: usize = 4 * NR;
/** Columns of the narrow tile. */
const HALF: i32 = 8;
/** Greatest number of rows of a tile. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
/**
 * Least number of rows of a tile. A narrow tile of 1 or 2 rows has only 2 or 4 sums, too few to hide their latency.
 * gemv.ts has 8 sums and is faster, although it reads B once for each row.
 */
export const MIN_MR: i32 = 3;

let isWide = false;

/** Whether a panel is computed by wide tiles. No bit of a result depends on it. */
export function set_wide(on: bool): void {
  isWide = on;
}

// `rows` is a constant at every call, so the compiler removes the branches on it and the code of unused rows.
// @ts-ignore: decorator
@inline
function tile(
  rows: i32, k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize,
): void {
  let a0 = a;
  let a1 = a0 + rsA;
  let a2 = a1 + rsA;
  let a3 = a2 + rsA;
  let a4 = a3 + rsA;
  let a5 = a4 + rsA;
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c30 = c00, c31 = c01;
  let c40 = c00, c41 = c01;
  let c50 = c00, c51 = c01;
  from += rsFrom;
  let c10 = v128.load(from), c11 = v128.load(from, 16);
  from += rsFrom;
  let c20 = v128.load(from), c21 = v128.load(from, 16);
  if (rows > 3) { from += rsFrom; c30 = v128.load(from); c31 = v128.load(from, 16); }
  if (rows > 4) { from += rsFrom; c40 = v128.load(from); c41 = v128.load(from, 16); }
  if (rows > 5) { from += rsFrom; c50 = v128.load(from); c51 = v128.load(from, 16); }
  for (const end = b + ROW * k; b < end; b += ROW) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0); a0 += 4; c00 = madd(x, b0, c00); c01 = madd(x, b1, c01);
    x = v128.load32_splat(a1); a1 += 4; c10 = madd(x, b0, c10); c11 = madd(x, b1, c11);
    x = v128.load32_splat(a2); a2 += 4; c20 = madd(x, b0, c20); c21 = madd(x, b1, c21);
    if (rows > 3) { x = v128.load32_splat(a3); a3 += 4; c30 = madd(x, b0, c30); c31 = madd(x, b1, c31); }
    if (rows > 4) { x = v128.load32_splat(a4); a4 += 4; c40 = madd(x, b0, c40); c41 = madd(x, b1, c41); }
    if (rows > 5) { x = v128.load32_splat(a5); a5 += 4; c50 = madd(x, b0, c50); c51 = madd(x, b1, c51); }
  }
  v128.store(to, c00); v128.store(to, c01, 16);
  to += rsTo; v128.store(to, c10); v128.store(to, c11, 16);
  to += rsTo; v128.store(to, c20); v128.store(to, c21, 16);
  if (rows > 3) { to += rsTo; v128.store(to, c30); v128.store(to, c31, 16); }
  if (rows > 4) { to += rsTo; v128.store(to, c40); v128.store(to, c41, 16); }
  if (rows > 5) { to += rsTo; v128.store(to, c50); v128.store(to, c51, 16); }
}

function tile_3(k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  tile(3, k, a, rsA, b, from, rsFrom, to, rsTo);
}

function tile_4(k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  tile(4, k, a, rsA, b, from, rsFrom, to, rsTo);
}

function tile_5(k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  tile(5, k, a, rsA, b, from, rsFrom, to, rsTo);
}

function tile_6(k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  tile(6, k, a, rsA, b, from, rsFrom, to, rsTo);
}

// There are wide tiles of MR and of 4 rows. Most numbers of rows are cut into these two (see `tile_rows` in gemm.ts). A
// tile of another height would take 450 to 740 bytes, and make the last rows of other numbers a quarter faster.
// @ts-ignore: decorator
@inline
function wide_tile(
  rows: i32, k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize,
): void {
  let a0 = a;
  let a1 = a0 + rsA;
  let a2 = a1 + rsA;
  let a3 = a2 + rsA;
  let a4 = a3 + rsA;
  let a5 = a4 + rsA;
  let c00 = v128.load(from), c01 = v128.load(from, 16), c02 = v128.load(from, 32), c03 = v128.load(from, 48);
  let c40 = c00, c41 = c01, c42 = c02, c43 = c03;
  let c50 = c00, c51 = c01, c52 = c02, c53 = c03;
  from += rsFrom;
  let c10 = v128.load(from), c11 = v128.load(from, 16), c12 = v128.load(from, 32), c13 = v128.load(from, 48);
  from += rsFrom;
  let c20 = v128.load(from), c21 = v128.load(from, 16), c22 = v128.load(from, 32), c23 = v128.load(from, 48);
  from += rsFrom;
  let c30 = v128.load(from), c31 = v128.load(from, 16), c32 = v128.load(from, 32), c33 = v128.load(from, 48);
  if (rows > 4) {
    from += rsFrom;
    c40 = v128.load(from); c41 = v128.load(from, 16); c42 = v128.load(from, 32); c43 = v128.load(from, 48);
  }
  if (rows > 5) {
    from += rsFrom;
    c50 = v128.load(from); c51 = v128.load(from, 16); c52 = v128.load(from, 32); c53 = v128.load(from, 48);
  }
  for (const end = b + ROW * k; b < end; b += ROW) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    let x = v128.load32_splat(a0); a0 += 4;
    c00 = madd(x, b0, c00); c01 = madd(x, b1, c01); c02 = madd(x, b2, c02); c03 = madd(x, b3, c03);
    x = v128.load32_splat(a1); a1 += 4;
    c10 = madd(x, b0, c10); c11 = madd(x, b1, c11); c12 = madd(x, b2, c12); c13 = madd(x, b3, c13);
    x = v128.load32_splat(a2); a2 += 4;
    c20 = madd(x, b0, c20); c21 = madd(x, b1, c21); c22 = madd(x, b2, c22); c23 = madd(x, b3, c23);
    x = v128.load32_splat(a3); a3 += 4;
    c30 = madd(x, b0, c30); c31 = madd(x, b1, c31); c32 = madd(x, b2, c32); c33 = madd(x, b3, c33);
    if (rows > 4) {
      x = v128.load32_splat(a4); a4 += 4;
      c40 = madd(x, b0, c40); c41 = madd(x, b1, c41); c42 = madd(x, b2, c42); c43 = madd(x, b3, c43);
    }
    if (rows > 5) {
      x = v128.load32_splat(a5); a5 += 4;
      c50 = madd(x, b0, c50); c51 = madd(x, b1, c51); c52 = madd(x, b2, c52); c53 = madd(x, b3, c53);
    }
  }
  v128.store(to, c00); v128.store(to, c01, 16); v128.store(to, c02, 32); v128.store(to, c03, 48);
  to += rsTo; v128.store(to, c10); v128.store(to, c11, 16); v128.store(to, c12, 32); v128.store(to, c13, 48);
  to += rsTo; v128.store(to, c20); v128.store(to, c21, 16); v128.store(to, c22, 32); v128.store(to, c23, 48);
  to += rsTo; v128.store(to, c30); v128.store(to, c31, 16); v128.store(to, c32, 32); v128.store(to, c33, 48);
  if (rows > 4) {
    to += rsTo; v128.store(to, c40); v128.store(to, c41, 16); v128.store(to, c42, 32); v128.store(to, c43, 48);
  }
  if (rows > 5) {
    to += rsTo; v128.store(to, c50); v128.store(to, c51, 16); v128.store(to, c52, 32); v128.store(to, c53, 48);
  }
}

function wide_tile_4(k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize): void {
  wide_tile(4, k, a, rsA, b, from, rsFrom, to, rsTo);
}

function wide_tile_most(
  k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize,
): void {
  wide_tile(MR, k, a, rsA, b, from, rsFrom, to, rsTo);
}

/** The tile of `rows` (MIN_MR to MR) rows and of 16 columns, of which the first `columns` are wanted. */
export function run_tile(
  rows: i32,
  columns: i32,
  k: i32,
  a: usize,
  rsA: usize,
  b: usize,
  from: usize,
  rsFrom: usize,
  to: usize,
  rsTo: usize,
): void {
  if (isWide && columns > HALF) {
    if (rows == MR) return wide_tile_most(k, a, rsA, b, from, rsFrom, to, rsTo);
    if (rows == 4) return wide_tile_4(k, a, rsA, b, from, rsFrom, to, rsTo);
  }
  for (; columns > 0; columns -= HALF) {
    if (MR > 5 && rows == 6) tile_6(k, a, rsA, b, from, rsFrom, to, rsTo);
    else if (rows == 5) tile_5(k, a, rsA, b, from, rsFrom, to, rsTo);
    else if (rows == 4) tile_4(k, a, rsA, b, from, rsFrom, to, rsTo);
    else tile_3(k, a, rsA, b, from, rsFrom, to, rsTo);
    b += 4 * HALF;
    from += 4 * HALF;
    to += 4 * HALF;
  }
}
