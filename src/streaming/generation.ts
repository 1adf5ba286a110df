import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import type { Names } from '../checks/options.ts';
import { nextTextSeed } from '../engine/random-bits.ts';
import type { StreamEngine } from './engine.ts';
import { checkSampling, expectInteger, Sampler, type SamplingOptions } from './sampling.ts';
import type { Stream } from './stream.ts';

/** Options for the end of a text and for drawing its ids. */
export interface GenerationOptions extends SamplingOptions {
  /** The largest number of ids to generate. Default 100. */
  maxLength?: number | undefined;
  /** Ids that end a sequence. They are not part of the output. */
  stopIds?: readonly number[] | undefined;
}

export const generationNames: Names<GenerationOptions> = {
  maxLength: 1,
  stopIds: 1,
  temperature: 1,
  topK: 1,
  topP: 1,
  repetitionPenalty: 1,
  fromLogits: true,
  seed: 1,
};

/** One generated id of a sequence of a batch. */
export interface GeneratedId {
  sequence: number;
  id: number;
}

/** A sequence during generation: its prompt and the ids so far, and `left`, the number of ids that it may still get. */
export interface SequenceInProgress {
  ids: number[];
  sampler: Sampler;
  left: number;
}

/**
 * Gives the outputs of a model. `after(t)` runs the model on the ids up to position t of all sequences. The returned
 * function gives the output for the next id of one sequence.
 */
export interface LogitSource {
  after(t: number): (sequence: number) => Float32Array;
  /** Whether the outputs are logits rather than probabilities. */
  readonly areLogits: boolean;
  dispose(): void;
}

/** Generates the ids that follow each prompt. `sourceOf` makes the source of the model's outputs. */
export function* idsOf(
  engine: StreamEngine,
  prompts: readonly ArrayLike<number>[],
  options: GenerationOptions,
  sourceOf: (sequences: readonly SequenceInProgress[]) => LogitSource,
): Generator<GeneratedId, void, void> {
  const { maxLength = 100, stopIds = [] } = options;
  expectList('generate: prompts', prompts);
  if (prompts.length === 0) throw new ArgumentError('generate: prompts expected one or more, got none');
  for (const prompt of prompts) {
    const got = typeof prompt === 'string' ? shown(prompt) : prompt?.length >= 1 ? '' : 'none';
    if (got) throw new ArgumentError(`generate: prompt expected one id or more, got ${got}`);
  }
  expectInteger('maxLength', maxLength, 0);
  // A typed array is allowed too.
  if (!stopIds?.includes) expectList('generate: stopIds', stopIds);
  for (const id of stopIds) expectInteger('stopIds', id, 0);
  checkSampling(options);
  const seed = options.seed ?? nextTextSeed();
  const sequences = prompts.map((prompt, i): SequenceInProgress => {
    const sampler = new Sampler(engine, options, (seed + i) % 2 ** 32);
    return {
      ids: Array.from(prompt, (id) => (typeof id === 'number' || typeof id === 'bigint' ? Number(id) : Number.NaN)),
      sampler,
      left: maxLength,
    };
  });
  const source = sourceOf(sequences);
  try {
    for (let t = 0; sequences.some(({ left }) => left > 0); t++) {
      const logits = source.after(t);
      for (const [sequence, each] of sequences.entries()) {
        if (each.left === 0 || each.ids.length > t + 1) continue;
        const id = each.sampler.next(logits(sequence), each.ids, source.areLogits);
        each.left = stopIds.includes(id) ? 0 : each.left - 1;
        each.ids.push(id);
        if (!stopIds.includes(id)) yield { sequence, id };
      }
    }
  } finally {
    source.dispose();
  }
}

/** The outputs of a stream with as many sequences. It reads each id once, by one step. */
export function streamSource(stream: Stream, sequences: readonly SequenceInProgress[]): LogitSource {
  let { changes } = stream;
  return {
    areLogits: !stream.endsInSoftmax,
    after(t) {
      if (stream.changes !== changes)
        throw new ArgumentError('generate: stream expected no other call before its text ends');
      // A sequence that has ended repeats its last id. Its output is not used.
      const logits = stream.step(sequences.map(({ ids }) => ids[t] ?? ids.at(-1)!));
      changes = stream.changes;
      return (sequence) => logits.subarray(sequence * stream.outputWidth, (sequence + 1) * stream.outputWidth);
    },
    dispose: () => stream.dispose(),
  };
}
