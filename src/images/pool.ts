import { record } from '../autograd/tape.ts';
import { empty, type Tensor } from '../autograd/tensor.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import type { Axis } from './convolution/geometry.ts';

/** The windows of both axes in memory, as the kernels of pooling read them. */
function placeWindows(engine: Engine, rows: Axis, cols: Axis): Ptr {
  const at = engine.allocateScratch(10);
  const both = (value: (axis: Axis) => number): [number, number] => [value(rows), value(cols)];
  engine
    .i32(at, 10)
    .set([
      ...both(({ input }) => input),
      ...both(({ output }) => output),
      ...both(({ taps }) => taps),
      ...both(({ stride }) => stride),
      ...both(({ before }) => before),
    ]);
  return at;
}

/**
 * The maximum or the mean of windows of images, channel by channel.
 *
 * Elements beyond the edges do not count. The gradient of a maximum goes to the first of equal elements, row by row.
 *
 * @param input x `[B, H, W, C]` f32; every window has at least one element inside.
 * @returns `[B, rows.output, cols.output, C]`.
 */
export function pool2d(kind: 'max' | 'average', input: Tensor, rows: Axis, cols: Axis): Tensor {
  const x = inOrder(input, false);
  const { engine } = x;
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const kernels = extraKernels(engine);
  const y = empty([batch, rows.output, cols.output, channels], { name: `${kind} pooling`, engine });
  engine.scratch(() => {
    const windows = placeWindows(engine, rows, cols);
    if (kind === 'max') kernels.max_pool(batch, channels, windows, x.ptr, y.ptr);
    else kernels.average_pool(batch, channels, windows, x.ptr, y.ptr);
  });
  record(
    [x],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const dx = tape.intoZeroed(x)!;
      engine.scratch(() => {
        const windows = placeWindows(engine, rows, cols);
        if (kind === 'max') kernels.max_pool_backward(batch, channels, windows, x.ptr, y.ptr, dy, dx);
        else kernels.average_pool_backward(batch, channels, windows, dy, dx);
      });
    },
    { forgetsOutputs: kind === 'average' },
  );
  return y;
}
