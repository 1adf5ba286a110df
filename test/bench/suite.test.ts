// The suite itself, at its smallest: every workload on every build of this host, verified.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hashes } from '../../src/bench/expected/hashes.ts';
import { references } from '../../src/bench/expected/references.ts';
import { type BenchReport, SIZES } from '../../src/bench/results.ts';
import { runBench } from '../../src/bench/run.ts';
import { mergeReports } from '../../src/bench/summary.ts';
import { distanceOf, hashOf } from '../../src/bench/verify.ts';
import { VERSION } from '../../src/bench/version.ts';
import { workloads } from '../../src/bench/workloads/all.ts';

describe('runBench, small and with two calls of each workload', () => {
  test.each(['reproducible', 'fast'] as const)('in mode %s, verifies every workload', async (mode) => {
    const report = await runBench({ size: 'small', mode, rounds: 1, iterations: 2 });
    expect(report.results.filter(({ verified }) => verified !== true).map(({ id }) => id)).toEqual([]);
    expect(report.verified).toBe(true);
    const ids = [...report.results, ...report.leftOut].map(({ id }) => id);
    expect(ids.sort()).toEqual(workloads.map(({ name }) => `${name}/small`).sort());
    // What Node lacks is relaxed SIMD alone, in version 20.
    expect(report.leftOut.filter(({ reason }) => reason !== 'this host has no relaxed SIMD')).toEqual([]);
    for (const { samples, distance, build } of report.results) {
      expect(samples).toEqual([[expect.any(Number), expect.any(Number)]]);
      expect(distance === null).toBe(mode === 'reproducible' && !build.startsWith('relaxed'));
    }
  });

  test('of a workload whose result is another one, says so by name', async () => {
    const known = hashes['gemv/small']!;
    (hashes as Record<string, string>)['gemv/small'] = known.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    try {
      const report = await runBench({ size: 'small', only: 'gemv', rounds: 2, iterations: 1 });
      expect(report.verified).toBe(false);
      expect(report.results.map(({ id, verified }) => [id, verified])).toEqual([
        ['gemv/small', false],
        ['gemv-int8/small', true],
      ]);
    } finally {
      (hashes as Record<string, string>)['gemv/small'] = known;
    }
  });
});

test('runBench, with quick samples, gives medians inside of their intervals and a host', async () => {
  const done: string[] = [];
  const onProgress = (name: string, index: number, count: number): unknown => done.push(`${name} ${index}/${count}`);
  const report = await runBench({ size: 'small', quick: true, rounds: 2, only: 'softmax,lstm-step', onProgress });
  expect(done).toEqual([
    'softmax 0/6',
    'lstm-step 1/6',
    'lstm-step-int8 2/6',
    'softmax 3/6',
    'lstm-step 4/6',
    'lstm-step-int8 5/6',
  ]);
  for (const { median, low, high, fast, samples, repeats, flops } of report.results) {
    expect(low).toBeLessThanOrEqual(median);
    expect(median).toBeLessThanOrEqual(high);
    expect(fast).toBeLessThanOrEqual(median);
    expect(samples).toHaveLength(2);
    expect(repeats).toBeGreaterThan(1);
    expect(flops / median / 1e6).toBeLessThan(2 * report.host.peakGflops.simd);
  }
  const { runtime, version } = report.host;
  expect([runtime, version]).toEqual(['node', process.versions.node]);
});

test.each([
  [{ size: 'huge' }, "runBench: size expected 'small', 'medium', 'large', got 'huge'"],
  [{ mode: 'exact' }, "runBench: mode expected 'reproducible', 'fast', got 'exact'"],
  [{ rounds: 0 }, 'runBench: rounds expected an integer ≥ 1, got 0'],
  [{ iterations: 1.5 }, 'runBench: iterations expected an integer ≥ 1, got 1.5'],
  [{ only: ['gemm'] }, /^runBench: only expected a string, got /],
  [{ tick: 5 }, 'runBench: tick expected a function, got 5'],
  [
    { only: 'nothing' },
    "runBench: only expected parts of names of workloads, such as 'gemm,lstm', got 'nothing' in 'nothing'",
  ],
  [{ round: 1 }, /^runBench: unknown option 'round'; did you mean/],
])('runBench, given %o, throws one error that says what it expected', async (options, message) => {
  await expect(runBench(options as object)).rejects.toThrow(message);
});

test('every workload has a hash, or that of another, and a reference in each size; no other has', () => {
  const own = workloads.filter(({ sameAs }) => sameAs === undefined);
  const ids = (list: typeof workloads): string[] => list.flatMap(({ name }) => SIZES.map((size) => `${name}/${size}`));
  expect(Object.keys(hashes).sort()).toEqual(ids(own).sort());
  for (const hash of Object.values(hashes)) expect(hash).toMatch(/^[\da-f]{64}$/);
  for (const { sameAs } of workloads) expect(sameAs === undefined || `${sameAs}/small` in hashes).toBe(true);
  // What the reference host cannot run has none.
  const scored = workloads.filter(({ needs }) => needs?.build !== 'relaxed');
  expect(Object.keys(references.times).sort()).toEqual(ids(scored).sort());
});

test('hashOf, of several arrays, is SHA-256 of their bytes; distanceOf, of a NaN, is infinite', () => {
  const arrays = [Float32Array.of(1, 2, 3).subarray(1), Int32Array.of(7)];
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  expect(hashOf(arrays)).toBe(hash.digest('hex'));
  expect(distanceOf([Float32Array.of(1, 3)], [Float32Array.of(1, 4)])).toBe(0.25);
  expect(distanceOf([Float32Array.of(Number.NaN)], [Float32Array.of(1)])).toBe(Number.POSITIVE_INFINITY);
  expect(distanceOf([Float32Array.of(1)], [Float32Array.of(1, 2)])).toBe(Number.POSITIVE_INFINITY);
});

test('the version in reports is that of the package', () => {
  expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
});

test.each<[string, () => number, RegExp]>([
  ['that stands still', () => 7, /^runBench: now expected a clock that goes on/],
  ['that gives no number', () => Number.NaN, /^runBench: now expected a function that gives milliseconds, got NaN$/],
])('runBench, of a clock %s, refuses it', async (_, now, message) => {
  await expect(runBench({ size: 'small', only: 'softmax', rounds: 1, now })).rejects.toThrow(message);
});

test('mergeReports, of reports that do not belong together, says so; another result is a wrong one', async () => {
  const report = await runBench({ size: 'small', only: 'softmax', rounds: 1, iterations: 1 });
  const other = (change: (copy: BenchReport) => void): BenchReport => {
    const copy = structuredClone(report);
    change(copy);
    return copy;
  };
  const merged = (change: (copy: BenchReport) => void) => () => mergeReports([report, other(change)]);
  expect(merged(({ settings }) => void (settings.size = 'large'))).toThrow(
    "mergeReports: reports[1] expected the size 'small', got 'large'",
  );
  expect(merged(({ host }) => void (host.engine = 'another'))).toThrow('mergeReports: reports[1] expected the engine');
  expect(() => mergeReports([report, {} as BenchReport])).toThrow('mergeReports: reports[1] expected a report');
  expect(() => mergeReports(undefined as never)).toThrow('mergeReports: reports expected a list');
  expect(merged(() => {})().verified).toBe(true);
  expect(merged(({ results }) => void (results[0]!.hash = '00'))().verified).toBe(false);
});
