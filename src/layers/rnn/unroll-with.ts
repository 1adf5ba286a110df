import type { Tensor } from '../../autograd/tensor.ts';
import type { UnrollOptions, UnrollResult } from './recurrent.ts';

/** Scans x `[B, T, I]` from given states. It may be called for one part of a sequence after another. */
export type Scan = (x: Tensor, options: UnrollOptions) => UnrollResult;

/** How recurrent layers unroll a sequence with a scan: in one piece, unless `withUnroll` says otherwise. */
export let unrollWith = (scan: Scan, x: Tensor, options: UnrollOptions): UnrollResult => scan(x, options);

/** Runs `body`, in which recurrent layers unroll by `other`. */
export function withUnroll<T>(other: typeof unrollWith, body: () => T): T {
  const outer = unrollWith;
  unrollWith = other;
  try {
    return body();
  } finally {
    unrollWith = outer;
  }
}
