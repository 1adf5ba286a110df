// The functions of one host beside those of Math, which every host has to the last bits but a few.
import { describe, expect, test } from 'vitest';
import * as real from '../../src/onnx/ops/elementwise/real-functions.ts';

const ranges: Record<string, readonly [from: number, to: number]> = {
  ...{ exp: [-50, 50], expm1: [-3, 3], log: [1e-6, 50], log1p: [-0.9, 5] },
  ...{ sin: [-30, 30], cos: [-30, 30], tan: [-1.5, 1.5], sinh: [-10, 10], cosh: [-10, 10], tanh: [-25, 25] },
  ...{ asinh: [-20, 20], acosh: [1, 20], atanh: [-0.99, 0.99], atan: [-30, 30], asin: [-1, 1], acos: [-1, 1] },
};

describe('real functions', () => {
  test.each(Object.entries(ranges))('%s is that of Math', (name, [from, to]) => {
    const [own, other] = [real, Math].map((each) => (each as unknown as Record<string, (x: number) => number>)[name]!);
    for (let i = 0; i <= 4000; i++) {
      for (const x of [from + ((to - from) * i) / 4000, ((i - 2000) / 2000) ** 5 * Math.min(to, 1)]) {
        if (x < from || x > to) continue;
        const expected = other!(x);
        // A wave loses digits where it turns an angle into turns: its error is absolute.
        const least = name === 'sin' || name === 'cos' ? 1 : 1e-3;
        expect(Math.abs(own!(x) - expected)).toBeLessThanOrEqual(1e-13 * Math.max(Math.abs(expected), least));
      }
    }
  });

  test.each([
    ...[
      [2, 10],
      [2, -3],
      [-2, 3],
      [-2, 2],
      [0, 0],
      [0, 2],
      [0, -1],
      [-8, 1 / 3],
      [1.5, 2.5],
      [9, 0.5],
    ],
    ...[
      [Number.POSITIVE_INFINITY, 2],
      [Number.NEGATIVE_INFINITY, 3],
      [0.5, Number.POSITIVE_INFINITY],
      [2, Number.NaN],
    ],
  ])('pow(%d, %d) is that of Math', (a, b) => {
    const expected = a! ** b!;
    if (Number.isFinite(expected)) expect(real.pow(a!, b!)).toBeCloseTo(expected, 12);
    else expect(real.pow(a!, b!)).toBe(expected);
  });

  test.each([
    [real.exp, 1000, Number.POSITIVE_INFINITY],
    [real.log, 0, Number.NEGATIVE_INFINITY],
    [real.log, -1, Number.NaN],
    [real.log, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [real.sin, Number.POSITIVE_INFINITY, Number.NaN],
    [real.atan, Number.POSITIVE_INFINITY, Math.PI / 2],
    [real.asin, 2, Number.NaN],
    [real.acosh, 0.5, Number.NaN],
  ])('at the edges', (f, x, expected) => {
    expect(f(x)).toBe(expected);
  });
});
