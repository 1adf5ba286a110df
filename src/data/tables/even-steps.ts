import { ArgumentError, expectArray, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { allocated, asArray, type DataLike, NdArray } from '../array.ts';
import { daysOf } from './dates.ts';
import { dateAt } from './time-features.ts';

export interface EvenStepsOptions {
  /**
   * From each step to the next: milliseconds, or `'month'`, the same day of every month (its last, if it has no such
   * day), or the last day of every month if all dates are last days. Unless given, the least distance of two dates.
   */
  step?: number | 'month' | undefined;
  /**
   * What to do about rows of the same date: throw (default), keep the first or the last of them, or take their mean.
   */
  duplicates?: 'error' | 'first' | 'last' | 'mean' | undefined;
}

/** A series with the same time between all its steps; the caller owns it. */
export interface EvenSteps {
  /** `[S]` milliseconds since 1970 began, ascending. */
  readonly dates: Float64Array<ArrayBuffer>;
  /** `[S]` or `[S, F]`, as the series; NaN at the steps that no row has. */
  readonly values: NdArray<Float64Array>;
  /** The steps that no row has, ascending; none if the rows were evenly spaced. */
  readonly missing: Int32Array<ArrayBuffer>;
}

/**
 * Sorts a series by its dates and gives it a row for every step, NaN where no row was: windows count steps, so that
 * they must be even.
 *
 * `windows` leaves out the windows that such a gap is in, or fills it, as its option `missing` says.
 *
 * @param dates `[N]` milliseconds since 1970 began, in any order.
 * @param series `[N]` or `[N, F]`, a row a date.
 * @returns the dates, the values and the steps that were missing.
 * @throws ArgumentError at what is no date, a date that stands twice unless `duplicates` allows for it, a date between
 *   two steps, fewer rows than two without `step`, more than a million steps of which fewer than one in 1000 has a row,
 *   or if there are not as many dates as rows.
 * @see https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.asfreq.html
 *
 * @example
 * const { values, missing } = evenSteps(table.dates('time'), table.array(['load', 'temp']), { step: 3_600_000 });
 */
export function evenSteps(dates: ArrayLike<number>, series: DataLike, options: EvenStepsOptions = {}): EvenSteps {
  const { step, duplicates = 'error' } = checkOptions('evenSteps', options, { step: 1, duplicates: 1 });
  checkValues(step, duplicates);
  expectArray('evenSteps: dates', dates);
  const { data, shape } = asArray(series, 'evenSteps: series');
  if (shape.length < 1 || shape.length > 2 || shape[0] !== dates.length) {
    throw new ArgumentError(
      `evenSteps: series expected a row for each of ${dates.length} dates, [N] or [N, F], got [${shape.slice(0, 8).join(', ')}]`,
    );
  }
  const groups = sortedRows(dates, duplicates);
  const rows = groups.map(([row]) => row);
  const { places, distance, day } = placesOf(rows, dates, step);
  const count = places.length === 0 ? 0 : places[places.length - 1] + 1;
  if (count > 1_000_000 && count > 1000 * places.length) {
    throw new ArgumentError(
      `evenSteps: dates expected a row for one of 1000 steps at least, got ${places.length} for ${count}: is one of them wrong, or the step?`,
    );
  }

  const features = shape[1] ?? 1;
  const what = 'evenSteps: step';
  const values = allocated(Float64Array, count * features, what).fill(Number.NaN);
  const missing = allocated(Int32Array, count - places.length, what);
  let gaps = 0;
  for (let s = 0, i = 0; s < count; s++) {
    if (places[i] !== s) {
      missing[gaps++] = s;
      continue;
    }
    const group = groups[i++];
    for (let f = 0; f < features; f++) {
      const sum = group.reduce((total, row) => total + data[row * features + f], -0);
      values[s * features + f] = sum / group.length;
    }
  }
  const first = count === 0 ? 0 : dates[rows[0]];
  const at = step === 'month' ? (s: number) => monthsAfter(first, s, day) : (s: number) => first + s * distance;
  return {
    dates: Float64Array.from({ length: count }, (_, s) => at(s)),
    values: new NdArray(values, [count, ...shape.slice(1)]),
    missing,
  };
}

function checkValues(step: unknown, duplicates: unknown): void {
  if (
    step !== undefined &&
    step !== 'month' &&
    !(typeof step === 'number' && step > 0 && step < Number.POSITIVE_INFINITY)
  ) {
    throw new ArgumentError(`evenSteps: step expected milliseconds or 'month', got ${shown(step)}`);
  }
  if (!['error', 'first', 'last', 'mean'].includes(duplicates as string)) {
    throw new ArgumentError(
      `evenSteps: duplicates expected 'error', 'first', 'last' or 'mean', got ${shown(duplicates)}`,
    );
  }
}

/** The rows in order of their dates, for each date those whose mean it has. */
function sortedRows(
  dates: ArrayLike<number>,
  duplicates: NonNullable<EvenStepsOptions['duplicates']>,
): [number, ...number[]][] {
  const rows = Array.from({ length: dates.length }, (_, n) => n);
  for (const n of rows) dateAt(dates, n, 'evenSteps');
  // Of the same date they stay in their order.
  rows.sort((a, b) => dates[a] - dates[b]);
  const groups: [number, ...number[]][] = [];
  for (const [i, row] of rows.entries()) {
    const before = rows[i - 1];
    const group = groups[groups.length - 1];
    if (i === 0 || dates[row] !== dates[before]) groups.push([row]);
    else if (duplicates === 'mean') group.push(row);
    else if (duplicates === 'last') group[0] = row;
    else if (duplicates === 'error') {
      throw new ArgumentError(
        `evenSteps: dates expected each date once, got ${shownDate(dates[row])} in rows ${before} and ${row}; duplicates: 'first' keeps the first, and 'last' and 'mean' are others`,
      );
    }
  }
  return groups;
}

/**
 * The step of each row, the first being 0, the time between two, and the day of the month that steps of a month are at.
 */
function placesOf(
  rows: readonly number[],
  dates: ArrayLike<number>,
  wanted: number | 'month' | undefined,
): { places: number[]; distance: number; day: number } {
  if (rows.length < 2 && wanted === undefined) {
    throw new ArgumentError(`evenSteps: dates expected two or more, or the option step, got ${rows.length}`);
  }
  const first = dates[rows[0]];
  const isMonth = wanted === 'month';
  const day = isMonth ? dayOfMonths(rows, dates) : 0;
  let step = typeof wanted === 'number' ? wanted : Number.POSITIVE_INFINITY;
  if (wanted === undefined)
    for (let i = 1; i < rows.length; i++) step = Math.min(step, dates[rows[i]] - dates[rows[i - 1]]);
  const places = rows.map((row) => {
    const date = dates[row];
    const place = isMonth ? monthOf(date) - monthOf(first) : (date - first) / step;
    if (isMonth ? monthsAfter(first, place, day) === date : Number.isInteger(place)) return place;
    const every = isMonth ? 'a month' : `${step} ms`;
    const hint = wanted === undefined ? "; the option step, a number or 'month', says otherwise" : '';
    throw new ArgumentError(
      `evenSteps: dates expected steps of ${every} from ${shownDate(first)} on, got ${shownDate(date)} in row ${row}${hint}`,
    );
  });
  return { places, distance: step, day };
}

/**
 * The day that dates a month apart stand at: that of the first, or where it is a month's last a later one that others
 * have; 31 if all are last.
 */
function dayOfMonths(rows: readonly number[], dates: ArrayLike<number>): number {
  const days = rows.map((row) => new Date(dates[row]).getUTCDate());
  const isLast = (row: number): boolean => monthOf(dates[row] + 86_400_000) > monthOf(dates[row]);
  if (rows.length < 2 || !isLast(rows[0])) return days[0];
  return rows.every(isLast) ? 31 : days.reduce((a, b) => Math.max(a, b));
}

/** Months since the year 0 began. */
function monthOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** A day of the month so many months later, at the same time; the last day of that month if it has no such day. */
function monthsAfter(time: number, months: number, day: number): number {
  const date = new Date(time);
  const month = date.getUTCMonth() + months;
  const year = date.getUTCFullYear() + Math.floor(month / 12);
  return date.setUTCMonth(month, Math.min(day, daysOf(year, (month % 12) + 1)));
}

const shownDate = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
