import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { ragged } from '../../src/data/ragged.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { generateIds } from '../../src/models/generate.ts';
import { sequential } from '../../src/models/model.ts';

const made = sequential([gru({ units: 1, inputShape: [null, 1] }), dense({ units: 1 })]);
made.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
const x = [[[1]], [[2]]];
const y = [[1], [2]];
const size = (value: unknown): { batchSize: number } => ({ batchSize: value as number });

describe.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '2', null, 2n, []])('a size of %o', (value) => {
  test('of a batch, is refused by predict, by int8 and by evaluate', () => {
    const message = /: batchSize expected an integer ≥ 1, got/;
    // Null, as undefined, is what a caller gives who has none.
    const refused = value === null ? ([] as (() => unknown)[]) : [() => made.evaluate(x, y, size(value))];
    refused.push(
      () => made.predict(x, size(value)),
      () => made.predict(x, { ...size(value), weights: 'int8' }),
      () => made.predict([], size(value)),
    );
    for (const call of refused) {
      expect(call).toThrow(ArgumentError);
      expect(call).toThrow(message);
    }
  });

  test('in steps, is refused by predict and evaluate of batches', async () => {
    const steps = value as number;
    const batches = (): Iterable<{ x: number[][][]; y: number[][] }> => [{ x, y }];
    await expect(made.predict(batches, { steps })).rejects.toThrow(
      /^predict: batches: steps expected an integer ≥ 1, got/,
    );
    await expect(made.evaluate(batches, { steps })).rejects.toThrow(
      /^evaluate: batches: steps expected an integer ≥ 1, got/,
    );
  });

  test('in ids to generate or of a stream, is refused', () => {
    const language = sequential([embedding({ inputDim: 3, outputDim: 2 }), dense({ units: 3 })]);
    if (value === 0) return expect([...generateIds(language, { prompt: [1], length: value })]).toEqual([]);
    expect(() => [...generateIds(language, { prompt: [1], length: value as number })]).toThrow(
      /length expected an integer/,
    );
    expect(() => made.stream({ batch: value as number })).toThrow(/batch expected an integer ≥ 1/);
  });
});

test('many sequences of unequal length in one batch, or many classes, are no more than a call can take', () => {
  const many = 200_000;
  const sequences = Array.from({ length: many }, (_, i) => ndarray(new Float32Array(1 + (i % 2)), [1 + (i % 2), 1]));
  expect(made.predict(ragged(sequences), { batchSize: many }).shape).toEqual([many, 1]);
  const wide = sequential([dense({ units: many, inputShape: [1], kernelInitializer: 'zeros' })]);
  wide.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const target = ndarray(new Float32Array(many), [1, many]);
  target.data[many - 1] = 1;
  const plain = wide.evaluate([[1]], target);
  expect(wide.evaluate([[1]], target, { classWeight: { [many - 1]: 2 } }).loss).toBeCloseTo(2 * plain.loss!, 10);
});
