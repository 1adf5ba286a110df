// The entry `tapeloop/bench`: the benchmark suite, for hosts that start it themselves.

export { compareReports } from './bench/compare.ts';
export * from './bench/results.ts';
export { type BenchOptions, runBench } from './bench/run.ts';
export { mergeReports } from './bench/summary.ts';
