import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { ndarray } from '../../../src/data/array.ts';
import { init } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';
import { activation } from '../../../src/layers/activations/activation.ts';
import {
  type ActivationName,
  type ActivationSpec,
  activation as functionOf,
} from '../../../src/layers/activations/activations.ts';
import type { AnyLayer } from '../../../src/layers/base/layer.ts';
import { conv1d } from '../../../src/layers/conv1d.ts';
import { dense } from '../../../src/layers/dense.ts';
import { layerFromConfig } from '../../../src/layers/layer-classes.ts';
import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { simpleRnn, simpleRnnCell } from '../../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../../src/layers/time-distributed.ts';
import { sequential } from '../../../src/models/model.ts';
import { hardSigmoid, leakyRelu, mean, mul, sigmoid, sum, tanh } from '../../../src/ops/index.ts';
import { type CustomObjects, withCustomObjects } from '../../../src/registry/custom-objects.ts';
import { decodeModel, encodeModel } from '../../../src/saving/saved-model.ts';
import { expectGradient, expectOutput } from '../../golden/expect-close.ts';
import { values } from '../../kernels/reference/values.ts';

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
  ...([
    'hardSigmoid2',
    'logSigmoid',
    'hardTanh',
    'tanhShrink',
    'softShrink',
    'hardShrink',
    'squareplus',
    'logSoftmax',
  ] as const),
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
    expect(() => functionOf('reLU' as 'relu')).toThrow(
      /^activation expected one of linear, relu, .* or a function, got 'reLU'; did you mean 'relu'\?$/,
    );
  });

  test('has two names where Keras has', () => {
    const x = tensor(values(9, 2, 5));
    for (const [name, alias] of [
      ['silu', 'swish'],
      ['hardSilu', 'hardSwish'],
    ] as const) {
      expect(functionOf(alias)(x).toArray()).toEqual(functionOf(name)(x).toArray());
    }
  });
});

// What is not told from the name's function but by what it computes.
const ownTanh = (x: Tensor): Tensor => tanh(x);
const ownSigmoid = (x: Tensor): Tensor => sigmoid(x);
const [BATCH, TIME, INPUTS] = [2, 4, 3];

/** Every layer that has an activation, made with one. */
const layers: Record<string, (of: ActivationSpec, ofGates: ActivationSpec) => AnyLayer> = {
  dense: (of) => dense({ units: 5, activation: of }),
  conv1d: (of) => conv1d({ filters: 5, kernelSize: 2, activation: of }),
  activation: (of) => activation({ activation: of }),
  simpleRnn: (of) => simpleRnn({ units: 5, activation: of }),
  lstm: (of, ofGates) => lstm({ units: 5, activation: of, recurrentActivation: ofGates }),
  'lstm with peepholes': (of) => lstm({ units: 5, activation: of, peephole: true }),
  gru: (of, ofGates) => gru({ units: 5, activation: of, recurrentActivation: ofGates, returnSequences: true }),
  'gru, reset before': (of) => gru({ units: 5, activation: of, resetAfter: false }),
  'bidirectional lstm': (of, ofGates) =>
    bidirectional(lstm({ units: 5, activation: of, recurrentActivation: ofGates })),
  'simpleRnn cell': (of) => rnn(simpleRnnCell({ units: 5, activation: of })),
  'lstm cell': (of, ofGates) => rnn(lstmCell({ units: 5, activation: of, recurrentActivation: ofGates })),
  'gru cell': (of, ofGates) => rnn(gruCell({ units: 5, activation: of, recurrentActivation: ofGates })),
};

