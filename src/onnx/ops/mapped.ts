import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import type { Ptr } from '../../engine/abi.ts';
import { inOrder } from '../../ops/shapes/layout.ts';

/**
 * y = f(x) element by element, without a kernel.
 *
 * @param derivative ∂y/∂x for x and y; without it no gradient flows.
 */
export function mapped(x: Tensor, f: (x: number) => number, derivative?: (x: number, y: number) => number): Tensor {
  const { engine } = x;
  const y = empty(x.shape, { name: 'mapped', timeMajor: x.timeMajor, engine });
  const [from, to] = [x.dataView(), y.dataView()];
  for (let i = 0; i < to.length; i++) to[i] = f(from[i]!);
  if (derivative) {
    record([x], [y], (tape) => {
      const dy = tape.gradientOf(y);
      const into = tape.into(x);
      if (!into) return;
      const [dx, given] = [engine.f32(into.ptr, x.size), engine.f32(dy, y.size)];
      const [xs, ys] = [x.dataView(), y.dataView()];
      for (let i = 0; i < dx.length; i++) {
        const d = given[i]! * derivative(xs[i]!, ys[i]!);
        dx[i] = into.accumulate ? dx[i]! + d : d;
      }
    });
  }
  return y;
}

/**
 * Elements of x by their places: y[i] = x[places[i]], or `otherwise` where a place is −1. The gradient goes back to the
 * places, added up where several read one.
 */
export function picked(given: Tensor, places: Int32Array, shape: readonly number[], otherwise = 0): Tensor {
  const x = inOrder(given, false);
  const { engine } = x;
  const { kernels } = engine;
  const y = empty(shape, { name: 'picked', engine });
  // Place −1 becomes the first element of a table that goes on with x.
  const first = places.includes(-1) ? 1 : 0;
  const [size, count] = [first + x.size, places.length];
  const writeIds = (): Ptr => {
    const ids = engine.allocateScratch(count);
    engine.i32(ids, count).set(first ? places.map((place) => place + 1) : places);
    return ids;
  };
  engine.scratch(() => {
    let table = x.ptr;
    if (first) {
      table = engine.allocateScratch(size);
      kernels.fill(1, otherwise, table);
      kernels.copy_2d(1, x.size, x.ptr, x.size, table + 4, x.size);
    }
    kernels.gather(count, 1, table, writeIds(), y.ptr, 0);
  });
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dx = tape.intoZeroed(x);
    if (!dx) return;
    engine.scratch(() => {
      const sums = engine.zeroedScratch(size);
      kernels.scatter_add(count, 1, writeIds(), dy, sums);
      kernels.axpy(x.size, 1, sums + 4 * first, dx);
    });
  });
  return y;
}
