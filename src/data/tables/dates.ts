import { ArgumentError, expectArray, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';

export interface DateOptions {
  /**
   * The format of the dates. Default: ISO 8601, that is `YYYY-MM`, `YYYY-MM-DD`, or the latter with `T` or a blank and
   * `HH:mm`, `HH:mm:ss` or `HH:mm:ss.S…` (1 to 9 digits), with or without a zone.
   *
   * In a format, `YYYY`, `MM`, `DD`, `HH` (0 to 23), `hh` (1 to 12, with `A`), `mm` and `ss` mean that many digits;
   * `M`, `D`, `H` and `h` mean one or two; `SSS` milliseconds; `A` AM or PM; `Z` a zone: `Z`, `+02:00` or `+0200`. `T`
   * and all characters that are not letters mean themselves. Missing parts are January, day 1 and 0:00:00. Dates
   * without a zone are UTC.
   */
  format?: string | undefined;
}

/** Reads one date: milliseconds since 1970-01-01 UTC, or NaN if the text is not a date. @internal */
export type DateReader = (text: string) => number;

/** The expression that each part of a format matches. */
const parts: Readonly<Record<string, string>> = {
  YYYY: '\\d{4}',
  MM: '\\d\\d',
  DD: '\\d\\d',
  HH: '\\d\\d',
  hh: '\\d\\d',
  mm: '\\d\\d',
  ss: '\\d\\d',
  SSS: '\\d{3}',
  M: '\\d\\d?',
  D: '\\d\\d?',
  H: '\\d\\d?',
  h: '\\d\\d?',
  A: '[AaPp][Mm]',
  Z: 'Z|[+-]\\d\\d:?\\d\\d',
};

/** A regular expression with a group for each part; `letters` has the first letter of each part. */
interface Pattern {
  readonly expression: RegExp;
  readonly letters: string;
}

const iso: Pattern = {
  expression:
    /^(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?$/,
  letters: 'YMDHmsSZ',
};

/**
 * Makes a reader of dates of one format.
 *
 * @throws ArgumentError if the format has an unknown letter, a part twice, no year, or only one of `hh` and `A`.
 * @internal
 */
export function dateReader(format: string | undefined, what: string): DateReader {
  const { expression, letters } = format === undefined ? iso : patternOf(format, what);
  return (text) => {
    const found = expression.exec(text);
    return found ? timeOf(found, letters) : Number.NaN;
  };
}

/**
 * Converts dates to numbers.
 *
 * @param texts `[N]` dates as text; blanks around them are ignored.
 * @param options.format their format. Default: ISO 8601.
 * @returns `[N]` float64, milliseconds since 1970-01-01 UTC, as `Date.UTC` returns and `new Date` takes them; the
 *   caller owns them.
 * @throws ArgumentError at the first text that is not a date of the format, or if the format is not valid or an option
 *   is unknown.
 * @see https://pandas.pydata.org/docs/reference/api/pandas.to_datetime.html
 * @example
 * parseDates(['31/12/2026 23:00'], { format: 'DD/MM/YYYY HH:mm' }); // [Date.UTC(2026, 11, 31, 23)]
 */
export function parseDates(texts: readonly string[], options: DateOptions = {}): Float64Array<ArrayBuffer> {
  const { format } = checkOptions('parseDates', options, { format: 1 });
  const read = dateReader(format, 'parseDates: format');
  expectArray('parseDates: texts', texts);
  const dates = new Float64Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    dates[i] = typeof text === 'string' ? read(text.trim()) : Number.NaN;
    if (Number.isNaN(dates[i])) {
      throw new ArgumentError(`parseDates: texts[${i}] expected ${formatName(format)}, got ${shown(text)}`);
    }
  }
  return dates;
}

/** The name of a format in errors. @internal */
export const formatName = (format: string | undefined): string =>
  format === undefined ? 'a date as ISO 8601 has it' : `a date of the format ${shown(format)}`;

function patternOf(format: unknown, what: string): Pattern {
  if (typeof format !== 'string' || format.length > 80) {
    throw new ArgumentError(`${what} expected a text such as 'DD/MM/YYYY HH:mm', got ${shown(format)}`);
  }
  let letters = '';
  const pattern = format.replace(/([A-Za-z])\1*|./gsu, (part) => {
    if (!/[A-Za-z]/.test(part) || part === 'T') return `\\u{${part.codePointAt(0)!.toString(16)}}`;
    if (!Object.hasOwn(parts, part)) {
      throw new ArgumentError(`${what} expected parts of ${Object.keys(parts).join(', ')}, got ${shown(part)}`);
    }
    if (letters.includes(part[0]))
      throw new ArgumentError(`${what} expected each part once, got ${part} after another`);
    letters += part[0];
    return `(${parts[part]})`;
  });
  const has = (letter: string): boolean => letters.includes(letter);
  if (!has('Y')) throw new ArgumentError(`${what} expected a year, YYYY, got ${shown(format)}`);
  if (has('h') !== has('A') || (has('h') && has('H'))) {
    throw new ArgumentError(`${what} expected hours as HH, or as hh with A, got ${shown(format)}`);
  }
  return { expression: new RegExp(`^${pattern}$`, 'u'), letters };
}

/** Milliseconds since 1970-01-01 UTC, or NaN if there is no such day or time. */
function timeOf(found: RegExpExecArray, letters: string): number {
  let year = 0;
  let month = 1;
  let day = 1;
  let hour = 0;
  let half = 12;
  let noon = 0;
  let minute = 0;
  let second = 0;
  let milliseconds = 0;
  let offset = 0;
  for (let i = 0; i < letters.length; i++) {
    const text = found[i + 1];
    if (text === undefined) continue;
    const letter = letters[i];
    if (letter === 'Y') year = Number(text);
    else if (letter === 'M') month = Number(text);
    else if (letter === 'D') day = Number(text);
    else if (letter === 'H') hour = Number(text);
    else if (letter === 'h') half = Number(text);
    else if (letter === 'A') noon = /p/i.test(text) ? 12 : 0;
    else if (letter === 'm') minute = Number(text);
    else if (letter === 's') second = Number(text);
    else if (letter === 'S') milliseconds = Number(`${text.slice(0, 3).padEnd(3, '0')}.${text.slice(3)}`);
    else offset = offsetOf(text);
  }
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return Number.NaN;
  if (hour > 23 || half < 1 || half > 12 || minute > 59 || second > 59) return Number.NaN;
  hour += (half % 12) + noon;
  // `Date.UTC` maps years below 100 to 1900 and later. The calendar repeats after 400 years, which are 146,097 days.
  const time = Date.UTC(year + 400, month - 1, day, hour, minute - offset, second) - 146_097 * 86_400_000;
  return time + milliseconds;
}

/** Minutes by which the clock of a zone is ahead of UTC. */
function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', ''));
  return hours > 23 || minutes > 59 ? Number.NaN : (hours * 60 + minutes) * (zone[0] === '-' ? -1 : 1);
}

const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Number of days of a month, 1 to 12, in the Gregorian calendar. @internal */
export function daysOf(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return lengths[month - 1] + (month === 2 && isLeap ? 1 : 0);
}
