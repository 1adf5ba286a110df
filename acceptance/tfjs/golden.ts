// node --import tsx acceptance/tfjs/golden.ts > test/golden/tfjs-models.json
// Models that TF.js made and saved, with what it computes: outputs, the losses of further steps of training, and what
// it decodes of quantized weights. First: npm ci --prefix acceptance/tfjs
import * as tf from '@tensorflow/tfjs';
import { RandomStream } from '../../src/index.ts';
import { savedByTfjs } from './files.ts';

await tf.setBackend('cpu');
const L = tf.layers;
const random = new RandomStream(5);
const numbers = (size: number, scale = 1): number[] =>
  Array.from({ length: size }, () => Math.fround(Number((scale * (2 * random.nextUniform() - 1)).toFixed(3))));
const data = (shape: number[], limit?: number): { shape: number[]; data: number[] } => {
  const size = shape.reduce((product, n) => product * n, 1);
  return { shape, data: limit ? Array.from({ length: size }, () => random.nextUint32() % limit) : numbers(size) };
};
type Data = ReturnType<typeof data>;
const short = (values: ArrayLike<number>): number[] => Array.from(values, (x) => Number(x.toPrecision(8)));

function functional(): tf.LayersModel {
  const [a, b] = [tf.input({ shape: [4, 3], name: 'a' }), tf.input({ shape: [3], name: 'b' })];
  const shared = L.dense({ units: 2, activation: 'tanh', name: 'shared' });
  const state = shared.apply(b) as tf.SymbolicTensor;
  const lstm = L.lstm({ units: 2, returnState: true, returnSequences: true, name: 'states' });
  const third = L.dense({ units: 3, name: 'third' }).apply(state) as tf.SymbolicTensor;
  const start = [a, state, shared.apply(third) as tf.SymbolicTensor];
  const [y, h, c] = lstm.apply(start) as tf.SymbolicTensor[] as [
    tf.SymbolicTensor,
    tf.SymbolicTensor,
    tf.SymbolicTensor,
  ];
  const inner = tf.sequential({
    layers: [L.dense({ units: 3, inputShape: [2], name: 'in1' }), L.dense({ units: 2, name: 'in2' })],
  });
  inner.name = 'inner';
  const [one, two] = [inner.apply(h) as tf.SymbolicTensor, inner.apply(c) as tf.SymbolicTensor];
  const sum = L.add({ name: 'sum' }).apply([one, two]) as tf.SymbolicTensor;
  const pool = L.globalMaxPooling1d({ name: 'pool' }).apply(y) as tf.SymbolicTensor;
  const join = L.concatenate({ name: 'join' }).apply([pool, sum]) as tf.SymbolicTensor;
  return tf.model({ inputs: [a, b], outputs: [join, two] });
}

/** Attention of the old tutorials, by products of states, with the greatest and the least of two branches. */
function products(): tf.LayersModel {
  const [a, b] = [tf.input({ shape: [4, 3], name: 'a' }), tf.input({ shape: [5, 3], name: 'b' })];
  const scores = L.dot({ axes: [2, 2], name: 'scores' }).apply([a, b]) as tf.SymbolicTensor;
  const shares = L.softmax({ axis: -1, name: 'shares' }).apply(scores) as tf.SymbolicTensor;
  const context = L.dot({ axes: [2, 1], name: 'context' }).apply([shares, b]) as tf.SymbolicTensor;
  const most = L.maximum({ name: 'most' }).apply([a, context]) as tf.SymbolicTensor;
  const least = L.minimum({ name: 'least' }).apply([a, context]) as tf.SymbolicTensor;
  const [p, q] = [most, least].map((x, i) => L.lstm({ units: 3, name: `lstm${i}` }).apply(x) as tf.SymbolicTensor);
  const cosine = L.dot({ axes: -1, normalize: true, name: 'cosine' }).apply([p!, q!]) as tf.SymbolicTensor;
  const mixed = L.dot({ axes: [1, 2], name: 'mixed' }).apply([p!, b]) as tf.SymbolicTensor;
  return tf.model({ inputs: [a, b], outputs: [cosine, mixed] });
}

