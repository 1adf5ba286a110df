import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { allocated } from '../array.ts';
import { DataError } from '../sources/data-error.ts';
import { utf8Decoder } from '../text/utf8.ts';
import type { CsvScanner } from './csv-scanner.ts';
import { type DateReader, formatName } from './dates.ts';
import { interpolate } from './interpolate.ts';

/** What to do where a number or a date is missing. @internal */
export type Missing = 'error' | 'skip' | 'nan' | 'previous' | 'interpolate';

/** That the row is left out. @internal */
export const SKIP = 'skip';

/** One column while it is read. @internal */
export interface Column {
  /**
   * Passes a field and puts its value at `row`; whatever stood there or behind is gone.
   *
   * @returns `SKIP`, or what was expected and what was got instead.
   */
  read(scanner: CsvScanner, row: number): string | undefined;
  /** That no row follows the first `rows`. */
  close(rows: number): void;
}

/** Whether a field stands for a number that is missing. @internal */
export const isMissing = (field: string): boolean => /^(?:|n\/?a|nan|null)$/i.test(field.trim());

/** The number that a field is, ±∞ if it is too large, or NaN if it is none. @internal */
export type NumberReader = (field: string) => number;

/**
 * A reader of decimal numbers.
 *
 * @param decimal the character in front of the decimals.
 * @param thousands the character that may stand between groups of digits, of which the last has three and the others
 *   two or three: where it stands otherwise it is a misprint, or a decimal point after all.
 * @internal
 */
export function numberReader(decimal: string, thousands: string | undefined): NumberReader {
  const point = codeOf(decimal);
  const between = thousands && codeOf(thousands);
  // No character may be taken by two parts of the expression: it would try all ways to share a long field out.
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

/** What is said of a number that has a comma where it should have a point. @internal */
export const commaHint = (field: string): string =>
  /^\s*[+-]?\d*,\d+\s*$/.test(field) ? "; decimal: ',' reads it" : '';

/** How a column is called, and what to do about its gaps. @internal */
export interface ColumnOptions {
  readonly name: string;
  readonly file: string;
  readonly missing: Missing;
  readonly numberOf: NumberReader;
}

/** Numbers of one column. @internal */
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

  /** Whatever the scanner does not take for a number: gaps, numbers in quotes, long ones. */
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

/** Dates of one column. @internal */
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
    // A date that was made up would put its row at a time when nothing was measured.
    return missing === 'nan'
      ? undefined
      : `${expected}, got ${field.trim() || 'none'}; missing: 'skip' or 'nan' allows for it`;
  }

  close(rows: number): void {
    if (rows < this.values.length) this.values = this.values.slice(0, rows);
  }
}

/** Texts of one column, as UTF-8 without anything between them until they are asked for. @internal */
export class TextColumn implements Column {
  #bytes = new Uint8Array(1024);
  /** Where each text ends. */
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
        // Of a doubled quote the first is kept.
        if (hasEscapes && bytes[i] === 34) i++;
      }
    }
    this.#ends[row] = at;
  }

  #grow(used: number, needed: number): void {
    // Ends are kept in 32 bits.
    if (needed > 0xffff_ffff) throw new ArgumentError('loadCsv: a column of text expected fewer than 4 GB, got more');
    const grown = allocated(Uint8Array, Math.max(needed, 2 * this.#bytes.length), 'loadCsv: the text of a column');
    grown.set(this.#bytes.subarray(0, used));
    this.#bytes = grown;
  }

  close(rows: number): void {
    this.#ends = this.#ends.slice(0, rows);
    this.#bytes = this.#bytes.slice(0, rows === 0 ? 0 : this.#ends[rows - 1]);
  }

  /** The texts, the same array every time. */
  get texts(): string[] {
    return (this.#texts ??= this.#decoded());
  }

  #decoded(): string[] {
    const decoder = utf8Decoder();
    const ends = this.#ends;
    const bytes = this.#bytes;
    const texts: string[] = new Array(ends.length);
    // Texts that stand in many rows are one string. A column of more different ones than these is not looked through.
    const most = 1000;
    const known = new Map<string, string>();
    let begin = 0;
    for (let row = 0; row < ends.length; ) {
      // Some rows at once, for a call of the decoder costs more than a short text.
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

/** How long a text in UTF-8 is as a string: a character of four bytes has two units, any other one. */
function lengthOf(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; at++) {
    if ((bytes[at] & 0xc0) !== 0x80) length += bytes[at] >= 0xf0 ? 2 : 1;
  }
  return length;
}
