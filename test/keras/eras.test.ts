// Configurations as Keras 1, 2 and 3 wrote them, and weights in their layouts.
import { describe, expect, test } from 'vitest';
import '../../src/images.ts';
import '../../src/sequences.ts';
import { bidirectional, dense, gru, lstm, type Model, RandomStream, sequential, setSeed } from '../../src/index.ts';
import { compileAsSaved } from '../../src/keras/compile/read-compile.ts';
import { modelOfConfig } from '../../src/keras/config/read-model.ts';
import { registerKerasLayers } from '../../src/keras/register.ts';
import type { KerasArray } from '../../src/keras/weights/keras-array.ts';
import { kerasWeightsOf, setKerasWeights } from '../../src/keras/weights/read-weights.ts';

registerKerasLayers();
const layers = (model: Model): readonly { className: string; config: Record<string, unknown> }[] =>
  (model.network.config() as never as { layers: [] }).layers;
const sequentialOf = (...list: [string, object][]): object => ({
  class_name: 'Sequential',
  config: list.map(([class_name, config]) => ({ class_name, config })),
});
const x = [
  [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
];

describe('a configuration', () => {
  test('of Keras 1, with the names of then, is the layers that it means', () => {
    const model = modelOfConfig(
      sequentialOf(
        [
          'Convolution1D',
          {
            name: 'a',
            nb_filter: 3,
            filter_length: 2,
            border_mode: 'same',
            subsample_length: 1,
            activation: 'relu',
            init: 'glorot_uniform',
            bias: true,
            input_dim: 2,
            input_length: 3,
            W_regularizer: { name: 'L1L2', l1: 0, l2: 0.5 },
            W_constraint: { name: 'MaxNorm', m: 2, axis: 0 },
          },
        ],
        [
          'GRU',
          {
            name: 'b',
            output_dim: 2,
            init: 'glorot_uniform',
            inner_init: 'orthogonal',
            activation: 'tanh',
            inner_activation: 'hard_sigmoid',
            return_sequences: true,
            dropout_W: 0.1,
            dropout_U: 0.2,
            consume_less: 'cpu',
          },
        ],
        ['Dropout', { name: 'c', p: 0.5 }],
        ['TimeDistributedDense', { name: 'd', output_dim: 1, activation: 'linear' }],
      ),
    );
    const [a, b, c, d] = layers(model);
    expect(a).toMatchObject({
      className: 'Conv1D',
      config: {
        filters: 3,
        kernelSize: 2,
        padding: 'same',
        kernelRegularizer: { l1: 0, l2: 0.5 },
        kernelConstraint: { name: 'maxNorm', maxValue: 2, axis: 0 },
        batchInputShape: [null, 3, 2],
      },
    });
    expect(b).toMatchObject({
      className: 'GRU',
      config: { units: 2, recurrentActivation: 'hardSigmoid2', resetAfter: false, dropout: 0.1, recurrentDropout: 0.2 },
    });
    expect(c).toMatchObject({ className: 'Dropout', config: { rate: 0.5 } });
    expect(d).toMatchObject({ className: 'Dense', config: { units: 1 } });
  });

  test.each([
    ['2.2.4', 'hardSigmoid2', false],
    ['3.9.2', 'hardSigmoid', true],
  ])(
    'of Keras %s, has its hard_sigmoid, and its default of reset_after',
    (version, recurrentActivation, resetAfter) => {
      const config = sequentialOf([
        'GRU',
        { name: 'a', units: 1, recurrent_activation: 'hard_sigmoid', batch_input_shape: [null, null, 2] },
      ]);
      expect(layers(modelOfConfig(config, { version }))[0]!.config).toMatchObject({ recurrentActivation, resetAfter });
    },
  );

  test('of CuDNN layers, is the layers that compute the same', () => {
    const config = sequentialOf(
      ['CuDNNLSTM', { name: 'a', units: 1, return_sequences: true, batch_input_shape: [null, null, 2] }],
      ['CuDNNGRU', { name: 'b', units: 1 }],
    );
    const [a, b] = layers(modelOfConfig(config));
    expect(a).toMatchObject({ className: 'LSTM', config: { activation: 'tanh', recurrentActivation: 'sigmoid' } });
    expect(b).toMatchObject({ className: 'GRU', config: { recurrentActivation: 'sigmoid', resetAfter: true } });
  });

  const dense2 = (name: string, inbound_nodes: unknown): object => ({
    name,
    class_name: 'Dense',
    config: { name, units: 2 },
    inbound_nodes,
  });
  const input = (name: string, shape: unknown[] = [null, 2]): object => ({
    name,
    class_name: 'InputLayer',
    config: { name, batch_input_shape: shape },
    inbound_nodes: [],
  });

  test('of a functional model of Keras 2, whose inner model counts its calls from 1, calls as Keras does', () => {
    const inner = {
      name: 'in',
      class_name: 'Sequential',
      config: {
        name: 'in',
        layers: [{ class_name: 'Dense', config: { name: 'e', units: 2, batch_input_shape: [null, 2] } }],
      },
    };
    const model = modelOfConfig({
      class_name: 'Model',
      config: {
        name: 'm',
        layers: [
          input('x'),
          { ...inner, inbound_nodes: [[['x', 0, 0, {}]], [['d', 0, 0, {}]]] },
          dense2('d', [[['in', 1, 0, {}]]]),
          {
            name: 'sum',
            class_name: 'Add',
            config: { name: 'sum' },
            inbound_nodes: [
              [
                ['in', 1, 0, {}],
                ['in', 2, 0, {}],
              ],
            ],
          },
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [['sum', 0, 0]],
      },
    });
    const [e, d] = [model.getLayer('in/e'), model.getLayer('d')];
    e.setWeights([
      [
        [1, 2],
        [3, 4],
      ],
      [1, 0],
    ]);
    d.setWeights([
      [
        [0, 1],
        [1, 0],
      ],
      [0, 0],
    ]);
    // in(x) = x·E + [1, 0]; the second call reads it with its columns exchanged.
    expect([...model.predict([[1, 1]]).data]).toEqual([5 + 6 + 5 * 3 + 1, 6 + 2 * 6 + 5 * 4]);
    expect(model.layers.map(({ name }) => name)).toEqual(['in', 'd', 'sum']);
  });

  test('that calls a layer on its own output, or on none, is refused', () => {
    const made = (nodes: unknown) => () =>
      modelOfConfig({
        class_name: 'Functional',
        config: {
          name: 'm',
          layers: [input('x'), dense2('d', nodes)],
          input_layers: [['x', 0, 0]],
          output_layers: [['d', 0, 0]],
        },
      });
    expect(made([[['d', 0, 0, {}]]])).toThrow(
      "model 'm': call 'd/0' is read, but it is not there or reads its own output",
    );
    expect(made([[['y', 0, 0, {}]]])).toThrow(
      "model 'm': call 'y/0' is read, but it is not there or reads its own output",
    );
    expect(made([])).toThrow("model 'm': 'd' expected a layer that is called");
  });

  const keras3 = (
    class_name: string,
    config: object,
    args: unknown[] = [],
    kwargs: object = {},
    module = 'keras.layers',
  ): object => ({
    module,
    class_name,
    config: {
      dtype: { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null },
      ...config,
    },
    registered_name: null,
    name: (config as { name: string }).name,
    inbound_nodes: args.length > 0 ? [{ args, kwargs }] : [],
  });
  const tensor = (...history: unknown[]): object => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, 3], dtype: 'float32', keras_history: history },
  });

  test('of a functional model of Keras 3, with masks that operations make, states and attention, is read', () => {
    const model = modelOfConfig({
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          keras3('InputLayer', { name: 'ids', batch_shape: [null, 3], dtype: 'int32' }),
          keras3('Embedding', { name: 'e', input_dim: 5, output_dim: 2, mask_zero: true, input_length: null }, [
            tensor('ids', 0, 0),
          ]),
          keras3('NotEqual', { name: 'not_equal' }, [tensor('ids', 0, 0), 0], {}, 'keras.src.ops.numpy'),
          keras3('LSTM', { name: 'l', units: 2, return_state: true, return_sequences: true }, [tensor('e', 0, 0)], {
            mask: tensor('not_equal', 0, 0),
            training: null,
          }),
          keras3('GRU', { name: 'g', units: 2, return_sequences: true }, [tensor('e', 0, 0)], {
            initial_state: [tensor('l', 0, 1)],
            mask: tensor('not_equal', 0, 0),
          }),
          keras3(
            'MultiHeadAttention',
            { name: 'a', num_heads: 1, key_dim: 2 },
            [tensor('l', 0, 0), tensor('g', 0, 0)],
            { use_causal_mask: true },
          ),
        ],
        input_layers: ['ids', 0, 0],
        output_layers: [
          ['a', 0, 0],
          ['l', 0, 2],
        ],
      },
    });
    const [a, c] = model.predict([[1, 2, 0]] as never) as never as { shape: number[] }[];
    expect([a!.shape, c!.shape]).toEqual([
      [1, 3, 2],
      [1, 2],
    ]);
    expect(model.getLayer('a').config()).toMatchObject({ useCausalMask: true, numHeads: 1 });
  });
});

