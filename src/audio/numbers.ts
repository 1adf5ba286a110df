import { ArgumentError, expectArray, shown } from '../checks/argument-error.ts';

/** Throws `ArgumentError` unless `values` is a list of numbers or a typed array of them. */
export function expectNumbers(what: string, values: ArrayLike<number>): void {
  expectArray(what, values);
  if (!Array.isArray(values) && typeof (values[0] ?? 0) === 'number') return;
  const at = Array.from(values).findIndex((value) => typeof value !== 'number');
  if (at >= 0) throw new ArgumentError(`${what} expected numbers, got ${shown(values[at])} at ${at}`);
}
