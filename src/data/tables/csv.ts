import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { utf8Of } from '../../host/utf8.ts';
import { NdArray } from '../array.ts';
import { DataError } from '../sources/data-error.ts';
import { openSource, type Source, type SourceOptions, sourceNames } from '../sources/source.ts';
import { isStrings } from '../text/lines.ts';
import { decodeUtf8, TextError } from '../text/text.ts';
import { invalidUtf8 } from '../text/utf8.ts';
import {
  type Column,
  commaHint,
  DateColumn,
  isMissing,
  NumberColumn,
  type NumberReader,
  numberReader,
  SKIP,
  TextColumn,
} from './csv-columns.ts';
import { CsvScanner } from './csv-scanner.ts';
import { dateReader } from './dates.ts';

/** Numbers as 64-bit floats, text, or dates as milliseconds since 1970 began in UTC. */
export type ColumnType = 'number' | 'string' | 'date';

export interface CsvOptions extends SourceOptions {
  /** The columns to read, all by default; an object says their types too. Others are not looked into. */
  columns?: readonly string[] | Readonly<Record<string, ColumnType>> | undefined;
  /**
   * How the columns of dates are written, such as `'DD/MM/YYYY HH:mm'`; as ISO 8601 has them unless given. `parseDates`
   * tells the format's parts.
   */
  dateFormat?: string | undefined;
  /** One character between fields, `,` by default. */
  delimiter?: string | undefined;
  /** The character in front of decimals, `.` by default. */
  decimal?: string | undefined;
  /**
   * A character that may stand between groups of digits, such as `,` in `1,234,567`; none by default. The last group
   * has three digits, others two or three: `1,5` is an error then, not 15.
   */
  thousands?: string | undefined;
  /**
   * How the file is encoded, by a name that `TextDecoder` knows, such as `'latin1'` or `'utf-16le'`; UTF-8 by default.
   */
  encoding?: string | undefined;
  /** Whether the first row names the columns (default), or their names. Without either they are `'0'`, `'1'`, …. */
  header?: boolean | readonly string[] | undefined;
  /**
   * What to do where a column of numbers lacks one (`''`, `NA`, `N/A`, `NaN`, `null`, in any case): throw (default),
   * leave out the row, put NaN, repeat the number before, or put what lies on the line between the numbers before and
   * behind, row by row (at the ends of the column the nearest number). Where a date is missing, `'skip'` and `'nan'`
   * alone allow for it.
   */
  missing?: 'error' | 'skip' | 'nan' | 'previous' | 'interpolate' | undefined;
}

/** Columns of one length: numbers as 64-bit floats, dates as milliseconds, all else as strings. */
export class CsvTable {
  /** The columns that were read, in the order asked for, else that of the file. */
  readonly names: readonly string[];
  /** Rows. */
  readonly length: number;
  readonly #columns: ReadonlyMap<string, NumberColumn | DateColumn | TextColumn>;

  /** @internal */
  constructor(columns: ReadonlyMap<string, NumberColumn | DateColumn | TextColumn>, length: number) {
    this.names = [...columns.keys()];
    this.length = length;
    this.#columns = columns;
  }

  /** A column as it was read, the same array every time. Throws `ArgumentError` if it was not. */
  column(name: string): Float64Array | string[] {
    const column = this.#find(name);
    return column instanceof TextColumn ? column.texts : column.values;
  }

  /**
   * A column of numbers, not copied. Throws `ArgumentError` if there is none of this name or it has strings or dates.
   */
  numbers(name: string): Float64Array {
    const column = this.#find(name);
    if (column instanceof NumberColumn) return column.values;
    throw new ArgumentError(
      column instanceof DateColumn
        ? `column '${name}' expected numbers, got dates`
        : `column '${name}' expected numbers, got strings; its first is ${JSON.stringify((column.texts[0] ?? '').slice(0, 80))}${commaHint(column.texts[0] ?? '')}`,
    );
  }

  /**
   * A column of strings, the same array every time. Throws `ArgumentError` if there is none of this name or it has
   * numbers or dates.
   */
  strings(name: string): string[] {
    const column = this.#find(name);
    if (column instanceof TextColumn) return column.texts;
    throw new ArgumentError(
      `column '${name}' expected strings, got ${column instanceof DateColumn ? 'dates' : 'numbers'}; columns: { '${name}': 'string' } keeps text`,
    );
  }

