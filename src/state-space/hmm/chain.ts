// The recursions of a hidden Markov chain, for one sequence, in log space. They take potentials: neither the emissions
// nor the transitions need to sum to 1.
import { exp, log, logSumExp } from '../log-numbers.ts';

/** The transitions of a chain of K states. */
export class Transitions {
  readonly states: number;
  /** ln πₖ, `[K]` */
  readonly logInitial: Float64Array;
  /** ln Aᵢⱼ, from i to j, `[K, K]` */
  readonly logMatrix: Float64Array;
  /** Aᵢⱼ / exp(`top`), so that the largest is 1. */
  readonly scaled: Float64Array;
  readonly top: number;

  constructor(logInitial: Float64Array, logMatrix: Float64Array) {
    this.states = logInitial.length;
    this.logInitial = logInitial;
    this.logMatrix = logMatrix;
    const top = logMatrix.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    this.top = Number.isFinite(top) ? top : 0;
    this.scaled = logMatrix.map((value) => exp(value - this.top));
  }
}

// A sum below this may have lost a term that had underflowed; it is then made again in log space.
const LEAST_SUM = 1e-280;

/**
 * log αₜ(j) = ln bₜ(j) + ln Σᵢ exp(log αₜ₋₁(i)) Aᵢⱼ
 *
 * @param logB emissions ln bₜ(j), `[T, K]`.
 * @param logAlpha `[T, K]`, overwritten.
 * @returns the log-likelihood, ln Σⱼ αₜ(j) of the last step; 0 without steps.
 */
export function forward(chain: Transitions, logB: Float64Array, steps: number, logAlpha: Float64Array): number {
  const { states: k, logInitial, logMatrix, scaled, top } = chain;
  if (steps === 0) return 0;
  for (let j = 0; j < k; j++) logAlpha[j] = logInitial[j]! + logB[j]!;
  const sums = new Float64Array(k);
  const terms = new Float64Array(k);
  for (let t = 1; t < steps; t++) {
    const [now, before] = [t * k, (t - 1) * k];
    const most = largest(logAlpha, before, k);
    if (most === Number.NEGATIVE_INFINITY) return most;
    sums.fill(0);
    for (let i = 0; i < k; i++) {
      const u = exp(logAlpha[before + i]! - most);
      if (u > 0) for (let j = 0, at = i * k; j < k; j++, at++) sums[j]! += u * scaled[at]!;
    }
    for (let j = 0; j < k; j++) {
      let logSum = log(sums[j]!) + most + top;
      if (!(sums[j]! > LEAST_SUM)) {
        for (let i = 0; i < k; i++) terms[i] = logAlpha[before + i]! + logMatrix[i * k + j]!;
        logSum = logSumExp(terms);
      }
      logAlpha[now + j] = logSum + logB[now + j]!;
    }
  }
  return logSumExp(logAlpha, (steps - 1) * k, k);
}

/**
 * log βₜ(i) = ln Σⱼ Aᵢⱼ bₜ₊₁(j) βₜ₊₁(j); 0 at the last step.
 *
 * @param logBeta `[T, K]`, overwritten.
 */
export function backward(chain: Transitions, logB: Float64Array, steps: number, logBeta: Float64Array): void {
  const { states: k, logMatrix, scaled, top } = chain;
  if (steps > 0) logBeta.fill(0, (steps - 1) * k, steps * k);
  const ahead = new Float64Array(k);
  const v = new Float64Array(k);
  const terms = new Float64Array(k);
  for (let t = steps - 2; t >= 0; t--) {
    const next = (t + 1) * k;
    for (let j = 0; j < k; j++) ahead[j] = logB[next + j]! + logBeta[next + j]!;
    const most = largest(ahead, 0, k);
    if (most === Number.NEGATIVE_INFINITY) {
      logBeta.fill(most, 0, next);
      return;
    }
    for (let j = 0; j < k; j++) v[j] = exp(ahead[j]! - most);
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = 0, at = i * k; j < k; j++, at++) sum += scaled[at]! * v[j]!;
      let logSum = log(sum) + most + top;
      if (!(sum > LEAST_SUM)) {
        for (let j = 0; j < k; j++) terms[j] = ahead[j]! + logMatrix[i * k + j]!;
        logSum = logSumExp(terms);
      }
      logBeta[t * k + i] = logSum;
    }
  }
}

export interface Posteriors {
  logLikelihood: number;
  /** γₜ(k) = P(state k at step t | all observations), `[T, K]`. All 0 if the likelihood is 0. */
  gamma: Float64Array;
}

