// The maximization step of a linear Gaussian model.
import { ArgumentError } from '../../checks/argument-error.ts';
import {
  addOuter,
  addTo,
  cholesky,
  inverseOf,
  type Matrix,
  product,
  productOfTransposed,
  rowsOf,
  submatrix,
  symmetrize,
} from '../matrix.ts';
import { at, type FilterStep, type LinearSystem, type Observed, type SmoothedStep } from './kalman.ts';
import { type Learned, type ParameterName, SYSTEM_NAMES } from './learned.ts';
import { constantPart, type Part, type System } from './system.ts';

/** Expected moments of a regression, target = H z + noise. */
export interface Moments {
  count: number;
  /** Σ E[z zᵀ], `[m, m]` */
  readonly zz: Matrix;
  /** Σ E[target zᵀ], `[r, m]` */
  readonly yz: Matrix;
  /** Σ E[target targetᵀ], `[r, r]` */
  readonly yy: Matrix;
}

export const noMoments = (r: number, m: number): Moments => ({
  count: 0,
  zz: new Float64Array(m * m),
  yz: new Float64Array(r * m),
  yy: new Float64Array(r * r),
});

/** What the M-step of all parameters needs, summed over sequences. */
export interface ExpectedMoments {
  /** The next x on x and the inputs. */
  readonly transition: Moments;
  /** y on x and the inputs. */
  readonly observation: Moments;
  /** The first x: Σ means, Σ E[x xᵀ]. */
  readonly first: { count: number; readonly sum: Matrix; readonly squares: Matrix };
}

export const noExpectedMoments = ({ n, p, k }: LinearSystem): ExpectedMoments => ({
  transition: noMoments(n, n + k),
  observation: noMoments(p, n + k),
  first: { count: 0, sum: new Float64Array(n), squares: new Float64Array(n * n) },
});

/** Writes a block into a matrix of `width` columns, and adds it. */
function addBlock(to: Matrix, width: number, row: number, column: number, block: Matrix, columns: number): void {
  for (let i = 0; i < block.length / columns; i++) {
    for (let j = 0; j < columns; j++) to[(row + i) * width + column + j]! += block[i * columns + j]!;
  }
}

/** E[x xᵀ] */
const square = ({ mean, covariance }: SmoothedStep): Matrix => addOuter(covariance.slice(), mean, mean);

/** Adds the expected moments of one sequence. */
export function addMoments(
  to: ExpectedMoments,
  system: LinearSystem,
  given: Observed,
  filtered: readonly FilterStep[],
  smoothed: readonly SmoothedStep[],
): void {
  const { n, k } = system;
  const m = n + k;
  if (smoothed.length === 0) return;
  to.first.count++;
  addTo(to.first.sum, smoothed[0]!.mean);
  addTo(to.first.squares, square(smoothed[0]!));
  smoothed.forEach((here, t) => {
    const input = given.u.subarray(t * k, (t + 1) * k);
    const zz = new Float64Array(m * m);
    addBlock(zz, m, 0, 0, square(here), n);
    if (k > 0) {
      addBlock(zz, m, 0, n, addOuter(new Float64Array(n * k), here.mean, input), k);
      addBlock(zz, m, n, 0, addOuter(new Float64Array(n * k), input, here.mean), n);
      addBlock(zz, m, n, n, addOuter(new Float64Array(k * k), input, input), k);
    }
    const next = smoothed[t + 1];
    if (next) {
      to.transition.count++;
      addTo(to.transition.zz, zz);
      addTo(to.transition.yy, square(next));
      const cross = addOuter(transposed(here.withNext!, n), next.mean, here.mean);
      addBlock(to.transition.yz, m, 0, 0, cross, n);
      addBlock(to.transition.yz, m, 0, n, addOuter(new Float64Array(n * k), next.mean, input), k);
    }
    if (filtered[t]!.observed.length > 0) addObservation(to.observation, system, given, t, filtered[t]!, here, zz);
  });
}

/**
 * The moments of y. A missing part of it is what the observed part tells: y = offset + M x + noise, where the observed
 * rows have M = 0 and no noise, and the missing ones M = C_m − G C_o with G = R_mo R_oo⁻¹.
 */
