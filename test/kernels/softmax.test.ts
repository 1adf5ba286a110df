// Softmax kernels against float64, their gradients against central differences.
import { describe, expect, test } from 'vitest';
import type { Ptr } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits } from './compare.ts';
import { inner, numericGradient } from './reference/gradient.ts';
import { sigmoid } from './reference/math.ts';
import { softmax } from './reference/softmax.ts';
import { integers, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const { NaN: nan } = Number;
// exp within 4 ulp of an argument rounded once (|x − m| ≤ 16: 2⁻²⁰ absolute, so relative in the result), one product.
const PROBABILITY = { absolute: 1e-7, relative: 2e-6 };
const GRADIENT = { absolute: 1e-6, relative: 1e-5 };

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

  describe.each(shapes)('rows=%i cols=%i', (rows, cols) => {
    const n = rows * cols;
    const x = values(n, 1, 8);
    const dy = values(n, 2);
    const before = values(n, 3);
    const targets = integers(rows, cols, 4);
    const row = (a: ArrayLike<number>, i: number) =>
      Array.prototype.slice.call(a, i * cols, (i + 1) * cols) as number[];
    const byRow = (f: (row: number[], i: number) => ArrayLike<number>) =>
      Array.from({ length: rows }, (_, i) => Array.from(f(row(x, i), i))).flat();
    const probabilities = byRow((r) => softmax(r).y);
    const shape = `[${rows}, ${cols}]`;

    test.each([
      ['aligned', false],
      ['misaligned by 4', true],
    ])('softmax and log_softmax, %s, match float64, apart and in place', (_, misaligned) => {
      sandbox.clear();
      const [xAt, y, z] = [sandbox.f32(x, misaligned), sandbox.f32(n, misaligned), sandbox.f32(x, misaligned)];
      kernels.softmax(rows, cols, xAt, y);
      expectClose(sandbox.read(y, n), probabilities, PROBABILITY, `softmax ${shape}`);
      kernels.softmax(rows, cols, z, z);
      expectSameBits(sandbox.read(z, n), sandbox.read(y, n), `softmax in place ${shape}`);
      kernels.log_softmax(rows, cols, xAt, y);
      const expected = byRow((r) => r.map((v) => v - softmax(r).logSum));
      expectClose(sandbox.read(y, n), expected, { absolute: 2e-6, relative: 1e-6 }, `log_softmax ${shape}`);
      kernels.log_softmax(rows, cols, xAt, xAt);
      expectSameBits(sandbox.read(xAt, n), sandbox.read(y, n), `log_softmax in place ${shape}`);
      sandbox.checkFences();
    });

    test('softmax_backward matches central differences, overwriting, accumulating and in place', () => {
      const loss = (at: ArrayLike<number>) =>
        Array.from({ length: rows }, (_, i) => inner(softmax(row(at, i)).y, row(dy, i))).reduce((a, b) => a + b, 0);
      const expected = numericGradient(loss, x);
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [y, dyAt, dx, sum] = [probabilities, dy, n, before].map((v) => sandbox.f32(v, misaligned)) as [
          Ptr,
          Ptr,
          Ptr,
          Ptr,
        ];
        kernels.softmax_backward(rows, cols, y, dyAt, dx, 0);
        expectClose(sandbox.read(dx, n), expected, GRADIENT, `softmax_backward ${shape}`);
        kernels.softmax_backward(rows, cols, y, dyAt, sum, 1);
        expectClose(
          sandbox.read(sum, n),
          expected.map((d, i) => d + before[i]!),
          GRADIENT,
          `softmax_backward ${shape} +=`,
        );
        kernels.softmax_backward(rows, cols, y, dyAt, dyAt, 0);
        expectSameBits(sandbox.read(dyAt, n), sandbox.read(dx, n), `softmax_backward in place ${shape}`);
        sandbox.checkFences();
      }
    });

    // A target needs a class.
    if (cols === 0) return;

    test('softmax_cross_entropy, loss alone, matches float64', () => {
      const expected = Array.from({ length: rows }, (_, i) => softmax(row(x, i)).logSum - x[i * cols + targets[i]!]!);
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [logits, loss] = [sandbox.f32(x, misaligned), sandbox.f32(rows, misaligned)];
        kernels.softmax_cross_entropy(rows, cols, logits, sandbox.i32(targets), 0, 1, loss, 0);
        expectClose(sandbox.read(loss, rows), expected, { absolute: 1e-7, relative: 2e-6 }, `loss ${shape}`);
        sandbox.checkFences();
      }
    });

    test('softmax_cross_entropy, gradient matches central differences, with and without weights, apart and in place', () => {
      const scale = 0.37;
      for (const weights of [null, values(rows, 5)]) {
        const total = (at: ArrayLike<number>) =>
          Array.from({ length: rows }, (_, i) => {
            const r = row(at, i);
            return scale * (weights ? weights[i]! : 1) * (softmax(r).logSum - r[targets[i]!]!);
          }).reduce((a, b) => a + b, 0);
        const expected = numericGradient(total, x);
        for (const misaligned of [false, true]) {
          sandbox.clear();
          const [logits, dx, loss, alone] = [x, n, rows, rows].map((v) => sandbox.f32(v, misaligned)) as [
            Ptr,
            Ptr,
            Ptr,
            Ptr,
          ];
          const at = sandbox.i32(targets);
          const weightsAt = weights ? sandbox.f32(weights) : 0;
          const what = `${shape}, ${weights ? 'weights' : 'no weights'}`;
          kernels.softmax_cross_entropy(rows, cols, logits, at, 0, 1, alone, 0);
          kernels.softmax_cross_entropy(rows, cols, logits, at, weightsAt, scale, loss, dx);
          expectClose(sandbox.read(dx, n), expected, GRADIENT, what);
          expectSameBits(sandbox.read(loss, rows), sandbox.read(alone, rows), `${what}, loss`);
          kernels.softmax_cross_entropy(rows, cols, logits, at, weightsAt, scale, loss, logits);
          expectSameBits(sandbox.read(logits, n), sandbox.read(dx, n), `${what}, in place`);
          expectSameBits(sandbox.read(loss, rows), sandbox.read(alone, rows), `${what}, loss in place`);
          sandbox.checkFences();
        }
      }
    });
  });

  function softmaxOf(x: number[]): Float32Array {
    sandbox.clear();
    const y = sandbox.f32(x.length);
    kernels.softmax(1, x.length, sandbox.f32(x), y);
    return sandbox.read(y, x.length);
  }

  test('a pair of logits is the sigmoid of their difference, within 4 ulp down to subnormal probabilities', () => {
    const gaps = Array.from({ length: 20000 }, (_, i) => Math.fround(-i * 0.0052));
    sandbox.clear();
    const y = sandbox.f32(2 * gaps.length);
    kernels.softmax(gaps.length, 2, sandbox.f32(gaps.flatMap((gap) => [0, gap])), y);
    const expected = gaps.flatMap((gap) => [sigmoid(-gap), sigmoid(gap)]);
    expectClose(sandbox.read(y, expected.length), expected, { ulp: 4 }, 'softmax of [0, gap]');
  });

  test('logits of −∞ get 0, in the whole vectors and in the tail', () => {
    expectSameBits(softmaxOf([-Infinity, 0, -Infinity, -Infinity, -Infinity, 0]), [0, 0.5, 0, 0, 0, 0.5], 'softmax');
  });

  test('great logits neither overflow nor lose their differences', () => {
    expectSameBits(softmaxOf([3e38, 3e38, -3e38, 0]), [0.5, 0.5, 0, 0], 'softmax');
    expectSameBits(softmaxOf([-3e38, -3e38]), [0.5, 0.5], 'softmax');
  });

  test('a NaN, a +∞ or nothing but −∞ makes its row NaN and leaves the others', () => {
    for (const bad of [[nan, 0, 0, 0, 0], [0, 0, 0, 0, nan], [0, 0, Infinity, 0, 0], new Array(5).fill(-Infinity)]) {
      sandbox.clear();
      const good = [1, 2, 3, 4, 5];
      const y = sandbox.f32(15);
      kernels.softmax(3, 5, sandbox.f32([...good, ...bad, ...good]), y);
      const rows = sandbox.read(y, 15);
      const alone = softmaxOf(good);
      expect(rows.subarray(5, 10).some(Number.isNaN)).toBe(true);
      expectSameBits(rows.subarray(0, 5), alone, 'row before');
      expectSameBits(rows.subarray(10), alone, 'row after');
    }
  });

  test('a confident loss keeps its relative accuracy far below the resolution of float32 at 1', () => {
    sandbox.clear();
    const loss = sandbox.f32(2);
    const logits = sandbox.f32([0, -20, -30, 18, 0, 1]);
    kernels.softmax_cross_entropy(2, 3, logits, sandbox.i32([0, 0]), 0, 1, loss, 0);
    const expected = [Math.log1p(Math.exp(-20) + Math.exp(-30)), Math.log1p(Math.exp(-18) + Math.exp(-17))];
    expectClose(sandbox.read(loss, 2), expected, { relative: 1e-6 }, 'loss');
  });

  test('a target of probability 0 has an infinite loss and a finite gradient', () => {
    sandbox.clear();
    const [logits, loss, at] = [sandbox.f32([0, -Infinity]), sandbox.f32(1), sandbox.i32([1])];
    kernels.softmax_cross_entropy(1, 2, logits, at, 0, 1, loss, logits);
    expectSameBits([...sandbox.read(loss, 1), ...sandbox.read(logits, 2)], [Infinity, 1, -1], 'loss and gradient');
  });
});
