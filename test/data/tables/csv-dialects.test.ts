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

describe('lines of blanks', () => {
  test('among several columns, are passed over', async () => {
    expect([...(await load('  \na,b\n1,2\n \t \n3,4\n   ')).numbers('b')]).toEqual([2, 4]);
  });

  test('where a blank is the delimiter, are rows of it', async () => {
    await expect(load('a b\n1 2\n  \n', { delimiter: ' ' })).rejects.toThrow('f.csv:3: expected 2 fields, got 3');
  });
});

describe('numbers of another country', () => {
  test('with a decimal comma and points between thousands, are the nearest float64', async () => {
    const text = 'a;b\n1,5;1.234.567,25\n-0,1;12\n,5;"1.000"\n1e3;2,5e-1\n';
    const table = await load(text, { delimiter: ';', decimal: ',', thousands: '.' });
    expect([...table.numbers('a')]).toEqual([1.5, -0.1, 0.5, 1000]);
    expect([...table.numbers('b')]).toEqual([1234567.25, 12, 1000, 0.25]);
  });

  test.each<[string, string, number]>([
    [',', '"12,34,567.5"', 1234567.5],
    ["'", "1'234", 1234],
    [' ', '1 234', 1234],
    ['\u00a0', '1\u00a0234', 1234],
  ])('with %j between thousands, are read', async (thousands, text, number) => {
    expect((await load(`a,b\n1,${text}\n`, { thousands })).numbers('b')[0]).toBe(number);
  });

  test.each(['1.5', '1.2345', '1.23.4', '.500', '1..000', '1234.567', '1,000.5'])(
    'such as %s with points between thousands, are errors and not ten times as much',
    async (field) => {
      const options = { delimiter: ';', decimal: ',', thousands: '.' };
      await expect(load(`a;b\n1;1\n1;${field}\n`, options)).rejects.toThrow("f.csv:3: column 'b' expected a number");
    },
  );

  test('with a comma that no option speaks of, are errors that name it', async () => {
    await expect(load('a;b\n1;2\n1,5;2\n', { delimiter: ';' })).rejects.toThrow(
      `f.csv:3: column 'a' expected a number, got "1,5"; decimal: ',' reads it`,
    );
    const table = await load('a;b\n1,5;2\n', { delimiter: ';' });
    expect(() => table.numbers('a')).toThrow(`got strings; its first is "1,5"; decimal: ',' reads it`);
  });

  test.each<[CsvOptions, string]>([
    [{ decimal: ',' }, "decimal expected one character that stands for nothing else, got ','"],
    [{ decimal: '' }, "decimal expected one character that stands for nothing else, got ''"],
    [{ thousands: '5' }, "thousands expected one character that stands for nothing else, got '5'"],
    [{ thousands: '.' }, "thousands expected another character than decimal, got '.'"],
    [{ encoding: 'latin-5000' }, "encoding expected a name that this host's TextDecoder knows, got 'latin-5000'"],
  ])('with %j, are refused', async (options, message) => {
    await expect(load('a\n1\n', options)).rejects.toThrow(`loadCsv: ${message}`);
  });
});

describe('encoding', () => {
  const latin = Uint8Array.of(0x61, 0x2c, 0x62, 0x0a, 0xe9, 0x2c, 0x31, 0x0a);

  test('of another name, is decoded', async () => {
    const table = await loadCsv(latin, { encoding: 'latin1' });
    expect([table.strings('a')[0], table.numbers('b')[0]]).toEqual(['é', 1]);
    const utf16 = new Uint8Array(Uint16Array.from('\ufeffa,b\n1,é\n', (c) => c.charCodeAt(0)).buffer);
    expect((await loadCsv(utf16, { encoding: 'utf-16le' })).strings('b')).toEqual(['é']);
  });

  test('that the bytes are not of, is an error; that of none says how to name one', async () => {
    await expect(loadCsv(latin, { encoding: 'utf-8', name: 'f.csv' })).rejects.toThrow(
      'f.csv: expected text as utf-8, got other bytes',
    );
    await expect(loadCsv(latin, { name: 'f.csv' })).rejects.toThrow(
      "f.csv: expected UTF-8, got byte 0x2c at offset 5; encoding: 'latin1' or another name says how it is encoded",
    );
  });
});

describe('columns by name', () => {
  test('with a blank less than in the header, are told', async () => {
    await expect(load('a, b\n1,2\n', { columns: ['b'] })).rejects.toThrow(
      "loadCsv: columns of f.csv are 'a', ' b', got 'b'; did you mean ' b'?",
    );
  });

  test('as an array, are all of numbers, one or some', async () => {
    const table = await load('a,t,b\n1,x,2\n3,y,4\n');
    expect(table.array().toNested()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(table.array('b').toNested()).toEqual([[2], [4]]);
    expect(() => table.array(['t'])).toThrow("column 't' expected numbers");
    expect(() => table.array(3 as never)).toThrow('array: columns expected a list of names, got 3');
    expect(() => table.array([])).toThrow('array: columns expected a column of numbers or more, got none');
  });

  test('with codes that begin with 0, keep them as text where the type says so', async () => {
    const table = await load('zip\n01234\n', { columns: { zip: 'string' } });
    expect(table.strings('zip')).toEqual(['01234']);
  });
});
