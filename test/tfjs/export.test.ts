import { describe, expect, test } from 'vitest';
import {
  adam,
  add,
  bidirectional,
  concatenate,
  conv1d,
  dense,
  dropout,
  globalAveragePooling1d,
  gru,
  lstm,
  type Model,
  masking,
  model,
  ops,
  repeatVector,
  sequential,
  setSeed,
  sgd,
  type Tensor,
} from '../../src/index.ts';
import { crf } from '../../src/sequences.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';

const x = [
  [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
];

/** A functional model whose dropout reads what another layer reads, too. */
function branches(): Model {
  const layers = { drop: dropout({ rate: 0.5 }), a: dense({ units: 2 }), b: dense({ units: 2 }), sum: add() };
  return model({ layers, inputs: { shape: [3, 2] } }, (input: Tensor, at) =>
    at.sum([at.a(at.drop(input)), at.b(input)]),
  ) as never;
}

describe('a model whose forward is code', () => {
  test('that calls layers alone, is written as a graph of them, each branch with its own dropout', () => {
    const made = branches();
    const files = exportTfjs(made);
    const { config } = JSON.parse(new TextDecoder().decode(files['model.json'])).modelTopology;
    const nodes = Object.fromEntries(config.layers.map(({ name, inbound_nodes }: never) => [name, inbound_nodes]));
    expect(nodes.a).toEqual([[['drop', 0, 0, {}]]]);
    expect(nodes.b).toEqual([[['input_layer', 0, 0, {}]]]);
    const back = importTfjs(files['model.json']!, files);
    expect(back.predict(x).data).toEqual(made.predict(x).data);
    expect(made.layers.map(({ name }) => name)).toEqual(['drop', 'a', 'b', 'sum']);
  });

  test('that computes between layers, is refused by the layer that reads it', () => {
    const layers = { a: dense({ units: 2 }) };
    const made = model({ layers, inputs: { shape: [3, 2] } }, (input: Tensor, at) => at.a(ops.scale(input, 2)));
    expect(() => exportTfjs(made as never)).toThrow(
      "model: layer 'a' expected what layers have made, got the result of an op: use layers such as add() and concatenate()",
    );
  });

  test('with states by name and a list of outputs, comes back with its numbers', () => {
    setSeed(1);
    const layers = { encoder: lstm({ units: 2, returnState: true }), decoder: lstm({ units: 2 }), join: concatenate() };
    const made = model({ layers, inputs: [{ shape: [3, 2] }, { shape: [3, 2] }] }, ([a, b]: [Tensor, Tensor], at) => {
      const [y, h, c] = at.encoder(a);
      return [at.join([y, at.decoder(b, { initialState: [h, c] })]), c];
    });
    const files = exportTfjs(made as never);
    const back = importTfjs(files['model.json']!, files);
    expect(back.predict([x, x] as never)).toEqual(made.predict([x, x] as never));
  });
});

test('inner models whose layers have the names of others, get names of their own', () => {
  const inner = (): Model => sequential([dense({ units: 2 }), dense({ units: 2 })]);
  const made = sequential([dense({ units: 2, inputShape: [2] }), inner(), inner()]);
  const files = exportTfjs(made);
  const { weightsManifest } = JSON.parse(new TextDecoder().decode(files['model.json']));
  const names = weightsManifest[0].weights.map(({ name }: { name: string }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(importTfjs(files['model.json']!, files).predict([[1, 2]]).data).toEqual(made.predict([[1, 2]]).data);
  expect(made.weights[2]!.name).toBe('sequential/dense/kernel');
});

test('weights of more than 4 MB stand in several files', () => {
  const made = sequential([dense({ units: 1100, inputShape: [1000] })]);
  const files = exportTfjs(made);
  expect(
    Object.entries(files)
      .map(([name, { length }]) => [name, length])
      .slice(1),
  ).toEqual([
    ['group1-shard1of2.bin', 4194304],
    ['group1-shard2of2.bin', 4 * 1100 * 1001 - 4194304],
  ]);
  expect(importTfjs(files['model.json']!, files).weights[0]!.toArray()).toEqual(made.weights[0]!.toArray());
});

test('training goes over with the state of the optimizer', () => {
  for (const optimizer of [() => adam({ scaleEpsilon: true }), () => sgd({ learningRate: 0.1, momentum: 0.9 })]) {
    setSeed(2);
    const made = sequential([bidirectional(lstm({ units: 2 }), { inputShape: [3, 2] } as never), dense({ units: 1 })]);
    made.predict(x);
    made.compile({ optimizer: optimizer(), loss: 'mse', metrics: ['mae'] });
    made.trainOnBatch(x, [[1]]);
    const files = exportTfjs(made, { includeOptimizer: true });
    const back = importTfjs(files['model.json']!, files);
    const losses = [made, back].map((each) => [1, 2, 3].map(() => each.trainOnBatch(x, [[1]]).loss!));
    losses[0]!.forEach((loss, i) => expect(Math.abs(loss - losses[1]![i]!)).toBeLessThan(1e-6));
  }
});

test('metrics go out by the names of TF.js, and those that it lacks or computes otherwise stay here', () => {
  const written = (names: readonly unknown[]): unknown => {
    const made = sequential([dense({ units: 2, inputShape: [2] })]);
    made.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: names as never });
    const { trainingConfig } = JSON.parse(
      new TextDecoder().decode(exportTfjs(made, { includeOptimizer: true })['model.json']),
    );
    return trainingConfig.metrics;
  };
  // The keys of `metricsMap` of TF.js 4.22 in snake case, and what its compile knows besides.
  expect(written(['acc', 'accuracy', 'mse', 'mae', 'mape'])).toEqual(['acc', 'accuracy', 'mse', 'mae', 'mape']);
  expect(written(['meanAbsoluteError', 'meanSquaredError', 'meanAbsolutePercentageError'])).toEqual([
    'mae',
    'mse',
    'mape',
  ]);
  expect(written(['binaryAccuracy', 'categoricalAccuracy', 'categoricalCrossentropy'])).toEqual([
    'binary_accuracy',
    'categorical_accuracy',
    'categorical_crossentropy',
  ]);
  expect(written([{ metric: 'meanAbsoluteError', name: 'off' }])).toEqual(['mae']);
  expect(written([{ metric: 'binaryAccuracy', name: 'binaryAccuracy', threshold: 0.3 }])).toEqual([]);
  const missing = ['binaryCrossentropy', 'cosineSimilarity', 'hinge', 'klDivergence', 'logCosh', 'poisson'];
  expect(written([...missing, 'precision', 'recall', 'squaredHinge', 'meanSquaredLogarithmicError'])).toEqual([]);
});

test('precision of TF.js, which counts outputs of exactly 1, does not become the metric of that name', () => {
  const made = sequential([dense({ units: 1, activation: 'sigmoid', inputShape: [2] })]);
  made.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['mae'] });
  const { 'model.json': text, ...files } = exportTfjs(made, { includeOptimizer: true });
  const json = JSON.parse(new TextDecoder().decode(text));
  json.trainingConfig.metrics = ['precision', 'mean_absolute_error', 'cosine'];
  const values = importTfjs(json, files).evaluate([[1, 2]], [[1]]);
  expect(Object.keys(values)).toEqual(['loss', 'meanAbsoluteError']);
});

