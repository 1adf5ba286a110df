export interface Minimum {
  x: Float64Array;
  /** The value at the start and after each iteration. */
  values: number[];
  converged: boolean;
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/**
 * L-BFGS with ten pairs and a line search that halves the step until the value falls enough (Armijo). The function
 * gives ∞ where it has no value.
 *
 * @param tolerance the search ends when an iteration lowers the value by less, twice in a row.
 * @see Nocedal and Wright 2006, "Numerical optimization", algorithm 7.5
 */
export function minimize(
  f: (x: Float64Array) => { value: number; gradient: Float64Array },
  start: Float64Array,
  { tolerance, maxIterations }: { tolerance: number; maxIterations: number },
): Minimum {
  let x = start;
  let { value, gradient } = f(x);
  const values = [value];
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let small = 0;
  for (let i = 0; i < maxIterations; i++) {
    let direction = directionOf(pairs, gradient);
    let slope = dot(direction, gradient);
    if (!(slope < 0)) {
      pairs.length = 0;
      direction = directionOf(pairs, gradient);
      slope = dot(direction, gradient);
    }
    if (slope === 0) return { x, values, converged: true };
    // The first step has no scale yet.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next = f(moved(x, direction, length));
    while (!(next.value <= value + 1e-4 * length * slope) && length > 1e-12) {
      length /= 2;
      next = f(moved(x, direction, length));
    }
    if (!(next.value <= value)) return { x, values, converged: true };
    const to = moved(x, direction, length);
    const s = to.map((entry, j) => entry - x[j]!);
    const y = next.gradient.map((entry, j) => entry - gradient[j]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12 * dot(y, y)) {
      pairs.push({ s, y, rho: 1 / curvature });
      if (pairs.length > 10) pairs.shift();
    }
    small = value - next.value < tolerance ? small + 1 : 0;
    [x, value, gradient] = [to, next.value, next.gradient];
    values.push(value);
    if (small === 2) return { x, values, converged: true };
  }
  return { x, values, converged: false };
}

const moved = (x: Float64Array, direction: Float64Array, length: number): Float64Array =>
  x.map((entry, i) => entry + length * direction[i]!);

function directionOf(
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  gradient: Float64Array,
): Float64Array {
  const d = gradient.map((entry) => -entry);
  const factors = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, rho } = pairs[i]!;
    factors[i] = rho * dot(s, d);
    y.forEach((entry, j) => (d[j]! -= factors[i]! * entry));
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    d.forEach((entry, j) => (d[j] = entry * scale));
  }
  pairs.forEach(({ s, y, rho }, i) => {
    const rest = factors[i]! - rho * dot(y, d);
    s.forEach((entry, j) => (d[j]! += rest * entry));
  });
  return d;
}
