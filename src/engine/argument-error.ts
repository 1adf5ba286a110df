/** A shape, a data type or a value did not fit an argument. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

/** Throws `ArgumentError` unless `value` is a whole number from 1 up. */
export function expectCount(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`${what} expected an integer ≥ 1, got ${value}`);
  return value;
}