test('an optimizer that has not stepped goes out with its count of steps, Adamax without one, which TF.js refuses', () => {
  const names = (optimizer: 'adamax' | 'rmsprop' | 'sgd'): string[] => {
    const made = sequential([dense({ units: 1, inputShape: [2], name: 'a' })]);
    made.compile({ optimizer, loss: 'mse' });
    const json = JSON.parse(new TextDecoder().decode(exportTfjs(made, { includeOptimizer: true })['model.json']));
    expect(json.trainingConfig.optimizer_config.class_name.toLowerCase()).toBe(optimizer);
    return json.weightsManifest[0].weights.map(({ name }: { name: string }) => name);
  };
  expect(names('adamax')).toEqual(['a/kernel', 'a/bias']);
  expect(names('sgd')).toEqual(['a/kernel', 'a/bias', 'iter']);
  expect(names('rmsprop')).toEqual(['a/kernel', 'a/bias', 'iter']);
});

test('a function with a name goes out by it', () => {
  const twice = (input: Tensor): Tensor => ops.scale(input, 2);
  const files = exportTfjs(sequential([dense({ units: 1, inputShape: [2], activation: twice })]));
  const json = JSON.parse(new TextDecoder().decode(files['model.json']));
  expect(json.modelTopology.config.layers[0].config.activation).toBe('twice');
});

