/**
 * The number of rows in a part of the whole, rounded down. Rounding errors do not count: 100 · 0.29 is
 * 28.999999999999996 in float64 and gives 29 rows. scikit-learn and Keras give 28. @internal
 */
export const partOf = (count: number, part: number): number => Math.floor(count * part + count * 2 ** -50);
