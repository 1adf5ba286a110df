import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { LossName } from '../../src/losses/by-name.ts';
import { sequential } from '../../src/models/model.ts';
import { onWarning } from '../../src/train/warnings.ts';
import { sequences, targets } from './regression.ts';

const told: string[] = [];
beforeEach(() => {
  told.length = 0;
  onWarning((message) => told.push(message));
});
afterEach(() => onWarning());

const count = 12;
const x = Array.from({ length: count }, (_, i) => [i]);
const sorted = x.map((_, i) => Math.floor(i / 4));
const mixed = sorted.map((_, i) => i % 3);
const oneHot = (classes: number[]): number[][] => classes.map((id) => [0, 1, 2].map((i) => Number(i === id)));

describe('labels that are sorted and split at the end', () => {
  const train = async (loss: LossName, units: number, y: unknown, options: object): Promise<void> => {
    const model = sequential([dense({ units, activation: units === 1 ? 'sigmoid' : 'softmax', inputShape: [1] })]);
    model.compile({ optimizer: 'sgd', loss });
    await model.fit(x, y as number[], options);
  };
  const message =
    'fit: y is sorted by class and validationSplit takes the last samples as they stand; shuffle([x, y]) of tapeloop/data puts them in another order first';

  test.each<[LossName, number, unknown, unknown]>([
    ['sparseCategoricalCrossentropy', 3, sorted, mixed],
    ['categoricalCrossentropy', 3, oneHot(sorted), oneHot(mixed)],
    ['binaryCrossentropy', 1, sorted.map((id) => [Number(id > 0)]), mixed.map((id) => [Number(id > 0)])],
  ])('by %s, are told of; others are not', async (loss, units, y, others) => {
    await train(loss, units, y, { validationSplit: 0.25 });
    expect(told).toEqual([message]);
    await train(loss, units, y, {});
    await train(loss, units, y, { validationSplit: 0.25, validationData: [x, y] });
    await train(loss, units, others, { validationSplit: 0.25 });
    expect(told).toEqual([message]);
  });

  test('of a regression, are a series in time', async () => {
    await train('meanSquaredError', 1, x, { validationSplit: 0.25 });
    expect(told).toEqual([]);
  });

  test('of one class, or of a few samples, are not told of', async () => {
    await train('sparseCategoricalCrossentropy', 3, sorted.fill(1), { validationSplit: 0.25 });
    expect(told).toEqual([]);
  });
});

test('training of which no weight is trainable, is told of', async () => {
  const model = sequential([dense({ units: 1, inputShape: [1] })]);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  for (const weight of model.weights) weight.trainable = false;
  await model.fit(x, x, {});
  expect(told).toEqual(['fit: no weight of the model is trainable, so it learns nothing']);
  model.weights[0]!.trainable = true;
  await model.fit(x, x, {});
  expect(told).toHaveLength(1);
});

describe('a stateful model', () => {
  const model = sequential([gru({ units: 1, stateful: true, inputShape: [null, 2] }), dense({ units: 1 })]);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const train = (options: object): Promise<unknown> => {
    model.resetStates();
    return model.fit(sequences(4), targets(4), { batchSize: 2, ...options });
  };

  test('whose samples are shuffled, is told of; in order or in one batch it is not', async () => {
    await train({ shuffle: false });
    await train({ batchSize: 4 });
    expect(told).toEqual([]);
    await train({});
    expect(told).toEqual([expect.stringMatching(/^fit: a stateful model carries its states .* shuffle: false/)]);
  });

  test('without a listener, is told of on the console, once', async () => {
    const console = vi.spyOn(globalThis.console, 'warn').mockImplementation(() => {});
    onWarning();
    await train({});
    await train({});
    expect(console.mock.calls).toEqual([[expect.stringMatching(/^tapeloop: fit: a stateful model/)]]);
    console.mockRestore();
  });
});
