// The generator against the known answers of its authors; then its uses: cuts, masks, moments, independence.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/engine/random.ts';
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

/** lowbias32, which a stream mixes its seed by. */
function mix(word: number): number {
  let x = BigInt(word);
  x = ((x ^ (x >> 16n)) * 0x7feb352dn) & 0xffffffffn;
  x = ((x ^ (x >> 15n)) * 0x846ca68bn) & 0xffffffffn;
  return Number(x ^ (x >> 16n));
}

test('fillNormal gives the numbers of nextNormal, and the stream continues after them', () => {
  const [one, other] = [new RandomStream(7), new RandomStream(7)];
  const filled = new Float32Array(1000);
  for (const stream of [one, other]) stream.nextUint32();
  one.fillNormal(filled);
  expect(filled).toEqual(Float32Array.from(filled, () => other.nextNormal()));
  expect(one.state).toEqual(other.state);
});

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

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
  ])(
    'seed (%i, %i) from counter %i drops by Philox words: at a rate above the word, not at the word itself',
    (low, high, counter) => {
      const ones = new Float32Array(75).fill(1);
      for (let i = 0; i < 75; i++) {
        const expected = word(counter + i, low, high);
        const keptAt = (w: number): boolean => dropout(ones, w / 2 ** 32, low, high, counter, true)[i] !== 0;
        expect([i, keptAt(expected), keptAt(expected + 1)]).toEqual([i, true, false]);
      }
    },
  );

  test('the same bits wherever a range is cut', () => {
    const x = values(200, 2);
    const whole = dropout(x, 0.5, 11, 22, 1000);
    fc.assert(
      fc.property(fc.nat({ max: 199 }), fc.nat({ max: 60 }), (start, length) => {
        const count = Math.min(length, 200 - start);
        const what = `elements ${start} to ${start + count}`;
        const cut = dropout(x.subarray(start, start + count), 0.5, 11, 22, 1000 + start);
        expectSameBits(cut, whole.subarray(start, start + count), what);
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

  test.each(counts)('hash_uniform, count=%i, has the bits of the plain stream for every seed and call', (count) => {
    for (const seed of [0, 1, 0x7fffffff, 0xffffffff]) {
      for (const calls of [0, 1, 2 ** 31 - 3, 2 ** 32 - 7, 2 ** 40 + 5]) {
        for (const [low, high] of [
          [-0.1, 0.3],
          [1, 1 + 2 ** -22],
        ] as const) {
          const stream = new RandomStream(seed);
          stream.state = { seed, calls };
          sandbox.clear();
          const y = sandbox.f32(count, true);
          kernels.hash_uniform(count, mix(seed), calls, low, (high - low) / 2 ** 53, y);
          sandbox.checkFences();
          const expected = Array.from({ length: count }, () => low + (high - low) * stream.nextUniform());
          expectSameBits(sandbox.read(y, count), Float32Array.from(expected), `seed ${seed} from call ${calls}`);
        }
      }
    }
  });

  // A fixed seed makes these exact facts about one stream, not chances: the limits are five standard deviations.
  const N = 1 << 18;

  const ones = new Float32Array(N).fill(1);
  const dropped = (rate: number, low: number, high: number, counter: number): number =>
    dropout(ones, rate, low, high, counter).reduce((sum, y) => sum + (y === 0 ? 1 : 0), 0);

  test('words are spread over 256 cells as those of a uniform distribution are', () => {
    const below = Array.from({ length: 257 }, (_, i) => dropped(i / 256, 123, 456, 0));
    const cells = below.slice(1).map((n, i) => n - below[i]!);
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
  ])('halves that are dropped do not correlate with those of %s', (_, low, high, counter) => {
    const a = dropout(ones, 0.5, 123, 456, 0);
    const b = dropout(ones, 0.5, low, high, counter);
    // Kept elements are 2: each is −1 or 1.
    let total = 0;
    for (let i = 0; i < N; i++) total += (a[i]! - 1) * (b[i]! - 1);
    expect(Math.abs(total / N)).toBeLessThan(5 / Math.sqrt(N));
  });

  test('dropout drops its rate', () => {
    for (const rate of [0.01, 0.2, 0.5, 0.99]) {
      expect(Math.abs(dropped(rate, 5, 6, 0) / N - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / N));
    }
  });
});
