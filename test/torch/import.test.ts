import '../../src/images.ts';
import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  decodeModel,
  dropout,
  encodeModel,
  init,
  type Model,
  ModelFileError,
  ndarray,
} from '../../src/index.ts';
import { type ForwardStep, importTorch, loadStateDict, readTorch, TorchTensor } from '../../src/torch.ts';
import { expectOutput } from '../golden/expect-close.ts';
import { bytesOf, fileOf, golden } from './golden.ts';

await init();

const forward: ForwardStep[] = [
  'embed',
  { module: 'conv', as: 'Conv1d', padding: 1 },
  'bn',
  'rnn',
  { module: 'norm', as: 'LayerNorm' },
  'head.0',
  'relu',
  dropout({ rate: 0.1 }),
  'head.3',
];

const outputs = (made: Model): ArrayLike<number> =>
  made.predict(ndarray(Int32Array.from(golden.net.x.flat()), [2, 7])).data;
const zeros = (...shape: number[]): TorchTensor =>
  new TorchTensor('float32', shape, new Float32Array(shape.reduce((product, n) => product * n, 1)));

describe('importTorch', () => {
  test.each(Object.keys(golden.stacks))('of a file with one module, %s, gives the outputs of PyTorch', (name) => {
    const { file, x, y } = golden.stacks[name]!;
    const isRnn = name === 'rnn' || name === 'relu';
    const steps: ForwardStep[] = [{ module: 'model', nonlinearity: name === 'relu' ? 'relu' : 'tanh' }];
    const made = importTorch(bytesOf(file), isRnn ? { forward: steps } : {});
    expectOutput(name, made.predict(x as never).data, { shape: y.shape, values: y.data });
  });

  test('of many modules with forward, gives the outputs of PyTorch, also when it was saved and loaded', () => {
    const made = importTorch(fileOf('state'), { forward });
    const expected = { shape: golden.net.y.shape, values: golden.net.y.data };
    expectOutput('imported', outputs(made), expected);
    expectOutput('loaded', outputs(decodeModel(encodeModel(made)).model), expected);
  });

  test('of a whole nn.Sequential, runs what it runs', () => {
    const { x, y } = golden.sequential;
    expectOutput('flat', importTorch(fileOf('sequential')).predict(x as never).data, {
      shape: y.shape,
      values: y.data,
    });
    const { nested } = golden;
    const made = importTorch(bytesOf(nested.file), { inputShape: [6, 3] });
    expectOutput('nested', made.predict(nested.x as never).data, { shape: nested.y.shape, values: nested.y.data });
  });

  test('of another whole model, takes the options of its modules, unless forward says others', () => {
    const { file, x, y } = golden.configured;
    const steps = ['conv', 'relu', 'rnn', 'last', 'norm', 'bn', 'fc'];
    const made = importTorch(bytesOf(file), { forward: steps, inputShape: [6, 3] });
    expectOutput('configured', made.predict(x as never).data, { shape: y.shape, values: y.data });
    const other = importTorch(bytesOf(file), {
      forward: [{ module: 'conv', stride: 1 }, 'relu', { module: 'rnn', nonlinearity: 'tanh' }, ...steps.slice(3)],
      inputShape: [6, 3],
    });
    expect(other.layers.find(({ name }) => name === 'conv')!.config()).toHaveProperty('strides', 1);
    expect(other.predict(x as never).data).not.toEqual(made.predict(x as never).data);
  });

  test.each([
    ['circular', /module '0' has padding_mode "circular", expected "zeros"$/],
    ['steepElu', /module '1' is an nn\.ELU with alpha 0\.5: give forward, with a layer in its place$/],
    ['group', /module '1' is an nn\.GroupNorm, which is not supported$/],
    ['leaky', /module '1' is an nn\.LeakyReLU with no step of forward: give forward, with a layer in its place$/],
  ])('of a whole nn.Sequential with %s, says what is not supported', (name, message) => {
    expect(() => importTorch(fileOf(name))).toThrow(ModelFileError);
    expect(() => importTorch(fileOf(name))).toThrow(message);
  });

  test('of last, takes the last output of a recurrent module', () => {
    const { file, x } = golden.stacks.lstm!;
    const all = importTorch(bytesOf(file)).predict(x as never);
    const last = importTorch(bytesOf(file), { forward: ['model', 'last'] }).predict(x as never);
    expect(last.shape).toEqual([2, 4]);
    expect(Array.from(last.data.subarray(0, 4))).toEqual(Array.from(all.data.subarray(16, 20)));
  });

  test('of numbers without a gap, is an nn.Sequential', () => {
    const made = importTorch(
      new Map([
        ['0.weight', zeros(3, 2)],
        ['0.bias', zeros(3)],
        ['1.weight', zeros(1, 3)],
        ['1.bias', zeros(1)],
      ]),
    );
    expect(made.predict([[1, 2]]).shape).toEqual([1, 1]);
  });

  test.each<[string, Map<string, TorchTensor>, object, RegExp]>([
    [
      'several modules',
      new Map([
        ['a.weight', zeros(3, 2)],
        ['a.bias', zeros(3)],
        ['b.weight', zeros(1, 3)],
        ['b.bias', zeros(1)],
      ]),
      {},
      /do not say what runs between the modules a, b: give forward, such as \['a', 'b'\]/,
    ],
    [
      'numbers with a gap',
      new Map([
        ['0.weight', zeros(3, 2)],
        ['0.bias', zeros(3)],
        ['2.weight', zeros(1, 3)],
        ['2.bias', zeros(1)],
      ]),
      {},
      /give forward, such as \['0', '2'\]/,
    ],
    [
      'no values',
      new Map([
        ['n.weight', zeros(0, 2)],
        ['n.bias', zeros(0)],
      ]),
      {},
      /"n.weight" has no values: shape \[0, 2\]/,
    ],
    [
      'a vector',
      new Map([
        ['n.weight', zeros(3)],
        ['n.bias', zeros(3)],
      ]),
      {},
      /does not say what it is: say it in forward/,
    ],
    ['a matrix without a bias', new Map([['n.weight', zeros(3, 3)]]), {}, /does not say what it is/],
    [
      'a convolution',
      new Map([
        ['n.weight', zeros(3, 3, 3)],
        ['n.bias', zeros(3)],
      ]),
      {},
      /does not say what it is/,
    ],
    [
      'an nn.RNN',
      new Map([
        ['n.weight_ih_l0', zeros(3, 2)],
        ['n.weight_hh_l0', zeros(3, 3)],
      ]),
      {},
      /do not say its nonlinearity/,
    ],
    [
      'a module that is left out',
      new Map([
        ['a.weight', zeros(3, 2)],
        ['a.bias', zeros(3)],
        ['b.weight', zeros(1, 3)],
        ['b.bias', zeros(1)],
      ]),
      { forward: ['a'] },
      /forward leaves out b/,
    ],
  ])('of %s, throws ModelFileError that says what to give', (_, tensors, options, message) => {
    expect(() => importTorch(tensors, options)).toThrow(ModelFileError);
    expect(() => importTorch(tensors, options)).toThrow(message);
  });

  test.each<[string, ForwardStep[], RegExp]>([
    ['of what is not there', ['lstm'], /expected modules of the file \('model'\), .* got 'lstm'/],
    ['with last of nothing', ['last'], /expected a recurrent module before 'last'/],
    ['with last of both directions', ['model', 'last'], /'hidden' takes the last states of both; for x\[:, -1\] write/],
    ['with a class of a GRU', [{ module: 'model', as: 'Linear' }], /is recurrent, as its tensors tell; as: 'Linear'/],
    [
      'with a nonlinearity of a GRU',
      [{ module: 'model', nonlinearity: 'relu' }],
      /module 'model' is an nn\.GRU, which has no nonlinearity; expected no option/,
    ],
    ['with a stride of a GRU', [{ module: 'model', stride: 2 }], /is an nn\.GRU, which has no stride/],
    ['with a module twice', ['model', 'model'], /expected 'model' once/],
  ])('with a forward %s, throws ArgumentError', (_, steps, message) => {
    const call = (): unknown => importTorch(bytesOf(golden.stacks.gru!.file), { forward: steps });
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test.each(Object.keys(golden.cells))('of the cell %s, gives the outputs of PyTorch', (name) => {
    const { file, x, y } = golden.cells[name]!;
    const forward: ForwardStep[] = [name === 'relu' ? { module: 'cell', nonlinearity: 'relu' } : 'cell'];
    const made = importTorch(bytesOf(file), { forward });
    expectOutput(name, made.predict(x as never).data, { shape: y.shape, values: y.data });
    expect(loadStateDict(made, bytesOf(file)).loaded[0]).toBe('cell.weight_ih_l0');
  });

  test('of a BatchNorm with averages alone, gives the outputs of PyTorch', () => {
    const { file, x, y } = golden.averages;
    const made = importTorch(bytesOf(file));
    expectOutput('averages', made.predict(x).data, { shape: y.shape, values: y.data });
  });

  test.each([
    ['weightNorm', /module 'm' is under weight_norm: call torch\.nn\.utils\.remove_weight_norm before/],
    ['spectralNorm', /module 'm' is under spectral_norm: call torch\.nn\.utils\.remove_spectral_norm/],
    ['parametrized', /module 'm' is under a parametrization: call torch\.nn\.utils\.parametrize\.remove_/],
    ['pruned', /module 'm' is pruned: call torch\.nn\.utils\.prune\.remove/],
    ['attention', /module 'm' is an nn\.MultiheadAttention, which is not supported/],
    ['groupNorm', /as: 'LayerNorm' }; nn\.GroupNorm, nn\.PReLU and nn\.RMSNorm look the same and are not supported/],
    ['prelu', /nn\.GroupNorm, nn\.PReLU and nn\.RMSNorm look the same/],
    ['layerNorm', /module 'm' is an nn\.LayerNorm over 2 axes, which is not supported/],
  ])('of the module %s, throws ModelFileError that names it', (name, message) => {
    for (const options of [{}, { forward: ['m'] }]) {
      expect(() => importTorch(fileOf(name), options)).toThrow(ModelFileError);
      expect(() => importTorch(fileOf(name), options)).toThrow(message);
    }
  });

  test.each<[ForwardStep, RegExp]>([
    [{ module: 'a', stride: 2 }, /module 'a' is an nn\.Linear, which has no stride; expected no option/],
    [{ module: 'n', as: 'LayerNorm', padding: 1 }, /nn\.LayerNorm, which has no padding; expected eps/],
    [{ module: 'c', as: 'Conv1d', eps: 1 }, /nn\.Conv1d, which has no eps; expected stride, padding, dilation, groups/],
    [
      { module: 'c', as: 'Conv1d', stride: [1, 2] },
      /stride of 'c' expected an integer ≥ 1, or 1 in a list, got a list of 2/,
    ],
    [{ module: 'c', as: 'Conv1d', padding: 'circular' as never }, /padding of 'c' expected an integer ≥ 0/],
    [{ module: 'a', as: 'GroupNorm' as never }, /as of 'a' expected Linear, Embedding, .* got 'GroupNorm'/],
  ])('of a step with an option that does not apply, %o, throws ArgumentError', (step, message) => {
    const tensors = new Map([
      ...[['a.weight', zeros(3, 2)] as const, ['a.bias', zeros(3)] as const],
      ...[['n.weight', zeros(3)] as const, ['n.bias', zeros(3)] as const],
      ...[['c.weight', zeros(3, 3, 1)] as const, ['c.bias', zeros(3)] as const],
    ]);
    const call = (): unknown => importTorch(tensors, { forward: [step], strict: false });
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test('suggests steps that work, for several recurrent modules and for both directions', () => {
    const parts = (name: string, from: string): [string, TorchTensor][] =>
      [...(readTorch(bytesOf(golden.stacks[from]!.file)) as Map<string, TorchTensor>)].map(([key, tensor]) => [
        `${name}.${key}`,
        tensor,
      ]);
    const head = (inputs: number): [string, TorchTensor][] => [
      ['fc.weight', zeros(1, inputs)],
      ['fc.bias', zeros(1)],
    ];
    const two = new Map([...parts('a', 'projected'), ...parts('b', 'projected'), ...head(2)]);
    expect(() => importTorch(two)).toThrow("such as ['a', 'b', 'last', 'fc']");
    const both = new Map([...parts('a', 'gru'), ...head(8)]);
    expect(() => importTorch(both)).toThrow("such as ['a', 'hidden', 'fc']");
    const { x } = golden.stacks.gru!;
    expect(importTorch(both, { forward: ['a', 'hidden', 'fc'] }).predict(x as never).shape).toEqual([2, 1]);
  });

  test('leaves out dropout that forward names', () => {
    const { file, x } = golden.stacks.lstm!;
    const made = importTorch(bytesOf(file), { forward: ['model', 'dropout', 'last', 'identity'] });
    const expected = importTorch(bytesOf(file), { forward: ['model', 'last'] });
    expect(made.layers).toHaveLength(2);
    expect(made.predict(x as never).data).toEqual(expected.predict(x as never).data);
  });

  test('its errors about the tensors name it', () => {
    const bad = new TorchTensor('float32', [1, 2], Float32Array.of(Number.NaN, 0));
    expect(() =>
      importTorch(
        new Map([
          ['d.weight', bad],
          ['d.bias', zeros(1)],
        ]),
      ),
    ).toThrow(/^importTorch: tensor "d\.weight" expected finite numbers/);
  });
});
