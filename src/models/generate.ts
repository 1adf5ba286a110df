import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { NdArray } from '../data/array.ts';
import { RaggedArray } from '../data/ragged.ts';
import { yieldingBetween } from '../host/yielder.ts';
import {
  type GeneratedId,
  type GenerationOptions,
  generationNames,
  idsOf,
  type LogitSource,
  type SequenceInProgress,
  streamSource,
} from '../streaming/generation.ts';
import type { WeightFormat } from '../streaming/program.ts';
import { expectInteger } from '../streaming/sampling.ts';
import type { Data } from '../train/feeds/checked-data.ts';
import type { AnyModel, Model } from './model.ts';

export interface GenerateOptions extends GenerationOptions {
  /**
   * Number of the last ids that the model reads again for each next id. Default: the model runs step by step as a
   * stream and reads each id once; a model that cannot run so, such as a custom model, reads all ids again for each
   * next id.
   */
  contextLength?: number | undefined;
  /**
   * Makes the inputs of the model from ids `[B, T]`, if the ids are not its only input:
   * `(target) => ({ source, target })`.
   */
  inputs?: ((ids: NdArray | RaggedArray) => Data) | undefined;
  /** Format of the weights in the stream. Default `float32`. */
  weights?: WeightFormat | undefined;
}

const modelNames: Names<GenerateOptions> = { contextLength: 1, inputs: 1, weights: 1, ...generationNames };

/**
 * Continues a prompt: samples the next ids one by one, and feeds each back to the model.
 *
 * id_t ~ softmax(logits_t / temperature), limited by `topK` and `topP`
 *
 * The host handles events between ids. The states that a stateful model carries for training do not change. If the
 * model runs as a stream, it may train while ids are taken.
 *
 * @param model a language model: ids `[B, T]` i32 to logits `[B, T, V]` or, for the next id alone, `[B, V]`.
 * @param prompt `[T]` ids in [0, V), T ≥ 1.
 * @param options sampling, `maxLength` (default 100), `stopIds`, and how to run the model.
 * @returns an async iterator over ids; leaving the loop early frees its memory.
 * @throws ArgumentError, at the first id, if an option is unknown or out of range, `model` is not a model, a prompt is
 *   empty, an id of a prompt is outside the vocabulary, or the model does not read ids; at any id, if the model returns
 *   a logit that is not finite.
 * @see Holtzman et al. 2019 (topP)
 *
 * @example
 * const prompt = encodeText('the ', vocabulary);
 * for await (const id of generate(languageModel, prompt, { maxLength: 9, topP: 0.9, seed: 1 })) {
 *   console.log(vocabulary[id]);
 * }
 */
