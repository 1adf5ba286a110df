// Models that are exported: each kind of layer and op, with inputs.

import { waveNet } from '../../src/audio-models.ts';
import {
  averagePooling2d,
  batchNormalization,
  conv2d,
  conv2dTranspose,
  convLstm1d,
  convLstm2d,
  cropping1d,
  cropping2d,
  depthwiseConv2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  rescaling,
  separableConv1d,
  separableConv2d,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
  zeroPadding2d,
} from '../../src/images.ts';
import {
  add,
  additiveAttention,
  attention,
  average,
  averagePooling1d,
  bidirectional,
  concatenate,
  conv1d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling1d,
  globalMaxPooling1d,
  gru,
  gruCell,
  layerNormalization,
  lstm,
  lstmCell,
  masking,
  maxPooling1d,
  model,
  multiply,
  ops,
  permute,
  repeatVector,
  reshape,
  rnn,
  sequential,
  simpleRnn,
  spatialDropout1d,
  subtract,
  timeDistributed,
} from '../../src/index.ts';
import type { AnyModel } from '../../src/models/model.ts';
import type { ExportOnnxOptions } from '../../src/onnx.ts';
import {
  attentionCell,
  layerNormGruCell,
  layerNormLstmCell,
  multiHeadAttention,
  zoneoutCell,
} from '../../src/sequences.ts';

/** An input: its shape, and the number of ids if it holds ids. */
export type ExportedInput = readonly [shape: readonly number[], ids?: number];

export interface ExportedCase {
  readonly name: string;
  make(): AnyModel;
  readonly inputs: readonly ExportedInput[];
  /** Keys of the inputs; none for a list. */
  readonly keys?: readonly string[];
  readonly options?: ExportOnnxOptions;
}

// biome-ignore lint/suspicious/noExplicitAny: the layers of a model have many types.
type Any = any;
const stack =
  (...layers: (() => Any)[]) =>
  (): AnyModel =>
    sequential(layers.map((make) => make())) as AnyModel;
const one = (name: string, input: ExportedInput, make: () => AnyModel, options?: ExportOnnxOptions): ExportedCase => ({
  name,
  make,
  inputs: [input],
  ...(options && { options }),
});

const activations = [
  ...['linear', 'relu', 'sigmoid', 'tanh', 'softmax', 'relu6', 'leakyRelu', 'elu', 'selu', 'celu', 'gelu', 'geluTanh'],
  ...['softplus', 'softsign', 'silu', 'hardSigmoid', 'hardSigmoid2', 'hardSilu', 'mish', 'exponential', 'logSigmoid'],
  ...['hardTanh', 'tanhShrink', 'softShrink', 'hardShrink', 'squareplus', 'logSoftmax'],
] as const;

const recurrences = [false, true].flatMap((returnSequences): ExportedCase[] => {
  const read = { inputShape: [null, 2], returnSequences };
  const end = returnSequences ? ', sequences' : '';
  const plain = (name: string, layer: () => Any): ExportedCase => one(`${name}${end}`, [[4, 6, 2]], stack(layer));
  const masked = (name: string, layer: () => Any): ExportedCase =>
    one(
      `masked ${name}${end}`,
      [[7, 6], 5],
      stack(() => embedding({ inputDim: 5, outputDim: 3, maskZero: true }), layer),
    );
  const kinds = { lstm, gru, simpleRnn } as Record<string, (options: Any) => Any>;
  return [
    ...Object.entries(kinds).flatMap(([name, layer]) => [
      plain(name, () => layer({ units: 3, ...read })),
      plain(`${name} backwards without bias`, () => layer({ units: 3, ...read, goBackwards: true, useBias: false })),
      plain(`${name} with mish`, () => layer({ units: 3, ...read, activation: 'mish' })),
      plain(`${name} with elu`, () => layer({ units: 3, ...read, activation: 'elu' })),
      masked(name, () => layer({ units: 3, returnSequences })),
      masked(`${name} backwards`, () => layer({ units: 3, returnSequences, goBackwards: true })),
      masked(`${name} with mish`, () =>
        layer({ units: 3, returnSequences, activation: 'mish', zeroOutputForMask: true }),
      ),
    ]),
    plain('gru, reset before', () => gru({ units: 3, ...read, resetAfter: false })),
    plain('lstm with peepholes', () => lstm({ units: 3, ...read, peephole: true })),
    plain('lstm with projection', () => lstm({ units: 3, ...read, projSize: 2 })),
    plain('lstm of Keras 2', () =>
      lstm({ units: 3, ...read, activation: 'linear', recurrentActivation: 'hardSigmoid2' }),
    ),
    plain('bidirectional', () => bidirectional(lstm({ units: 3, returnSequences }), { inputShape: [null, 2] })),
    plain('bidirectional sum', () =>
      bidirectional(gru({ units: 3, returnSequences }), { inputShape: [null, 2], mergeMode: 'sum' }),
    ),
    masked('bidirectional', () => bidirectional(gru({ units: 3, returnSequences }))),
    masked('stack', () => rnn([lstmCell({ units: 3 }), gruCell({ units: 2 })], { returnSequences })),
    plain('stacked cells', () => rnn([lstmCell({ units: 3 }), gruCell({ units: 2 })], read)),
    plain('layer-normalized lstm', () => rnn(layerNormLstmCell({ units: 3 }), read)),
    plain('layer-normalized gru', () => rnn(layerNormGruCell({ units: 3 }), read)),
    plain('zoneout', () => rnn(zoneoutCell(lstmCell({ units: 3 }), { zoneout: 0.2 }), read)),
    one(
      `masked steps into two layers${end}`,
      [[7, 6, 3]],
      stack(
        () => masking({ inputShape: [null, 3] }),
        () => lstm({ units: 3, returnSequences: true, goBackwards: true }),
        () => gru({ units: 2, returnSequences }),
      ),
    ),
  ];
});

