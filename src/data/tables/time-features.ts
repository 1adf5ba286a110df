import { ArgumentError, expectArray, expectList, shown } from '../../checks/argument-error.ts';
import { cosPi } from '../../engine/float64.ts';
import { allocated, NdArray } from '../array.ts';

/** How many there are, and which one a date is, from 0. */
const cycles = {
  minute: [60, (date: Date) => date.getUTCMinutes()],
  hour: [24, (date: Date) => date.getUTCHours()],
  dayOfWeek: [7, (date: Date) => (date.getUTCDay() + 6) % 7],
  dayOfMonth: [31, (date: Date) => date.getUTCDate() - 1],
  dayOfYear: [366, (date: Date) => dayOfYear(date)],
  month: [12, (date: Date) => date.getUTCMonth()],
} as const;

/** What `timeFeatures` makes features of. */
export type TimeUnit = keyof typeof cycles;

const dayOfYear = (date: Date): number => {
  const first = new Date(date);
  first.setUTCMonth(0, 1);
  return Math.round((date.getTime() - first.getTime()) / 86_400_000);
};

/**
 * Where each date stands in the day, the week, the year, as points on a circle: Sunday is next to Monday, and 23
 * o'clock to 0.
 *
 *     y[n, 2j] = sin(2π·k/P)    y[n, 2j + 1] = cos(2π·k/P)
 *
 * k is the date's `minute` (of P = 60), `hour` (24), `dayOfWeek` (7, from Monday on), `dayOfMonth` (31), `dayOfYear`
 * (366) or `month` (12), counted from 0, whole, and as the calendar of UTC has it: that of the file, if its dates have
 * no zone.
 *
 * @param dates `[N]` milliseconds since 1970 began, as `CsvTable.dates` and `parseDates` give them.
 * @param units which of them, J in number, in the order of the features.
 * @returns `[N, 2J]`; the caller owns it.
 * @throws ArgumentError at what is no date, and at a unit that is none of these.
 * @see https://www.tensorflow.org/tutorials/structured_data/time_series#time, and `pandas.DatetimeIndex` for the units
 *
 * @example
 * const table = await loadCsv('load.csv', { columns: { time: 'date', load: 'number' } });
 * const calendar = timeFeatures(table.dates('time'), ['hour', 'dayOfWeek']);
 * const series = columnStack([table.numbers('load'), calendar]); // [N, 5]
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

/** The n-th date. Throws `ArgumentError` if it is none. @internal */
export function dateAt(dates: ArrayLike<number>, n: number, what: string): number {
  const date = dates[n];
  // As far as the days of a `Date` go.
  if (typeof date === 'number' && Math.abs(date) <= 8.64e15) return date;
  throw new ArgumentError(`${what}: dates[${n}] expected milliseconds since 1970, got ${shown(date)}`);
}
