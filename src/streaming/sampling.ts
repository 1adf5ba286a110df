import { ArgumentError, shown } from '../checks/argument-error.ts';
import { type Ptr, Unary } from '../engine/abi.ts';
import { RandomBits } from '../engine/random-bits.ts';
import type { StreamEngine } from './engine.ts';

/** How the next id is chosen. */
export interface SamplingOptions {
  /** Divides the logits. 0 always takes the likeliest id. Default 1. */
  temperature?: number | undefined;
  /** Draws only among this number of the likeliest ids. Default: all ids. */
  topK?: number | undefined;
  /**
   * Draws only among the likeliest ids: the smallest number of them whose probabilities add up to this share of the
   * total. The total is that of the ids that `topK` selects. Default 1: all ids.
   */
  topP?: number | undefined;
  /**
   * Divides the positive logits of ids that have occurred, and multiplies the negative ones. Default 1. @see Keskar et
   * al. 2019
   */
  repetitionPenalty?: number | undefined;
  /** Whether the model gives logits rather than probabilities. Default true, unless its last activation is softmax. */
  fromLogits?: boolean | undefined;
  /**
   * Seed of the random numbers. Default: the next seed of a stream that `setSeed` restarts. So two calls differ, but a
   * second run of the program gives the same ids.
   */
  seed?: number | undefined;
}

// The smallest probability before a logarithm, which must not get 0. It is far below that of any id that is drawn.
const LEAST_SHARE = 1e-37;

/** Draws ids from the output distributions of a model, with its own stream of random numbers. */
export class Sampler {
  readonly #engine: StreamEngine;
  readonly #options: SamplingOptions;
  readonly #random: RandomBits;
  readonly #seen = new Set<number>();
  #read = 0;

  /** Check the options with `checkSampling` before. @throws ArgumentError if the seed is not an integer in [0, 2³²). */
  constructor(engine: StreamEngine, options: SamplingOptions, seed: number) {
    this.#engine = engine;
    this.#options = options;
    this.#random = new RandomBits(seed);
  }

  /**
   * The id that follows `ids`, which have grown since the last call.
   *
   * @param given the model's output for the last of them; not changed.
   * @param areLogits whether `given` has logits, if the option `fromLogits` is not given.
   * @throws ArgumentError if it is not finite, or a probability is negative.
   */
  next(given: Float32Array, ids: readonly number[], areLogits: boolean): number {
    const { temperature = 1, repetitionPenalty = 1, fromLogits = areLogits } = this.#options;
    if (!given.every((value) => Number.isFinite(value) && (fromLogits || value >= 0))) {
      throw new ArgumentError(`generate: expected finite ${fromLogits ? 'logits' : 'probabilities'} of the model`);
    }
    const logits = fromLogits ? given.slice() : this.#logarithms(given);
    if (repetitionPenalty !== 1) {
      // Only the ids since the last call are read, so that each id is read once.
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
    // The largest logit is subtracted before the division. With a temperature near 0 the other logits may then become
    // −∞, but none becomes ∞.
    const top = logits[largest(logits)]!;
    const scaled = logits.map((logit) => (logit - top) / temperature);
    return this.#inPlace(scaled, (count, x) => this.#engine.kernels.softmax(1, count, x, x));
  }

  /** Runs a kernel on a copy of `values` in linear memory, in place, and returns the result. */
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
    // After rounding, a small rest of the total may remain.
    return largest(shares);
  }
}

/** The ids to draw from: all ids in order, or the likeliest ones. Of equally likely ids the smaller comes first. */
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

/** Throws `ArgumentError` for an option out of its range. */
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
