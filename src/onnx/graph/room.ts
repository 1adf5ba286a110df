// A file must not decide how much memory and time its reader takes.
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import type { Heap } from '../../engine/memory.ts';

/** Axes of a value. */
const MOST_AXES = 64;
/** Elements of a value: 512 MB as float32. */
const MOST_ELEMENTS = 2 ** 27;

let most = MOST_ELEMENTS;
let left = Number.POSITIVE_INFINITY;

/** Elements of a shape. Throws `ArgumentError` for lengths that are none, and for more elements than there is room for. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  let isShape = shape.length <= MOST_AXES;
  for (const n of shape) {
    size *= n;
    isShape &&= Number.isInteger(n) && n >= 0;
  }
  if (isShape && size <= most) return size;
  const shown = shape.length <= MOST_AXES ? formatShape(shape) : `${shape.length} axes`;
  throw new ArgumentError(
    isShape ? `a value of ${shown} is too large` : `a shape expected lengths of 0 and more, got ${shown}`,
  );
}

/** Throws `ArgumentError` if `work`, in elements that are computed one by one, is more than is left. */
export function spend(work: number): void {
  // A shape that does not fit an operator may make it NaN, which must not stay.
  if (!(work <= left)) throw new ArgumentError('the graph takes too long for shapes that it declares');
  left -= work;
}

/** Runs `body` with room for so many elements of one value, and of all that it computes. */
export function sparingly<T>(elements: number, work: number, body: () => T): T {
  const before = [most, left] as const;
  [most, left] = [Math.min(most, elements), Math.min(left, work)];
  try {
    return body();
  } finally {
    [most, left] = before;
  }
}

/** Runs `body` with linear memory that grows by at most `bytes`. */
export function withRoomFor<T>(heap: Heap, bytes: number, body: () => T): T {
  const { limit } = heap;
  heap.limit = Math.min(limit, heap.memory.buffer.byteLength + bytes);
  try {
    return body();
  } finally {
    heap.limit = limit;
  }
}
