// Reductions against plain sums in float64. A kernel's float64 sum differs only by its order: count · 2⁻⁵³ of Σ|x|.
import { describe, expect, test } from 'vitest';
import type { Ptr } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits } from './compare.ts';
import { inner } from './reference/gradient.ts';
import { counts, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const { NaN: nan } = Number;

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

  test.each(counts)('sum, sum_squares and dot, count=%i, are float64 sums', (count) => {
    const x = values(count, 1, 1000);
    const y = values(count, 2);
    const bound = count * 2 ** -52;
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const [xAt, yAt] = [sandbox.f32(x, misaligned), sandbox.f32(y, misaligned)];
      const ones = x.map(() => 1);
      expect(Math.abs(kernels.sum(count, xAt) - inner(x, ones))).toBeLessThanOrEqual(
        bound * inner(x.map(Math.abs), ones),
      );
      expect(Math.abs(kernels.sum_squares(count, xAt) - inner(x, x))).toBeLessThanOrEqual(bound * inner(x, x));
      expect(Math.abs(kernels.dot(count, xAt, yAt) - inner(x, y))).toBeLessThanOrEqual(
        bound * inner(x.map(Math.abs), y.map(Math.abs)),
      );
    }
  });

  test('sums keep what float32 would lose, and NaN and infinities', () => {
    sandbox.clear();
    expect(kernels.sum(9, sandbox.f32([2 ** 24, 1, 1, 1, 1, 1, 1, 1, -(2 ** 24)]))).toBe(7);
    expect(kernels.sum_squares(1, sandbox.f32([2 ** 100]))).toBe(2 ** 200);
    expect(kernels.sum(3, sandbox.f32([1, nan, 2]))).toBeNaN();
    expect(kernels.sum(9, sandbox.f32([1, 1, 1, 1, Infinity, 1, 1, 1, -Infinity]))).toBeNaN();
    expect(kernels.dot(2, sandbox.f32([Infinity, 1]), sandbox.f32([2, 1]))).toBe(Infinity);
  });

  test('a sum of the same count has the same bits at any address', () => {
    for (const count of counts) {
      sandbox.clear();
      const x = values(count, 3);
      expect(kernels.sum(count, sandbox.f32(x, true))).toBe(kernels.sum(count, sandbox.f32(x)));
    }
  });

  describe.each(shapes)('rows=%i cols=%i', (rows, cols) => {
    test.each([0, 2])('col_sum and row_sum with %i elements between rows, overwriting and accumulating', (gap) => {
      const ldx = cols + gap;
      const x = values(rows * ldx, 1);
      const element = (i: number, j: number) => x[i * ldx + j]!;
      const columns = Float64Array.from({ length: cols }, (_, j) => {
        let total = 0;
        for (let i = 0; i < rows; i++) total += element(i, j);
        return total;
      });
      const sums = Float64Array.from({ length: rows }, (_, i) => {
        let total = 0;
        for (let j = 0; j < cols; j++) total += element(i, j);
        return total;
      });
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [xAt, y, z] = [sandbox.f32(x, misaligned), sandbox.f32(cols, misaligned), sandbox.f32(rows, misaligned)];
        kernels.col_sum(rows, cols, xAt, ldx, y, 0);
        // Rows ascend for each column in both: the same float64, so the same float32.
        expectSameBits(sandbox.read(y, cols), Float32Array.from(columns), `col_sum [${rows}, ${cols}]`);
        kernels.col_sum(rows, cols, xAt, ldx, y, 1);
        expectClose(
          sandbox.read(y, cols),
          columns.map((v) => 2 * v),
          { absolute: 1e-6 },
          `col_sum [${rows}, ${cols}] +=`,
        );
        kernels.row_sum(rows, cols, xAt, ldx, z, 0);
        expectClose(sandbox.read(z, rows), sums, { ulp: 1 }, `row_sum [${rows}, ${cols}]`);
        kernels.row_sum(rows, cols, xAt, ldx, z, 1);
        expectClose(
          sandbox.read(z, rows),
          sums.map((v) => 2 * v),
          { absolute: 1e-6 },
          `row_sum [${rows}, ${cols}] +=`,
        );
        sandbox.checkFences();
      }
    });

    test('col_sum_wide in two parts, rows ascending and descending, keeps every bit of float64', () => {
      const x = values(rows * cols, 5);
      const before = Float64Array.from(values(cols, 6), (v) => v / 3);
      for (const backwards of [false, true]) {
        const order = Array.from({ length: rows }, (_, i) => (backwards ? rows - 1 - i : i));
        const expected = before.map((start, j) => order.reduce((sum, i) => sum + x[i * cols + j]!, start));
        sandbox.clear();
        const xAt = sandbox.f32(x, true);
        // Float64 as pairs of words.
        const sums = sandbox.i32(new Int32Array(before.buffer));
        const half = Math.floor(rows / 2);
        for (const part of [order.slice(0, half), order.slice(half)]) {
          const from = xAt + 4 * (part[0] ?? 0) * cols;
          kernels.col_sum_wide(part.length, cols, from, backwards ? -cols : cols, sums);
        }
        expect(new Float64Array(sandbox.readI32(sums, 2 * cols).buffer)).toEqual(expected);
        sandbox.checkFences();
      }
    });

    test('row_max and argmax find the maximum and its first place', () => {
      // Few distinct values, so that maxima repeat.
      const x = values(rows * cols, 1).map((v) => Math.round(v * 4) / 4);
      const row = (i: number) => x.subarray(i * cols, (i + 1) * cols);
      sandbox.clear();
      const [xAt, greatest, at] = [sandbox.f32(x, true), sandbox.f32(rows), sandbox.i32(new Int32Array(rows))];
      kernels.row_max(rows, cols, xAt, greatest);
      const expected = Array.from({ length: rows }, (_, i) => Math.max(...row(i)));
      expectSameBits(
        sandbox.read(greatest, rows).map((v) => v + 0),
        expected.map((v) => v + 0),
        `row_max [${rows}, ${cols}]`,
      );
      if (cols === 0) return;
      kernels.argmax(rows, cols, xAt, at);
      expectSameBits(
        sandbox.readI32(at, rows),
        expected.map((v, i) => row(i).indexOf(v)),
        `argmax [${rows}, ${cols}]`,
      );
      sandbox.checkFences();
    });
  });

  test('the maximum is found at every place of every row length', () => {
    for (let cols = 1; cols <= 20; cols++) {
      for (let place = 0; place < cols; place++) {
        sandbox.clear();
        const x = new Float32Array(cols).fill(-Infinity);
        x[place] = -3;
        const [xAt, y, at] = [sandbox.f32(x), sandbox.f32(1), sandbox.i32([0])];
        kernels.row_max(1, cols, xAt, y);
        kernels.argmax(1, cols, xAt, at);
        expectSameBits([...sandbox.read(y, 1), ...sandbox.readI32(at, 1)], [-3, place], `cols=${cols} place=${place}`);
      }
    }
  });

  test('NaN is the maximum of its row, first NaN first; a row of −∞ has its maximum at 0', () => {
    for (let place = 0; place < 11; place++) {
      sandbox.clear();
      const x = Float32Array.from({ length: 11 }, (_, i) => (i === place || i === 10 ? nan : i));
      const [xAt, y, at] = [sandbox.f32(x), sandbox.f32(1), sandbox.i32([0])];
      kernels.row_max(1, 11, xAt, y);
      kernels.argmax(1, 11, xAt, at);
      expectSameBits([...sandbox.read(y, 1), ...sandbox.readI32(at, 1)], [nan, place], `NaN at ${place}`);
    }
    sandbox.clear();
    const at = sandbox.i32([9]);
    kernels.argmax(1, 5, sandbox.f32(new Float32Array(5).fill(-Infinity)), at);
    expectSameBits(sandbox.readI32(at, 1), [0], 'all −∞');
  });

  test('all_finite sees an infinity or NaN at every place, and none outside its range', () => {
    for (const count of counts) {
      sandbox.clear();
      const x = values(count + 1, 1).fill(-3.4028234663852886e38);
      x[count] = nan;
      const xAt: Ptr = sandbox.f32(x);
      expect(kernels.all_finite(count, xAt)).toBe(1);
      for (const bad of [Infinity, -Infinity, nan]) {
        for (let place = 0; place < count; place += Math.max(1, count >> 3)) {
          sandbox.clear();
          expect(kernels.all_finite(count, sandbox.f32(x.map((v, i) => (i === place ? bad : v))))).toBe(0);
        }
      }
    }
  });
});
