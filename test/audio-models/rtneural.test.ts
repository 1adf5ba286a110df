// Files of RTNeural that are refused, and models that have no such file.
import { describe, expect, test } from 'vitest';
import { exportRtNeural, importRtNeural, prelu } from '../../src/audio-models.ts';
import {
  ArgumentError,
  bidirectional,
  dense,
  gru,
  lstm,
  ModelFileError,
  ndarray,
  sequential,
} from '../../src/index.ts';

const zeros = (...shape: number[]): unknown =>
  Array.from({ length: shape[0]! }, () => (shape.length > 1 ? zeros(...shape.slice(1)) : 0));
const lstmLayer = (change: object = {}) => ({
  ...{ type: 'lstm', activation: '', shape: [null, null, 2], weights: [zeros(1, 8), zeros(2, 8), zeros(8)], ...change },
});
const denseLayer = (change: object = {}) => ({
  ...{ type: 'dense', activation: '', shape: [null, null, 1], weights: [zeros(2, 1), zeros(1)], ...change },
});
const file = (layers: unknown = [lstmLayer(), denseLayer()], change: object = {}) => ({
  ...{ in_shape: [null, null, 1], layers, ...change },
});

const faults: [string, object | string, string][] = [
  [
    'units that contradict the weights',
    file([lstmLayer({ shape: [3] })]),
    'layers[0].weights[0][0] expected 12 values, for [1, 12], got 8',
  ],
  [
    'a layer of other inputs',
    file([lstmLayer(), denseLayer({ weights: [zeros(3, 1), [0]] })]),
    'layers[1].weights[0] expected 2 values',
  ],
  [
    'rows of unequal length',
    file([lstmLayer({ weights: [zeros(1, 8), [[1], zeros(8)], zeros(8)] })]),
    'expected 8 values',
  ],
  ['a missing bias', file([denseLayer({ weights: [zeros(1, 1)] })]), 'layers[0].weights expected 2 arrays, got 1'],
  [
    'text for a number',
    file([lstmLayer(), denseLayer({ weights: [zeros(2, 1), ['0']] })]),
    'expected a finite number, got "0"',
  ],
  ['an unknown layer', file([denseLayer({ type: 'conv2d' })]), 'layers[0].type "conv2d" is not supported; dense,'],
  ['a name of every object', file([denseLayer({ type: 'toString' })]), 'layers[0].type "toString" is not supported'],
  ['an unknown option', file([denseLayer({ groups: 2 })]), 'layers[0].groups is not supported, got 2'],
  [
    'an unknown activation',
    file([lstmLayer(), denseLayer({ activation: 'gelu' })]),
    'layers[1].activation "gelu" is not supported',
  ],
  [
    'a recurrent activation of its own',
    file([lstmLayer({ activation: 'relu' })]),
    "expected 'tanh' of a recurrent layer",
  ],
  ['an input that is added to the output', file(undefined, { in_skip: 1 }), 'in_skip 1 is not supported'],
  ['no layers', file([]), 'layers expected one layer or more'],
  ['layers that are none', file('lstm'), 'layers expected a list, got "lstm"'],
  ['no input shape', file(undefined, { in_shape: undefined }), 'in_shape expected a list'],
  ['a huge size', file([denseLayer({ shape: [2 ** 30] })]), 'layers[0].weights[0]'],
  [
    'a state dict with a weight of another kind',
    { 'a.weight': [[1]], 'a.running_mean': [1] },
    "'a.running_mean' is not the name",
  ],
  ['a state dict of a plain RNN', { 'a.weight_ih_l0': [[1]], 'a.weight_hh_l0': [[1]] }, 'expected 4 gates of 1 rows'],
  [
    'a state dict whose layers do not fit',
    { 'a.weight': [[1, 2]], 'b.weight': [[1, 2]] },
    'b: weight expected 1 columns',
  ],
  [
    'a capture of Neural Amp Modeler',
    { version: '0.5.4', architecture: 'LSTM', config: {}, weights: [] },
    'the file is one of Neural Amp Modeler, which importNam reads',
  ],
  ['text that is no JSON', '[', 'the file expected JSON'],
];

