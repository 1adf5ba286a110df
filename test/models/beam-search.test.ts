import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { BeamSearchOptions } from '../../src/models/beam-options.ts';
import { beamSearch, beamSteps } from '../../src/models/beam-search.ts';
import type { BeamDecoder } from '../../src/models/beam-sources.ts';
import type { BeamHypothesis, Hypothesis } from '../../src/models/beams.ts';
import { generateIds } from '../../src/models/generate.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';

/** A language model whose next id depends on all ids before. */
function languageModel(classes: number, seed: number): Model {
  setSeed(seed);
  const wide = { name: 'randomNormal', stddev: 1 } as const;
  return sequential([
    embedding({ inputDim: classes, outputDim: 6, embeddingsInitializer: wide }),
    gru({ units: 8, returnSequences: true, kernelInitializer: wide }),
    dense({ units: classes, kernelInitializer: { name: 'randomNormal', stddev: 1.5 } }),
  ]);
}

/** The same model as a decoder that makes one step a call. */
function decoderOf(network: Model, prompts: number): BeamDecoder {
  const [read, , write] = network.layers as Model['layers'];
  const cell = gru({ units: 8, returnState: true });
  network.predict([[0]]);
  cell.build([null, null, 6]);
  cell.setWeights(network.getWeights().slice(1, 4));
  return {
    states: [ndarray(new Float32Array(8 * prompts), [prompts, 8])],
    step(ids, [h]) {
      const [y, next] = cell(read!(ids), { initialState: [h!] });
      return [write!(y), [next]];
    },
  };
}

/** ln p of each next id after `ids`, in float64. */
function logProbabilities(network: Model, ids: readonly number[]): number[] {
  const { data, shape } = network.predict([[...ids]]);
  const logits = Array.from(data.subarray(data.length - shape.at(-1)!));
  const most = Math.max(...logits);
  const total = most + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return logits.map((value) => value - total);
}

/** All hypotheses of up to `maxLength` ids, the best first. */
function exhaustive(
  network: Model,
  prompt: readonly number[],
  { stopIds = [], maxLength = 4, minLength = 0 }: BeamSearchOptions,
  penaltyOf: (n: number) => number,
): Hypothesis[] {
  const found: Hypothesis[] = [];
  const walk = (ids: number[], logProbability: number): void => {
    const isFinished = ids.length > 0 && stopIds.includes(ids.at(-1)!);
    if (isFinished || ids.length === maxLength) {
      const kept = isFinished ? ids.slice(0, -1) : ids;
      const score = logProbability / penaltyOf(ids.length);
      if (!isFinished || kept.length >= minLength) found.push({ ids: kept, logProbability, score, isFinished });
      return;
    }
    const next = logProbabilities(network, [...prompt, ...ids]);
    next.forEach((value, id) => void walk([...ids, id], logProbability + value));
  };
  walk([], 0);
  return found.sort((a, b) => b.score - a.score);
}

function expectSame(got: readonly Hypothesis[], expected: readonly Hypothesis[]): void {
  expect(got.map(({ ids, isFinished }) => ({ ids, isFinished }))).toEqual(
    expected.map(({ ids, isFinished }) => ({ ids, isFinished })),
  );
  got.forEach(({ logProbability, score }, i) => {
    expect(logProbability).toBeCloseTo(expected[i]!.logProbability, 4);
    expect(score).toBeCloseTo(expected[i]!.score, 4);
  });
}

