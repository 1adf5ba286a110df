// Pooling and resizing of images against plain loops; batch normalization against sums in float64.
import { describe, expect, test } from 'vitest';
import { expectSameBits } from './compare.ts';
import { integers, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

/** [batch, height, width, channels, poolHeight, poolWidth, strideY, strideX, top, left, outHeight, outWidth] */
const grids = [
  [2, 4, 4, 1, 2, 2, 2, 2, 0, 0, 2, 2],
  [1, 5, 4, 3, 3, 2, 1, 1, 0, 0, 3, 3],
  [2, 5, 4, 7, 3, 3, 2, 2, 1, 0, 3, 2],
  [1, 3, 5, 8, 2, 3, 1, 1, 0, 1, 3, 5],
  [1, 6, 7, 18, 6, 7, 1, 1, 0, 0, 1, 1],
  [1, 2, 2, 5, 1, 1, 3, 3, 0, 0, 1, 1],
  [0, 4, 4, 3, 2, 2, 2, 2, 0, 0, 2, 2],
  [1, 4, 4, 0, 2, 2, 2, 2, 0, 0, 2, 2],
] as const;

/** For each place of the output the places of its window in the input. */
function windowsOf(grid: (typeof grids)[number]): number[][] {
  const [batch, height, width, channels, rows, cols, strideY, strideX, top, left, outHeight, outWidth] = grid;
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const inside = (start: number, size: number, length: number): number[] =>
    range(size)
      .map((i) => start + i)
      .filter((i) => i >= 0 && i < length);
  return range(batch).flatMap((b) =>
    range(outHeight).flatMap((p) =>
      range(outWidth).flatMap((q) =>
        range(channels).map((c) =>
          inside(p * strideY - top, rows, height).flatMap((h) =>
            inside(q * strideX - left, cols, width).map((w) => ((b * height + h) * width + w) * channels + c),
          ),
        ),
      ),
    ),
  );
}

const header = ([, h, w, , rows, cols, strideY, strideX, top, left, outH, outW]: (typeof grids)[number]): number[] => [
  ...[h, w, outH, outW, rows, cols, strideY, strideX, top, left],
];

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const { extra } = sandbox;

  test.each(grids.map((grid) => [grid] as const))('pooling of %j reads and writes what it says', (grid) => {
    const [batch, height, width, channels] = grid;
    const windows = windowsOf(grid);
    const count = batch * height * width * channels;
    // Few different values, so that windows have equal ones.
    const x = Float32Array.from(integers(count, 4, 5), (v) => v - 1.5);
    const dy = values(windows.length, 6);
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const head = sandbox.i32(header(grid));
      const [xAt, dyAt] = [sandbox.f32(x, misaligned), sandbox.f32(dy, misaligned)];
      const [mostAt, meanAt] = [sandbox.f32(dy.length, misaligned), sandbox.f32(dy.length, misaligned)];
      const before = values(count, 9);
      const [dMost, dMean] = [sandbox.f32(before, misaligned), sandbox.f32(before, misaligned)];
      extra.max_pool(batch, channels, head, xAt, mostAt);
      extra.average_pool(batch, channels, head, xAt, meanAt);
      extra.max_pool_backward(batch, channels, head, xAt, mostAt, dyAt, dMost);
      extra.average_pool_backward(batch, channels, head, dyAt, dMean);
      sandbox.checkFences();

      const most = Float32Array.from(windows, (places) => Math.max(...places.map((at) => x[at]!)));
      expectSameBits(sandbox.read(mostAt, most.length), most, 'maximum');
      const mean = Float32Array.from(windows, (places) => {
        const sum = places.reduce((total, at) => Math.fround(total + x[at]!), 0);
        return sum / places.length;
      });
      expectSameBits(sandbox.read(meanAt, mean.length), mean, 'mean');
      const [toMost, toMean] = [before.slice(), before.slice()];
      windows.forEach((places, i) => {
        const first = places.find((at) => x[at] === most[i])!;
        toMost[first] = Math.fround(toMost[first]! + dy[i]!);
        for (const at of places) toMean[at] = Math.fround(toMean[at]! + Math.fround(dy[i]! / places.length));
      });
      expectSameBits(sandbox.read(dMost, count), toMost, 'gradient of the maximum');
      expectSameBits(sandbox.read(dMean, count), toMean, 'gradient of the mean');
    }
  });

  test('max_pool of a window with NaN is NaN wherever it is, and of zeros of both signs the first', () => {
    const most = (...x: number[]): number => {
      sandbox.clear();
      const [at, y] = [sandbox.i32(header([1, 1, 3, 1, 1, 3, 1, 1, 0, 0, 1, 1] as never)), sandbox.f32(1)];
      extra.max_pool(1, 1, at, sandbox.f32(x), y);
      return sandbox.read(y, 1)[0]!;
    };
    expect(most(Number.NaN, 1, 2)).toBeNaN();
    expect(most(1, Number.NaN, 2)).toBeNaN();
    expect(most(1, 2, Number.NaN)).toBeNaN();
    expect(most(-0, 0, -1)).toBe(-0);
    expect(most(-1, 0, -0)).toBe(0);
    expect(most(-Infinity, -Infinity, -Infinity)).toBe(-Infinity);
  });

  test.each([1, 3, 4, 7, 16, 18])(
    'resize_axis of rows of %i mixes two rows, and copies where the weight is 0',
    (inner) => {
      const [outer, length, count] = [2, 3, 5];
      const [places, weights] = [
        [0, 0, 1, 1, 2],
        [0, 0.25, 0.5, 0.75, 0],
      ];
      const x = values(outer * length * inner, 3);
      const dy = values(outer * count * inner, 4);
      sandbox.clear();
      const [at, shares] = [sandbox.i32(places), sandbox.f32(weights)];
      const [xAt, yAt, dyAt] = [sandbox.f32(x, true), sandbox.f32(dy.length), sandbox.f32(dy)];
      const dxAt = sandbox.f32(x.map(() => 0));
      extra.resize_axis(outer, length, count, inner, at, shares, xAt, yAt);
      extra.resize_axis_backward(outer, length, count, inner, at, shares, dyAt, dxAt);
      sandbox.checkFences();
      const y = sandbox.read(yAt, dy.length);
      const dx = new Float64Array(x.length);
      dy.forEach((d, i) => {
        const [o, j, k] = [Math.floor(i / count / inner), Math.floor(i / inner) % count, i % inner];
        const from = (o * length + places[j]!) * inner + k;
        const next = weights[j] === 0 ? from : from + inner;
        expect(y[i]).toBeCloseTo(x[from]! * (1 - weights[j]!) + x[next]! * weights[j]!, 6);
        dx[from] += d * (1 - weights[j]!);
        dx[next] += d * weights[j]!;
      });
      sandbox.read(dxAt, x.length).forEach((d, i) => {
        expect(d).toBeCloseTo(dx[i]!, 5);
      });
    },
  );

  test.each([...shapes, [70, 21]])('batch normalization of [%i, %i] has the sums of float64', (rows, cols) => {
    const [x, dy] = [values(rows * cols, 1, 3), values(rows * cols, 2)];
    const [mean, inverse, factor, beta, shift, slope] = [3, 4, 5, 6, 7, 8].map((seed) => values(cols, seed)) as never[];
    const weights = [undefined, Float32Array.from(integers(rows, 2, 3))];
    for (const mask of weights) {
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [xAt, dyAt, yAt] = [x, dy, rows * cols].map((from) => sandbox.f32(from, misaligned));
        const [meanAt, inverseAt, factorAt, betaAt, shiftAt, slopeAt] = [mean, inverse, factor, beta, shift, slope].map(
          (from) => sandbox.f32(from, misaligned),
        );
        const maskAt = mask ? sandbox.f32(mask, misaligned) : 0;
        const [sums, products] = [sandbox.f32(new Float32Array(4 * cols)), sandbox.f32(new Float32Array(4 * cols))];
        const dxAt = sandbox.f32(dy, misaligned);
        const overwritten = sandbox.f32(rows * cols, misaligned);
        extra.batch_norm_sums(rows, cols, xAt!, maskAt, sums);
        extra.batch_norm(rows, cols, xAt!, meanAt!, factorAt!, betaAt!, yAt!);
        extra.batch_norm_gradient_sums(rows, cols, xAt!, meanAt!, inverseAt!, dyAt!, products);
        for (const [to, accumulate] of [
          [overwritten, 0],
          [dxAt, 1],
        ] as const) {
          extra.batch_norm_backward(
            ...([rows, cols, xAt!, maskAt, meanAt!, factorAt!, shiftAt!, slopeAt!, dyAt!, to, accumulate] as const),
          );
        }
        sandbox.checkFences();

        const doubles = (at: number): Float64Array => new Float64Array(sandbox.read(at, 4 * cols).buffer);
        const [expected, expectedProducts] = [new Float64Array(2 * cols), new Float64Array(2 * cols)];
        const y = sandbox.read(yAt!, rows * cols);
        const [dx, added] = [sandbox.read(overwritten, rows * cols), sandbox.read(dxAt, rows * cols)];
        x.forEach((value, at) => {
          const [i, j] = [Math.floor(at / cols), at % cols];
          const counts = mask?.[i] !== 0;
          if (counts) {
            expected[j] += value;
            expected[cols + j] += value ** 2;
          }
          const centered = Math.fround(value - mean[j]!);
          expectedProducts[j] += dy[at]!;
          expectedProducts[cols + j] += dy[at]! * Math.fround(centered * inverse[j]!);
          expect(y[at]).toBeCloseTo(centered * factor[j]! + beta[j]!, 5);
          const d = factor[j]! * dy[at]! + (counts ? shift[j]! + slope[j]! * centered : 0);
          expect(dx[at]).toBeCloseTo(d, 5);
          expect(added[at]).toBeCloseTo(d + dy[at]!, 5);
        });
        expect([...doubles(sums)]).toEqual([...expected]);
        expect([...doubles(products)]).toEqual([...expectedProducts]);
      }
    }
  });
});