function addObservation(
  to: Moments,
  system: LinearSystem,
  { y, u, sequence }: Observed,
  t: number,
  { observed }: FilterStep,
  here: SmoothedStep,
  zz: Matrix,
): void {
  const { n, p, k } = system;
  const m = n + k;
  const input = u.subarray(t * k, (t + 1) * k);
  const offset = y.slice(t * p, (t + 1) * p);
  const slope = new Float64Array(p * n);
  const noise = new Float64Array(p * p);
  const missing = Array.from({ length: p }, (_, i) => i).filter((i) => !observed.includes(i));
  if (missing.length > 0) {
    const [o, h] = [observed.length, missing.length];
    const r = at(system.observationNoise, sequence, t);
    const factor = cholesky(submatrix(r, p, observed), o);
    const cross = submatrix(r, p, missing, observed);
    // Without noise of the observed part the missing one is told by the state alone.
    const g = factor ? product(cross, inverseOf(factor, o), h, o, o) : new Float64Array(h * o);
    const [c, d] = [at(system.observation, sequence, t), at(system.feedthrough, sequence, t)];
    const left = product(d, input, p, k, 1);
    const known = Float64Array.from(observed, (i) => offset[i]! - left[i]!);
    const told = product(g, known, h, o, 1);
    const toldSlope = product(g, rowsOf(c, n, observed), h, o, n);
    const rest = addTo(submatrix(r, p, missing), productOfTransposed(g, cross, h, o, h), -1);
    missing.forEach((row, i) => {
      offset[row] = left[row]! + told[i]!;
      for (let j = 0; j < n; j++) slope[row * n + j] = c[row * n + j]! - toldSlope[i * n + j]!;
      missing.forEach((column, j) => (noise[row * p + column] = rest[i * h + j]!));
    });
  }
  to.count++;
  addTo(to.zz, zz);
  const xx = square(here);
  const slopeMean = product(slope, here.mean, p, n, 1);
  const expected = addTo(slopeMean.slice(), offset);
  const yx = addTo(product(slope, xx, p, n, n), addOuter(new Float64Array(p * n), offset, here.mean));
  addBlock(to.yz, m, 0, 0, yx, n);
  addBlock(to.yz, m, 0, n, addOuter(new Float64Array(p * k), expected, input), k);
  const yy = addTo(productOfTransposed(product(slope, xx, p, n, n), slope, p, n, p), noise);
  addOuter(addOuter(addOuter(yy, offset, offset), offset, slopeMean), slopeMean, offset);
  addTo(to.yy, yy);
}

export function transposed(a: Matrix, n: number): Matrix {
  return a.map((_, i) => a[(i % n) * n + Math.floor(i / n)]!);
}

/**
 * H that maximizes the expected log-likelihood; entries that are not free stay.
 *
 * Free entries of rows that share noise belong together, so they solve one linear system, weighted by the inverse of
 * the noise. Rows without noise have no free entries.
 *
 * @param free 1 for each free entry of H `[r, m]`.
 * @returns undefined if the moments do not determine the free entries.
 */
export function regression(
  moments: Moments,
  h: Matrix,
  free: ArrayLike<number>,
  noise: Matrix,
  r: number,
  m: number,
): Matrix | undefined {
  const { zz, yz } = moments;
  const places = Array.from({ length: r * m }, (_, i) => i).filter((i) => free[i] === 1);
  if (places.length === 0) return h;
  if (places.length === r * m) {
    const factor = cholesky(zz, m);
    return factor && product(yz, inverseOf(factor, m), r, m, m);
  }
  const noisy = Array.from({ length: r }, (_, i) => i).filter((i) => noise[i * r + i]! > 0);
  const factor = cholesky(submatrix(noise, r, noisy), noisy.length);
  if (!factor) return undefined;
  const inverse = inverseOf(factor, noisy.length);
  const precision = (i: number, j: number): number => inverse[noisy.indexOf(i) * noisy.length + noisy.indexOf(j)]!;
  const fixed = h.map((value, i) => (free[i] === 1 ? 0 : value));
  const rest = addTo(yz.slice(), product(fixed, zz, r, m, m), -1);
  const size = places.length;
  const left = new Float64Array(size * size);
  const right = new Float64Array(size);
  places.forEach((a, x) => {
    const [i, j] = [Math.floor(a / m), a % m];
    for (const row of noisy) right[x]! += precision(i, row) * rest[row * m + j]!;
    places.forEach((b, y) => {
      left[x * size + y] = precision(i, Math.floor(b / m)) * zz[j * m + (b % m)]!;
    });
  });
  const solved = cholesky(left, size);
  if (!solved) return undefined;
  const values = product(inverseOf(solved, size), right, size, size, 1);
  const next = h.slice();
  places.forEach((place, x) => (next[place] = values[x]!));
  return next;
}

