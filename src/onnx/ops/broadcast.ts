import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { sizeOf } from '../graph/room.ts';

/** The shape of a result of several operands, as NumPy broadcasts them. */
export function broadcastShape(...shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const whole = Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const length = lengths.find((n) => n !== 1) ?? 1;
    if (lengths.every((n) => n === 1 || n === length)) return length;
    throw new ArgumentError(`shapes ${shapes.map((shape) => `[${shape}]`).join(', ')} do not fit each other`);
  });
  sizeOf(whole);
  return whole;
}

/** Steps between neighbours along each axis of `shape`; 0 along axes that `from` repeats. */
function stepsOf(from: Shape, shape: Shape): number[] {
  const steps: number[] = Array(shape.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    const axis = shape.length - from.length + i;
    if (from[i] !== 1) steps[axis] = step;
    step *= from[i]!;
  }
  return steps;
}

/** For each element of `shape` in order, the places of the operands' elements. */
export function eachPlace(
  shape: Shape,
  operands: readonly Shape[],
  body: (at: number, places: number[]) => void,
): void {
  const size = sizeOf(shape);
  if (size === 0) return;
  const steps = operands.map((from) => stepsOf(from, shape));
  const places = operands.map(() => 0);
  const index: number[] = Array(shape.length).fill(0);
  for (let at = 0; at < size; at++) {
    body(at, places);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      for (let i = 0; i < places.length; i++) places[i]! += steps[i]![axis]!;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
      for (let i = 0; i < places.length; i++) places[i]! -= steps[i]![axis]! * shape[axis]!;
    }
  }
}

/** Row-major steps of a shape. */
export function rowMajor(shape: Shape): number[] {
  const steps: number[] = Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) steps[axis] = steps[axis + 1]! * shape[axis + 1]!;
  return steps;
}

/** An axis from 0. Throws `ArgumentError` if there is none such. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && found >= 0 && found < Math.max(rank, 1)) return found;
  throw new ArgumentError(`axis expected ${-rank} to ${rank - 1}, got ${axis}`);
}
