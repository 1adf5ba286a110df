import { describe, expect, test } from 'vitest';
import { attention } from '../../src/layers/attention.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { model, sequential } from '../../src/models/model.ts';

const parameters = (layers: readonly Layer[]): number =>
  sequential(layers).weights.reduce((total, weight) => total + weight.size, 0);
const shapes = (layer: Layer): Record<string, readonly number[]> =>
  Object.fromEntries(sequential([layer]).weights.map((weight) => [weight.name, weight.shape]));

describe('parameter counts', () => {
  const text = (layer: Layer): Layer[] => [embedding({ inputDim: 10000, outputDim: 32 }), layer, dense({ units: 1 })];

  // As Keras's own summary() counts them.
  test.each<[string, Layer, number]>([
    ['SimpleRNN(32)', simpleRnn({ units: 32 }), 322_113],
    ['LSTM(32)', lstm({ units: 32 }), 328_353],
    ['GRU(32)', gru({ units: 32 }), 326_369],
    ['GRU(32, resetAfter: false)', gru({ units: 32, resetAfter: false }), 326_273],
    ['LSTM(32, useBias: false)', lstm({ units: 32, useBias: false }), 328_225],
  ])('Embedding(10000, 32), %s, Dense(1), has as many as in Keras', (_, layer, count) => {
    expect(parameters(text(layer))).toBe(count);
  });

  // The figures of a lecture's slides, which are Keras's.
  test.each<[string, number, Layer[]]>([
    [
      'Embedding, four of SimpleRNN(32), Dense(1)',
      328_353,
      [
        embedding({ inputDim: 10000, outputDim: 32 }),
        ...[0, 1, 2].map(() => simpleRnn({ units: 32, returnSequences: true })),
        simpleRnn({ units: 32 }),
        dense({ units: 1 }),
      ],
    ],
    [
      'LSTM(50, relu), Dense(2)',
      10_502,
      [lstm({ units: 50, activation: 'relu', inputShape: [1, 1] }), dense({ units: 2 })],
    ],
    [
      'LSTM(50, relu), Dense(1)',
      10_451,
      [lstm({ units: 50, activation: 'relu', inputShape: [3, 1] }), dense({ units: 1 })],
    ],
    [
      'LSTM(50, relu), Dense(3)',
      10_553,
      [lstm({ units: 50, activation: 'relu', inputShape: [3, 1] }), dense({ units: 3 })],
    ],
    [
      'Bidirectional(LSTM(64)), Dense(1)',
      320_000 + 2 * 4 * ((32 + 64) * 64 + 64) + 129,
      [embedding({ inputDim: 10000, outputDim: 32 }), bidirectional(lstm({ units: 64 })), dense({ units: 1 })],
    ],
    ['Conv1D(16, 5) on 8 features', (5 * 8 + 1) * 16, [conv1d({ filters: 16, kernelSize: 5, inputShape: [20, 8] })]],
  ])('%s, are %i', (_, count, layers) => {
    expect(parameters(layers)).toBe(count);
  });

  test('countParams of a model and its layers, counts what is frozen apart, as summary does', () => {
    const recurrent = bidirectional(gru({ units: 4 })) as Layer;
    const made = sequential([
      embedding({ inputDim: 10, outputDim: 4, trainable: false }),
      recurrent,
      dense({ units: 2 }),
    ]);
    const counts = (of: { countParams: Layer['countParams'] }) =>
      [undefined, true, false].map((trainable) => of.countParams({ trainable }));
    expect(made.layers.map(counts)).toEqual([
      [40, 0, 40],
      [240, 240, 0],
      [18, 18, 0],
    ]);
    expect(counts(made)).toEqual([298, 258, 40]);
    expect(made.countParams()).toBe(298);
    expect(made.summary()).toContain('Total params: 298');
    recurrent.sublayers[0]!.trainable = false;
    expect(counts(recurrent)).toEqual([240, 120, 120]);
  });

  test('countParams of weights that two layers share, counts them once', () => {
    const shared = dense({ units: 3 });
    const made = model({ layers: { a: shared, b: timeDistributed(shared) } }, (x, { a, b }) => a(b(x)));
    made.predict([[[1, 2, 3]]]);
    expect(made.countParams()).toBe(12);
  });

  test('countParams of what is not built, is an error', () => {
    expect(() => lstm({ units: 3 }).countParams()).toThrow('lstm(units=3): countParams() expected a built layer');
    expect(() => sequential([dense({ units: 1 })]).countParams()).toThrow(
      'sequential: countParams() expected a built layer',
    );
  });

  test('LSTM(128) on 64 features, is 4·((64 + 128)·128 + 128)', () => {
    expect(parameters([lstm({ units: 128, inputShape: [null, 64] })])).toBe(98_816);
  });
});

describe('weight shapes', () => {
  const inputShape = [null, 5];

  test('lstm, has kernel [I, 4H], recurrentKernel [H, 4H], bias [4H] in this order', () => {
    const layer = lstm({ units: 3, inputShape });
    expect(Object.entries(shapes(layer))).toEqual([
      ['lstm/kernel', [5, 12]],
      ['lstm/recurrentKernel', [3, 12]],
      ['lstm/bias', [12]],
    ]);
  });

  test('gru, has two biases with the reset gate after and one before', () => {
    expect(shapes(gru({ units: 3, inputShape }))).toEqual({
      'gru/kernel': [5, 9],
      'gru/recurrentKernel': [3, 9],
      'gru/bias': [2, 9],
    });
    expect(shapes(gru({ units: 3, inputShape, resetAfter: false }))['gru/bias']).toEqual([9]);
  });

  test('simpleRnn, dense and embedding, have Keras weights', () => {
    expect(shapes(simpleRnn({ units: 3, inputShape }))).toEqual({
      'simple_rnn/kernel': [5, 3],
      'simple_rnn/recurrentKernel': [3, 3],
      'simple_rnn/bias': [3],
    });
    expect(shapes(dense({ units: 3, inputShape: [5] }))).toEqual({ 'dense/kernel': [5, 3], 'dense/bias': [3] });
    expect(shapes(dense({ units: 3, inputShape: [5], useBias: false }))).toEqual({ 'dense/kernel': [5, 3] });
    expect(shapes(embedding({ inputDim: 7, outputDim: 2 }))).toEqual({ 'embedding/embeddings': [7, 2] });
    expect(shapes(dropout({ rate: 0.5, inputShape: [5] }))).toEqual({});
  });
});

