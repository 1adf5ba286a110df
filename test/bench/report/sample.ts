// Made-up but plausible reports: groups, a wrong result, noisy and unsteady ones, some without a reference.
import {
  type BenchReport,
  type ComparedSide,
  type Comparison,
  FORMAT,
  type Group,
  type WorkloadResult,
} from '../../../src/bench/results.ts';

/** Curves that fall from `first` to `last`, as code becomes optimized. */
const falling = (first: number, last: number, calls = 60): number[] =>
  Array.from({ length: calls }, (_, i) => last + (first - last) / (1 + (i / 6) ** 4));

interface Given extends Partial<WorkloadResult> {
  id: string;
  group: Group;
  median: number;
}

function result({ id, median, ...given }: Given): WorkloadResult {
  const [name, size] = id.split('/') as [string, WorkloadResult['size']];
  return {
    ...{ id, name, size, median, stresses: 'products of matrices', build: 'relaxed', threads: 1 },
    ...{ flops: 0, bytes: 0, hash: 'ab'.repeat(32), verified: true, distance: null },
    ...{ samples: [[median, median * 1.01]], repeats: 4, dropped: 0, noisy: false, steady: true },
    ...{ low: median * 0.994, high: median * 1.006, fast: median * 0.99, p999: null },
    ...{ curve: falling(median * 12, median), callsToFullSpeed: 13, score: 100 },
    ...given,
  };
}

const RESULTS: Given[] = [
  { id: 'gemm/small', group: 'kernels', median: 0.0123, flops: 524_288, bytes: 49_152, score: 103.2 },
  { id: 'gemm/medium', group: 'kernels', median: 0.65, flops: 33_554_432, bytes: 786_432, score: 98.7 },
  { id: 'gemm-int8/medium', group: 'kernels', median: 0.42, flops: 33_554_432, bytes: 262_144, score: 121.4 },
  { id: 'tanh/medium', group: 'kernels', median: 0.081, flops: 1_310_720, bytes: 524_288, score: 71.5, noisy: true },
  { id: 'lstm-forward/medium', group: 'cells', median: 4.56, flops: 209_715_200, bytes: 4_194_304, score: 101.9 },
  {
    ...{ id: 'gru-backward-masked/medium', group: 'cells', median: 9.87, flops: 314_572_800, bytes: 8_388_608 },
    ...{ score: 93.4, verified: false },
  },
  { id: 'character-model/large', group: 'models', median: 1234, flops: 41_000_000_000, bytes: 90_000_000, score: 99.1 },
  { id: 'ctc/medium', group: 'models', median: 21.4, score: 300.5, steady: false, callsToFullSpeed: null },
  {
    ...{ id: 'lstm-step/small', group: 'streaming', median: 0.00912, flops: 262_144, bytes: 131_072 },
    ...{ p999: 0.0187, score: 104.4 },
  },
  { id: 'instantiate/small', group: 'life cycle', median: 0.87, score: null, verified: null, curve: [] },
  {
    ...{ id: 'gemm-threads-4/large', group: 'threads', median: 12.1, flops: 2_147_483_648, bytes: 25_165_824 },
    ...{ threads: 4, score: 97.3 },
  },
  {
    id: 'gemm-simd/medium',
    group: 'builds',
    median: 0.81,
    flops: 33_554_432,
    bytes: 786_432,
    build: 'simd',
    score: 99.8,
  },
];

/** A report of one run. */
export const sampleReport = (given: Partial<BenchReport> = {}): BenchReport => ({
  format: FORMAT,
  version: '0.2.0',
  date: '2026-11-30T12:05:00.000Z',
  host: {
    ...{ runtime: 'node', version: '24.11.1', engine: 'V8 13.6.233.10', flags: ['--no-liftoff'] },
    ...{ cpu: 'Model <X> | 3.1 GHz', cores: 4, arch: 'x64', clockMs: 0.000061 },
    ...{ peakGflops: { simd: 54.3, relaxed: 98.1 }, peakGBs: 18.2 },
  },
  settings: { mode: 'reproducible', size: 'medium', rounds: 3, iterations: null, only: '' },
  results: RESULTS.map(result),
  leftOut: [{ id: 'memory-2gb/large', reason: 'the host grants 1 GiB at most' }],
  scores: {
    kernels: { value: 96.8, low: 96.1, high: 97.6 },
    cells: { value: 97.6, low: 97.1, high: 98.1 },
    models: { value: 172.6, low: 171, high: 174.3 },
    streaming: { value: 104.4, low: 103.9, high: 104.8 },
    threads: { value: 97.3, low: 96.8, high: 98 },
    builds: { value: 99.8, low: 99.1, high: 100.6 },
  },
  score: { value: 109.2, low: 108.6, high: 109.9 },
  verified: false,
  seconds: 142.7,
  ...given,
});

/** A run of another day or host whose times are `factor` times as long, more or less. */
export function laterReport(factor: number, date: string, host: Partial<BenchReport['host']> = {}): BenchReport {
  const report = sampleReport();
  const scaled = (value: number | null, by: number): number | null => (value === null ? null : value * by);
  const results = report.results.map((each, i) => {
    const by = factor * (1 + 0.03 * Math.sin(i * 2 + factor));
    const { median, low, high, fast, curve, score } = each;
    return {
      ...each,
      ...{
        median: median * by,
        low: low * by,
        high: high * by,
        fast: fast * by,
        curve: curve.map((time) => time * by),
      },
      ...{ score: scaled(score, 1 / by), verified: each.verified === null ? null : true },
    };
  });
  const faster = <T extends { value: number; low: number; high: number }>({ value, low, high }: T) => ({
    ...{ value: value / factor, low: low / factor, high: high / factor },
  });
  return {
    ...report,
    ...{ results, date, verified: true, host: { ...report.host, ...host }, score: faster(report.score!) },
    scores: Object.fromEntries(Object.entries(report.scores).map(([group, score]) => [group, faster(score)])),
  };
}

const compared = (id: string, ratio: number, verdict: 'faster' | 'slower' | 'same', isSameResult = true) => ({
  ...{
    id,
    group: 'kernels' as const,
    before: 0.65,
    after: 0.65 * ratio,
    ratio,
    low: ratio - 0.011,
    high: ratio + 0.012,
  },
  ...{ verdict, isSameResult },
});

const side = (verified: boolean): ComparedSide => {
  const { host, version, date, settings } = sampleReport();
  return { host, version, date, rounds: settings.rounds, verified };
};

export const sampleComparison: Comparison = {
  before: side(true),
  after: side(false),
  rows: [
    compared('gemm/small', 1.004, 'same'),
    compared('gemm/medium', 1.052, 'slower'),
    compared('tanh/medium', 0.91, 'faster'),
    compared('lstm-forward/medium', 1.083, 'slower', false),
    compared('ctc/medium', 0.998, 'same'),
  ],
  missing: ['memory-2gb/large'],
  all: { value: 1.012, low: 1.003, high: 1.021 },
};
