import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { type ActivationName, activation } from '../../src/layers/activations.ts';
import { dense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/train/model.ts';
import { values } from '../kernels/reference/values.ts';

const streamed: ActivationName[] = [
  ...([
    'linear',
    'relu',
    'relu6',
    'leakyRelu',
    'elu',
    'selu',
    'celu',
    'gelu',
    'geluTanh',
    'softplus',
    'softsign',
  ] as const),
  ...([
    'silu',
    'swish',
    'sigmoid',
    'hardSigmoid',
    'hardSilu',
    'hardSwish',
    'mish',
    'tanh',
    'exponential',
    'softmax',
  ] as const),
];
const whole: ActivationName[] = [
  ...(['logSigmoid', 'hardTanh', 'tanhShrink', 'softShrink', 'hardShrink', 'squareplus', 'logSoftmax'] as const),
];

beforeAll(async () => {
  await init();
});

describe('an activation by name', () => {
  const model = (name: ActivationName) => {
    setSeed(3);
    return sequential([dense({ units: 9, activation: name, inputShape: [null, 5], kernelInitializer: 'ones' })]);
  };

  test.each(streamed)('%s, step by step gives the bits of the whole sequence', (name) => {
    const x = values(4 * 5, 1, 3);
    const expected = model(name).predict(ndarray(x, [1, 4, 5])).data;
    expect([...model(name).stream({ maxSteps: 4 }).steps(x, 4)]).toEqual([...expected]);
  });

  test.each(whole)('%s computes, and refuses to run step by step', (name) => {
    const y = model(name).predict(ndarray(values(4 * 5, 1, 3), [1, 4, 5]));
    expect(y.data.every(Number.isFinite)).toBe(true);
    expect(() => model(name).stream()).toThrow(ArgumentError);
    expect(() => model(name).stream()).toThrow(
      `activation '${name}' cannot run step by step; expected one of linear, relu,`,
    );
  });

  test('is refused where there is none of the name', () => {
    expect(() => activation('reLU' as 'relu')).toThrow(/^activation expected one of linear, relu, .*, got 'reLU'$/);
  });

  test('has two names where Keras has', () => {
    const x = tensor(values(9, 2, 5));
    for (const [name, alias] of [
      ['silu', 'swish'],
      ['hardSilu', 'hardSwish'],
    ] as const) {
      expect(activation(alias)(x).toArray()).toEqual(activation(name)(x).toArray());
    }
  });
});
