import { classOf } from '../host/class-of.ts';
import { TapeloopError } from './tapeloop-error.ts';

/** An argument has a wrong shape, data type or value. */
export class ArgumentError extends TapeloopError {
  override readonly name = 'ArgumentError';
}

/** Formats a value for an error message. The text is short and shows no nested values, which may be cyclic. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  return value && typeof value === 'object' ? 'an object' : String(value);
}

/**
 * `shown`, for an argument that must be an object of tapeloop. Such objects have the property `property`. If this value
 * has it too, it comes from another copy of the package, which has its own classes and its own engine.
 */
export const shownForeign = (value: unknown, property: string): string =>
  Object(value)[property] === undefined ? shown(value) : 'one of another copy of tapeloop';

/** Throws `ArgumentError` if `value` is not a list. */
export function expectList(what: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ArgumentError(`${what} expected a list, got ${shown(value)}`);
}

/** Throws `ArgumentError` if `array` is neither a list nor a typed array. */
export function expectArray(what: string, array: unknown): void {
  if (!Array.isArray(array) && (!ArrayBuffer.isView(array) || classOf(array) === 'DataView'))
    throw new ArgumentError(`${what} expected a list or a typed array, got ${shown(array)}`);
}

/** Throws `ArgumentError` for null and for a value of another type. `type` is a type with its article: 'a string'. */
export function expectType(what: string, value: unknown, type: `a${'n' | ''} ${string}`): void {
  if (value === null || !type.endsWith(typeof value))
    throw new ArgumentError(`${what} expected ${type}, got ${shown(value)}`);
}

/** Throws `ArgumentError` if `signal` is neither undefined nor an `AbortSignal`. */
export function expectSignal(what: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    throw new ArgumentError(`${what}: signal expected an AbortSignal, got ${shown(signal)}`);
}

/** Throws `ArgumentError` unless `value` is an integer ≥ 1. */
export function expectCount(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1)
    throw new ArgumentError(`${what} expected an integer ≥ 1, got ${shown(value)}`);
  return value;
}

/** Throws `ArgumentError` if a function got more arguments than it takes. JavaScript would ignore them. */
export function expectNoMore(what: string, others: readonly unknown[]): void {
  if (others.length > 0) throw new ArgumentError(`${what}: expected no argument more, got ${shown(others[0])}`);
}

/** Whether `x` is a number that is finite as float32. */
export const isFloat32 = (x: unknown): x is number => Number.isFinite(x) && Number.isFinite(Math.fround(x as number));
