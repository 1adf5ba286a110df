import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { NonFiniteGradientError, NonFiniteLossError } from '../../src/checks/divergence.ts';
import { type DataLike, type NdArray, ndarray } from '../../src/data/array.ts';
import { setSeed } from '../../src/engine/random.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import type { LossName } from '../../src/losses/by-name.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam, rmsprop, sgd } from '../../src/optimizers/index.ts';
import { values } from '../kernels/reference/values.ts';
import { expectSameWeights, regression, sequences, targets, weightsOf } from './regression.ts';
import { expectSameSnapshot, snapshotOf } from './snapshot.ts';

beforeEach(() => setSeed(11));

describe('what fit refuses', () => {
  const [x, y] = [sequences(4), targets(4)];
  const withValue = (array: NdArray<Float32Array>, at: number, value: number): NdArray => {
    const data = Array.from(array.data);
    data[at] = value;
    return ndarray(data, array.shape);
  };

  test.each<[string, DataLike, DataLike, RegExp]>([
    ['NaN in x', withValue(x, 13, Number.NaN), y, /^x expected finite numbers, got NaN in sample 2 \(flat index 13\)$/],
    [
      'an infinity in y',
      x,
      withValue(y, 1, Number.POSITIVE_INFINITY),
      /^y expected finite numbers, got Infinity in sample 1/,
    ],
    [
      'a number too large for float32',
      withValue(x, 0, 1e39),
      y,
      /^x expected numbers of float32, got 1e\+39 in sample 0/,
    ],
    [
      'steps of unequal width',
      [
        [[1, 2], [3]],
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [[1], [2]],
      /^x\[0\]\[1\]: expected a row of 2, got 1$/,
    ],
    ['words', [[['one', 'two']]] as unknown as number[], [[1]], /^x\[0\]\[0\]\[0\]: expected a number, got 'one'$/],
    ['y of another length', x, targets(3), /^x and y expected as many samples, got \[4, 3, 2\] and \[3, 1\]$/],
    ['no samples', [], [], /^x expected one sample or more, got none$/],
    ['other features in x', sequences(4, 3, 5), y, /^sequential: input expected \[\?, \?, 2\], got \[\?, 3, 5\]/],
    ['x of two axes', targets(4), y, /^sequential: input expected \[\?, \?, 2\], got \[\?, 1\]/],
    [
      'y of another width',
      x,
      ndarray(values(8, 1), [4, 2]),
      /^meanSquaredError: targets expected \[4, 1\], got \[4, 2\]$/,
    ],
    ['no x', undefined as unknown as number[], y, /^x expected data, got undefined$/],
  ])('%s, throws and changes nothing', async (_, badX, badY, message) => {
    const model = regression();
    model.trainOnBatch(x, y);
    const before = snapshotOf(model);
    const expectRefusal = async (run: () => unknown): Promise<void> => {
      await expect((async () => run())()).rejects.toThrow(ArgumentError);
      await expect((async () => run())()).rejects.toThrow(message);
      const after = snapshotOf(model);
      // Shuffling may have been drawn.
      after.counts.shuffle = before.counts.shuffle;
      expectSameSnapshot(after, before);
    };
    await expectRefusal(() => model.fit(badX, badY));
    await expectRefusal(() => model.trainOnBatch(badX, badY));
  });

  test('a loss that does not follow from the predictions, for it would train nothing', async () => {
    const [model, other] = [regression(), regression()];
    // Reads the numbers and makes new tensors of them: no op leads from the weights to the loss.
    const loss = (targets: Tensor, predictions: Tensor): Tensor => {
      const [wanted, given] = [targets.toArray(), predictions.toArray()];
      return tensor(Array.from(given, (p, i) => (p - wanted[i]!) ** 2));
    };
    model.compile({ optimizer: 'sgd', loss });
    const before = snapshotOf(model);
    expect(() => model.trainOnBatch(x, y)).toThrow('loss expected to depend on a trainable weight, got a constant');
    expectSameSnapshot(snapshotOf(model), before);
    expect(model.evaluate(x, y).loss).toBeGreaterThan(0);
    // Where nothing is trained there is nothing to follow from.
    other.compile({ optimizer: 'sgd', loss });
    other.network.trainable = false;
    await other.fit(x, y);
  });

  test.each<[string, object, string]>([
    ['epochs 0', { epochs: 0 }, 'fit: epochs expected an integer ≥ 1, got 0'],
    ['batchSize 1.5', { batchSize: 1.5 }, 'fit: batchSize expected an integer ≥ 1, got 1.5'],
    ['validationSplit 1', { validationSplit: 1 }, 'fit: validationSplit expected a number in [0, 1), got 1'],
    [
      'validationSplit that leaves nothing',
      { validationSplit: 0.9 },
      'fit: validationSplit 0.9 leaves none of 4 samples',
    ],
    [
      'validationData of two lengths',
      { validationData: [sequences(2), targets(3)] },
      'fit: validationData: x and y expected as many samples, got [2, 3, 2] and [3, 1]',
    ],
  ])('%s, throws', async (_, options, message) => {
    await expect(regression().fit(x, y, options)).rejects.toThrow(new ArgumentError(message));
  });

  test.each<[string, () => Layer, LossName, RegExp]>([
    [
      'logits for probabilities',
      () => dense({ units: 3 }),
      'categoricalCrossentropy',
      /expected probabilities, got outputs behind activation 'linear'; give the last layer activation 'softmax'/,
    ],
    [
      'one choice among one',
      () => dense({ units: 1, activation: 'softmax' }),
      'categoricalCrossentropy',
      /expected one output for each class, got 1/,
    ],
    [
      'an activation as a layer',
      () => activation({ activation: 'tanh' }),
      'binaryCrossentropy',
      /behind activation 'tanh'/,
    ],
    [
      'every step alike',
      () => timeDistributed(dense({ units: 1 })),
      'binaryCrossentropy',
      /behind activation 'linear'/,
    ],
  ])(
    'a loss that does not fit the last activation, %s, throws before the first step',
    async (_, last, loss, message) => {
      const model = sequential([gru({ units: 3, returnSequences: true, inputShape: [3, 2] }) as Layer, last()]);
      model.compile({ optimizer: 'sgd', loss });
      const truth = ndarray(values(4 * 3 * 3, 3), [4, 3, 3]);
      await expect(model.fit(x, truth)).rejects.toThrow(ArgumentError);
      expect(() => model.evaluate(x, truth)).toThrow(message);
      expect(model.optimizer.steps).toBe(0);
    },
  );

  test('a model that is not compiled, throws', () => {
    const model = sequential([dense({ units: 1, inputShape: [2] })], { name: 'net' });
    expect(() => model.trainOnBatch([[1, 2]], [[1]])).toThrow(
      new ArgumentError('net: call compile() before training or evaluating'),
    );
    expect(() => model.compile({ optimizer: 'adam', loss: 'squares' as 'meanSquaredError' })).toThrow(
      /^loss expected one of .*got 'squares'/,
    );
    expect(() =>
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['area' as 'accuracy'] }),
    ).toThrow(/^metric expected .*got 'area'/);
  });

  describe('in a classifier of tokens', () => {
    const classifier = (fromLogits: boolean): Model => {
      const activation = fromLogits ? 'linear' : 'softmax';
      const model = sequential([
        embedding({ inputDim: 5, outputDim: 3 }),
        dropout({ rate: 0.5 }),
        gru({ units: 3, stateful: true }),
        dense({ units: 3, activation }),
      ]);
      model.compile({ optimizer: 'adam', loss: sparseCategoricalCrossentropy({ fromLogits }) });
      return model;
    };
    const ids = [
      [0, 1, 2],
      [3, 4, 0],
    ];

    test.each<[string, DataLike, DataLike, RegExp]>([
      [
        'a label above the classes',
        ids,
        [0, 3],
        /^y expected ids in \[0, 3\), got 3 in sample 1 of \[2\] \(flat index 1\)$/,
      ],
      ['a negative label', ids, [-1, 0], /^y expected ids in \[0, 3\), got -1 in sample 0 of \[2\]/],
      ['a label that is no integer', ids, [0, 0.5], /^y expected integers of 32 bits, got 0.5 in sample 1/],
      ['a label beyond 32 bits', ids, [0, 2 ** 32], /^y expected integers of 32 bits, got 4294967296 in sample 1/],
      [
        'labels of another shape',
        ids,
        [
          [0, 1],
          [1, 0],
        ],
        /targets expected \[2\], got \[2, 2\]$/,
      ],
      [
        'an id outside the vocabulary',
        [
          [0, 1, 2],
          [3, 5, 0],
        ],
        [0, 1],
        /^x expected ids in \[0, 5\), got 5 in sample 1 of \[2, 3\] \(flat index 4\)$/,
      ],
      [
        'an id beyond 32 bits',
        [
          [0, 1, 2],
          [3, 2 ** 33, 0],
        ],
        [0, 1],
        /^x expected integers of 32 bits, got 8589934592 in sample 1/,
      ],
      [
        'another batch than the states carried',
        [[0, 1, 2]],
        [0],
        /stateful, so every batch expected 2 samples as the first, got 1/,
      ],
    ])('%s, throws and changes nothing', (_, badX, badY, message) => {
      for (const fromLogits of [false, true]) {
        const model = classifier(fromLogits);
        model.trainOnBatch(ids, [0, 1]);
        const before = snapshotOf(model);
        expect(() => model.trainOnBatch(badX, badY)).toThrow(ArgumentError);
        expect(() => model.trainOnBatch(badX, badY)).toThrow(message);
        expectSameSnapshot(snapshotOf(model), before);
      }
    });

    test('a bad value in the last batch of fit, or in what it validates on, throws before the first', async () => {
      const twice = [...ids, ...ids];
      const badIds = [...ids, ids[0]!, [0, 1, 7]];
      const labels = [0, 1, 2, 0];
      const good = [twice, labels] as const;
      const bad: [DataLike, DataLike, readonly [DataLike, DataLike]][] = [
        [badIds, labels, good],
        [twice, [0, 1, 2, 3], good],
        [twice, labels, [badIds, labels]],
        [twice, labels, [twice, [0, 1, 2, 3]]],
        [twice, labels, [twice, labels.map((label) => [label, 0])]],
      ];
      for (const [x, y, validationData] of bad) {
        const model = classifier(true);
        model.trainOnBatch(ids, [0, 1]);
        const before = snapshotOf(model);
        const run = model.fit(x, y, { batchSize: 2, shuffle: false, validationData });
        await expect(run).rejects.toThrow(ArgumentError);
        expectSameSnapshot(snapshotOf(model), before);
      }
    });
  });
});

