import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import type { Names } from '../checks/options.ts';
import { nextTextSeed } from '../engine/random-bits.ts';
import type { StreamEngine } from './engine.ts';
import { checkSampling, expectInteger, Sampler, type SamplingOptions } from './sampling.ts';
import type { Stream } from './stream.ts';

/** What ends a text, and how its ids are drawn. */
export interface GenerationOptions extends SamplingOptions {
  /** Most ids to give. Default 100. */
  maxLength?: number | undefined;
  /** Ids that end a sequence. They are not given themselves. */
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

/** One id that goes on with a sequence of a batch. */
export interface GeneratedId {
  sequence: number;
  id: number;
}

/** A sequence that grows; it waits while others still read their prompts. */
export interface Growing {
  ids: number[];
  sampler: Sampler;
  left: number;
}

/** What a model says of the ids after those at place t of every sequence that has no more yet. */
export interface LogitSource {
  after(t: number): (sequence: number) => Float32Array;
  /** Whether that is logits rather than probabilities. */
  readonly areLogits: boolean;
  dispose(): void;
}

/** Ids that go on from each prompt, as they come; `sourceOf` says what asks the model. */
export function* idsOf(
  engine: StreamEngine,
  prompts: readonly ArrayLike<number>[],
  options: GenerationOptions,
  sourceOf: (sequences: readonly Growing[]) => LogitSource,
): Generator<GeneratedId, void, void> {
  const { maxLength = 100, stopIds = [] } = options;
  expectList('generate: prompts', prompts);
  if (prompts.length === 0) throw new ArgumentError('generate: prompts expected one or more, got none');
  for (const prompt of prompts) {
    const got = typeof prompt === 'string' ? shown(prompt) : prompt?.length >= 1 ? '' : 'none';
    if (got) throw new ArgumentError(`generate: prompt expected one id or more, got ${got}`);
  }
  expectInteger('maxLength', maxLength, 0);
  // Typed arrays are as good as lists.
  if (!stopIds?.includes) expectList('generate: stopIds', stopIds);
  for (const id of stopIds) expectInteger('stopIds', id, 0);
  checkSampling(options);
  const seed = options.seed ?? nextTextSeed();
  const sequences = prompts.map((prompt, i): Growing => {
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

/** Each id is read once, by one step of a stream of as many sequences. */
export function streamed(stream: Stream, sequences: readonly Growing[]): LogitSource {
  let { changes } = stream;
  return {
    areLogits: !stream.endsInSoftmax,
    after(t) {
      if (stream.changes !== changes)
        throw new ArgumentError('generate: stream expected no other call before its text ends');
      // One that has ended repeats its last id, which nobody looks at.
      const logits = stream.step(sequences.map(({ ids }) => ids[t] ?? ids.at(-1)!));
      changes = stream.changes;
      return (sequence) => logits.subarray(sequence * stream.outputWidth, (sequence + 1) * stream.outputWidth);
    },
    dispose: () => stream.dispose(),
  };
}
