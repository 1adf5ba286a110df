import { NdArray } from '../../data/array.ts';
import { ln } from '../../engine/float64.ts';
import type { RandomStream } from '../../engine/random.ts';
import { exp, LN_2PI, log, logSumExp } from '../log-numbers.ts';
import { cholesky, logDeterminant, type Matrix, solveLower } from '../matrix.ts';
import type { Sequence } from '../sequences.ts';
import { kMeans } from './k-means.ts';

/** What the states of a hidden Markov model emit. The objects do not change. */
export interface Emissions {
  /** Numbers of a step; 0 if it is an id. */
  readonly features: number;
  /** ln p(yₜ | state k), `[T, K]` */
  logProbabilities(sequence: Sequence): Float64Array;
  /**
   * The maximum of the expected log-likelihood, for the posteriors `[T, K]` of each sequence.
   *
   * @param learn the parameters that change.
   */
  reestimated(sequences: readonly Sequence[], gammas: readonly Float64Array[], learn: readonly string[]): Emissions;
  /** Writes one observation of a state. */
  draw(state: number, random: RandomStream, to: Float64Array): void;
  /** With another least eigenvalue of learned covariances. */
  withFloor(floor: number): Emissions;
  /** Number of free parameters. */
  readonly freeParameters: number;
  /** The options that make these emissions again. */
  config(): Record<string, unknown>;
}

/** A symbol by its probability: Bₖₛ = P(symbol s | state k), `[K, S]`. */
export class CategoricalEmissions implements Emissions {
  readonly probabilities: Matrix;
  readonly symbols: number;
  readonly #logs: Matrix;

  constructor(probabilities: Matrix, symbols: number) {
    this.probabilities = probabilities;
    this.symbols = symbols;
    this.#logs = probabilities.map(log);
  }

  /** Near-equal random rows: equal ones would be a fixed point of the learning. */
  static random(states: number, symbols: number, random: RandomStream): CategoricalEmissions {
    const rows = Float64Array.from({ length: states * symbols }, () => 0.5 + random.nextUniform());
    return new CategoricalEmissions(normalizeRows(rows, symbols), symbols);
  }

  logProbabilities({ values, steps }: Sequence): Float64Array {
    const k = this.#logs.length / this.symbols;
    return Float64Array.from({ length: steps * k }, (_, i) => {
      return this.#logs[(i % k) * this.symbols + values[Math.floor(i / k)]!]!;
    });
  }

  reestimated(sequences: readonly Sequence[], gammas: readonly Float64Array[], learn: readonly string[]) {
    if (!learn.includes('emissionProbabilities')) return this;
    const { symbols } = this;
    const counts = new Float64Array(this.probabilities.length);
    const k = counts.length / symbols;
    sequences.forEach(({ values, steps }, n) => {
      for (let t = 0; t < steps; t++) {
        for (let j = 0; j < k; j++) counts[j * symbols + values[t]!]! += gammas[n]![t * k + j]!;
      }
    });
    return new CategoricalEmissions(normalizeRows(counts, symbols, this.probabilities), symbols);
  }

  draw(state: number, random: RandomStream, to: Float64Array): void {
    to[0] = drawIndex(this.probabilities, state * this.symbols, this.symbols, random);
  }

  withFloor(): this {
    return this;
  }

  get features(): number {
    return 0;
  }

  get freeParameters(): number {
    return this.probabilities.length - this.probabilities.length / this.symbols;
  }

  config(): Record<string, unknown> {
    const { probabilities, symbols } = this;
    const shape = [probabilities.length / symbols, symbols];
    return { symbols, emissionProbabilities: new NdArray(probabilities.slice(), shape) };
  }
}

export interface MixtureShape {
  states: number;
  mixtures: number;
  features: number;
  covarianceType: 'diag' | 'full';
  /** Whether options have no axis of components: there is one. */
  isPlain: boolean;
}