const models: Record<string, [make: () => tf.LayersModel, x: Data[], optimizer?: () => tf.Optimizer]> = {
  'lstm with the defaults of TF.js, adam': [
    () => tf.sequential({ layers: [L.lstm({ units: 3, inputShape: [5, 2] }), L.dense({ units: 2 })] }),
    [data([4, 5, 2])],
    () => tf.train.adam(0.01),
  ],
  'stack of gru and simpleRnn, rmsprop': [
    () =>
      tf.sequential({
        layers: [
          L.gru({ units: 3, returnSequences: true, inputShape: [4, 2], activation: 'softsign' }),
          L.simpleRNN({ units: 2, goBackwards: true, useBias: false }),
          L.dense({ units: 1, activation: 'softplus' }),
        ],
      }),
    [data([3, 4, 2])],
    () => tf.train.rmsprop(0.01, 0.9, 0.5),
  ],
  'masked embedding, lstm, momentum': [
    () =>
      tf.sequential({
        layers: [
          L.embedding({ inputDim: 5, outputDim: 3, inputLength: 6, maskZero: true }),
          L.lstm({ units: 2, recurrentActivation: 'sigmoid' }),
          L.dense({ units: 2 }),
        ],
      }),
    [data([4, 6], 5)],
    () => tf.train.momentum(0.1, 0.9, true),
  ],
  'bidirectional, time distributed, cells': [
    () =>
      tf.sequential({
        layers: [
          L.bidirectional({
            layer: L.lstm({ units: 2, returnSequences: true }) as tf.RNN,
            mergeMode: 'concat',
            inputShape: [4, 3],
          }),
          L.timeDistributed({ layer: L.dense({ units: 3, activation: 'elu' }) }),
          L.bidirectional({ layer: L.gru({ units: 2, returnSequences: true }) as tf.RNN, mergeMode: 'ave' }),
          L.rnn({ cell: [L.gruCell({ units: 2 }), L.lstmCell({ units: 3 })], returnSequences: true }),
          L.rnn({ cell: L.simpleRNNCell({ units: 2 }) }),
        ],
      }),
    [data([2, 4, 3])],
  ],
  'convolutions and normalizations of sequences': [
    () =>
      tf.sequential({
        layers: [
          L.conv1d({ filters: 3, kernelSize: 2, inputShape: [8, 2], activation: 'relu6', dilationRate: 2 }),
          L.batchNormalization({}),
          L.layerNormalization({}),
          L.leakyReLU({ alpha: 0.1 }),
          L.maxPooling1d({ poolSize: 2 }),
          L.spatialDropout1d({ rate: 0.5 }),
          L.reshape({ targetShape: [9] }),
          L.repeatVector({ n: 2 }),
          L.permute({ dims: [2, 1] }),
          L.flatten({}),
          L.reLU({ maxValue: 0.5 }),
          L.dense({ units: 3 }),
          L.softmax({}),
        ],
      }),
    [data([2, 8, 2])],
  ],
  images: [
    () =>
      tf.sequential({
        layers: [
          L.conv2d({ filters: 2, kernelSize: [2, 3], inputShape: [6, 7, 2], padding: 'same', activation: 'selu' }),
          L.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }),
          L.separableConv2d({ filters: 3, kernelSize: 2, padding: 'same' }),
          L.zeroPadding2d({
            padding: [
              [1, 0],
              [0, 1],
            ],
          }),
          L.averagePooling2d({ poolSize: [2, 2] }),
          L.upSampling2d({ size: [2, 2] }),
          L.cropping2D({
            cropping: [
              [1, 0],
              [1, 1],
            ],
          }),
          L.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2 }),
          L.elu({ alpha: 1 }),
          L.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        ],
      }),
    [data([2, 6, 7, 2])],
  ],
  convLstm2d: [
    () =>
      tf.sequential({
        layers: [
          L.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same', inputShape: [3, 4, 4, 1] }),
          L.flatten(),
          L.dense({ units: 1 }),
        ],
      }),
    [data([2, 3, 4, 4, 1])],
  ],
  'functional: shared layer, initial states, inner model, two inputs and outputs': [
    functional,
    [data([2, 4, 3]), data([2, 3])],
  ],
  'noise, and rectifiers with numbers of their own': [
    () =>
      tf.sequential({
        layers: [
          L.gaussianNoise({ stddev: 0.5, inputShape: [4, 3] }),
          L.prelu({ sharedAxes: [1] }),
          L.gaussianDropout({ rate: 0.3 }),
          L.gru({ units: 3, returnSequences: true }),
          L.prelu({}),
          L.alphaDropout({ rate: 0.2 }),
          L.thresholdedReLU({ theta: 0.1 }),
          L.flatten(),
          L.dense({ units: 2 }),
        ],
      }),
    [data([2, 4, 3])],
  ],
  'products, maximum, minimum': [products, [data([2, 4, 3]), data([2, 5, 3])]],
};

