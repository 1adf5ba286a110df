// What a run of the benchmark suite gives: the JSON of every host. docs/guides/benchmark-suite.md describes it.

/** The version of this form. It changes when a field changes its meaning or goes. */
export const FORMAT = 'tapeloop-bench/1';

/** What the workloads stress, in the order in which they run. */
export const GROUPS = ['kernels', 'cells', 'models', 'streaming', 'life cycle', 'memory', 'threads', 'builds'] as const;
export type Group = (typeof GROUPS)[number];

/** How much one call of a workload computes. */
export const SIZES = ['small', 'medium', 'large'] as const;
export type Size = (typeof SIZES)[number];

/** What one run of the suite measured on one host. */
export interface BenchReport {
  format: typeof FORMAT;
  /** Version of tapeloop. */
  version: string;
  /** When the run began, ISO 8601. */
  date: string;
  host: BenchHost;
  settings: BenchSettings;
  /** In the order in which they ran. */
  results: WorkloadResult[];
  /** Workloads that this host cannot run, and why. */
  leftOut: { id: string; reason: string }[];
  /** One for each group that has results with a reference, by its name. */
  scores: Partial<Record<Group, Score>>;
  /** Of all groups; null without any. */
  score: Score | null;
  /** Whether every result has the bits, or is within the bound, that it must have. */
  verified: boolean;
  /** How long the run took. */
  seconds: number;
}

/** Where the suite ran. */
export interface BenchHost {
  /** `node`, `deno`, `bun`, `browser`, `workerd` or `shell`. */
  runtime: string;
  /** Version of the runtime, or what a browser calls itself. */
  version: string;
  /** The engine of WebAssembly and its version, as far as the host says. */
  engine: string;
  /** Flags of the engine. */
  flags: string[];
  cpu: string | null;
  cores: number | null;
  arch: string | null;
  /** The smallest time that the clock tells apart, in ms. */
  clockMs: number;
  /** Multiply-adds in registers alone, GFLOP/s, of the plain and of the fused build. It is the roof of a roofline. */
  peakGflops: { simd: number; relaxed: number | null };
  /** Copies within 64 MiB of memory, GB/s read and written. */
  peakGBs: number;
}

/** What the run was asked for. */
export interface BenchSettings {
  mode: 'reproducible' | 'fast';
  size: Size;
  /** Runs of the whole list. Each has new engines, and a new process where the host has processes. */
  rounds: number;
  /** Calls of each workload in a round, or null: as many as the time allows. */
  iterations: number | null;
  /** Texts that names of workloads must have, joined by commas; empty for all. */
  only: string;
}

/** What one workload took. Times are of one call, in ms. */
export interface WorkloadResult {
  /** `name/size`, which is the same on every host and in every later version. */
  id: string;
  name: string;
  group: Group;
  size: Size;
  /** What it stresses, in a few words. */
  stresses: string;
  /** The kernels: `simd` or `relaxed`, with `-wide` where products use tiles for 256-bit vectors. */
  build: string;
  threads: number;
  /** Operations of one call that its equations need; 0 where that says nothing. */
  flops: number;
  /** Bytes that one call must read and write at least; 0 where that says nothing. */
  bytes: number;
  /** SHA-256 of what the workload computes, in hexadecimal. */
  hash: string;
  /** Whether the hash, or in mode `fast` the distance, is as it must be; null without an expected one. */
  verified: boolean | null;
  /** In mode `fast` the largest difference from the verified result, as a part of its largest value. */
  distance: number | null;
  /** Times of the samples that count, by round. A sample is `repeats` calls. */
  samples: number[][];
  /** Calls in one sample. */
  repeats: number;
  /** Samples that were dropped because the host was slow around them. */
  dropped: number;
  /** Whether more than half were slow, so that all are kept. */
  noisy: boolean;
  /** Whether the warm-up of each round ended in times that no longer fell; true where there is none. */
  steady: boolean;
  median: number;
  /** 95% interval of the median, by bootstrap over rounds and samples. */
  low: number;
  high: number;
  /** A tenth of the samples are shorter: what scores and comparisons use. */
  fast: number;
  /** 99.9th percentile of single calls; null where the clock cannot tell them apart, or it is not asked. */
  p999: number | null;
  /** The first calls of the first round, one by one: how the engine becomes fast. */
  curve: number[];
  /** Calls until the times stay within 10% of the last ones; null if the curve does not show it. */
  callsToFullSpeed: number | null;
  /** 100 · the reference's `fast` / `fast`; null without a reference or a warm-up. */
  score: number | null;
}

/** 100 · the geometric mean of the reference's times over these, both `fast`, with its 95% interval. */
export interface Score {
  value: number;
  low: number;
  high: number;
}

/** How two reports compare, workload by workload. */
export interface Comparison {
  before: ComparedSide;
  after: ComparedSide;
  rows: ComparedWorkload[];
  /** Workloads that only one of the two has. */
  missing: string[];
  /** Geometric mean of the ratios, with its 95% interval. */
  all: Score;
}

/** What a comparison says of one of its reports. */
export interface ComparedSide {
  host: BenchHost;
  version: string;
  date: string;
  rounds: number;
  verified: boolean;
}

/** One workload of both reports. */
export interface ComparedWorkload {
  id: string;
  group: Group;
  /** ms of a call: the geometric mean over rounds of `fast`. */
  before: number;
  after: number;
  /** after / before, with its 95% interval. */
  ratio: number;
  low: number;
  high: number;
  verdict: 'faster' | 'slower' | 'same';
  /** Whether both computed the same bits, and none of them wrong ones. */
  isSameResult: boolean;
}
