import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import type { NdArray } from '../data/array.ts';

function mistakeAt({ data, shape }: NdArray, at: number, message: string): ArgumentError {
  const sample = Math.floor(at / (data.length / shape[0]!));
  return new ArgumentError(`${message} in sample ${sample} of ${formatShape(shape)} (flat index ${at})`);
}

/** Throws `ArgumentError` at the first target that does not fit a loss. The error names the sample. */
export function expectTargets(what: string, ys: NdArray, expected: string, fits: (y: number) => boolean): void {
  for (let i = 0; i < ys.data.length; i++) {
    const y = ys.data[i]!;
    if (!fits(y)) throw mistakeAt(ys, i, `${what} expected ${expected}, got ${y}`);
  }
}

export const expectProbabilities = (what: string, ys: NdArray): void =>
  expectTargets(what, ys, 'numbers from 0 to 1', (y) => y >= 0 && y <= 1);

// How far from 1 the sum of a row of probabilities may be. Probabilities may have been written with two digits.
const SUM_TOLERANCE = 0.02;

/**
 * Throws `ArgumentError` at a row that is not a distribution. A row of zeros, as in padding, is accepted and has no
 * loss.
 */
export function expectDistributions(what: string, ys: NdArray, classes: number): void {
  expectProbabilities(what, ys);
  const { data } = ys;
  for (let from = 0; from < data.length; from += classes) {
    let sum = 0;
    for (let i = from; i < from + classes; i++) sum += data[i]!;
    if (sum === 0 || Math.abs(sum - 1) <= SUM_TOLERANCE) continue;
    const expected = `rows of ${classes} that sum to 1 (sampleWeight is for weights, binaryCrossentropy for several labels at once)`;
    throw mistakeAt(ys, from, `${what} expected ${expected}, got a sum of ${sum}`);
  }
}
