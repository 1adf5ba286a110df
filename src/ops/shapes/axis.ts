import { expectTensor, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';

/** The memory of a tensor around one of its axes: `[outer, length, inner]`. */
export interface AxisBlock {
  /** The axis, counted from 0 in the order of `shape`. */
  axis: number;
  outer: number;
  length: number;
  inner: number;
}

/** The lengths of the axes in their order in memory. */
export function memoryShape({ shape, timeMajor }: { shape: Shape; timeMajor: boolean }): number[] {
  const [a, b, ...rest] = shape as [number, number, ...number[]];
  return timeMajor ? [b, a, ...rest] : [...shape];
}

/**
 * `axis` counted from 0; a negative one counts from the end. Throws `ArgumentError` unless it is one of `rank` axes.
 */
export function expectAxis(what: string, axis: number, rank: number): number {
  if (!(Number.isInteger(axis) && axis >= -rank && axis < rank)) {
    throw new ArgumentError(`${what} expected an integer from ${-rank} to ${rank - 1}, got ${shown(axis)}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** The block of an axis. Throws `ArgumentError` if `x` is not a tensor or has no such axis. */
export function axisBlock(what: string, x: Tensor, axis: number): AxisBlock {
  expectTensor(`${what}: x`, x);
  const found = expectAxis(`${what}: axis of ${formatShape(x.shape)}`, axis, x.shape.length);
  const at = x.timeMajor && found < 2 ? 1 - found : found;
  const shape = memoryShape(x);
  return { axis: found, outer: sizeOf(shape.slice(0, at)), length: shape[at]!, inner: sizeOf(shape.slice(at + 1)) };
}

/** y[o, i] = Σ_j x[o, j, i], or y += the sum. Sums in float64, in ascending j. */
export function sumAxis(engine: Engine, block: Omit<AxisBlock, 'axis'>, x: Ptr, y: Ptr, accumulate: number): void {
  const { kernels } = engine;
  const { outer, length, inner } = block;
  if (inner === 1) kernels.row_sum(outer, length, x, length, y, accumulate);
  else {
    for (let o = 0; o < outer; o++) {
      kernels.col_sum(length, inner, x + 4 * o * length * inner, inner, y + 4 * o * inner, accumulate);
    }
  }
}
