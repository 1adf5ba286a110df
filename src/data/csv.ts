import { ArgumentError, shown } from '../engine/argument-error.ts';
import { checkOptions } from '../engine/options.ts';
import { NdArray } from './array.ts';
import { type CsvRow, csvRows } from './csv-rows.ts';
import { DataError } from './data-error.ts';
import { isStrings, openText } from './lines.ts';
import { type Source, type SourceOptions, sourceNames } from './source.ts';

export type ColumnType = 'number' | 'string';

export interface CsvOptions extends SourceOptions {
  /** The columns to read, all by default; an object says their types too. Others are not looked into. */
  columns?: readonly string[] | Readonly<Record<string, ColumnType>>;
  /** One character between fields, `,` by default. */
  delimiter?: string;
  /** Whether the first row names the columns (default), or their names. Without either they are `'0'`, `'1'`, …. */
  header?: boolean | readonly string[];
  /**
   * What to do where a column of numbers lacks one (`''`, `NA`, `N/A`, `NaN`, `null`, in any case): throw (default), leave out the row,
   * put NaN, or repeat the number before.
   */
  missing?: 'error' | 'skip' | 'nan' | 'previous';
}

/** Columns of one length: numbers as 64-bit floats, all else as strings. */
export class CsvTable {
  /** The columns that were read, in the order asked for, else that of the file. */
  readonly names: readonly string[];
  /** Rows. */
  readonly length: number;
  readonly #columns: ReadonlyMap<string, Float64Array | string[]>;

  /** @internal */
  constructor(columns: ReadonlyMap<string, Float64Array | string[]>, length: number) {
    this.names = [...columns.keys()];
    this.length = length;
    this.#columns = columns;
  }

  /** A column as it was read, not copied. Throws `ArgumentError` if it was not. */
  column(name: string): Float64Array | string[] {
    const column = this.#columns.get(name);
    if (column) return column;
    throw new ArgumentError(`column expected one of ${list(this.names)}, got ${shown(name)}`);
  }

  /** A column of numbers, not copied. Throws `ArgumentError` if there is none of this name or it has strings. */
  numbers(name: string): Float64Array {
    const column = this.column(name);
    if (column instanceof Float64Array) return column;
    throw new ArgumentError(
      `column '${name}' expected numbers, got strings; its first is ${JSON.stringify(column[0]?.slice(0, 80))}`,
    );
  }

  /** A column of strings, not copied. Throws `ArgumentError` if there is none of this name or it has numbers. */
  strings(name: string): string[] {
    const column = this.column(name);
    if (!(column instanceof Float64Array)) return column;
    throw new ArgumentError(
      `column '${name}' expected strings, got numbers; columns: { '${name}': 'string' } keeps text`,
    );
  }

  /** Columns of numbers side by side, `[length, names.length]`, in memory of its own. Throws as `numbers` does. */
  array(names: readonly string[]): NdArray<Float64Array> {
    const data = new Float64Array(this.length * names.length);
    for (const [j, name] of names.entries()) {
      const column = this.numbers(name);
      for (let i = 0; i < this.length; i++) data[i * names.length + j] = column[i]!;
    }
    return new NdArray(data, [this.length, names.length]);
  }
}

/**
 * Reads comma-separated values as RFC 4180 has them: quotes around a field protect delimiters and line ends, a quote within is doubled,
 * lines end in LF, CR LF or CR. Empty lines are passed over; where a row has one field only, an empty line between rows is a missing value.
 *
 * The first value of a column decides whether it has numbers, unless `columns` says so. From there on whatever is no number is an error,
 * so that one misprint does not turn a column into text.
 *
 * @param source a path, a URL or bytes, as `readSource` takes it.
 * @returns the columns.
 * @throws DataError with file and line at a row of another number of fields than the first, a quote out of place or left open, what is no
 *   number where numbers are expected, a missing number (see `missing`), a name that stands twice; ArgumentError if an option is none or a
 *   column is not there; as `loadText` does.
 * @see https://www.rfc-editor.org/rfc/rfc4180
 *
 * @example
 * const table = await loadCsv('opsd_germany_daily.csv', { columns: ['Date', 'Consumption'] });
 * const series = table.numbers('Consumption');
 */
