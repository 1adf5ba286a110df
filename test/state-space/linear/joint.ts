// The oracle of linear Gaussian models: the joint Gaussian of all states and observations of a short sequence,
// conditioned by Gaussian elimination.

/** Matrices of each step, as rows of numbers. */
export interface Plain {
  a: number[][][];
  c: number[][][];
  q: number[][][];
  r: number[][][];
  b?: number[][][];
  d?: number[][][];
  m: number[];
  p: number[][];
}

const multiply = (x: number[][], y: number[][]): number[][] =>
  x.map((row) => y[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * y[k]![j]!, 0)));
const transpose = (x: number[][]): number[][] => x[0]!.map((_, j) => x.map((row) => row[j]!));
const add = (x: number[][], y: number[][], scale = 1): number[][] =>
  x.map((row, i) => row.map((value, j) => value + scale * y[i]![j]!));
const column = (x: number[]): number[][] => x.map((value) => [value]);

/** A⁻¹ B and ln |A| by elimination with pivots. */
function solve(a: number[][], b: number[][]): { x: number[][]; logDeterminant: number } {
  const rows = a.map((row, i) => [...row, ...b[i]!]);
  let logDeterminant = 0;
  for (let i = 0; i < a.length; i++) {
    let pivot = i;
    for (let j = i + 1; j < a.length; j++) if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    logDeterminant += Math.log(Math.abs(rows[i]![i]!));
    for (let j = 0; j < a.length; j++) {
      if (j === i) continue;
      const factor = rows[j]![i]! / rows[i]![i]!;
      rows[j] = rows[j]!.map((value, k) => value - factor * rows[i]![k]!);
    }
  }
  return { x: rows.map((row, i) => row.slice(a.length).map((value) => value / row[i]!)), logDeterminant };
}

/** States and the log-likelihood given observations y `[T, p]`, where NaN is missing. */
export function byJoint({ a, c, q, r, b, d, m, p }: Plain, y: number[][], u: number[][] = [], seen = y.length) {
  const steps = y.length;
  const n = m.length;
  // Every x is a linear map of the first x and the noises, plus an offset.
  const means: number[][] = [];
  const maps: number[][][] = [];
  const width = n * steps;
  const unit = (from: number): number[][] =>
    Array.from({ length: n }, (_, i) => Array.from({ length: width }, (_, j) => (j === from + i ? 1 : 0)));
  for (let t = 0; t < steps; t++) {
    if (t === 0) {
      means.push(m);
      maps.push(unit(0));
      continue;
    }
    let mean = multiply(a[t - 1]!, column(means[t - 1]!));
    if (b) mean = add(mean, multiply(b[t - 1]!, column(u[t - 1]!)));
    means.push(mean.map(([value]) => value!));
    maps.push(add(multiply(a[t - 1]!, maps[t - 1]!), unit(n * t)));
  }
  const sources: number[][] = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  const place = (block: number[][], from: number): void =>
    block.forEach((row, i) => row.forEach((value, j) => (sources[from + i]![from + j] = value)));
  place(p, 0);
  for (let t = 1; t < steps; t++) place(q[t - 1]!, n * t);
  const xMap = maps.flat();
  const xCovariance = multiply(multiply(xMap, sources), transpose(xMap));

  const observed: { t: number; i: number; residual: number }[] = [];
  y.slice(0, seen).forEach((row, t) => {
    let forecast = multiply(c[t]!, column(means[t]!));
    if (d) forecast = add(forecast, multiply(d[t]!, column(u[t]!)));
    row.forEach((value, i) => {
      if (!Number.isNaN(value)) observed.push({ t, i, residual: value - forecast[i]![0]! });
    });
  });
  // C of the observed rows, over the states of all steps.
  const big = observed.map(({ t, i }) => {
    const row = new Array<number>(width).fill(0);
    c[t]![i]!.forEach((value, j) => (row[n * t + j] = value));
    return row;
  });
  const cross = big.length > 0 ? multiply(xCovariance, transpose(big)) : xCovariance.map(() => []);
  const yCovariance = big.map((row, i) =>
    multiply([row], cross)[0]!.map((value, j) => {
      const [one, other] = [observed[i]!, observed[j]!];
      return value + (one.t === other.t ? r[one.t]![one.i]![other.i]! : 0);
    }),
  );
  const residual = observed.map(({ residual: value }) => value);
  const weights = observed.length > 0 ? solve(yCovariance, column(residual)) : { x: [], logDeterminant: 0 };
  const told = observed.length > 0 ? multiply(cross, weights.x).map(([value]) => value!) : cross.map(() => 0);
  const gained = observed.length > 0 ? multiply(cross, solve(yCovariance, transpose(cross)).x) : undefined;
  const posterior = gained ? add(xCovariance, gained, -1) : xCovariance;
  const square = residual.reduce((sum, value, i) => sum + value * weights.x[i]![0]!, 0);
  const block = (t: number, s: number): number[][] =>
    posterior.slice(n * t, n * (t + 1)).map((row) => row.slice(n * s, n * (s + 1)));
  return {
    logLikelihood: -(observed.length * Math.log(2 * Math.PI) + weights.logDeterminant + square) / 2,
    means: means.map((mean, t) => mean.map((value, i) => value + told[n * t + i]!)),
    covariances: means.map((_, t) => block(t, t)),
    withNext: means.slice(1).map((_, t) => block(t, t + 1)),
  };
}
