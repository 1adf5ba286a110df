import { ArgumentError, shown } from './argument-error.ts';

/** Lengths of the axes, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);
export const formatShape = (shape: readonly (number | null)[]): string =>
  Array.isArray(shape) ? `[${shape.map((n) => (n == null ? '?' : shown(n))).join(', ')}]` : shown(shape);
export const sameShape = (a: Shape, b: Shape): boolean => a?.length === b.length && a.every((n, i) => n === b[i]);

/** Throws `ArgumentError` unless `shape` is a list of lengths. */
export function checkShape(shape: Shape, what = 'shape'): void {
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ArgumentError(`${what} expected a list of integers ≥ 0, got ${formatShape(shape)}`);
  }
}
