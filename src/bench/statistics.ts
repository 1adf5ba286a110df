// Medians, intervals and means of measured times.
import { RandomStream } from '../engine/random.ts';

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value below which the given part of the values lies, between two of them by their distance. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

// A tenth of the samples of a run are shorter.
const FAST = 0.1;

/**
 * The time of scores and comparisons: a tenth of the samples are shorter. What disturbs a sample makes it longer, so
 * this differs less between runs than the median does, and is less a matter of luck than the shortest sample.
 */
export const fastOf = (samples: readonly number[]): number => quantile(samples, FAST);

/** The standard error of `fastOf` of n samples, in standard deviations / √n: √(p (1 − p)) / the density there. */
export const ERROR_OF_FAST = 1.71;

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

export const geometricMean = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)));

/** Sum of squared distances from the mean, divided by n − 1; 0 for one value. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1);
}

/**
 * The quantile of Student's distribution: |t| is below it with the given probability.
 *
 * G. W. Hill, "Algorithm 396: Student's t-quantiles", Communications of the ACM 13 (1970), 619–620; a relative error of
 * about 10⁻⁴ for 3 degrees of freedom and less for more.
 *
 * @param probability of both sides together, between 0 and 1.
 * @param degrees of freedom, at least 1; need not be whole.
 */
export function studentQuantile(probability: number, degrees: number): number {
  const tail = 1 - probability;
  if (degrees < 1.5) return 1 / Math.tan((tail * Math.PI) / 2);
  if (degrees < 2.5) return Math.sqrt(2 / (tail * (2 - tail)) - 2);
  const a = 1 / (degrees - 0.5);
  const b = 48 / a ** 2;
  let c = ((20_700 * a) / b - 98) * a ** 2 - 16 * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * degrees;
  let y = (d * tail) ** (2 / degrees);
  if (y > 0.05 + a) {
    const x = normalQuantile(tail / 2);
    y = x ** 2;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y ** 2);
  } else {
    const first = 1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3);
    y = ((first + 0.5 / (degrees + 4)) * y - 1) * ((degrees + 1) / (degrees + 2)) + 1 / y;
  }
  return Math.sqrt(degrees * y);
}

/** The value that a standard normal number is below with probability p, below 0 for p < 1/2. By bisection. */
function normalQuantile(p: number): number {
  let [low, high] = [-40, 0];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The probability that a standard normal number is below x ≤ 0: its continued fraction, or its series near 0. */
function normalBelow(x: number): number {
  const density = Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
  if (x < -2.5) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / (-x + fraction);
    return density / (-x + fraction);
  }
  let [term, sum] = [x, x];
  for (let k = 3; k < 80; k += 2) sum += term *= x ** 2 / k;
  return 0.5 + density * sum;
}

/** An estimate and its 95% interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

const RESAMPLES = 400;
// Runs that are minutes apart differ more than the rounds of one, which follow each other. On a quiet host intervals of
// rounds alone held 87 of 100 later medians, intervals that are so many times as wide 94.
const DRIFT = 1.4;

/**
 * The median of all samples, and the interval in which the median of another run of the same form lies in 95 of 100
 * cases.
 *
 * Bootstrap: rounds are drawn with replacement, and samples of each. The quantiles of the drawn medians are moved away
 * from the median by √2, since another run has its own error, by the factor by which Student's distribution is wider
 * than the normal one for so few rounds, and by 1.4 for what changes from run to run.
 *
 * @param rounds times by round. Samples of one round are more alike than those of two.
 */
export function medianInterval(rounds: readonly (readonly number[])[]): Interval {
  const value = median(rounds.flat());
  const random = new RandomStream(1);
  const draw = <T>(from: readonly T[]): T => from[Math.floor(random.nextUniform() * from.length)]!;
  const drawn = Array.from({ length: RESAMPLES }, () =>
    median(
      rounds.flatMap(() => {
        const round = draw(rounds);
        return round.map(() => draw(round));
      }),
    ),
  );
  // Two rounds say too little of how rounds differ.
  const few = rounds.length < 3 ? 1 : studentQuantile(0.95, rounds.length - 1) / 1.96;
  const widening = DRIFT * Math.SQRT2 * few * Math.sqrt(rounds.length < 2 ? 1 : rounds.length / (rounds.length - 1));
  const away = (part: number): number => value * (quantile(drawn, part) / value) ** widening;
  return { value, low: Math.min(value, away(0.025)), high: Math.max(value, away(0.975)) };
}

/** The geometric mean of estimates whose errors are independent. */
export function independentMean(estimates: readonly Interval[]): Interval {
  const value = geometricMean(estimates.map((estimate) => estimate.value));
  const reach = (factor: (estimate: Interval) => number): number =>
    Math.hypot(...estimates.map((estimate) => Math.log(factor(estimate)))) / estimates.length;
  return {
    value,
    low: value * Math.exp(-reach((estimate) => estimate.value / estimate.low)),
    high: value * Math.exp(reach((estimate) => estimate.high / estimate.value)),
  };
}

/** The mean of logarithms of one value per round, as a factor, with the interval of another run. */
export function factorInterval(values: readonly number[]): Interval {
  const logs = values.map(Math.log);
  const value = mean(logs);
  const n = logs.length;
  const reach = n < 2 ? 0 : studentQuantile(0.95, n - 1) * Math.sqrt((2 * variance(logs)) / n);
  return { value: Math.exp(value), low: Math.exp(value - reach), high: Math.exp(value + reach) };
}
