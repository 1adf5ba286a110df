import { ArgumentError, tensor } from '../autograd/tensor.ts';
import { RandomStream } from '../engine/random.ts';
import { scale } from '../ops/elementwise.ts';
import { reshape } from '../ops/layout.ts';
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
 * @param model a language model, ids `[B, T]` to logits `[B, T, V]`, whose recurrent layers are stateful. The states that it
 *   carries for training are untouched.
 * @throws ArgumentError, at the first id, if an option is out of range.
 */
export function* generateIds(model: Model, options: GenerateOptions): Generator<number, void, void> {
  const { prompt, length, temperature = 1, topK, seed = 0 } = options;
  if (prompt.length < 1) throw new ArgumentError('generate: prompt expected one id or more, got none');
  if (!(temperature >= 0)) throw new ArgumentError(`generate: temperature expected ≥ 0, got ${temperature}`);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new ArgumentError(`generate: topK expected an integer ≥ 1, got ${topK}`);
  }
  const random = new RandomStream(seed);
  const restores = model.statefulLayers.map((layer) => layer.setStatesAside());
  try {
    let input = prompt;
    for (let i = 0; i < length; i++) {
      const probabilities = nextProbabilities(model, input, temperature || 1);
      const id = temperature === 0 ? largest(probabilities) : draw(probabilities, topK, random.nextUniform());
      yield id;
      input = [id];
    }
  } finally {
    for (const restore of restores) restore();
  }
}

function nextProbabilities(model: Model, ids: ArrayLike<number>, temperature: number): Float32Array {
  return model.engine.step(() => {
    const logits = model.call(tensor(ids, { shape: [1, ids.length], dtype: 'i32', engine: model.engine }));
    const classes = logits.shape.at(-1)!;
    const probabilities = softmax(scale(reshape(logits, [ids.length, classes]), 1 / temperature)).toArray();
    return probabilities.slice((ids.length - 1) * classes) as Float32Array;
  });
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The id whose share of the total `uniform` ∈ [0, 1) falls into. */
function draw(probabilities: Float32Array, topK: number | undefined, uniform: number): number {
  const ids = Array.from(probabilities.keys()).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  const candidates = ids.slice(0, topK);
  const total = candidates.reduce((sum, id) => sum + probabilities[id]!, 0);
  let rest = uniform * total;
  for (const id of candidates) {
    rest -= probabilities[id]!;
    if (rest < 0) return id;
  }
  return candidates[0]!;
}
