import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { breathing } from '../host/yielder.ts';
import { type GeneratedId, type GenerationOptions, generationNames, idsOf, streamed } from './generation.ts';
import { expectInteger } from './sampling.ts';
import type { Stream } from './stream.ts';

/**
 * Ids that go on from a prompt, as they come, each drawn from softmax(logits / temperature) and fed back: those that
 * `generate` of `tapeloop` draws from the same model with the same options. The host handles events in between.
 *
 * @param stream of a language model, ids to logits; it starts from zeros, and nobody else may step or reset it until
 *   the last id has come.
 * @param prompt ids to go on from, at least one.
 * @throws ArgumentError, at the first id, if an option is out of range, an id of the prompt is outside the vocabulary,
 *   the stream takes no ids or is of several sequences; at any id, if a logit is not finite or somebody else has
 *   stepped or reset the stream.
 * @see Holtzman et al. 2019 (topP)
 *
 * @example
 * const stream = decodeStream(encodeModel(languageModel, { vocabulary }));
 * const options = { topP: 0.9, maxLength: 20, seed: 1 };
 * for await (const id of generate(stream, ids.slice(0, 4), options)) console.log(stream.vocabulary[id]);
 */
export async function* generate(
  stream: Stream,
  prompt: ArrayLike<number>,
  options: GenerationOptions = {},
): AsyncGenerator<number, void, void> {
  for await (const { id } of generateBatch(stream, [prompt], options)) yield id;
}

/**
 * Ids that go on from several prompts at once, of any lengths. Sequence i draws as it would alone with the seed i
 * higher.
 *
 * @param stream of a language model, of as many sequences as there are prompts; it starts from zeros.
 * @param prompts ids to go on from, at least one each.
 * @returns `{ sequence, id }`, the ids of one step after those of the step before.
 * @throws ArgumentError, at the first id, if an option is out of range, an id of a prompt is outside the vocabulary, a
 *   prompt is empty, or the stream takes no ids or is of another number of sequences; at any id, if a logit is not
 *   finite or somebody else has stepped or reset the stream.
 *
 * @example
 * const stream = decodeStream(encodeModel(languageModel), { batch: 2 });
 * const prompts = [ids.slice(0, 2), ids.slice(4, 9)];
 * for await (const { sequence, id } of generateBatch(stream, prompts, { maxLength: 5 })) console.log(sequence, id);
 */
export async function* generateBatch(
  stream: Stream,
  prompts: readonly ArrayLike<number>[],
  options: GenerationOptions = {},
): AsyncGenerator<GeneratedId, void, void> {
  yield* breathing(idsOfStream(stream, prompts, options));
}

/**
 * `generate` without promises: the host handles no events between ids.
 *
 * @param stream of a language model, ids to logits, of one sequence; it starts from zeros.
 * @param given.prompt ids to go on from, at least one.
 * @param given.length how many ids to give.
 * @throws ArgumentError, at the first id, if an option is out of range, an id of a prompt is outside the vocabulary, a
 *   prompt is empty, or the stream takes no ids or is of another number of sequences; at any id, if a logit is not
 *   finite or somebody else has stepped or reset the stream.
 *
 * @example
 * const stream = decodeStream(encodeModel(languageModel));
 * console.log([...generateIds(stream, { prompt: ids.slice(0, 4), length: 10, seed: 1 })]);
 */
export function* generateIds(
  stream: Stream,
  given: GenerationOptions & { prompt: ArrayLike<number>; length: number },
): Generator<number, void, void> {
  const names = { prompt: 1, length: 1, ...generationNames };
  const { prompt, length, ...options } = checkOptions('generateIds', given, names);
  expectInteger('length', length, 0);
  for (const { id } of idsOfStream(stream, [prompt], { ...options, maxLength: length })) yield id;
}

const idsOfStream = (
  stream: Stream,
  prompts: readonly ArrayLike<number>[],
  options: GenerationOptions,
): Generator<GeneratedId, void, void> =>
  idsOf(stream?.engine, prompts, checkOptions('generate', options, generationNames), (sequences) => {
    if (!stream?.step)
      throw new ArgumentError("generate: stream expected a Stream; a model is what generate of 'tapeloop' takes");
    if (!stream.takesIds) {
      throw new ArgumentError('generate: stream expected one that takes ids, got one that takes features');
    }
    if (stream.batch !== sequences.length) {
      const got = sequences.length;
      throw new ArgumentError(`generate: prompts expected ${stream.batch}, as the stream has sequences, got ${got}`);
    }
    stream.reset();
    return { ...streamed(stream, sequences), dispose: () => {} };
  });
