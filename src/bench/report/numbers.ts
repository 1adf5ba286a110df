// How reports write numbers. Hosts without Intl write the same.
import type { Score } from '../results.ts';

/** Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 1234. */
export function digits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(3));
  const decimals = 2 - Math.floor(Math.log10(Math.abs(rounded)) + 1e-9);
  return (decimals > 0 ? rounded : value).toFixed(Math.max(0, Math.min(decimals, 20)));
}

const UNITS = [
  [1e-6, 'ns'],
  [1e-3, 'µs'],
  [1, 'ms'],
  [1000, 's'],
] as const;

/** A time in the unit that suits it: 950 ns, 1.23 µs, 12.3 ms, 4.56 s. */
export function duration(ms: number): string {
  const rounded = Number(ms.toPrecision(3));
  const [size, unit] = UNITS.findLast(([least]) => rounded >= least) ?? UNITS[0];
  return `${digits(ms / size)} ${unit}`;
}

/** A part of 1 as a whole percentage, or with a decimal below 1%. */
export const percentage = (part: number): string => `${(100 * part).toFixed(part < 0.0095 ? 1 : 0)}%`;

/** Half of an interval as a percentage of its value: ±1.2%. More than all of it says nothing. */
export const plusMinus = (value: number, low: number, high: number): string => {
  const percent = (50 * (high - low)) / value;
  return percent < 100 ? `±${percent.toFixed(1)}%` : '±>99%';
};

/** A score without its interval: 98.7. */
export const scoreNumber = (score: number): string => score.toFixed(score < 1000 ? 1 : 0);

/** A score with its interval: 98.7 ±0.8%. */
export const scoreText = ({ value, low, high }: Score): string =>
  `${scoreNumber(value)} ${plusMinus(value, low, high)}`;

/** A ratio of times: 1.052. */
export const ratioNumber = (ratio: number): string => ratio.toFixed(3);

/** A number and its noun: 1 round, 3 rounds. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A text of a host without control characters, which could steer a terminal or break a line of a table. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

/** An ISO date to the minute: 2026-11-30 12:00 UTC. */
export const minuteOf = (date: string): string =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d.*Z$/.test(date) ? `${date.slice(0, 10)} ${date.slice(11, 16)} UTC` : printable(date);
