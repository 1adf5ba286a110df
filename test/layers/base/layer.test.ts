import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { setSeed } from '../../../src/engine/random.ts';
import type { LayerConfig } from '../../../src/io/model-file.ts';
import { type AnyLayer, type CallOptions, Layer } from '../../../src/layers/base/layer.ts';
import { dense } from '../../../src/layers/dense.ts';
import { dropout } from '../../../src/layers/dropout.ts';
import { embedding } from '../../../src/layers/embedding.ts';
import { layerFromConfig, sequentialFromConfig } from '../../../src/layers/layer-classes.ts';
import { repeatVector } from '../../../src/layers/repeat-vector.ts';
import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../../src/layers/time-distributed.ts';
import { sequential } from '../../../src/models/model.ts';
import { sum } from '../../../src/ops/index.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import { values } from '../../kernels/reference/values.ts';
import type { CaseInput } from '../cases/case.ts';
import { recurrentCases } from '../cases/recurrent.ts';
import { simpleCases } from '../cases/simple.ts';

const all = (t: Tensor): number[] => Array.from(t.toArray());
const input = (...shape: number[]): Tensor =>
  tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      1,
    ),
    { shape },
  );

beforeEach(() => setSeed(3));

describe('a layer', () => {
  test('called, makes its weights once and computes', () => {
    const layer = dense({ units: 2, kernelInitializer: 'ones', biasInitializer: { name: 'constant', value: 0.5 } });
    expect([layer.isBuilt, layer.weights.length]).toEqual([false, 0]);
    expect(all(layer(tensor([[1, 2, 3]])))).toEqual([6.5, 6.5]);
    const [kernel] = layer.weights;
    expect(all(layer(tensor([[1, 1, 1]])))).toEqual([3.5, 3.5]);
    expect(layer.weights[0]).toBe(kernel);
    expect(layer.isBuilt).toBe(true);
  });

  test.each<[unknown]>([[5], [[-1]], [[1.5]], ['ab'], [['2']], [{}]])('of inputShape %j, throws', (inputShape) => {
    expect(() => dense({ units: 1, inputShape: inputShape as number[] })).toThrow(ArgumentError);
    expect(() => dense({ units: 1, batchInputShape: inputShape as number[] })).toThrow(
      'dense: inputShape expected a list of lengths, got ',
    );
  });

  test('is a function and a Layer, with its own name', () => {
    const layer = dense({ units: 2 });
    expect(typeof layer).toBe('function');
    expect(layer).toBeInstanceOf(Layer);
    expect([layer.name, layer.className, layer.describe()]).toEqual(['dense', 'Dense', 'dense(units=2)']);
  });

  test('of the caller’s own, takes its place among the others', () => {
    class Double extends Layer {
      readonly className = 'Double';
      override outputShape(shape: (number | null)[]): (number | null)[] {
        return shape;
      }
      override config(): LayerConfig {
        return {};
      }
      protected override call(x: Tensor, _: CallOptions): Tensor {
        return tensor(
          x.toArray().map((v) => 2 * v),
          { shape: x.shape },
        );
      }
    }
    const model = sequential([
      new Double('double', { inputShape: [2] }),
      dense({ units: 1, kernelInitializer: 'ones' }),
    ]);
    expect(model.predict([[1, 2]]).toNested()).toEqual([[6]]);
    expect(model.layers[0]!.name).toBe('double');
  });

  test('trainable set to a text, is refused and stays as it was', () => {
    const layer = dense({ units: 1, inputShape: [1], name: 'head', trainable: false });
    expect(() => {
      layer.trainable = 'true' as unknown as boolean;
    }).toThrow("head: trainable expected true or false, got 'true'");
    expect(layer.trainable).toBe(false);
  });

  test('frozen, hands that down to its weights', () => {
    const layer = dense({ units: 1, inputShape: [1], trainable: false });
    const model = sequential([layer]);
    expect(model.weights.map((weight) => weight.trainable)).toEqual([false, false]);
    layer.trainable = true;
    expect(model.weights.map((weight) => weight.trainable)).toEqual([true, true]);
    model.network.trainable = false;
    expect(layer.trainable).toBe(false);
  });

  test('dense on a sequence, applies to every step', () => {
    const layer = dense({ units: 2 });
    const x = input(2, 3, 4);
    const whole = all(layer(x));
    for (let row = 0; row < 6; row++) {
      const one = layer(tensor([all(x).slice(row * 4, row * 4 + 4)]));
      expectSameBits(all(one), whole.slice(row * 2, row * 2 + 2), `row ${row}`);
    }
  });
});

