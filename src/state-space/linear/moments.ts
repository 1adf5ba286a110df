// The expected moments that the maximization step needs.

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
  transposed,
} from '../matrix.ts';
import { at, type FilterStep, type LinearSystem, type Observed, type SmoothedStep } from './kalman.ts';

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