/**
 * A mixture of Gaussians a state: p(y | k) = Σₘ wₖₘ N(y; μₖₘ, Σₖₘ). With one component a plain Gaussian.
 *
 * `weights` is `[K, M]`, `means` `[K, M, D]`, `covariances` `[K, M, D]` for diagonals and `[K, M, D, D]` for matrices.
 */
export class MixtureEmissions implements Emissions {
  readonly shape: MixtureShape;
  readonly weights: Matrix;
  readonly means: Matrix;
  readonly covariances: Matrix;
  /** The least eigenvalue that a learned covariance may have. */
  readonly floor: number;
  readonly #factors: readonly Matrix[];
  /** ln w − (D ln 2π + ln |Σ|) / 2 of each component */
  readonly #constants: Float64Array;

  constructor(shape: MixtureShape, weights: Matrix, means: Matrix, covariances: Matrix, floor: number) {
    this.shape = shape;
    this.weights = weights;
    this.means = means;
    this.covariances = covariances;
    this.floor = floor;
    const { features: d, covarianceType } = shape;
    const size = covarianceType === 'full' ? d * d : d;
    this.#factors = Array.from(weights, (_, c) => {
      const one = covariances.subarray(c * size, (c + 1) * size);
      return covarianceType === 'full' ? cholesky(one, d)! : one.map(Math.sqrt);
    });
    this.#constants = weights.map((weight, c) => {
      const factor = this.#factors[c]!;
      const logDet =
        covarianceType === 'full' ? logDeterminant(factor, d) : 2 * factor.reduce((sum, root) => sum + ln(root), 0);
      return log(weight) - (d * LN_2PI + logDet) / 2;
    });
  }

  /**
   * Start values: the clusters of k-means, or rows of the data as means with the covariance of all rows. Also gives the
   * cluster of each row.
   */
  static initial(
    shape: MixtureShape,
    rows: Float64Array,
    how: 'kmeans' | 'random',
    floor: number,
    random: RandomStream,
  ): { emissions: MixtureEmissions; clusters: Int32Array | undefined } {
    const { states, mixtures, features: d, covarianceType } = shape;
    const count = rows.length / d;
    const components = states * mixtures;
    const size = covarianceType === 'full' ? d * d : d;
    const means = new Float64Array(components * d);
    const covariances = new Float64Array(components * size);
    const every = Array.from({ length: count }, (_, i) => i);
    const clusters = how === 'kmeans' ? kMeans(rows, d, states, random) : undefined;
    for (let k = 0; k < states; k++) {
      const mine = clusters ? every.filter((i) => clusters[i] === k) : every;
      const parts =
        clusters && mixtures > 1 && mine.length > 0 ? kMeans(gathered(rows, d, mine), d, mixtures, random) : undefined;
      for (let m = 0; m < mixtures; m++) {
        const c = k * mixtures + m;
        const part = parts ? mine.filter((_, i) => parts[i] === m) : mine;
        // Too few rows have no covariance of their own.
        const own = part.length > 2 * d ? part : every;
        const { covariance } = moments(rows, d, own, covarianceType);
        covariances.set(floored(covariance, d, covarianceType, floor), c * size);
        const row = every[Math.floor(random.nextUniform() * count)]!;
        const isOwn = clusters !== undefined && part.length > 0;
        means.set(isOwn ? moments(rows, d, part, 'diag').mean : rows.subarray(row * d, (row + 1) * d), c * d);
      }
    }
    const weights = new Float64Array(components).fill(1 / mixtures);
    return { emissions: new MixtureEmissions(shape, weights, means, covariances, floor), clusters };
  }

  /** ln w N(y; μ, Σ) of each component at one row, into `to`. */
  #components(row: Float64Array, to: Float64Array): void {
    const { features: d, covarianceType } = this.shape;
    const z = new Float64Array(d);
    for (let c = 0; c < to.length; c++) {
      for (let i = 0; i < d; i++) z[i] = row[i]! - this.means[c * d + i]!;
      const factor = this.#factors[c]!;
      let square = 0;
      if (covarianceType === 'full') {
        solveLower(factor, z, d);
        for (let i = 0; i < d; i++) square += z[i]! * z[i]!;
      } else for (let i = 0; i < d; i++) square += (z[i]! / factor[i]!) ** 2;
      to[c] = this.#constants[c]! - square / 2;
    }
  }

  logProbabilities({ values, steps }: Sequence): Float64Array {
    const { states, mixtures, features: d } = this.shape;
    const each = new Float64Array(states * mixtures);
    const y = new Float64Array(steps * states);
    for (let t = 0; t < steps; t++) {
      this.#components(values.subarray(t * d, (t + 1) * d), each);
      for (let k = 0; k < states; k++) {
        y[t * states + k] = mixtures === 1 ? each[k]! : logSumExp(each, k * mixtures, mixtures);
      }
    }
    return y;
  }

  reestimated(sequences: readonly Sequence[], gammas: readonly Float64Array[], learn: readonly string[]) {
    const { states, mixtures, features: d, covarianceType } = this.shape;
    const components = states * mixtures;
    const isFull = covarianceType === 'full';
    const size = isFull ? d * d : d;
    const counts = new Float64Array(components);
    const sums = new Float64Array(components * d);
    // Moments about the old means: those about 0 would cancel where the mean is far from it.
    const squares = new Float64Array(components * size);
    const each = new Float64Array(components);
    const z = new Float64Array(d);
    sequences.forEach(({ values, steps }, n) => {
      for (let t = 0; t < steps; t++) {
        const row = values.subarray(t * d, (t + 1) * d);
        if (mixtures > 1) this.#components(row, each);
        for (let c = 0; c < components; c++) {
          const k = Math.floor(c / mixtures);
          const gamma = gammas[n]![t * states + k]!;
          if (gamma === 0) continue;
          const share = mixtures === 1 ? 1 : exp(each[c]! - logSumExp(each, k * mixtures, mixtures));
          const weight = gamma * share;
          counts[c]! += weight;
          for (let i = 0; i < d; i++) {
            z[i] = row[i]! - this.means[c * d + i]!;
            sums[c * d + i]! += weight * z[i]!;
            if (!isFull) squares[c * d + i]! += weight * z[i]! * z[i]!;
            else for (let j = 0; j <= i; j++) squares[(c * d + i) * d + j]! += weight * z[i]! * z[j]!;
          }
        }
      }
    });
    const means = this.means.slice();
    const covariances = this.covariances.slice();
    for (let c = 0; c < components; c++) {
      // A component that nothing belongs to stays as it is.
      if (!(counts[c]! > 1e-10)) continue;
      const shift = new Float64Array(d);
      if (learn.includes('means')) {
        for (let i = 0; i < d; i++) means[c * d + i]! += shift[i] = sums[c * d + i]! / counts[c]!;
      }
      if (!learn.includes('covariances')) continue;
      const one = new Float64Array(size);
      const moment = (at: number, i: number, j: number): number =>
        squares[at]! / counts[c]! -
        (shift[i]! * sums[c * d + j]! + shift[j]! * sums[c * d + i]!) / counts[c]! +
        shift[i]! * shift[j]!;
      for (let i = 0; i < d; i++) {
        if (!isFull) one[i] = moment(c * d + i, i, i);
        else for (let j = 0; j <= i; j++) one[i * d + j] = one[j * d + i] = moment((c * d + i) * d + j, i, j);
      }
      covariances.set(floored(one, d, covarianceType, this.floor), c * size);
    }
    const weights = learn.includes('weights') ? normalizeRows(counts, mixtures, this.weights) : this.weights;
    return new MixtureEmissions(this.shape, weights, means, covariances, this.floor);
  }

  draw(state: number, random: RandomStream, to: Float64Array): void {
    const { mixtures, features: d, covarianceType } = this.shape;
    const c = state * mixtures + (mixtures === 1 ? 0 : drawIndex(this.weights, state * mixtures, mixtures, random));
    const factor = this.#factors[c]!;
    const z = Float64Array.from({ length: d }, () => random.nextNormal());
    for (let i = 0; i < d; i++) {
      to[i] = this.means[c * d + i]!;
      if (covarianceType === 'diag') to[i]! += factor[i]! * z[i]!;
      else for (let j = 0; j <= i; j++) to[i]! += factor[i * d + j]! * z[j]!;
    }
  }

  withFloor(floor: number): MixtureEmissions {
    return new MixtureEmissions(this.shape, this.weights, this.means, this.covariances, floor);
  }

  get features(): number {
    return this.shape.features;
  }

  get freeParameters(): number {
    const { states, mixtures, features: d, covarianceType } = this.shape;
    const each = d + (covarianceType === 'full' ? (d * (d + 1)) / 2 : d);
    return states * (mixtures - 1) + states * mixtures * each;
  }

  config(): Record<string, unknown> {
    const { states, mixtures, features: d, covarianceType, isPlain } = this.shape;
    const axes = isPlain ? [states] : [states, mixtures];
    const matrix = covarianceType === 'full' ? [d, d] : [d];
    return {
      ...(isPlain ? {} : { mixtures, weights: new NdArray(this.weights.slice(), axes) }),
      covarianceType,
      means: new NdArray(this.means.slice(), [...axes, d]),
      covariances: new NdArray(this.covariances.slice(), [...axes, ...matrix]),
    };
  }
}