describe('embedding', () => {
  test('gives the rows of its table', () => {
    const layer = embedding({ inputDim: 4, outputDim: 2 });
    const y = layer(tensor([[3, 0, 3]], { dtype: 'i32' }));
    const rows = layer.weights[0]!.toArray();
    expect(y.shape).toEqual([1, 3, 2]);
    expect(all(y)).toEqual([...rows.slice(6), ...rows.slice(0, 2), ...rows.slice(6)]);
  });

  test.each([4, -1])('of id %i outside its vocabulary, throws and says where it stands', (id) => {
    const layer = embedding({ inputDim: 4, outputDim: 2 });
    const ids = tensor(
      [
        [0, 1, 2],
        [0, 1, id],
      ],
      { dtype: 'i32' },
    );
    expect(() => layer(ids)).toThrow(
      new ArgumentError(`embed: ids expected ids in [0, 4), got ${id} at [1, 2] of [2, 3]`),
    );
  });

  test('of numbers that are no ids, throws', () => {
    expect(() => embedding({ inputDim: 4, outputDim: 2 })(tensor([[0, 1]]))).toThrow(
      'embed: ids expected i32, got f32',
    );
  });
});

describe('dropout', () => {
  const ones = (): Tensor => tensor(new Float32Array(20_000).fill(1), { shape: [20_000] });

  test('outside training, is the identity', () => {
    const layer = dropout({ rate: 0.5 });
    expect(all(layer(input(5)))).toEqual(all(input(5)));
  });

  test('while training, drops its share and keeps the mean', () => {
    const y = all(dropout({ rate: 0.25 })(ones(), { training: true }));
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    // The standard error of the share of zeros is 0.003.
    expect(y.filter((v) => v === 0).length / y.length).toBeCloseTo(0.25, 1.7);
    expect(y.reduce((a, b) => a + b, 0) / y.length).toBeCloseTo(1, 1.7);
  });

  test('while training, uses one mask forward and backward', () => {
    const layer = dropout({ rate: 0.5 });
    const x = ones();
    let y: number[] = [];
    const { grads } = valueAndGrad(() => {
      const dropped = layer(x, { training: true });
      y = all(dropped);
      return sum(dropped);
    }, [x]);
    expect(all(grads[0]!)).toEqual(y);
  });

  test('while training, has another mask each call and each layer, and the same ones after the same seed', () => {
    const masks = (): number[][] => {
      const layers = [dropout({ rate: 0.5 }), dropout({ rate: 0.5 })];
      return [0, 1].flatMap(() => layers.map((layer) => all(layer(ones(), { training: true }))));
    };
    const first = masks();
    expect(new Set(first.map(String)).size).toBe(4);
    setSeed(3);
    expect(masks()).toEqual(first);
  });

  test.each([1, -0.1, Number.NaN])('with rate %s, cannot be made', (rate) => {
    expect(() => dropout({ rate })).toThrow(`dropout: rate expected a number in [0, 1), got ${rate}`);
  });
});

