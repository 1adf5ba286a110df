// Measures the peak speed of this host. Other results are percentages of it.
import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import type { Build } from '../src/engine/loading/load.ts';

const ROUNDS = 50_000;
/**
 * Floating-point operations in one call of the function that `compilePeak` returns: 12 sums of 4 lanes, with 2
 * operations each.
 */
export const PEAK_FLOPS = ROUNDS * 12 * 4 * 2;

/** Compiles peak.ts, which uses only registers, for one build. A call of the result runs `PEAK_FLOPS` operations. */
export async function compilePeak(build: Build): Promise<() => number> {
  const source = readFileSync(new URL('./kernels/peak.ts', import.meta.url), 'utf8');
  const enable = build === 'relaxed' ? ['simd', 'relaxed-simd'] : ['simd'];
  const { error, stderr, binary } = await asc.compileString(source, { runtime: 'stub', optimizeLevel: 3, enable });
  if (!binary) throw new Error(`the peak kernel does not compile: ${error?.message}\n${stderr}`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(binary)), {});
  const peak = exports.peak as (rounds: number, factor: number, term: number) => number;
  // The first calls are short, because optimized code does not replace a running call.
  for (const start = performance.now(); performance.now() - start < 300; ) peak(100, 0.5, 0.25);
  return () => peak(ROUNDS, 0.5, 0.25);
}