const images: ExportedCase[] = [
  one(
    'images',
    [[2, 12, 10, 2]],
    stack(
      () => conv2d({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [12, 10, 2], activation: 'relu' }),
      () => batchNormalization(),
      () => maxPooling2d(),
      () => depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
      () => upSampling2d({ interpolation: 'bilinear' }),
      () => conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
      () => averagePooling2d({ padding: 'same' }),
      () => flatten(),
      () => dense({ units: 2 }),
    ),
  ),
  one(
    'images of any size',
    [[2, 33, 29, 2]],
    stack(
      () =>
        conv2d({ filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same', inputShape: [null, null, 2], groups: 2 }),
      () => separableConv2d({ filters: 3, kernelSize: 3, padding: 'same', strides: 2 }),
      () =>
        zeroPadding2d({
          padding: [
            [1, 2],
            [0, 1],
          ],
        }),
      () => cropping2d({ cropping: 1 }),
      () => upSampling2d({ size: [2, 3] }),
      () => globalAveragePooling2d(),
    ),
  ),
  one(
    'greatest pixels',
    [[2, 9, 8, 2]],
    stack(() => globalMaxPooling2d({ inputShape: [null, null, 2], keepdims: true })),
  ),
  one(
    'transposed convolution with a gap',
    [[2, 5, 6, 2]],
    stack(() => conv2dTranspose({ filters: 3, kernelSize: 2, strides: 3, inputShape: [5, 6, 2] })),
  ),
  one(
    'transposed convolution, output padding',
    [[2, 5, 6, 2]],
    stack(() => conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, outputPadding: 1, inputShape: [5, 6, 2] })),
  ),
  one(
    'separable convolution of a sequence',
    [[2, 9, 2]],
    stack(
      () => separableConv1d({ filters: 3, kernelSize: 3, padding: 'same', inputShape: [null, 2] }),
      () => upSampling1d(),
      () => zeroPadding1d({ padding: [1, 2] }),
      () => cropping1d({ cropping: 1 }),
    ),
  ),
  ...[false, true].map((returnSequences) =>
    one(
      `convolutional lstm${returnSequences ? ', sequences' : ''}`,
      [[2, 4, 6, 5, 2]],
      stack(() =>
        convLstm2d({ filters: 3, kernelSize: 3, padding: 'same', returnSequences, inputShape: [null, 6, 5, 2] }),
      ),
    ),
  ),
  one(
    'convolutional lstm of rows',
    [[2, 4, 7, 2]],
    stack(() =>
      convLstm1d({
        ...{ filters: 3, kernelSize: 3, strides: 2, padding: 'same', goBackwards: true },
        ...{ inputShape: [null, 7, 2], recurrentActivation: 'hardSigmoid' },
      } as Any),
    ),
  ),
  one(
    'convolutional lstm, images of any size without padding',
    [[2, 4, 8, 7, 2]],
    stack(() =>
      convLstm2d({ filters: 3, kernelSize: [3, 2], returnSequences: true, inputShape: [null, null, null, 2] } as Any),
    ),
  ),
  one(
    'convolutional lstm, images of any size in strides',
    [[2, 4, 8, 7, 2]],
    stack(() =>
      convLstm2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', inputShape: [null, null, null, 2] }),
    ),
  ),
  one(
    'convolutions whose options are not those of their layer',
    [[2, 9, 1]],
    stack(() =>
      waveNet({
        arrays: [{ channels: 2, kernelSize: 2, dilations: [1, 3], headSize: 1, headBias: true }],
        inputShape: [null, 1],
      }),
    ),
  ),
  one(
    'rescaling',
    [[2, 4, 4, 3]],
    stack(() => rescaling({ scale: 1 / 255, offset: -1, inputShape: [4, 4, 3] })),
  ),
];

