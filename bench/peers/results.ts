// The results of a run: those of `npm run bench`, and fields that only peers need.
import type { BenchResult } from '../suite.ts';
import type { SuiteName } from './cases.ts';

export interface PeerResult extends Omit<BenchResult, 'medianMs' | 'minMs'> {
  suite: SuiteName;
  /** null if the engine cannot do the case, and for `memory`. */
  medianMs: number | null;
  minMs: number | null;
  /** Samples left out, because the host was slow around them. */
  dropped: number;
  /** Set if the host was slow for more than half of the samples. All samples are then kept. */
  noisy?: true;
  /** Largest difference from tapeloop's numbers, relative to the largest of them; null if nothing is compared. */
  difference: number | null;
  /** How far memory rose, for `memory`. */
  megabytes?: number;
  note?: string;
  error?: string;
}

export interface Host {
  cpu: string;
  cores: number;
  arch: string;
  /** Of the engines' processes. */
  node: string;
  v8: string;
  /** Speed in V8 with registers only, of 128-bit multiply and add and of the fused operation. */
  peakGflops: Partial<Record<'simd' | 'relaxed', number>>;
  engines: Record<string, string>;
  date: string;
}

export interface Report {
  host: Host;
  results: PeerResult[];
}

export const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1]!;

/** A result without numbers, for every kind of failure. */
export const failure = (of: Pick<PeerResult, 'suite' | 'case' | 'engine' | 'threads'>, error: unknown): PeerResult => ({
  ...of,
  medianMs: null,
  minMs: null,
  runs: 0,
  gflops: null,
  percentOfPeak: null,
  dropped: 0,
  difference: null,
  error: (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim(),
});
