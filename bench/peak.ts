// Measures the peak speed of this host. Other results are percentages of it.
import { Roof } from '../src/bench/kernels/roof-kernels.ts';
import type { Build } from '../src/engine/loading/load.ts';

/** Floating-point operations in one call of the function that `peakOf` returns. */
export const PEAK_FLOPS = 4_800_000;

/** Multiply-adds in registers alone, in one build. A call of the result runs `PEAK_FLOPS` operations. */
export function peakOf(build: Build): () => number {
  const roof = new Roof(build);
  // The first calls are short, because optimized code does not replace a running call.
  for (const start = performance.now(); performance.now() - start < 300; ) roof.spin(10_000);
  return () => roof.spin(PEAK_FLOPS);
}