test.each<[string, Layer, (number | null)[]]>([
  ['lstm', lstm({ units: 3 }), [null, 3]],
  ['lstm with returnSequences', lstm({ units: 3, returnSequences: true }), [null, 7, 3]],
  ['dense', dense({ units: 4 }), [null, 7, 4]],
  ['dropout', dropout({ rate: 0.1 }), [null, 7, 5]],
])('outputShape of %s for [null, 7, 5], is as computed', (_, layer, expected) => {
  expect(layer.outputShape([null, 7, 5])).toEqual(expected);
});

describe('summary', () => {
  test("of a text classifier, is Keras's table", () => {
    const model = sequential([
      embedding({ inputDim: 10000, outputDim: 32 }),
      simpleRnn({ units: 32 }),
      dense({ units: 1 }),
    ]);
    expect(model.summary()).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ embedding (Embedding)           │ (None, None, 32)       │       320,000 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ simple_rnn (SimpleRNN)          │ (None, 32)             │         2,080 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ dense (Dense)                   │ (None, 1)              │            33 │
      └─────────────────────────────────┴────────────────────────┴───────────────┘
       Total params: 322,113 (1.23 MB)
       Trainable params: 322,113 (1.23 MB)
       Non-trainable params: 0 (0.00 B)"
    `);
  });

  test('with a frozen layer, counts its parameters as non-trainable', () => {
    const layers = [embedding({ inputDim: 10, outputDim: 4, trainable: false }), dense({ units: 2 })];
    expect(sequential(layers, { name: 'frozen' }).summary().split('\n').slice(-3)).toMatchInlineSnapshot(`
      [
        " Total params: 50 (200.00 B)",
        " Trainable params: 10 (40.00 B)",
        " Non-trainable params: 40 (160.00 B)",
      ]
    `);
  });

  test("of wrapped layers, has one row for each, and breaks what is too long for it as Keras's does", () => {
    const model = sequential([
      bidirectional(lstm({ units: 64, returnSequences: true, inputShape: [10, 8] })),
      layerNormalization(),
      timeDistributed(dense({ units: 16 })),
      bidirectional(gru({ units: 8 }), { mergeMode: 'sum' }),
      dense({ units: 1 }),
    ]);
    expect(model.summary()).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ bidirectional (Bidirectional)   │ (None, 10, 128)        │        37,376 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ layer_normalization             │ (None, 10, 128)        │           256 │
      │ (LayerNormalization)            │                        │               │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ time_distributed                │ (None, 10, 16)         │         2,064 │
      │ (TimeDistributed)               │                        │               │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ bidirectional_1 (Bidirectional) │ (None, 8)              │         1,248 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ dense (Dense)                   │ (None, 1)              │             9 │
      └─────────────────────────────────┴────────────────────────┴───────────────┘
       Total params: 40,953 (159.97 KB)
       Trainable params: 40,953 (159.97 KB)
       Non-trainable params: 0 (0.00 B)"
    `);
  });

  test('of a custom model, has the shapes of every layer, with None for what varies', () => {
    const layers = {
      words: embedding({ inputDim: 100, outputDim: 8 }),
      encoder: lstm({ units: 16, returnSequences: true, returnState: true }),
      attend: attention(),
      head: dense({ units: 100 }),
      unused: dense({ units: 3 }),
    };
    const inputs = { source: { dtype: 'i32', shape: [null] }, target: { dtype: 'i32', shape: [5] } } as const;
    const translate = model(
      { layers, inputs, name: 'translate' },
      ({ source, target }, { words, encoder, attend, head }) => {
        const [memory] = encoder(words(source));
        const [y] = encoder(words(target));
        return head(attend([y!, memory!]));
      },
    );
    expect(translate.summary()).toMatchInlineSnapshot(`
      "Model: "translate"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ words (Embedding)               │ (None, 5, 8)           │           800 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ encoder (LSTM)                  │ [(None, 5, 16), (None, │         1,600 │
      │                                 │ 16), (None, 16)]       │               │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ attend (Attention)              │ (None, 5, 16)          │             0 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ head (Dense)                    │ (None, 5, 100)         │         1,700 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ unused (Dense)                  │ ?                      │   0 (unbuilt) │
      └─────────────────────────────────┴────────────────────────┴───────────────┘
       Total params: 4,100 (16.02 KB)
       Trainable params: 4,100 (16.02 KB)
       Non-trainable params: 0 (0.00 B)"
    `);
  });

  test('of a model that has not seen its input, says what is unbuilt', () => {
    expect(sequential([lstm({ units: 3 })]).summary()).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ lstm (LSTM)                     │ ?                      │   0 (unbuilt) │
      └─────────────────────────────────┴────────────────────────┴───────────────┘
       Total params: 0 (0.00 B)
       Trainable params: 0 (0.00 B)
       Non-trainable params: 0 (0.00 B)"
    `);
  });
});
