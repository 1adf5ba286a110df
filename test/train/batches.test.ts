import { beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { streamBatches } from '../../src/data/stream-batches.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import type { FitOptions } from '../../src/models/model.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { sgd } from '../../src/optimizers/index.ts';
import type { BatchData, Batches } from '../../src/train/feeds/batches.ts';
import { expectSameWeights, regression, sequences, targets } from './regression.ts';

beforeEach(() => setSeed(11));

const [x, y] = [sequences(8), targets(8)];
const part = (from: number, to: number): BatchData => [
  ndarray(x.data.slice(6 * from, 6 * to), [to - from, 3, 2]),
  ndarray(y.data.slice(from, to), [to - from, 1]),
];
const parts = [part(0, 3), part(3, 6), part(6, 8)];

/** A model of which every batch's loss is the mean of its targets. */
function meter(): Model {
  const model = sequential([dense({ units: 1, kernelInitializer: 'zeros', inputShape: [1] })]);
  model.compile({ optimizer: sgd({ learningRate: 0 }), loss: 'meanAbsoluteError' });
  return model;
}
const one = (value: number): BatchData => [[[0]], [[value]]];

/** The losses of the batches, an epoch an entry. */
async function lossesOf(batches: Batches, options: FitOptions): Promise<number[][]> {
  const epochs: number[][] = [];
  await meter().fit(batches, {
    ...options,
    callbacks: [
      { onEpochBegin: () => void epochs.push([]), onBatchEnd: (_, { loss }) => void epochs.at(-1)!.push(loss!) },
    ],
  });
  return epochs;
}

describe('fit on batches', () => {
  test('from an iterable, an async one, generator functions or records, is fit on the same samples', async () => {
    const train = async (run: (model: Model) => Promise<unknown>): Promise<Model> => {
      setSeed(11);
      const model = regression();
      await run(model);
      return model;
    };
    const whole = await train((model) => model.fit(x, y, { epochs: 2, batchSize: 3, shuffle: false }));
    const forms: Batches[] = [
      new Set(parts),
      () => parts,
      parts.map((each) => ({ x: (each as [never, never])[0], y: (each as [never, never])[1] })),
      function* () {
        yield* parts;
      },
      async function* () {
        for (const each of parts) yield await Promise.resolve(each);
      },
      () => parts.map((each) => ({ x: (each as [never, never])[0], y: (each as [never, never])[1] })),
    ];
    for (const batches of forms) {
      expectSameWeights(await train((model) => model.fit(batches, { epochs: 2 })), whole);
    }
  });

  test('with stepsPerEpoch, goes on where the epoch before ended, and from the start where there is no more', async () => {
    const losses = await lossesOf(() => [one(1), one(2), one(3), one(4), one(5)], { epochs: 4, stepsPerEpoch: 3 });
    expect(losses).toEqual([
      [1, 2, 3],
      [4, 5, 1],
      [2, 3, 4],
      [5, 1, 2],
    ]);
  });

  test('of a generator with stepsPerEpoch, leaves the rest of it to the caller', async () => {
    const generator = (function* () {
      for (let i = 1; ; i++) yield one(i);
    })();
    expect(await lossesOf(generator, { epochs: 2, stepsPerEpoch: 2 })).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(generator.next().value).toEqual(one(5));
  });

  test('of a generator that has run out, throws and says what to give', async () => {
    const generator = () =>
      (function* () {
        yield one(1);
        yield one(2);
      })();
    await expect(lossesOf(generator(), { epochs: 2 })).rejects.toThrow(
      new ArgumentError(
        'fit: batches expected one batch or more, got 0; give a function that makes them anew each time',
      ),
    );
    await expect(lossesOf(generator(), { epochs: 2, stepsPerEpoch: 3 })).rejects.toThrow(
      'fit: batches expected 3 batches, got 2',
    );
    await expect(lossesOf(() => [], { stepsPerEpoch: 2 })).rejects.toThrow('fit: batches expected 2 batches, got 0');
  });

  test.each<[string, FitOptions, string]>([
    ['that end', { epochs: 2 }, 'open 1 closed open 1 closed'],
    ['of which some are taken', { epochs: 2, stepsPerEpoch: 1 }, 'open 1 2 closed'],
    [
      'of a callback that stops',
      { epochs: 2, callbacks: [{ onBatchEnd: () => Promise.reject(new Error('stop')) }] },
      'open 1 closed',
    ],
  ])('%s, closes the iterators that it made', async (_, options, expected) => {
    const seen: (string | number)[] = [];
    const count = options.stepsPerEpoch ? 5 : 1;
    const batches = async function* () {
      seen.push('open');
      try {
        for (let i = 1; i <= count; i++) {
          seen.push(i);
          yield one(i);
        }
      } finally {
        seen.push('closed');
      }
    };
    await meter()
      .fit(batches, options)
      .catch(() => {});
    expect(seen.join(' ')).toBe(expected);
  });

  test('that does not fit, throws and leaves the batches before it trained', async () => {
    const model = regression();
    const bad: BatchData = [sequences(2, 3, 5), targets(2)];
    await expect(model.fit(() => [parts[0]!, bad])).rejects.toThrow('input expected [?, ?, 2]');
    expect(model.optimizer.iterations).toBe(1);
  });
});

describe('fit on samples', () => {
  test('with stepsPerEpoch, goes on where the epoch before ended', async () => {
    const values = [[1], [2], [3], [4], [5]];
    const epochs: number[][] = [];
    await meter().fit(
      values.map(() => [0]),
      values,
      {
        epochs: 3,
        batchSize: 2,
        shuffle: false,
        stepsPerEpoch: 2,
        callbacks: [
          { onEpochBegin: () => void epochs.push([]), onBatchEnd: (_, { loss }) => void epochs.at(-1)!.push(loss!) },
        ],
      },
    );
    expect(epochs).toEqual([
      [1.5, 3.5],
      [5, 1.5],
      [3.5, 5],
    ]);
  });
});

describe('validation data', () => {
  const validation: BatchData = [sequences(5, 3, 2, 8), targets(5, 9)];
  const [vx, vy] = validation as [typeof x, typeof y];
  const cutAt = (n: number): BatchData[] => [
    [ndarray(vx.data.slice(0, 6 * n), [n, 3, 2]), ndarray(vy.data.slice(0, n), [n, 1])],
    [ndarray(vx.data.slice(6 * n), [5 - n, 3, 2]), ndarray(vy.data.slice(n), [5 - n, 1])],
  ];

  test.each<[string, FitOptions['validationData']]>([
    ['samples', [vx, vy]],
    ['samples and weights', [vx, vy, [1, 1, 1, 1, 1]]],
    ['an iterable of batches', new Set(cutAt(2))],
    ['a function of batches', () => cutAt(3)],
    [
      'an async generator function',
      async function* () {
        yield* cutAt(4);
      },
    ],
  ])('as %s, is measured after every epoch', async (_, validationData) => {
    const model = regression(sgd({ learningRate: 0 }));
    const { history, validated } = await model.fit(x, y, { epochs: 2, validationData });
    const expected = model.evaluate(vx, vy);
    for (const [name, value] of Object.entries(expected)) {
      for (const got of history[`val_${name}`]!) expect(got).toBeCloseTo(value, 6);
    }
    expect(validated).toEqual([0, 1]);
  });

  test('with validationSteps, is measured on as many batches, every time from the first', async () => {
    const values = [1, 2, 3, 4];
    const options = { epochs: 2, validationSteps: 3, validationBatchSize: 1 };
    for (const validationData of [
      () => values.map(one),
      new Set(values.map(one)),
      [values.map(() => [0]), values.map((value) => [value])] as const,
    ]) {
      const { history } = await meter().fit([[0]], [[1]], { ...options, validationData });
      expect(history.val_loss).toEqual([2, 2]);
    }
  });

  test.each<[string, FitOptions['validationFreq'], number[]]>([
    ['every second', 2, [1, 3]],
    ['every third', 3, [2]],
    ['a list', [1, 2, 5], [0, 1, 4]],
  ])('with validationFreq %s, is measured after these epochs', async (_, validationFreq, expected) => {
    const { history, validated, epoch } = await meter().fit([[0]], [[1]], {
      epochs: 5,
      validationFreq,
      validationData: [[[0]], [[2]]],
    });
    expect(epoch).toEqual([0, 1, 2, 3, 4]);
    expect(validated).toEqual(expected);
    expect(history.val_loss).toEqual(expected.map(() => 2));
    expect(history.loss!.length).toBe(5);
  });
});

describe('evaluate and predict on batches', () => {
  test('give what they give on the samples together', async () => {
    const model = regression();
    const together = model.evaluate(x, y);
    const apart = await model.evaluate(() => parts);
    expect(Object.keys(apart)).toEqual(Object.keys(together));
    for (const [name, value] of Object.entries(together)) expect(apart[name]).toBeCloseTo(value, 6);
    const predicted = await model.predict(() => parts);
    expect(predicted.shape).toEqual([8, 1]);
    expect(predicted.data).toEqual(model.predict(x).data);
    const named = async function* () {
      yield { x: ndarray(x.data.slice(36), [2, 3, 2]) };
    };
    expect((await model.predict(named)).data).toEqual(model.predict(x).data.slice(6));
  });

  test('with steps, use as many', async () => {
    const model = meter();
    const batches = () => [one(1), one(2), one(9)];
    expect(await model.evaluate(batches, { steps: 2 })).toEqual({ loss: 1.5 });
    expect((await model.predict(batches, { steps: 2 })).shape).toEqual([2, 1]);
  });

  test('of another width of outputs, throw', async () => {
    const model = sequential([gru({ units: 2, returnSequences: true, inputShape: [null, 2] })]);
    await expect(model.predict(() => [{ x: sequences(1, 3) }, { x: sequences(1, 4) }])).rejects.toThrow(
      new ArgumentError('predict: every batch expected outputs of [3, 2] as the first, got [4, 2]'),
    );
  });

  test('of a stateful model, carry states from batch to batch as for samples', async () => {
    setSeed(3);
    const model = sequential([gru({ units: 2, stateful: true, inputShape: [null, 2] }), dense({ units: 1 })]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const whole = model.predict(x, { batchSize: 4 });
    model.resetStates();
    const batches = [0, 4].map((from) => [ndarray(x.data.slice(6 * from, 6 * from + 24), [4, 3, 2])] as const);
    expect((await model.predict(() => batches)).data).toEqual(whole.data);
  });
});

describe('what is no batch', () => {
  const shown: [unknown, string][] = [
    [null, 'null'],
    [undefined, 'undefined'],
    [3, 'number'],
    ['ab', 'string'],
    [{}, 'object'],
    [{ y: [[1]] }, 'object'],
  ];
  test.each(shown)(
    '%o, is refused by fit, evaluate, predict and as validation, which say what is',
    async (item, got) => {
      const model = meter();
      const batches = (): never => [one(1), item] as never;
      const message = (what: string): string => `${what} expected { x, y } or [x, y] each, got ${got}`;
      await expect(model.fit(batches)).rejects.toThrow(new ArgumentError(message('fit: batches')));
      await expect(model.evaluate(batches)).rejects.toThrow(new ArgumentError(message('evaluate: batches')));
      await expect(model.predict(batches)).rejects.toThrow(new ArgumentError(message('predict: batches')));
      const run = model.fit(() => [one(1)], { validationData: batches });
      await expect(run).rejects.toThrow(new ArgumentError(message('fit: validationData')));
    },
  );

  test.each([
    ['reset_mask', "unknown option 'reset_mask'; did you mean 'resetMask'?"],
    ['weights', "unknown option 'weights'; expected x, y, sampleWeight, resetStates, resetMask"],
  ])('a batch with %s, is refused', async (name, message) => {
    const { x, y } = one(1) as { x: never; y: never };
    const batches = () => [{ x, y, [name]: [1] }] as never;
    await expect(meter().fit(batches)).rejects.toThrow(new ArgumentError(`fit: batches: ${message}`));
    await expect(meter().evaluate(batches)).rejects.toThrow(new ArgumentError(`evaluate: batches: ${message}`));
    await expect(meter().predict(batches)).rejects.toThrow(new ArgumentError(`predict: batches: ${message}`));
  });

  test('a list of pairs, is taken for samples, and says how it is given', async () => {
    const pairs = [one(1), one(2)] as never;
    await expect(meter().fit(pairs)).rejects.toThrow('a list of batches is given as () => list');
    expect(() => meter().evaluate(pairs, undefined as never)).toThrow('a list of batches is given as () => list');
  });
});

describe('a list of records', () => {
  const records = [1, 3].map((value) => ({ x: [[0]], y: [[value]] }));

  test('is batches to fit, to evaluate, to predict and to validate on', async () => {
    expect(await lossesOf(records, { epochs: 2 })).toEqual([
      [1, 3],
      [1, 3],
    ]);
    expect((await meter().evaluate(records)).loss).toBe(2);
    expect((await meter().predict(records)).shape).toEqual([2, 1]);
    const { history } = await meter().fit(() => [one(1)], { validationData: records });
    expect(history.val_loss).toEqual([2]);
  });
});

describe('validationData', () => {
  const [given, target] = [
    [[0], [0], [0]],
    [[1], [2], [6]],
  ];
  const validated = async (validationData: FitOptions['validationData']): Promise<number[] | undefined> =>
    (await meter().fit([[0]], [[1]], { validationData })).history.val_loss;

  test('as a record, is that of a list, with weights and without', async () => {
    expect(await validated([given, target])).toEqual([3]);
    expect(await validated({ x: given, y: target })).toEqual([3]);
    const sampleWeight = [1, 1, 0];
    const weighted = await validated([given, target, sampleWeight]);
    expect(weighted).not.toEqual([3]);
    expect(await validated({ x: given, y: target, sampleWeight })).toEqual(weighted);
  });

  test('that is neither samples nor batches, is refused before training', async () => {
    const model = meter();
    const run = model.fit([[0]], [[1]], { validationData: { inputs: given, targets: target } as never });
    await expect(run).rejects.toThrow('fit: validationData expected { x, y } or [x, y] each, got object');
    expect(model.optimizer.steps).toBe(0);
  });
});

describe('fit on streamBatches', () => {
  const ids = Int32Array.from({ length: 61 }, (_, i) => (i * i) % 5);
  const make = (): Model => {
    setSeed(2);
    const model = sequential([
      embedding({ inputDim: 5, outputDim: 3 }),
      gru({ units: 4, returnSequences: true, stateful: true }) as Layer,
      dense({ units: 5 }),
    ]);
    model.compile({ optimizer: 'adam', loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
    return model;
  };

  test('carries states through a pass and starts the next one from zeros', async () => {
    const [whole, byHand] = [make(), make()];
    const batches = streamBatches(ids, { batchSize: 3, steps: 5 });
    const { history } = await whole.fit(batches, { epochs: 2 });
    const losses = [0, 1].map(() => {
      byHand.resetStates();
      return [...batches].map(({ x, y }) => byHand.trainOnBatch(x, y).loss!);
    });
    expectSameWeights(whole, byHand);
    expect(history.loss).toEqual(losses.map((each) => each.reduce((sum, loss) => sum + loss, 0) / each.length));
  });

  test('evaluates from zeros, and validates without touching what training carries', async () => {
    const [plain, validated] = [make(), make()];
    const batches = streamBatches(ids, { batchSize: 3, steps: 5 });
    const once = await plain.evaluate(batches);
    expect(await plain.evaluate(batches)).toEqual(once);
    plain.resetStates();
    await plain.fit(batches, { epochs: 2 });
    await validated.fit(batches, { epochs: 2, validationData: streamBatches(ids, { batchSize: 4, steps: 3 }) });
    expectSameWeights(plain, validated);
    expect(plain.trainer.statefulLayers[0]!.carried.values).toEqual(
      validated.trainer.statefulLayers[0]!.carried.values,
    );
  });
});
