// The type of a gradient case, and float64 functions that many references share.

import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { type Shape, sizeOf } from '../../../src/checks/shape.ts';
import { swapTimeBatch } from '../../../src/ops/shapes/layout.ts';
import { integers } from '../../kernels/reference/values.ts';

/** One differentiable argument: uniform in [low, high), by default [−1, 1). */
export interface Argument {
  shape: Shape;
  low?: number;
  high?: number;
}

export interface GradientCase {
  /** The export that is tested. */
  of: string;
  /** What sets this case apart from the others of the same export. */
  variant: string;
  arguments: Argument[];
  /** Whether elements are only moved, so that i32 is as welcome as f32. */
  moves?: true;
  /** Whether i32 is as welcome as f32, though the result is f32. */
  takesIds?: true;
  /** Whether no gradient flows to any argument. */
  constant?: true;
  /** Whether all arguments are exchanged in memory at once: every choice of them would be too many. */
  exchangedTogether?: true;
  /** Of the result, where the case is about that. */
  shape?: Shape;
  run(...inputs: Tensor[]): Tensor;
  /** The same in float64. */
  reference(...inputs: Float64Array[]): Float64Array;
}

export const SEQUENCE: Shape = [3, 2, 5];
export const map = (x: Float64Array, f: (value: number, i: number) => number): Float64Array => x.map(f);
/** Ids from 0 up to `limit`, as they are and as a tensor. */
export const ids = (shape: Shape, limit: number): { tensor: () => Tensor; at: Int32Array } => {
  const at = integers(sizeOf(shape), limit, 31);
  return { at, tensor: () => tensor(at, { shape, dtype: 'i32', name: 'ids' }) };
};

/** What stands at `index` of a row-major array. */
export function pick(x: ArrayLike<number>, shape: Shape, index: readonly number[]): number {
  let at = 0;
  for (let axis = 0; axis < index.length; axis++) at = at * shape[axis]! + index[axis]!;
  return x[at]!;
}

/** A row-major array of `shape` from what each index holds. */
export function build(shape: Shape, f: (index: number[]) => number): Float64Array {
  const built = new Float64Array(sizeOf(shape));
  for (let at = 0; at < built.length; at++) {
    const index = new Array<number>(shape.length);
    for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    built[at] = f(index);
  }
  return built;
}

/** Row by row over the last axis. */
export function byRow(x: Float64Array, columns: number, f: (row: Float64Array, index: number) => ArrayLike<number>) {
  const rows = Array.from({ length: x.length / columns }, (_, i) => x.subarray(i * columns, (i + 1) * columns));
  return Float64Array.from(rows.flatMap((row, i) => Array.from(f(row, i))));
}

export const logSoftmax = (row: Float64Array): Float64Array => {
  const logSum = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
  return row.map((v) => v - logSum);
};
export const total = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0);

/** The same tensor with its first two axes exchanged in memory only. */
export function exchanged(x: Tensor): Tensor {
  const [a, b, ...rest] = x.shape as [number, number, ...number[]];
  const inner = sizeOf(rest);
  const from = x.toArray();
  const moved = from.map((_, at) => {
    const [row, column, i] = [Math.floor(at / inner / a), Math.floor(at / inner) % a, at % inner];
    return from[(column * b + row) * inner + i]!;
  });
  return swapTimeBatch(tensor(moved, { shape: [b, a, ...rest], dtype: x.dtype, name: x.name }));
}
