import { describe, expect, test } from 'vitest';
import { batchNormalization, conv2d } from '../../src/images.ts';
import {
  type AnyLayer,
  ArgumentError,
  bidirectional,
  conv1d,
  decodeModel,
  dense,
  embedding,
  encodeModel,
  flatten,
  gru,
  init,
  layerNormalization,
  lstm,
  type Model,
  ModelFileError,
  model,
  ndarray,
  sequential,
  simpleRnn,
} from '../../src/index.ts';
import {
  encodeStateDict,
  importTorch,
  loadStateDict,
  readTorch,
  TorchTensor,
  torchOptimizer,
} from '../../src/torch.ts';
import { expectOutput } from '../golden/expect-close.ts';
import { bytesOf, fileOf, golden } from './golden.ts';

await init();

const inputShape = [null, 3];
const stacks: Record<string, () => { layers: AnyLayer[]; names: string | string[] }> = {
  lstm: () => ({
    layers: [lstm({ units: 4, returnSequences: true, inputShape }), lstm({ units: 4, returnSequences: true })],
    names: ['lstm', 'lstm_1'],
  }),
  projected: () => ({ layers: [lstm({ units: 5, projSize: 2, returnSequences: true, inputShape })], names: 'lstm' }),
  gru: () => ({
    layers: [
      bidirectional(gru({ units: 4, returnSequences: true, inputShape })),
      bidirectional(gru({ units: 4, returnSequences: true })),
    ],
    names: ['bidirectional', 'bidirectional_1'],
  }),
  rnn: () => ({
    layers: [bidirectional(simpleRnn({ units: 4, returnSequences: true, inputShape }))],
    names: 'bidirectional',
  }),
  relu: () => ({
    layers: [simpleRnn({ units: 4, returnSequences: true, activation: 'relu', useBias: false, inputShape })],
    names: 'simple_rnn',
  }),
};

describe('loadStateDict, one recurrent module', () => {
  test.each(Object.keys(stacks))('%s, gives the outputs of PyTorch', (name) => {
    const { file, x, y } = golden.stacks[name]!;
    const { layers, names } = stacks[name]!();
    const made = sequential(layers as never) as Model;
    // The module is the root, so that its tensors have no name before them.
    const state = readTorch(bytesOf(file)) as Map<string, TorchTensor>;
    const named = new Map([...state].map(([key, value]) => [`rnn.${key}`, value]));
    const report = loadStateDict(made, named, { names: { rnn: names } });
    expect(report.loaded).toHaveLength(state.size);
    expectOutput(name, made.predict(x as never).data, { shape: y.shape, values: y.data });
  });
});

describe('loadStateDict, a module that was saved alone', () => {
  test('suggests the name that works', () => {
    const { file, x, y } = golden.stacks.lstm!;
    const made = sequential(stacks.lstm!().layers as never) as Model;
    expect(() => loadStateDict(made, bytesOf(file))).toThrow("would fit names: { '': ['lstm', 'lstm_1'] }");
    const { loaded } = loadStateDict(made, bytesOf(file), { names: { '': ['lstm', 'lstm_1'] } });
    expect(loaded[4]).toBe('weight_ih_l1');
    expectOutput('alone', made.predict(x as never).data, { shape: y.shape, values: y.data });
    expect(() => loadStateDict(net(), fileOf('state'), { names: { '': 'rnn' } })).toThrow(
      /names expected one of embed,/,
    );
  });

  test('goes out without a prefix', () => {
    const made = sequential([lstm({ units: 2, inputShape })]);
    const tensors = readTorch(encodeStateDict(made, { names: { '': 'lstm' } })) as Map<string, TorchTensor>;
    expect([...tensors.keys()].toSorted()).toEqual(['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0']);
  });
});

describe('loadStateDict, a model of importTorch', () => {
  const zeroed = (model: Model): Model => {
    for (const weight of model.weights) weight.assign(new Float32Array(weight.size));
    return model;
  };

  test.each(['lstm', 'gru', 'projected'])('of the stack %s, finds its layers', (name) => {
    const { file, x, y } = golden.stacks[name]!;
    const made = zeroed(importTorch(bytesOf(file)));
    loadStateDict(made, bytesOf(file));
    expectOutput(name, made.predict(x as never).data, { shape: y.shape, values: y.data });
  });

  test('of a stack with a name and of an nn.Sequential, finds their layers', () => {
    const { file, x, y } = golden.stacks.lstm!;
    const state = readTorch(bytesOf(file)) as Map<string, TorchTensor>;
    const named = new Map([...state].map(([key, value]) => [`core.rnn.${key}`, value]));
    const made = zeroed(importTorch(named));
    loadStateDict(made, named);
    expectOutput('named', made.predict(x as never).data, { shape: y.shape, values: y.data });
    const whole = zeroed(importTorch(fileOf('sequential'), { forward: ['0', 'tanh', '2', 'softmax'] }));
    loadStateDict(whole, fileOf('sequential'));
    const { x: input, y: output } = golden.sequential;
    expectOutput('sequential', whole.predict(input).data, { shape: output.shape, values: output.data });
  });

  test('also reads what encodeStateDict wrote of it, by the names of its layers', () => {
    const { file, x, y } = golden.stacks.lstm!;
    const made = importTorch(bytesOf(file));
    const bytes = encodeStateDict(made);
    loadStateDict(zeroed(made), bytes);
    expectOutput('own', made.predict(x as never).data, { shape: y.shape, values: y.data });
  });

  test('when it was saved and loaded, gets the names in the error', () => {
    const { file, x, y } = golden.stacks.lstm!;
    const { model: made } = decodeModel(encodeModel(importTorch(bytesOf(file))));
    expect(() => loadStateDict(made as Model, bytesOf(file))).toThrow("names: { '': ['model_l0', 'model_l1'] }");
    loadStateDict(zeroed(made as Model), bytesOf(file), { names: { '': ['model_l0', 'model_l1'] } });
    expectOutput('loaded', made.predict(x as never).data as never, { shape: y.shape, values: y.data });
  });
});