const golden: Record<string, object> = {};
for (const [name, [make, x, optimizer]] of Object.entries(models)) {
  const model = make();
  model.setWeights(
    model.weights.map(({ shape, name: weight }) => {
      const size = shape.reduce<number>((product, n) => product * (n ?? 1), 1);
      // A variance is above 0.
      return tf.tensor(
        numbers(size, 0.8).map((value) => (/variance/.test(weight) ? Math.fround(0.5 + Math.abs(value)) : value)),
        shape as number[],
      );
    }),
  );
  const tensors = x.map((each) => tf.tensor(each.data, each.shape));
  const given = tensors.length === 1 ? tensors[0]! : tensors;
  const outputs = (): object[] =>
    ([model.predict(given)].flat() as tf.Tensor[]).map((y) => ({ shape: y.shape, data: short(y.dataSync()) }));
  if (optimizer) {
    model.compile({ optimizer: optimizer(), loss: 'meanSquaredError', metrics: ['mae'] });
    const [, width] = model.outputs[0]!.shape as number[] as [number, number];
    const y = data([x[0]!.shape[0]!, width]);
    const target = tf.tensor(y.data, y.shape);
    const step = async (): Promise<number> => ((await model.trainOnBatch(given, target)) as number[])[0]!;
    for (let i = 0; i < 3; i++) await step();
    const { weightData, ...saved } = await savedByTfjs(model, true);
    const before = outputs();
    const losses = [await step(), await step(), await step()];
    golden[name] = { x, outputs: before, y, losses: short(losses), artifacts: saved, weights: base64(weightData) };
    continue;
  }
  const { weightData, ...saved } = await savedByTfjs(model);
  golden[name] = { x, outputs: outputs(), artifacts: saved, weights: base64(weightData) };
}

function base64(given: unknown): string {
  return Buffer.from(given as ArrayBuffer).toString('base64');
}

/** What TF.js decodes of quantized weights. */
const specs = [
  { name: 'a', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.013, min: -1.3 } },
  { name: 'b', shape: [3], dtype: 'float32', quantization: { dtype: 'uint16', scale: 1.1e-4, min: -2.5 } },
  { name: 'c', shape: [5], dtype: 'float32', quantization: { dtype: 'float16' } },
  { name: 'd', shape: [2], dtype: 'int32', quantization: { dtype: 'uint8', scale: 1.5, min: -3 } },
  { name: 'e', shape: [2], dtype: 'int32' },
  { name: 'f', shape: [3], dtype: 'bool' },
  { name: 'g', shape: [], dtype: 'float32' },
] as tf.io.WeightsManifestEntry[];
const bytes = Uint8Array.from([
  0, 255, 7, 128, 1, 2, 255, 255, 0, 0, 0x00, 0x3c, 0x01, 0x80, 0xff, 0x7b, 0x55, 0xb5, 0xff, 0x03, 9, 3, 1, 0, 0, 0,
  254, 255, 255, 255, 1, 0, 1, 0, 0, 0x80, 0x3f,
]);
const decoded = tf.io.decodeWeights(bytes.buffer, specs);
golden.quantized = {
  specs,
  bytes: base64(bytes.buffer),
  values: Object.fromEntries(Object.entries(decoded).map(([name, value]) => [name, Array.from(value.dataSync())])),
};

console.log(
  `{\n${Object.entries(golden)
    .map(([name, each]) => ` ${JSON.stringify(name)}: ${JSON.stringify(each)}`)
    .join(',\n')}\n}`,
);
