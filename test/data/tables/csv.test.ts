import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/data/sources/data-error.ts';
import { type CsvOptions, loadCsv } from '../../../src/data/tables/csv.ts';
import { CsvScanner } from '../../../src/data/tables/csv-scanner.ts';
import { plainColumns } from './plain-csv.ts';

const seed = 23;
const load = (text: string, options: CsvOptions = {}) =>
  loadCsv(new TextEncoder().encode(text), { name: 'f.csv', ...options });

function rowsOf(text: string, delimiter = ','): { line: number; fields: string[] }[] {
  const scanner = new CsvScanner(new TextEncoder().encode(text), delimiter, 'f.csv');
  const rows: { line: number; fields: string[] }[] = [];
  while (!scanner.isDone) {
    const { line } = scanner;
    const fields: string[] = [];
    do {
      scanner.field();
      fields.push(scanner.text());
    } while (scanner.nextField());
    rows.push({ line, fields });
  }
  return rows;
}

const fieldsOf = (text: string, delimiter = ',') => rowsOf(text, delimiter).map(({ fields }) => fields);

describe('CsvScanner', () => {
  test.each<[string, string, string[][]]>([
    ['nothing', '', []],
    [
      'last line without end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'CR LF',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['CR at the end of the file', 'a,b\r', [['a', 'b']]],
    [
      'CR',
      'a,b\r1,2\r',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['CR LF and CR by turns', 'a\r\nb\rc\nd', [['a'], ['b'], ['c'], ['d']]],
    ['CR within quotes', '"a\rb",c\n', [['a\rb', 'c']]],
    ['empty fields', ',,\n', [['', '', '']]],
    ['delimiter at the end of the file', 'a,', [['a', '']]],
    [
      'quotes around delimiters and line ends',
      '"a,b","c\nd"\r\n"","e"',
      [
        ['a,b', 'c\nd'],
        ['', 'e'],
      ],
    ],
    ['doubled quotes', '"""a""",""""', [['"a"', '"']]],
    ['blanks, which belong to the field', ' a , b\n', [[' a ', ' b']]],
    ['empty lines', 'a\n\nb', [['a'], [''], ['b']]],
  ])('%s, is read', (_, text, fields) => {
    expect(fieldsOf(text)).toEqual(fields);
  });

  test.each([';', '\t', '|', ']', '^', '-', '\\', ' '])('delimiter %j, separates', (delimiter) => {
    expect(fieldsOf(`a${delimiter}"b${delimiter}"\n`, delimiter)).toEqual([['a', `b${delimiter}`]]);
  });

  test('quoted line ends, count as lines', () => {
    expect(rowsOf('"a\n\nb",c\nd,e').map(({ line }) => line)).toEqual([1, 4]);
    expect(rowsOf('"a\r\r\nb",c\rd,e').map(({ line }) => line)).toEqual([1, 4]);
  });

  test.each([
    ['a,b\n1,x"y"\n', 'f.csv:2: expected quotes around a whole field, got one inside a field'],
    ['a\n"b" \n', `f.csv:2: expected a delimiter or the line's end after a closing quote, got " "`],
    ['a\n"b\n\nc', 'f.csv:2: expected a closing quote, got the end of the file'],
    ['"a\nb"x', `f.csv:2: expected a delimiter or the line's end after a closing quote, got "x"`],
  ])('%j, is an error with its line', (text, message) => {
    expect(() => rowsOf(text)).toThrow(message);
  });

  test('any fields, written as RFC 4180 has it, are read back with their lines', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '7', ',', '"', '\n', '\r', ' ', 'é', '😀'), maxLength: 5 });
    const row = fc.record({ fields: fc.array(field, { minLength: 1, maxLength: 4 }), quoteAll: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        (rows, end, last) => {
          const texts = rows.map(({ fields, quoteAll }) =>
            fields
              .map((text) => (quoteAll || /[",\r\n]|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
              .join(','),
          );
          const read = rowsOf(texts.join(end) + (last ? end : ''));
          expect(read.map(({ fields }) => fields)).toEqual(rows.map(({ fields }) => fields));
          let line = 1;
          for (const [i, text] of texts.entries()) {
            expect(read[i]!.line).toBe(line);
            line += text.split(/\r\n?|\n/).length;
          }
        },
      ),
      { seed, numRuns: 500 },
    );
  });
});

describe('loadCsv', () => {
  test('numbers and text, are typed by their first value', async () => {
    const table = await load('date,n,m\n2006-01-01,1.5,-2e3\n2006-01-02, 7 ,+.5\n');
    expect(table.names).toEqual(['date', 'n', 'm']);
    expect(table.names.map((name) => table.typeOf(name))).toEqual(['string', 'number', 'number']);
    expect(table.length).toBe(2);
    expect(table.column('date')).toEqual(['2006-01-01', '2006-01-02']);
    expect(table.numbers('n')).toEqual(Float64Array.of(1.5, 7));
    expect(table.numbers('m')).toEqual(Float64Array.of(-2000, 0.5));
    expect(table.array(['m', 'n']).toNested()).toEqual([
      [-2000, 1.5],
      [0.5, 7],
    ]);
  });

  test('columns, reads these alone in this order and looks into no other', async () => {
    const table = await load('a,b,c\n1,x,3\n2,7,4\n', { columns: ['c', 'a'] });
    expect(table.names).toEqual(['c', 'a']);
  });

  test('columns with types, override the first value', async () => {
    const table = await load('zip,n\n01234,1\nA1,2\n', { columns: { zip: 'string', n: 'number' } });
    expect(table.strings('zip')).toEqual(['01234', 'A1']);
    await expect(load('n\nx\n', { columns: { n: 'number' } })).rejects.toThrow(
      `f.csv:2: column 'n' expected a number, got "x"`,
    );
  });

  test('no header, names columns by place or as told', async () => {
    expect((await load('1,2\n', { header: false })).numbers('1')).toEqual(Float64Array.of(2));
    expect((await load('1,2\n', { header: ['x', 'y'] })).numbers('x')).toEqual(Float64Array.of(1));
    await expect(load('1,2\n', { header: ['x'] })).rejects.toThrow(
      'f.csv:1: expected 1 fields (the names given), got 2',
    );
  });

  test('byte-order mark, belongs to no name', async () => {
    expect((await load('\ufeffa\n1\n')).names).toEqual(['a']);
  });

  test.each([
    ['too few fields', 'a,b\n1,2\n3\n', 'f.csv:3: expected 2 fields, got 1'],
    ['too many fields', 'a,b\n\n1,2,3\n', 'f.csv:3: expected 2 fields, got 3'],
    [
      'misprint among numbers',
      'a\n1\n2\nl7\n',
      `f.csv:4: column 'a' expected a number, got "l7"; columns: { 'a': 'string' } keeps text`,
    ],
    ['hexadecimal number', 'a\n1\n0x10\n', `f.csv:3: column 'a' expected a number, got "0x10"`],
    ['number too large', 'a\n1e999\n', `f.csv:2: column 'a' expected a number that 64 bits can hold, got 1e999`],
    ['name twice', 'a,b,a\n', `f.csv:1: expected each column once, got 'a' twice`],
    ['empty file', '', 'f.csv:1: expected a row of column names, got an empty file'],
    ['line after a quoted line end', 'a,b\n"x\ny",1\n"z",\n', `f.csv:4: column 'b' expected a number, got none`],
  ])('%s, is an error with file and line', async (_, text, message) => {
    const error = await load(text).catch((e: unknown) => e as DataError);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toContain(message);
    expect((error as DataError).line).toBe(Number(/:(\d+):/.exec(message)![1]));
  });

  const gaps = 'd,n\na,1\nb,\nc,NA\nd,4\n';

  test("missing: 'error', is an error that names the ways out", async () => {
    await expect(load(gaps)).rejects.toThrow(
      `f.csv:3: column 'n' expected a number, got none; missing: 'skip', 'nan', 'previous' or 'interpolate' allows for it`,
    );
  });

  test.each<[NonNullable<CsvOptions['missing']>, string[], number[]]>([
    ['skip', ['a', 'd'], [1, 4]],
    ['nan', ['a', 'b', 'c', 'd'], [1, Number.NaN, Number.NaN, 4]],
    ['previous', ['a', 'b', 'c', 'd'], [1, 1, 1, 4]],
    ['interpolate', ['a', 'b', 'c', 'd'], [1, 2, 3, 4]],
  ])("missing: '%s', reads on", async (missing, d, n) => {
    const table = await load(gaps, { missing });
    expect(table.strings('d')).toEqual(d);
    expect(table.numbers('n')).toEqual(Float64Array.from(n));
  });

  test("missing: 'previous' in the first row, is an error", async () => {
    await expect(load('n\nnull\n2\n', { missing: 'previous' })).rejects.toThrow(/^f\.csv:2: .*first row/);
  });

  test("missing: 'interpolate', takes the nearest value at the ends and refuses a column without any", async () => {
    const table = await load('n,m\n,1\n2,\n,\n5,\n', { missing: 'interpolate' });
    expect(table.numbers('n')).toEqual(Float64Array.of(2, 2, 3.5, 5));
    expect(table.numbers('m')).toEqual(Float64Array.of(1, 1, 1, 1));
    await expect(load('n,m\n1,\n2,NA\n', { missing: 'interpolate' })).rejects.toThrow(
      "f.csv: column 'm' expected a number to interpolate from, got none",
    );
  });

  test("misprint in a row that missing: 'skip' leaves out, is none", async () => {
    expect((await load('n,m\n1,2\nx,\n3,4\n', { missing: 'skip' })).numbers('n')).toEqual(Float64Array.of(1, 3));
    await expect(load('n,m\n1,2\nx,5\n', { missing: 'skip' })).rejects.toThrow("f.csv:3: column 'n' expected a number");
  });

  test('text that looks missing, stays text', async () => {
    expect((await load('country\nDE\nNA\n')).strings('country')).toEqual(['DE', 'NA']);
  });

  test('empty line, is passed over among several columns and a missing value of a single one', async () => {
    expect((await load('a,b\n\n1,2\n\n\n')).length).toBe(1);
    expect((await load('a\n1\n\n3\n\n', { missing: 'nan' })).numbers('a')).toEqual(Float64Array.of(1, Number.NaN, 3));
  });

  test('column not there, is an error that lists those there are', async () => {
    await expect(load('a,b\n', { columns: ['c'] })).rejects.toThrow(`loadCsv: columns of f.csv are 'a', 'b', got 'c'`);
    const table = await load('a,b\n1,x\n');
    expect(() => table.column('c')).toThrow(`column expected one of 'a', 'b', got 'c'`);
    expect(() => table.numbers('b')).toThrow(`column 'b' expected numbers, got strings; its first is "x"`);
    expect(() => table.strings('a')).toThrow(`column 'a' expected strings, got numbers`);
  });

  test.each([
    [{ delimiter: '"' }, 'delimiter expected one character'],
    [{ delimiter: ', ' }, 'delimiter expected one character'],
    [{ delimiter: '\ud83d' }, 'delimiter expected one character'],
    [{ dateFormat: 'MM/DD' }, 'dateFormat expected a year'],
    [{ missing: 'drop' }, `missing expected 'error', 'skip', 'nan', 'previous' or 'interpolate', got 'drop'`],
    [{ columns: { a: 'time' } }, `columns['a'] expected 'number', 'string' or 'date', got 'time'`],
  ])('option %j, is an error', async (options, message) => {
    await expect(load('a\n1\n', options as CsvOptions)).rejects.toThrow(message);
  });
});

describe('columns of dates', () => {
  const columns = { t: 'date', n: 'number' } as const;

  test('are milliseconds in UTC, as ISO 8601 or the format says', async () => {
    const table = await load('t,n\n2026-01-31,1\n2026-02-01T12:30+02:00,2\n', { columns });
    expect(table.dates('t')).toEqual(Float64Array.of(Date.UTC(2026, 0, 31), Date.UTC(2026, 1, 1, 10, 30)));
    expect(table.column('t')).toBe(table.dates('t'));
    expect(table.typeOf('t')).toBe('date');
    const other = await load('t,n\n31/01/2026 07:05,1\n', { columns, dateFormat: 'DD/MM/YYYY HH:mm' });
    expect(other.dates('t')).toEqual(Float64Array.of(Date.UTC(2026, 0, 31, 7, 5)));
  });

  test('are never guessed', async () => {
    expect((await load('t\n2026-01-31\n')).strings('t')).toEqual(['2026-01-31']);
  });

  test.each<[string, CsvOptions, string]>([
    ['2026-02-29', {}, `f.csv:2: column 't' expected a date as ISO 8601 has it, got "2026-02-29"`],
    [
      '1/2/26',
      { dateFormat: 'D/M/YYYY' },
      `f.csv:2: column 't' expected a date of the format 'D/M/YYYY', got "1/2/26"`,
    ],
    [
      '',
      {},
      `f.csv:2: column 't' expected a date as ISO 8601 has it, got none; missing: 'skip' or 'nan' allows for it`,
    ],
    ['NA', { missing: 'interpolate' }, `got NA; missing: 'skip' or 'nan' allows for it`],
    ['', { missing: 'previous' }, `got none; missing: 'skip' or 'nan' allows for it`],
  ])('with %j under %j, are an error with line and column', async (date, options, message) => {
    await expect(load(`t,n\n${date},1\n`, { columns, ...options })).rejects.toThrow(message);
  });

  test('with a gap, leave out the row or have NaN there', async () => {
    const text = 't,n\n2026-01-01,1\n,2\n2026-01-03,3\n';
    expect((await load(text, { columns, missing: 'skip' })).numbers('n')).toEqual(Float64Array.of(1, 3));
    expect((await load(text, { columns, missing: 'nan' })).dates('t')[1]).toBeNaN();
  });

  test('are neither numbers nor strings', async () => {
    const table = await load('t,n\n2026-01-31,1\n', { columns });
    expect(() => table.numbers('t')).toThrow("column 't' expected numbers, got dates");
    expect(() => table.strings('t')).toThrow("column 't' expected strings, got dates; columns: { 't': 'string' }");
    expect(() => table.dates('n')).toThrow(
      "column 'n' expected dates, got numbers; columns: { 'n': 'date' } reads them",
    );
  });
});

describe('any text', () => {
  const pieces = [
    ',',
    ',',
    ',',
    '\n',
    '\n',
    '\r\n',
    '\r',
    '"',
    '""',
    '"a,b"',
    '"x""y\n"',
    ' ',
    ';',
    'é',
    '\u{1f600}',
    '\ufeff',
  ];
  const values = [
    '1',
    '23',
    '.5',
    '5.',
    '-4',
    '+7',
    '1e5',
    '1e-400',
    '0x1',
    'NaN',
    'NA',
    'null',
    'name',
    '9007199254740993',
    '"5"',
    '" 6 "',
    '"7',
    '"8"x',
  ];

  test.each([',', ';', ' ', 'é', '5', '-', 'e'])(
    'with delimiter %j, is read as the plain reader reads it',
    async (delimiter) => {
      const text = fc
        .array(fc.constantFrom(...pieces, ...values, delimiter), { maxLength: 14 })
        .map((parts) => parts.join(''));
      await fc.assert(
        fc.asyncProperty(text, fc.constantFrom('nan' as const, 'skip' as const), async (given, missing) => {
          // A mark in front belongs to no field.
          const expected = plainColumns(given.replace(/^\ufeff/, ''), delimiter, missing);
          const table = await load(given, { header: false, delimiter, missing }).catch((error: unknown) => {
            expect(error).toBeInstanceOf(DataError);
          });
          expect(table?.names.map((name) => [...table.column(name)])).toEqual(expected);
        }),
        { seed, numRuns: 1500 },
      );
    },
  );
});

describe('a long file', () => {
  const blanks = ' '.repeat(400_000);

  test.each<[string, string, string]>([
    ['of blanks', blanks, 'n'],
    ['of blanks that end in another character', `${blanks}x`, 's'],
    ['of digits that end in another character', `${'1'.repeat(400_000)}x`, 's'],
    ['of digits and blanks before another character', `1${blanks}x`, 's'],
  ])('has a field %s, which is read in one pass', async (_, field, type) => {
    const table = await load(`a,b\n${field},1\n`, { missing: 'nan' });
    expect(table.column('a') instanceof Float64Array ? 'n' : 's').toBe(type);
  });

  test('has 100,000 columns, each found at once', async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `c${i}`);
    const table = await load(`${names}\n${names.map((_, i) => i)}\n`);
    expect(table.numbers('c99999')).toEqual(Float64Array.of(99_999));
    const wanted = names.slice().reverse();
    expect((await load(`${names}\n${names.map((_, i) => i)}\n`, { columns: wanted })).names).toEqual(wanted);
    await expect(load(`${names}\n`, { columns: ['d'] })).rejects.toThrow(/'c49', … \(100000\), got 'd'$/);
    await expect(load(`${names},c7\n`)).rejects.toThrow("expected each column once, got 'c7' twice");
  });

  test('has a number of 100,000 digits or none, of which an error shows the beginning', async () => {
    const long = '1'.repeat(100_000);
    await expect(load(`a\n${long}\n`)).rejects.toThrow(/got 1{80}$/);
    await expect(load(`a\n1\n${long}x\n`)).rejects.toThrow(/got "1{80}"; columns/);
  });

  test('of text in many alphabets, quoted or not, is decoded piece by piece', async () => {
    const texts = Array.from({ length: 5000 }, (_, i) => ['a', 'é"', '\u{1f600},', '\ufeff', ''][i % 5].repeat(i % 17));
    const rows = texts.map((text) => `"${text.replaceAll('"', '""')}",1`);
    const table = await load(`s,n\n${rows.join('\n')}`, { columns: { s: 'string' } });
    expect(table.strings('s')).toEqual(texts);
    expect(table.strings('s')).toBe(table.strings('s'));
  });

  test('whose bytes are changed afterwards, keeps what was read', async () => {
    const bytes = new TextEncoder().encode('s,n\nab,1\n');
    const table = await loadCsv(bytes);
    bytes.fill(0);
    expect([table.strings('s'), [...table.numbers('n')]]).toEqual([['ab'], [1]]);
  });

  test('of lines that end in CR, is read', async () => {
    const table = await load('a,b\r1,2\r3,4\r');
    expect([table.length, [...table.numbers('b')]]).toEqual([2, [2, 4]]);
  });
});
