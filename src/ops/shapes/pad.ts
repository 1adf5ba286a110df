import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectList, expectType, shown } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { memoryShape } from './axis.ts';

/**
 * Copies a block of memory shape `shape` from one row-major array to another. Each array is given by the address of the
 * block in it and by the lengths of its axes.
 */
function copyBlock(engine: Engine, shape: Shape, from: readonly [Ptr, Shape], to: readonly [Ptr, Shape]): void {
  if (shape.length > 2) {
    const [count, ...inner] = shape as [number, ...number[]];
    const rest = ([at, lengths]: readonly [Ptr, Shape], i: number): readonly [Ptr, Shape] => {
      const own = lengths.slice(1);
      return [at + 4 * i * sizeOf(own), own];
    };
    for (let i = 0; i < count; i++) copyBlock(engine, inner, rest(from, i), rest(to, i));
    return;
  }
  const [rows = 1, columns = 1] = shape.length < 2 ? [1, shape[0]] : shape;
  engine.kernels.copy_2d(rows, columns, from[0], from[1].at(-1) ?? 1, to[0], to[1].at(-1) ?? 1);
}

/**
 * Adds a constant before and after the elements of each axis.
 *
 * @param x `[…]` f32 or i32, any shape.
 * @param widths `[before, after]` for each axis, in elements.
 * @param value the constant; default 0. For i32 an integer of 32 bits.
 * @returns `[…, before + n + after, …]`, of the data type and in the memory order of `x`.
 * @throws ArgumentError if `x` is not a tensor, `widths` does not have two integers ≥ 0 for each axis, or `value` does
 *   not fit the data type.
 * @see tf.pad, numpy.pad (mode='constant')
 *
 * @example
 * const sequences = ops.ones([2, 3, 1]); // [B, T, F]
 * ops.pad(sequences, [[0, 0], [1, 0], [0, 0]]).shape; // [2, 4, 1]: a step of zeros in front of each sequence
 */
export function pad(x: Weight, widths: readonly (readonly [before: number, after: number])[], value = 0): Tensor {
  x = tensorOf(x, 'pad: x');
  expectList('pad: widths', widths);
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;
  if (
    widths.length !== x.shape.length ||
    !widths.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isCount))
  ) {
    const got = widths.map((pair) => (Array.isArray(pair) ? formatShape(pair) : shown(pair ?? null))).join(', ');
    throw new ArgumentError(
      `pad: widths expected [before, after] for each axis of ${formatShape(x.shape)}, got [${got}]`,
    );
  }
  expectType('pad: value', value, 'a number');
  const { dtype, engine, timeMajor } = x;
  if (dtype === 'i32' && (value | 0) !== value) {
    throw new ArgumentError(`pad: value expected an integer of 32 bits for ids, got ${value}`);
  }
  const shape = x.shape.map((n, axis) => n + widths[axis]![0] + widths[axis]![1]);
  const y = empty(shape, { dtype, name: 'pad', timeMajor, engine });
  y.dataView().fill(value);
  const [inner, outer] = [memoryShape(x), memoryShape(y)];
  const before = memoryShape({ shape: widths.map(([n]) => n), timeMajor });
  const offset = before.reduce((at, n, axis) => at + 4 * n * sizeOf(outer.slice(axis + 1)), 0);
  copyBlock(engine, inner, [x.ptr, inner], [y.ptr + offset, outer]);
  record([x], [y], (tape) => {
    const dx = engine.allocateScratch(x.size);
    copyBlock(engine, inner, [tape.gradientOf(y) + offset, outer], [dx, inner]);
    tape.give(x, dx);
  });
  return y;
}
