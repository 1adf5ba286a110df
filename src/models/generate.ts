import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { NdArray } from '../data/array.ts';
import { RaggedArray } from '../data/ragged.ts';
import { breathing } from '../host/yielder.ts';
import {
  type GeneratedId,
  type GenerationOptions,
  type Growing,
  generationNames,
  idsOf,
  type LogitSource,
  streamed,
} from '../streaming/generation.ts';
import type { WeightFormat } from '../streaming/program.ts';
import { expectInteger } from '../streaming/sampling.ts';
import type { Data } from '../train/feeds/checked-data.ts';
import type { AnyModel, Model } from './model.ts';

export interface GenerateOptions extends GenerationOptions {
  /**
   * Has the model read this many of the last ids anew for each next one. Default: the model runs step by step as a
   * stream and each id is read once; one that cannot, such as a custom model, reads all of them anew.
   */
  contextLength?: number | undefined;
  /**
   * What the model is given for ids `[B, T]`, where they are not its only input: `(target) => ({ source, target })`.
   */
  inputs?: ((ids: NdArray | RaggedArray) => Data) | undefined;
  /** Of the stream. Default `float32`. */
  weights?: WeightFormat | undefined;
}

const modelNames: Names<GenerateOptions> = { contextLength: 1, inputs: 1, weights: 1, ...generationNames };

/**
 * Ids that go on from a prompt, as they come, each drawn from softmax(logits / temperature) and fed back. The host
 * handles events in between.
 *
 * The states that a stateful model carries for training are untouched, and a model that runs as a stream may train
 * while the ids are taken.
 *
 * @param model a language model, ids `[B, T]` to logits `[B, T, V]`, or to those of the next id alone, `[B, V]`.
 * @param prompt ids to go on from, at least one.
 * @throws ArgumentError, at the first id, if an option is out of range, an id of the prompt is outside the vocabulary
 *   or the model takes no ids; at any id, if a logit is not finite.
 * @see Holtzman et al. 2019 (topP)
 *
 * @example
 * for await (const id of generate(model, encodeText('ROMEO:', vocabulary), { topP: 0.9, seed: 1 })) write(vocabulary[id]);
 */
export async function* generate(
  model: AnyModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, void> {
  for await (const { id } of generateBatch(model, [prompt], options)) yield id;
}

/**
 * `generate` for several prompts at once, of any lengths. Sequence i draws as it would alone with the seed i higher.
 *
 * @throws ArgumentError as `generate` does.
 */
export async function* generateBatch(
  model: AnyModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedId, void, void> {
  yield* breathing(idsOfModel(model, prompts, options));
}

/**
 * `generate` without promises.
 *
 * @param given.prompt ids to go on from, at least one.
 * @param given.length how many ids to give.
 * @throws ArgumentError as `generate` does.
 */
export function* generateIds(
  model: Model,
  given: GenerateOptions & { prompt: ArrayLike<number>; length: number },
): Generator<number, void, void> {
  const names = { prompt: 1, length: 1, ...modelNames };
  const { prompt, length, ...options } = checkOptions('generateIds', given, names);
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

function sourceOf(model: AnyModel, sequences: readonly Growing[], options: GenerateOptions): LogitSource {
  const { contextLength, inputs, weights = 'float32' } = options;
  if (contextLength !== undefined) expectInteger('contextLength', contextLength, 1);
  if (contextLength === undefined && !inputs) {
    try {
      return streamed(model.stream({ batch: sequences.length, weights }), sequences);
    } catch (error) {
      if (!(error instanceof ArgumentError) || weights !== 'float32') throw error;
    }
  } else if (weights !== 'float32') {
    throw new ArgumentError(`generate: weights expected 'float32' where ids are read anew, got '${weights}'`);
  }
  return readAnew(model, sequences, options);
}

function readAnew(
  model: AnyModel,
  sequences: readonly Growing[],
  { contextLength = Number.POSITIVE_INFINITY, inputs = (ids) => ids }: GenerateOptions,
): LogitSource {
  return {
    areLogits: model.network.outputActivation !== 'softmax',
    after(t) {
      const asking = sequences.flatMap(({ ids, left }, i) => (left > 0 && ids.length === t + 1 ? [i] : []));
      if (asking.length === 0) return () => new Float32Array(0);
      const from = Math.max(0, t + 1 - contextLength);
      // Those that ended stay where they are, so that inputs beside the ids need not be picked.
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

function asSamples(rows: readonly Int32Array[]): NdArray | RaggedArray {
  const [{ length }] = rows as [Int32Array];
  if (rows.some((row) => row.length !== length))
    return new RaggedArray(rows.map((row) => new NdArray(row, [row.length])));
  return new NdArray(Int32Array.from(rows.flatMap((row) => [...row])), [rows.length, length]);
}
