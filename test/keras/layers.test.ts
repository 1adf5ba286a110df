// Layers that only files of Keras and TF.js bring: PyTorch's numbers, what they do in training, what is refused.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  dense,
  engine,
  type Model,
  NdArray,
  ops,
  RandomStream,
  sequential,
  setSeed,
  tensor,
  valueAndGrad,
} from '../../src/index.ts';
import { modelOfConfig } from '../../src/keras/config/read-model.ts';
import { dotLayer } from '../../src/keras/layers/dot.ts';
import { alphaDropoutLayer, gaussianDropoutLayer, gaussianNoiseLayer } from '../../src/keras/layers/noise.ts';
import {
  groupNormalizationLayer,
  normalizationLayer,
  unitNormalizationLayer,
} from '../../src/keras/layers/normalizations.ts';
import { setKerasWeights } from '../../src/keras/weights/read-weights.ts';
import { exportKeras, importKeras } from '../../src/keras.ts';
import { exportTfjs } from '../../src/tfjs.ts';

interface Values {
  shape: number[];
  data: number[];
}

interface Golden {
  className: string;
  config: Record<string, unknown>;
  x: Values[];
  weights: Values[];
  y: Values;
}

const golden: Golden[] = JSON.parse(readFileSync(new URL('../golden/keras-layers.json', import.meta.url), 'utf8'));

/** A functional model of Keras 3 with one layer. */
function modelOf(className: string, config: object, shapes: readonly (readonly (number | null)[])[]): Model {
  const input = (shape: readonly (number | null)[], i: number): object => ({
    class_name: 'InputLayer',
    name: `in${i}`,
    config: { name: `in${i}`, batch_shape: shape },
    inbound_nodes: [],
  });
  const tensorOf = (i: number): object => ({
    class_name: '__keras_tensor__',
    config: { shape: shapes[i], dtype: 'float32', keras_history: [`in${i}`, 0, 0] },
  });
  const all = shapes.map((_, i) => tensorOf(i));
  const args = [all.length === 1 ? all[0] : all];
  const layer = {
    class_name: className,
    name: 'own',
    config: { name: 'own', ...config },
    inbound_nodes: [{ args, kwargs: {} }],
  };
  const inputs = shapes.map((_, i) => [`in${i}`, 0, 0]);
  const whole = {
    class_name: 'Functional',
    config: {
      name: 'functional',
      layers: [...shapes.map(input), layer],
      input_layers: inputs.length === 1 ? inputs[0] : inputs,
      output_layers: ['own', 0, 0],
    },
  };
  return modelOfConfig(JSON.parse(JSON.stringify(whole)), {}) as Model;
}

const batched = ({ shape }: Values): (number | null)[] => [null, ...shape.slice(1)];
const arrayOf = ({ shape, data }: Values): NdArray => new NdArray(Float32Array.from(data), shape);

test.each(golden.map((each) => [`${each.className} ${JSON.stringify(each.config)}`, each] as const))(
  '%s: the numbers of PyTorch, also from an exported file',
  (_, { className, config, x, weights, y }) => {
    const model = modelOf(className, config, x.map(batched));
    setKerasWeights(
      model.layers[0]!,
      weights.map((each) => ({ name: '', shape: each.shape, data: Float32Array.from(each.data) })),
    );
    const inputs = x.map(arrayOf);
    const given = (inputs.length === 1 ? inputs[0] : inputs) as never;
    const outputs = model.predict(given);
    expect(outputs.shape).toEqual(y.shape);
    outputs.data.forEach((value, i) => expect(Math.abs(value - y.data[i]!)).toBeLessThan(2e-6 * (1 + Math.abs(value))));
    expect(importKeras(exportKeras(model)).predict(given).data).toEqual(outputs.data);
  },
);

describe('layers of noise', () => {
  const size = 20_000;
  const random = new RandomStream(5);
  const x = Float32Array.from({ length: size }, () => random.nextNormal());
  const given = tensor(x, { shape: [size / 4, 4] });
  const statistics = (values: Iterable<number>): { mean: number; deviation: number } => {
    const list = [...values];
    const mean = list.reduce((total, value) => total + value, 0) / list.length;
    return { mean, deviation: Math.sqrt(list.reduce((total, value) => total + (value - mean) ** 2, 0) / list.length) };
  };
  const makers = {
    GaussianNoise: () => gaussianNoiseLayer({ stddev: 0.25 } as never),
    GaussianDropout: () => gaussianDropoutLayer({ rate: 0.2 } as never),
    AlphaDropout: () => alphaDropoutLayer({ rate: 0.2 } as never),
  };
  const trained = (name: keyof typeof makers): Float32Array => {
    setSeed(3);
    return makers[name]()(given, { training: true }).toArray() as Float32Array;
  };

  test.each(Object.keys(makers) as (keyof typeof makers)[])(
    '%s does nothing outside training and is repeated by its seed',
    (name) => {
      expect(makers[name]()(given).toArray()).toEqual(x);
      expect(trained(name)).toEqual(trained(name));
      expect(trained(name)).not.toEqual(x);
    },
  );

  test('GaussianNoise adds numbers of mean 0 and its deviation', () => {
    const { mean, deviation } = statistics(trained('GaussianNoise').map((y, i) => y - x[i]!));
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(deviation - 0.25)).toBeLessThan(0.01);
  });

  test('GaussianDropout multiplies by numbers of mean 1 and deviation √(rate/(1 − rate)), and so the gradient', () => {
    const { mean, deviation } = statistics(trained('GaussianDropout').map((y, i) => y / x[i]!));
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.02);
    setSeed(3);
    const layer = makers.GaussianDropout();
    engine().step(() => {
      const { grads } = valueAndGrad(() => ops.sum(layer(given, { training: true })), [given]);
      const factors = trained('GaussianDropout').map((y, i) => y / x[i]!);
      grads[0]!.toArray().forEach((value, i) => expect(Math.abs(value - factors[i]!)).toBeLessThan(1e-4));
    });
  });

  test('AlphaDropout keeps mean 0 and variance 1, and sets a share of the elements to one number', () => {
    const y = trained('AlphaDropout');
    const { mean, deviation } = statistics(y);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.03);
    const [least, a] = [
      -1.0507009873554805 * 1.6732632423543772,
      ((1 - 0.2) * (1 + 0.2 * 1.7580993408473766 ** 2)) ** -0.5,
    ];
    const dropped = y.filter((value) => Math.abs(value - (a * least - a * least * 0.2)) < 1e-5).length;
    expect(Math.abs(dropped / size - 0.2)).toBeLessThan(0.01);
  });

  test('run step by step, where they do nothing', () => {
    const noise = (): never => makers.GaussianNoise() as never;
    const model = sequential([dense({ units: 2, inputShape: [null, 2] }), noise(), dense({ units: 1 })] as never);
    const whole = model.predict([[[1, 2]]]).data;
    expect([...(model as Model).stream().step([1, 2])]).toEqual([...whole]);
  });
});

