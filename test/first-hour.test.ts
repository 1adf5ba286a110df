// Calls of new users: each is accepted, or one sentence says what is wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as t from '../src/index.ts';
import { loadStream } from '../src/stream.ts';

const x = [0, 1, 2, 3].map((i) => [
  [i, 1],
  [2, i],
  [0, 1],
]);
const y = [[0], [1], [2], [3]];
const made = (): t.Model => {
  t.setSeed(1);
  return t.sequential([t.gru({ units: 3, inputShape: [3, 2] }), t.dense({ units: 1 })]);
};
const compiled = (options: object = {}): t.Model => {
  const model = made();
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', ...options });
  return model;
};
const refusal = async (body: () => unknown): Promise<string> => {
  try {
    await body();
  } catch (error) {
    expect(error).toBeInstanceOf(t.ArgumentError);
    return (error as Error).message;
  }
  return 'none';
};

describe('is taken', () => {
  test('the function that makes a loss or a metric, not called, as its name', async () => {
    const history = await compiled({ loss: t.meanSquaredError, metrics: [t.metrics.meanAbsoluteError] }).fit(x, y);
    const named = await compiled({ loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] }).fit(x, y);
    expect(history).toEqual(named);
  });

  test('one metric without a list, for one output and for one of several', async () => {
    const { history } = await compiled({ metrics: 'mae' }).fit(x, y);
    expect(Object.keys(history)).toEqual(['loss', 'mae']);
    const layers = { a: t.dense({ units: 1 }), b: t.dense({ units: 1 }) };
    const two = t.model({ layers, inputs: { shape: [2] } }, (given, { a, b }) => ({ a: a(given), b: b(given) }));
    two.compile({ optimizer: 'sgd', loss: { a: 'mse', b: 'mse' }, metrics: { b: 'mae' } });
    expect(Object.keys(two.evaluate([[1, 2]], { a: [[1]], b: [[1]] }))).toEqual(['loss', 'a_loss', 'b_loss', 'b_mae']);
  });

  test('validationData as { x, y }', async () => {
    const named = await compiled().fit(x, y, { validationData: { x, y } });
    expect(named).toEqual(await compiled().fit(x, y, { validationData: [x, y] }));
  });

  test('one callback without a list', async () => {
    const epochs: number[] = [];
    await compiled().fit(x, y, { epochs: 2, callbacks: { onEpochEnd: (epoch) => void epochs.push(epoch) } });
    expect(epochs).toEqual([0, 1]);
  });

  test('a model file as an ArrayBuffer', () => {
    const model = made();
    const bytes = t.encodeModel(model);
    const { buffer } = bytes.slice();
    expect(t.decodeModel(buffer).model.predict(x)).toEqual(model.predict(x));
    expect(t.restoreModel(made(), buffer)).toEqual({});
  });

  test('a stream of a path or a file address', async () => {
    const model = t.sequential([t.gru({ units: 3, inputShape: [3, 2], returnSequences: true })]);
    const folder = mkdtempSync(join(tmpdir(), 'first-hour-'));
    const path = join(folder, 'm.safetensors');
    writeFileSync(path, t.encodeModel(model));
    const expected = model.stream().step([1, 2]).slice();
    for (const source of [path, pathToFileURL(path)]) {
      expect([...(await loadStream(source)).step([1, 2])]).toEqual([...expected]);
    }
    rmSync(folder, { recursive: true });
    await expect(loadStream(path)).rejects.toThrow('m.safetensors: it could not be fetched');
  });

  test('a mask as nested arrays', () => {
    const mask = [
      [1, 1, 0],
      [1, 1, 1],
      [1, 0, 0],
      [1, 1, 1],
    ];
    const layer = t.gru({ units: 2 });
    const of = (given: t.GivenCallOptions['mask']) => [...layer(t.tensor(x), { mask: given }).toArray()];
    expect(of(mask)).toEqual(of(t.tensor(mask)));
    expect(of(mask)).not.toEqual(of(undefined));
  });

  test('the initial state of a layer that has one, as a tensor', () => {
    const layer = t.gru({ units: 2 });
    const h = t.tensor(new Float32Array(8).fill(0.5), [4, 2]);
    const of = (initialState: t.GivenCallOptions['initialState']) => [
      ...layer(t.tensor(x), { initialState }).toArray(),
    ];
    expect(of(h)).toEqual(of([h]));
  });

  test('a shape in the place of the options of a tensor, and an Int32Array as ids', () => {
    expect(t.tensor([1, 2, 3, 4, 5, 6], [2, 3]).shape).toEqual([2, 3]);
    expect(t.tensor(Int32Array.of(1, 2)).dtype).toBe('i32');
    expect(t.tensor(Int32Array.of(1, 2), { dtype: 'f32' }).dtype).toBe('f32');
    expect(t.tensor([1, 2]).dtype).toBe('f32');
    const ids = t.tensor(Int32Array.of(1, 2, 3, 4), [2, 2]);
    expect([...t.tensor(ids.toArray(), ids.shape).toArray()]).toEqual([1, 2, 3, 4]);
  });

  test('class ids [N, 1] in a loss, as [N]', () => {
    const predictions = t.tensor([
      [0.5, 0.5],
      [0.2, 0.8],
    ]);
    for (const options of [{}, { ignoreClass: 1 }, { fromLogits: true }]) {
      const loss = t.sparseCategoricalCrossentropy(options);
      const of = (...shape: number[]) => loss.compute(t.tensor(Int32Array.of(0, 1), shape), predictions).item();
      expect(of(2, 1)).toBe(of(2));
    }
  });

  test('a stream of a built model without inputShape', () => {
    const model = t.sequential([t.gru({ units: 3, returnSequences: true })]);
    const { data } = model.predict([x[1]!]);
    const stream = model.stream({ maxSteps: 3 });
    expect([...stream.steps(x[1]!.flat(), 3)]).toEqual([...data]);
  });

  test('an embedding without inputShape in front of layers for words of characters, also from a file', () => {
    const stack = () => {
      t.setSeed(2);
      return t.sequential([t.embedding({ inputDim: 4, outputDim: 4 }), t.timeDistributed(t.gru({ units: 3 }))]);
    };
    const words = [
      [
        [0, 1],
        [1, 2],
      ],
    ];
    const model = stack();
    const { shape, data } = model.predict(words);
    expect(shape).toEqual([1, 2, 3]);
    expect(model.summary()).toContain('time_distributed');
    const { model: loaded } = t.decodeModel(t.encodeModel(stack()));
    expect([...loaded.predict(words).data]).toEqual([...data]);
  });
});

