import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { yieldingBetween } from '../host/yielder.ts';
import { type GeneratedId, type GenerationOptions, generationNames, idsOf, streamSource } from './generation.ts';
import { expectInteger } from './sampling.ts';
import type { Stream } from './stream.ts';

/**
 * Generates the ids that follow a prompt. Each id is drawn from softmax(logits / temperature) and fed back to the
 * stream. They are the ids that `generate` of `tapeloop` draws from the same model with the same options. The host
 * handles events between ids.
 *
 * @param stream of a language model, from ids to logits. Its states are reset to zeros. Do not step or reset it before
 *   the last id.
 * @param prompt the first ids of the sequence, at least one.
 * @throws ArgumentError at the first id, if an option is out of range, an id of the prompt is outside the vocabulary,
 *   or the stream takes no ids or has several sequences. ArgumentError at any id, if a logit is not finite or other
 *   code has stepped or reset the stream.
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
 * Generates the ids that follow several prompts of any lengths, in one batch. Sequence i gets the same ids as it gets
 * alone with `seed` + i.
 *
 * @param stream of a language model, with as many sequences as there are prompts. Its states are reset to zeros.
 * @param prompts the first ids of each sequence, at least one each.
 * @returns `{ sequence, id }`: first the ids of one step, then those of the next step.
 * @throws ArgumentError at the first id, if an option is out of range, an id of a prompt is outside the vocabulary, a
 *   prompt is empty, or the stream takes no ids or has another number of sequences. ArgumentError at any id, if a logit
 *   is not finite or other code has stepped or reset the stream.
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
  yield* yieldingBetween(idsOfStream(stream, prompts, options));
}

/**
 * `generate` without promises: the host handles no events between ids.
 *
 * @param stream of a language model, from ids to logits, with one sequence. Its states are reset to zeros.
 * @param given.prompt the first ids of the sequence, at least one.
 * @param given.length the number of ids to generate.
 * @throws ArgumentError at the first id, if an option is out of range, an id of the prompt is outside the vocabulary,
 *   the prompt is empty, or the stream takes no ids or has several sequences. ArgumentError at any id, if a logit is
 *   not finite or other code has stepped or reset the stream.
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
    return { ...streamSource(stream, sequences), dispose: () => {} };
  });
