import { describe, expect, test } from 'vitest';
import {
  factorInterval,
  geometricMean,
  median,
  medianInterval,
  quantile,
  studentQuantile,
} from '../../src/bench/statistics.ts';
import { RandomStream } from '../../src/engine/random.ts';

describe('studentQuantile', () => {
  // Table 26.10 of Abramowitz and Stegun, Handbook of Mathematical Functions, of both tails together.
  test.each([
    [0.95, 1, 12.706],
    [0.95, 2, 4.303],
    [0.95, 3, 3.182],
    [0.95, 4, 2.776],
    [0.95, 8, 2.306],
    [0.95, 30, 2.042],
    [0.99, 1, 63.657],
    [0.99, 4, 4.604],
    [0.99, 8, 3.355],
    [0.998, 8, 4.501],
    [0.999, 3, 12.924],
    [0.999, 8, 5.041],
    [0.999, 120, 3.373],
    [0.5, 8, 0.706],
    [0.8, 5, 1.476],
  ])('of %f with %f degrees of freedom, is the tabulated %f', (probability, degrees, expected) => {
    expect(Math.abs(studentQuantile(probability, degrees) - expected)).toBeLessThan(6e-4 * expected + 6e-4);
  });
});

test('quantile, between two values, goes by the distance; median and geometric mean, of known lists, are exact', () => {
  expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1])).toBe(2.5);
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
});

/** Rounds of one process each: a factor of the process, and noise of each sample with a few slow ones. */
function drawRounds(random: RandomStream, rounds: number, samples: number): number[][] {
  return Array.from({ length: rounds }, () => {
    const process = Math.exp(0.01 * random.nextNormal());
    return Array.from({ length: samples }, () => {
      const isSlow = random.nextUniform() < 0.05;
      return process * Math.exp(0.01 * random.nextNormal()) * (isSlow ? 1.3 : 1);
    });
  });
}

test.each([3, 5, 8])(
  'medianInterval, of %i rounds, holds the median of another run that is no more apart than its rounds',
  (rounds) => {
    const random = new RandomStream(rounds);
    const RUNS = 200;
    let inside = 0;
    for (let i = 0; i < RUNS; i++) {
      const { low, high } = medianInterval(drawRounds(random, rounds, 20));
      const later = median(drawRounds(random, rounds, 20).flat());
      inside += Number(later >= low && later <= high);
    }
    expect(inside / RUNS).toBeGreaterThan(0.95);
    expect(inside / RUNS).toBeLessThanOrEqual(1);
  },
);

test('medianInterval, of equal samples, is one point', () => {
  expect(
    medianInterval([
      [2, 2],
      [2, 2],
    ]),
  ).toEqual({ value: 2, low: 2, high: 2 });
});

test('factorInterval, of values whose logarithms are normal, holds the next mean in about 95 of 100 cases', () => {
  const random = new RandomStream(7);
  const draw = (): number[] => Array.from({ length: 5 }, () => Math.exp(0.02 * random.nextNormal()));
  let inside = 0;
  for (let i = 0; i < 1000; i++) {
    const { low, high } = factorInterval(draw());
    const { value } = factorInterval(draw());
    inside += Number(value >= low && value <= high);
  }
  expect(inside / 1000).toBeGreaterThan(0.92);
  expect(inside / 1000).toBeLessThan(0.98);
});
