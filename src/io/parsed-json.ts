// What JSON gave, held to what the code behind it takes for granted. What a layer, a loss or an optimizer checks itself
// is left to it.

import { ArgumentError, shown } from '../checks/argument-error.ts';

export type Parsed = Readonly<Record<string, unknown>>;

/** Throws `ArgumentError` unless it is an object. */
export function expectObject(what: string, value: unknown): Parsed {
  if (isObject(value)) return value;
  throw new ArgumentError(`${what} expected an object, got ${describe(value)}`);
}

/** Throws `ArgumentError` unless it is a list. */
export function expectList(what: string, value: unknown, kind = 'a list'): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ArgumentError(`${what} expected ${kind}, got ${describe(value)}`);
}

/** Throws `ArgumentError` unless it is a list of strings. */
export function expectStrings(what: string, given: unknown): string[] {
  const value = expectList(what, given, 'a list of strings') as string[];
  const at = value.findIndex((entry) => typeof entry !== 'string');
  if (at >= 0) throw new ArgumentError(`${what}[${at}] expected a string, got ${describe(value[at])}`);
  return value;
}

/** Throws `ArgumentError` unless it is a string. */
export function expectString(what: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ArgumentError(`${what} expected a string, got ${describe(value)}`);
}

/** Whether it is neither a list nor null. */
export const isObject = (value: unknown): value is Parsed =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The beginning of a text that may be long. */
export const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Text as an error shows it. */
export const quote = (text: string | undefined): string => (text === undefined ? 'none' : JSON.stringify(clip(text)));

/**
 * A value as an error about a file shows it: as `shown` does, but with text in JSON's quotes, on one line whatever is
 * in it.
 */
export const describe = (value: unknown): string =>
  value === undefined || typeof value === 'string' ? quote(value) : shown(value);
