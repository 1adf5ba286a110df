// Expectation–maximization of a linear Gaussian model.
import { ArgumentError } from '../../checks/argument-error.ts';
import {
  addOuter,
  addTo,
  cholesky,
  inverseOf,
  type Matrix,
  product,
  productOfTransposed,
  submatrix,
  symmetrize,
  transposed,
} from '../matrix.ts';
import type { FitHistory } from '../results.ts';
import { type FilterStep, kalmanSmoother, type Observed } from './kalman.ts';
import { type Learned, type ParameterName, SYSTEM_NAMES } from './learned.ts';
import { addMoments, type ExpectedMoments, type Moments, noExpectedMoments } from './moments.ts';
import { constantPart, type Model, type Part, type System, shapeOf } from './system.ts';

interface EmRun {
  learned: readonly Learned[];
  tolerance: number;
  maxIterations: number;
  filter(system: System, sequence: Observed): FilterStep[];
}

/** Rounds of expectation and maximization, until one raises the log-likelihood by less than the tolerance. */
export function maximize(
  what: string,
  start: System,
  sequences: readonly Observed[],
  { learned, tolerance, maxIterations, filter }: EmRun,
): { system: System; history: FitHistory } {
  let system = start;
  const history: FitHistory = { logLikelihood: [], converged: false, iterations: 0 };
  for (;;) {
    const moments = noExpectedMoments(system);
    let total = 0;
    for (const sequence of sequences) {
      const filtered = filter(system, sequence);
      total += filtered.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0);
      addMoments(moments, system, sequence, filtered, kalmanSmoother(system, sequence, filtered));
    }
    const gain = total - (history.logLikelihood.at(-1) ?? Number.NEGATIVE_INFINITY);
    history.logLikelihood.push(total);
    history.converged = gain < tolerance;
    if (history.converged || history.iterations === maxIterations) break;
    history.iterations++;
    system = maximized(what, system, learned, moments);
  }
  return { system, history };
}

/** Throws `ArgumentError` if EM cannot learn one of these parameters. */
export function expectEm(what: string, { system, initial }: Model, learned: readonly Learned[]): void {
  const varies = (name: ParameterName): boolean => Number.isFinite(system[SYSTEM_NAMES[name]].steps);
  const equations: readonly ParameterName[][] = [
    ['transitionMatrix', 'controlMatrix', 'transitionCovariance'],
    ['observationMatrix', 'feedthroughMatrix', 'observationCovariance'],
  ];
  for (const { name, free } of learned) {
    const varying = equations.find((names) => names.includes(name))?.find(varies);
    if (varying)
      throw new ArgumentError(
        `${what}: ${name} expected to be fixed, because ${varying} has an axis of steps, got learn true`,
      );
    if (initial === 'stationary' && /^transition/.test(name)) {
      throw new ArgumentError(
        `${what}: ${name} expected to be fixed, because the initial covariance is 'stationary', got learn true; fitGradient learns it`,
      );
    }
    const isRow = name === 'transitionMatrix' || name === 'observationMatrix';
    const noise = system[name === 'transitionMatrix' ? 'stateNoise' : 'observationNoise'].data;
    const width = shapeOf(system, name).at(-1)!;
    const rows = shapeOf(system, name)[0]!;
    if (isRow && free.some((flag, i) => flag === 1 && !(noise[Math.floor(i / width) * (rows + 1)]! > 0))) {
      throw new ArgumentError(`${what}: ${name} expected noise in the rows that are learned, got a variance of 0`);
    }
  }
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
function regression(
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
function residualCovariance({ count, zz, yz, yy }: Moments, h: Matrix, r: number, m: number): Matrix {
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
function maximized(what: string, system: System, learned: readonly Learned[], moments: ExpectedMoments): System {
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
    if (of('initialMean')) next.initialMean = constantPart(mean);
    const learns = of('initialCovariance');
    if (learns) {
      const covariance = squares.map((x) => x / count);
      const average = sum.map((x) => x / count);
      addOuter(addOuter(addOuter(covariance, average, mean, -1), mean, average, -1), mean, mean);
      next.initialCovariance = constantPart(
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
