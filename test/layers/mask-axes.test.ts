// Masks of one axis and of three: words of characters, and other data with steps inside steps.
import { beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import { batchNormalization, rescaling, upSampling1d, zeroPadding1d } from '../../src/images.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import { type CallOptions, Layer } from '../../src/layers/base/layer.ts';
import { Network } from '../../src/layers/base/network.ts';
import { Sequential } from '../../src/layers/base/sequential.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { add, average, concatenate, multiply } from '../../src/layers/merge.ts';
import { globalAveragePooling1d } from '../../src/layers/pooling.ts';
import { repeatVector } from '../../src/layers/repeat-vector.ts';
import { flatten } from '../../src/layers/reshape.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { values } from '../kernels/reference/values.ts';
import { exchanged } from '../ops/cases/case.ts';

/** Two texts of three words of four characters. */
const TEXTS = [
  [[3, 1, 2, 0], [4, 0, 0, 0], [0, 0, 0, 0]],
  [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
]; // biome-ignore format: one row
const CHARACTERS = TEXTS.map((words) => words.map((word) => word.map((id) => Number(id !== 0))));
const WORDS = CHARACTERS.map((words) => words.map((word) => Math.max(...word)));
const ids = (): Tensor => tensor(TEXTS, { dtype: 'i32' });
const nested = (mask: Tensor | undefined): unknown => {
  const build = (shape: readonly number[], from: number): unknown => {
    if (shape.length === 0) return mask!.toArray()[from];
    const inner = shape.slice(1).reduce((size, n) => size * n, 1);
    return Array.from({ length: shape[0]! }, (_, i) => build(shape.slice(1), from + i * inner));
  };
  return mask && build(mask.shape, 0);
};
/** Features `[2, 3, 4, 2]` of characters with their mask. */
const characters = (timeMajor = false): Tensor => {
  const x = tensor(values(48, 1), { shape: [2, 3, 4, 2] });
  const placed = timeMajor ? exchanged(x) : x;
  placed.mask = tensor(CHARACTERS);
  return placed;
};
const every = { returnSequences: true } as const;

beforeEach(() => setSeed(6));

describe('a mask of characters', () => {
  test('is made by embedding and by masking, with every axis but the last, from what is left of one of words', () => {
    const layer = embedding({ inputDim: 5, outputDim: 2, maskZero: true });
    expect(nested(layer(ids()).mask)).toEqual(CHARACTERS);
    const mask = tensor([[0, 1, 1], [1, 1, 1]]); // biome-ignore format: one row
    expect(nested(layer(ids(), { mask }).mask)).toEqual([CHARACTERS[0]!.with(0, [0, 0, 0, 0]), CHARACTERS[1]]);
    const x = tensor(TEXTS.map((words) => words.map((word) => word.map((id) => [id, 0]))));
    expect(nested(masking()(x).mask)).toEqual(CHARACTERS);
    expect(nested(masking()(exchanged(x)).mask)).toEqual(CHARACTERS);
    expect(nested(masking()(x, { mask }).mask)).toEqual([CHARACTERS[0]!.with(0, [0, 0, 0, 0]), CHARACTERS[1]]);
  });

  test.each<[string, Layer]>([
    ['dense', dense({ units: 2 })],
    ['activation', activation({ activation: 'relu' })],
    ['dropout', dropout({ rate: 0.5 })],
    ['layerNormalization', layerNormalization()],
    ['batchNormalization', batchNormalization()],
    ['rescaling', rescaling({ scale: 2 })],
    ['timeDistributed of dense', timeDistributed(dense({ units: 2 }))],
    ['timeDistributed of timeDistributed', timeDistributed(timeDistributed(dense({ units: 2 })))],
    ['timeDistributed of a recurrent layer with every output', timeDistributed(gru({ units: 2, ...every }))],
    ['timeDistributed of bidirectional', timeDistributed(bidirectional(lstm({ units: 2, ...every })))],
    ['timeDistributed of rnn', timeDistributed(rnn(lstmCell({ units: 2 }), every))],
    [
      'timeDistributed of a stack',
      timeDistributed(new Sequential([dense({ units: 2 }), lstm({ units: 2, ...every })])),
    ],
  ])('is passed on by %s', (_, layer) => {
    for (const timeMajor of [false, true]) expect(nested(layer(characters(timeMajor)).mask)).toEqual(CHARACTERS);
  });

  test.each<[string, Layer]>([
    ['a recurrent layer', lstm({ units: 2 })],
    ['bidirectional', bidirectional(lstm({ units: 2 }))],
    ['conv1d', new Sequential([conv1d({ filters: 2, kernelSize: 2 }), flatten()])],
    ['flatten', flatten()],
    ['globalAveragePooling1d', globalAveragePooling1d()],
    ['zeroPadding1d', new Sequential([zeroPadding1d(), flatten()])],
    ['upSampling1d', new Sequential([upSampling1d(), flatten()])],
  ])('becomes one of words where timeDistributed of %s uses it up', (_, layer) => {
    for (const timeMajor of [false, true]) {
      expect(nested(timeDistributed(layer)(characters(timeMajor)).mask)).toEqual(WORDS);
    }
  });

  test.each([add, average, multiply])('is joined by %o with another, and with one of words', (merge) => {
    const [a, b, c] = [characters(), characters(true), characters()];
    b.mask = tensor(CHARACTERS.toReversed());
    c.mask = tensor([[0, 0, 1], [0, 0, 0]]); // biome-ignore format: one row
    const or = (i: number): unknown =>
      CHARACTERS[i]!.map((word, w) => word.map((kept, t) => Math.max(kept, CHARACTERS[1 - i]![w]![t]!)));
    expect(nested(merge()([a, b]).mask)).toEqual([or(0), or(1)]);
    expect(nested(merge()([c, a]).mask)).toEqual([CHARACTERS[0]!.with(2, [1, 1, 1, 1]), CHARACTERS[1]]);
    expect(merge()([a, tensor(values(48, 2), { shape: [2, 3, 4, 2] })]).mask).toBeUndefined();
  });

  test('is joined by concatenate along words and characters as the inputs are, and along features by either', () => {
    const [a, b] = [characters(), characters(true)];
    b.mask = tensor(WORDS);
    const full = WORDS.map((words) => words.map((kept) => [kept, kept, kept, kept]));
    const joined = (axis: number, inputs = [a, b]): unknown => nested(concatenate({ axis })(inputs).mask);
    expect(joined(1)).toEqual(CHARACTERS.map((words, i) => [...words, ...full[i]!]));
    expect(joined(2)).toEqual(CHARACTERS.map((words, i) => words.map((word, w) => [...word, ...full[i]![w]!])));
    expect(joined(3)).toEqual(full);
    const plain = tensor(values(48, 2), { shape: [2, 3, 4, 2] });
    expect(joined(2, [b, plain])).toEqual(full.map((words) => words.map((word) => [...word, 1, 1, 1, 1])));
    expect(joined(3, [b, plain])).toBeUndefined();
  });

  test('reaches the layer inside timeDistributed, step by step, also when it is given in the call', () => {
    const seen: unknown[] = [];
    class Spy extends Layer {
      readonly className = 'Spy';
      override outputShape = (shape: readonly (number | null)[]) => shape;
      override config = () => ({});
      protected override call(x: Tensor, { mask }: CallOptions): Tensor {
        seen.push(nested(mask));
        return x;
      }
    }
    const x = characters();
    timeDistributed(new Spy('spy', {}))(x);
    const mask = x.mask!;
    x.mask = undefined;
    timeDistributed(new Spy('spy', {}))(x, { mask });
    timeDistributed(new Spy('spy', {}))(x, { mask: tensor(WORDS) });
    const own = new Network({ layers: [new Spy('spy', {})] }, (y: Tensor, [spy]) => spy!(y) as Tensor);
    timeDistributed(own as unknown as Layer)(x, { mask });
    const words = WORDS.flat().map((kept) => [kept, kept, kept, kept]);
    expect(seen).toEqual([CHARACTERS.flat(), CHARACTERS.flat(), words, CHARACTERS.flat()]);
    expect(x.mask).toBeUndefined();
  });

  test('makes padding invisible: texts of words of characters give the bits of each word and text by itself', () => {
    const inside = new Sequential([embedding({ inputDim: 5, outputDim: 3, maskZero: true }), gru({ units: 4 })]);
    const outside = bidirectional(lstm({ units: 2 })) as Layer;
    const model = sequential([
      embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputShape: [null, null] }),
      timeDistributed(gru({ units: 4 })),
      bidirectional(lstm({ units: 2 })),
    ]);
    const whole = model.predict(TEXTS);
    inside.build([null, null]);
    outside.build([null, null, 4]);
    const weights = [...inside.weights, ...outside.weights];
    model.weights.forEach((weight, i) => weights[i]!.assign(weight.toArray()));
    const alone = TEXTS.flatMap((words) => {
      const vectors = words
        .map((word) => word.filter((id) => id !== 0))
        .filter((word) => word.length > 0)
        .map((word) => inside(tensor([word], { dtype: 'i32' })).toArray());
      const shape = [1, vectors.length, 4];
      return Array.from(
        outside(
          tensor(
            vectors.flatMap((v) => Array.from(v)),
            { shape },
          ),
        ).toArray(),
      );
    });
    expectSameBits(Array.from(whole.data), alone, 'predictions');
    // The same words, embedded one by one.
    const steps = sequential([
      timeDistributed(embedding({ inputDim: 5, outputDim: 3, maskZero: true })),
      timeDistributed(gru({ units: 4 })),
      bidirectional(lstm({ units: 2 })),
    ]);
    steps.network.build([null, null, null]);
    model.weights.forEach((weight, i) => steps.weights[i]!.assign(weight.toArray()));
    expectSameBits(Array.from(steps.predict(TEXTS).data), alone, 'embedded inside');
  });

  test('is refused by layers of one sequence, and by layers whose input it does not fit', () => {
    const mask = tensor(CHARACTERS.map((words) => words.slice(0, 2)));
    const x = tensor(values(24, 1), { shape: [2, 3, 4] });
    for (const [name, layer] of [
      ['lstm(units=2)', lstm({ units: 2 })],
      ['rnn', rnn(lstmCell({ units: 2 }))],
      ['bidirectional', bidirectional(gru({ units: 2 }))],
      ['global_average_pooling1d', globalAveragePooling1d()],
      ['dense(units=2)', dense({ units: 2 })],
    ] as [string, Layer][]) {
      const expected = new ArgumentError(`${name}: mask expected [2, 3], got [2, 3, 4]`);
      expect(() => layer(x, { mask: tensor(CHARACTERS) })).toThrow(expected);
    }
    expect(() => dense({ units: 2 })(characters(), { mask })).toThrow(
      new ArgumentError('dense(units=2): mask expected [2, 3, 4], got [2, 2, 4]'),
    );
    expect(() => dense({ units: 2 })(x, { mask: tensor(1 as never, { shape: [] }) })).toThrow(ArgumentError);
  });
});

