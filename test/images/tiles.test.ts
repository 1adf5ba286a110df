// Convolutions by tiles of 6×6 pixels against the definition in float64.
import { expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { isTiled } from '../../src/images/convolution/winograd.ts';
import { imageOps } from '../../src/images.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';

type Shape = readonly [batch: number, height: number, width: number, inputs: number, outputs: number];

/** Output, gradient of x and gradient of the kernel of a convolution of 3×3 with `same` padding. */
function definition(
  [batch, height, width, inputs, outputs]: Shape,
  x: Float32Array,
  w: Float32Array,
  dy: Float32Array,
) {
  const [y, dx, dw] = [dy.length, x.length, w.length].map((n) => new Float64Array(n)) as Float64Array[];
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        for (let tap = 0; tap < 9; tap++) {
          const [row, column] = [r + Math.floor(tap / 3) - 1, c + (tap % 3) - 1];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const from = ((b * height + row) * width + column) * inputs;
          const to = ((b * height + r) * width + c) * outputs;
          for (let i = 0; i < inputs; i++) {
            for (let o = 0; o < outputs; o++) {
              const at = (tap * inputs + i) * outputs + o;
              y![to + o]! += x[from + i]! * w[at]!;
              dx![from + i]! += dy[to + o]! * w[at]!;
              dw![at]! += x[from + i]! * dy[to + o]!;
            }
          }
        }
      }
    }
  }
  return [y!, dx!, dw!];
}

test.each<Shape>([
  [2, 8, 8, 16, 16],
  [1, 9, 14, 20, 32],
  [3, 7, 6, 24, 16],
  [1, 33, 30, 16, 24],
])('of %i images %i×%i, %i to %i channels, have rounding errors as small as other sums', (...shape) => {
  const [batch, height, width, inputs, outputs] = shape;
  const axis = { stride: 1, dilation: 1, taps: 3, before: 1 };
  const [rows, cols] = [height, width].map((n) => ({ ...axis, input: n, output: n })) as [never, never];
  expect(isTiled({ batch, rows, cols, inputs, outputs, groups: 1 })).toBe(true);
  const x = values(batch * height * width * inputs, 1);
  const w = values(9 * inputs * outputs, 2);
  const dy = values(batch * height * width * outputs, 3);
  const operands = [
    tensor(x, { shape: [batch, height, width, inputs] }),
    tensor(w, { shape: [3, 3, inputs, outputs] }),
  ] as const;
  let y: ArrayLike<number> = [];
  const { grads } = valueAndGrad(() => {
    const made = imageOps.conv2d(...operands, undefined, { padding: 'same' });
    y = made.toArray();
    return sum(mul(made, tensor(dy, { shape: made.shape })));
  }, [...operands]);
  const got = [y, ...grads.map((grad) => grad.toArray())];
  definition(shape, x, w, dy).forEach((expected, i) => {
    const scale = Math.sqrt(expected.reduce((all, v) => all + v * v, 0) / expected.length);
    const worst = expected.reduce((most, v, j) => Math.max(most, Math.abs(v - got[i]![j]!)), 0);
    // Root mean square of the numbers is `scale`; float32 has 6e-8.
    expect(worst / scale, ['y', 'dx', 'dw'][i]).toBeLessThan(1e-5);
  });
});