test("a backward layer that is the forward layer's mirror image, as Keras writes it, is left out", () => {
  const cell = { units: 2, returnSequences: true };
  const backwardLayer = lstm({ ...cell, goBackwards: true, name: 'backward_a' });
  const options = { inputShape: [3, 2], mergeMode: 'ave', backwardLayer } as never;
  const made = sequential([bidirectional(lstm({ ...cell, name: 'a' }), options), dense({ units: 1 })]);
  const files = exportTfjs(made);
  const json = JSON.parse(new TextDecoder().decode(files['model.json']));
  expect(Object.keys(json.modelTopology.config.layers[0].config)).not.toContain('backward_layer');
  expect(importTfjs(json, files).predict(x).data).toEqual(made.predict(x).data);
});

const padded = () => masking({ inputShape: [3, 2] });
const built = (layer: never): Model => {
  const made = sequential([layer]);
  made.predict(x as never);
  return made;
};
test.each<[string, () => unknown]>([
  [
    "layer 'gru' (GRU): TF.js has no reset_after but false, got true",
    () => exportTfjs(built(gru({ units: 1, resetAfter: true }) as never)),
  ],
  [
    "layer 'lstm' (LSTM): TF.js has no option peephole, got true",
    () => exportTfjs(built(lstm({ units: 1, peephole: true }) as never)),
  ],
  [
    "layer 'dense' (Dense): activation: TF.js has no activation 'hardSigmoid'",
    () => exportTfjs(built(dense({ units: 1, activation: 'hardSigmoid' }) as never)),
  ],
  [
    "layer 'dense' (Dense): activation expected a function with a name, by which TF.js can find one, got a function without a name: make it as const mine = (x) => …",
    () => exportTfjs(built(dense({ units: 1, activation: (input) => input }) as never)),
  ],
  [
    "layer 'lstm' (LSTM): recurrent_activation expected a function with a name, by which TF.js can find one, got a function without a name: make it as const mine = (x) => …",
    () =>
      exportTfjs(
        built(
          lstm({
            units: 1,
            recurrentActivation: (
              () => (input: Tensor) =>
                input
            )(),
          }) as never,
        ),
      ),
  ],
  [
    "layer 'dense' (Dense): activation: TF.js does not load its 'gelu_new', got 'geluTanh'; it has 'gelu'",
    () => exportTfjs(built(dense({ units: 1, activation: 'geluTanh' }) as never)),
  ],
  [
    "layer 'my layer' (Dense): TF.js wants names with a letter or digit, then letters, digits and . _ - / of ASCII, got 'my layer': give another name",
    () => exportTfjs(built(dense({ units: 1, name: 'my layer' }) as never)),
  ],
  [
    "layer 'bidirectional' (Bidirectional): TF.js has no backward layer but the mirror image of the forward layer, got 'backward_a' with another units",
    () =>
      exportTfjs(
        built(
          bidirectional(lstm({ units: 1, name: 'a' }), {
            backwardLayer: lstm({ units: 2, goBackwards: true, name: 'backward_a' }),
          }) as never,
        ),
      ),
  ],
  ["layer 'crf' (CRF): TF.js has no such layer", () => exportTfjs(built(crf() as never))],
  [
    "layer 'bidirectional' (Bidirectional): behind a mask TF.js does not set the outputs of masked steps to 0",
    () => exportTfjs(sequential([padded(), bidirectional(lstm({ units: 1, returnSequences: true }))])),
  ],
  [
    "layer 'lstm' (LSTM): behind a mask TF.js does not turn the mask with its outputs",
    () => exportTfjs(sequential([padded(), lstm({ units: 1, returnSequences: true, goBackwards: true })])),
  ],
  [
    "layer 'global_average_pooling1d' (GlobalAveragePooling1D): behind a mask TF.js takes the mean of all steps",
    () => exportTfjs(sequential([padded(), dropout({ rate: 0.1 }), globalAveragePooling1d()])),
  ],
  [
    "layer 'lstm_1' (LSTM): behind a mask TF.js gives it the mask of another layer",
    () => exportTfjs(sequential([padded(), lstm({ units: 1 }), repeatVector({ n: 2 }), lstm({ units: 1 })])),
  ],
  [
    "layer 'conv1d' (Conv1D): TF.js does not run causal padding",
    () => exportTfjs(built(conv1d({ filters: 1, kernelSize: 2, padding: 'causal' }) as never)),
  ],
  [
    'exportTfjs: includeOptimizer expected a compiled model',
    () => exportTfjs(built(dense({ units: 1 }) as never), { includeOptimizer: true }),
  ],
])('%s: an export is refused with this sentence', (message, call) => {
  expect(call).toThrow(message);
});