describe('a mask of samples', () => {
  test('embedding inside timeDistributed makes one of steps', () => {
    const layer = timeDistributed(embedding({ inputDim: 5, outputDim: 2, maskZero: true }));
    const y = layer(tensor([[1, 0], [0, 3]], { dtype: 'i32' })); // biome-ignore format: one row
    expect(nested(y.mask)).toEqual([[1, 0], [0, 1]]); // biome-ignore format: one row
    expect(nested(layer(ids()).mask)).toEqual(CHARACTERS);
  });

  test('of words inside timeDistributed, holds for all characters: a recurrent layer makes none of their steps', () => {
    const x = (bad: number): Tensor => {
      const y = tensor(values(48, 1).fill(bad, 0, 8), { shape: [2, 3, 4, 2] });
      y.mask = tensor([[0, 1, 1], [1, 1, 1]]); // biome-ignore format: one row
      return y;
    };
    for (const inner of [
      gru({ units: 2 }),
      rnn(lstmCell({ units: 2 }), { ...every, goBackwards: true }),
      bidirectional(simpleRnn({ units: 2, ...every })),
      globalAveragePooling1d(),
      new Sequential([flatten(), repeatVector({ n: 2 }), gru({ units: 2 })]),
    ] as Layer[]) {
      const layer = timeDistributed(inner);
      expectSameBits(layer(x(Number.NaN)).toArray(), layer(x(0)).toArray(), 'output');
    }
    const first = timeDistributed(gru({ units: 2 }))(x(5))
      .toArray()
      .subarray(0, 2);
    expect(Array.from(first, (v) => v + 0)).toEqual([0, 0]);
    expect(nested(timeDistributed(dense({ units: 1 }))(x(0)).mask)).toEqual(
      [0, 1].map((text) => [0, 1, 2].map((word) => new Array(4).fill(text === 0 && word === 0 ? 0 : 1))),
    );
  });

  test('goes on with vectors, and is refused by layers of sequences', () => {
    const x = tensor(values(6, 1), { shape: [2, 3] });
    x.mask = tensor([0, 1]);
    expect(nested(dense({ units: 2 })(x).mask)).toEqual([0, 1]);
    expect(repeatVector({ n: 2 })(x).mask).toBeUndefined();
    const sequence = tensor(values(24, 1), { shape: [2, 3, 4] });
    expect(() => lstm({ units: 2 })(sequence, { mask: x.mask })).toThrow(
      new ArgumentError('lstm(units=2): mask expected [2, 3], got [2]'),
    );
  });
});

