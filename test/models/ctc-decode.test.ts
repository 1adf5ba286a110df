import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { RandomStream } from '../../src/engine/random.ts';
import { ctcBeamDecode, ctcGreedyDecode } from '../../src/models/ctc-decode.ts';
import { ctcLoss } from '../../src/ops/ctc.ts';

function randomLogits(seed: number, steps: number, classes: number): number[][] {
  const random = new RandomStream(seed);
  return Array.from({ length: steps }, () => Array.from({ length: classes }, () => 4 * random.nextUniform() - 2));
}

const logSoftmax = (values: readonly number[]): number[] => {
  const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
  return values.map((value) => value - total);
};

function collapse(path: readonly number[], blank: number): number[] {
  return path.filter((id, t) => id !== blank && id !== path[t - 1]);
}

/** The probability of every label, summed over all V^T paths, and the likeliest path. */
function bruteForce(logits: readonly number[][], blank: number) {
  const rows = logits.map(logSoftmax);
  const labels = new Map<string, number>();
  let best = { path: [] as number[], value: Number.NEGATIVE_INFINITY };
  const walk = (path: number[], value: number): void => {
    if (path.length === rows.length) {
      const label = collapse(path, blank).join();
      labels.set(label, (labels.get(label) ?? 0) + Math.exp(value));
      if (value > best.value) best = { path, value };
      return;
    }
    rows[path.length]!.forEach((each, id) => void walk([...path, id], value + each));
  };
  walk([], 0);
  return { labels: [...labels].sort(([, a], [, b]) => b - a), best };
}

describe('CTC decoding', () => {
  const shapes = [
    { steps: 6, classes: 3, blank: 0 },
    { steps: 5, classes: 4, blank: 3 },
    { steps: 7, classes: 2, blank: 1 },
    { steps: 1, classes: 3, blank: 1 },
  ];

  test.each(shapes)('$steps steps, $classes classes, blank $blank: as all paths say', ({ steps, classes, blank }) => {
    for (const seed of [1, 2, 3]) {
      const logits = randomLogits(seed, steps, classes);
      const { labels, best } = bruteForce(logits, blank);
      const [greedy] = ctcGreedyDecode([logits], { blank });
      expect(greedy!.ids).toEqual(collapse(best.path, blank));
      expect(greedy!.logProbability).toBeCloseTo(best.value, 10);
      const [found] = ctcBeamDecode([logits], { blank, width: 10_000, nBest: labels.length + 1 });
      expect(found!.length).toBe(labels.length);
      found!.forEach(({ ids, logProbability, score }, i) => {
        expect(ids.join()).toBe(labels[i]![0]);
        expect(logProbability).toBeCloseTo(Math.log(labels[i]![1]), 10);
        expect(score).toBe(logProbability);
      });
    }
  });

  test('the log-probability of a label, is minus its loss', () => {
    const logits = randomLogits(4, 6, 4);
    const [labels] = ctcBeamDecode([logits], { width: 10_000, nBest: 20 });
    for (const { ids, logProbability } of labels!) {
      const [loss] = ctcLoss(tensor([logits]), tensor([[...ids, 0]], { dtype: 'i32' })).toArray();
      expect(-logProbability).toBeCloseTo(loss!, 4);
    }
  });

  test('a beam that is too narrow, loses paths and never invents any', () => {
    const logits = randomLogits(5, 8, 4);
    const exact = new Map(bruteForce(logits, 0).labels);
    for (const width of [1, 2, 5]) {
      const [found] = ctcBeamDecode([logits], { width, nBest: width });
      expect(found!.length).toBe(width);
      for (const { ids, logProbability } of found!) {
        expect(logProbability).toBeLessThanOrEqual(Math.log(exact.get(ids.join())!) + 1e-12);
      }
    }
  });

  test('inputLengths, leave out the steps after them', () => {
    const logits = [randomLogits(6, 6, 3), randomLogits(7, 6, 3), randomLogits(8, 6, 3)];
    const inputLengths = [6, 3, 0];
    const options = { width: 1000, nBest: 5 };
    const together = ctcBeamDecode(logits, { ...options, inputLengths });
    const greedy = ctcGreedyDecode(logits, { inputLengths });
    for (const [i, length] of inputLengths.slice(0, 2).entries()) {
      const part = [logits[i]!.slice(0, length)];
      expect(together[i]).toEqual(ctcBeamDecode(part, options)[0]);
      expect(greedy[i]).toEqual(ctcGreedyDecode(part)[0]);
    }
    expect(together[2]).toEqual([{ ids: [], logProbability: 0, score: 0 }]);
    expect(greedy[2]).toEqual({ ids: [], logProbability: 0 });
  });

  test('a language model, is weighed for every class of a label', () => {
    const logits = randomLogits(9, 5, 3);
    const table = [[], [-2, -0.2], [-0.1, -3]];
    const languageModel = (prefix: readonly number[], next: number) => table[prefix.at(-1) ?? 1]![next - 1]!;
    const scoreOf = (ids: readonly number[], logProbability: number) =>
      ids.reduce((sum, id, i) => sum + 0.7 * languageModel(ids.slice(0, i), id) + 0.3, logProbability);
    const expected = bruteForce(logits, 0)
      .labels.map(([label, p]) => ({ ids: label === '' ? [] : label.split(',').map(Number), value: Math.log(p) }))
      .map(({ ids, value }) => ({ ids, score: scoreOf(ids, value) }))
      .sort((a, b) => b.score - a.score);
    const options = { width: 10_000, nBest: expected.length, languageModelWeight: 0.7, lengthBonus: 0.3 };
    const [found] = ctcBeamDecode([logits], { ...options, languageModel });
    found!.forEach(({ ids, score }, i) => {
      expect(ids).toEqual(expected[i]!.ids);
      expect(score).toBeCloseTo(expected[i]!.score, 10);
    });
  });

  test('mergeRepeated false, keeps equal neighbours', () => {
    const logits = [
      [
        [0, 5],
        [0, 5],
        [5, 0],
        [0, 5],
      ],
    ];
    expect(ctcGreedyDecode(logits)[0]!.ids).toEqual([1, 1]);
    expect(ctcGreedyDecode(logits, { mergeRepeated: false })[0]!.ids).toEqual([1, 1, 1]);
  });

  test.each([
    ['two axes', [[1, 2]], {}, 'logits expected [B, T, V], got [1, 2]'],
    ['a blank outside the classes', [[[1, 2]]], { blank: 2 }, 'blank expected a class in [0, 2), got 2'],
    ['a length above T', [[[1, 2]]], { inputLengths: [2] }, 'inputLengths expected 1 integers in [0, 1], got 2 at 0'],
    [
      'an infinite logit',
      [[[1, Number.POSITIVE_INFINITY]]],
      {},
      'logits expected finite numbers, got others at [0, 0]',
    ],
    ['width 0', [[[1, 2]]], { width: 0 }, 'width expected an integer ≥ 1, got 0'],
    ['a language model that returns NaN', [[[1, 2]]], { languageModel: () => Number.NaN }, 'ln p ≤ 0, got NaN'],
  ] as const)('%s, is refused', (_, logits, options, message) => {
    expect(() => ctcBeamDecode(logits as never, options as never)).toThrow(message);
    if (!('width' in options || 'languageModel' in options)) {
      expect(() => ctcGreedyDecode(logits as never, options as never)).toThrow(message);
    }
  });
});
