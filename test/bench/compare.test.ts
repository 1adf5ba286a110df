import { expect, test } from 'vitest';
import { compareReports } from '../../src/bench/compare.ts';
import { expectReport } from '../../src/bench/report-check.ts';
import type { BenchReport, WorkloadResult } from '../../src/bench/results.ts';
import { median } from '../../src/bench/statistics.ts';
import { RandomStream } from '../../src/engine/random.ts';

const NAMES = Array.from({ length: 45 }, (_, i) => `workload-${i}`);

/**
 * A report of as many rounds as the command has: 0.6% between processes, 2% between samples. `slower` has factors of
 * single workloads.
 */
function reportOf(seed: number, slower: Record<string, number> = {}, rounds = 8): BenchReport {
  const random = new RandomStream(seed);
  const results = NAMES.map((name, i): WorkloadResult => {
    const samples = Array.from({ length: rounds }, () => {
      const round = (1 + i) * (slower[name] ?? 1) * Math.exp(0.006 * random.nextNormal());
      return Array.from({ length: 20 }, () => round * Math.exp(0.02 * random.nextNormal()));
    });
    const id = `${name}/medium`;
    return {
      ...{ id, name, group: 'kernels', size: 'medium', stresses: '', build: 'simd', threads: 1, flops: 0, bytes: 0 },
      ...{ hash: name, verified: true, distance: null, samples, repeats: 1, dropped: 0, noisy: false, steady: true },
      ...{
        curve: [],
        callsToFullSpeed: null,
        p999: null,
        score: null,
        median: median(samples.flat()),
        low: 1,
        high: 1,
        fast: 1,
      },
    };
  });
  return {
    ...{ format: 'tapeloop-bench/1', version: '0', date: '', verified: true, seconds: 1, leftOut: [] },
    host: {
      ...{ runtime: 'node', version: '', engine: '', flags: [], cpu: null, cores: null, arch: null, clockMs: 0 },
      ...{ peakGflops: { simd: 1, relaxed: null }, peakGBs: 1 },
    },
    settings: { mode: 'reproducible', size: 'medium', rounds, iterations: null, only: '' },
    ...{ results, scores: {}, score: null },
  };
}

const namedBy = (before: BenchReport, after: BenchReport): string[] =>
  compareReports(before, after)
    .rows.filter(({ verdict }) => verdict !== 'same')
    .map(({ id, verdict }) => `${id} ${verdict}`);

test('compareReports, of two equal builds, calls all workloads the same in 19 of 20 comparisons', () => {
  const alarms = Array.from({ length: 60 }, (_, i) => namedBy(reportOf(2 * i), reportOf(2 * i + 1))).filter(
    (named) => named.length > 0,
  );
  expect(alarms.length).toBeLessThanOrEqual(6);
});

test('compareReports, of a workload that takes 5% more, names it and no other', () => {
  for (let i = 0; i < 20; i++) {
    const after = reportOf(1001 + 2 * i, { 'workload-7': 1.05 });
    expect(namedBy(reportOf(1000 + 2 * i), after)).toEqual(['workload-7/medium slower']);
    expect(namedBy(after, reportOf(1000 + 2 * i))).toEqual(['workload-7/medium faster']);
  }
});

test('compareReports, of reports of one round, names no difference below what processes of one build have', () => {
  expect(namedBy(reportOf(1, {}, 1), reportOf(2, { 'workload-3': 1.03 }, 1))).toEqual([]);
  expect(namedBy(reportOf(1, {}, 1), reportOf(2, { 'workload-3': 1.2 }, 1))).toEqual(['workload-3/medium slower']);
});

test('compareReports, of another result, of a missing workload and of no report, says so', () => {
  const [before, after] = [reportOf(1), reportOf(2)];
  after.results[3]!.hash = 'other';
  after.results.splice(5, 1);
  const { rows, missing, all } = compareReports(before, after);
  expect(rows.filter(({ isSameResult }) => !isSameResult).map(({ id }) => id)).toEqual(['workload-3/medium']);
  expect(missing).toEqual(['workload-5/medium']);
  expect(all.low).toBeLessThan(all.high);
  expect(() => compareReports(before, {} as BenchReport)).toThrow(
    'compareReports: after expected a report of the form tapeloop-bench/1, got an object',
  );
  const large = { ...after, settings: { ...after.settings, size: 'large' as const } };
  expect(() => compareReports(before, large)).toThrow(
    "compareReports: after expected the size 'medium' of before, got 'large'",
  );
  const once = { ...after, settings: { ...after.settings, iterations: 1 } };
  expect(() => compareReports(before, once)).toThrow(
    'compareReports: after expected the iterations null of before, got 1',
  );
  const none = { ...after, results: [] };
  expect(() => compareReports(before, none)).toThrow(
    'compareReports: after expected a workload that before has, got none',
  );
});

test.each([
  ['host', (report: BenchReport) => Object.assign(report, { host: undefined }), /host expected|host as a report/],
  [
    'flags',
    (report: BenchReport) => Object.assign(report.host, { flags: null }),
    'host.flags as a report has it, got null',
  ],
  [
    'settings',
    (report: BenchReport) => Object.assign(report.settings, { size: 'huge' }),
    "settings.size as a report has it, got 'huge'",
  ],
  [
    'a median',
    (report: BenchReport) => Object.assign(report.results[2]!, { median: 0 }),
    'results[2].median as a report has it, got 0',
  ],
  [
    'samples',
    (report: BenchReport) => Object.assign(report.results[0]!, { samples: [[]] }),
    'results[0].samples as a report has it',
  ],
  ['a result', (report: BenchReport) => Object.assign(report.results, { 1: null }), 'results[1], got null'],
])('expectReport, of a report whose %s is not right, names it', (_name, spoil, message) => {
  const report = structuredClone(reportOf(1));
  spoil(report);
  expect(() => expectReport('a.json', report)).toThrow(message);
});
