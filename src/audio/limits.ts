import { ArgumentError, shown } from '../checks/argument-error.ts';

/** The longest transform, window or hop: six minutes at 44,100 Hz. */
const LONGEST = 2 ** 24;

/** Throws `ArgumentError` unless `value` is an integer from 1 to `most`. */
export function expectLength(what: string, value: number, most = LONGEST): number {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new ArgumentError(`${what} expected an integer from 1 to ${most}, got ${shown(value)}`);
  return value;
}
