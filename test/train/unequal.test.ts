import { beforeEach, describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { ragged } from '../../src/data/ragged.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { masking } from '../../src/layers/masking.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { gradientFlow } from '../../src/models/gradient-flow.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { sgd } from '../../src/optimizers/index.ts';
import { values } from '../kernels/reference/values.ts';
import { expectSameWeights, weightsOf } from './regression.ts';

beforeEach(() => setSeed(11));

const F = 2;
const lengths = [3, 5, 1, 4];
const sequences = lengths.map((length, i) => ndarray(values(length * F, i), [length, F]).toNested() as number[][]);
const LONGEST = Math.max(...lengths);
const padded = sequences.map((steps) => Array.from({ length: LONGEST }, (_, t) => steps[t] ?? [0, 0]));
const rate = 0.5;

const stacks: Record<string, (returnSequences: boolean) => Layer[]> = {
  'simpleRnn, lstm': (returnSequences) => [
    simpleRnn({ units: 3, returnSequences: true }) as Layer,
    lstm({ units: 3, returnSequences }) as Layer,
  ],
  'gru from ops': (returnSequences) => [gru({ units: 3, returnSequences, activation: 'relu' }) as Layer],
  bidirectional: (returnSequences) => [bidirectional(gru({ units: 3, returnSequences }) as Layer as never) as Layer],
};

/** Models of equal weights; `front` stands before the stack. */
function build(stack: (returnSequences: boolean) => Layer[], perStep: boolean, front: Layer[] = []): Model {
  setSeed(5);
  const built = sequential([...front, ...stack(perStep), dense({ units: 1 })]);
  built.network.build([null, null, F]);
  built.compile({ optimizer: sgd({ learningRate: rate }), loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
  return built;
}

describe.each(Object.entries(stacks))('sequences of unequal length, %s', (_, stack) => {
  const y = [[1], [2], [-1], [0.5]];
  const yPerStep = sequences.map((steps, i) => steps.map(([first], t) => [first! + 0.1 * t - i]));

  test('one answer each, train as the same data padded by hand and masked', () => {
    const [list, byHand] = [build(stack, false), build(stack, false, [masking()])];
    expect(list.trainOnBatch(sequences, y)).toEqual(byHand.trainOnBatch(padded, y));
    expectSameWeights(list, byHand);
    expect(list.evaluate(sequences, y)).toEqual(byHand.evaluate(padded, y));
    expect(list.predict(sequences).data).toEqual(byHand.predict(padded).data);
  });

  test('an answer each step, train as the same data padded by hand and masked', () => {
    const [list, byHand] = [build(stack, true), build(stack, true, [masking()])];
    const paddedY = yPerStep.map((steps) => Array.from({ length: LONGEST }, (_, t) => steps[t] ?? [0]));
    expect(list.trainOnBatch(sequences, yPerStep)).toEqual(byHand.trainOnBatch(padded, paddedY));
    expectSameWeights(list, byHand);
  });

  test('give what each gives alone: the mean of losses and of gradients', () => {
    const built = build(stack, false);
    const before = weightsOf(built);
    const alone = sequences.map((steps, i) => {
      built.weights.forEach((weight, w) => weight.assign(before[w]!));
      const loss = built.trainOnBatch([steps], [y[i]!]).loss!;
      return { loss, steps: weightsOf(built).map((weight, w) => weight.map((value, j) => value - before[w]![j]!)) };
    });
    built.weights.forEach((weight, w) => weight.assign(before[w]!));
    const { loss } = built.trainOnBatch(sequences, y);
    expect(loss).toBeCloseTo(alone.reduce((sum, each) => sum + each.loss, 0) / 4, 5);
    weightsOf(built).forEach((weight, w) =>
      weight.forEach((value, j) => {
        const mean = alone.reduce((sum, each) => sum + each.steps[w]![j]!, 0) / 4;
        expect(value - before[w]![j]!).toBeCloseTo(mean, 5);
      }),
    );
  });

  test('an answer each step, have loss and metric of all steps that there are', () => {
    const built = build(stack, true);
    const errors = sequences.flatMap((steps, i) => {
      const p = built.predict([steps]).data;
      return yPerStep[i]!.map(([truth], t) => p[t]! - truth!);
    });
    const { loss, meanAbsoluteError } = built.evaluate(sequences, yPerStep);
    expect(loss).toBeCloseTo(errors.reduce((sum, e) => sum + e * e, 0) / errors.length, 5);
    expect(meanAbsoluteError).toBeCloseTo(errors.reduce((sum, e) => sum + Math.abs(e), 0) / errors.length, 5);
  });

  test('gradient flow, is that of each alone, and nothing where a sequence is over', () => {
    const built = build(stack, false);
    const squares = gradientFlow(built, sequences, y).map(({ norms }) => Array.from(norms, (norm) => norm * norm));
    const alone = sequences.map((steps, i) => gradientFlow(built, [steps], [y[i]!]));
    squares.forEach((layer, l) => {
      expect(layer.length).toBe(LONGEST);
      layer.forEach((square, t) => {
        // Alone the loss is four times what it is as a share of the batch.
        const sum = alone.reduce((total, flows) => total + ((flows[l]!.norms[t] ?? 0) / 4) ** 2, 0);
        expect(square / sum).toBeCloseTo(1, 3);
      });
    });
  });
});

describe('sequences of unequal length', () => {
  const ids = [[1, 2, 3], [4], [2, 2]];
  const tagger = (): Model => {
    const built = sequential([
      embedding({ inputDim: 5, outputDim: 3 }),
      gru({ units: 3, returnSequences: true }) as Layer,
      dense({ units: 2, activation: 'softmax' }),
    ]);
    built.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    return built;
  };

  test('of ids with an id each step, are shuffled, cut and padded batch by batch', async () => {
    const built = tagger();
    const times: number[] = [];
    const { network } = built;
    const watched = model(
      { layers: { network }, inputs: { dtype: 'i32', shape: [null], limit: 5 } },
      (x: Tensor, { network }) => {
        times.push(x.shape[1]!);
        return network(x) as Tensor;
      },
    );
    watched.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    times.length = 0;
    const tags = ids.map((steps) => steps.map((id) => id % 2));
    await watched.fit(ids, tags, { batchSize: 1, shuffle: false });
    // The first is one sample of zeros, by which shapes are found.
    expect(times.slice(-3)).toEqual([3, 1, 2]);
    expect(built.predict(ids).shape).toEqual([3, 3, 2]);
  });

  test('as ragged(…), and as a list of arrays, are the same', () => {
    const built = tagger();
    const tags = ids.map((steps) => steps.map((id) => id % 2));
    const arrays = ids.map((steps) => ndarray(Int32Array.from(steps), [steps.length]));
    const expected = built.evaluate(ids, tags);
    expect(built.evaluate(ragged(ids), ragged(tags))).toEqual(expected);
    expect(built.evaluate(arrays, tags)).toEqual(expected);
  });

  test('with weights of their own length, count each step by its weight', () => {
    const built = tagger();
    const tags = ids.map((steps) => steps.map((id) => id % 2));
    const weights = ids.map((steps) => steps.map((_, t) => t + 0.5));
    const p = built.predict(ids).data;
    let sum = 0;
    ids.forEach((steps, i) =>
      steps.forEach((id, t) => (sum -= weights[i]![t]! * Math.log(p[(i * 3 + t) * 2 + (id % 2)]!))),
    );
    // Keras divides by the steps that count, not by their weights.
    expect(built.evaluate(ids, tags, { sampleWeight: weights }).loss).toBeCloseTo(sum / 6, 5);
  });

  test('whose mask a layer of the caller has lost, are weighed by that of the targets', () => {
    const layer = dense({ units: 1 });
    const losing = model({ layers: { layer }, inputs: { shape: [null, F] } }, (x: Tensor, { layer }) => {
      x.mask = undefined;
      return layer(x);
    });
    losing.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const kept = sequential([layer]);
    kept.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const y = sequences.map((steps) => steps.map(([first]) => [first! + 1]));
    expect(losing.evaluate(sequences, y)).toEqual(kept.evaluate(sequences, y));
  });

  const built = (): Model => build(stacks['simpleRnn, lstm']!, true);
  const y = sequences.map((steps) => steps.map(() => [0]));

  test.each<[string, () => unknown, string]>([
    [
      'targets of another length',
      () => built().trainOnBatch(sequences, [...y.slice(0, 3), [[0], [0]]]),
      'y[3] expected 4 steps as the sequence of x, got 2',
    ],
    [
      'weights of another length',
      () =>
        built().trainOnBatch(sequences, y, {
          sampleWeight: [
            [1, 1, 1],
            [1, 1, 1, 1, 1],
            [1, 1],
            [1, 1, 1, 1],
          ],
        }),
      'sampleWeight[2] expected 1 steps as the sequence of x, got 2',
    ],
    [
      'steps of another width',
      () =>
        built().trainOnBatch(
          [
            [[1, 2]],
            [
              [1, 2, 3],
              [1, 2, 3],
            ],
          ],
          [[[0]], [[0], [0]]],
        ),
      'x[1] expected [?, 2] as x[0], got [2, 3]',
    ],
    [
      'a model of a fixed length',
      () => {
        const fixed = sequential([gru({ units: 2, inputShape: [5, F] }) as Layer]);
        fixed.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
        return fixed.predict(sequences);
      },
      'x expected sequences of 5 steps, as the model declares, got unequal ones',
    ],
  ])('with %s, are refused', (_, run, message) => {
    expect(run).toThrow(new ArgumentError(message));
  });
});