describe('weights', () => {
  const random = new RandomStream(4);
  const numbers = (...shape: number[]): KerasArray => ({
    name: 'w',
    shape,
    data: Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => random.nextUniform() - 0.5),
  });
  /** Columns of gate g of a kernel `[I, G·H]`. */
  const gate = ({ shape, data }: KerasArray, g: number, units: number): number[][] =>
    Array.from({ length: shape[0]! }, (_, i) =>
      Array.from(data.subarray(i * shape[1]! + g * units, i * shape[1]! + (g + 1) * units)),
    );
  const joined = (gates: readonly number[][][]): number[] =>
    gates[0]!.flatMap((_, i) => gates.flatMap((each) => each[i]!));
  const transposed = (rows: number[][]): number[][] => rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const reshaped = (values: number[], columns: number): number[][] =>
    Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));

  test.each([
    [4, 'LSTM'],
    [3, 'GRU'],
  ])('of CuDNN, %i gates, in the blocks that Keras makes of them, are those of the %s', (gates) => {
    const units = 3;
    const [kernel, recurrent, bias] = [
      numbers(2, gates * units),
      numbers(units, gates * units),
      numbers(2, gates * units),
    ];
    // Keras: each block of the kernel is k.T.reshape(k.shape), and of the recurrent kernel U.T.
    const blocks = (array: KerasArray): KerasArray => ({
      ...array,
      data: Float32Array.from(
        joined(Array.from({ length: gates }, (_, g) => reshaped(transposed(gate(array, g, units)).flat(), units))),
      ),
    });
    const flat = { ...bias, shape: [2 * gates * units] };
    const make = gates === 4 ? lstm({ units, inputShape: [null, 2] }) : gru({ units, inputShape: [null, 2] });
    const layer = sequential([make]).layers[0]!;
    setKerasWeights(layer, [blocks(kernel), blocks(recurrent), flat]);
    const [w, u, b] = layer.weights.map((weight) => weight.toArray());
    expect(w).toEqual(kernel.data);
    expect(u).toEqual(recurrent.data);
    const half = gates * units;
    const sum = Float32Array.from({ length: half }, (_, i) => bias.data[i]! + bias.data[half + i]!);
    expect(b).toEqual(gates === 4 ? sum : bias.data);
  });

  test('of Keras 1, an array for each gate in the order i c f o, are those of the LSTM', () => {
    const units = 2;
    const each = [0, 1, 2, 3].map(() => [numbers(2, units), numbers(units, units), numbers(units)]);
    const layer = sequential([lstm({ units, inputShape: [null, 2] })]).layers[0]!;
    setKerasWeights(layer, each.flat(), 'keras1');
    const [i, c, f, o] = each.map(([w]) => reshaped([...w!.data], units));
    expect([...layer.weights[0]!.toArray()]).toEqual(joined([i!, f!, c!, o!]));
  });

  test('of a model inside a model, come with those that train first', () => {
    setSeed(1);
    const model = sequential([
      bidirectional(gru({ units: 2 }), { inputShape: [3, 2] } as never),
      dense({ units: 2 }),
      dense({ units: 1 }),
    ]);
    model.layers[1]!.trainable = false;
    const arrays = kerasWeightsOf(model.network);
    expect(arrays.slice(-2).map(({ shape }) => shape)).toEqual([[4, 2], [2]]);
    const before = model.predict(x);
    for (const weight of model.weights) weight.assign(new Float32Array(weight.size));
    setKerasWeights(model.network, arrays);
    expect(model.predict(x)).toEqual(before);
    expect(() => setKerasWeights(model.network, arrays.slice(1))).toThrow(/expected 10 weights, got 9 in the file$/);
    expect(() => setKerasWeights(model.network, arrays.with(0, { ...arrays[0]!, shape: [3, 2] }))).toThrow(
      /expected \[2, 6\], got \[3, 2\] in the file$/,
    );
  });
});