describe('beamSearch', () => {
  test.each([
    ['no penalty', {}, () => 1],
    ['n^0.7', { lengthPenalty: 0.7 }, (n: number) => n ** 0.7],
    ['n^-0.5', { lengthPenalty: -0.5 }, (n: number) => n ** -0.5],
    ['gnmt 0.6', { lengthPenalty: 0.6, lengthPenaltyForm: 'gnmt' }, (n: number) => ((5 + n) / 6) ** 0.6],
    ['minLength 2', { minLength: 2 }, () => 1],
  ] as const)('width V^T, %s, finds what exhaustive search finds', async (_, given, penaltyOf) => {
    for (const seed of [1, 2, 3]) {
      const network = languageModel(3, seed);
      const options = { ...given, stopIds: [2], maxLength: 4 };
      const expected = exhaustive(network, [1, 0], options, penaltyOf);
      const [got] = await beamSearch(network, [[1, 0]], { ...options, width: 81, nBest: 10 });
      expectSame(got!, expected.slice(0, 10));
    }
  });

  test('width 1, is what generate takes with temperature 0', async () => {
    const network = languageModel(7, 4);
    for (const prompt of [[0], [3, 1, 4]]) {
      const ids = [...generateIds(network, { prompt, length: 12, temperature: 0 })];
      const [[best]] = (await beamSearch(network, [prompt], { width: 1, maxLength: 12 })) as [[Hypothesis]];
      expect(best.ids).toEqual(ids);
    }
  });

  test('a stream, a decoder with states and a model that reads all anew, give the same', async () => {
    const network = languageModel(6, 5);
    const prompts = [[1], [2], [3]];
    const options = { width: 4, nBest: 4, maxLength: 6, stopIds: [0], lengthPenalty: 0.5 };
    const expected = await beamSearch(network, prompts, options);
    const reread = await beamSearch(network, prompts, { ...options, inputs: (ids) => ids });
    const stepped = await beamSearch(decoderOf(network, 3), prompts, options);
    expected.forEach((hypotheses, i) => {
      expect(hypotheses.length).toBe(4);
      expectSame(reread[i]!, hypotheses);
      expectSame(stepped[i]!, hypotheses);
    });
  });

  test('prompts of several lengths in a batch, give what each gives alone', async () => {
    const network = languageModel(6, 6);
    const prompts = [[1, 2, 3, 4], [2], [3, 5]];
    const options = { width: 3, nBest: 3, maxLength: 5, stopIds: [0] };
    const together = await beamSearch(network, prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await beamSearch(network, [prompt], options);
      expectSame(together[i]!, alone!);
    }
  });

  test('inputs, get the index of the prompt of each row', async () => {
    setSeed(7);
    const words = { shape: [null], dtype: 'i32', limit: 5 } as const;
    const layers = {
      read: embedding({ inputDim: 5, outputDim: 4, maskZero: true }),
      encode: bidirectional(gru({ units: 3 })),
      decode: gru({ units: 6, returnSequences: true }),
      write: dense({ units: 5, kernelInitializer: { name: 'randomNormal', stddev: 2 } }),
    };
    const translator = model({ layers, inputs: { source: words, target: words } }, (x, each) => {
      const h = each.encode(each.read(x.source));
      return each.write(each.decode(each.read(x.target), { initialState: h }));
    });
    const sources = [
      [1, 2, 3],
      [4, 4, 2],
    ];
    const options = { width: 2, maxLength: 4 };
    const inputs = (ids: unknown, prompts: readonly number[]) => ({
      source: prompts.map((i) => sources[i]!),
      target: ids,
    });
    const both = await beamSearch(translator, [[1], [1]], { ...options, inputs: inputs as never });
    for (const [i, source] of sources.entries()) {
      const only = (ids: unknown, prompts: readonly number[]) => ({ source: prompts.map(() => source), target: ids });
      const [alone] = await beamSearch(translator, [[1]], { ...options, inputs: only as never });
      expectSame(both[i]!, alone!);
    }
  });

  test('constants, come with their masks, one row for each hypothesis', async () => {
    const values = [
      [1, 0, 0],
      [0, 0, 9],
    ];
    const seen: number[][] = [];
    const constant = tensor(values);
    constant.mask = tensor([
      [1, 1, 0],
      [1, 0, 1],
    ]);
    const [[a], [b]] = (await beamSearch(
      {
        constants: [constant],
        step(_, __, [own]) {
          seen.push([...own!.mask!.toArray()]);
          return [ops.mul(own!, own!.mask!), []];
        },
      },
      [[0], [0]],
      { width: 2, maxLength: 2 },
    )) as [[Hypothesis], [Hypothesis]];
    expect([a.ids, b.ids]).toEqual([
      [0, 0],
      [2, 2],
    ]);
    expect(seen).toEqual([
      [1, 1, 0, 1, 0, 1],
      [1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1],
    ]);
  });

  test('probabilities, are not taken for logits', async () => {
    const step = () => [tensor([[0.7, 0.2, 0.1, 0]]), []] as const;
    const options = { width: 1, maxLength: 1, fromLogits: false };
    const [[best]] = (await beamSearch({ step }, [[0]], options)) as [[Hypothesis]];
    expect(best.ids).toEqual([0]);
    expect(best.logProbability).toBeCloseTo(Math.log(0.7), 6);
  });

  test('noRepeatNgramSize 2, repeats no pair of ids, the prompt included', async () => {
    const network = languageModel(4, 8);
    const prompt = [1, 2, 1];
    const [hypotheses] = await beamSearch(network, [prompt], {
      width: 4,
      nBest: 4,
      maxLength: 10,
      noRepeatNgramSize: 2,
    });
    for (const { ids } of hypotheses!) {
      const all = [...prompt, ...ids];
      const pairs = all.slice(1).map((id, i) => `${all[i]} ${id}`);
      expect(new Set(pairs).size).toBe(pairs.length);
    }
  });

  test('where no id may follow, the hypotheses so far are the result', async () => {
    const options = { width: 3, nBest: 3, maxLength: 8, noRepeatNgramSize: 1 };
    const [found] = await beamSearch(languageModel(4, 8), [[1]], options);
    expect(found!.map(({ ids, isFinished }) => [[...ids].sort().join(), isFinished])).toEqual(
      Array.from({ length: 3 }, () => ['0,2,3', false]),
    );
    const steps = [];
    for await (const { ids } of beamSteps(languageModel(4, 8), [[1]], options)) steps.push(ids.length);
    expect(steps.slice(-3)).toEqual([3, 3, 3]);
    const [none] = await beamSearch(languageModel(1, 8), [[0]], options);
    expect(none).toEqual([]);
  });

  test('groups, search by themselves: the first as without groups, the others away from it', async () => {
    const network = languageModel(8, 9);
    const options = { maxLength: 5, stopIds: [0] };
    const [plain] = await beamSearch(network, [[1]], { ...options, width: 2, nBest: 2 });
    const all = { ...options, width: 6, nBest: 6, groups: 3 };
    const [same] = await beamSearch(network, [[1]], { ...all, diversityPenalty: 0 });
    expectSame(
      same!.filter((_, i) => i % 3 === 0),
      plain!,
    );
    const [diverse] = await beamSearch(network, [[1]], { ...all, diversityPenalty: 100 });
    const texts = diverse!.map(({ ids }) => ids.join());
    expect(new Set(texts).size).toBe(6);
    for (const { ids } of plain!) expect(texts).toContain(ids.join());
    // The scores are log-probabilities, without the penalty.
    for (const { ids, logProbability, isFinished } of diverse!) {
      const whole = isFinished ? [...ids, 0] : ids;
      const sum = whole.reduce((total, id, i) => total + logProbabilities(network, [1, ...ids.slice(0, i)])[id]!, 0);
      expect(logProbability).toBeCloseTo(sum, 4);
    }
  });

  test('earlyStopping, ends with the first `width` hypotheses; without it none is missed', async () => {
    let differ = 0;
    for (let seed = 10; seed < 30; seed++) {
      const network = languageModel(4, seed);
      const options = { width: 2, maxLength: 8, stopIds: [0], lengthPenalty: 1 };
      const [[early]] = (await beamSearch(network, [[1]], { ...options, earlyStopping: true })) as [[Hypothesis]];
      const [[late]] = (await beamSearch(network, [[1]], options)) as [[Hypothesis]];
      expect(late.score).toBeGreaterThanOrEqual(early.score);
      if (late.score > early.score) differ++;
    }
    expect(differ).toBeGreaterThan(0);
  });

  test.each([
    ['an unknown option', { widht: 3 } as object, "beamSearch: unknown option 'widht'; did you mean 'width'?"],
    ['maxLength 0', { maxLength: 0 }, 'beamSearch: maxLength expected an integer ≥ 1, got 0'],
    ['width 0', { width: 0 }, 'beamSearch: width expected an integer ≥ 1, got 0'],
    ['nBest above width', { width: 2, nBest: 3 }, 'beamSearch: nBest expected at most width = 2, got 3'],
    ['groups that do not divide', { width: 5, groups: 2 }, 'beamSearch: groups expected to divide width = 5, got 2'],
    [
      'a form',
      { lengthPenaltyForm: 'wu' } as object,
      "beamSearch: lengthPenaltyForm expected 'power', 'gnmt', got 'wu'",
    ],
    ['a negative λ', { groups: 5, diversityPenalty: -1 }, 'beamSearch: diversityPenalty expected a number ≥ 0, got -1'],
    ['minLength', { minLength: 0.5 }, 'beamSearch: minLength expected an integer ≥ 0, got 0.5'],
    ['a stop id', { stopIds: [-1] }, 'beamSearch: stopIds expected an integer ≥ 0, got -1'],
    ['a stop id that is no class', { stopIds: [0, 3] }, 'beamSearch: stopIds expected < 3, got 3'],
    [
      'minLength above maxLength',
      { minLength: 3, maxLength: 2 },
      'beamSearch: minLength expected at most maxLength = 2, got 3',
    ],
  ])('%s, is refused', async (_, options, message) => {
    await expect(beamSearch(languageModel(3, 1), [[1]], options)).rejects.toThrow(message);
  });

  test('what is neither model nor decoder, and what does not fit a decoder, is refused', async () => {
    const network = languageModel(3, 1);
    await expect(beamSearch({} as never, [[1]])).rejects.toThrow(
      'model expected a Model or { step, states, constants }',
    );
    await expect(beamSearch(network, [[]])).rejects.toThrow('beamSearch: prompt expected one id or more, got none');
    await expect(beamSearch(network, [1, 2] as never)).rejects.toThrow(
      'beamSearch: prompts expected lists of ids, got 1',
    );
    await expect(beamSearch(network, [])).rejects.toThrow('beamSearch: prompts expected one or more, got none');
    await expect(beamSearch(network, [[3]])).rejects.toThrow('expected ids in [0, 3)');
    const decoder = decoderOf(network, 2);
    await expect(beamSearch(decoder, [[1]])).rejects.toThrow('beamSearch: states[0] expected 1 rows, got 2');
    await expect(beamSearch(decoder, [[1]], { contextLength: 3 })).rejects.toThrow('contextLength expected a Model');
    const broken = { step: () => [tensor([[Number.NaN, 1]]), []] as const };
    await expect(beamSearch(broken, [[1]])).rejects.toThrow('beamSearch: expected finite logits of the model');
    for (const step of [() => 3, () => undefined, () => [3, []]]) {
      await expect(beamSearch({ step: step as never }, [[1]])).rejects.toThrow(
        'beamSearch: step expected to return [logits, states] of 1 rows',
      );
    }
  });
});

describe('beamSteps', () => {
  test('yields what has ended and the best that goes on, and returns what beamSearch does', async () => {
    const network = languageModel(4, 12);
    const options = { width: 3, nBest: 2, maxLength: 5, stopIds: [0] };
    const steps = beamSteps(network, [[1], [2]], options);
    const seen: BeamHypothesis[] = [];
    let last = await steps.next();
    for (; !last.done; last = await steps.next()) seen.push(last.value);
    expect(last.value).toEqual(await beamSearch(network, [[1], [2]], options));
    for (const [sequence, hypotheses] of last.value.entries()) {
      for (const each of hypotheses) expect(seen).toContainEqual({ sequence, ...each });
    }
    const partial = seen.filter(({ sequence, isFinished }) => sequence === 0 && !isFinished);
    expect(partial[0]!.ids.length).toBe(1);
    expect(partial.at(-1)!.ids.length).toBe(5);
  });

  test('leaving the loop early, frees its memory', async () => {
    const network = languageModel(4, 13);
    network.predict([[1]]);
    const { heap } = network.engine;
    const before = heap.usedBytes;
    for await (const _ of beamSteps(network, [[1]], { maxLength: 5 })) break;
    expect(heap.usedBytes).toBe(before);
  });
});
