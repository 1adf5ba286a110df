// How users of Keras and PyTorch first call `fit`, losses and optimizers. No mistake stays silent.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as t from '../../src/index.ts';

const x = [0, 1, 2, 3].map((i) => [
  [i, 1],
  [2, i],
  [0, 1],
]);
const y = [[0], [1], [2], [3]];
const compiled = (options: object = {}): t.Model => {
  t.setSeed(1);
  const model = t.sequential([t.gru({ units: 3, inputShape: [3, 2] }), t.dense({ units: 1 })]);
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

describe('fit on batches', () => {
  test.each([
    ['sampleWeight', [1, 1, 1, 1]],
    ['batchSize', 2],
    ['validationSplit', 0.5],
    ['shuffle', true],
  ])('with %s, which only samples have, throws and trains nothing', async (name, value) => {
    const model = compiled();
    const before = model.getWeights();
    expect(await refusal(() => model.fit(() => [[x, y]], { [name]: value }))).toBe(
      `fit: ${name} expected samples, got batches, each of which is taken as it comes`,
    );
    expect(model.getWeights()).toEqual(before);
  });

  test('that are said to be neither split nor shuffled, or have options in third place, trains', async () => {
    const { epoch } = await compiled().fit(() => [[x, y]], { epochs: 2, shuffle: false, validationSplit: 0 });
    expect(epoch).toEqual([0, 1]);
    const fit = compiled() as unknown as { fit(...given: unknown[]): Promise<t.History> };
    expect((await fit.fit(() => [[x, y]], undefined, { epochs: 2 })).epoch).toEqual([0, 1]);
  });
});

describe('a loss of the caller’s own', () => {
  const squares = (a: t.Tensor, b: t.Tensor): t.Tensor => t.ops.mean(t.ops.square(t.ops.sub(a, b)), { axis: -1 });
  const lossOf = (loss: t.CompileOptions['loss'], targets: t.SamplesLike, steps = false): number => {
    t.setSeed(1);
    const model = t.sequential([
      t.gru({ units: 3, inputShape: [null, 2], returnSequences: steps }),
      t.dense({ units: 1 }),
    ]);
    model.compile({ optimizer: 'sgd', loss });
    return model.evaluate(steps && targets instanceof t.RaggedArray ? t.ragged([x[0]!, x[1]!.slice(1)]) : x, targets)
      .loss!;
  };

  test('with targets [N] for outputs [N, 1] is that of targets [N, 1]', () => {
    expect(lossOf(squares, [0, 1, 2, 3])).toBe(lossOf(squares, y));
    expect(lossOf(squares, [0, 1, 2, 3])).toBeCloseTo(lossOf('mse', y), 6);
  });

  test('with targets [B, T] for outputs [B, T, 1] is that of targets [B, T, 1], of unequal sequences too', () => {
    const flat = x.map((steps) => steps.map(([first]) => first!));
    const whole = flat.map((steps) => steps.map((each) => [each]));
    expect(lossOf(squares, flat, true)).toBe(lossOf(squares, whole, true));
    const unequal = t.ragged([flat[0]!, flat[1]!.slice(1)]);
    expect(lossOf(squares, unequal, true)).toBeCloseTo(lossOf('mse', unequal, true), 6);
  });

  test('that returns nothing, or the NaN of arithmetic, is named', async () => {
    const nothing = (): t.Tensor => undefined as never;
    expect(await refusal(() => compiled({ loss: nothing }).evaluate(x, y))).toBe(
      'loss function nothing: its value expected a tensor, got undefined',
    );
    const nan = (): t.Tensor => Number.NaN as never;
    expect(await refusal(() => compiled({ loss: nan }).evaluate(x, y))).toBe(
      'loss function nan: its value expected a tensor, got NaN',
    );
  });

  test('as a metric that returns nothing is named', async () => {
    const nothing = (): t.Tensor => undefined as never;
    expect(await refusal(() => compiled({ metrics: [nothing] }).evaluate(x, y))).toBe(
      'metric function nothing: its value expected a tensor, got undefined',
    );
  });
});

describe('classWeight', () => {
  test('as a Map throws', async () => {
    const classWeight = new Map([[0, 2]]) as never;
    expect(await refusal(() => compiled().fit(x, y, { classWeight }))).toMatch(
      /^classWeight expected an object, got a Map/,
    );
  });

  test.each([
    ['sparseCategoricalCrossentropy', 3, [0, 1, 2, 0]],
    [
      'categoricalCrossentropy',
      3,
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ],
    ],
    ['binaryCrossentropy', 2, [0, 1, 1, 0]],
  ] as const)('of a class that %s does not know throws; of those it knows, it trains', async (loss, classes, y) => {
    const last =
      classes === 3 ? t.dense({ units: 3, activation: 'softmax' }) : t.dense({ units: 1, activation: 'sigmoid' });
    const model = t.sequential([t.gru({ units: 3, inputShape: [3, 2] }), last]);
    model.compile({ optimizer: 'sgd', loss });
    expect(await refusal(() => model.fit(x, y, { classWeight: { 0: 1, 7: 2 } }))).toBe(
      `classWeight expected classes in [0, ${classes}), got '7'`,
    );
    expect((await model.fit(x, y, { classWeight: { 0: 1, [classes - 1]: 2 } })).epoch).toEqual([0]);
  });
});

