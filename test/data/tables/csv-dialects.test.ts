import { describe, expect, test } from 'vitest';
import { type CsvOptions, loadCsv } from '../../../src/data/tables/csv.ts';

const load = (text: string, options: CsvOptions = {}) =>
  loadCsv(new TextEncoder().encode(text), { name: 'f.csv', ...options });

describe('a comma at the end of each line', () => {
  test.each<CsvOptions>([{}, { missing: 'skip' }, { missing: 'nan' }])('with %j, makes no column', async (options) => {
    const table = await load('a,b,\n1,2,\n3,4,\n', options);
    expect(table.names).toEqual(['a', 'b']);
    expect([...table.numbers('b')]).toEqual([2, 4]);
  });

  test('of the first line alone, with values below, is a column without a name', async () => {
    expect([...(await load('a,\n1,2\n')).numbers('')]).toEqual([2]);
  });

  test('is a column where it is asked for', async () => {
    expect((await load('a,\n1,\n', { columns: ['a', ''], missing: 'nan' })).names).toEqual(['a', '']);
  });
});

describe("missing: 'skip'", () => {
  test('of a column without a value, is refused, since no row is left', async () => {
    await expect(load('a,b\n1,\n3,NA\n', { missing: 'skip' })).rejects.toThrow(
      "f.csv: missing: 'skip' expected a row without gaps, got none of 2: column 'b' has no value",
    );
    await expect(load('a,b\n1,\n,2\n', { missing: 'skip' })).rejects.toThrow(
      "f.csv: missing: 'skip' expected a row without gaps, got none of 2",
    );
  });

  test('of no rows at all, leaves none', async () => {
    expect((await load('a,b\n', { missing: 'skip' })).length).toBe(0);
  });
});
