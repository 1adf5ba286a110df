/*
 * The microkernel of GEMM: a tile of C that stays in registers while it is summed over k.
 *
 *   to[r, j] = from[r, j] + Σ_p a[r, p]·b[p, j]      r < rows, j < 8, p = 0 … k − 1 in ascending order
 *
 *            b0   b1        a      row r at a + r·rsA, its k floats side by side
 *   a0[p] → c00  c01        b      a panel of packed B, [k, 8], dense
 *   a1[p] → c10  c11        from   where the sums start: row r at from + r·rsFrom, 8 floats; rsFrom = 0 repeats one
 *     …                            row, such as a bias
 *   a5[p] → c50  c51        to     where the sums go: row r at to + r·rsTo, 8 floats; may be from
 *
 * Pointers are byte addresses, row strides are bytes. to does not overlap a or b. Called by gemm.ts. Source: the
 * microkernel of BLIS (Van Zee and van de Geijn 2015, https://doi.org/10.1145/2764454).
 *
 * V8 leaves 15 vector registers on x64. The fused 6×8 tile takes 12 sums, 2 of B and 1 of A: 15. The plain 5×8 tile
 * takes 10 sums, 2 of B, 1 of A and 1 product: 14. The loop over k is not unrolled. In straight-line steps Binaryen
 * moves each sum into the next one. The sums become long dependent chains, the loaded vectors spill, and a third of the
 * speed is lost.
 */
import { madd } from '../simd';

/** Columns of a panel, which BLIS calls micro-panel. `PANEL_COLUMNS` of src/engine/abi.ts is the same number. */
export const NR: i32 = 8;
/** Greatest number of rows of a tile. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
/**
 * Least number of rows of a tile. A tile of 1 or 2 rows has only 2 or 4 sums, too few to hide their latency. gemv.ts
 * has 8 sums and is faster, although it reads B once for each row.
 */
export const MIN_MR: i32 = 3;

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
  for (const end = b + 32 * <usize>k; b < end; b += 32) {
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

/** The tile of `rows` (MIN_MR to MR) rows. */
export function run_tile(
  rows: i32, k: i32, a: usize, rsA: usize, b: usize, from: usize, rsFrom: usize, to: usize, rsTo: usize,
): void {
  if (MR > 5 && rows == 6) tile_6(k, a, rsA, b, from, rsFrom, to, rsTo);
  else if (rows == 5) tile_5(k, a, rsA, b, from, rsFrom, to, rsTo);
  else if (rows == 4) tile_4(k, a, rsA, b, from, rsFrom, to, rsTo);
  else tile_3(k, a, rsA, b, from, rsFrom, to, rsTo);
}