describe('validationData', () => {
  test.each([
    ['samples alone', x, 'fit: validationData expected [x, y] or [x, y, sampleWeight], got a list of 4'],
    ['[x]', [x], 'fit: validationData expected [x, y] or [x, y, sampleWeight], got a list of 1'],
    [
      'one target too few',
      [x, y.slice(1)],
      'fit: validationData: x and y expected as many samples, got [4, 3, 2] and [3, 1]',
    ],
    [
      'targets of another width',
      [
        x,
        [
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
        ],
      ],
      'fit: validationData: meanSquaredError: targets expected [4, 1], got [4, 2]',
    ],
  ])('of %s is named', async (_, validationData, message) => {
    expect(await refusal(() => compiled().fit(x, y, { validationData: validationData as never }))).toBe(message);
  });

  test('in batches is named too', async () => {
    expect(await refusal(() => compiled().fit(x, y, { validationData: () => [[x, y.slice(1)]] }))).toBe(
      'fit: validationData: x and y expected as many samples, got [4, 3, 2] and [3, 1]',
    );
  });
});

describe('where there is no performance, as in an AudioWorklet', () => {
  afterEach(() => void vi.unstubAllGlobals());

  test('fit trains', async () => {
    const model = compiled();
    vi.stubGlobal('performance', undefined);
    const { loss } = (await model.fit(x, y, { verbose: 0 })).history;
    expect(loss).toHaveLength(1);
  });
});

describe('a callback', () => {
  test.each([
    ['onTrainBatchEnd', 'onBatchEnd'],
    ['on_train_batch_begin', 'onBatchBegin'],
    ['on_train_batch_end', 'onBatchEnd'],
    ['on_epoch_end', 'onEpochEnd'],
    ['onEpochEnds', 'onEpochEnd'],
  ])('with a method %s beside a known one throws, and so does a class', async (name, known) => {
    const message = `fit: callbacks[0]: unknown method '${name}'; did you mean '${known}'?`;
    const callbacks = { onEpochBegin() {}, [name]() {} };
    expect(await refusal(() => compiled().fit(x, y, { callbacks }))).toBe(message);
    class Base {
      onTrainEnd(): void {}
    }
    Object.assign(Base.prototype, { [name]() {} });
    class Own extends Base {}
    expect(await refusal(() => compiled().fit(x, y, { callbacks: new Own() }))).toBe(message);
  });

  test('with other names, or with something else than a function under such a name, is taken', async () => {
    const callbacks = { onEpochEnd() {}, once() {}, one: 1, onTop: 2 };
    expect((await compiled().fit(x, y, { callbacks })).epoch).toEqual([0]);
  });
});

