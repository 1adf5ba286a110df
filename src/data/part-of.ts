/**
 * A part of so many rows, rounded down. The product may be a rounding error off a whole number, as 100 · 0.29 =
 * 28.999999999999996 is: that number is what is meant, though scikit-learn and Keras round such a product as it stands.
 * @internal
 */
export const partOf = (count: number, part: number): number => Math.floor(count * part + count * 2 ** -50);
