import { describe, expect, test } from 'vitest';
import { type TimeUnit, timeFeatures } from '../../../src/data/tables/time-features.ts';

/**
 * What Python 3's `datetime` gives, and pandas after it:
 *
 *     d = datetime.fromisoformat(text)
 *     [d.minute, d.hour, d.weekday(), d.day, d.timetuple().tm_yday, d.month]
 */
const python: [string, number[]][] = [
  ['2026-11-28T23:07:00Z', [7, 23, 5, 28, 332, 11]],
  ['2024-12-31T00:59:59Z', [59, 0, 1, 31, 366, 12]],
  ['1969-07-20T20:17:40Z', [17, 20, 6, 20, 201, 7]],
  ['2024-03-01T12:00:00Z', [0, 12, 4, 1, 61, 3]],
];
const units: readonly TimeUnit[] = ['minute', 'hour', 'dayOfWeek', 'dayOfMonth', 'dayOfYear', 'month'];
const counts = [60, 24, 7, 31, 366, 12];
/** Python counts days and months from 1. */
const first = [0, 0, 0, 1, 1, 1];

describe('timeFeatures', () => {
  test('all units, are sine and cosine of what Python counts', () => {
    const { data, shape } = timeFeatures(
      python.map(([date]) => Date.parse(date)),
      units,
    );
    expect(shape).toEqual([python.length, 2 * units.length]);
    const expected = python.flatMap(([, found]) =>
      found.flatMap((k, j) => {
        const angle = (2 * Math.PI * (k - first[j])) / counts[j];
        return [Math.sin(angle), Math.cos(angle)];
      }),
    );
    expected.forEach((x, i) => expect(data[i]).toBeCloseTo(x, 6));
  });

  test('order of units, is that of the features', () => {
    const six = Date.UTC(2026, 0, 1, 6);
    expect(timeFeatures([six], ['month', 'hour']).toNested()).toEqual([[0, 1, 1, 0]]);
  });

  test.each<[unknown, unknown, string]>([
    [[Number.NaN], ['hour'], 'dates[0] expected milliseconds since 1970, got NaN'],
    [[0, 9e15], ['hour'], 'dates[1] expected milliseconds since 1970, got 9000000000000000'],
    [[0], ['week'], "units expected minute, hour, dayOfWeek, dayOfMonth, dayOfYear, month, got 'week'"],
    [[0], 'hour', "units expected a list, got 'hour'"],
    ['2026', ['hour'], "dates expected a list or a typed array, got '2026'"],
  ])('dates %j and units %j, are an error', (dates, wanted, message) => {
    expect(() => timeFeatures(dates as number[], wanted as TimeUnit[])).toThrow(`timeFeatures: ${message}`);
  });
});