const ids = { shape: [null], dtype: 'i32' } as const;

const functional: ExportedCase[] = [
  ...[false, true].map((useCausalMask) =>
    one(
      `attention${useCausalMask ? ', causal' : ''}`,
      [[3, 6], 7],
      () =>
        model(
          {
            layers: {
              read: embedding({ inputDim: 7, outputDim: 4 }),
              attend: attention({ useCausalMask, useScale: true }),
              write: dense({ units: 2 }),
            },
            inputs: ids,
          },
          (x, each) => {
            const h = each.read(x);
            return each.write(each.attend([h, h]));
          },
        ) as AnyModel,
    ),
  ),
  one(
    'masked attention',
    [[3, 6], 7],
    () =>
      model(
        {
          layers: { read: embedding({ inputDim: 7, outputDim: 4, maskZero: true }), attend: additiveAttention() },
          inputs: ids,
        },
        (x, each) => {
          const h = each.read(x);
          return each.attend([h, h]);
        },
      ) as AnyModel,
  ),
  one(
    'masked mean',
    [[5, 6], 4],
    stack(
      () => embedding({ inputDim: 4, outputDim: 3, maskZero: true }),
      () => globalAveragePooling1d(),
    ),
  ),
  one(
    'multi-head attention',
    [[3, 6, 4]],
    () =>
      model(
        {
          layers: { attend: multiHeadAttention({ numHeads: 2, keyDim: 3 }), norm: layerNormalization() },
          inputs: { shape: [null, 4] },
        },
        (x, each) => each.norm(ops.add(x, each.attend([x, x]) as Any)),
      ) as AnyModel,
  ),
  {
    name: 'encoder and decoder',
    inputs: [
      [[3, 6], 7],
      [[3, 4], 6],
    ],
    keys: ['source', 'target'],
    make: () =>
      model(
        {
          layers: {
            ...{ question: embedding({ inputDim: 7, outputDim: 4 }), answer: embedding({ inputDim: 6, outputDim: 4 }) },
            encode: lstm({ units: 5, returnState: true }),
            decode: lstm({ units: 5, returnSequences: true }),
            write: dense({ units: 6 }),
          },
          inputs: { source: ids, target: ids },
        },
        (x, each) => {
          const [, ...initialState] = each.encode(each.question(x.source)) as Any;
          const logits = each.write(each.decode(each.answer(x.target), { initialState }));
          return { logits, probabilities: ops.softmax(logits) };
        },
      ) as unknown as AnyModel,
  },
  {
    name: 'attention in the recurrence',
    inputs: [
      [[3, 6], 7],
      [[3, 4], 6],
    ],
    keys: ['source', 'target'],
    make: () => {
      const cell = attentionCell({ cell: gruCell({ units: 5 }), score: 'general', attentionUnits: 4 });
      return model(
        {
          layers: {
            question: embedding({ inputDim: 7, outputDim: 4, maskZero: true }),
            answer: embedding({ inputDim: 6, outputDim: 4 }),
            encode: gru({ units: 5, returnSequences: true, returnState: true }),
            decode: rnn(cell, { returnSequences: true }),
            write: dense({ units: 6 }),
          },
          inputs: { source: ids, target: ids },
        },
        (x, each) => {
          const [memory, h] = each.encode(each.question(x.source)) as Any;
          const initialState = [h, ops.zeros([h.shape[0], 4])];
          return each.write(each.decode(each.answer(x.target), { initialState, constants: [memory] }) as Any);
        },
      ) as AnyModel;
    },
  },
  one(
    'ops',
    [[3, 6, 4]],
    () =>
      model(
        { layers: { read: lstm({ units: 4, returnSequences: true }) }, inputs: { shape: [null, 4] } },
        (x, each) => {
          const y = each.read(x);
          const last = ops.lastStep(y);
          const flipped = ops.reverse(ops.cumsum(y, 1), 1);
          return ops.concatenate([
            ...[ops.scale(last, 0.3), ops.addScalar(ops.mean(y, { axis: 1 }), 0.1), ops.max(y, { axis: 1 })],
            ...[ops.slice(last, { axis: 1, from: 1, to: 3 }), ops.clip(last, -0.1, 0.1), ops.timeStep(flipped, 0)],
            ...ops.split(ops.div(ops.exp(last), ops.add(ops.square(last), 2)), 2),
            ops.sum(ops.transpose(y, [0, 2, 1]), { axis: 2 }),
            ops.reshape(ops.stack([last, ops.maximum(last, 0)], 1), [last.shape[0]!, -1]),
          ]);
        },
      ) as AnyModel,
  ),
  {
    name: 'merges of a list of inputs',
    inputs: [[[3, 6, 4]], [[3, 6, 3]]],
    make: () =>
      model(
        {
          layers: {
            ...{ a: dense({ units: 4 }), b: dense({ units: 4 }), mean: average(), join: concatenate() },
            ...{ times: multiply(), plus: add(), minus: subtract() },
          },
          inputs: [{ shape: [null, 4] }, { shape: [null, 3] }],
        },
        ([x, z], each) => {
          const both = [each.a(x), each.b(z)];
          return each.join([each.mean(both), each.times(both), each.plus(both), each.minus(both)]);
        },
      ) as AnyModel,
  },
];

