import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { expectAxis, memoryShape } from './axis.ts';

/**
 * Exchanges the first two axes, `[B, T, …]` ↔ `[T, B, …]`, without moving a byte.
 *
 * @returns a view of `x` that shares its memory and its life.
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

/** The same memory under another shape, through which the gradient passes as it stands. @internal */
export function viewAs(x: Tensor, shape: Shape, timeMajor: boolean): Tensor {
  const y = x.view(shape, timeMajor, x.name);
  record([x], [y], (tape) => tape.pass(y, x), { acceptsDeferred: true });
  return y;
}

/** `x` with its first two axes in the wanted memory order: itself, or a copy whose gradient flows back. @internal */
export function inOrder(x: Tensor, timeMajor: boolean): Tensor {
  x = tensorOf(x);
  if (x.timeMajor === timeMajor) return x;
  // Axes of length one are in both orders at once.
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

/** `x` with its last axis contiguous in memory, so that it is a stack of rows. @internal */
export const asRows = (x: Tensor): Tensor => (x.shape.length < 3 ? inOrder(x, false) : x);

/**
 * The same elements, row-major, under another shape.
 *
 * @param shape at most one entry may be −1, which is then worked out.
 * @returns a view of `x`, or of a copy where `x` is time-major.
 * @throws ArgumentError if the sizes differ.
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
 * An axis of length 1 more, before the one that is at `axis` now.
 *
 * @param axis from −(rank + 1), or 0, to rank; default the last.
 * @returns a view of `x`, or of a copy where `x` is time-major and the axis comes before its features.
 * @throws ArgumentError if there is no such axis.
 */
export function expandDims(x: Weight, axis = -1): Tensor {
  x = tensorOf(x, 'expandDims: x');
  const at = expectAxis(`expandDims: axis for ${formatShape(x.shape)}`, axis, x.shape.length + 1);
  const source = at < 2 ? inOrder(x, false) : x;
  return viewAs(source, x.shape.toSpliced(at, 0, 1), source.timeMajor);
}

/**
 * Without an axis of length 1, or without any.
 *
 * @returns a view of `x`.
 * @throws ArgumentError if there is no such axis or its length is not 1.
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
  // Without one of the two axes that memory may exchange, the others stand in order.
  return viewAs(x, shape, x.timeMajor && !gone.some((at) => at < 2));
}

/**
 * Exchanges axes: axis i of the result is axis `axes[i]` of `x`.
 *
 * @param axes every axis once; default: in reverse.
 * @returns a view where memory can stay as it is (the first two axes exchanged), else a copy.
 * @throws ArgumentError if `axes` does not name every axis once.
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
 * Axis i of y is axis `places[i]` of x, which has `shape`: one axis after the other is moved to its place. Takes
 * scratch.
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
