/**
 * The largest difference as a part of what is allowed for float32, 1e-5 + 1e-4·|expected|: 1 is the limit. Infinity for
 * lists of two lengths, NaN if a value is.
 */
export function partOfTolerance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(expected).reduce((worst, value, i) => {
    const part = Math.abs(Number(actual[i]) - value) / (1e-5 + 1e-4 * Math.abs(value));
    return part <= worst ? worst : part;
  }, 0);
}
