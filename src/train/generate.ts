import { ArgumentError, tensor } from '../autograd/tensor.ts';
import { RandomStream } from '../engine/random.ts';
import { softmax } from '../ops/softmax.ts';
import type { Model } from './model.ts';

export interface GenerateOptions {
  /** Ids to go on from, at least one. */
  prompt: ArrayLike<number>;
  /** How many ids to give. */
  length: number;
  /** Divides the logits; 0 always takes the likeliest id. Default 1. */
  temperature?: number;
  /** Draws among the likeliest ids only. Default: among all. */
  topK?: number | undefined;
  /** Default 0. */
  seed?: number;
}

/**
 * Ids that go on from a prompt, one by one, each drawn from softmax(logits / temperature) and fed back.
 *
 * @param model a language model, ids `[B, T]` to logits `[B, T, V]`. It runs as a stream of its own, so the states that the
 *   model carries for training are untouched, and it may train while the ids are taken.
 * @throws ArgumentError, at the first id, if an option is out of range, an id of the prompt is outside the vocabulary or the
 *   model takes no ids; at any id, if a logit is not finite.
 */
export function* generateIds(model: Model, options: GenerateOptions): Generator<number, void, void> {
  const { prompt, length, temperature = 1, topK, seed = 0 } = options;
  if (prompt.length < 1) throw new ArgumentError('generate: prompt expected one id or more, got none');
  expectInteger('length', length, 0);
  if (!(temperature >= 0)) throw new ArgumentError(`generate: temperature expected ≥ 0, got ${temperature}`);
  if (topK !== undefined) expectInteger('topK', topK, 1);
  if (!(seed <= 0xffffffff)) throw new ArgumentError(`generate: seed expected below 2^32, got ${seed}`);
  expectInteger('seed', seed, 0);
  const random = new RandomStream(seed);
  const stream = model.stream();
  try {
    for (let i = 0; i < prompt.length - 1; i++) stream.step([prompt[i]!]);
    let last = prompt[prompt.length - 1]!;
    for (let i = 0; i < length; i++) {
      const logits = stream.step([last]);
      if (!logits.every(Number.isFinite)) throw new ArgumentError('generate: expected finite logits of the model');
      last =
        temperature === 0
          ? largest(logits)
          : draw(probabilities(model, logits, temperature), topK, random.nextUniform());
      yield last;
    }
  } finally {
    stream.dispose();
  }
}

function expectInteger(what: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new ArgumentError(`generate: ${what} expected an integer ≥ ${least}, got ${value}`);
  }
}

function probabilities(model: Model, logits: Float32Array, temperature: number): Float32Array {
  // Less the largest before the division: a temperature near 0 then takes the others to −∞ and never this one to ∞.
  const top = logits[largest(logits)]!;
  const scaled = logits.map((logit) => (logit - top) / temperature);
  const { engine } = model;
  return engine.step(() => softmax(tensor(scaled, { shape: [1, scaled.length], engine })).toArray() as Float32Array);
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The id whose share of the total `uniform` ∈ [0, 1) falls into. */
function draw(shares: Float32Array, topK: number | undefined, uniform: number): number {
  const ids = Array.from(shares.keys());
  if (topK !== undefined) {
    ids.sort((a, b) => shares[b]! - shares[a]! || a - b);
    ids.length = Math.min(ids.length, topK);
  }
  const total = ids.reduce((sum, id) => sum + shares[id]!, 0);
  let rest = uniform * total;
  for (const id of ids) {
    rest -= shares[id]!;
    if (rest < 0) return id;
  }
  // Rounding can leave a crumb of the total to nobody.
  return largest(shares);
}