const net = (): Model =>
  sequential(
    [
      embedding({ inputDim: 5, outputDim: 3, name: 'embed' }),
      conv1d({ filters: 4, kernelSize: 3, padding: 'same', name: 'conv' }),
      batchNormalization({ epsilon: 1e-5, name: 'bn' }),
      bidirectional(lstm({ units: 3, returnSequences: true }), { name: 'rnn' }),
      bidirectional(lstm({ units: 3, returnSequences: true }), { name: 'rnn1' }),
      layerNormalization({ epsilon: 1e-5, name: 'norm' }),
      sequential([dense({ units: 4, activation: 'relu', name: 'l0' }), dense({ units: 2, name: 'l3' })], {
        name: 'head',
      }),
    ] as never,
    { name: 'net' },
  ) as Model;
const names = { rnn: ['rnn', 'rnn1'], 'head.0': 'head/l0', 'head.3': 'head/l3' };
const outputs = (made: Model): ArrayLike<number> =>
  made.predict(ndarray(Int32Array.from(golden.net.x.flat()), [2, 7])).data;

describe('loadStateDict, a model of many layers', () => {
  test.each([
    ['state', {}],
    ['module', {}],
    ['script', {}],
    ['wrapped', {}],
    ['wrapped', { prefix: 'module.' }],
    ['checkpoint', { key: 'ema' }],
  ])('of the file %s with %o, gives the outputs of PyTorch', (file, options) => {
    const made = net();
    const report = loadStateDict(made, fileOf(file), { names, ...options });
    expect(report).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
    expectOutput(file, outputs(made), { shape: golden.net.y.shape, values: golden.net.y.data });
  });

  test('of layers by name in a custom model, finds them by the keys of its layers', () => {
    const made = model(
      {
        layers: {
          gru: gru({ units: 3, returnSequences: true }),
          lstm: lstm({ units: 4 }),
          norm: layerNormalization(),
          out: dense({ units: 1 }),
        },
        inputs: { shape: [null, 2] },
      },
      (x, { gru: first, lstm: second, norm, out }) => out(norm(second(first(x)))),
    );
    const { loaded } = loadStateDict(made as Model, bytesOf(golden.training.sgd!.file));
    expect(loaded).toHaveLength(12);
  });

  test('with differences, lists all of them, suggests names, and changes no weight', () => {
    const made = net();
    const before = made.getWeights().map(({ data }) => Array.from(data));
    const load = (): unknown => loadStateDict(made, fileOf('state'), { file: 'net.pt' });
    expect(load).toThrow(ModelFileError);
    expect(load).toThrow(/^net\.pt: loadStateDict: missing: rnn1\.weight_ih_l0, .* unexpected: .*rnn\.weight_ih_l1, /);
    expect(load).toThrow(
      "names: { embed: 'embed', conv: 'conv', bn: 'bn', rnn: ['rnn', 'rnn1'], norm: 'norm', 'head.0': 'head/l0', 'head.3': 'head/l3' }",
    );
    expect(made.getWeights().map(({ data }) => Array.from(data))).toEqual(before);
  });

  test('without strict, loads what fits and reports the rest', () => {
    const made = sequential([
      lstm({ units: 3, name: 'rnn', inputShape: [null, 4] }),
      dense({ units: 7, name: 'head' }),
    ]);
    const state = readTorch(fileOf('state')) as Map<string, TorchTensor>;
    const some = new Map([...state].filter(([name]) => /^rnn\.\w+_l0$/.test(name)));
    some.set('head.weight', new TorchTensor('float32', [7, 4], new Float32Array(28)));
    some.set('other', new TorchTensor('float32', [1], new Float32Array(1)));
    expect(loadStateDict(made, some, { strict: false })).toEqual({
      loaded: ['rnn.weight_ih_l0', 'rnn.weight_hh_l0', 'rnn.bias_ih_l0', 'rnn.bias_hh_l0'],
      missing: ['head.bias'],
      unexpected: ['other'],
      mismatched: ["head.weight expected [7, 3] for layer 'head', got [7, 4]"],
    });
  });

  test.each([
    [
      'numbers that are not finite',
      { 'd.weight': [Number.NaN, 0], 'd.bias': [0] },
      /tensor "d\.weight" expected finite numbers, got NaN at 0/,
    ],
  ])('of %s, throws and changes nothing', (_, values, message) => {
    const made = sequential([dense({ units: 1, name: 'd', inputShape: [2] })]);
    const before = made.weights[0]!.toArray();
    const tensors = new Map(
      Object.entries(values).map(([name, data]) => [
        name,
        new TorchTensor('float32', name === 'd.weight' ? [1, 2] : [1], Float32Array.from(data)),
      ]),
    );
    expect(() => loadStateDict(made, tensors)).toThrow(message);
    expect(made.weights[0]!.toArray()).toEqual(before);
  });

  test('of several state dicts without a key, names them', () => {
    expect(() => loadStateDict(net(), fileOf('checkpoint'))).toThrow(
      /several parts have tensors: give key, one of "model", "ema"/,
    );
  });
});

