// Checks of parsed JSON. They cover only the types that later code assumes. Layers, losses and optimizers check their
// own options.

import { ArgumentError, shown } from '../checks/argument-error.ts';

export type Parsed = Readonly<Record<string, unknown>>;

/** Throws `ArgumentError` unless `value` is an object. */
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

/** Whether `value` is an object, and neither a list nor null. */
export const isObject = (value: unknown): value is Parsed =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Shortens a text to 80 characters. */
export const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Formats a text for an error, shortened and in quotes. */
export const quote = (text: string | undefined): string => (text === undefined ? 'none' : JSON.stringify(clip(text)));

/** Formats a value for an error about a file: like `shown`, but with text in JSON's quotes, all on one line. */
export const describe = (value: unknown): string =>
  value === undefined || typeof value === 'string' ? quote(value) : shown(value);
