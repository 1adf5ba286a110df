import { Init, type Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';

/** C `[m, n]` ← init + A `[m, k]` · B `[k, n]`, operands by address and strides in elements. */
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

// Floats of B packed at a time: with 1 MiB the packed part stays in a common L2 while it is used.
const PACK_FLOATS = 1 << 18;

/** Packs B in scratch, in slices of k when it is large, and multiplies. The order of summation is ascending k either way. */
export function product(engine: Engine, p: Product): void {
  const { kernels } = engine;
  const { m, n, k } = p;
  const slice = Math.max(1, Math.min(k, Math.floor(PACK_FLOATS / Math.max(kernels.gemm_packed_size(1, n), 1))));
  // Fewest rows that repay handing them to another thread.
  const grain = Math.max(6, Math.ceil(1e6 / Math.max(n * slice, 1)));
  engine.scratch(() => {
    const packed = engine.allocateScratch(kernels.gemm_packed_size(slice, n));
    let init = p.init ?? Init.Zero;
    let from = 0;
    do {
      const depth = Math.min(slice, k - from);
      const start = init;
      kernels.gemm_pack_b(depth, n, p.b + 4 * from * p.rsB, p.rsB, p.csB, packed);
      const [a, b] = [p.a + 4 * from * p.csA, p.bias ?? 0];
      engine.parallel(m, grain, ({ kernels: own, gemmScratch, from: top, to }) => {
        const [left, at] = [a + 4 * top * p.rsA, p.c + 4 * top * p.rsC];
        own.gemm(to - top, n, depth, left, p.rsA, p.csA, packed, at, p.rsC, start, b, gemmScratch);
      });
      init = Init.Accumulate;
      from += depth;
    } while (from < k);
  });
}
