import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { gru, lstm } from '../../src/layers/recurrent.ts';
import { type GenerateOptions, generateIds } from '../../src/train/generate.ts';
import { type Model, sequential } from '../../src/train/model.ts';

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

const take = (model: Model, options: Partial<GenerateOptions> = {}): number[] => [
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
    const before = model.statefulLayers.map((layer) => layer.carried.values);
    take(model, { prompt });
    for (const _ of generateIds(model, { prompt, length: 10 })) break;
    expect(model.statefulLayers.map((layer) => layer.carried.values)).toEqual(before);
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

describe('generateIds, wrong arguments', () => {
  test.each<[Partial<GenerateOptions>, string]>([
    [{ prompt: [] }, 'generate: prompt expected one id or more, got none'],
    [{ prompt: [6] }, 'expected ids in [0, 6), got 6'],
    [{ prompt: [0, -1, 0] }, 'expected ids in [0, 6), got -1'],
    [{ prompt: [0.5] }, 'expected ids in [0, 6), got 0.5'],
    [{ length: -1 }, 'generate: length expected an integer ≥ 0, got -1'],
    [{ length: Number.NaN }, 'generate: length expected an integer ≥ 0, got NaN'],
    [{ temperature: -0.5 }, 'generate: temperature expected ≥ 0, got -0.5'],
    [{ temperature: Number.NaN }, 'generate: temperature expected ≥ 0, got NaN'],
    [{ topK: 0 }, 'generate: topK expected an integer ≥ 1, got 0'],
    [{ topK: 1.5 }, 'generate: topK expected an integer ≥ 1, got 1.5'],
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
