import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { expectAxis, memoryShape } from './axis.ts';

/**
 * Exchanges the first two axes without a copy: `[B, T, …]` ↔ `[T, B, …]`.
 *
 * @param x `[B, T, …]` f32 or i32.
 * @returns a view of `x`: it shares the memory of `x` and lives as long.
 * @throws ArgumentError if `x` is not a tensor or has fewer than two axes.
 */
export function swapTimeBatch(x: Weight): Tensor {
  x = tensorOf(x, 'swapTimeBatch: x');
  if (x.shape.length < 2)
    throw new ArgumentError(`swapTimeBatch: x expected a tensor of two or more axes, got ${formatShape(x.shape)}`);
  const [a, b, ...rest] = x.shape as [number, number, ...number[]];
  const y = viewAs(x, [b, a, ...rest], !x.timeMajor);
  y.gatheredFrom = x.gatheredFrom;
  return y;
}

/** The same memory under another shape. The gradient passes through unchanged. @internal */
export function viewAs(x: Tensor, shape: Shape, timeMajor: boolean): Tensor {
  const y = x.view(shape, timeMajor, x.name);
  record([x], [y], (tape) => tape.pass(y, x), { acceptsDeferred: true });
  return y;
}

/**
 * `x` with its first two axes in the wanted memory order: `x` itself, or a copy through which the gradient flows back.
 * @internal
 */
export function inOrder(x: Tensor, timeMajor: boolean): Tensor {
  x = tensorOf(x);
  if (x.timeMajor === timeMajor) return x;
  // With an axis of length 1 both orders are the same.
  if (x.shape.length < 2 || x.shape[0] === 1 || x.shape[1] === 1) return viewAs(x, x.shape, timeMajor);
  const { engine } = x;
  const [first, second] = memoryShape(x) as [number, number];
  const inner = x.size / Math.max(first * second, 1);
  const y = empty(x.shape, { dtype: x.dtype, name: x.name, timeMajor, engine });
  engine.kernels.swap_axes(first, second, inner, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dx = engine.allocateScratch(x.size);
    engine.kernels.swap_axes(second, first, inner, dy, dx);
    tape.give(x, dx);
  });
  return y;
}

/** `x` with its last axis contiguous in memory: a stack of rows. @internal */
export const asRows = (x: Tensor): Tensor => (x.shape.length < 3 ? inOrder(x, false) : x);

/**
 * Gives the same elements, in row-major order, another shape.
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param shape lengths with the same product; one of them may be −1 and is then computed.
 * @returns a view of `x`, or of a copy if `x` is time-major.
 * @throws ArgumentError if `x` is not a tensor, `shape` is not a list of integers, two are −1, or the sizes differ.
 * @see numpy.reshape
 */
export function reshape(x: Weight, shape: Shape): Tensor {
  x = tensorOf(x, 'reshape: x');
  expectList('reshape: shape', shape);
  const known = shape.every(Number.isInteger) ? sizeOf(shape.filter((n) => n !== -1)) : 0;
  const full = shape.map((n) => (n === -1 ? x.size / known : n));
  if (full.some((n) => !Number.isInteger(n)) || sizeOf(full) !== x.size || shape.filter((n) => n === -1).length > 1) {
    throw new ArgumentError(
      `reshape: shape ${formatShape(shape)} expected to hold the ${x.size} elements of ${formatShape(x.shape)}`,
    );
  }
  return viewAs(inOrder(x, false), full, false);
}

/**
 * Adds an axis of length 1: `[B, T]` → `[B, T, 1]`.
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param axis its place in the result; default −1, the last.
 * @returns a view of `x`, or of a copy if `x` is time-major and the new axis is one of the first two.
 * @throws ArgumentError if `x` is not a tensor or `axis` is outside [−(rank + 1), rank].
 * @see numpy.expand_dims
 */
export function expandDims(x: Weight, axis = -1): Tensor {
  x = tensorOf(x, 'expandDims: x');
  const at = expectAxis(`expandDims: axis for ${formatShape(x.shape)}`, axis, x.shape.length + 1);
  const source = at < 2 ? inOrder(x, false) : x;
  return viewAs(source, x.shape.toSpliced(at, 0, 1), source.timeMajor);
}

