import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectTensor, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectCount, expectList, expectNoMore } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sameShape } from '../../checks/shape.ts';
import { memoryShape } from './axis.ts';
import { expandDims, inOrder, viewAs } from './layout.ts';
import { eachPair, runsOf, spread, sumRepeats } from './runs.ts';

/**
 * Repeats a tensor along its axes of length 1.
 *
 * y[i, j, …] = x[i or 0, j or 0, …], with 0 for axes of length 1
 *
 * @param x `[…]` f32 or i32; missing axes in front count as axes of length 1.
 * @param shape the length of each axis: that of `x`, or any length where that of `x` is 1.
 * @returns a tensor of `shape`, in the memory order of `x`; `x` itself if nothing changes.
 * @throws ArgumentError if `x` is not a tensor, `shape` is not a list, or an axis would change whose length is not 1.
 * @see numpy.broadcast_to
 */
export function broadcastTo(x: Weight, shape: Shape): Tensor {
  x = tensorOf(x, 'broadcastTo: x');
  expectList('broadcastTo: shape', shape);
  if (sameShape(x.shape, shape)) return x;
  const missing = shape.length - x.shape.length;
  const full = [...shape.slice(0, Math.max(missing, 0)).map(() => 1), ...x.shape];
  if (missing < 0 || full.some((n, axis) => n !== 1 && n !== shape[axis])) {
    throw new ArgumentError(
      `broadcastTo: shape expected to be ${formatShape(x.shape)} with longer axes in the place of those of length 1, got ${formatShape(shape)}`,
    );
  }
  const source = missing > 0 ? viewAs(inOrder(x, false), full, false) : x;
  const { engine } = x;
  const y = empty(shape, { dtype: x.dtype, name: 'broadcastTo', timeMajor: source.timeMajor, engine });
  const [from, to] = [memoryShape(source), memoryShape(y)];
  if (x.dtype === 'f32') spread(engine, source.ptr, from, to, y.ptr);
  else {
    // The bits of some ids are NaN as floats. A kernel may change the bits of a NaN, so ids are copied as integers.
    const [ids, copies] = [source.dataView(), y.dataView()];
    eachPair(runsOf(from, from, to), (at, _, place) => {
      copies[place] = ids[at]!;
    });
  }
  record([source], [y], (tape) => {
    const dx = engine.allocateScratch(source.size);
    engine.scratch(() => sumRepeats(engine, runsOf(from, to), 0, tape.gradientOf(y), dx, 0));
    tape.give(source, dx);
  });
  return y;
}

/**
 * Repeats features at every step: `[B, F]` → `[B, times, F]`.
 *
 * y[b, t, :] = x[b, :]
 *
 * @param x `[B, F]` f32 or i32.
 * @param times T, the number of steps.
 * @returns `[B, times, F]`, stored time-major.
 * @throws ArgumentError if `x` is not a tensor of two axes, `times` is not an integer ≥ 1 or there are more arguments.
 * @see keras.layers.RepeatVector
 */
export function repeat(x: Weight, times: number, ...others: never[]): Tensor {
  expectNoMore('repeat', others);
  x = tensorOf(x, 'repeat: x');
  if (x.shape.length !== 2) throw new ArgumentError(`repeat: x expected [B, F], got ${formatShape(x.shape)}`);
  expectCount('repeat: times', times);
  const [batch, features] = x.shape as [number, number];
  return broadcastTo(inOrder(expandDims(x, 1), true), [batch, times, features]);
}

/**
 * A mask in the shape and memory order of the tensor that it is for. The given mask has the same axes, with length 1
 * for axes along which it is constant, or only the leading axes. @internal
 */
export function spreadMask(what: string, mask: Tensor, shape: Shape, timeMajor: boolean): Tensor {
  expectTensor(what, mask);
  const full = [...mask.shape, ...shape.slice(mask.shape.length).map(() => 1)];
  if (mask.shape.length > shape.length || full.some((n, axis) => n !== 1 && n !== shape[axis])) {
    throw new ArgumentError(
      `${what} expected the leading axes of ${formatShape(shape)}, or all of them with 1 where it holds all along, got ${formatShape(mask.shape)}`,
    );
  }
  const ordered = inOrder(viewAs(mask, full, mask.timeMajor), timeMajor);
  if (sameShape(full, shape)) return ordered;
  const { engine } = mask;
  const y = empty(shape, { dtype: mask.dtype, name: mask.name, timeMajor, engine });
  spread(engine, ordered.ptr, memoryShape(ordered), memoryShape(y), y.ptr);
  return y;
}
