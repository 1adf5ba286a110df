import { utf8Of } from '../../host/utf8.ts';
import { DataError } from '../sources/data-error.ts';
import { utf8Decoder } from '../text/utf8.ts';
import { decimal, EXACT_DIGITS } from './decimal.ts';

const LF = 10;
const CR = 13;
const TAB = 9;
const BLANK = 32;
const QUOTE = 34;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;

/**
 * Scans the fields of a CSV file as RFC 4180 defines them. Lines end in LF, CR LF or CR. It makes no strings of the
 * fields that it passes.
 *
 * To read a row, call `number` or `field` and then `nextField` for each field, until `nextField` returns false.
 *
 * @internal
 */
export class CsvScanner {
  /** The current line, from 1. */
  line = 1;
  /** The bytes of the last field that `field` passed, without the quotes around it. */
  from = 0;
  to = 0;
  /** Whether that field contains doubled quotes. */
  hasEscapes = false;
  /** Start of the next field. */
  at: number;
  readonly bytes: Uint8Array;
  readonly #file: string;
  readonly #delimiter: Uint8Array;
  /** End of the last row, before the line ends that follow it. */
  readonly #end: number;
  /** The blank that may surround a number; none if the delimiter is a blank. */
  readonly #blank: number;
  /** Whether `number` reads no numbers: a number may contain the delimiter, or has another notation. */
  readonly #leavesNumbers: boolean;
  readonly #decoder = utf8Decoder();

