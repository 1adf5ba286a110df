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

/** The type of a column: float64 numbers, text, or dates as milliseconds since 1970-01-01 UTC. */
export type ColumnType = 'number' | 'string' | 'date';

export interface CsvOptions extends SourceOptions {
  /** The columns to read; default: all. An object also states their types. Other columns are not parsed. */
  columns?: readonly string[] | Readonly<Record<string, ColumnType>> | undefined;
  /**
   * The format of dates, such as `'DD/MM/YYYY HH:mm'`, with the parts that `parseDates` supports. Default: ISO 8601.
   */
  dateFormat?: string | undefined;
  /** One character between fields. Default `,`. */
  delimiter?: string | undefined;
  /** The character before decimals. Default `.`. */
  decimal?: string | undefined;
  /**
   * A character that may separate groups of digits, such as `,` in `1,234,567`. Default: none. The last group has three
   * digits, the others two or three. So `1,5` is an error and not 15.
   */
  thousands?: string | undefined;
  /** The encoding, by a name that `TextDecoder` supports, such as `'latin1'` or `'utf-16le'`. Default: UTF-8. */
  encoding?: string | undefined;
  /**
   * Whether the first row has the names of the columns (default true), or the names themselves. With `false` the names
   * are `'0'`, `'1'`, ….
   */
  header?: boolean | readonly string[] | undefined;
  /**
   * Treatment of a missing number (`''`, `NA`, `N/A`, `NaN`, `null`, in any case): throw (default), leave out the row,
   * use NaN, repeat the number before, or interpolate linearly over the rows between the numbers before and after; at
   * the ends of the column it repeats the nearest number. A missing date is allowed only with `'skip'` and `'nan'`.
   */
  missing?: 'error' | 'skip' | 'nan' | 'previous' | 'interpolate' | undefined;
}

/** Columns of one length: numbers as float64, dates as milliseconds, anything else as strings. */
export class CsvTable {
  /** The names of the columns, in the requested order, or else in that of the file. */
  readonly names: readonly string[];
  /** Number of rows. */
  readonly length: number;
  readonly #columns: ReadonlyMap<string, NumberColumn | DateColumn | TextColumn>;

  /** @internal */
  constructor(columns: ReadonlyMap<string, NumberColumn | DateColumn | TextColumn>, length: number) {
    this.names = [...columns.keys()];
    this.length = length;
    this.#columns = columns;
  }

  /** A column as it was read; the same array at every call. Throws `ArgumentError` if there is no such column. */
  column(name: string): Float64Array | string[] {
    const column = this.#find(name);
    return column instanceof TextColumn ? column.texts : column.values;
  }

  /** A column of numbers, not copied. Throws `ArgumentError` if there is no such column or it has strings or dates. */
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
   * A column of strings; the same array at every call. Throws `ArgumentError` if there is no such column or it has
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
   * A column of dates in milliseconds since 1970-01-01 UTC, as `new Date` takes them; not copied. Throws
   * `ArgumentError` if there is no such column or it was not read as dates.
   */
  dates(name: string): Float64Array {
    const column = this.#find(name);
    if (column instanceof DateColumn) return column.values;
    throw new ArgumentError(
      `column '${name}' expected dates, got ${column instanceof NumberColumn ? 'numbers' : 'strings'}; columns: { '${name}': 'date' } reads them`,
    );
  }

  /** The type of a column. Throws `ArgumentError` if there is no such column. */
  typeOf(name: string): ColumnType {
    const column = this.#find(name);
    return column instanceof NumberColumn ? 'number' : column instanceof DateColumn ? 'date' : 'string';
  }

  /**
   * Columns of numbers side by side.
   *
   * @param columns their names, or one name. Default: all columns of numbers.
   * @returns `[length, names.length]` float64, or `[length]` for one name; a copy that the caller owns.
   * @throws ArgumentError if there is no such column, it has strings or dates, or the table has no column of numbers.
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
 * Reads comma-separated values as RFC 4180 defines them.
 *
 * Quotes around a field protect delimiters and line ends; a quote inside is doubled. Lines end in LF, CR LF or CR.
 * Empty and blank lines are ignored; in a file of one column an empty line between rows is a missing value. A last
 * column with neither a name nor a value is ignored: it comes from a comma at the end of each line.
 *
 * The first value of a column decides whether it has numbers, unless `columns` states the type. After that a value that
 * is not a number is an error, so that a misprint does not turn a column into text. Only `columns` makes a column of
 * dates. Numbers are rounded to the nearest float64, as `Number` does.
 *
 * @param source a path, a URL or bytes.
 * @param options default: all columns, header true, delimiter ',', decimal '.', missing 'error', UTF-8; the rest as
 *   `readSource` takes them.
 * @returns the columns; the caller owns them.
 * @throws DataError with file and line at a row with another number of fields than the first one, a misplaced or
 *   unclosed quote, a field that is not the expected number or date, a missing value (see `missing`) or a name that
 *   occurs twice; at line 1 of an empty file with a header; without a line if `missing: 'interpolate'` finds no number
 *   in a column, `missing: 'skip'` leaves no row, the bytes are not text of the given `encoding`, or the gzip is
 *   corrupt. TextError if, without `encoding`, the bytes are not UTF-8. SourceError if the source cannot be read.
 *   ArgumentError if `source` or an option is of another kind, out of its range or unknown, or a column does not exist.
 *   The signal's reason if it is aborted.
 * @see https://www.rfc-editor.org/rfc/rfc4180; pandas.read_csv
 * @example
 * const table = await loadCsv('data.csv', { columns: { date: 'date', load: 'number' } });
 * const [days, load] = [table.dates('date'), table.numbers('load')]; // load: Float64Array [1, 2, 4]
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
  // Decoding throws the error. Files as a whole are not decoded otherwise.
  if (invalidUtf8(bytes) < bytes.length) expectUtf8(bytes, file);

  const scanner = new CsvScanner(bytes, delimiter, file, decimal !== '.' || thousands !== undefined);
  const { names, width, line } = readNames(scanner, header, file);
  const places = new Map(names.map((name, i) => [name, i]));
  const twice = names.find((name, i) => places.get(name) !== i);
  if (twice !== undefined) throw new DataError(file, `expected each column once, got ${shown(twice)} twice`, line);

  const chosen = chosenColumns(places, wanted, file);
  inferTypes(scanner.copy(), chosen, numberOf);
  // A comma at the end of every line makes an unintended column without a name and without values.
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
 * Returns the names of the columns and the number of fields of a row. Passes the row of names, if there is one, and
 * empty lines before it.
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
  /** undefined until the first value decides. */
  type: ColumnType | undefined;
}

/** Decides the types of columns without a type by their first values. Columns without a value have numbers. */
function inferTypes(scanner: CsvScanner, chosen: readonly ChosenColumn[], numberOf: NumberReader): void {
  // Columns without a type, by their place in a row.
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
 * Reads all rows into the columns. `columnAt` has a column, or none, for each field of a row. Returns the numbers of
 * rows kept and left out.
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
    // In a file of one column an empty line is a row with a missing value.
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
  // A single surrogate does not occur in text, so it cannot be a delimiter.
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

/** Throws the error for bytes that are not UTF-8. */
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

/** The first names, for an error. */
const list = (names: readonly string[]): string =>
  names
    .slice(0, 50)
    .map((name) => shown(name))
    .concat(names.length > 50 ? `… (${names.length})` : [])
    .join(', ');
