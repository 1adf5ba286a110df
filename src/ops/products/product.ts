import type { DeferredRows, Tape } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { Init, PANEL_COLUMNS, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { ELEMENTWISE_GRAIN, type Part } from '../../engine/threads.ts';

/** The least number of multiply-adds for which another thread is worth its cost. */
export const PRODUCT_GRAIN = 1e6;
const TILE_ROWS = 6;

/** C `[m, n]` ← init + A `[m, k]` · B `[k, n]`. Operands are given by address and by strides in elements. */
export interface Product {
  m: number;
  n: number;
  k: number;
  a: Ptr;
  rsA: number;
  csA: number;
  b: Ptr;
  rsB: number;
  csB: number;
  c: Ptr;
  rsC: number;
  /** One of `Init`; default `Init.Zero`. */
  init?: number;
  bias?: Ptr;
}

/**
 * Number of columns that are packed at a time. More columns let C leave the cache between two slices of k. With fewer
 * columns an A that has to be packed too is packed more often. Half of them suffice for a small B, in half the scratch.
 */
const columnsOf = (n: number, k: number): number => Math.min(n, n * k > 2 ** 20 ? 512 : 256);

/**
 * Number of steps of k that are packed at a time: at least 256, because C is read and written again for each slice. A
 * slice has at most 512 kB, which stay in a common L2 cache while they are used.
 */
const sliceOf = (k: number, width: number): number =>
  Math.max(1, Math.min(k, Math.max(Math.floor(2 ** 16 / width), 256)));

/**
 * Multiplies in blocks of columns, and in each block in slices of k. A slice of B is packed in scratch. The order of
 * summation is ascending k for any blocks.
 *
 * Threads share the columns if each gets a block of them: it packs its own slices, so the threads wait for each other
 * once. Otherwise they share the packing and the rows of each slice.
 */
export function product(engine: Engine, p: Product): void {
  const { kernels, threads } = engine;
  const columns = columnsOf(p.n, p.k);
  const sharesColumns = threads > 1 && (p.n >= p.m || p.n >= threads * columns);
  const width = sharesColumns ? Math.min(columns, PANEL_COLUMNS * Math.ceil(p.n / PANEL_COLUMNS / threads)) : columns;
  const slice = sliceOf(p.k, Math.max(kernels.gemm_packed_size(1, width), 1));
  const size = kernels.gemm_packed_size(slice, width);
  engine.scratch(() => {
    const packed = engine.allocateScratch(sharesColumns ? threads * size : size);
    if (!sharesColumns) {
      inBlocks(p, 0, p.n, width, slice, (block) => shareRows(engine, p, block, packed));
      return;
    }
    // The least number of panels for which another thread is worth its cost.
    const grain = PRODUCT_GRAIN / Math.max(PANEL_COLUMNS * p.m * p.k, 1);
    engine.parallel(Math.ceil(p.n / PANEL_COLUMNS), grain, ({ kernels: own, gemmScratch, index, from, to }) => {
      const at = packed + 4 * index * size;
      const end = Math.min(to * PANEL_COLUMNS, p.n);
      inBlocks(p, from * PANEL_COLUMNS, end, width, slice, ({ n, depth, a, b, c, init, bias }) => {
        own.gemm_pack_b(depth, n, b, p.rsB, p.csB, at);
        own.gemm(p.m, n, depth, a, p.rsA, p.csA, at, c, p.rsC, init, bias, gemmScratch);
      });
    });
  });
}

/** One slice of one block of columns: C `[m, n]` ← init + A `[m, depth]` · B `[depth, n]`. */
interface Block {
  n: number;
  depth: number;
  a: Ptr;
  b: Ptr;
  c: Ptr;
  init: number;
  bias: Ptr;
}

/** Calls `multiply` for the slices of the columns [start, end). */
function inBlocks(
  p: Product,
  start: number,
  end: number,
  width: number,
  slice: number,
  multiply: (block: Block) => void,
): void {
  for (let column = start; column < end; column += width) {
    let init = p.init ?? Init.Zero;
    let from = 0;
    do {
      const depth = Math.min(slice, p.k - from);
      multiply({
        n: Math.min(width, end - column),
        depth,
        a: p.a + 4 * from * p.csA,
        b: p.b + 4 * (from * p.rsB + column * p.csB),
        c: p.c + 4 * column,
        init,
        bias: (p.bias ?? 0) + 4 * column,
      });
      init = Init.Accumulate;
      from += depth;
    } while (from < p.k);
  }
}

/** `gemm_pack_b` of B `[k, n]` with all threads. */
export function packShared(engine: Engine, k: number, n: number, b: Ptr, rsB: number, csB: number, packed: Ptr): void {
  const { kernels } = engine;
  const grain = (2 * ELEMENTWISE_GRAIN) / (PANEL_COLUMNS * Math.max(k, 1));
  engine.parallel(Math.ceil(n / PANEL_COLUMNS), grain, ({ kernels: own, from, to }) => {
    const [column, end] = [from * PANEL_COLUMNS, Math.min(to * PANEL_COLUMNS, n)];
    const at = packed + 4 * kernels.gemm_packed_size(k, column);
    own.gemm_pack_b(k, end - column, b + 4 * column * csB, rsB, csB, at);
  });
}

/** Packs B with all threads, then multiplies with all threads. */
function shareRows(engine: Engine, p: Product, { n, depth, a, b, c, init, bias }: Block, packed: Ptr): void {
  packShared(engine, depth, n, b, p.rsB, p.csB, packed);
  // The least number of rows for which another thread is worth its cost.
  const grain = PRODUCT_GRAIN / Math.max(n * depth, 1);
  const multiply = ({ kernels: own, gemmScratch, from: top, to }: Part): void => {
    const [left, at] = [a + 4 * top * p.rsA, c + 4 * top * p.rsC];
    own.gemm(to - top, n, depth, left, p.rsA, p.csA, packed, at, p.rsC, init, bias, gemmScratch);
  };
  engine.parallel(p.m, grain, multiply, TILE_ROWS);
}

/** C `[m, n]` ← init + Aᵀ·B for A `[rows, m]` and B `[rows, n]` with row strides ldA and ldB. */
export interface RowSum {
  rows: number;
  m: number;
  n: number;
  a: Ptr;
  ldA: number;
  b: Ptr;
  ldB: number;
  c: Ptr;
  ldC: number;
  /** One of `Init`. */
  init: number;
  /** Whether rows are summed from the last to the first, so that the sum may continue with rows before them. */
  backwards: boolean;
}

/** Computes a `RowSum`. */
export function rowSum(engine: Engine, { rows, m, n, a, ldA, b, ldB, c, ldC, init, backwards }: RowSum): void {
  const [first, sign] = backwards ? [rows - 1, -1] : [0, 1];
  product(engine, {
    m,
    n,
    k: rows,
    a: a + 4 * first * ldA,
    rsA: 1,
    csA: sign * ldA,
    b: b + 4 * first * ldB,
    rsB: sign * ldB,
    csB: 1,
    c,
    rsC: ldC,
    init,
  });
}

/** left·kernel, rows times a weight: `[rows, inputs]` · `[inputs, width]`. */
export interface RowProduct {
  engine: Engine;
  left: Tensor;
  kernel: Tensor;
  rows: number;
  inputs: number;
  width: number;
}

/** Adds leftᵀ·dProduct to the gradient of the kernel. */
export function kernelBackward(tape: Tape, p: RowProduct, dProduct: Ptr): void {
  const { engine, left, kernel, rows, inputs, width } = p;
  const dKernel = tape.into(kernel);
  if (!dKernel) return;
  product(engine, {
    m: inputs,
    n: width,
    k: rows,
    a: left.ptr,
    rsA: 1,
    csA: inputs,
    b: dProduct,
    rsB: width,
    csB: 1,
    c: dKernel.ptr,
    rsC: width,
    init: dKernel.accumulate,
  });
}

/** The gradient of the left operand, dProduct·kernelᵀ, as a deferred gradient. */
export function leftGradient({ engine, kernel, rows, inputs, width }: RowProduct, dProduct: Ptr): DeferredRows {
  const { kernels } = engine;
  const scratchFloats = kernels.gemm_packed_size(width, inputs);
  return {
    width: inputs,
    scratchFloats,
    make({ ptr, accumulate }) {
      product(engine, {
        m: rows,
        n: inputs,
        k: width,
        a: dProduct,
        rsA: width,
        csA: 1,
        b: kernel.ptr,
        rsB: 1,
        csB: width,
        c: ptr,
        rsC: inputs,
        init: accumulate,
      });
    },
    begin() {
      const packed = engine.allocateScratch(scratchFloats);
      kernels.gemm_pack_b(width, inputs, kernel.ptr, 1, width, packed);
      return (own, gemmScratch, from, count, at) => {
        const a = dProduct + 4 * from * width;
        own.gemm(count, inputs, width, a, width, 1, packed, at, inputs, Init.Zero, 0, gemmScratch);
      };
    },
  };
}
