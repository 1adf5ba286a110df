import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { type GenerateOptions, generate, generateBatch, generateIds } from '../../src/models/generate.ts';
import { type AnyModel, type Model, model, sequential } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';

/** A model without memory: the logits behind id i are row i. */
function tableModel(rows: readonly (readonly number[])[]): Model {
  const size = rows.length;
  const model = sequential([
    embedding({ inputDim: size, outputDim: size }),
    dense({ units: size, useBias: false, kernelInitializer: 'zeros' }),
  ]);
  const [table, kernel] = model.weights;
  table!.assign(rows.flat());
  kernel!.assign(rows.flatMap((_, i) => rows.map((__, j) => (i === j ? 1 : 0))));
  return model;
}

/** Independent draws: the same logits whatever came before. */
const logits = [1, 0, -1, 2, 0.5, -3];
const constant = tableModel(logits.map(() => logits));

type IdsOptions = Partial<GenerateOptions & { prompt: number[]; length: number }>;

const take = (model: Model, options: IdsOptions = {}): number[] => [
  ...generateIds(model, { prompt: [0], length: 20, ...options }),
];

const softmax = (values: readonly number[], temperature = 1): number[] => {
  const weights = values.map((value) => Math.exp(value / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

/** Σ (observed − expected)² / expected over the ids that can come; those that cannot must not have. */
function chiSquare(ids: readonly number[], shares: readonly number[]): number {
  const counts = shares.map((_, id) => ids.filter((each) => each === id).length);
  return shares.reduce((sum, share, id) => {
    if (share === 0) expect(counts[id], `id ${id}`).toBe(0);
    return share === 0 ? sum : sum + (counts[id]! - share * ids.length) ** 2 / (share * ids.length);
  }, 0);
}

describe('generateIds', () => {
  // 20.5 is the 0.1% point of chi² with 5 degrees of freedom, 13.8 with 2; one seed in a thousand would pass it.
  test.each([1, 0.5, 2])('5000 draws at temperature %d, are distributed as softmax', (temperature) => {
    const ids = take(constant, { length: 5000, temperature, seed: 11 });
    expect(chiSquare(ids, softmax(logits, temperature))).toBeLessThan(20.5);
  });

  test('5000 draws among the 3 likeliest, are distributed as softmax over them', () => {
    const ids = take(constant, { length: 5000, topK: 3, seed: 12 });
    const shares = softmax(logits.map((logit) => (logit >= 0.5 ? logit : Number.NEGATIVE_INFINITY)));
    expect(chiSquare(ids, shares)).toBeLessThan(13.8);
  });

  test('draws, do not depend on one another', () => {
    const ids = take(constant, { length: 5000, seed: 13 });
    const shares = softmax(logits);
    const after = ids.filter((_, i) => i > 0 && ids[i - 1] === 3);
    expect(after.length).toBeGreaterThan(2000);
    expect(chiSquare(after, shares)).toBeLessThan(20.5);
  });

  test('temperature 0, top-k 1 and a temperature near 0, take the likeliest, the first of equals', () => {
    const model = tableModel([
      [0, 5, 1],
      [0, 1, 4],
      [2, 2, -1],
    ]);
    const cycle = [1, 2, 0, 1, 2, 0];
    expect(take(model, { length: 6, temperature: 0 })).toEqual(cycle);
    expect(take(model, { length: 6, topK: 1, seed: 5 })).toEqual(cycle);
    expect(take(constant, { length: 5, temperature: 1e-30, seed: 5 })).toEqual([3, 3, 3, 3, 3]);
    expect(take(constant, { length: 5, temperature: 1e-300, seed: 5 })).toEqual([3, 3, 3, 3, 3]);
  });

  test('seed, decides the draws; top-k beyond the vocabulary changes their distribution in nothing', () => {
    expect(take(constant, { seed: 1 })).toEqual(take(constant, { seed: 1 }));
    expect(take(constant, { seed: 1 })).not.toEqual(take(constant, { seed: 2 }));
    const ids = take(constant, { length: 5000, topK: 1000, seed: 14 });
    expect(chiSquare(ids, softmax(logits))).toBeLessThan(20.5);
  });

  test.each([
    // softmax(logits) added up from the likeliest: 0.561, 0.767, 0.892, 0.968, 0.996, 1.
    [0.5, 1],
    [0.562, 2],
    [0.768, 3],
    [0.892, 3],
    [0.968, 4],
    [0.999, 6],
  ])('5000 draws with top-p %d, are distributed as softmax over the %i likeliest', (topP, count) => {
    const sorted = softmax(logits).sort((a, b) => b - a);
    expect(sorted.slice(0, count - 1).reduce((sum, share) => sum + share, 0)).toBeLessThan(topP);
    expect(sorted.slice(0, count).reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(topP);
    const least = sorted[count - 1]!;
    const kept = softmax(logits).map((share, id) => (share >= least ? logits[id]! : Number.NEGATIVE_INFINITY));
    const ids = take(constant, { length: 5000, topP, seed: 16 });
    expect(chiSquare(ids, softmax(kept))).toBeLessThan(20.5);
  });

  test('top-p, counts shares among those that top-k leaves', () => {
    // Of the two likeliest, 0.73 and 0.27 of their sum.
    const drawn = (topP: number) => [...new Set(take(constant, { length: 200, topK: 2, topP }))].sort();
    expect(drawn(0.7)).toEqual([3]);
    expect(drawn(0.75)).toEqual([0, 3]);
  });

  test('top-p, of equals takes the first', () => {
    const even = tableModel([0, 1, 2, 3].map(() => [1, 1, 1, 1]));
    expect([...new Set(take(even, { length: 200, topP: 0.5 }))].sort()).toEqual([0, 1]);
  });

  test('probabilities of a model that ends in softmax, are drawn as they are', () => {
    const shares = softmax(logits);
    const model = tableModel(logits.map(() => shares));
    expect(chiSquare(take(model, { length: 5000, fromLogits: false, seed: 17 }), shares)).toBeLessThan(20.5);
    const cold = take(model, { length: 5000, fromLogits: false, temperature: 0.5, seed: 18 });
    expect(chiSquare(cold, softmax(logits, 0.5))).toBeLessThan(20.5);
    const certain = tableModel([0, 1].map(() => [0, 1]));
    expect(new Set(take(certain, { fromLogits: false, length: 50 }))).toEqual(new Set([1]));
    expect(() =>
      take(
        tableModel([
          [-1, 2],
          [0, 1],
        ]),
        { fromLogits: false },
      ),
    ).toThrow('expected finite probabilities');
  });

  test('repetition penalty, divides and multiplies the logits of ids that have occurred', () => {
    const model = tableModel([0, 1, 2, 3].map(() => [3, 2.5, 2, -1]));
    // 0 occurred: 1.5, so 1; then 1.25, so 2; then 1, so 0.
    expect(take(model, { length: 4, temperature: 0, repetitionPenalty: 2 })).toEqual([1, 2, 0, 0]);
    const negative = tableModel([0, 1].map(() => [-1, -1.5]));
    expect(take(negative, { length: 2, temperature: 0, repetitionPenalty: 2 })).toEqual([1, 0]);
  });

  test('length 0, gives nothing', () => {
    expect(take(constant, { length: 0 })).toEqual([]);
  });
});

describe('generateIds with a recurrent model', () => {
  const VOCABULARY = 6;
  const build = (stateful: boolean): Model => {
    setSeed(4);
    const options = { units: 16, returnSequences: true, stateful };
    const model = sequential([
      embedding({ inputDim: VOCABULARY, outputDim: 8, embeddingsInitializer: { name: 'randomNormal', stddev: 1 } }),
      lstm(options) as Layer,
      gru({ ...options, stateful: false }) as Layer,
      dense({ units: VOCABULARY, kernelInitializer: { name: 'randomNormal', stddev: 2 } }),
    ]);
    return model;
  };
  const prompt = [1, 5, 2, 2, 0];

  test('greedy ids, are those of the whole sequence read anew for each', () => {
    const model = build(false);
    const ids = [...prompt];
    for (let i = 0; i < 12; i++) {
      const out = model.predict(ndarray(Int32Array.from(ids), [1, ids.length])).data.slice(-VOCABULARY);
      ids.push(out.indexOf(Math.max(...out)));
    }
    expect(take(model, { prompt, length: 12, temperature: 0 })).toEqual(ids.slice(prompt.length));
    expect(take(build(true), { prompt, length: 12, temperature: 0 })).toEqual(ids.slice(prompt.length));
  });

  test('states carried for training, are untouched, also where the ids are not all taken', () => {
    const model = build(true);
    model.predict(ndarray(Int32Array.from(prompt), [1, prompt.length]));
    const before = model.trainer.statefulLayers.map((layer) => layer.carried.values);
    take(model, { prompt });
    for (const _ of generateIds(model, { prompt, length: 10 })) break;
    expect(model.trainer.statefulLayers.map((layer) => layer.carried.values)).toEqual(before);
  });

  test('finished, left or failed, keeps no memory', () => {
    const model = build(true);
    const before = model.engine.heap.usedBytes;
    take(model, { prompt });
    for (const _ of generateIds(model, { prompt, length: 10 })) break;
    expect(() => take(model, { prompt: [99] })).toThrow(ArgumentError);
    // What the arena took for its first step stays with it.
    expect(model.engine.heap.usedBytes - model.engine.arena.heldBytes).toBeLessThanOrEqual(before);
  });
});

describe('generate', () => {
  const VOCABULARY = 6;
  const layers = () => {
    setSeed(4);
    return [
      embedding({ inputDim: VOCABULARY, outputDim: 8, embeddingsInitializer: { name: 'randomNormal', stddev: 1 } }),
      lstm({ units: 16, returnSequences: true }) as Layer,
      dense({ units: VOCABULARY, kernelInitializer: { name: 'randomNormal', stddev: 2 } }),
    ] as const;
  };
  const streaming = sequential(layers());
  // Of the same layers.
  const custom = model({ layers: streaming.layers, inputs: { dtype: 'i32', limit: VOCABULARY } }, (ids, layers) =>
    layers.reduce((x, layer) => layer(x), ids),
  );
  const all = async (from: AnyModel, prompt: number[], options: GenerateOptions): Promise<number[]> => {
    const ids: number[] = [];
    for await (const id of generate(from, prompt, options)) ids.push(id);
    return ids;
  };
  const prompt = [1, 5, 2];

  test('gives the ids of generateIds, one at a time', async () => {
    const expected = take(streaming, { prompt, length: 20, seed: 3 });
    expect(await all(streaming, prompt, { maxLength: 20, seed: 3 })).toEqual(expected);
    expect(expected).not.toEqual(take(streaming, { prompt, length: 20, seed: 4 }));
  });

  test('of a custom model, which reads all anew, gives the same', async () => {
    const options = { maxLength: 20, seed: 3, topP: 0.9 };
    expect(await all(custom, prompt, options)).toEqual(await all(streaming, prompt, options));
  });

  test('with contextLength, reads as many of the last ids', async () => {
    const ids = await all(streaming, prompt, { maxLength: 8, temperature: 0, contextLength: 2 });
    const so = [...prompt];
    for (let i = 0; i < 8; i++) {
      const out = streaming.predict(ndarray(Int32Array.from(so.slice(-2)), [1, 2])).data.slice(-VOCABULARY);
      so.push(out.indexOf(Math.max(...out)));
    }
    expect(ids).toEqual(so.slice(3));
  });

  test('ends before a stop id, or with maxLength', async () => {
    const free = await all(streaming, prompt, { maxLength: 50, seed: 3 });
    const stop = free[5]!;
    const before = free.slice(0, free.indexOf(stop));
    expect(await all(streaming, prompt, { maxLength: 50, seed: 3, stopIds: [stop, 99] })).toEqual(before);
    expect(await all(streaming, prompt, { seed: 3 })).toEqual(
      (await all(streaming, prompt, { seed: 3, maxLength: 200 })).slice(0, 100),
    );
  });

  test.each([
    ['as a stream', streaming],
    ['anew', custom],
  ])('of prompts of unequal length, reading %s, gives what each gives alone', async (_, from) => {
    const prompts = [[1, 5, 2], [3], [0, 0, 4, 1, 2]];
    const got: number[][] = prompts.map(() => []);
    const options = { maxLength: 12, stopIds: [4] };
    for await (const { sequence, id } of generateBatch(from, prompts, { ...options, seed: 7 })) got[sequence]!.push(id);
    for (const [i, prompt] of prompts.entries()) {
      expect(got[i]).toEqual(await all(streaming, prompt, { ...options, seed: 7 + i }));
    }
    expect(new Set(got.map(({ length }) => length)).size).toBeGreaterThan(1);
  });

  test('of a model with another input, gets that from inputs; one that gives the next alone, is read as it is', async () => {
    setSeed(5);
    const shift = model(
      {
        layers: { embed: embedding({ inputDim: 4, outputDim: 4 }), join: dense({ units: 4 }) },
        inputs: { ids: { dtype: 'i32', limit: 4 }, offset: { shape: [4] } },
      },
      ({ ids, offset }, { embed, join }) => ops.add(join(ops.lastStep(embed(ids))), offset),
    );
    const favour = [[0, 0, 100, 0]];
    const ids = await all(shift, [1], { maxLength: 3, inputs: (ids) => ({ ids, offset: favour }) });
    expect(ids).toEqual([2, 2, 2]);
  });

  test('lets the host handle events, and leaves no memory where it is left', async () => {
    const before = streaming.engine.heap.usedBytes - streaming.engine.arena.heldBytes;
    let fired = false;
    setTimeout(() => (fired = true), 0);
    for await (const _ of generate(streaming, prompt, { maxLength: 1e6 })) if (fired) break;
    expect(streaming.engine.heap.usedBytes - streaming.engine.arena.heldBytes).toBeLessThanOrEqual(before);
  });

  test('of no prompts, or of a model with several outputs, throws', async () => {
    await expect(generateBatch(streaming, []).next()).rejects.toThrow(
      'generate: prompts expected one or more, got none',
    );
    const two = model({ layers: layers(), inputs: { dtype: 'i32' } }, (ids, [embed]) => [embed(ids), embed(ids)]);
    await expect(generate(two, [1]).next()).rejects.toThrow('generate: model expected to have one output, got several');
  });
});

describe('generateIds, wrong arguments', () => {
  test.each<[IdsOptions, string]>([
    [{ prompt: [] }, 'generate: prompt expected one id or more, got none'],
    [{ prompt: [6] }, 'expected ids in [0, 6), got 6'],
    [{ prompt: [0, -1, 0] }, 'expected ids in [0, 6), got -1'],
    [{ prompt: [0.5] }, 'expected ids in [0, 6), got 0.5'],
    [{ maxLength: 4 }, 'generateIds: maxLength is called length here'],
    [{ length: -1 }, 'generate: length expected an integer ≥ 0, got -1'],
    [{ length: Number.NaN }, 'generate: length expected an integer ≥ 0, got NaN'],
    [{ temperature: -0.5 }, 'generate: temperature expected a number ≥ 0, got -0.5'],
    [{ temperature: Number.NaN }, 'generate: temperature expected a number ≥ 0, got NaN'],
    [{ topK: 0 }, 'generate: topK expected an integer ≥ 1, got 0'],
    [{ topK: 1.5 }, 'generate: topK expected an integer ≥ 1, got 1.5'],
    [{ topP: 0 }, 'generate: topP expected a number in (0, 1], got 0'],
    [{ topP: 1.1 }, 'generate: topP expected a number in (0, 1], got 1.1'],
    [{ repetitionPenalty: 0 }, 'generate: repetitionPenalty expected a number > 0, got 0'],
    [{ contextLength: 0 }, 'generate: contextLength expected an integer ≥ 1, got 0'],
    [{ contextLength: 2, weights: 'int8' }, "generate: weights expected 'float32' where ids are read anew, got 'int8'"],
    [{ seed: -1 }, 'generate: seed expected an integer ≥ 0, got -1'],
    [{ seed: 2 ** 32 }, 'generate: seed expected below 2^32, got 4294967296'],
  ])('%j, throws ArgumentError', (options, message) => {
    expect(() => take(constant, options)).toThrow(ArgumentError);
    expect(() => take(constant, options)).toThrow(message);
  });

  test('weights whose logits overflow, throw instead of drawing from nonsense', () => {
    const model = tableModel([
      [1, 2],
      [3, 4],
    ]);
    model.weights[0]!.assign([3e38, 3e38, 0, 0]);
    model.weights[1]!.assign([3e38, 3e38, 0, 0]);
    expect(() => take(model)).toThrow('generate: expected finite logits of the model');
  });

  test('model that reads features, not ids, throws ArgumentError', () => {
    expect(() => take(sequential([dense({ units: 2, inputShape: [null, 2] })]))).toThrow(ArgumentError);
  });

  test('infinite temperature, draws all ids alike', () => {
    const ids = take(constant, { length: 3000, temperature: Number.POSITIVE_INFINITY, seed: 15 });
    expect(chiSquare(ids, new Array(6).fill(1 / 6))).toBeLessThan(20.5);
  });
});

describe('what generate is given by mistake', () => {
  const model = sequential([embedding({ inputDim: 4, outputDim: 2 }), dense({ units: 4 })]);
  model.predict([[1]]);
  const taken = (ids: Iterable<number>): number[] => [...ids];

  test('a stream, nothing, or no prompt, is refused in words', () => {
    const options = { prompt: [1], length: 2 };
    const noModel = 'generate: model expected a Model';
    expect(() => taken(generateIds(model.stream() as never, options))).toThrow(noModel);
    expect(() => taken(generateIds(undefined as never, options))).toThrow(noModel);
    const noPrompt = 'generate: prompt expected one id or more, got none';
    expect(() => taken(generateIds(model, [1, 2] as never))).toThrow('options expected an object, got Array');
    expect(() => taken(generateIds(model, { length: 2 } as never))).toThrow(noPrompt);
    expect(() => taken(generateIds(model, { prompt: 5, length: 2 } as never))).toThrow(noPrompt);
  });

  test('bigints, are ids; a text is none', () => {
    const ids = taken(generateIds(model, { prompt: [1, 2], length: 3, seed: 0 }));
    const bigints = new BigInt64Array([1n, 2n]) as never;
    expect(taken(generateIds(model, { prompt: bigints, length: 3, seed: 0 }))).toEqual(ids);
    const deep: unknown[] = [];
    deep.push(deep);
    expect(() => taken(generateIds(model, { prompt: [deep] as never, length: 3 }))).toThrow(ArgumentError);
    expect(() => taken(generateIds(model, { prompt: 'ab' as never, length: 3 }))).toThrow(
      "generate: prompt expected one id or more, got 'ab'",
    );
  });
});
