import { expect, test } from 'vitest';
import { minimize } from '../../../src/state-space/linear/minimize.ts';

/** Rosenbrock's valley. */
const valley = (x: Float64Array) => {
  const [a, b] = x as unknown as [number, number];
  return {
    value: (1 - a) ** 2 + 100 * (b - a * a) ** 2,
    gradient: Float64Array.of(-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)),
  };
};

test('finds the end of a curved valley, and no iteration rises', () => {
  const found = minimize(valley, Float64Array.of(-1.2, 1), { tolerance: 1e-14, maxIterations: 200 });
  expect(found.converged).toBe(true);
  expect(found.x[0]).toBeCloseTo(1, 5);
  expect(found.x[1]).toBeCloseTo(1, 5);
  found.values.slice(1).forEach((value, i) => expect(value).toBeLessThanOrEqual(found.values[i]!));
});

test('stays where the function has a value', () => {
  // −ln x + x has its least value at 1, and none below 0.
  const f = (x: Float64Array) =>
    x[0]! > 0
      ? { value: x[0]! - Math.log(x[0]!), gradient: Float64Array.of(1 - 1 / x[0]!) }
      : { value: Number.POSITIVE_INFINITY, gradient: new Float64Array(1) };
  const { x } = minimize(f, Float64Array.of(0.01), { tolerance: 1e-14, maxIterations: 100 });
  expect(x[0]).toBeCloseTo(1, 6);
});

test('says that it did not converge when iterations run out, and that it did at a point without slope', () => {
  expect(minimize(valley, Float64Array.of(-1.2, 1), { tolerance: 0, maxIterations: 2 }).converged).toBe(false);
  const flat = minimize(valley, Float64Array.of(1, 1), { tolerance: 0, maxIterations: 2 });
  expect([flat.converged, flat.values]).toEqual([true, [0]]);
});
