/** Gradient of f at x by central differences in float64: with this step the error is below 1e-9 of f's scale. */
export const numericGradient = (f: (x: Float64Array<ArrayBuffer>) => number, x: ArrayLike<number>): Float64Array =>
  numericGradients((at) => [f(at)], x)[0]!;

/** The gradient of each number that f gives. */
export function numericGradients(
  f: (x: Float64Array<ArrayBuffer>) => readonly number[],
  x: ArrayLike<number>,
): Float64Array[] {
  const step = 1e-5;
  const at = Float64Array.from(x);
  const slopes = Array.from(at, (kept, i) => {
    at[i] = kept + step;
    const above = f(at);
    at[i] = kept - step;
    const below = f(at);
    at[i] = kept;
    return above.map((value, n) => (value - below[n]!) / (2 * step));
  });
  const count = slopes.length > 0 ? slopes[0]!.length : f(at).length;
  return Array.from({ length: count }, (_, n) => Float64Array.from(slopes, (each) => each[n]!));
}

/** Σ a·b */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
