import { expect } from 'vitest';
import type { GoldenTensor } from './load.ts';

const OUTPUT_TOLERANCE = 1e-5;
const GRADIENT_TOLERANCE = 1e-4;
/** The scale of a gradient tensor whose largest element is smaller still: below it lies float32 rounding of sums. */
const SMALLEST_GRADIENT_SCALE = 1e-3;

type Expected = Pick<GoldenTensor, 'shape'> & { values: ArrayLike<number> };

/** Outputs, states and losses: |actual − golden| ≤ 1e-5·max(1, |golden|) for every element. */
export function expectOutput(what: string, actual: ArrayLike<number>, golden: Expected): void {
  expectClose(what, actual, golden, (n) => OUTPUT_TOLERANCE * Math.max(1, Math.abs(golden.values[n])));
}

/**
 * Gradients and trained parameters: |actual − golden| ≤ 1e-4·(the tensor's largest magnitude) for every element.
 *
 * The gradients of a mean loss are of the order of 1e-2, so an absolute 1e-4 would let a wrong term pass.
 */
export function expectGradient(what: string, actual: ArrayLike<number>, golden: Expected): void {
  let scale = SMALLEST_GRADIENT_SCALE;
  for (let n = 0; n < golden.values.length; n++) scale = Math.max(scale, Math.abs(golden.values[n]));
  expectClose(what, actual, golden, () => GRADIENT_TOLERANCE * scale);
}

/** Names the first element that is off by its index, shape, golden and actual value; NaN is off. */
function expectClose(
  what: string,
  actual: ArrayLike<number>,
  golden: Expected,
  toleranceAt: (n: number) => number,
): void {
  expect(actual.length, `${what} [${golden.shape}]: number of elements`).toBe(golden.values.length);
  for (let n = 0; n < actual.length; n++) {
    const tolerance = toleranceAt(n);
    if (!(Math.abs(actual[n] - golden.values[n]) <= tolerance)) {
      expect.fail(
        `${what} [${golden.shape}] at ${n}: golden ${golden.values[n]}, got ${actual[n]}, tolerance ${tolerance}`,
      );
    }
  }
}
