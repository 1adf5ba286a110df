// The format of results: that of `npm run bench`, with more fields for peers.
import type { BenchResult } from '../suite.ts';
import type { SuiteName } from './cases.ts';

export interface PeerResult extends Omit<BenchResult, 'medianMs' | 'minMs'> {
  suite: SuiteName;
  /** null if the engine cannot do the case, and for `memory`. */
  medianMs: number | null;
  minMs: number | null;
  /** Number of samples that were dropped because the host was slow. */
  dropped: number;
  /** Set if the host was slow during more than half of the samples. Then all samples are kept. */
  noisy?: true;
  /** Largest difference from the numbers of tapeloop, relative to the largest of them; null if nothing is compared. */
  difference: number | null;
  /** Rise of memory in MB, for `memory`. */
  megabytes?: number;
  note?: string;
  error?: string;
}

export interface Host {
  cpu: string;
  cores: number;
  arch: string;
  /** Version of Node in the processes of the engines. */
  node: string;
  v8: string;
  /** Peak speed in V8 with registers only: of 128-bit multiply and add, and of the fused operation. */
  peakGflops: Partial<Record<'simd' | 'relaxed', number>>;
  engines: Record<string, string>;
  date: string;
}

export interface Report {
  host: Host;
  results: PeerResult[];
}

export const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1]!;

/** A result without numbers, for any failure. */
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