export async function loadCsv(source: Source, options: CsvOptions = {}): Promise<CsvTable> {
  const known = { columns: 1, delimiter: 1, header: 1, missing: 1, ...sourceNames };
  const { delimiter = ',', header = true, missing = 'error' } = checkOptions('loadCsv', options, known);
  checkValues({ delimiter, missing, header, columns: options.columns });
  const { name: file, text } = await openText(source, options);

  const rows: CsvRow[] = [];
  for (const row of csvRows(text, delimiter, file)) {
    const { fields, line } = row;
    const width = rows[0]?.fields.length ?? (typeof header === 'object' ? header.length : fields.length);
    // Within a single column an empty line is a row whose value is missing.
    if (row.isBlank && (width > 1 || row.isLast || rows.length === 0)) continue;
    if (fields.length !== width) {
      const hint = rows.length === 0 ? ' (the names given)' : '';
      throw new DataError(file, `expected ${width} fields${hint}, got ${fields.length}`, line);
    }
    rows.push(row);
  }

  const first = rows[0];
  if (!first && header === true) throw new DataError(file, 'expected a row of column names, got an empty file', 1);
  const names =
    typeof header === 'object' ? [...header] : (first?.fields ?? []).map((name, i) => (header ? name : `${i}`));
  const places = new Map(names.map((name, i) => [name, i]));
  const twice = names.find((name, i) => places.get(name) !== i);
  if (twice !== undefined)
    throw new DataError(file, `expected each column once, got ${shown(twice)} twice`, first?.line ?? 1);
  if (header === true) rows.shift();

  const columns = chosenColumns(places, options.columns, file).map(([name, at, type]) => ({
    name,
    at,
    isNumber: (type ?? inferType(rows, at)) === 'number',
  }));
  const kept =
    missing === 'skip'
      ? rows.filter(({ fields }) => columns.every(({ at, isNumber }) => !isNumber || !isMissing(fields[at]!)))
      : rows;
  const read = columns.map(({ name, at, isNumber }): [string, Float64Array | string[]] => [
    name,
    isNumber ? numbersOf(kept, { at, name, missing, file }) : kept.map(({ fields }) => fields[at]!),
  ]);
  return new CsvTable(new Map(read), kept.length);
}

function checkValues({ delimiter, missing, header, columns }: Record<string, unknown>): void {
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
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
  if (!['error', 'skip', 'nan', 'previous'].includes(missing as string)) {
    throw new ArgumentError(`loadCsv: missing expected 'error', 'skip', 'nan' or 'previous', got ${shown(missing)}`);
  }
}

function chosenColumns(
  places: ReadonlyMap<string, number>,
  columns: CsvOptions['columns'],
  file: string,
): [name: string, at: number, type: ColumnType | undefined][] {
  if (columns === undefined) return Array.from(places, ([name, at]) => [name, at, undefined]);
  const chosen = Array.isArray(columns) ? columns.map((name) => [name, undefined]) : Object.entries(columns);
  return chosen.map(([name, type]) => {
    const at = places.get(name);
    if (at === undefined) {
      throw new ArgumentError(`loadCsv: columns of ${file} are ${list([...places.keys()])}, got ${shown(name)}`);
    }
    if (type !== undefined && type !== 'number' && type !== 'string') {
      throw new ArgumentError(`loadCsv: columns['${name}'] expected 'number' or 'string', got ${shown(type)}`);
    }
    return [name, at, type];
  });
}

const isMissing = (field: string): boolean => /^(?:|n\/?a|nan|null)$/i.test(field.trim());

// No character may be taken by two parts of the expression: it would try all ways to share a long field out.
const isNumeral = (field: string): boolean => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(field.trim());

/** Numbers where no value says otherwise. */
function inferType(rows: readonly CsvRow[], at: number): ColumnType {
  const value = rows.find(({ fields }) => !isMissing(fields[at]!))?.fields[at];
  return value === undefined || isNumeral(value) ? 'number' : 'string';
}

function numbersOf(
  rows: readonly CsvRow[],
  { at, name, missing, file }: { at: number; name: string; missing: CsvOptions['missing']; file: string },
): Float64Array {
  const numbers = new Float64Array(rows.length);
  for (const [i, { fields, line }] of rows.entries()) {
    const field = fields[at]!;
    const fail = (expected: string, got: string): never => {
      throw new DataError(file, `column ${shown(name)} expected ${expected}, got ${got}`, line);
    };
    if (!isMissing(field)) {
      if (!isNumeral(field))
        fail('a number', `${JSON.stringify(field.slice(0, 80))}; columns: { ${shown(name)}: 'string' } keeps text`);
      numbers[i] = Number(field);
      if (!Number.isFinite(numbers[i])) fail('a number that 64 bits can hold', field.slice(0, 80));
    } else if (missing === 'nan') {
      numbers[i] = Number.NaN;
    } else if (missing === 'previous') {
      numbers[i] = i > 0 ? numbers[i - 1]! : fail('a number in the first row, which has none before it', 'none');
    } else {
      fail('a number', `${field.trim() || 'none'}; missing: 'skip', 'nan' or 'previous' allows for it`);
    }
  }
  return numbers;
}

/** The first of them, as an error shows them. */
const list = (names: readonly string[]): string =>
  names
    .slice(0, 50)
    .map((name) => shown(name))
    .concat(names.length > 50 ? `… (${names.length})` : [])
    .join(', ');
