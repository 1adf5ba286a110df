import { DataError } from '../../../src/data/sources/data-error.ts';
import { LINE_END } from '../../../src/data/text/lines.ts';

// A slow reader of CSV by regular expressions and strings, which the fast one is held to.

/** One row of a CSV file. */
export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: string[];
  /** Nothing at all stands in it, not even quotes. */
  readonly isBlank: boolean;
  /** Nothing but blanks and tabs stands in it. */
  readonly isSpace: boolean;
  /** Nothing but empty lines follows. */
  readonly isLast: boolean;
}

/**
 * The rows of a text as RFC 4180 has them; lines end in LF, CR LF or CR, and an end behind the last row begins no
 * further one.
 *
 * @throws DataError at a quote within a field that does not begin with one, at anything between a closing quote and the
 *   field's end, at a quote left open.
 */
export function* csvRows(text: string, delimiter: string, file: string): Generator<CsvRow> {
  const plain = new RegExp(`[^\\r\\n"\\u{${delimiter.codePointAt(0)!.toString(16)}}]*`, 'uy');
  let end = text.length;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  let at = 0;
  let line = 1;
  const fail = (message: string, where = line): never => {
    throw new DataError(file, message, where);
  };

  /** The text between the quotes, of which the first stands at `at`. */
  const quoted = (): string => {
    const opened = line;
    let value = '';
    for (;;) {
      const close = text.indexOf('"', at + 1);
      if (close < 0) fail('expected a closing quote, got the end of the file', opened);
      const piece = text.slice(at + 1, close);
      value += piece;
      line += piece.split(LINE_END).length - 1;
      at = close + 1;
      if (text[at] !== '"') return value;
      value += '"';
    }
  };

  while (at < text.length) {
    const row = { line, fields: [] as string[] };
    const start = at;
    for (;;) {
      if (text[at] === '"') {
        row.fields.push(quoted());
      } else {
        plain.lastIndex = at;
        const field = plain.exec(text)![0];
        at += field.length;
        if (text[at] === '"') fail('expected quotes around a whole field, got one inside a field');
        row.fields.push(field);
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      fail(`expected a delimiter or the line's end after a closing quote, got ${JSON.stringify(text[at])}`);
    }
    const isSpace = row.fields.length === 1 && /^[ \t]*$/.test(row.fields[0]) && text[start] !== '"';
    const isBlank = isSpace && row.fields[0] === '';
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    line++;
    yield { ...row, isBlank, isSpace, isLast: at > end };
  }
}

const isMissing = (field: string): boolean => /^(?:|n\/?a|nan|null)$/i.test(field.trim());
const isNumeral = (field: string): boolean => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(field.trim());

/**
 * What `loadCsv` reads with `missing: 'nan'` or `'skip'` and `header: false`, a column at a time; of a file that it
 * refuses, undefined.
 */
export function plainColumns(
  text: string,
  delimiter: string,
  missing: 'nan' | 'skip',
): (string[] | number[])[] | undefined {
  let rows: CsvRow[] = [];
  try {
    for (const row of csvRows(text, delimiter, 'f.csv')) {
      const width = rows[0]?.fields.length ?? row.fields.length;
      if (row.isSpace && (width > 1 || rows.length === 0)) continue;
      if (row.isBlank && row.isLast) continue;
      if (row.fields.length !== width) return undefined;
      rows.push(row);
    }
  } catch {
    return undefined;
  }
  const types = (rows[0]?.fields ?? []).map((_, j) => {
    const value = rows.find(({ fields }) => !isMissing(fields[j]))?.fields[j];
    return value === undefined || isNumeral(value) ? 'number' : 'string';
  });
  if (missing === 'skip') {
    const all = rows.length;
    rows = rows.filter(({ fields }) => types.every((type, j) => type === 'string' || !isMissing(fields[j])));
    if (rows.length === 0 && all > 0) return undefined;
  }
  const columns = types.map((type, j) => {
    const fields = rows.map((row) => row.fields[j]);
    if (type === 'string') return fields;
    return fields.map((field) => (isMissing(field) ? Number.NaN : isNumeral(field) ? Number(field) : Infinity));
  });
  return columns.flat().includes(Number.POSITIVE_INFINITY) ? undefined : columns;
}