test('a loss of predictions with a mask of characters, is the mean over those, with weights of samples or of words', () => {
  const make = () => {
    setSeed(1);
    const model = sequential([
      embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputShape: [null, null] }),
      timeDistributed(gru({ units: 2, ...every })),
      dense({ units: 1, kernelInitializer: 'zeros' }),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mse'] });
    return model;
  };
  const y = TEXTS.map((words) => words.map((word) => word.map((id) => [id || 3e38])));
  const squares = [3, 1, 2, 4, 1, 1].map((v) => v * v);
  const mean = squares.reduce((sum, v) => sum + v) / 6;
  const logs = make().evaluate(TEXTS, y);
  expect(logs.loss).toBeCloseTo(mean, 5);
  expect(logs.mean_squared_error ?? logs.mse).toBeCloseTo(mean, 5);
  expect(make().evaluate(TEXTS, y, { sampleWeight: [1, 0] }).loss).toBeCloseTo((9 + 1 + 4 + 16) / 6, 5);
  const byWord = { sampleWeight: [[0, 1, 1], [2, 1, 1]] }; // biome-ignore format: one row
  expect(make().evaluate(TEXTS, y, byWord).loss).toBeCloseTo((16 + 2 + 2) / 6, 5);
  expect(make().trainOnBatch(TEXTS, y).loss).toBeCloseTo(mean, 5);
});
