import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
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
  const y = empty(shape, { name: 'picked', engine });
  const [from, to] = [x.dataView(), y.dataView()];
  for (let i = 0; i < to.length; i++) to[i] = places[i]! < 0 ? otherwise : from[places[i]!]!;
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dx = tape.intoZeroed(x);
    if (!dx) return;
    const [sums, parts] = [engine.f32(dx, x.size), engine.f32(dy, y.size)];
    for (let i = 0; i < parts.length; i++) if (places[i]! >= 0) sums[places[i]!]! += parts[i]!;
  });
  return y;
}