/**
 * Removes axes of length 1: `[B, T, 1]` → `[B, T]`.
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param axis the axis to remove; negative ones count from the end. Default: all axes of length 1.
 * @returns a view of `x`.
 * @throws ArgumentError if `x` is not a tensor, or there is no such axis or its length is not 1.
 * @see numpy.squeeze
 */
export function squeeze(x: Weight, axis?: number): Tensor {
  x = tensorOf(x, 'squeeze: x');
  const only =
    axis === undefined ? undefined : expectAxis(`squeeze: axis of ${formatShape(x.shape)}`, axis, x.shape.length);
  if (only !== undefined && x.shape[only] !== 1) {
    throw new ArgumentError(`squeeze: axis ${axis} of ${formatShape(x.shape)} expected length 1, got ${x.shape[only]}`);
  }
  const gone = [...x.shape.keys()].filter((at) => (only === undefined ? x.shape[at] === 1 : at === only));
  const shape = x.shape.filter((_, at) => !gone.includes(at));
  // Memory may exchange only the first two axes. With one of them removed, the result is row-major.
  return viewAs(x, shape, x.timeMajor && !gone.some((at) => at < 2));
}

/**
 * Permutes axes: axis i of the result is axis `axes[i]` of `x`.
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param axes every axis once; negative ones count from the end. Default: all axes in reverse order.
 * @returns a view if memory can stay as it is (only the first two axes are exchanged), else a copy.
 * @throws ArgumentError if `x` is not a tensor or `axes` does not name every axis once.
 * @see numpy.transpose
 */
export function transpose(x: Weight, axes: readonly number[] = [...(x?.shape ?? []).keys()].reverse()): Tensor {
  x = tensorOf(x, 'transpose: x');
  expectList('transpose: axes', axes);
  const rank = x.shape.length;
  const order = axes.map((axis) => expectAxis(`transpose: axes of ${formatShape(x.shape)}`, axis, rank));
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new ArgumentError(`transpose: axes expected every axis of ${formatShape(x.shape)} once, got [${axes}]`);
  }
  const { engine } = x;
  const shape = order.map((axis) => x.shape[axis]!);
  const places = order.map((axis) => (x.timeMajor && axis < 2 ? 1 - axis : axis));
  const isStill = (list: readonly number[]): boolean => list.every((place, i) => place === i);
  if (isStill(places)) return viewAs(x, shape, false);
  if (isStill([places[1]!, places[0]!, ...places.slice(2)])) return viewAs(x, shape, true);
  const from = memoryShape(x);
  const y = empty(shape, { dtype: x.dtype, name: x.name, engine });
  permute(engine, from, places, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const dx = engine.allocateScratch(x.size);
    permute(
      engine,
      shape,
      [...places.keys()].map((place) => places.indexOf(place)),
      tape.gradientOf(y),
      dx,
    );
    tape.give(x, dx);
  });
  return y;
}

/**
 * Axis i of y is axis `places[i]` of x, which has `shape`. Axes are moved to their places one by one. Takes scratch.
 */
function permute(engine: Engine, shape: Shape, places: readonly number[], x: Ptr, y: Ptr): void {
  const now = [...places.keys()];
  const moves: { outer: number; before: number; length: number; inner: number }[] = [];
  for (const [i, wanted] of places.entries()) {
    const at = now.indexOf(wanted);
    if (at === i) continue;
    const lengths = now.map((axis) => shape[axis]!);
    const block = (from: number, to?: number): number => sizeOf(lengths.slice(from, to));
    moves.push({ outer: block(0, i), before: block(i, at), length: lengths[at]!, inner: block(at + 1) });
    now.splice(at, 1);
    now.splice(i, 0, wanted);
  }
  engine.scratch(() => {
    let source = x;
    for (const [i, { outer, before, length, inner }] of moves.entries()) {
      const next = i === moves.length - 1 ? y : engine.allocateScratch(sizeOf(shape));
      const bytes = 4 * before * length * inner;
      for (let o = 0; o < outer; o++) {
        engine.kernels.swap_axes(before, length, inner, source + o * bytes, next + o * bytes);
      }
      source = next;
    }
  });
}