export const exportedModels: readonly ExportedCase[] = [
  ...activations.map((activation) =>
    one(
      `dense, ${activation}`,
      [[50, 4]],
      stack(() => dense({ units: 3, inputShape: [4], activation })),
    ),
  ),
  ...recurrences,
  one(
    'stateful',
    [[4, 6, 2]],
    stack(() => lstm({ units: 3, batchInputShape: [4, null, 2], stateful: true, returnSequences: true })),
  ),
  one(
    'states of two layers',
    [[4, 6, 2]],
    stack(
      () => gru({ units: 3, inputShape: [null, 2], returnSequences: true }),
      () => lstm({ units: 3 }),
    ),
    { states: true },
  ),
  one(
    'two bidirectional layers with mish',
    [[3, 5, 2]],
    stack(
      () => bidirectional(lstm({ units: 3, returnSequences: true, activation: 'mish' }), { inputShape: [null, 2] }),
      () => bidirectional(lstm({ units: 3, activation: 'mish' })),
    ),
  ),
  one(
    'windows that need long sequences',
    [[1, 160, 1]],
    stack(
      () => conv1d({ filters: 2, kernelSize: 60, inputShape: [null, 1] }),
      () => conv1d({ filters: 2, kernelSize: 60 }),
    ),
  ),
  one(
    'convolutions of a sequence',
    [[2, 31, 2]],
    stack(
      () => conv1d({ filters: 3, kernelSize: 3, inputShape: [null, 2], activation: 'relu' }),
      () => maxPooling1d({ poolSize: 2 }),
      () => conv1d({ filters: 4, kernelSize: 3, padding: 'causal', dilationRate: 2 }),
      () => conv1d({ filters: 4, kernelSize: 4, padding: 'same', strides: 2, groups: 2 }),
      () => globalMaxPooling1d(),
    ),
  ),
  one(
    'convolution and pooling, same',
    [[2, 31, 2]],
    stack(
      () => conv1d({ filters: 3, kernelSize: 4, padding: 'same', inputShape: [null, 2] }),
      () => spatialDropout1d({ rate: 0.1 }),
      () => averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }),
      () => dropout({ rate: 0.1 }),
      () => layerNormalization(),
    ),
  ),
  one(
    'time distributed',
    [[2, 7, 2]],
    stack(
      () => timeDistributed(dense({ units: 3 }), { inputShape: [null, 2] }),
      () => permute({ dims: [2, 1] }),
    ),
  ),
  one(
    'reshape and flatten',
    [[2, 3, 4]],
    stack(
      () => reshape({ targetShape: [2, 6], inputShape: [3, 4] }),
      () => flatten(),
      () => dense({ units: 2 }),
    ),
  ),
  one(
    'repeated vector',
    [[2, 2]],
    stack(
      () => dense({ units: 3, inputShape: [2] }),
      () => repeatVector({ n: 4 }),
      () => gru({ units: 2 }),
    ),
  ),
  ...images,
  ...functional,
];