  /**
   * A column of dates as milliseconds since 1970 began in UTC, which `new Date` takes; not copied. Throws
   * `ArgumentError` if there is none of this name or it was not read as dates.
   */
  dates(name: string): Float64Array {
    const column = this.#find(name);
    if (column instanceof DateColumn) return column.values;
    throw new ArgumentError(
      `column '${name}' expected dates, got ${column instanceof NumberColumn ? 'numbers' : 'strings'}; columns: { '${name}': 'date' } reads them`,
    );
  }

  /** What a column was read as. Throws `ArgumentError` if there is none of this name. */
  typeOf(name: string): ColumnType {
    const column = this.#find(name);
    return column instanceof NumberColumn ? 'number' : column instanceof DateColumn ? 'date' : 'string';
  }

  /**
   * Columns of numbers side by side, `[length, names.length]`, in memory of its own.
   *
   * @param columns which of them; all columns of numbers unless given, and one by its name alone.
   * @throws ArgumentError as `numbers` does, and if there is no column of numbers.
   */
  array(
    columns: string | readonly string[] = this.names.filter((name) => this.typeOf(name) === 'number'),
  ): NdArray<Float64Array> {
    const names = typeof columns === 'string' ? [columns] : columns;
    if (!isStrings(names)) throw new ArgumentError(`array: columns expected a list of names, got ${shown(names)}`);
    if (names.length === 0) throw new ArgumentError('array: columns expected a column of numbers or more, got none');
    const data = new Float64Array(this.length * names.length);
    for (const [j, name] of names.entries()) {
      const column = this.numbers(name);
      for (let i = 0; i < this.length; i++) data[i * names.length + j] = column[i]!;
    }
    return new NdArray(data, [this.length, names.length]);
  }

  #find(name: string): NumberColumn | DateColumn | TextColumn {
    const column = this.#columns.get(name);
    if (column) return column;
    throw new ArgumentError(`column expected one of ${list(this.names)}, got ${shown(name)}`);
  }
}

/**
 * Reads comma-separated values as RFC 4180 has them: quotes around a field protect delimiters and line ends, a quote
 * within is doubled, lines end in LF, CR LF or CR. Empty lines and lines of blanks are passed over; where a row has one
 * field only, an empty line between rows is a missing value. A last column that has neither a name nor a value, as a
 * comma at the end of each line makes it, is left out.
 *
 * The first value of a column decides whether it has numbers, unless `columns` says so. From there on whatever is no
 * number is an error, so that one misprint does not turn a column into text. A column of dates is one because `columns`
 * says so. Numbers are the float64 nearest to what is written, as `Number` has them.
 *
 * @param source a path, a URL or bytes, as `readSource` takes it.
 * @returns the columns.
 * @throws DataError with file and line at a row of another number of fields than the first, a quote out of place or
 *   left open, what is no number or date where one is expected, a missing one (see `missing`), a name that stands
 *   twice; without a line if `missing: 'interpolate'` finds no number in a column; ArgumentError if an option is none
 *   or a column is not there; as `loadText` does.
 * @see https://www.rfc-editor.org/rfc/rfc4180
 *
 * @example
 * const table = await loadCsv('opsd_germany_daily.csv', { columns: { Date: 'date', Consumption: 'number' } });
 * const [days, series] = [table.dates('Date'), table.numbers('Consumption')];
 */