export async function* generate(
  model: AnyModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, void> {
  for await (const { id } of generateBatch(model, [prompt], options)) yield id;
}

/**
 * Continues several prompts at once, of any lengths.
 *
 * id_t ~ softmax(logits_t / temperature), limited by `topK` and `topP`, in each sequence
 *
 * Sequence i draws the same ids as `generate` for its prompt with `seed` + i. The host handles events between ids.
 *
 * @param model a language model: ids `[B, T]` i32 to logits `[B, T, V]` or, for the next id alone, `[B, V]`.
 * @param prompts B lists of ids in [0, V), each with one id or more.
 * @param options sampling, `maxLength` of each sequence (default 100), `stopIds`, and how to run the model.
 * @returns an async iterator over `{ sequence, id }`; leaving the loop early frees its memory.
 * @throws ArgumentError, at the first id, if an option is unknown or out of range, `model` is not a model, a prompt is
 *   empty, an id of a prompt is outside the vocabulary, or the model does not read ids; at any id, if the model returns
 *   a logit that is not finite.
 * @see Holtzman et al. 2019 (topP)
 *
 * @example
 * const prompts = ['the ', 'on '].map((prompt) => encodeText(prompt, vocabulary));
 * const texts = ['', ''];
 * for await (const { sequence, id } of generateBatch(languageModel, prompts, { maxLength: 5 })) {
 *   texts[sequence] += vocabulary[id];
 * }
 */
export async function* generateBatch(
  model: AnyModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedId, void, void> {
  yield* yieldingBetween(idsOfModel(model, prompts, options));
}

/**
 * Continues a prompt without promises, for a worker or a script.
 *
 * id_t ~ softmax(logits_t / temperature), limited by `topK` and `topP`
 *
 * @param model a language model: ids `[B, T]` i32 to logits `[B, T, V]` or, for the next id alone, `[B, V]`.
 * @param given.prompt `[T]` ids in [0, V), T ≥ 1.
 * @param given.length number of ids to make, an integer ≥ 0.
 * @returns an iterator over ids; leaving the loop early frees its memory.
 * @throws ArgumentError, at the first id, if `length` is not an integer ≥ 0; if an option is unknown or out of range,
 *   `model` is not a model, a prompt is empty, an id of a prompt is outside the vocabulary, or the model does not read
 *   ids; at any id, if the model returns a logit that is not finite.
 * @see Holtzman et al. 2019 (topP)
 *
 * @example
 * const prompt = encodeText('the ', vocabulary);
 * const next = [...generateIds(languageModel, { prompt, length: 5, seed: 1 })];
 * decodeIds(next, vocabulary).length; // 5
 */
export function* generateIds(
  model: Model,
  given: GenerateOptions & { prompt: ArrayLike<number>; length: number },
): Generator<number, void, void> {
  const names = { prompt: 1, length: 1, ...modelNames };
  const { prompt, length, maxLength, ...options } = checkOptions('generateIds', given, names);
  if (maxLength !== undefined) throw new ArgumentError('generateIds: maxLength is called length here');
  expectInteger('length', length, 0);
  for (const { id } of idsOfModel(model, [prompt], { ...options, maxLength: length })) yield id;
}

function idsOfModel(
  model: AnyModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Generator<GeneratedId, void, void> {
  if (typeof model?.predict !== 'function') {
    throw new ArgumentError("generate: model expected a Model; a stream is what generate of 'tapeloop/stream' takes");
  }
  checkOptions('generate', options, modelNames);
  return idsOf(model.engine, prompts, options, (sequences) => sourceOf(model, sequences, options));
}

function sourceOf(model: AnyModel, sequences: readonly SequenceInProgress[], options: GenerateOptions): LogitSource {
  const { contextLength, inputs, weights = 'float32' } = options;
  if (contextLength !== undefined) expectInteger('contextLength', contextLength, 1);
  if (contextLength === undefined && !inputs) {
    try {
      return streamSource(model.stream({ batch: sequences.length, weights }), sequences);
    } catch (error) {
      if (!(error instanceof ArgumentError) || weights !== 'float32') throw error;
    }
  } else if (weights !== 'float32') {
    throw new ArgumentError(`generate: weights expected 'float32' where ids are read anew, got '${weights}'`);
  }
  return rereadSource(model, sequences, options);
}

function rereadSource(
  model: AnyModel,
  sequences: readonly SequenceInProgress[],
  { contextLength = Number.POSITIVE_INFINITY, inputs = (ids) => ids }: GenerateOptions,
): LogitSource {
  return {
    areLogits: model.network.outputActivation !== 'softmax',
    after(t) {
      const active = sequences.flatMap(({ ids, left }, i) => (left > 0 && ids.length === t + 1 ? [i] : []));
      if (active.length === 0) return () => new Float32Array(0);
      const from = Math.max(0, t + 1 - contextLength);
      // Sequences that have ended keep their rows, so that the rows of other inputs still match.
      const rows = sequences.map(({ ids }) => Int32Array.from(ids.slice(from, t + 1)));
      const y = model.withFreshStates(() => model.predict(inputs(asSamples(rows))));
      if (!(y instanceof NdArray)) throw new ArgumentError('generate: model expected to have one output, got several');
      const [, ...shape] = y.shape;
      const width = shape.at(-1)!;
      const rowSize = shape.reduce((size, n) => size * n, 1);
      return (sequence) => {
        const last = shape.length === 1 ? 0 : rows[sequence]!.length - 1;
        const at = sequence * rowSize + last * width;
        return y.data.slice(at, at + width);
      };
    },
    dispose: () => {},
  };
}

/** Rows of ids as samples. @internal */
export function asSamples(rows: readonly Int32Array[]): NdArray | RaggedArray {
  const [{ length }] = rows as [Int32Array];
  if (rows.some((row) => row.length !== length))
    return new RaggedArray(rows.map((row) => new NdArray(row, [row.length])));
  return new NdArray(Int32Array.from(rows.flatMap((row) => [...row])), [rows.length, length]);
}
