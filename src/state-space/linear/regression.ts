import { addOuter, addTo, cholesky, inverseOf, type Matrix, product } from '../matrix.ts';
import type { Observed } from './kalman.ts';

/**
 * Least squares of the observations on the inputs, D `[p, k]` of y = D u + rest, without what is missing. Undefined if
 * the inputs do not determine D.
 */
export function regression(sequences: readonly Observed[], p: number, k: number): Matrix | undefined {
  const coefficients = new Float64Array(p * k);
  for (let row = 0; row < p; row++) {
    const [squares, products] = [new Float64Array(k * k), new Float64Array(k)];
    for (const { steps, y, u } of sequences) {
      for (let t = 0; t < steps; t++) {
        const value = y[t * p + row]!;
        if (Number.isNaN(value)) continue;
        const inputs = u.subarray(t * k, (t + 1) * k);
        addOuter(squares, inputs, inputs);
        addTo(products, inputs, value);
      }
    }
    const factor = cholesky(squares, k);
    if (!factor) return undefined;
    coefficients.set(product(inverseOf(factor, k), products, k, k, 1), row * k);
  }
  return coefficients;
}