test('ActivityRegularization adds its penalty to the loss of training, divided by the samples', () => {
  const model = modelOf('ActivityRegularization', { l1: 0.5, l2: 0.25 }, [[null, 2]]);
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  const x = [
    [1, -2],
    [3, 0],
  ];
  // (0.5·6 + 0.25·14) / 2
  expect(model.trainOnBatch(x, x).loss).toBeCloseTo(3.25, 6);
});

test('Normalization reads its statistics from the configuration, and training leaves its weights as they are', () => {
  const given = modelOf('Normalization', { axis: -1, mean: [[1, 2]], variance: [[4, 9]] }, [[null, 2]]);
  expect([...given.predict([[3, 8]]).data]).toEqual([1, 2]);
  expect(given.weights).toEqual([]);
  const own = modelOf('Normalization', { axis: -1, mean: null, variance: null }, [[null, 2]]);
  own.weights[0]!.assign([1, 2]);
  expect(own.weights.map(({ trainable }) => trainable)).toEqual([false, false, false]);
  own.trainable = true;
  expect(own.countParams({ trainable: true })).toBe(0);
});

test.each([
  [() => dotLayer({ axes: 0 }), 'dot: axes expected one or two integers other than 0, the batch, got 0'],
  [() => dotLayer({ axes: [1, 2, 3] }), 'dot: axes expected one or two integers'],
  [() => groupNormalizationLayer({ groups: 0 }), 'group_normalization: groups expected an integer ≥ 1 or −1, got 0'],
  [() => unitNormalizationLayer({ axis: [] }), 'unit_normalization: axis expected integers other than 0, the batch'],
  [() => normalizationLayer({ mean: [1, 2], variance: [1] }), 'normalization: variance expected a number for each'],
  [() => gaussianNoiseLayer({ stddev: -1 } as never), 'gaussian_noise: stddev expected a number ≥ 0, got -1'],
  [() => gaussianDropoutLayer({ rate: 1 } as never), 'gaussian_dropout: rate expected a number in [0, 1), got 1'],
])('%o is refused', (make, message) => {
  expect(make).toThrow(message);
});

test.each([
  [
    'Dot',
    { axes: [2, 1] },
    [
      [null, 3, 4],
      [null, 3, 4],
    ],
    'dot: input expected equal lengths along axes 2 and 1',
  ],
  ['GroupNormalization', { groups: 4 }, [[null, 6]], 'input expected features in 4 groups, got 6'],
  ['GroupNormalization', { groups: 2, axis: 1 }, [[null, 4, 6]], 'axis expected the last of 3, got 1'],
  ['Softmax', { axis: [1, 2] }, [[null, 4, 6]], 'axis expected one axis, got a list'],
  ['PReLU', { shared_axes: null }, [[null, null, 6]], 'input expected known lengths of the axes that share no slope'],
] as const)('%s %o of %o is refused by name', (className, config, shapes, message) => {
  expect(() => modelOf(className, config, shapes as never)).toThrow(message.replace('dot: ', 'own: '));
});

test('what TF.js lacks of them is refused by name', () => {
  const softmax = modelOf('Softmax', { axis: 1 }, [[null, 4, 6]]);
  expect(() => exportTfjs(softmax)).toThrow("layer 'own' (Softmax): TF.js has the last axis alone, got axis 1");
  const relu = modelOf('ReLU', { threshold: 1, negative_slope: 0.5 }, [[null, 4]]);
  expect(() => exportTfjs(relu)).toThrow('TF.js has a threshold without negativeSlope and maxValue alone');
  const images = [null, 2, 3, 4];
  expect(() => exportTfjs(modelOf('Dot', { axes: 3 }, [images, images]))).toThrow(
    "layer 'own' (Dot): TF.js has products of at most 3 axes, got [?, 2, 3, 4] and [?, 2, 3, 4]",
  );
  const unit = modelOf('UnitNormalization', {}, [[null, 4]]);
  expect(() => exportTfjs(unit)).toThrow("layer 'own' (UnitNormalization): TF.js has no such layer");
});
