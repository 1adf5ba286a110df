// The Kalman filter, the smoother and the gradient of the log-likelihood, of one sequence, in float64.

import { LN_2PI } from '../log-numbers.ts';
import {
  addTo,
  cholesky,
  congruence,
  identity,
  inverseOf,
  logDeterminant,
  type Matrix,
  product,
  productOfTransposed,
  rowsOf,
  submatrix,
  symmetrize,
  transposedCongruence,
  transposedProduct,
} from '../matrix.ts';

/** A matrix that may be another one at each sequence and step: `data[sequence · perSequence + step · perStep …]`. */
export interface Varying {
  readonly data: Matrix;
  /** Numbers of one matrix. */
  readonly size: number;
  readonly perSequence: number;
  readonly perStep: number;
}

export const constant = (data: Matrix): Varying => ({ data, size: data.length, perSequence: 0, perStep: 0 });

/** The matrix of a sequence and a step, a view. */
export function at({ data, size, perSequence, perStep }: Varying, sequence: number, step: number): Matrix {
  const from = sequence * perSequence + step * perStep;
  return data.subarray(from, from + size);
}

/**
 * y = C x + D u + v, v ~ N(0, R); the next x = A x + B u + w, w ~ N(0, Q); the first x ~ N(m, P).
 *
 * n states, p observations and k inputs a step.
 */
export interface LinearSystem {
  readonly n: number;
  readonly p: number;
  readonly k: number;
  /** A `[n, n]` */
  readonly transition: Varying;
  /** C `[p, n]` */
  readonly observation: Varying;
  /** Q `[n, n]` */
  readonly stateNoise: Varying;
  /** R `[p, p]` */
  readonly observationNoise: Varying;
  /** B `[n, k]` */
  readonly control: Varying;
  /** D `[p, k]` */
  readonly feedthrough: Varying;
  /** m `[n]` */
  readonly initialMean: Varying;
  /** P `[n, n]` */
  readonly initialCovariance: Varying;
}

/** What the filter knows after one step. Vectors and matrices are of the observed features alone, in their order. */
export interface FilterStep {
  /** The features that are not missing. */
  readonly observed: readonly number[];
  /** Mean and covariance of x given the steps before. */
  readonly mean: Matrix;
  readonly covariance: Matrix;
  /** Mean and covariance of x given this step too. */
  readonly filteredMean: Matrix;
  readonly filteredCovariance: Matrix;
  /** C of the observed features. */
  readonly c: Matrix;
  /** y minus its forecast. */
  readonly innovation: Matrix;
  /** Inverse of the covariance of the innovation. */
  readonly precision: Matrix;
  /** K = P Cᵀ S⁻¹, `[n, observed]` */
  readonly gain: Matrix;
  /** ln p(yₜ | y₁ … yₜ₋₁) */
  readonly logLikelihood: number;
}

/** A covariance of an innovation was not positive definite, at that step. */
export class SingularInnovation extends Error {
  readonly step: number;

  constructor(step: number) {
    super('');
    this.step = step;
  }
}

/** One sequence: observations `[T, p]`, where NaN is a missing one, and inputs `[T, k]`. */
export interface Observed {
  readonly steps: number;
  readonly y: Matrix;
  readonly u: Matrix;
  /** Its number, for matrices that differ between sequences. */
  readonly sequence: number;
  /** The step of the matrices for each step of y. Default: the same. */
  readonly stepOf?: readonly number[];
}

/** The step of the matrices. */
export const stepAt = ({ stepOf }: Observed, t: number): number => stepOf?.[t] ?? t;

/** x of the next step, from x of this one and its inputs. */
export function predict(
  system: LinearSystem,
  mean: Matrix,
  covariance: Matrix,
  { sequence, u }: Observed,
  step: number,
  t: number,
): { mean: Matrix; covariance: Matrix } {
  const { n, k } = system;
  const a = at(system.transition, sequence, step);
  const next = product(a, mean, n, n, 1);
  if (k > 0) addTo(next, product(at(system.control, sequence, step), u.subarray(t * k, (t + 1) * k), n, k, 1));
  return { mean: next, covariance: addTo(congruence(a, covariance, n), at(system.stateNoise, sequence, step)) };
}

/**
 * The Kalman filter. The update is Joseph's, (I − K C) P (I − K C)ᵀ + K R Kᵀ, which rounding does not make indefinite.
 *
 * @throws SingularInnovation
 * @see Durbin and Koopman 2012, "Time series analysis by state space methods", section 4.3
 */