describe('the layers of a model', () => {
  test('of one kind, are numbered as Keras numbers them, around names that were given', () => {
    const model = sequential([
      lstm({ units: 2, returnSequences: true, inputShape: [null, 2] }),
      lstm({ units: 2, returnSequences: true }),
      simpleRnn({ units: 2, returnSequences: true, name: 'lstm_2' }),
      lstm({ units: 2 }),
      dense({ units: 1 }),
    ]);
    expect(model.layers.map((layer) => layer.name)).toEqual(['lstm', 'lstm_1', 'lstm_2', 'lstm_3', 'dense']);
    expect(model.weights[3]!.name).toBe('lstm_1/kernel');
    expect(new Set(model.weights.map((weight) => weight.name)).size).toBe(model.weights.length);
  });

  test('that were given one name, throw it', () => {
    expect(() => sequential([dense({ units: 1, name: 'head' }), dense({ units: 1, name: 'head' })])).toThrow(
      new ArgumentError("sequential: two layers are named 'head', layers[0] (Dense) and layers[1] (Dense)"),
    );
  });

  test('of which one already has weights under its name, leave that name to it', () => {
    const built = dense({ units: 2 });
    built(input(1, 2));
    const model = sequential([built, dense({ units: 2 })]);
    model.predict([[1, 2]]);
    expect(model.layers.map((layer) => layer.name)).toEqual(['dense', 'dense_1']);
    expect(new Set(model.weights.map((weight) => weight.name)).size).toBe(4);
  });

  test('that are one layer twice, throw', () => {
    const layer = dense({ units: 2 });
    expect(() => sequential([layer, layer])).toThrow(new ArgumentError("sequential: layer 'dense' is listed twice"));
  });

  test('that do not fit each other, throw and name both', () => {
    expect(() => sequential([lstm({ units: 3, inputShape: [null, 2] }), gru({ units: 4 })])).toThrow(
      new ArgumentError("gru(units=4): input expected [batch, time, features], got [?, 3] from layer 'lstm'"),
    );
  });

  test('that are none, throw', () => {
    expect(() => sequential([])).toThrow('sequential: layers expected one layer or more, got none');
  });

  test('of which one returns its states, throw when called and name it', () => {
    const model = sequential([lstm({ units: 3, returnState: true, inputShape: [null, 2] }) as never]);
    expect(() => model.predict([[[1, 2]]])).toThrow("layer 'lstm' returns its states too");
  });

  test('called with another input than the first one declares, throw both shapes', () => {
    const model = sequential([lstm({ units: 3, inputShape: [null, 2] })]);
    expect(() => model.predict([[[1, 2, 3]]])).toThrow(
      new ArgumentError("sequential: input expected [?, ?, 2], got [1, 1, 3] for its first layer 'lstm'"),
    );
  });

  test('that could not be built for one input, are built for the next as if it had been the first', () => {
    const make = () => {
      setSeed(9);
      return sequential([dense({ units: 3 }), lstm({ units: 2 }), dense({ units: 1 })]);
    };
    const failed = make();
    expect(() => failed.predict([[1, 2]])).toThrow(
      /^lstm\(units=2\): input expected \[batch, time, features\], got \[1, 3\]/,
    );
    expect(failed.weights.length).toBe(0);
    const sequence = [[[1, 2, 3, 4]]];
    expect(failed.predict(sequence).shape).toEqual([1, 1]);
    expect(failed.weights.map((weight) => weight.name)).toEqual(
      (() => {
        const fresh = make();
        fresh.predict(sequence);
        return fresh.weights.map((weight) => weight.name);
      })(),
    );
  });

  test.each<[string, () => Layer]>([
    ['bidirectional', () => bidirectional(lstm({ units: 2, returnSequences: true }))],
    ['timeDistributed', () => timeDistributed(dense({ units: 2 }))],
    ['rnn', () => rnn([gruCell({ units: 2 }), lstmCell({ units: 2 })], { returnSequences: true })],
  ])('of which a later one does not fit, leave no weight in %s', (_, make) => {
    const layer = make();
    const model = sequential([layer, repeatVector({ n: 2 })]);
    expect(() => model.predict([[[1, 2, 3]]])).toThrow(/^repeat_vector: input expected .* from layer '/);
    expect(layer.weights).toEqual([]);
    expect(layer(tensor([[[1, 2]]])).shape.slice(0, 2)).toEqual([1, 1]);
  });
});

describe('config', () => {
  const layers: [string, Layer<Tensor | Tensor[]>][] = [
    ['Dense', dense({ units: 3, activation: 'relu', useBias: false, kernelInitializer: 'heNormal', inputShape: [4] })],
    ['Dropout', dropout({ rate: 0.3, name: 'drop' })],
    ['Embedding', embedding({ inputDim: 5, outputDim: 2, embeddingsInitializer: { name: 'randomNormal', stddev: 1 } })],
    ['GRU', gru({ units: 3, resetAfter: false, returnSequences: true, trainable: false })],
    ['LSTM', lstm({ units: 3, unitForgetBias: false, stateful: true, batchInputShape: [2, null, 4] })],
    ['SimpleRNN', simpleRnn({ units: 3, activation: 'relu', returnState: true, recurrentInitializer: 'zeros' })],
  ];

  test.each(layers)('of %s, through JSON, makes an equal layer', (className, layer) => {
    const config = JSON.parse(JSON.stringify(layer.config())) as LayerConfig;
    const again = layerFromConfig(className, config);
    expect(again.className).toBe(className);
    expect(JSON.parse(JSON.stringify(again.config()))).toEqual(config);
    expect(again.outputShape([2, 3, 4])).toEqual(layer.outputShape([2, 3, 4]));
  });

  const ofClass = new Map([...simpleCases, ...recurrentCases].map((c) => [`${c.of}, ${c.variant}`, c]));
  test.each([...ofClass.keys()])('of %s, through JSON, makes a layer of the same weights', (key) => {
    const { of, make, inputs } = ofClass.get(key)!;
    const made = make();
    const shape = Array.isArray(inputs) ? inputs.map((each) => each.shape) : (inputs as CaseInput).shape;
    const config = JSON.parse(JSON.stringify(made.config())) as LayerConfig;
    if (JSON.stringify(config).includes('"Cell"')) return;
    const again = layerFromConfig(of, config) as AnyLayer;
    expect(JSON.parse(JSON.stringify(again.config()))).toEqual(config);
    for (const layer of [made, again]) {
      layer.setScope('');
      layer.build(shape);
    }
    const weights = (layer: AnyLayer) => layer.weights.map((weight) => [weight.name, weight.shape]);
    expect(weights(again)).toEqual(weights(made));
    expect(again.outputShapes(shape)).toEqual(made.outputShapes(shape));
  });

  test('of a model, makes a model of the same weights', () => {
    const model = sequential(
      [embedding({ inputDim: 5, outputDim: 2 }), gru({ units: 3 }), dense({ units: 1, activation: 'sigmoid' })],
      { name: 'reader' },
    );
    const again = sequentialFromConfig(JSON.parse(JSON.stringify(model.network.config())));
    expect(again.name).toBe('reader');
    expect(again.weights.map(({ name, shape }) => [name, shape])).toEqual(
      model.weights.map(({ name, shape }) => [name, shape]),
    );
  });

  test.each(['Conv2D', 'toString'])('of class %s, throws', (className) => {
    expect(() => layerFromConfig(className, {})).toThrow(`got '${className}'`);
  });
});
