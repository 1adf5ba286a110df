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
 * Walks over the fields of a CSV file as RFC 4180 has them; lines end in LF, CR LF or CR. It makes no string of what it
 * passes.
 *
 * A row is read so: for each field `number` or `field`, then `nextField`, until that says that the row is over.
 *
 * @internal
 */
export class CsvScanner {
  /** The line at `at`, from 1. */
  line = 1;
  /** The bytes of the field that `field` passed last, without quotes around it. */
  from = 0;
  to = 0;
  /** Whether there are doubled quotes among them. */
  hasEscapes = false;
  /** Where the next field begins. */
  at: number;
  readonly bytes: Uint8Array;
  readonly #file: string;
  readonly #delimiter: Uint8Array;
  /** Behind the last row and before the line ends that follow it. */
  readonly #end: number;
  /** What may stand around a number; none if it is the delimiter. */
  readonly #blank: number;
  /** Whether `number` tells none: the delimiter may stand in one, or they are written in another way. */
  readonly #leavesNumbers: boolean;
  readonly #decoder = utf8Decoder();

  /**
   * @param bytes valid UTF-8, with or without a byte-order mark.
   * @param leavesNumbers whether numbers are written in another way than `number` reads them.
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

  /** Whether no row is left. */
  get isDone(): boolean {
    return this.at >= this.#end;
  }

  /**
   * At the beginning of a row: passes its line if nothing stands there but blanks and tabs that are no delimiters.
   *
   * @returns whether it was passed.
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

  /** A scanner of its own that goes on from here. */
  copy(): CsvScanner {
    const copy = new CsvScanner(this.bytes, this.#decoder.decode(this.#delimiter), this.#file, this.#leavesNumbers);
    copy.at = this.at;
    copy.line = this.line;
    return copy;
  }

  /** The most rows that may be left if each has `width` fields. */
  rowsLeft(width: number): number {
    let lines = 1;
    for (let at = this.at; at < this.#end; at++) {
      const byte = this.bytes[at];
      if (byte === LF || (byte === CR && this.bytes[at + 1] !== LF)) lines++;
    }
    // Each field but the last of the file has a byte behind it.
    return Math.min(lines, Math.ceil((this.#end - this.at + 1) / width));
  }

  /**
   * Passes a field that is a decimal number, in quotes or not, with blanks around it or without.
   *
   * @returns the number; NaN if nothing was passed, since the field is none or one that is not told so.
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
    // Not before the number is told: otherwise the field is still to be passed.
    if (!Number.isNaN(value)) this.at = at;
    return isNegative ? -value : value;
  }

  /**
   * Passes a field.
   *
   * @throws DataError at a quote within a field that does not begin with one, at anything between a closing quote and
   *   the field's end, at a quote left open.
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

  /** Behind a field: passes what ends it; whether another field of the row follows. */
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

  /** The field passed last. */
  text(): string {
    const { bytes, from, to } = this;
    let text = '';
    // A call of the decoder takes as long as some thirty characters so.
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
