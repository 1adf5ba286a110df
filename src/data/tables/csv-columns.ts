import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { allocated } from '../array.ts';
import { DataError } from '../sources/data-error.ts';
import { utf8Decoder } from '../text/utf8.ts';
import type { CsvScanner } from './csv-scanner.ts';
import { type DateReader, formatName } from './dates.ts';
import { interpolate } from './interpolate.ts';

/** Treatment of a missing number or date. @internal */
export type Missing = 'error' | 'skip' | 'nan' | 'previous' | 'interpolate';

/** Tells the reader to leave out the row. @internal */
export const SKIP = 'skip';

/** One column while it is read. @internal */
export interface Column {
  /**
   * Reads the next field and stores its value at `row`, in place of values at `row` and after it.
   *
   * @returns `SKIP`, or what was expected and what was got instead.
   */
  read(scanner: CsvScanner, row: number): string | undefined;
  /** Ends the column after `rows` rows. */
  close(rows: number): void;
}

/** Whether a field means a missing number. @internal */
export const isMissing = (field: string): boolean => /^(?:|n\/?a|nan|null)$/i.test(field.trim());

/** The number in a field: ±∞ if it is too large, NaN if the field is not a number. @internal */
export type NumberReader = (field: string) => number;

/**
 * Makes a reader of decimal numbers.
 *
 * @param decimal the character before the decimals.
 * @param thousands the character that may separate groups of digits. The last group has three digits, the others two or
 *   three. Elsewhere the character is an error, because it may be a decimal point.
 * @internal
 */
export function numberReader(decimal: string, thousands: string | undefined): NumberReader {
  const point = codeOf(decimal);
  const between = thousands && codeOf(thousands);
  // No character may match two parts of the expression: that would take exponential time for a long field.
  const whole = between ? `\\d+(?:${between}\\d{2,3})*` : '\\d+';
  const numeral = new RegExp(`^[+-]?(?:${whole}(?:${point}\\d*)?|${point}\\d+)(?:e[+-]?\\d+)?$`, 'iu');
  const groups = between && new RegExp(`^[+-]?\\d{1,3}(?:${between}\\d{2,3})*${between}\\d{3}(?!${between}|\\d)`, 'u');
  return (field) => {
    let text = field.trim();
    if (!numeral.test(text)) return Number.NaN;
    if (thousands && text.includes(thousands)) {
      if (!(groups as RegExp).test(text)) return Number.NaN;
      text = text.replaceAll(thousands, '');
    }
    return Number(decimal === '.' ? text : text.replace(decimal, '.'));
  };
}

const codeOf = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** The hint for a number with a comma in place of the decimal point. @internal */
export const commaHint = (field: string): string =>
  /^\s*[+-]?\d*,\d+\s*$/.test(field) ? "; decimal: ',' reads it" : '';

/** The name of a column, and the treatment of its missing values. @internal */
export interface ColumnOptions {
  readonly name: string;
  readonly file: string;
  readonly missing: Missing;
  readonly numberOf: NumberReader;
}

/** A column of numbers. @internal */
export class NumberColumn implements Column {
  values: Float64Array<ArrayBuffer>;
  readonly #options: ColumnOptions;

  constructor(capacity: number, options: ColumnOptions) {
    this.values = allocated(Float64Array, capacity, `loadCsv: column ${shown(options.name)}`);
    this.#options = options;
  }

  read(scanner: CsvScanner, row: number): string | undefined {
    const value = scanner.number();
    if (Number.isNaN(value)) return this.#readOther(scanner, row);
    this.values[row] = value;
    return undefined;
  }

  /** Reads the fields that the scanner cannot: missing values, numbers in quotes, long numbers. */
  #readOther(scanner: CsvScanner, row: number): string | undefined {
    const { name, missing, numberOf } = this.#options;
    scanner.field();
    const field = scanner.text();
    if (!isMissing(field)) {
      const value = numberOf(field);
      if (Number.isNaN(value)) {
        const hint = commaHint(field) || `; columns: { ${shown(name)}: 'string' } keeps text`;
        return `expected a number, got ${JSON.stringify(field.slice(0, 80))}${hint}`;
      }
      this.values[row] = value;
      return Number.isFinite(value) ? undefined : `expected a number that 64 bits can hold, got ${field.slice(0, 80)}`;
    }
    if (missing === 'skip') return SKIP;
    if (missing === 'error') {
      return `expected a number, got ${field.trim() || 'none'}; missing: 'skip', 'nan', 'previous' or 'interpolate' allows for it`;
    }
    if (missing === 'previous' && row === 0)
      return 'expected a number in the first row, which has none before it, got none';
    this.values[row] = missing === 'previous' ? this.values[row - 1] : Number.NaN;
    return undefined;
  }

  close(rows: number): void {
    if (rows < this.values.length) this.values = this.values.slice(0, rows);
    const { name, file, missing } = this.#options;
    if (missing !== 'interpolate' || interpolate(this.values)) return;
    throw new DataError(file, `column ${shown(name)} expected a number to interpolate from, got none`);
  }
}

