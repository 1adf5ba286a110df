import { describe, expect, test } from 'vitest';
import { resample } from '../../src/audio.ts';
import { values } from '../kernels/reference/values.ts';

const sine = (hertz: number, rate: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate + 0.3));
/** In decibels, the largest of the middle part: the ends feel the silence around the signal. */
const loudest = (x: ArrayLike<number>): number => {
  const middle = Array.from(x).slice(Math.floor(x.length / 5), Math.ceil((x.length * 4) / 5));
  return 20 * Math.log10(Math.max(...middle.map(Math.abs)));
};

const rates = [
  [44100, 16000],
  [16000, 44100],
  [48000, 8000],
  [8000, 48000],
  [44100, 48000],
  [16000, 15999],
] as const;

describe.each(rates)('from %i to %i Hz', (from, to) => {
  const nyquist = Math.min(from, to) / 2;
  const count = Math.ceil((300 * from) / nyquist);

  test.each([0.001, 0.1, 0.35, 0.6, 0.75, 0.82])(
    'a sine at %f of the Nyquist frequency stays within −85 dB',
    (part) => {
      const y = resample(sine(part * nyquist, from, count), from, to);
      expect(y.length).toBe(Math.ceil((count * to) / from));
      const expected = sine(part * nyquist, to, y.length);
      expect(loudest(y.map((v, i) => v - expected[i]!))).toBeLessThan(-85);
    },
  );
});

test.each(rates.filter(([from, to]) => from > to))(
  'from %i to %i Hz, what would alias is attenuated by 90 dB',
  (from, to) => {
    const nyquist = to / 2;
    for (const hertz of [1.001, 1.03, 1.2, 1.9].map((part) => part * nyquist).filter((f) => f < from / 2)) {
      expect(loudest(resample(sine(hertz, from, Math.ceil((300 * from) / nyquist)), from, to))).toBeLessThan(-90);
    }
  },
);

test('equal rates copy, and an empty signal stays empty', () => {
  const x = values(5, 1);
  const y = resample(x, 8000, 8000);
  expect(y).toEqual(x);
  expect(y).not.toBe(x);
  expect(resample([], 8000, 16000).length).toBe(0);
});

test.each([
  [[1], 0, 8000, 'resample: from expected an integer from 1 to 2³² − 1, got 0'],
  [[1], 8000, 0.5, 'resample: to expected an integer from 1 to 2³² − 1, got 0.5'],
  [[1], 1, 1001, 'resample: from and to expected rates within a factor of 1000, got 1 and 1001'],
  ['ab', 1, 2, "resample: samples expected a list or a typed array, got 'ab'"],
  [[1, null], 1, 2, 'resample: samples expected numbers, got null at 1'],
])('resample of %j from %d to %d is refused', (x, from, to, message) => {
  expect(() => resample(x as never, from, to)).toThrow(message);
});