/**
 * Posteriors of one sequence by the forward–backward recursion.
 *
 * @param counts `[K, K]` if given: the expected numbers of transitions, Σₜ P(i at t, j at t + 1 | all), are added.
 * @see Rabiner 1989, "A tutorial on hidden Markov models", equations 18 to 27 and 37
 */
export function forwardBackward(
  chain: Transitions,
  logB: Float64Array,
  steps: number,
  counts?: Float64Array,
  weight = 1,
): Posteriors {
  const { states: k } = chain;
  const logAlpha = new Float64Array(steps * k);
  const logLikelihood = forward(chain, logB, steps, logAlpha);
  const gamma = new Float64Array(steps * k);
  if (logLikelihood === Number.NEGATIVE_INFINITY) return { logLikelihood, gamma };
  const logBeta = new Float64Array(steps * k);
  backward(chain, logB, steps, logBeta);
  for (let t = 0; t < steps; t++) {
    let sum = 0;
    for (let i = t * k; i < (t + 1) * k; i++) sum += gamma[i] = exp(logAlpha[i]! + logBeta[i]! - logLikelihood);
    for (let i = t * k; i < (t + 1) * k; i++) gamma[i]! /= sum;
  }
  if (counts) countTransitions(chain, logB, steps, { logAlpha, logBeta, logLikelihood }, counts, weight);
  return { logLikelihood, gamma };
}

/** Adds Σₜ αₜ(i) Aᵢⱼ bₜ₊₁(j) βₜ₊₁(j) / likelihood · weight to `counts`. */
function countTransitions(
  chain: Transitions,
  logB: Float64Array,
  steps: number,
  found: { logAlpha: Float64Array; logBeta: Float64Array; logLikelihood: number },
  counts: Float64Array,
  weight: number,
): void {
  const { states: k, logMatrix, scaled, top } = chain;
  const { logAlpha, logBeta, logLikelihood } = found;
  const ahead = new Float64Array(k);
  const v = new Float64Array(k);
  // Σₜ uᵢ vⱼ: A is a factor of every term, so that it is multiplied once.
  const outer = new Float64Array(k * k);
  for (let t = 0; t + 1 < steps; t++) {
    const [now, next] = [t * k, (t + 1) * k];
    for (let j = 0; j < k; j++) ahead[j] = logB[next + j]! + logBeta[next + j]!;
    const [most, mostAhead] = [largest(logAlpha, now, k), largest(ahead, 0, k)];
    const exponent = most + mostAhead + top - logLikelihood;
    if (exponent > 200) {
      // The likely states of the two steps are not joined by a likely transition: u · v could underflow.
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < k; j++) {
          counts[i * k + j]! += weight * exp(logAlpha[now + i]! + logMatrix[i * k + j]! + ahead[j]! - logLikelihood);
        }
      }
      continue;
    }
    const factor = exp(exponent);
    for (let j = 0; j < k; j++) v[j] = exp(ahead[j]! - mostAhead);
    for (let i = 0; i < k; i++) {
      const u = factor * exp(logAlpha[now + i]! - most);
      if (u > 0) for (let j = 0, at = i * k; j < k; j++, at++) outer[at]! += u * v[j]!;
    }
  }
  for (let i = 0; i < k * k; i++) counts[i]! += weight * outer[i]! * scaled[i]!;
}

/**
 * The most likely path of states, and its log-probability with the observations. Among equal ones the lower state
 * counts.
 *
 * @see Viterbi 1967; Rabiner 1989, equations 32 to 35
 */
export function viterbi(
  chain: Transitions,
  logB: Float64Array,
  steps: number,
): { path: Int32Array; logProbability: number } {
  const { states: k, logInitial, logMatrix } = chain;
  const path = new Int32Array(steps);
  if (steps === 0) return { path, logProbability: 0 };
  const from = new Int32Array(steps * k);
  let best = Float64Array.from(logInitial, (value, j) => value + logB[j]!);
  for (let t = 1; t < steps; t++) {
    const next = new Float64Array(k).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        const score = best[i]! + logMatrix[i * k + j]!;
        if (score > next[j]!) {
          next[j] = score;
          from[t * k + j] = i;
        }
      }
    }
    for (let j = 0; j < k; j++) next[j]! += logB[t * k + j]!;
    best = next;
  }
  const logProbability = largest(best, 0, k);
  path[steps - 1] = Math.max(best.indexOf(logProbability), 0);
  for (let t = steps - 1; t > 0; t--) path[t - 1] = from[t * k + path[t]!]!;
  return { path, logProbability };
}

function largest(values: Float64Array, from: number, size: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + size; i++) if (values[i]! > most) most = values[i]!;
  return most;
}
