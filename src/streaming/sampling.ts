import { ArgumentError, shown } from '../checks/argument-error.ts';
import { type Ptr, Unary } from '../engine/abi.ts';
import { RandomBits } from '../engine/random-bits.ts';
import type { StreamEngine } from './engine.ts';

/** How the next id is chosen. */
export interface SamplingOptions {
  /** Divides the logits; 0 always takes the likeliest id. Default 1. */
  temperature?: number | undefined;
  /** Draws among so many of the likeliest ids only. Default: among all. */
  topK?: number | undefined;
  /**
   * Draws among the fewest likeliest ids whose shares, of those that topK leaves, add up to so much. Default 1: among
   * all.
   */
  topP?: number | undefined;
  /**
   * Divides positive logits of ids that have occurred, and multiplies negative ones. Default 1. @see Keskar et al. 2019
   */
  repetitionPenalty?: number | undefined;
  /** Whether the model gives logits rather than probabilities. Default true, unless its last activation is softmax. */
  fromLogits?: boolean | undefined;
  /**
   * Fixes what is drawn. Default: the next of a stream that `setSeed` starts anew, so that two calls differ and the
   * program, run again, writes the same.
   */
  seed?: number | undefined;
}

// Far below any share that is drawn, far above what a logarithm cannot take.
const LEAST_SHARE = 1e-37;

/** Draws ids from the distributions of a model, with random numbers of its own. */
export class Sampler {
  readonly #engine: StreamEngine;
  readonly #options: SamplingOptions;
  readonly #random: RandomBits;
  readonly #seen = new Set<number>();
  #read = 0;

  /** @throws ArgumentError for an option out of its range; the seed must be checked before. */
  constructor(engine: StreamEngine, options: SamplingOptions, seed: number) {
    this.#engine = engine;
    this.#options = options;
    this.#random = new RandomBits(seed);
  }

  /**
   * The id that follows `ids`, which have grown since the last call.
   *
   * @param given the model's output for the last of them; left as it is.
   * @param areLogits what it is where no option says so.
   * @throws ArgumentError if it is not finite, or a probability is negative.
   */
  next(given: Float32Array, ids: readonly number[], areLogits: boolean): number {
    const { temperature = 1, repetitionPenalty = 1, fromLogits = areLogits } = this.#options;
    if (!given.every((value) => Number.isFinite(value) && (fromLogits || value >= 0))) {
      throw new ArgumentError(`generate: expected finite ${fromLogits ? 'logits' : 'probabilities'} of the model`);
    }
    const logits = fromLogits ? given.slice() : this.#logarithms(given);
    if (repetitionPenalty !== 1) {
      // Those since the last call alone: a text of any length is read once.
      while (this.#read < ids.length) this.#seen.add(ids[this.#read++]!);
      for (const id of this.#seen) {
        logits[id] = logits[id]! > 0 ? logits[id]! / repetitionPenalty : logits[id]! * repetitionPenalty;
      }
    }
    return temperature === 0 ? largest(logits) : this.#draw(this.#shares(logits, temperature));
  }

  #logarithms(shares: Float32Array): Float32Array {
    const values = shares.map((share) => Math.max(share, LEAST_SHARE));
    return this.#inPlace(values, (count, x) => this.#engine.kernels.unary(count, Unary.Log, x, x));
  }

  #shares(logits: Float32Array, temperature: number): Float32Array {
    // Less the largest before the division: a temperature near 0 then takes the others to −∞ and never this one to ∞.
    const top = logits[largest(logits)]!;
    const scaled = logits.map((logit) => (logit - top) / temperature);
    return this.#inPlace(scaled, (count, x) => this.#engine.kernels.softmax(1, count, x, x));
  }

  /** `values` after a kernel has worked on them. */
  #inPlace(values: Float32Array, run: (count: number, x: Ptr) => void): Float32Array {
    const { heap, memory } = this.#engine;
    const { length } = values;
    const x = heap.allocate(4 * length);
    try {
      new Float32Array(memory.buffer, x, length).set(values);
      run(length, x);
      return new Float32Array(memory.buffer, x, length).slice();
    } finally {
      heap.release(x);
    }
  }

  #draw(shares: Float32Array): number {
    const ids = likeliest(shares, this.#options);
    const total = ids.reduce((sum, id) => sum + shares[id]!, 0);
    let rest = this.#random.nextUniform() * total;
    for (const id of ids) {
      rest -= shares[id]!;
      if (rest < 0) return id;
    }
    // Rounding can leave a crumb of the total to nobody.
    return largest(shares);
  }
}

/** The ids to draw from: all of them in turn, or the likeliest, of equals the first. */
function likeliest(shares: Float32Array, { topK, topP = 1 }: SamplingOptions): number[] {
  const ids = Array.from(shares.keys());
  if (topK === undefined && topP === 1) return ids;
  ids.sort((a, b) => shares[b]! - shares[a]! || a - b);
  ids.length = Math.min(ids.length, topK ?? ids.length);
  const wanted = topP * ids.reduce((sum, id) => sum + shares[id]!, 0);
  let sum = 0;
  const count = ids.findIndex((id) => (sum += shares[id]!) >= wanted) + 1;
  return count === 0 ? ids : ids.slice(0, count);
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Throws `ArgumentError` for what no sampler can use. */
export function checkSampling({
  temperature = 1,
  topK,
  topP = 1,
  repetitionPenalty = 1,
  seed = 0,
}: SamplingOptions): void {
  expectNumber('temperature', temperature, 'a number ≥ 0', temperature >= 0);
  if (topK !== undefined) expectInteger('topK', topK, 1);
  expectNumber('topP', topP, 'a number in (0, 1]', topP > 0 && topP <= 1);
  expectNumber(
    'repetitionPenalty',
    repetitionPenalty,
    'a number > 0',
    repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY,
  );
  expectNumber('seed', seed, 'below 2^32', seed <= 0xffffffff);
  expectInteger('seed', seed, 0);
}

export function expectInteger(what: string, value: number, least: number): void {
  expectNumber(what, value, `an integer ≥ ${least}`, Number.isInteger(value) && value >= least);
}

function expectNumber(what: string, value: unknown, expected: string, fits: boolean): void {
  if (typeof value !== 'number' || !fits)
    throw new ArgumentError(`generate: ${what} expected ${expected}, got ${shown(value)}`);
}
