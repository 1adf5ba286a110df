// Golden numbers of TF.js for stacks of layers: the outputs and the gradient of every weight. For some stacks, with
// TF.js's own defaults, also the weights after training.
//
//   cd bench/peers && npm ci && node --import tsx tfjs-layers.ts
//
// writes test/golden/tfjs-layers.json. test/golden/tfjs-layers.test.ts reads that file. The version is TF.js 4.22 on
// its plain CPU backend. The file does not cover features that TF.js lacks (GRU with resetAfter, causal convolution,
// gradients of dilated convolution), nor the gradient of averages over the ends of a sequence, which TF.js computes
// wrong by a factor of the number of steps.
import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';

/** A layer for both sides: the name of its function, its options, and the layers or cells inside. */
interface LayerSpec {
  kind: string;
  options?: Record<string, unknown>;
  layer?: LayerSpec;
  cells?: LayerSpec[];
}

interface Stack {
  name: string;
  /** Options of tapeloop's recurrent layers, at any depth, that equal TF.js's defaults. */
  here?: Record<string, unknown>;
  /** The optimizer for five steps of training with the mean squared error. */
  optimizer?: keyof typeof optimizers;
  /**
   * Whether x and kernels are ones and biases zeros, as in TF.js's own tests. Otherwise their values come from `given`.
   */
  ones?: boolean;
  /** Shape of a batch. */
  shape: number[];
  idsBelow?: number;
  /** [sample, step] pairs that are padding: every feature 0. */
  padded?: [number, number][];
  layers: LayerSpec[];
}

const units = 3;
const sigmoid = { recurrentActivation: 'sigmoid' };
const every = { returnSequences: true };
const padded: Stack['padded'] = [
  [0, 3],
  [0, 4],
  [1, 0],
  [1, 2],
];
const SEQUENCE = { shape: [2, 5, 4] };
const layer = (kind: string, options: Record<string, unknown> = {}): LayerSpec => ({ kind, options });

/**
 * Optimizers, by the names that `compile` accepts. Adam of TF.js corrects the moments before it adds epsilon, Adam of
 * Keras after. The numbers are equal if epsilon is negligible.
 */
const optimizers = { sgd: () => 'sgd', rmsprop: () => 'rmsprop', adam: () => tf.train.adam(0.001, 0.9, 0.999, 1e-12) };

/** TF.js's own defaults, as tapeloop's options. The guide for TF.js names them. */
const lstmDefaults = { recurrentActivation: 'hardSigmoid2' };
const gruDefaults = { recurrentActivation: 'hardSigmoid2', resetAfter: false };
const trained = (
  name: string,
  optimizer: keyof typeof optimizers,
  kind: string,
  here: Record<string, unknown>,
): Stack => ({
  name: `${name}, trained by ${optimizer}`,
  ...SEQUENCE,
  here,
  optimizer,
  layers: [layer(kind, { units }), layer('dense', { units: 1 })],
});
const byDefault: Stack[] = [
  { name: 'lstm by default', ...SEQUENCE, here: lstmDefaults, layers: [layer('lstm', { units, ...every })] },
  { name: 'gru by default', ...SEQUENCE, here: gruDefaults, layers: [layer('gru', { units, ...every })] },
  {
    name: 'lstm by default, of ones',
    shape: [4, 2, 3],
    ones: true,
    here: lstmDefaults,
    layers: [layer('lstm', { units: 5 })],
  },
  {
    name: 'gru by default, of ones',
    shape: [4, 3, 1],
    ones: true,
    here: gruDefaults,
    layers: [layer('gru', { units: 5 })],
  },
  {
    name: 'masked gru by default, backwards',
    ...SEQUENCE,
    padded,
    here: gruDefaults,
    layers: [layer('masking'), layer('gru', { units, goBackwards: true, ...every })],
  },
  {
    name: 'bidirectional lstm by default',
    ...SEQUENCE,
    here: lstmDefaults,
    layers: [{ kind: 'bidirectional', layer: layer('lstm', { units }) }],
  },
  {
    name: 'lstm cells by default',
    ...SEQUENCE,
    here: lstmDefaults,
    layers: [{ kind: 'rnn', options: every, cells: [layer('lstmCell', { units }), layer('lstmCell', { units: 2 })] }],
  },
  {
    name: 'dense of hardSigmoid',
    ...SEQUENCE,
    here: { activation: 'hardSigmoid2' },
    layers: [layer('dense', { units: 5, activation: 'hardSigmoid' })],
  },
  ...(['sgd', 'adam', 'rmsprop'] as const).flatMap((optimizer) => [
    trained('lstm by default', optimizer, 'lstm', lstmDefaults),
    trained('gru by default', optimizer, 'gru', gruDefaults),
  ]),
];