describe('a function as activation', () => {
  const x = values(BATCH * TIME * INPUTS, 1, 3);
  const run = (layer: AnyLayer) => {
    setSeed(3);
    layer.build([null, TIME, INPUTS]);
    const input = tensor(x, { shape: [BATCH, TIME, INPUTS] });
    const y = { shape: [] as number[], values: new Float32Array() };
    const wrt = [...layer.weights, input];
    const { grads } = valueAndGrad(() => {
      const out = layer(input) as Tensor;
      Object.assign(y, { shape: [...out.shape], values: out.toArray() });
      return sum(mul(out, tensor(values(out.size, 2), { shape: out.shape })));
    }, wrt);
    return { y, gradients: grads.map((grad) => grad.toArray()) };
  };

  test.each(Object.keys(layers))('%s, gives the numbers and gradients of the same one by name', (name) => {
    const expected = run(layers[name]!('tanh', 'sigmoid'));
    const { y, gradients } = run(layers[name]!(ownTanh, ownSigmoid));
    expectOutput('y', y.values, expected.y);
    gradients.forEach((gradient, i) => {
      expectGradient(`gradient ${i}`, gradient, { shape: [], values: expected.gradients[i]! });
    });
  });

  test.each<[string, (x: Tensor) => unknown]>([
    ['of another shape', (t) => mean(t)],
    ['nothing', () => {}],
    ['a number', () => 3],
  ])('that returns %s, throws when it is called', (_, of) => {
    const layer = dense({ units: 2, activation: of as typeof ownTanh });
    expect(() => layer(tensor([[1, 2, 3]]))).toThrow(
      new ArgumentError(`activation '${of.name}': output expected [1, 2], got []`),
    );
  });

  test('trains with any loss, is summed up, and refuses to run step by step', async () => {
    for (const loss of ['mse', 'binaryCrossentropy', 'kld'] as const) {
      const own = sequential([dense({ units: 2, activation: ownSigmoid, inputShape: [null, INPUTS] })]);
      own.compile({ optimizer: 'sgd', loss });
      const { history } = await own.fit(
        ndarray(x, [BATCH, TIME, INPUTS]),
        ndarray(new Float32Array(16).fill(0.5), [BATCH, TIME, 2]),
      );
      expect(history.loss![0]).toBeGreaterThan(0);
      expect(own.summary()).toContain('dense (Dense)');
      expect(() => own.stream()).toThrow(
        "activation 'custom ownSigmoid' cannot run step by step; expected one of linear",
      );
    }
    const recurrent = sequential([lstm({ units: 2, activation: ownTanh, inputShape: [null, INPUTS] })]);
    expect(() => recurrent.stream()).toThrow(/lstm\(units=2\): LSTM layers with activation .+ cannot run step by step/);
  });

  test.each(Object.keys(layers))('%s, is saved by its name and made again with what is given for that', (name) => {
    const saved = layers[name]!(ownTanh, ownSigmoid);
    const config = JSON.parse(JSON.stringify(saved.config()));
    expect(JSON.stringify(config)).toContain('"activation":"custom ownTanh"');
    const read = (objects: CustomObjects): AnyLayer =>
      withCustomObjects(objects, () => layerFromConfig(saved.className, config));
    const again = read({ ownTanh, ownSigmoid });
    expect(again.config()).toEqual(config);
    expect(run(again)).toEqual(run(saved));
    expect(() => read({ ownSigmoid })).toThrow("activation 'ownTanh'");
    expect(() => read({ ownSigmoid, ownTanh: 'tanh' })).toThrow("activation 'ownTanh' expected a function, got string");
  });

  test('of a name that a file could have and none gives, is refused', () => {
    expect(() => dense({ units: 1, activation: 'custom ownTanh' as 'tanh' })).toThrow("got 'custom ownTanh'");
  });

  test('written in place, is saved by the path of its option, which no other has', () => {
    const own = sequential([
      dense({ units: 2, activation: (t) => leakyRelu(t, 0.3), inputShape: [null, 3] }),
      timeDistributed(dense({ units: 2, activation: (t) => tanh(t) })),
      lstm({ units: 2, recurrentActivation: (t) => hardSigmoid(t, 0.25) }),
    ]);
    const bytes = encodeModel(own);
    const file = new TextDecoder().decode(bytes);
    for (const path of ['dense/activation', 'time_distributed/dense/activation', 'lstm/recurrentActivation']) {
      expect(file.split(`custom ${path}\\"`)).toHaveLength(2);
    }
    expect(() => decodeModel(bytes)).toThrow("activation 'dense/activation'");
    const customObjects = {
      'dense/activation': (t: Tensor) => leakyRelu(t, 0.3),
      'time_distributed/dense/activation': tanh,
      'lstm/recurrentActivation': (t: Tensor) => hardSigmoid(t, 0.25),
    };
    const { model: again } = decodeModel(bytes, { customObjects });
    const steps = ndarray(x, [BATCH, TIME, INPUTS]);
    expect(again.predict(steps)).toEqual(own.predict(steps));
    expect(encodeModel(again)).toEqual(bytes);
  });
});

describe('the hard sigmoid of Keras 2', () => {
  test('has slope 0.2 where that of Keras 3 has a sixth', () => {
    const x = tensor([-3, -2.5, -1, 0, 1, 2.5, 2.9, 3]);
    const of = (name: ActivationName): number[] => [...functionOf(name)(x).toArray()];
    const expected = [0, 0, 0.3, 0.5, 0.7, 1, 1, 1];
    of('hardSigmoid2').forEach((y, i) => {
      expect(y).toBeCloseTo(expected[i]!, 6);
    });
    expect(of('hardSigmoid')[4]).toBeCloseTo(4 / 6, 6);
    expect([...hardSigmoid(x, 0.2).toArray()]).toEqual(of('hardSigmoid2'));
  });

  test.each([0, -1, Number.NaN])('with slope %s, is refused', (slope) => {
    expect(() => hardSigmoid(tensor([1]), slope)).toThrow(
      `hardSigmoid: slope expected a positive number, got ${slope}`,
    );
  });
});
