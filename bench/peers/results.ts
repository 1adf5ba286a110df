// What a run gives: the results of `npm run bench`, and what only peers need.
import type { BenchResult } from '../suite.ts';
import type { SuiteName } from './cases.ts';

export interface PeerResult extends Omit<BenchResult, 'medianMs' | 'minMs'> {
  suite: SuiteName;
  /** null where the engine cannot do the case, and for `memory`. */
  medianMs: number | null;
  minMs: number | null;
  /** Samples left out, because the host was slow around them. */
  dropped: number;
  /** Set where more than half the samples were taken from a slow host, so that all of them were kept. */
  noisy?: true;
  /** Largest difference from tapeloop's numbers, relative to the largest of them; null where nothing is compared. */
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
  /** In registers alone, of 128-bit multiply and add, and fused, in V8. */
  peakGflops: Partial<Record<'simd' | 'relaxed', number>>;
  engines: Record<string, string>;
  date: string;
}

export interface Report {
  host: Host;
  results: PeerResult[];
}

export const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1]!;

/** A result without numbers: what every way of failing gives. */
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
