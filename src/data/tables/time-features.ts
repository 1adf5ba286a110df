import { ArgumentError, expectArray, expectList, shown } from '../../checks/argument-error.ts';
import { cosPi } from '../../engine/float64.ts';
import { allocated, NdArray } from '../array.ts';

/** The number of values of each unit, and the value of a date, from 0. */
const cycles = {
  minute: [60, (date: Date) => date.getUTCMinutes()],
  hour: [24, (date: Date) => date.getUTCHours()],
  dayOfWeek: [7, (date: Date) => (date.getUTCDay() + 6) % 7],
  dayOfMonth: [31, (date: Date) => date.getUTCDate() - 1],
  dayOfYear: [366, (date: Date) => dayOfYear(date)],
  month: [12, (date: Date) => date.getUTCMonth()],
} as const;

/** A unit for `timeFeatures`. */
export type TimeUnit = keyof typeof cycles;

const dayOfYear = (date: Date): number => {
  const first = new Date(date);
  first.setUTCMonth(0, 1);
  return Math.round((date.getTime() - first.getTime()) / 86_400_000);
};

/**
 * Encodes the time of day, week or year of each date as points on a circle, so that Sunday is next to Monday and 23
 * o'clock next to 0.
 *
 *     y[n, 2j] = sin(2π·k/P)    y[n, 2j + 1] = cos(2π·k/P)
 *
 * k is the date's `minute` (P = 60), `hour` (24), `dayOfWeek` (7, from Monday), `dayOfMonth` (31), `dayOfYear` (366) or
 * `month` (12), a whole number from 0, in UTC. That is the time in the file if its dates have no zone.
 *
 * @param dates `[N]` milliseconds since 1970-01-01 UTC, as `CsvTable.dates` and `parseDates` return them.
 * @param units J units, in the order of the features.
 * @returns `[N, 2J]` f32; the caller owns it.
 * @throws ArgumentError at a value that is not a date, and at an unknown unit.
 * @see https://www.tensorflow.org/tutorials/structured_data/time_series#time, and `pandas.DatetimeIndex` for the units
 * @example
 * const table = await loadCsv('data.csv', { columns: { date: 'date', load: 'number' } });
 * const calendar = timeFeatures(table.dates('date'), ['dayOfWeek', 'dayOfYear']);
 * const series = columnStack([table.numbers('load'), calendar]); // [3, 5]
 */
export function timeFeatures(dates: ArrayLike<number>, units: readonly TimeUnit[]): NdArray<Float32Array> {
  expectArray('timeFeatures: dates', dates);
  for (const unit of expectList('timeFeatures: units', units)) {
    if (typeof unit === 'string' && Object.hasOwn(cycles, unit)) continue;
    throw new ArgumentError(`timeFeatures: units expected ${Object.keys(cycles).join(', ')}, got ${shown(unit)}`);
  }
  const width = 2 * units.length;
  const data = allocated(Float32Array, dates.length * width, 'timeFeatures: dates');
  for (let n = 0; n < dates.length; n++) {
    const date = new Date(dateAt(dates, n, 'timeFeatures'));
    for (const [j, unit] of units.entries()) {
      const [count, indexOf] = cycles[unit];
      const angle = (2 * indexOf(date)) / count;
      data[n * width + 2 * j] = cosPi(angle - 0.5);
      data[n * width + 2 * j + 1] = cosPi(angle);
    }
  }
  return new NdArray(data, [dates.length, width]);
}

/** The n-th date. Throws `ArgumentError` if it is not a date. @internal */
export function dateAt(dates: ArrayLike<number>, n: number, what: string): number {
  const date = dates[n];
  // A `Date` has this range.
  if (typeof date === 'number' && Math.abs(date) <= 8.64e15) return date;
  throw new ArgumentError(`${what}: dates[${n}] expected milliseconds since 1970, got ${shown(date)}`);
}
