import { describe, test } from 'vitest';
import type { Ptr } from '../../src/engine/abi.ts';
import { expectClose } from './compare.ts';
import { inner, numericGradient } from './reference/gradient.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const EPSILON = 1e-3;
const SHAPES: [rows: number, cols: number][] = [
  [0, 5],
  [1, 1],
  [2, 2],
  [3, 3],
  [2, 4],
  [3, 5],
  [4, 8],
  [2, 17],
  [7, 35],
];

/** Each row less its mean, over √(variance + ε). */
function normalize(x: ArrayLike<number>, cols: number): Float64Array {
  return Float64Array.from({ length: x.length }, (_, at) => {
    const row = Array.from({ length: cols }, (_, j) => x[Math.floor(at / cols) * cols + j]!);
    const mean = row.reduce((a, b) => a + b, 0) / cols;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / cols;
    return (x[at]! - mean) / Math.sqrt(variance + EPSILON);
  });
}

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { kernels } = sandbox;

  test.each(SHAPES)('layer_norm, rows=%i cols=%i, with and without gamma and beta, matches float64', (rows, cols) => {
    const [x, gamma, beta] = [values(rows * cols, 1, 3), values(cols, 2), values(cols, 3)];
    for (const affine of [false, true]) {
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [xAt, g, b, y, stats] = [x, gamma, beta, rows * cols, 2 * rows].map((v) =>
          sandbox.f32(v, misaligned),
        ) as [Ptr, Ptr, Ptr, Ptr, Ptr];
        kernels.layer_norm(rows, cols, EPSILON, xAt, affine ? g : 0, affine ? b : 0, y, stats);
        const expected = normalize(x, cols).map((v, at) => (affine ? v * gamma[at % cols]! + beta[at % cols]! : v));
        expectClose(sandbox.read(y, x.length), expected, { absolute: 2e-6 }, `layer_norm [${rows}, ${cols}]`);
        sandbox.checkFences();
      }
    }
  });

  test.each(SHAPES)('layer_norm_backward, rows=%i cols=%i, matches central differences', (rows, cols) => {
    const [x, gamma, dy, before] = [
      values(rows * cols, 1, 3),
      values(cols, 2),
      values(rows * cols, 4),
      values(rows * cols, 5),
    ] as const;
    for (const scaled of [false, true]) {
      const d = Float64Array.from(dy, (v, at) => (scaled ? v * gamma[at % cols]! : v));
      const expected = numericGradient((at) => inner(normalize(at, cols), d), x);
      const normal = normalize(x, cols);
      for (const accumulate of [0, 1]) {
        sandbox.clear();
        const [xAt, g, stats, dyAt, dx, products] = [
          ...[x, gamma, 2 * rows, dy],
          ...[accumulate ? before : rows * cols, rows * cols],
        ].map((v) => sandbox.f32(v)) as [Ptr, Ptr, Ptr, Ptr, Ptr, Ptr];
        kernels.layer_norm(rows, cols, EPSILON, xAt, 0, 0, products, stats);
        kernels.layer_norm_backward(
          ...([rows, cols, xAt, scaled ? g : 0, stats, dyAt, dx, accumulate, products] as const),
        );
        const total = expected.map((v, i) => v + (accumulate ? before[i]! : 0));
        // A row of one element has no gradient but rounding, times 1/√ε.
        const tolerance = { absolute: 2e-5 };
        expectClose(sandbox.read(dx, x.length), total, tolerance, `dx [${rows}, ${cols}]`);
        const weighed = normal.map((v, i) => v * dy[i]!);
        expectClose(sandbox.read(products, x.length), weighed, tolerance, `products [${rows}, ${cols}]`);
        sandbox.checkFences();
      }
    }
  });

  test('layer_norm of a row far from 0 does not cancel', () => {
    sandbox.clear();
    const x = Float32Array.from([1, 2, 3, 4, 5, 6, 7], (v) => v + 4096);
    const [xAt, y, stats] = [sandbox.f32(x), sandbox.f32(7), sandbox.f32(2)];
    kernels.layer_norm(1, 7, EPSILON, xAt, 0, 0, y, stats);
    expectClose(sandbox.read(y, 7), normalize(x, 7), { absolute: 1e-6 }, 'layer_norm');
  });
});