  /**
   * @param bytes valid UTF-8, with or without a byte-order mark.
   * @param leavesNumbers whether numbers have another notation than `number` reads.
   */
  constructor(bytes: Uint8Array, delimiter: string, file: string, leavesNumbers = false) {
    this.bytes = bytes;
    this.#file = file;
    this.#delimiter = utf8Of(delimiter);
    this.#blank = delimiter === ' ' ? -1 : BLANK;
    this.#leavesNumbers = leavesNumbers || /[-+.\de]/i.test(delimiter);
    let end = bytes.length;
    while (end > 0 && this.#isLineEnd(end - 1)) end--;
    this.#end = end;
    this.at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** Whether all rows are read. */
  get isDone(): boolean {
    return this.at >= this.#end;
  }

  /**
   * At the start of a row: passes the line if it has only blanks and tabs that are not delimiters.
   *
   * @returns whether the line was passed.
   */
  passBlank(): boolean {
    const { at, bytes } = this;
    for (; !this.isDone; this.at++) {
      const byte = bytes[this.at];
      if ((byte !== BLANK && byte !== TAB) || byte === this.#delimiter[0]) break;
    }
    if (this.#isLineEnd(this.at) || (this.at > at && this.isDone)) {
      this.nextField();
      return true;
    }
    this.at = at;
    return false;
  }

  /** A second scanner that continues from here. */
  copy(): CsvScanner {
    const copy = new CsvScanner(this.bytes, this.#decoder.decode(this.#delimiter), this.#file, this.#leavesNumbers);
    copy.at = this.at;
    copy.line = this.line;
    return copy;
  }

  /** An upper bound of the number of rows left, if each has `width` fields. */
  rowsLeft(width: number): number {
    let lines = 1;
    for (let at = this.at; at < this.#end; at++) {
      const byte = this.bytes[at];
      if (byte === LF || (byte === CR && this.bytes[at + 1] !== LF)) lines++;
    }
    // Each field except the last one of the file is followed by at least one byte.
    return Math.min(lines, Math.ceil((this.#end - this.at + 1) / width));
  }

  /**
   * Passes a field that is a decimal number, with or without quotes and blanks around it.
   *
   * @returns the number. NaN means that nothing was passed: the field is not a number, or not one that this fast path
   *   reads.
   */
  number(): number {
    if (this.#leavesNumbers) return Number.NaN;
    const { bytes } = this;
    const end = this.#end;
    const blank = this.#blank;
    let at = this.at;
    const isQuoted = at < end && bytes[at] === QUOTE;
    if (isQuoted) at++;
    while (at < end && bytes[at] === blank) at++;
    const isNegative = bytes[at] === MINUS;
    if (isNegative || bytes[at] === PLUS) at++;

    const first = at;
    let most = at + EXACT_DIGITS;
    let high = 0;
    let low = 0;
    let point = -1;
    for (; at < end && at < most; at++) {
      const digit = bytes[at] - 48;
      if (digit >= 0 && digit <= 9) high = high * 10 + digit;
      else if (digit === POINT - 48 && point < 0) {
        point = at;
        most++;
      } else break;
    }
    if (at === most) {
      most += EXACT_DIGITS;
      for (; at < end && at < most; at++) {
        const digit = bytes[at] - 48;
        if (digit >= 0 && digit <= 9) low = low * 10 + digit;
        else if (digit === POINT - 48 && point < 0) {
          point = at;
          most++;
        } else break;
      }
    }
    const digits = at - first - (point < 0 ? 0 : 1);
    if (digits === 0) return Number.NaN;
    let scale = point < 0 ? 0 : at - point - 1;

    if (at < end && (bytes[at] | 0x20) === 0x65) {
      const isDivided = bytes[++at] === MINUS;
      if (isDivided || bytes[at] === PLUS) at++;
      const start = at;
      let exponent = 0;
      for (; at < end && at < start + 4 && isDigit(bytes[at]); at++) exponent = exponent * 10 + bytes[at] - 48;
      if (at === start) return Number.NaN;
      scale += isDivided ? exponent : -exponent;
    }
    while (at < end && bytes[at] === blank) at++;
    if (isQuoted && (at === end || bytes[at++] !== QUOTE)) return Number.NaN;
    if (at < end && !this.#isLineEnd(at) && !this.#isDelimiter(at)) return Number.NaN;

    const value = decimal(high, low, Math.max(digits - EXACT_DIGITS, 0), scale);
    // The position moves only if the number was read; otherwise the caller reads the field in another way.
    if (!Number.isNaN(value)) this.at = at;
    return isNegative ? -value : value;
  }

  /**
   * Passes a field.
   *
   * @throws DataError at a quote inside a field that does not begin with one, at text between a closing quote and the
   *   end of the field, and at a quote that is not closed.
   */
  field(): void {
    const { bytes } = this;
    const end = this.#end;
    const first = this.#delimiter[0];
    let at = this.at;
    this.hasEscapes = false;
    if (at < end && bytes[at] === QUOTE) {
      this.#quoted();
      return;
    }
    this.from = at;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === LF || byte === CR || (byte === first && this.#isDelimiter(at))) break;
      if (byte === QUOTE) this.#fail('expected quotes around a whole field, got one inside a field');
    }
    this.to = at;
    this.at = at;
  }

  #quoted(): void {
    const { bytes } = this;
    const end = this.#end;
    const opened = this.line;
    let at = this.at + 1;
    this.from = at;
    for (; ; at++) {
      if (at >= end) this.#fail('expected a closing quote, got the end of the file', opened);
      const byte = bytes[at];
      if (byte === LF || (byte === CR && bytes[at + 1] !== LF)) this.line++;
      if (byte !== QUOTE) continue;
      if (at + 1 === end || bytes[at + 1] !== QUOTE) break;
      this.hasEscapes = true;
      at++;
    }
    this.to = at;
    this.at = at + 1;
  }

  /** After a field: passes its delimiter or line end. Returns whether the row has another field. */
  nextField(): boolean {
    const { at, bytes } = this;
    if (at < this.#end) {
      if (this.#isDelimiter(at)) {
        this.at = at + this.#delimiter.length;
        return true;
      }
      if (!this.#isLineEnd(at)) {
        this.from = at;
        this.to = Math.min(at + 4, this.#end);
        const [got] = this.text();
        this.#fail(`expected a delimiter or the line's end after a closing quote, got ${JSON.stringify(got)}`);
      }
    }
    this.at = at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1);
    this.line++;
    return false;
  }

  /** The text of the last field. */
  text(): string {
    const { bytes, from, to } = this;
    let text = '';
    // For short texts a loop is faster: a call of the decoder takes as long as some thirty characters here.
    for (let at = from; at < to; at++) {
      if (bytes[at] > 127 || at - from > 30) {
        text = this.#decoder.decode(bytes.subarray(from, to));
        break;
      }
      text += String.fromCharCode(bytes[at]);
    }
    return this.hasEscapes ? text.replaceAll('""', '"') : text;
  }

  #isLineEnd(at: number): boolean {
    return this.bytes[at] === LF || this.bytes[at] === CR;
  }

  #isDelimiter(at: number): boolean {
    const delimiter = this.#delimiter;
    if (this.bytes[at] !== delimiter[0]) return false;
    for (let i = 1; i < delimiter.length; i++) if (this.bytes[at + i] !== delimiter[i]) return false;
    return true;
  }

  #fail(message: string, line = this.line): never {
    throw new DataError(this.#file, message, line);
  }
}