const stacks: Stack[] = [
  { name: 'lstm', ...SEQUENCE, layers: [layer('lstm', { units, ...sigmoid })] },
  { name: 'lstm of relu', ...SEQUENCE, layers: [layer('lstm', { units, activation: 'relu', ...sigmoid, ...every })] },
  { name: 'lstm backwards', ...SEQUENCE, layers: [layer('lstm', { units, goBackwards: true, ...sigmoid, ...every })] },
  {
    name: 'gru, reset before',
    ...SEQUENCE,
    layers: [layer('gru', { units, resetAfter: false, ...sigmoid, ...every })],
  },
  {
    name: 'gru of relu, reset before, backwards',
    ...SEQUENCE,
    layers: [layer('gru', { units, resetAfter: false, activation: 'relu', goBackwards: true, ...sigmoid })],
  },
  { name: 'simpleRnn', ...SEQUENCE, layers: [layer('simpleRNN', { units })] },
  { name: 'simpleRnn of relu', ...SEQUENCE, layers: [layer('simpleRNN', { units, activation: 'relu', ...every })] },
  {
    name: 'simpleRnn of softsign, no bias',
    ...SEQUENCE,
    layers: [layer('simpleRNN', { units, activation: 'softsign', useBias: false })],
  },
  ...(['lstm', 'gru', 'simpleRNN'] as const).map((kind) => ({
    name: `masked ${kind}, every output`,
    ...SEQUENCE,
    padded,
    layers: [
      layer('masking'),
      layer(kind, {
        units,
        ...every,
        ...(kind === 'simpleRNN' ? {} : sigmoid),
        ...(kind === 'gru' && { resetAfter: false }),
      }),
    ],
  })),
  {
    name: 'masked stack, the last output',
    ...SEQUENCE,
    padded,
    layers: [layer('masking'), layer('lstm', { units, ...sigmoid, ...every }), layer('simpleRNN', { units: 2 })],
  },
  {
    name: 'masked lstm backwards, the last output',
    ...SEQUENCE,
    padded,
    layers: [layer('masking'), layer('lstm', { units, goBackwards: true, ...sigmoid })],
  },
  {
    name: 'embedding with maskZero, lstm, dense',
    shape: [3, 5],
    idsBelow: 4,
    layers: [
      layer('embedding', { inputDim: 4, outputDim: 3, maskZero: true }),
      layer('lstm', { units, ...sigmoid }),
      layer('dense', { units: 2, activation: 'softmax' }),
    ],
  },
  ...(['concat', 'sum', 'mul', 'ave'] as const).flatMap((mergeMode) =>
    [true, false].map((returnSequences) => ({
      name: `bidirectional lstm, ${mergeMode}, ${returnSequences ? 'every output' : 'the last'}`,
      ...SEQUENCE,
      layers: [
        {
          kind: 'bidirectional',
          options: { mergeMode },
          layer: layer('lstm', { units, returnSequences, ...sigmoid }),
        },
      ],
    })),
  ),
  {
    name: 'masked bidirectional simpleRnn, the last',
    ...SEQUENCE,
    padded,
    layers: [
      layer('masking'),
      { kind: 'bidirectional', options: { mergeMode: 'concat' }, layer: layer('simpleRNN', { units }) },
    ],
  },
  {
    name: 'bidirectional stack',
    ...SEQUENCE,
    layers: [
      { kind: 'bidirectional', options: { mergeMode: 'concat' }, layer: layer('simpleRNN', { units, ...every }) },
      { kind: 'bidirectional', options: { mergeMode: 'sum' }, layer: layer('lstm', { units, ...sigmoid }) },
    ],
  },
  {
    name: 'stacked cells',
    ...SEQUENCE,
    layers: [
      {
        kind: 'rnn',
        options: every,
        cells: [layer('lstmCell', { units, ...sigmoid }), layer('simpleRNNCell', { units: 2, activation: 'relu' })],
      },
    ],
  },
  {
    name: 'timeDistributed dense after lstm',
    ...SEQUENCE,
    layers: [
      layer('lstm', { units, ...sigmoid, ...every }),
      { kind: 'timeDistributed', layer: layer('dense', { units: 2, activation: 'tanh' }) },
    ],
  },
  {
    name: 'encoder and decoder',
    ...SEQUENCE,
    layers: [
      layer('lstm', { units, ...sigmoid }),
      layer('repeatVector', { n: 3 }),
      layer('lstm', { units, ...sigmoid, ...every }),
      layer('dense', { units: 2 }),
    ],
  },
  { name: 'layerNormalization', ...SEQUENCE, layers: [layer('layerNormalization')] },
  ...(['valid', 'same'] as const).map((padding) => ({
    name: `conv1d, ${padding}`,
    ...SEQUENCE,
    layers: [layer('conv1d', { filters: 2, kernelSize: 3, padding, activation: 'relu' })],
  })),
  {
    name: 'conv1d with strides, flatten, dense',
    ...SEQUENCE,
    layers: [
      layer('conv1d', { filters: 2, kernelSize: 2, strides: 2 }),
      layer('flatten'),
      layer('dense', { units: 2, activation: 'elu' }),
    ],
  },
  {
    name: 'conv1d, maxPooling1d',
    ...SEQUENCE,
    layers: [layer('conv1d', { filters: 2, kernelSize: 2 }), layer('maxPooling1d', { poolSize: 2 })],
  },
  {
    name: 'averagePooling1d, globalMaxPooling1d',
    ...SEQUENCE,
    layers: [
      layer('dense', { units: 3 }),
      layer('averagePooling1d', { poolSize: 3, strides: 2 }),
      layer('globalMaxPooling1d'),
    ],
  },
  {
    name: 'permute, reshape, globalAveragePooling1d',
    ...SEQUENCE,
    layers: [
      layer('dense', { units: 4, activation: 'sigmoid' }),
      layer('permute', { dims: [2, 1] }),
      layer('reshape', { targetShape: [10, 2] }),
      layer('globalAveragePooling1d'),
    ],
  },
  ...byDefault,
  {
    name: 'convLstm2d, every output, then the last, backwards',
    shape: [2, 3, 4, 5, 2],
    layers: [
      layer('convLstm2d', { filters: 3, kernelSize: 3, padding: 'same', ...sigmoid, ...every }),
      layer('convLstm2d', { filters: 2, kernelSize: [2, 3], strides: [1, 2], goBackwards: true, ...sigmoid }),
      layer('flatten'),
      layer('dense', { units: 2 }),
    ],
  },
  {
    name: 'convLstm2d by default',
    shape: [2, 3, 4, 4, 1],
    here: lstmDefaults,
    layers: [layer('convLstm2d', { filters: 2, kernelSize: 2, ...every })],
  },
  {
    name: 'conv2d, conv2dTranspose, depthwiseConv2d',
    shape: [2, 5, 6, 2],
    layers: [
      layer('conv2d', { filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
      layer('conv2dTranspose', { filters: 2, kernelSize: 3, strides: 2, padding: 'same' }),
      layer('depthwiseConv2d', { kernelSize: 2, depthMultiplier: 2, activation: 'sigmoid' }),
    ],
  },
  {
    name: 'timeDistributed conv2d, separableConv2d',
    shape: [2, 3, 4, 4, 2],
    layers: [
      { kind: 'timeDistributed', layer: layer('conv2d', { filters: 3, kernelSize: 2 }) },
      { kind: 'timeDistributed', layer: layer('separableConv2d', { filters: 2, kernelSize: 2, padding: 'same' }) },
    ],
  },
];

// biome-ignore lint/suspicious/noExplicitAny: makers are chosen by name.
const makers = tf.layers as any;

function make({ kind, options = {}, layer: inner, cells }: LayerSpec, first: object): tf.layers.Layer {
  const all = { ...options, ...first };
  if (inner) return makers[kind]({ ...all, layer: make(inner, {}) });
  if (cells) return makers[kind]({ ...all, cell: cells.map((cell) => make(cell, {})) });
  return makers[kind](all);
}

/** Numbers with three decimals from a counter, uniform in [−scale, scale). */
let counter = 0;
function given(count: number, scale = 1): number[] {
  return Array.from({ length: count }, () => {
    counter = (counter + 0x9e3779b9) | 0;
    let h = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return Math.round((((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1) * scale * 1000) / 1000;
  });
}

const rounded = (t: tf.Tensor): number[] => Array.from(t.dataSync(), (v) => Number(v.toPrecision(8)));
const sizeOf = (shape: number[]): number => shape.reduce((product, n) => product * n, 1);

async function run(stack: Stack): Promise<object> {
  const { shape, idsBelow, padded: holes, layers, ones, optimizer } = stack;
  const filled = (of: number[]): number[] => new Array<number>(sizeOf(of)).fill(of.length > 1 ? 1 : 0);
  const x = ones
    ? filled(shape)
    : idsBelow
      ? given(sizeOf(shape)).map((v) => Math.floor(((v + 1) / 2) * idsBelow))
      : given(sizeOf(shape));
  const features = shape.at(-1)!;
  for (const [sample, step] of holes ?? [])
    x.fill(0, (sample * shape[1]! + step) * features, (sample * shape[1]! + step + 1) * features);
  const model = tf.sequential({
    layers: layers.map((spec, i) => make(spec, i === 0 ? { inputShape: shape.slice(1) } : {})),
  });
  const weights = model.getWeights().map(({ shape: of }) => ({
    shape: of,
    values: ones ? filled(of) : given(sizeOf(of), 0.7),
  }));
  model.setWeights(weights.map(({ shape: of, values }) => tf.tensor(values, of)));
  const input = tf.tensor(x, shape, idsBelow ? 'int32' : 'float32');
  const y = model.apply(input) as tf.Tensor;
  const dY = given(y.size);
  const { grads } = tf.variableGrads(
    () => tf.sum(tf.mul(model.apply(input) as tf.Tensor, tf.tensor(dY, y.shape))) as tf.Scalar,
  );
  const gradients = model.trainableWeights.map((weight) => rounded(grads[weight.name]!));
  const numbers = { ...stack, x, weights, y: { shape: y.shape, values: rounded(y) }, dY, gradients };
  if (!optimizer) return numbers;
  model.compile({ optimizer: optimizers[optimizer](), loss: 'meanSquaredError' });
  const targets = given(y.size);
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push(Number(await model.trainOnBatch(input, tf.tensor(targets, y.shape))));
  return { ...numbers, targets, losses, trained: model.getWeights().map(rounded) };
}

await tf.setBackend('cpu');
const file = new URL('../../test/golden/tfjs-layers.json', import.meta.url);
const cases: string[] = [];
for (const stack of stacks) cases.push(JSON.stringify(await run(stack)));
writeFileSync(file, `{"tfjs":${JSON.stringify(tf.version.tfjs)},"stacks":[\n${cases.join(',\n')}\n]}\n`);
