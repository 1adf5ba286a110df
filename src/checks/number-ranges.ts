import { ArgumentError, isFloat32, shown } from './argument-error.ts';

// Tests of a number, by the words of the error message.
const ranges = {
  '≥ 0': (value) => value >= 0,
  '> 0': (value) => value > 0,
  'a number, 1 or ≥ 1.01': (value) => value === 1 || value >= 1.01,
  'in [0, 1]': (value) => value >= 0 && value <= 1,
  'in (0, 1]': (value) => value > 0 && value <= 1,
  'in [0, 1)': (value) => value >= 0 && value < 1,
  'a finite number': () => true,
  'an integer': Number.isInteger,
  'an integer ≥ 0': (value) => Number.isInteger(value) && value >= 0,
  'an integer ≥ 1': (value) => Number.isInteger(value) && value >= 1,
  'an integer from 2 to 100,000': (value) => Number.isInteger(value) && value >= 2 && value <= 100_000,
} satisfies Record<string, (value: number) => boolean>;

/** Throws `ArgumentError` unless `value` is a number in the range and finite as float32. */
export function expectNumber(what: string, value: unknown, range: keyof typeof ranges): void {
  const fits = isFloat32(value);
  if (fits && ranges[range](value)) return;
  throw new ArgumentError(
    `${what} expected ${range.startsWith('a') ? '' : 'a number '}${range}${!fits && Number.isFinite(value) ? ', below 3.4e38' : ''}, got ${shown(value)}`,
  );
}