/** Rows that sum to 1, in place. A row of zeros takes the values of `orElse`, or equal ones. */
export function normalizeRows(rows: Matrix, width: number, orElse?: Matrix): Matrix {
  for (let from = 0; from < rows.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += rows[i]!;
    for (let i = from; i < from + width; i++) rows[i] = sum > 0 ? rows[i]! / sum : (orElse?.[i] ?? 1 / width);
  }
  return rows;
}

/** An index by its probability. */
export function drawIndex(probabilities: Matrix, from: number, size: number, random: RandomStream): number {
  let rest = random.nextUniform();
  let last = 0;
  for (let i = 0; i < size; i++) {
    const p = probabilities[from + i]!;
    if (p === 0) continue;
    last = i;
    if ((rest -= p) < 0) break;
  }
  return last;
}

const gathered = (rows: Float64Array, d: number, at: readonly number[]): Float64Array =>
  Float64Array.from({ length: at.length * d }, (_, i) => rows[at[Math.floor(i / d)]! * d + (i % d)]!);

/** Mean and covariance of some rows. */
export function moments(
  rows: Float64Array,
  d: number,
  at: readonly number[],
  type: 'diag' | 'full',
): { mean: Float64Array; covariance: Matrix } {
  const mean = new Float64Array(d);
  for (const row of at) for (let i = 0; i < d; i++) mean[i]! += rows[row * d + i]! / at.length;
  const covariance = new Float64Array(type === 'full' ? d * d : d);
  for (const row of at) {
    for (let i = 0; i < d; i++) {
      const z = rows[row * d + i]! - mean[i]!;
      if (type === 'diag') covariance[i]! += (z * z) / at.length;
      else for (let j = 0; j < d; j++) covariance[i * d + j]! += (z * (rows[row * d + j]! - mean[j]!)) / at.length;
    }
  }
  return { mean, covariance };
}

/** A covariance whose least eigenvalue is at least the floor: the floor is added to its diagonal if it is not. */
function floored(covariance: Matrix, d: number, type: 'diag' | 'full', floor: number): Matrix {
  if (type === 'diag') return covariance.map((variance) => Math.max(variance, floor));
  const rest = covariance.slice();
  for (let i = 0; i < d; i++) rest[i * d + i]! -= floor;
  if (cholesky(rest, d)) return covariance;
  const raised = covariance.slice();
  for (let i = 0; i < d; i++) raised[i * d + i]! += floor;
  return raised;
}
