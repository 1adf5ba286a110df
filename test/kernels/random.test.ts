// The generator against the known answers of its authors, then what rests on it: cuts, masks, moments, independence.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectSameBits } from './compare.ts';
import { philox, word } from './reference/philox.ts';
import { counts, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

describe('philox reference', () => {
  // philox4x32, 10 rounds, from kat_vectors of Random123 1.14 (D. E. Shaw Research).
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [new Array(4).fill(0xffffffff), [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('counter %o, key %o gives the known answer', (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

  /** The upper 24 bits of each word. */
  function words(count: number, low: number, high: number, counter: number): Float32Array {
    sandbox.clear();
    const y = sandbox.f32(count, true);
    kernels.random_uniform(count, 0, 1, low, high, counter, y);
    sandbox.checkFences();
    return sandbox.read(y, count).map((v) => v * 2 ** 24);
  }

  function dropout(x: ArrayLike<number>, rate: number, low: number, high: number, counter: number, misaligned = false) {
    sandbox.clear();
    const [xAt, y] = [sandbox.f32(x, misaligned), sandbox.f32(x.length, misaligned)];
    kernels.dropout(x.length, rate, low, high, counter, xAt, y);
    sandbox.checkFences();
    return sandbox.read(y, x.length);
  }

  test.each([
    [0, 0, 0],
    [0xffffffff, 0x80000000, 1],
    [0xdeadbeef, 7, 6],
    [1, 2, 4 * (2 ** 32 - 2) + 3],
    [3, 0xcafef00d, 2 ** 53 - 80],
  ])('seed (%i, %i) from counter %i gives Philox words', (low, high, counter) => {
    const expected = Array.from({ length: 75 }, (_, i) => word(counter + i, low, high) >>> 8);
    expectSameBits(words(75, low, high, counter), expected, 'words');
  });

  test('the same bits wherever a range is cut', () => {
    const whole = words(200, 11, 22, 1000);
    fc.assert(
      fc.property(fc.nat({ max: 199 }), fc.nat({ max: 60 }), (start, length) => {
        const count = Math.min(length, 200 - start);
        const what = `elements ${start} to ${start + count}`;
        expectSameBits(words(count, 11, 22, 1000 + start), whole.subarray(start, start + count), what);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test.each(counts)('dropout, count=%i, keeps by the mask, apart and in place', (count) => {
    const x = values(count, 1);
    for (const rate of [0, 0.1, 0.5, 0.9]) {
      const kept = Math.fround(1 / (1 - rate));
      const expected = x.map((v, i) => (word(5 + i, 1, 2) < rate * 2 ** 32 ? 0 : v * kept));
      for (const misaligned of [false, true]) {
        expectSameBits(dropout(x, rate, 1, 2, 5, misaligned), expected, `dropout of ${count}, rate ${rate}`);
      }
      sandbox.clear();
      const at = sandbox.f32(x);
      kernels.dropout(count, rate, 1, 2, 5, at, at);
      expectSameBits(sandbox.read(at, count), expected, `dropout in place of ${count}, rate ${rate}`);
    }
  });

  test('dropout gives dy the mask it gave x', () => {
    const [x, dy] = [new Float32Array(999).fill(1), values(999, 3).map((v) => v + 2)];
    const [y, dx] = [dropout(x, 0.4, 8, 9, 77), dropout(dy, 0.4, 8, 9, 77)];
    expectSameBits(
      dx,
      dy.map((v, i) => v * y[i]!),
      'dx',
    );
  });

  test('a dropped NaN or infinity is 0, and a rate of 1 drops all', () => {
    const bad = new Float32Array(64).map((_, i) => [Number.NaN, Infinity, -Infinity, -1][i % 4]!);
    const y = dropout(bad, 0.5, 1, 1, 0);
    expectSameBits(
      y,
      bad.map((v, i) => (word(i, 1, 1) < 2 ** 31 ? 0 : 2 * v)),
      'dropout',
    );
    expectSameBits(dropout(bad, 1, 1, 1, 0), new Float32Array(64), 'rate 1');
  });

  test('uniform numbers stay in [low, high) and reach near both ends', () => {
    for (const [low, high] of [
      [0, 1],
      [-0.25, 0.25],
      [-1, 0],
      [1, 1 + 2 ** -22],
      [100, 101],
    ] as [number, number][]) {
      sandbox.clear();
      const y = sandbox.f32(20000);
      kernels.random_uniform(20000, low, high, 3, 4, 0, y);
      const got = sandbox.read(y, 20000);
      expect(got.every((v) => v >= low && v < high)).toBe(true);
      // The narrowest range holds two float32: low, and one halfway.
      expect(Math.min(...got)).toBeLessThan(low + 0.01 * (high - low));
      expect(Math.max(...got)).toBeGreaterThanOrEqual(low + 0.5 * (high - low));
    }
  });

  // A fixed seed makes these exact facts about one stream, not chances: the limits are five standard deviations.
  const N = 1 << 18;

  test('mean, variance and the spread over 256 cells are those of a uniform distribution', () => {
    const u = words(N, 123, 456, 0).map((v) => v / 2 ** 24 - 0.5);
    const mean = u.reduce((a, b) => a + b, 0) / N;
    const variance = u.reduce((a, b) => a + b * b, 0) / N;
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(1 / 12 / N));
    // The variance of u² is 1/180.
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / N));
    const cells = new Float64Array(256);
    for (const v of u) cells[Math.floor((v + 0.5) * 256)]! += 1;
    const chiSquared = cells.reduce((a, n) => a + (n - N / 256) ** 2 / (N / 256), 0);
    expect(Math.abs(chiSquared - 255)).toBeLessThan(5 * Math.sqrt(2 * 255));
  });

  test.each([
    ['the next counter', 123, 456, 1],
    ['the next block', 123, 456, 4],
    ['the counter of the next batch of 65,536', 123, 456, 65536],
    ['the next seed', 124, 456, 0],
    ['the next upper seed', 123, 457, 0],
    ['a seed with one bit turned', 123 ^ 0x80000000, 456, 0],
  ])('numbers do not correlate with those of %s', (_, low, high, counter) => {
    const a = words(N, 123, 456, 0);
    const b = words(N, low, high, counter);
    let total = 0;
    for (let i = 0; i < N; i++) total += (a[i]! / 2 ** 24 - 0.5) * (b[i]! / 2 ** 24 - 0.5);
    expect(Math.abs(total / N) * 12).toBeLessThan(5 / Math.sqrt(N));
  });

  test('dropout drops its rate', () => {
    for (const rate of [0.01, 0.2, 0.5, 0.99]) {
      const dropped = dropout(new Float32Array(N).fill(1), rate, 5, 6, 0).filter((v) => v === 0).length / N;
      expect(Math.abs(dropped - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / N));
    }
  });
});