describe('loadStateDict, a dense layer behind a flattened convolution', () => {
  const made = (): Model =>
    sequential([
      conv2d({ filters: 2, kernelSize: 1, useBias: false, inputShape: [2, 3, 1], name: 'conv' }),
      flatten(),
      dense({ units: 1, useBias: false, name: 'fc' }),
    ] as never) as Model;
  // Pixel p of channel c counts 10·c + p.
  const tensors = new Map([
    ['conv.weight', new TorchTensor('float32', [2, 1, 1, 1], Float32Array.of(1, 1))],
    [
      'fc.weight',
      new TorchTensor(
        'float32',
        [1, 12],
        Float32Array.from({ length: 12 }, (_, i) => 10 * Math.floor(i / 6) + (i % 6)),
      ),
    ],
  ]);

  test('asks for the order', () => {
    expect(() => loadStateDict(made(), tensors)).toThrow(ArgumentError);
    expect(() => loadStateDict(made(), tensors)).toThrow(
      /flatten expected for 'fc\/kernel', behind a flattened convolution/,
    );
  });

  test('channels first, gives each number its factor of PyTorch', () => {
    const one = made();
    loadStateDict(one, tensors, { flatten: 'channelsFirst' });
    expect(Array.from(one.weights[1]!.toArray())).toEqual([0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15]);
    loadStateDict(one, tensors, { flatten: 'channelsLast' });
    expect(Array.from(one.weights[1]!.toArray())).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
  });
});

describe('loadStateDict, arguments', () => {
  const made = (layer: unknown): Model => sequential([layer] as never) as Model;
  test.each<[string, () => unknown, RegExp]>([
    [
      'a GRU with reset before',
      () => loadStateDict(made(gru({ units: 2, resetAfter: false, inputShape })), new Map()),
      /layer 'gru' expected what nn\.GRU computes, got resetAfter: false/,
    ],
    [
      'an LSTM with peepholes',
      () => loadStateDict(made(lstm({ units: 2, peephole: true, inputShape })), new Map()),
      /got peephole: true/,
    ],
    [
      'an LSTM with relu',
      () => loadStateDict(made(lstm({ units: 2, activation: 'relu', inputShape })), new Map()),
      /got activation relu/,
    ],
    [
      'a name of no layer',
      () => loadStateDict(made(dense({ units: 2, inputShape: [2] })), new Map(), { names: { fc: 'denser' } }),
      /names\.fc expected a layer that is left, of 'dense'; got 'denser'/,
    ],
    [
      'a list for one layer',
      () =>
        loadStateDict(made(sequential([dense({ units: 2, inputShape: [2] }), dense({ units: 2 })])), new Map(), {
          names: { fc: ['sequential/dense', 'sequential/dense_1'] },
        }),
      /names\.fc expected one layer, got 2/,
    ],
    ['a model that is not built', () => loadStateDict(made(dense({ units: 2 })), new Map()), /expected to be built/],
    [
      'a path',
      () => loadStateDict(made(dense({ units: 2, inputShape: [2] })), 'x.pt' as never),
      /expected the bytes of a file, or what readTorch returned, got 'x\.pt'; read it first/,
    ],
    ['a path for importTorch', () => importTorch('x.pt'), /^importTorch: expected the bytes .* got 'x\.pt'; read it/],
    [
      'a path for torchOptimizer',
      () => torchOptimizer(made(dense({ units: 2, inputShape: [2] })), 'x.pt'),
      /^torchOptimizer: expected the bytes .* got 'x\.pt'; read it first/,
    ],
    [
      'a promise',
      () => loadStateDict(made(dense({ units: 2, inputShape: [2] })), Promise.resolve() as never),
      /expected the bytes of a file, .*, got a promise; await it/,
    ],
  ])('%s, throws ArgumentError', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
