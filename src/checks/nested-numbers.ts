import { ArgumentError, shown } from './argument-error.ts';
import { type Shape, sizeOf } from './shape.ts';

/** Numbers nested to any depth; every row of a level has the same length. */
export type NestedNumbers = number | ArrayLike<number> | NestedRow;

/** One level of nested numbers: a list. `join` excludes strings, which also have a length and elements. */
export interface NestedRow extends ArrayLike<NestedNumbers> {
  join(separator?: string): string;
}

/**
 * Limits far above real data. An array that contains itself has no end, and an array-like object may have any `length`.
 */
const MOST_AXES = 32;
const MOST_NUMBERS = 2 ** 31;

/**
 * The shape of nested arrays, from the first element of every level. Throws `ArgumentError` if they have more than 32
 * axes or 2³¹ numbers.
 */
export function shapeOfNested(values: NestedNumbers, what = 'tensor'): number[] {
  const shape: number[] = [];
  let level = values;
  // A string has a length and elements, but it is not a row.
  while (typeof level === 'object' && typeof level?.length === 'number') {
    const axes = shape.push(level.length);
    const size = sizeOf(shape);
    if (axes > MOST_AXES || !(size >= 0 && size <= MOST_NUMBERS)) {
      throw new ArgumentError(`${what} expected ${MOST_AXES} axes and 2^31 numbers at most, got more`);
    }
    if (level.length === 0) break;
    level = level[0]!;
  }
  return shape;
}

/** Nested arrays as one row-major array. Throws `ArgumentError` for a ragged row or an element that is not a number. */
export function flattenNested(values: NestedNumbers, shape: Shape, what = 'tensor'): Float64Array {
  const flat = new Float64Array(sizeOf(shape));
  let next = 0;
  const walk = (level: NestedNumbers, axis: number, path: string): void => {
    if (axis === shape.length) {
      if (typeof level !== 'number') throw new ArgumentError(`${what}${path}: expected a number, got ${shown(level)}`);
      flat[next++] = level;
      return;
    }
    const length = typeof level === 'number' ? undefined : level?.length;
    if (length !== shape[axis]) {
      throw new ArgumentError(`${what}${path}: expected a row of ${shape[axis]}, got ${length ?? shown(level)}`);
    }
    for (let i = 0; i < shape[axis]!; i++) walk((level as ArrayLike<NestedNumbers>)[i]!, axis + 1, `${path}[${i}]`);
  };
  walk(values, 0, '');
  return flat;
}