/** A column of dates. @internal */
export class DateColumn implements Column {
  values: Float64Array<ArrayBuffer>;
  readonly #options: ColumnOptions;
  readonly #format: string | undefined;
  readonly #parse: DateReader;

  constructor(capacity: number, options: ColumnOptions, format: string | undefined, parse: DateReader) {
    this.values = allocated(Float64Array, capacity, `loadCsv: column ${shown(options.name)}`);
    this.#options = options;
    this.#format = format;
    this.#parse = parse;
  }

  read(scanner: CsvScanner, row: number): string | undefined {
    const { missing } = this.#options;
    scanner.field();
    const field = scanner.text();
    const value = this.#parse(field.trim());
    this.values[row] = value;
    if (!Number.isNaN(value)) return undefined;
    const expected = `expected ${formatName(this.#format)}`;
    if (!isMissing(field)) return `${expected}, got ${JSON.stringify(field.slice(0, 80))}`;
    if (missing === 'skip') return SKIP;
    // Dates are never filled in: an invented date would claim a measurement at that time.
    return missing === 'nan'
      ? undefined
      : `${expected}, got ${field.trim() || 'none'}; missing: 'skip' or 'nan' allows for it`;
  }

  close(rows: number): void {
    if (rows < this.values.length) this.values = this.values.slice(0, rows);
  }
}

/** A column of text. It keeps UTF-8 bytes without separators until the strings are needed. @internal */
export class TextColumn implements Column {
  #bytes = new Uint8Array(1024);
  /** End of each text in the bytes. */
  #ends: Uint32Array;
  #texts: string[] | undefined;

  constructor(capacity: number, what: string) {
    this.#ends = allocated(Uint32Array, capacity, what);
  }

  read(scanner: CsvScanner, row: number): undefined {
    scanner.field();
    const { bytes, from, to, hasEscapes } = scanner;
    let at = row === 0 ? 0 : this.#ends[row - 1];
    const most = at + to - from;
    if (most > this.#bytes.length) this.#grow(at, most);
    const kept = this.#bytes;
    if (!hasEscapes && to - from > 64) {
      kept.set(bytes.subarray(from, to), at);
      at = most;
    } else {
      for (let i = from; i < to; i++) {
        kept[at++] = bytes[i];
        // The first quote of a doubled quote is kept.
        if (hasEscapes && bytes[i] === 34) i++;
      }
    }
    this.#ends[row] = at;
  }

  #grow(used: number, needed: number): void {
    // The ends of texts have 32 bits.
    if (needed > 0xffff_ffff) throw new ArgumentError('loadCsv: a column of text expected fewer than 4 GB, got more');
    const grown = allocated(Uint8Array, Math.max(needed, 2 * this.#bytes.length), 'loadCsv: the text of a column');
    grown.set(this.#bytes.subarray(0, used));
    this.#bytes = grown;
  }

  close(rows: number): void {
    this.#ends = this.#ends.slice(0, rows);
    this.#bytes = this.#bytes.slice(0, rows === 0 ? 0 : this.#ends[rows - 1]);
  }

  /** The texts; the same array at every call. */
  get texts(): string[] {
    return (this.#texts ??= this.#decoded());
  }

  #decoded(): string[] {
    const decoder = utf8Decoder();
    const ends = this.#ends;
    const bytes = this.#bytes;
    const texts: string[] = new Array(ends.length);
    // Equal texts share one string, as long as the column has at most this many different texts.
    const most = 1000;
    const known = new Map<string, string>();
    let begin = 0;
    for (let row = 0; row < ends.length; ) {
      // Several rows are decoded at once, because a call of the decoder costs more than a short text.
      let last = row;
      while (last + 1 < ends.length && ends[last] - begin < 16_384) last++;
      const piece = decoder.decode(bytes.subarray(begin, ends[last]));
      const isAscii = piece.length === ends[last] - begin;
      for (let from = 0, at = begin; row <= last; row++) {
        const end = ends[row];
        const to = from + (isAscii ? end - at : lengthOf(bytes, at, end));
        const text = piece.slice(from, to);
        if (known.size < most) {
          const same = known.get(text);
          if (same === undefined) known.set(text, text);
          texts[row] = same ?? text;
        } else texts[row] = text;
        from = to;
        at = end;
      }
      begin = ends[last];
    }
    this.#bytes = new Uint8Array(0);
    this.#ends = new Uint32Array(0);
    return texts;
  }
}

/** The length of UTF-8 text as a string: a character of four bytes has two UTF-16 units, any other has one. */
function lengthOf(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; at++) {
    if ((bytes[at] & 0xc0) !== 0x80) length += bytes[at] >= 0xf0 ? 2 : 1;
  }
  return length;
}