/** The covariance of what a regression leaves: E[(target − H z)(target − H z)ᵀ] / count. */
export function residualCovariance({ count, zz, yz, yy }: Moments, h: Matrix, r: number, m: number): Matrix {
  const cross = productOfTransposed(yz, h, r, m, r);
  const sum = addTo(yy.slice(), cross, -1);
  addTo(sum, transposed(cross, r), -1);
  addTo(sum, productOfTransposed(product(h, zz, r, m, m), h, r, m, r));
  return symmetrize(
    sum.map((x) => x / count),
    r,
  );
}

/** The parameters that maximize the expected log-likelihood. */
export function maximized(what: string, system: System, learned: readonly Learned[], moments: ExpectedMoments): System {
  const { n, p, k } = system;
  const m = n + k;
  const of = (name: ParameterName): Learned | undefined => learned.find((each) => each.name === name);
  const next: Record<string, Part> = {};
  const equation = (
    [state, input, noise]: readonly [ParameterName, ParameterName, ParameterName],
    r: number,
    found: typeof moments.transition,
  ): void => {
    if (found.count === 0) return;
    const [h, free] = [new Float64Array(r * m), new Float64Array(r * m)];
    for (const [name, from, width] of [
      [state, 0, n],
      [input, n, k],
    ] as const) {
      const { data } = system[SYSTEM_NAMES[name]];
      for (let i = 0; i < r * width; i++) {
        const place = Math.floor(i / width) * m + from + (i % width);
        h[place] = data[i]!;
        free[place] = of(name)?.free[i] ?? 0;
      }
    }
    const covariance = system[SYSTEM_NAMES[noise]].data;
    const solved = regression(found, h, free, covariance, r, m);
    if (!solved)
      throw new ArgumentError(`${what}: observations expected to determine ${state}, got too few or too equal ones`);
    const cut = (from: number, width: number): Part =>
      constantPart(
        Float64Array.from({ length: r * width }, (_, i) => solved[Math.floor(i / width) * m + from + (i % width)]!),
      );
    if (of(state)) next[SYSTEM_NAMES[state]] = cut(0, n);
    if (of(input)) next[SYSTEM_NAMES[input]] = cut(n, k);
    const learns = of(noise);
    if (learns)
      next[SYSTEM_NAMES[noise]] = constantPart(merged(learns, covariance, residualCovariance(found, solved, r, m), r));
  };
  equation(['transitionMatrix', 'controlMatrix', 'transitionCovariance'], n, moments.transition);
  equation(['observationMatrix', 'feedthroughMatrix', 'observationCovariance'], p, moments.observation);
  const { count, sum, squares } = moments.first;
  if (count > 0) {
    const mean = system.initialMean.data.map((value, i) =>
      of('initialMean')?.free[i] === 1 ? sum[i]! / count : value,
    );
    if (of('initialMean')) next['initialMean'] = constantPart(mean);
    const learns = of('initialCovariance');
    if (learns) {
      const covariance = squares.map((x) => x / count);
      const average = sum.map((x) => x / count);
      addOuter(addOuter(addOuter(covariance, average, mean, -1), mean, average, -1), mean, mean);
      next['initialCovariance'] = constantPart(
        merged(learns, system.initialCovariance.data, symmetrize(covariance, n), n),
      );
    }
  }
  return { ...system, ...next };
}

/** The learned entries of a covariance, with the others as they were. */
function merged({ kind, free }: Learned, before: Matrix, found: Matrix, n: number): Matrix {
  if (kind === 'full') return found;
  const next = before.slice();
  free.forEach((flag, i) => flag === 1 && (next[i * (n + 1)] = found[i * (n + 1)]!));
  return next;
}