describe('a run that diverges', () => {
  test.each([
    ['sgd', () => sgd({ learningRate: 1e12 })],
    ['rmsprop', () => rmsprop({ learningRate: 1e20 })],
    ['adam', () => adam({ learningRate: 1e25 })],
  ] as const)(
    'with %s and a huge learning rate, throws, names the step and keeps finite weights and carried states',
    (_, optimizer) => {
      const model = sequential([lstm({ units: 4, inputShape: [null, 2], stateful: true }), dense({ units: 1 })]);
      model.compile({ optimizer: optimizer(), loss: 'meanSquaredError' });
      let before = snapshotOf(model);
      let thrown: unknown;
      for (let step = 0; step < 50 && !thrown; step++) {
        before = snapshotOf(model);
        try {
          model.trainOnBatch(sequences(4), targets(4));
        } catch (error) {
          thrown = error;
        }
      }
      expect(thrown instanceof NonFiniteLossError || thrown instanceof NonFiniteGradientError, String(thrown)).toBe(
        true,
      );
      expect((thrown as Error).message).toContain(`at step ${(before.counts.iterations as number) + 1}`);
      expectSameSnapshot(snapshotOf(model), before);
      for (const weight of weightsOf(model)) expect(weight.every(Number.isFinite)).toBe(true);
    },
  );

  test('in its very first step, leaves the model as if that had not been', () => {
    const make = (): Model => {
      setSeed(21);
      return regression();
    };
    const [failed, clean] = [make(), make()];
    setSeed(22);
    const tooLarge = ndarray(new Float32Array(4).fill(1e30), [4, 1]);
    expect(() => failed.trainOnBatch(sequences(4), tooLarge)).toThrow(
      new NonFiniteLossError('the loss became Infinity at step 1'),
    );
    setSeed(22);
    failed.trainOnBatch(sequences(4), targets(4));
    setSeed(22);
    clean.trainOnBatch(sequences(4), targets(4));
    expectSameWeights(failed, clean);
  });

  test('in fit, rejects and keeps the weights of the last good step', async () => {
    const model = regression(sgd({ learningRate: 1e12 }));
    const run = model.fit(sequences(8), targets(8), { epochs: 100, batchSize: 4 });
    await expect(run).rejects.toThrow(/^the (loss became|gradient of).* at step \d+$/);
    for (const weight of weightsOf(model)) expect(weight.every(Number.isFinite)).toBe(true);
  });
});