test('a shape of five axes that the caller gave, is built for', () => {
  const flat = t.timeDistributed(t.flatten(), { inputShape: [2, 3, 4, 1] });
  expect(t.sequential([flat, t.gru({ units: 2 })]).countParams()).toBe(3 * 2 * (12 + 2 + 2));
});

test('an embedding in front of layers that no number of axes fits, says what the usual two do not fit', () => {
  const layers = [t.embedding({ inputDim: 4, outputDim: 4 }), t.gru({ units: 3 }), t.gru({ units: 3 })];
  expect(() => t.sequential(layers)).toThrow(
    "gru_1(units=3): input expected [batch, time, features], got [?, 3] from layer 'gru'",
  );
  expect(layers[0]!.batchInputShape).toEqual([null, null]);
});

describe('is refused in one sentence', () => {
  const cell = { units: 2, call: (input: t.Tensor) => input };
  const gru = () => t.gru({ units: 2 });

  test.each<[string, () => unknown, string]>([
    [
      'compile without a loss',
      () => made().compile({ optimizer: 'sgd' } as never),
      'compile: loss expected a name, a loss or a function, got undefined',
    ],
    [
      'a stack of nothing',
      () => (t.sequential as () => t.Model)(),
      'sequential: layers expected a list, got undefined',
    ],
    [
      'a cell without units',
      () => t.rnn({ call: cell.call } as never),
      'cell: units expected a number or a list of numbers, got undefined',
    ],
    ['a cell without call', () => t.rnn({ units: 2 } as never), 'rnn: call expected a function, got undefined'],
    [
      'a cell that returns undefined',
      () => t.sequential([t.rnn({ ...cell, call: () => undefined as never })]).predict(x),
      'cell: call expected to return a tensor or [output, states], got undefined',
    ],
    [
      'epochs as text',
      () => compiled().fit(x, y, { epochs: '3' as never }),
      "fit: epochs expected an integer ≥ 1, got '3'",
    ],
    [
      'a bad id in sequences of unequal length',
      () =>
        t.sequential([t.embedding({ inputDim: 3, outputDim: 2 }), gru()]).predict([
          [0, 1],
          [2, 7, 1],
        ]),
      'x[1] expected ids in [0, 3), got 7 in step 1 of [3] (flat index 1)',
    ],
    [
      'a bad id in sequences of one length',
      () =>
        t.sequential([t.embedding({ inputDim: 3, outputDim: 2 }), gru()]).predict([
          [0, 1],
          [2, 7],
        ]),
      'x expected ids in [0, 3), got 7 in sample 1 of [2, 2] (flat index 3)',
    ],
    [
      'a layer of nested arrays',
      () => gru()(x as never),
      'gru(units=2): input expected a tensor, as tensor(values) makes, got a list of 4',
    ],
    [
      'a stream of a cell without a kernel',
      () => t.sequential([t.rnn(cell, { inputShape: [null, 2] })]).stream(),
      'rnn: an RNN layer cannot run step by step, since no kernel for streams has its cell; with stateful: true, predict() of one step after another does the same',
    ],
    [
      'a stream of a model that is not built',
      () => t.sequential([gru()]).stream(),
      'sequential: stream() expected a built model of one input; inputShape of its first layer builds it, or predict()',
    ],
  ])('%s', async (_, call, sentence) => {
    expect(await refusal(call)).toBe(sentence);
  });
});
