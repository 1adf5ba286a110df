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
import { type ForwardStep, importTorch, TorchTensor } from '../../src/torch.ts';
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
    ['with last of both directions', ['model', 'last'], /'hidden' takes the last states of both/],
    ['with a module twice', ['model', 'model'], /expected 'model' once/],
  ])('with a forward %s, throws ArgumentError', (_, steps, message) => {
    const call = (): unknown => importTorch(bytesOf(golden.stacks.gru!.file), { forward: steps });
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