describe('names of Keras', () => {
  test('that are set on a model or an optimizer throw', async () => {
    const model = compiled() as t.Model & { stop_training: boolean; optimizer: { lr: number; learning_rate: number } };
    expect(await refusal(() => (model.stop_training = true))).toBe('stop_training is called stopTraining here');
    expect(await refusal(() => (model.optimizer.lr = 1))).toBe('lr is called learningRate here');
    expect(await refusal(() => (model.optimizer.learning_rate = 1))).toBe('learning_rate is called learningRate here');
  });
});

describe('arithmetic of JavaScript', () => {
  test('on tensors, parameters and arrays throws; text of them is theirs', async () => {
    const q = t.tensor([1, 2]);
    const p = new t.Parameter('p', [1], [3]);
    const a = t.ndarray([1, 2], [2]);
    const on = 'use ops.mul and its like, or item() for the only number';
    const got = (kind: string): string => `arithmetic expected numbers, got ${kind}`;
    expect(await refusal(() => (q as never as number) * 2)).toBe(`${got("Tensor 'tensor' [2] f32 [1, 2]")}; ${on}`);
    expect(await refusal(() => (p as never as number) > 1)).toBe(`${got("Parameter 'p' [1] f32 [3]")}; ${on}`);
    expect(await refusal(() => (a as never as number) > 1)).toBe(
      `${got('NdArray [2] [1, 2]')}; use the numbers in its data, or toNested()`,
    );
    for (const sum of [() => Math.abs(q as never), () => (q as never as number) + 1]) {
      expect(await refusal(sum)).toMatch(/^arithmetic expected numbers/);
    }
    expect([`${q}`, String(p), [a].join()]).toEqual([
      "Tensor 'tensor' [2] f32 [1, 2]",
      "Parameter 'p' [1] f32 [3]",
      'NdArray [2] [1, 2]',
    ]);
  });

  test('in a metric or a loss is told', async () => {
    const off = (a: t.Tensor, b: t.Tensor): number => Math.abs((a as never as number) - (b as never as number));
    expect(await refusal(() => compiled({ metrics: [off] }).evaluate(x, y))).toMatch(/^arithmetic expected numbers/);
    const loss = ((a: never, b: never) => (a - b) ** 2) as never;
    expect(await refusal(() => compiled({ loss }).evaluate(x, y))).toMatch(/^arithmetic expected numbers/);
  });
});

describe('predict', () => {
  test('of no samples gives no outputs of their shape', () => {
    expect(compiled().predict([]).shape).toEqual([0, 1]);
    const steps = t.sequential([t.gru({ units: 3, inputShape: [null, 2], returnSequences: true })]);
    expect(steps.predict([]).shape).toEqual([0, 0, 3]);
    expect(steps.predict(t.ndarray([], [0, 5, 2])).shape).toEqual([0, 5, 3]);
    expect(t.sequential([t.gru({ units: 3 })]).predict([]).shape).toEqual([0]);
  });

  test('and evaluate and fit take as many samples at a time as batchInputShape declares', async () => {
    const model = t.sequential([t.gru({ units: 1, batchInputShape: [40, 3, 2] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const many = Array.from({ length: 80 }, () => x[0]!);
    const targets = many.map(() => [0]);
    expect(model.predict(many).shape).toEqual([80, 1]);
    expect(model.evaluate(many, targets).loss).toBeCloseTo(model.evaluate(many, targets, { batchSize: 40 }).loss!, 6);
    let batches = 0;
    await model.fit(many, targets, {
      validationData: [many, targets],
      callbacks: { onBatchEnd: () => void batches++ },
    });
    expect(batches).toBe(2);
  });
});

test('f1Score of one output has its plain name in the logs', () => {
  const model = compiled({ loss: 'mse', metrics: [t.metrics.f1Score({ threshold: 0.5 })] });
  expect(Object.keys(model.evaluate(x, [0, 1, 1, 0]))).toEqual(['loss', 'f1Score']);
});
