import { ArgumentError, expectArray, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { allocated, asArray, type DataLike, NdArray } from '../array.ts';
import { daysOf } from './dates.ts';
import { dateAt } from './time-features.ts';

export interface EvenStepsOptions {
  /**
   * The time between steps: milliseconds, or `'month'`. `'month'` means the same day of every month, or its last day if
   * the month is shorter; if all dates are last days, it means the last day. Default: the least distance of two dates.
   */
  step?: number | 'month' | undefined;
  /** Treatment of rows with the same date: throw (default), keep the first or the last of them, or use their mean. */
  duplicates?: 'error' | 'first' | 'last' | 'mean' | undefined;
}

/** A series with equal time between its steps; the caller owns it. */
export interface EvenSteps {
  /** `[S]` milliseconds since 1970-01-01 UTC, ascending. */
  readonly dates: Float64Array<ArrayBuffer>;
  /** `[S]` or `[S, F]`, as the series; NaN at steps without a row. */
  readonly values: NdArray<Float64Array>;
  /** The indices of steps without a row, ascending; empty if the rows were evenly spaced. */
  readonly missing: Int32Array<ArrayBuffer>;
}

/**
 * Sorts a series by its dates and makes it evenly spaced, with NaN at steps without a row. `windows` counts steps, so
 * it needs an evenly spaced series. Its option `missing` leaves out or fills the windows with a gap.
 *
 * @param dates `[N]` milliseconds since 1970-01-01 UTC, in any order.
 * @param series `[N]` or `[N, F]`, one row for each date.
 * @param options default: step the least distance of two dates, duplicates 'error'.
 * @returns the dates `[S]`, the values `[S]` or `[S, F]`, and the indices of missing steps; the caller owns them.
 * @throws ArgumentError at a value that is not a date, a date that occurs twice (see `duplicates`), a date between two
 *   steps; for fewer than two rows without `step`; for more than a million steps of which fewer than one in 1000 has a
 *   row; if the numbers of dates and rows differ; or if an option is unknown or out of its range.
 * @see https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.asfreq.html
 * @example
 * const dates = parseDates(['2026-01-01', '2026-01-02', '2026-01-04']);
 * const { values, missing } = evenSteps(dates, [1, 2, 4]); // values [1, 2, NaN, 4], missing [2]
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

/** The rows in the order of their dates; for each date the rows whose mean it gets. */
function sortedRows(
  dates: ArrayLike<number>,
  duplicates: NonNullable<EvenStepsOptions['duplicates']>,
): [number, ...number[]][] {
  const rows = Array.from({ length: dates.length }, (_, n) => n);
  for (const n of rows) dateAt(dates, n, 'evenSteps');
  // The sort is stable: rows of the same date keep their order.
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

/** The step of each row from 0, the time between steps, and the day of the month for steps of a month. */
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
 * The day of the month for dates that are a month apart: that of the first date, or, if that is the last day of its
 * month, a later day of another date; 31 if all are last days.
 */
function dayOfMonths(rows: readonly number[], dates: ArrayLike<number>): number {
  const days = rows.map((row) => new Date(dates[row]).getUTCDate());
  const isLast = (row: number): boolean => monthOf(dates[row] + 86_400_000) > monthOf(dates[row]);
  if (rows.length < 2 || !isLast(rows[0])) return days[0];
  return rows.every(isLast) ? 31 : days.reduce((a, b) => Math.max(a, b));
}

/** Months since year 0. */
function monthOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The same time on a day of the month some months later; the last day of that month if it is shorter. */
function monthsAfter(time: number, months: number, day: number): number {
  const date = new Date(time);
  const month = date.getUTCMonth() + months;
  const year = date.getUTCFullYear() + Math.floor(month / 12);
  return date.setUTCMonth(month, Math.min(day, daysOf(year, (month % 12) + 1)));
}

const shownDate = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
