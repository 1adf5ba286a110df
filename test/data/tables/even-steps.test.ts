import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDates } from '../../../src/data/tables/dates.ts';
import { type EvenStepsOptions, evenSteps } from '../../../src/data/tables/even-steps.ts';

const hour = 3_600_000;
const { NaN: gap } = Number;
const utc = (text: string): number => Date.parse(`${text}Z`);

describe('evenSteps', () => {
  test('rows in disorder with gaps, are sorted, and gaps are rows of NaN', () => {
    const dates = [3, 0, 1, 6].map((h) => utc('2026-01-01T00:00') + h * hour);
    const series = [
      [3, 30],
      [0, 0],
      [1, 10],
      [6, 60],
    ];
    const { dates: even, values, missing } = evenSteps(dates, series);
    expect([...even]).toEqual([0, 1, 2, 3, 4, 5, 6].map((h) => utc('2026-01-01T00:00') + h * hour));
    expect(values.toNested()).toEqual([
      [0, 0],
      [1, 10],
      [gap, gap],
      [3, 30],
      [gap, gap],
      [gap, gap],
      [6, 60],
    ]);
    expect([...missing]).toEqual([2, 4, 5]);
  });

  test('even rows, have nothing missing', () => {
    const { values, missing } = evenSteps([0, 5, 10], [1, 2, 3]);
    expect([values.toNested(), missing.length]).toEqual([[1, 2, 3], 0]);
  });

  test('months, are even however many days they have', () => {
    const dates = ['2024-01-31', '2024-02-29', '2024-04-30', '2024-05-31'].map((day) => utc(`${day}T00:00`));
    const { dates: even, values } = evenSteps(dates, [1, 2, 4, 5], { step: 'month' });
    expect(values.toNested()).toEqual([1, 2, gap, 4, 5]);
    expect(new Date(even[2]).toISOString()).toBe('2024-03-31T00:00:00.000Z');
    expect(() => evenSteps(dates, [1, 2, 4, 5])).toThrow(
      "evenSteps: dates expected steps of 2505600000 ms from 2024-01-31T00:00:00Z on, got 2024-04-30T00:00:00Z in row 2; the option step, a number or 'month', says otherwise",
    );
  });

  test.each([
    ['the last of every month', ['2026-02-28', '2026-03-31', '2026-04-30', '2026-06-30'], '2026-05-31'],
    ['the 30th, from a short month on', ['2026-02-28', '2026-03-30', '2026-05-30'], '2026-04-30'],
    ['the 28th', ['2026-02-28', '2026-03-28', '2026-05-28'], '2026-04-28'],
    ['the 30th of a month without it', ['2026-01-30', '2026-03-30'], '2026-02-28'],
  ])('months at %s, have the missing one there too', (_, texts, absent) => {
    const { dates, missing } = evenSteps(
      parseDates(texts),
      texts.map(() => 1),
      { step: 'month' },
    );
    expect(missing.length).toBe(1);
    expect(dates[missing[0]!]).toBe(Date.parse(absent));
  });

  test.each<['last' | 'mean', number[]]>([
    ['last', [-0, 4, 7]],
    ['mean', [-0, 3, 7]],
  ])("duplicates: '%s', takes that of the rows of a date", (duplicates, expected) => {
    const rows = [[2], [-0], [3], [4], [7]];
    expect([...evenSteps([5, 0, 5, 5, 10], rows, { duplicates }).values.data]).toEqual(expected);
  });

  test("duplicates: 'first', keeps the first of the file", () => {
    expect(evenSteps([5, 0, 5], [1, 2, 3], { duplicates: 'first' }).values.toNested()).toEqual([2, 1]);
  });

  test('any subset of even steps in any order, comes back with what is missing', () => {
    const subset = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(subset, fc.integer({ min: 1, max: 1000 }), (steps, step) => {
        const least = Math.min(...steps);
        const { dates, values, missing } = evenSteps(
          steps.map((s) => s * step - 7000),
          steps,
          { step },
        );
        const expected = Array.from({ length: Math.max(...steps) - least + 1 }, (_, i) => least + i);
        expect([...dates]).toEqual(expected.map((s) => s * step - 7000));
        expect(values.toNested()).toEqual(expected.map((s) => (steps.includes(s) ? s : gap)));
        expect([...missing]).toEqual(expected.filter((s) => !steps.includes(s)).map((s) => s - least));
      }),
      { seed: 17 },
    );
  });

  test.each<[number[], EvenStepsOptions, string]>([
    [
      [0, 10, 15, 22],
      {},
      'dates expected steps of 5 ms from 1970-01-01T00:00:00Z on, got 1970-01-01T00:00:00.022Z in row 3',
    ],
    [
      [0, 5, 0],
      {},
      "dates expected each date once, got 1970-01-01T00:00:00Z in rows 0 and 2; duplicates: 'first' keeps the first",
    ],
    [[gap], {}, 'dates[0] expected milliseconds since 1970, got NaN'],
    [[3], {}, 'dates expected two or more, or the option step, got 1'],
    [[0, 1, 1e12], {}, 'dates expected a row for one of 1000 steps at least, got 3 for 1000000000001'],
    [
      [0, 40 * 24 * hour],
      { step: 'month' },
      'dates expected steps of a month from 1970-01-01T00:00:00Z on, got 1970-02-10',
    ],
    [[0, 5], { step: 0 }, "step expected milliseconds or 'month', got 0"],
    [
      [0, 5],
      { duplicates: 'median' as 'first' },
      "duplicates expected 'error', 'first', 'last' or 'mean', got 'median'",
    ],
  ])('dates %j under %j, are an error', (dates, options, message) => {
    expect(() => evenSteps(dates, dates, options)).toThrow(`evenSteps: ${message}`);
  });

  test('a series of another length, or a cube, is an error', () => {
    expect(() => evenSteps([0, 1], [1])).toThrow('series expected a row for each of 2 dates, [N] or [N, F], got [1]');
    expect(() => evenSteps([0], [[[1]]])).toThrow('got [1, 1, 1]');
  });
});