export function kalmanFilter(system: LinearSystem, given: Observed): FilterStep[] {
  const { n, p, k } = system;
  const { steps, y, u, sequence } = given;
  const results: FilterStep[] = [];
  let mean = at(system.initialMean, sequence, 0);
  let covariance = at(system.initialCovariance, sequence, 0);
  for (let t = 0; t < steps; t++) {
    const step = stepAt(given, t);
    const row = y.subarray(t * p, (t + 1) * p);
    const observed: number[] = [];
    for (let i = 0; i < p; i++) if (!Number.isNaN(row[i]!)) observed.push(i);
    const q = observed.length;
    const c = rowsOf(at(system.observation, sequence, step), n, observed);
    const r = submatrix(at(system.observationNoise, sequence, step), p, observed);
    const innovation = Float64Array.from(observed, (i) => row[i]!);
    addTo(innovation, product(c, mean, q, n, 1), -1);
    if (k > 0) {
      const d = rowsOf(at(system.feedthrough, sequence, step), k, observed);
      addTo(innovation, product(d, u.subarray(t * k, (t + 1) * k), q, k, 1), -1);
    }
    const s = addTo(congruence(c, covariance, q, n), r);
    const factor = cholesky(s, q);
    if (!factor) throw new SingularInnovation(t);
    const precision = inverseOf(factor, q);
    const gain = product(productOfTransposed(covariance, c, n, n, q), precision, n, q, q);
    const rest = addTo(identity(n), product(gain, c, n, q, n), -1);
    const filteredCovariance = addTo(congruence(rest, covariance, n), congruence(gain, r, n, q));
    const filteredMean = addTo(product(gain, innovation, n, q, 1), mean);
    const square = product(innovation, product(precision, innovation, q, q, 1), 1, q, 1)[0]!;
    const logLikelihood = -(q * LN_2PI + logDeterminant(factor, q) + square) / 2;
    results.push({
      ...{ observed, mean, covariance, filteredMean, filteredCovariance },
      ...{ c, innovation, precision, gain, logLikelihood },
    });
    if (t + 1 < steps) ({ mean, covariance } = predict(system, filteredMean, filteredCovariance, given, step, t));
  }
  return results;
}

export interface SmoothedStep {
  /** Mean and covariance of x given all steps. */
  readonly mean: Matrix;
  readonly covariance: Matrix;
  /** Cov(x of this step, x of the next | all steps), `[n, n]`; undefined at the last step. */
  readonly withNext: Matrix | undefined;
}

/**
 * The fixed-interval smoother. Its results are those of Rauch, Tung and Striebel; it needs no inverse of a covariance
 * of states, which is singular where a state has no noise.
 *
 * @see de Jong 1989; Durbin and Koopman 2012, sections 4.4 and 4.7
 */
export function kalmanSmoother(system: LinearSystem, given: Observed, filtered: readonly FilterStep[]): SmoothedStep[] {
  const { n } = system;
  const results = new Array<SmoothedStep>(filtered.length);
  let r: Matrix = new Float64Array(n);
  let big: Matrix = new Float64Array(n * n);
  for (let t = filtered.length - 1; t >= 0; t--) {
    const { observed, mean, covariance, c, innovation, precision, gain } = filtered[t]!;
    const q = observed.length;
    const isLast = t === filtered.length - 1;
    // Both are of x of the next step until here.
    const a = at(system.transition, given.sequence, stepAt(given, t));
    const l = product(a, addTo(identity(n), product(gain, c, n, q, n), -1), n, n, n);
    let withNext: Matrix | undefined;
    if (!isLast) {
      const rest = addTo(identity(n), product(big, filtered[t + 1]!.covariance, n, n, n), -1);
      withNext = product(productOfTransposed(covariance, l, n, n, n), rest, n, n, n);
    }
    const weighed = product(precision, innovation, q, q, 1);
    r = addTo(transposedProduct(c, weighed, n, q, 1), transposedProduct(l, r, n, n, 1));
    big = addTo(transposedCongruence(c, precision, q, n), transposedCongruence(l, big, n));
    results[t] = {
      mean: addTo(product(covariance, r, n, n, 1), mean),
      covariance: symmetrize(
        addTo(
          congruence(covariance, big, n).map((x) => -x),
          covariance,
        ),
        n,
      ),
      withNext,
    };
  }
  return results;
}
