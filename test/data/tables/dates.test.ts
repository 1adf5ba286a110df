import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDates } from '../../../src/data/tables/dates.ts';

const parse = (text: string, format?: string): string =>
  new Date(parseDates([text], format === undefined ? {} : { format })[0]).toISOString();

describe('parseDates', () => {
  test.each([
    ['2026-02', '2026-02-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    [' 2026-12-31 23:59 ', '2026-12-31T23:59:00.000Z'],
    ['2026-12-31T23:59:58', '2026-12-31T23:59:58.000Z'],
    ['2026-12-31 23:59:58.5', '2026-12-31T23:59:58.500Z'],
    ['2026-12-31T23:59:58,289Z', '2026-12-31T23:59:58.289Z'],
    ['2026-12-31T23:30Z', '2026-12-31T23:30:00.000Z'],
    ['2026-12-31T23:30-01:00', '2027-01-01T00:30:00.000Z'],
    ['2026-12-31T23:30+0530', '2026-12-31T18:00:00.000Z'],
    ['2026-12-31T23:30+02', '2026-12-31T21:30:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['1900-03-01', '1900-03-01T00:00:00.000Z'],
  ])('%j of ISO 8601, is %s', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });

  test.each([
    ['31/12/2026 23:05', 'DD/MM/YYYY HH:mm', '2026-12-31T23:05:00.000Z'],
    ['1.2.2026', 'D.M.YYYY', '2026-02-01T00:00:00.000Z'],
    ['12/31/2026 12:00:00 AM', 'MM/DD/YYYY hh:mm:ss A', '2026-12-31T00:00:00.000Z'],
    ['1/2/2026 12:30 pm', 'M/D/YYYY h:mm A', '2026-01-02T12:30:00.000Z'],
    ['1/2/2026 1:30 PM', 'M/D/YYYY h:mm A', '2026-01-02T13:30:00.000Z'],
    ['20261231T2305', 'YYYYMMDDTHHmm', '2026-12-31T23:05:00.000Z'],
    ['2026-12-31 23:05:01.007+01:00', 'YYYY-MM-DD HH:mm:ss.SSSZ', '2026-12-31T22:05:01.007Z'],
    ['[2026]', '[YYYY]', '2026-01-01T00:00:00.000Z'],
  ])('%j of the format %j, is %s', (text, format, expected) => {
    expect(parse(text, format)).toBe(expected);
  });

  test.each([
    '',
    'NA',
    '2026',
    '2026-1-1',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '26-01-01',
    '2026-01-01T24:00',
    '2026-01-01T23:60',
    '2026-01-01T23:59:60',
    '2026-01-01T',
    '2026-01-01Z',
    '2026-01-01T1:00',
    '2026-01-01T10:00+24:00',
    '2026-01-01T10:00+01:60',
    '2026-01-01 10:00:00.0123456789',
    '2026-01-01x',
    '2026/01/01',
    '01/02/2026',
    '+2026-01-01',
  ])('%j, is no date of ISO 8601', (text) => {
    expect(() => parseDates(['2026-01-01', text])).toThrow(
      `parseDates: texts[1] expected a date as ISO 8601 has it, got '${text}'`,
    );
  });

  test.each([
    ['2026-01-01', 'DD/MM/YYYY'],
    ['1/2/2026 13:00 PM', 'M/D/YYYY h:mm A'],
    ['1/2/2026 0:30 AM', 'M/D/YYYY h:mm A'],
    ['01x02x2026', 'DD.MM.YYYY'],
  ])('%j, is no date of the format %j', (text, format) => {
    expect(() => parseDates([text], { format })).toThrow(`expected a date of the format '${format}', got '${text}'`);
  });

  test.each<[unknown, string]>([
    ['DD/MM/YY', "format expected parts of YYYY, MM, DD, HH, hh, mm, ss, SSS, M, D, H, h, A, Z, got 'YY'"],
    ['YYYY MMM', "format expected parts of YYYY, MM, DD, HH, hh, mm, ss, SSS, M, D, H, h, A, Z, got 'MMM'"],
    ['YYYY-MM-MM', 'format expected each part once, got MM after another'],
    ['DD/MM', "format expected a year, YYYY, got 'DD/MM'"],
    ['YYYY hh', "format expected hours as HH, or as hh with A, got 'YYYY hh'"],
    ['YYYY HH A', 'format expected hours as HH, or as hh with A'],
    ['YYYY HH h A', 'format expected hours as HH, or as hh with A'],
    [3, "format expected a text such as 'DD/MM/YYYY HH:mm', got 3"],
    ['x'.repeat(100), 'format expected a text such as'],
  ])('format %j, is an error', (format, message) => {
    expect(() => parseDates([], { format: format as string })).toThrow(`parseDates: ${message}`);
  });

  test('any time of four-digit years, is read as Date reads it', () => {
    const time = fc.integer({ min: Date.UTC(1000, 0), max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(time, (ms) => {
        expect(parseDates([new Date(ms).toISOString()])).toEqual(Float64Array.of(ms));
      }),
      { seed: 11, numRuns: 2000 },
    );
  });
});
