import { runInNewContext } from 'node:vm';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { terminalComparison, terminalReport } from '../../../src/bench/report/terminal.ts';
import { sampleComparison, sampleReport } from './sample.ts';

const report = sampleReport();

/** Texts are compared line by line, so that a difference can be read. */
const linesOf = (text: string): string[] => text.split('\n');

describe('terminalReport', () => {
  test('of a run, 80 columns wide, has facts, tables with bars, notes and the score', () => {
    expect(linesOf(terminalReport(report))).toEqual(linesOf(AT_80));
  });

  test('120 columns wide, has the builds and longer bars', () => {
    const lines = linesOf(terminalReport(report, { width: 120 }));
    expect(lines.slice(29, 34)).toEqual(AT_120);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test.each([40, 60, 80, 100, 200])('%d columns wide, has no longer line', (width) => {
    for (const line of linesOf(terminalReport(report, { width })))
      expect([line, line.length <= width]).toEqual([line, true]);
  });

  test('without references, has no bars, no scores and says so', () => {
    const results = report.results.map((result) => ({ ...result, score: null }));
    const text = terminalReport(sampleReport({ results, scores: {}, score: null }));
    expect(text).not.toMatch(/[█┊]|scores/);
    expect(linesOf(text).at(-1)).toBe('No score: no workload has a reference.');
  });

  test('without expected results, does not say that they are right', () => {
    const results = report.results.map((result) => ({ ...result, verified: null, steady: false }));
    const text = terminalReport(sampleReport({ results, verified: true }));
    expect(text).toContain('\nverified  not known: no result has an expected one\n');
    expect(text).toContain('\n~ not steady, times still fell at the end of the warm-up: all\n');
  });

  test('without results, is facts and a sentence', () => {
    const text = terminalReport(sampleReport({ results: [], scores: {}, score: null, verified: true, leftOut: [] }));
    expect(linesOf(text).slice(-3)).toEqual(['verified  no results', '', 'No score: no workload has a reference.']);
  });

  test('of a host without relaxed SIMD, has one peak, and no share of the other', () => {
    const host = { ...report.host, peakGflops: { simd: 54.3, relaxed: null } };
    const text = terminalReport(sampleReport({ host }), { width: 100 });
    expect(text).toContain('peaks     simd 54.3 GFLOP/s a thread, 18.2 GB/s\n');
    expect(text.match(/(?<![.\d])\d+%/g)).toHaveLength(1);
  });

  test('in colours, is the same text between the codes', () => {
    const text = terminalReport(report, { color: true });
    expect(text).toContain('\x1b[31m✗ 1 of 12 results wrong: gru-backward-masked/medium\x1b[0m');
    expect(text).toContain('\x1b[33mtanh/medium');
    expect(text.replaceAll(ANSI, '')).toBe(terminalReport(report));
  });

  test('of a host whose texts have escapes, has none', () => {
    const host = { ...report.host, engine: 'V8\x1b[2J\n13', flags: ['\x07--x'] };
    expect(terminalReport(sampleReport({ host }))).not.toMatch(CONTROLS);
  });
});

test('terminalReport, in a scope of the language alone, gives the same text', () => {
  const { outputFiles } = buildSync({
    ...{ entryPoints: ['src/bench/report/terminal.ts'], bundle: true, write: false },
    ...{ format: 'iife', globalName: 'made', platform: 'neutral' },
  });
  const text = runInNewContext(`${outputFiles[0]!.text}; made.terminalReport(JSON.parse(json));`, {
    json: JSON.stringify(report),
  });
  expect(text).toBe(terminalReport(report));
});

describe('terminalComparison', () => {
  test('of two runs, has the worst first and a sentence at the end', () => {
    expect(linesOf(terminalComparison(sampleComparison))).toEqual(linesOf(COMPARED));
  });

  test('of equal runs, says that there is no difference', () => {
    const rows = sampleComparison.rows.filter(({ verdict }) => verdict === 'same');
    const text = terminalComparison({
      ...sampleComparison,
      rows,
      missing: [],
      all: { value: 1.001, low: 0.99, high: 1.012 },
    });
    expect(linesOf(text).slice(-2).join(' ')).toBe(
      'Of 2 workloads, 0 are slower, 0 are faster, 2 are the same; in all no difference, ratio 1.001 (0.990–1.012).',
    );
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the codes of colours
const ANSI = /\x1b\[\d+m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
const CONTROLS = /[\x00-\x09\x0b-\x1f]/;

const AT_80 = `tapeloop 0.2.0 benchmark suite
host      node 24.11.1, Model <X> | 3.1 GHz, 4 cores, x64
engine    V8 13.6.233.10
flags     --no-liftoff
build     relaxed
run       reproducible, size medium, 3 rounds, 143 s, 2026-11-30 12:05 UTC
clock     61.0 ns
peaks     simd 54.3 GFLOP/s, relaxed 98.1 GFLOP/s a thread, 18.2 GB/s
verified  ✗ 1 of 12 results wrong: gru-backward-masked/medium

kernels                         median      ±  GFLOP/s  of peak  score
gemm/small                     12.3 µs  ±0.6%     42.6      43%  103.2  ███▎
gemm/medium                     650 µs  ±0.6%     51.6      53%   98.7  ███▏
gemm-int8/medium                420 µs  ±0.6%     79.9      81%  121.4  ███▉
tanh/medium                 !  81.0 µs  ±0.6%     16.2      16%   71.5  ██▎┊

cells                           median      ±  GFLOP/s  of peak  score
lstm-forward/medium            4.56 ms  ±0.6%     46.0      47%  101.9  ███▎
gru-backward-masked/medium  ✗  9.87 ms  ±0.6%     31.9      32%   93.4  ███┊

models                          median      ±  GFLOP/s  of peak  score
character-model/large           1.23 s  ±0.6%     33.2      34%   99.1  ███▏
ctc/medium                  ~  21.4 ms  ±0.6%                    300.5  ███████▶

streaming              median      ±    99.9%  GFLOP/s  of peak  score
lstm-step/small       9.12 µs  ±0.6%  18.7 µs     28.7      29%  104.4  ███▍

life cycle                                               median      ±
instantiate/small                                        870 µs  ±0.6%

threads                         median      ±  GFLOP/s  of peak  score
gemm-threads-4/large           12.1 ms  ±0.6%      177      45%   97.3  ███▏

builds             build        median      ±  GFLOP/s  of peak  score
gemm-simd/medium   simd         810 µs  ±0.6%     41.4      76%   99.8  ███▎

scores                                                        ±  score
kernels                                                   ±0.8%   96.8  ███▏
cells                                                     ±0.5%   97.6  ███▏
models                                                    ±1.0%  172.6  █████▌
streaming                                                 ±0.4%  104.4  ███▍
threads                                                   ±0.6%   97.3  ███▏
builds                                                    ±0.8%   99.8  ███▎
all                                                       ±0.6%  109.2  ███▌

✗ wrong result: gru-backward-masked/medium
! noisy, more than half of the samples were slow: tanh/medium
~ not steady, times still fell at the end of the warm-up: ctc/medium
left out: memory-2gb/large, the host grants 1 GiB at most

Score 109.2 ±0.6%, where the reference run has 100; 1 workload without a
reference.`;

const AT_120 = [
  '',
  'threads               build        median      ±  GFLOP/s  of peak  score',
  'gemm-threads-4/large  relaxed ×4  12.1 ms  ±0.6%      177      45%   97.3  ████████████▌',
  '',
  'builds                build        median      ±  GFLOP/s  of peak  score',
];

const COMPARED = `Before and after
before  node 24.11.1, V8 13.6.233.10, --no-liftoff, Model <X> | 3.1 GHz,
        tapeloop 0.2.0, 3 rounds, 2026-11-30 12:05 UTC
after   node 24.11.1, V8 13.6.233.10, --no-liftoff, Model <X> | 3.1 GHz,
        tapeloop 0.2.0, 3 rounds, 2026-11-30 12:05 UTC, WRONG RESULTS

workloads               before   after  after / before  95% interval  verdict
lstm-forward/medium  ≠  650 µs  704 µs           1.083   1.072–1.095  slower
gemm/medium             650 µs  684 µs           1.052   1.041–1.064  slower
gemm/small              650 µs  653 µs           1.004   0.993–1.016  same
ctc/medium              650 µs  649 µs           0.998   0.987–1.010  same
tanh/medium             650 µs  592 µs           0.910   0.899–0.922  faster

≠ the two results differ: lstm-forward/medium
in one of the two alone: memory-2gb/large

Of 5 workloads, 2 are slower (most lstm-forward/medium, 8.3% more time), 1 is
faster (most tanh/medium, 9.0% less time), 2 are the same; in all 1.2% more
time, ratio 1.012 (1.003–1.021).`;