test.each(faults)('%s, is a ModelFileError that says so', (_, given, message) => {
  expect(() => importRtNeural(given)).toThrow(ModelFileError);
  expect(() => importRtNeural(given)).toThrow(message);
});

test('prelu with one slope for all features, has it for each', () => {
  const { model } = importRtNeural({
    ...{ in_shape: [null, 2], layers: [{ type: 'prelu', activation: '', shape: [null, 2], weights: [[[0.5]]] }] },
  });
  const x = ndarray(Float32Array.of(1, -1, -2, 2), [1, 2, 2]);
  expect([...model.predict(x).data]).toEqual([1, -0.5, -1, 2]);
  const stream = model.stream();
  expect([...stream.step([1, -1]), ...stream.step([-2, 2])]).toEqual([1, -0.5, -1, 2]);
});

describe('exportRtNeural', () => {
  const first = { inputShape: [null, 1], returnSequences: true } as const;
  test.each([
    ['a layer that it lacks', () => bidirectional(gru({ units: 2, ...first })), 'got a Bidirectional'],
    [
      'the last step alone',
      () => lstm({ units: 2, inputShape: [null, 1] }),
      'expected returnSequences true, got false',
    ],
    ['a gru that resets before', () => gru({ units: 2, ...first, resetAfter: false }), 'expected resetAfter true'],
    [
      'another activation',
      () => dense({ units: 2, inputShape: [null, 1], activation: 'mish' }),
      'an activation of tanh',
    ],
  ] as const)('%s, is refused', (_, make, message) => {
    const model = sequential([make() as never]);
    expect(() => exportRtNeural(model)).toThrow(ArgumentError);
    expect(() => exportRtNeural(model)).toThrow(message);
  });

  test.each([
    ['NaN', { metadata: { gain: Number.NaN } }, 'metadata.gain expected what JSON holds'],
    ['a function', { metadata: { a: [() => 1] } }, 'metadata.a[0] expected what JSON holds'],
    ['layers of its own', { metadata: { layers: [] } }, 'metadata.layers expected none, because the file has its own'],
    ['a shape of its own', { metadata: { in_shape: [1] } }, 'metadata.in_shape expected none, because the file has'],
    ['a skip', { metadata: { in_skip: 1 } }, 'metadata.in_skip expected none, because it changes sound outside'],
    ['a gain', { metadata: { in_gain: -3 } }, 'metadata.in_gain expected none, because it changes sound outside'],
  ])('metadata with %s, are refused', (_, options, message) => {
    const model = sequential([dense({ units: 1, inputShape: [null, 1] })]);
    expect(() => exportRtNeural(model, options as object)).toThrow(ArgumentError);
    expect(() => exportRtNeural(model, options as object)).toThrow(message);
  });

  test('metadata that the file can hold, come back', () => {
    const model = sequential([dense({ units: 1, inputShape: [null, 1] })]);
    const metadata = {
      samplerate: 48_000,
      in_gain: 0,
      author: { name: 'a', tags: ['b', null, true] },
      none: undefined,
    };
    const text = new TextDecoder().decode(exportRtNeural(model, { metadata }));
    expect(JSON.parse(text)).toMatchObject({ samplerate: 48_000, in_gain: 0, author: metadata.author });
    expect(importRtNeural(text).model.predict(ndarray(Float32Array.of(1), [1, 1, 1])).shape).toEqual([1, 1, 1]);
  });

  test('a layer without bias, gets zeros there', () => {
    const model = sequential([dense({ units: 2, useBias: false, inputShape: [null, 1] }), prelu()]);
    const x = ndarray(Float32Array.of(1, -1), [1, 2, 1]);
    expect([...importRtNeural(exportRtNeural(model)).model.predict(x).data]).toEqual([...model.predict(x).data]);
  });
});