describe('what a file was compiled with', () => {
  const compiled = (training: object, era: 'keras2' | 'keras3' = 'keras2'): Model | undefined => {
    const model = sequential([dense({ units: 1, inputShape: [2] })]);
    return compileAsSaved('importKeras', model, training, era, { outputs: ['dense'] }) ? model : undefined;
  };

  test('of tf.keras, is loss, metrics and optimizer with its decay', () => {
    const model = compiled({
      loss: { class_name: 'Huber', config: { reduction: 'auto', name: 'huber_loss', delta: 2 } },
      metrics: [
        [
          { class_name: 'MeanMetricWrapper', config: { name: 'mae', dtype: 'float32', fn: 'mean_absolute_error' } },
          'unheard_of',
        ],
      ],
      optimizer_config: {
        class_name: 'SGD',
        config: { name: 'SGD', learning_rate: 0.5, decay: 0.1, momentum: 0.9, nesterov: true },
      },
    })!;
    expect(model.optimizer.config()).toMatchObject({
      name: 'sgd',
      momentum: 0.9,
      nesterov: true,
      learningRate: { name: 'inverseTimeDecay', initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.1 },
    });
    const [head] = model.trainer.compiled.objective.heads;
    expect([head!.loss.name, head!.loss.config!(), head!.metrics.map(({ name }) => name)]).toEqual([
      'huber',
      { delta: 2 },
      ['meanAbsoluteError'],
    ]);
  });

  test('of Keras 3, with a schedule, is read', () => {
    const schedule = {
      module: 'keras.optimizers.schedules',
      class_name: 'ExponentialDecay',
      config: {
        initial_learning_rate: 0.1,
        decay_steps: 10,
        decay_rate: 0.5,
        staircase: true,
        name: 'ExponentialDecay',
      },
      registered_name: null,
    };
    const model = compiled(
      {
        loss: 'sparse_categorical_crossentropy',
        metrics: ['accuracy'],
        optimizer: {
          module: 'keras.optimizers',
          class_name: 'Adam',
          config: {
            name: 'adam',
            learning_rate: schedule,
            weight_decay: null,
            clipnorm: 1,
            use_ema: false,
            ema_momentum: 0.99,
            beta_1: 0.8,
            loss_scale_factor: null,
          },
        },
      },
      'keras3',
    )!;
    expect(model.optimizer.config()).toMatchObject({
      name: 'adam',
      beta1: 0.8,
      clipNorm: 1,
      learningRate: {
        name: 'exponentialDecay',
        initialLearningRate: 0.1,
        decaySteps: 10,
        decayRate: 0.5,
        staircase: true,
      },
    });
  });

  test('that tapeloop does not have, leaves the model as it is', () => {
    expect(compiled({ loss: 'unheard_of', optimizer_config: { class_name: 'Adam', config: {} } })).toBeUndefined();
    expect(compiled({ loss: 'mse', optimizer_config: { class_name: 'Ftrl', config: {} } })).toBeUndefined();
    expect(compiled({ loss: 'mse', optimizer_config: { class_name: 'Adam', config: { banana: 1 } } })).toBeUndefined();
    expect(compiled({})).toBeUndefined();
  });
});
