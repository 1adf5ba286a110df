// Text of a stream against text of its model: the same ids for the same options.
import { describe, expect, test } from 'vitest';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { init } from '../../src/engine/engine.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import * as ofModels from '../../src/models/generate.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';
import { generate, generateBatch, generateIds } from '../../src/streaming/generate.ts';
import type { GenerationOptions } from '../../src/streaming/generation.ts';
import { decodeStream } from '../../src/streaming/load.ts';
import { modes } from '../engine/modes.ts';
import { make, makeOfIds, modelOf, sequences } from './stacks.ts';

const options: [string, GenerationOptions][] = [
  ['defaults', { seed: 0 }],
  ['the likeliest', { temperature: 0 }],
  ['topK', { topK: 3, seed: 4 }],
  ['topP and a penalty', { topP: 0.8, temperature: 1.5, repetitionPenalty: 1.3, seed: 2 ** 32 - 1 }],
  ['ids that end it', { stopIds: [1, 2], seed: 3 }],
];

describe.each(modes)('generation from a stream in %s mode', async (mode) => {
  await init({ mode });
  const model = makeOfIds();
  // Logits that differ, so that there is something to choose.
  for (const weight of model.weights) weight.assign(weight.toArray().map((value) => 4 * value));
  const bytes = encodeModel(model);

  test.each(options)('generateIds with %s, gives what the model gives', (_, given) => {
    const stream = decodeStream(bytes, { mode });
    const expected = [...ofModels.generateIds(model, { prompt: [1, 2], length: 50, ...given })];
    const take = () => [...generateIds(stream, { prompt: [1, 2], length: 50, ...given })];
    expect(take()).toEqual(expected);
    // From zeros, whatever the stream has read.
    expect(take()).toEqual(expected);
  });

  test('from a stream that is disposed of, before or while ids come, throws DeadTensorError', async () => {
    const stream = decodeStream(bytes, { mode });
    const ids = generate(stream, [1, 2]);
    const single = generateIds(stream, { prompt: [1], length: 5 });
    await ids.next();
    stream.dispose();
    await expect(ids.next()).rejects.toThrow(DeadTensorError);
    expect(() => single.next()).toThrow(DeadTensorError);
    expect(() => stream.steps([1], 1)).toThrow(new DeadTensorError('stream: it was disposed of'));
  });

  test('of a model that gives probabilities, is the same', () => {
    const shares = modelOf(() => [
      embedding({ inputDim: 10, outputDim: 4 }),
      gru({ units: 6, ...sequences }),
      dense({ units: 10, activation: 'softmax' }),
    ]);
    const given = { prompt: [1], length: 30, temperature: 0.7, seed: 0 };
    const stream = decodeStream(encodeModel(shares), { mode });
    expect([...generateIds(stream, given)]).toEqual([...ofModels.generateIds(shares, given)]);
  });

  test('generate and generateBatch, give the same as they come', async () => {
    const prompts = [[1], [2, 3, 4], [5]];
    const stream = decodeStream(bytes, { mode, batch: 3 });
    const all = [[], [], []] as number[][];
    for await (const { sequence, id } of generateBatch(stream, prompts, { maxLength: 20, seed: 0 }))
      all[sequence]!.push(id);
    for (const [i, prompt] of prompts.entries()) {
      const alone: number[] = [];
      const one = decodeStream(bytes, { mode });
      for await (const id of generate(one, prompt, { maxLength: 20, seed: i })) alone.push(id);
      expect(all[i]).toEqual(alone);
      expect(alone).toHaveLength(20);
    }
  });
});

describe('generation from a stream that does not fit', () => {
  const stream = decodeStream(encodeModel(makeOfIds()));
  const first =
    (given: Parameters<typeof generateIds>[1], of = stream) =>
    () =>
      generateIds(of, given).next();

  test('says what was expected', () => {
    const features = decodeStream(encodeModel(make('lstm')));
    expect(first({ prompt: [1], length: 1 }, features)).toThrow('stream expected one that takes ids');
    expect(first({ prompt: [], length: 1 })).toThrow('prompt expected one id or more, got none');
    expect(first({ prompt: [10], length: 1 })).toThrow('expected ids in [0, 10), got 10 at 0');
    expect(first({ prompt: [1], length: 1, topP: 0 })).toThrow('topP expected a number in (0, 1], got 0');
    expect(first({ prompt: [1], length: -1 })).toThrow('length expected an integer ≥ 0, got -1');
  });

  test('of another number of prompts, says how many', async () => {
    const next = generateBatch(stream, [[1], [2]]).next();
    await expect(next).rejects.toThrow('prompts expected 1, as the stream has sequences, got 2');
  });
});

test('generate of a stream, given a model or nothing, says what takes it', () => {
  const model = makeOfIds();
  const options = { prompt: [1], length: 2 };
  for (const given of [model, undefined, {}]) {
    expect(() => [...generateIds(given as never, options)]).toThrow(
      "generate: stream expected a Stream; a model is what generate of 'tapeloop' takes",
    );
  }
  expect(() => [...generateIds(model.stream(), { length: 2 } as never)]).toThrow('prompt expected one id or more');
});
