import { classOf } from '../host/class-of.ts';
import { TapeloopError } from './tapeloop-error.ts';

/** A shape, a data type or a value did not fit an argument. */
export class ArgumentError extends TapeloopError {
  override readonly name = 'ArgumentError';
}

/** A value as an error shows it: short, and without walking into what may nest without end. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  return value && typeof value === 'object' ? 'an object' : String(value);
}

/**
 * `shown`, for where one of our own is expected, which has the property `mark`: another copy of the package has classes
 * and an engine of its own.
 */
export const shownStranger = (value: unknown, mark: string): string =>
  Object(value)[mark] === undefined ? shown(value) : 'one of another copy of tapeloop';

/** Throws `ArgumentError` for what is no list. */
export function expectList(what: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ArgumentError(`${what} expected a list, got ${shown(value)}`);
}

/** Throws `ArgumentError` for what is neither a list nor a typed array. */
export function expectArray(what: string, array: unknown): void {
  if (!Array.isArray(array) && (!ArrayBuffer.isView(array) || classOf(array) === 'DataView'))
    throw new ArgumentError(`${what} expected a list or a typed array, got ${shown(array)}`);
}

/** Throws `ArgumentError` for null and for a value of another type than `type`, which is one with its article. */
export function expectType(what: string, value: unknown, type: `a${'n' | ''} ${string}`): void {
  if (value === null || !type.endsWith(typeof value))
    throw new ArgumentError(`${what} expected ${type}, got ${shown(value)}`);
}

/** Throws `ArgumentError` for what is no signal of an `AbortController`; none is one. */
export function expectSignal(what: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    throw new ArgumentError(`${what}: signal expected an AbortSignal, got ${shown(signal)}`);
}

/** Throws `ArgumentError` unless `value` is a whole number from 1 up. */
export function expectCount(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1)
    throw new ArgumentError(`${what} expected an integer ≥ 1, got ${shown(value)}`);
  return value;
}

/** Throws `ArgumentError` for arguments behind the last one that a function takes, which JavaScript would ignore. */
export function expectNoMore(what: string, others: readonly unknown[]): void {
  if (others.length > 0) throw new ArgumentError(`${what}: expected no argument more, got ${shown(others[0])}`);
}

/** Whether it is a number that float32 has a finite value for. */
export const isFloat32 = (x: unknown): x is number => Number.isFinite(x) && Number.isFinite(Math.fround(x as number));