export async function loadCsv(source: Source, options: CsvOptions = {}): Promise<CsvTable> {
  const own = { columns: 1, dateFormat: 1, decimal: 1, delimiter: 1, encoding: 1, header: 1, missing: 1, thousands: 1 };
  const known = { ...own, ...sourceNames };
  const {
    delimiter = ',',
    header = true,
    missing = 'error',
    columns: wanted,
    dateFormat,
    decimal = '.',
    thousands,
    encoding,
  } = checkOptions('loadCsv', options, known);
  checkValues({ delimiter, missing, header, columns: wanted });
  checkNumberSigns({ delimiter, decimal, thousands });
  const decoder = encoding === undefined ? undefined : decoderOf(encoding);
  const numberOf = numberReader(decimal, thousands);
  const parseDate = dateReader(dateFormat, 'loadCsv: dateFormat');
  const { name: file, bytes: read } = await openSource(source, options);
  const bytes = decoder ? utf8Of(decoded(read, decoder, file)) : read;
  // Decoding makes the error; whole files are not decoded.
  if (invalidUtf8(bytes) < bytes.length) expectUtf8(bytes, file);

  const scanner = new CsvScanner(bytes, delimiter, file, decimal !== '.' || thousands !== undefined);
  const { names, width, line } = readNames(scanner, header, file);
  const places = new Map(names.map((name, i) => [name, i]));
  const twice = names.find((name, i) => places.get(name) !== i);
  if (twice !== undefined) throw new DataError(file, `expected each column once, got ${shown(twice)} twice`, line);

  const chosen = chosenColumns(places, wanted, file);
  inferTypes(scanner.copy(), chosen, numberOf);
  // Commas at the ends of all lines make a column without a name and without a value, which nobody means.
  if (!wanted && header === true && width > 1 && names[width - 1] === '' && !chosen[width - 1].type) chosen.pop();
  const capacity = scanner.rowsLeft(width);
  const filled = chosen.map(({ name, type }) => {
    if (type === 'string') return new TextColumn(capacity, `loadCsv: column ${shown(name)}`);
    const column = { name, file, missing, numberOf };
    return type === 'date'
      ? new DateColumn(capacity, column, dateFormat, parseDate)
      : new NumberColumn(capacity, column);
  });
  const columnAt: (Column | undefined)[] = new Array(width).fill(undefined);
  for (const [i, { at }] of chosen.entries()) columnAt[at] = filled[i];
  const hint = typeof header === 'object' ? ' (the names given)' : '';
  const { length, skipped } = readRows(scanner, columnAt, { names, file, hint });
  if (length === 0 && skipped > 0) {
    const empty = chosen.find(({ type }) => !type);
    const why = empty ? `: column ${shown(empty.name)} has no value` : '';
    throw new DataError(file, `missing: 'skip' expected a row without gaps, got none of ${skipped}${why}`);
  }
  for (const column of filled) column.close(length);
  return new CsvTable(new Map(chosen.map(({ name }, i) => [name, filled[i]])), length);
}

/**
 * The names of the columns and how many fields a row has; passes the row of names if there is one, and empty lines
 * before it.
 */
function readNames(
  scanner: CsvScanner,
  header: boolean | readonly string[],
  file: string,
): { names: string[]; width: number; line: number } {
  while (!scanner.isDone && scanner.passBlank());
  const { line } = scanner;
  if (typeof header === 'object') return { names: [...header], width: header.length, line };
  if (scanner.isDone && header) throw new DataError(file, 'expected a row of column names, got an empty file', 1);
  const names: string[] = [];
  const first = header ? scanner : scanner.copy();
  for (let j = 0; !first.isDone && (j === 0 || first.nextField()); j++) {
    first.field();
    names.push(header ? first.text() : `${j}`);
  }
  return { names, width: names.length, line };
}

interface ChosenColumn {
  readonly name: string;
  readonly at: number;
  /** undefined until the first value has told. */
  type: ColumnType | undefined;
}

/** Types the columns without a type by their first value: as numbers where no value says otherwise. */
function inferTypes(scanner: CsvScanner, chosen: readonly ChosenColumn[], numberOf: NumberReader): void {
  // By their place in a row.
  const open: ChosenColumn[] = [];
  for (const column of chosen) if (!column.type) open[column.at] = column;
  let left = Object.keys(open).length;
  while (left > 0 && !scanner.isDone) {
    for (let j = 0; j === 0 || scanner.nextField(); j++) {
      scanner.field();
      const column = open[j];
      const field = column && !column.type ? scanner.text() : '';
      if (!column || isMissing(field)) continue;
      column.type = Number.isNaN(numberOf(field)) ? 'string' : 'number';
      left--;
    }
  }
}

/**
 * Reads all rows into the columns, of which `columnAt` has one or none for each field of a row; returns how many there
 * are, and how many were left out.
 */
function readRows(
  scanner: CsvScanner,
  columnAt: readonly (Column | undefined)[],
  { names, file, hint }: { names: readonly string[]; file: string; hint: string },
): { length: number; skipped: number } {
  const width = columnAt.length;
  let rows = 0;
  let skipped = 0;
  for (let isFirst = true; !scanner.isDone; isFirst = false) {
    // Within a single column an empty line is a row whose value is missing.
    if (width > 1 && scanner.passBlank()) continue;
    const { line } = scanner;
    let fault: string | undefined;
    let isSkipped = false;
    let j = 0;
    do {
      const column = columnAt[j];
      const found = column ? column.read(scanner, rows) : scanner.field();
      if (found === SKIP) isSkipped = true;
      else if (found && !fault) fault = `column ${shown(names[j])} ${found}`;
      j++;
    } while (scanner.nextField());
    if (j !== width) fault = `expected ${width} fields${isFirst ? hint : ''}, got ${j}`;
    else if (isSkipped) {
      skipped++;
      continue;
    }
    if (fault) throw new DataError(file, fault, line);
    rows++;
  }
  return { length: rows, skipped };
}

function checkValues({ delimiter, missing, header, columns }: Record<string, unknown>): void {
  // Half of a character of two UTF-16 units stands in no text.
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]|\p{Cs}/u.test(delimiter)) {
    throw new ArgumentError(
      `loadCsv: delimiter expected one character but a quote, got ${typeof delimiter === 'string' ? JSON.stringify(delimiter.slice(0, 80)) : shown(delimiter)}`,
    );
  }
  if (typeof header !== 'boolean' && !isStrings(header)) {
    throw new ArgumentError(`loadCsv: header expected true, false or a list of names, got ${shown(header)}`);
  }
  const isTyped = typeof columns === 'object' && columns !== null && !Array.isArray(columns);
  if (columns !== undefined && !isTyped && !isStrings(columns)) {
    throw new ArgumentError(
      `loadCsv: columns expected a list of names, or an object of their types, got ${shown(columns)}`,
    );
  }
  if (!['error', 'skip', 'nan', 'previous', 'interpolate'].includes(missing as string)) {
    throw new ArgumentError(
      `loadCsv: missing expected 'error', 'skip', 'nan', 'previous' or 'interpolate', got ${shown(missing)}`,
    );
  }
}

function checkNumberSigns({ delimiter, ...signs }: Record<string, string | undefined>): void {
  for (const [key, sign] of Object.entries(signs)) {
    if (sign === undefined) continue;
    if (
      typeof sign !== 'string' ||
      sign.length !== 1 ||
      /[-+\deE"\r\n]|\p{Cs}/u.test(sign) ||
      (key === 'decimal' && sign === delimiter)
    ) {
      throw new ArgumentError(
        `loadCsv: ${key} expected one character that stands for nothing else, got ${shown(sign)}`,
      );
    }
  }
  if (signs.decimal === signs.thousands) {
    throw new ArgumentError(
      `loadCsv: thousands expected another character than decimal, got ${shown(signs.thousands)}`,
    );
  }
}

function decoderOf(encoding: string): TextDecoder {
  try {
    if (typeof encoding === 'string') return new TextDecoder(encoding, { fatal: true });
  } catch {}
  throw new ArgumentError(
    `loadCsv: encoding expected a name that this host's TextDecoder knows, got ${shown(encoding)}`,
  );
}

function decoded(bytes: Uint8Array, decoder: TextDecoder, file: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DataError(file, `expected text as ${decoder.encoding}, got other bytes`);
  }
}

/** Throws the error of bytes that are not UTF-8. */
function expectUtf8(bytes: Uint8Array, file: string): void {
  try {
    decodeUtf8(bytes, file);
  } catch (error) {
    throw new TextError(`${(error as Error).message}; encoding: 'latin1' or another name says how it is encoded`);
  }
}

function chosenColumns(
  places: ReadonlyMap<string, number>,
  columns: CsvOptions['columns'],
  file: string,
): ChosenColumn[] {
  if (columns === undefined) return Array.from(places, ([name, at]) => ({ name, at, type: undefined }));
  const chosen: [string, ColumnType?][] = Array.isArray(columns)
    ? Array.from(new Set<string>(columns), (name) => [name])
    : Object.entries(columns as Readonly<Record<string, ColumnType>>);
  return chosen.map(([name, type]) => {
    const at = places.get(name);
    if (at === undefined) {
      const near = [...places.keys()].find((each) => each.trim() === name.trim());
      const hint = near === undefined ? '' : `; did you mean ${shown(near)}?`;
      throw new ArgumentError(`loadCsv: columns of ${file} are ${list([...places.keys()])}, got ${shown(name)}${hint}`);
    }
    if (type !== undefined && !['number', 'string', 'date'].includes(type)) {
      throw new ArgumentError(`loadCsv: columns['${name}'] expected 'number', 'string' or 'date', got ${shown(type)}`);
    }
    return { name, at, type };
  });
}

/** The first of them, as an error shows them. */
const list = (names: readonly string[]): string =>
  names
    .slice(0, 50)
    .map((name) => shown(name))
    .concat(names.length > 50 ? `… (${names.length})` : [])
    .join(', ');
