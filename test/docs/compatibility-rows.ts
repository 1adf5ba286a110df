// The layers of docs/guides/compatibility.md, each as a model, with the arguments that a format may lack.
import { learnedState, prelu, waveNet } from '../../src/audio-models.ts';
import * as images from '../../src/images.ts';
import * as lib from '../../src/index.ts';
import * as activations from '../../src/keras/layers/activation-layers.ts';
import { activityRegularizationLayer } from '../../src/keras/layers/activity-regularization.ts';
import { dotLayer } from '../../src/keras/layers/dot.ts';
import * as noise from '../../src/keras/layers/noise.ts';
import * as normalizations from '../../src/keras/layers/normalizations.ts';
import type { AnyLayer } from '../../src/layers/base/layer.ts';
import type { AnyModel } from '../../src/models/model.ts';
import * as sequences from '../../src/sequences.ts';

/** A row: the class, its arguments, and a new model of it. */
export interface Row {
  readonly of: string;
  readonly arguments: string;
  readonly make: () => AnyModel;
  /** The shape of each input, the batch included. */
  readonly shapes: readonly (readonly number[])[];
  readonly isIds?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: the layers of one table have many types.
type AnyMade = any;
type Shape = readonly number[];

const SEQUENCE: Shape = [2, 5, 3];
const IMAGES: Shape = [2, 6, 6, 2];
const VIDEO: Shape = [2, 3, 6, 6, 2];
const VECTORS: Shape = [2, 4];

/** A stack of one layer. */
const stack =
  (shape: Shape, isIds = false) =>
  (of: string, given: string, make: () => AnyMade): Row => ({
    of,
    arguments: given,
    make: () => lib.sequential([make()] as AnyMade) as AnyModel,
    shapes: [shape],
    isIds,
  });
const sequence = stack(SEQUENCE);
/** A layer that does nothing here, with one behind it. */
const passing = (of: string, make: () => AnyMade): Row => ({
  of,
  arguments: '',
  make: () => lib.sequential([make(), lib.dense({ units: 2 })] as AnyMade) as AnyModel,
  shapes: [SEQUENCE],
});
const image = stack(IMAGES);
const vector = stack(VECTORS);

/** A layer of several inputs in a functional model. */
const merged = (
  of: string,
  given: string,
  make: () => AnyMade,
  shapes: readonly Shape[] = [SEQUENCE, SEQUENCE],
): Row => ({
  of,
  arguments: given,
  make: () =>
    lib.model(
      { layers: { own: make() }, inputs: shapes.map((shape) => ({ shape: shape.slice(1) })) } as AnyMade,
      ((x: AnyMade, at: AnyMade) => at.own(x)) as AnyMade,
    ) as AnyModel,
  shapes,
});

const all = { units: 4, returnSequences: true };
const recurrent = (of: string, make: (options: AnyMade) => AnyLayer, more: readonly [string, object][]): Row[] => [
  sequence(of, '', () => make(all)),
  sequence(of, 'returnSequences: false', () => make({ units: 4 })),
  sequence(of, 'useBias: false', () => make({ ...all, useBias: false })),
  sequence(of, 'goBackwards', () => make({ ...all, goBackwards: true })),
  sequence(of, 'dropout, recurrentDropout', () => make({ ...all, dropout: 0.1, recurrentDropout: 0.1 })),
  sequence(of, 'stateful', () => make({ ...all, stateful: true, batchInputShape: SEQUENCE })),
  ...more.map(([given, options]) => sequence(of, given, () => make({ ...all, ...options }))),
];
const gates: readonly [string, object][] = [
  ["activation: 'softsign'", { activation: 'softsign' }],
  ["recurrentActivation: 'hardSigmoid'", { recurrentActivation: 'hardSigmoid' }],
  ["recurrentActivation: 'hardSigmoid2'", { recurrentActivation: 'hardSigmoid2' }],
  ['weightDrop', { weightDrop: 0.1 }],
];
const windows = { filters: 4, kernelSize: 3 };

export const rows: readonly Row[] = [
  ...recurrent('LSTM', lib.lstm as AnyMade, [
    ["activation: 'relu'", { activation: 'relu' }],
    ...gates,
    ['peephole', { peephole: true }],
    ['projSize', { projSize: 2 }],
  ]),
  ...recurrent('GRU', lib.gru as AnyMade, [...gates, ['resetAfter: false', { resetAfter: false }]]),
  ...recurrent('SimpleRNN', lib.simpleRnn as AnyMade, [["activation: 'relu'", { activation: 'relu' }]]),
  ...(['concat', 'sum', 'mul', 'ave'] as const).map((mergeMode) =>
    sequence('Bidirectional', `mergeMode: '${mergeMode}'`, () =>
      lib.bidirectional(lib.lstm(all) as AnyMade, { mergeMode }),
    ),
  ),
  sequence('Bidirectional', 'backwardLayer of other units', () =>
    lib.bidirectional(lib.lstm(all) as AnyMade, {
      backwardLayer: lib.lstm({ ...all, units: 2, goBackwards: true }) as AnyMade,
    }),
  ),
  sequence('RNN', 'of LSTMCell', () => lib.rnn(lib.lstmCell({ units: 4 }), { returnSequences: true })),
  sequence('RNN', 'of GRUCell', () => lib.rnn(lib.gruCell({ units: 4 }), { returnSequences: true })),
  sequence('RNN', 'of SimpleRNNCell', () => lib.rnn(lib.simpleRnnCell({ units: 4 }), { returnSequences: true })),
  sequence('StackedRNNCells', 'in RNN', () =>
    lib.rnn([lib.lstmCell({ units: 4 }), lib.gruCell({ units: 3, resetAfter: false })]),
  ),
  sequence('LayerNormLSTMCell', 'in RNN', () => sequences.layerNormLstm({ units: 4 })),
  sequence('LayerNormGRUCell', 'in RNN', () => sequences.layerNormGru({ units: 4 })),
  sequence('ZoneoutCell', 'in RNN', () => lib.rnn(sequences.zoneoutCell(lib.lstmCell({ units: 4 }), { zoneout: 0.1 }))),
  sequence('LearnedState', 'of LSTM', () => learnedState(lib.lstm(all) as AnyMade)),
  sequence('TimeDistributed', 'of Dense', () => lib.timeDistributed(lib.dense({ units: 4 }))),
  sequence('Dense', '', () => lib.dense({ units: 4 })),
  sequence('Dense', "activation: 'softmax'", () => lib.dense({ units: 4, activation: 'softmax' })),
  sequence('Dense', "activation: 'gelu'", () => lib.dense({ units: 4, activation: 'gelu' })),
  stack([2, 5], true)('Embedding', '', () => lib.embedding({ inputDim: 7, outputDim: 3 })),
  stack([2, 5], true)('Embedding', 'maskZero', () => lib.embedding({ inputDim: 7, outputDim: 3, maskZero: true })),
  sequence('Masking', '', () => lib.masking()),
  ...(['relu', 'elu', 'leakyRelu', 'hardSigmoid', 'hardSigmoid2', 'silu', 'celu'] as const).map((activation) =>
    sequence('Activation', `'${activation}'`, () => lib.activation({ activation })),
  ),
  sequence('ELU', '', () => activations.eluLayer({})),
  sequence('LeakyReLU', '', () => activations.leakyReluLayer({})),
  sequence('ReLU', '', () => activations.reluLayer({})),
  sequence('ReLU', 'threshold', () => activations.reluLayer({ threshold: 0.5 })),
  sequence('ReLU', 'negativeSlope', () => activations.reluLayer({ negativeSlope: 0.1 })),
  sequence('PReLU', '', () => prelu()),
  sequence('PReLU', 'sharedAxes: [1]', () => prelu({ sharedAxes: [1] })),
  sequence('Softmax', '', () => activations.softmaxLayer({})),
  sequence('Softmax', 'axis: 1', () => activations.softmaxLayer({ axis: 1 })),
  passing('Dropout', () => lib.dropout({ rate: 0.5 })),
  passing('SpatialDropout1D', () => lib.spatialDropout1d({ rate: 0.5 })),
  image('SpatialDropout2D', '', () => images.spatialDropout2d({ rate: 0.5 })),
  passing('GaussianNoise', () => noise.gaussianNoiseLayer({ stddev: 0.1 } as AnyMade)),
  passing('GaussianDropout', () => noise.gaussianDropoutLayer({ rate: 0.1 } as AnyMade)),
  passing('AlphaDropout', () => noise.alphaDropoutLayer({ rate: 0.1 } as AnyMade)),
  passing('ActivityRegularization', () => activityRegularizationLayer({ l2: 0.1 })),
  sequence('BatchNormalization', '', () => images.batchNormalization()),
  sequence('BatchNormalization', 'axis: 1', () => images.batchNormalization({ axis: 1 })),
  sequence('LayerNormalization', '', () => lib.layerNormalization()),
  vector('GroupNormalization', '', () => normalizations.groupNormalizationLayer({ groups: 2 })),
  sequence('UnitNormalization', '', () => normalizations.unitNormalizationLayer({})),
  sequence('Normalization', '', () => normalizations.normalizationLayer({})),
  sequence('Rescaling', '', () => images.rescaling({ scale: 2, offset: 1 })),
  sequence('Conv1D', "padding: 'causal'", () => lib.conv1d({ ...windows, padding: 'causal' })),
  sequence('Conv1D', "padding: 'causal', dilationRate", () =>
    lib.conv1d({ ...windows, padding: 'causal', dilationRate: 2 }),
  ),
  sequence('Conv1D', "padding: 'same'", () => lib.conv1d({ ...windows, padding: 'same' })),
  sequence('Conv1D', 'strides', () => lib.conv1d({ ...windows, strides: 2 })),
  sequence('Conv1D', "groups, padding: 'causal'", () =>
    lib.conv1d({ filters: 3, kernelSize: 3, groups: 3, padding: 'causal' }),
  ),
  sequence('SeparableConv1D', '', () => images.separableConv1d(windows)),
  image('Conv2D', '', () => images.conv2d(windows)),
  image('Conv2D', 'groups', () => images.conv2d({ ...windows, groups: 2 })),
  image('Conv2DTranspose', '', () => images.conv2dTranspose(windows)),
  image('DepthwiseConv2D', '', () => images.depthwiseConv2d({ kernelSize: 3 })),
  image('SeparableConv2D', '', () => images.separableConv2d(windows)),
  stack([2, 3, 6, 2])('ConvLSTM1D', '', () => images.convLstm1d(windows)),
  stack(VIDEO)('ConvLSTM2D', '', () => images.convLstm2d(windows)),
  sequence('MaxPooling1D', '', () => lib.maxPooling1d()),
  sequence('AveragePooling1D', '', () => lib.averagePooling1d()),
  sequence('GlobalMaxPooling1D', '', () => lib.globalMaxPooling1d()),
  sequence('GlobalAveragePooling1D', '', () => lib.globalAveragePooling1d()),
  image('MaxPooling2D', '', () => images.maxPooling2d()),
  image('AveragePooling2D', '', () => images.averagePooling2d()),
  image('GlobalMaxPooling2D', '', () => images.globalMaxPooling2d()),
  image('GlobalAveragePooling2D', '', () => images.globalAveragePooling2d()),
  image('GlobalAveragePooling2D', 'keepdims', () => images.globalAveragePooling2d({ keepdims: true })),
  sequence('ZeroPadding1D', '', () => images.zeroPadding1d()),
  image('ZeroPadding2D', '', () => images.zeroPadding2d()),
  sequence('Cropping1D', '', () => images.cropping1d()),
  image('Cropping2D', '', () => images.cropping2d({ cropping: 1 })),
  sequence('UpSampling1D', '', () => images.upSampling1d()),
  image('UpSampling2D', '', () => images.upSampling2d()),
  image('UpSampling2D', "interpolation: 'bilinear'", () => images.upSampling2d({ interpolation: 'bilinear' })),
  sequence('Flatten', '', () => lib.flatten()),
  sequence('Reshape', '', () => lib.reshape({ targetShape: [3, 5] })),
  sequence('Permute', '', () => lib.permute({ dims: [2, 1] })),
  vector('RepeatVector', '', () => lib.repeatVector({ n: 3 })),
  ...Object.entries({
    Add: lib.add,
    Subtract: lib.subtract,
    Multiply: lib.multiply,
    Average: lib.average,
    Maximum: lib.maximum,
    Minimum: lib.minimum,
    Concatenate: lib.concatenate,
  }).map(([of, make]) => merged(of, '', make)),
  merged('Dot', 'axes: 2', () => dotLayer({ axes: 2 })),
  merged('Dot', 'normalize', () => dotLayer({ axes: 2, normalize: true })),
  merged('Attention', '', () => lib.attention()),
  merged('Attention', "useScale, scoreMode: 'concat'", () => lib.attention({ useScale: true, scoreMode: 'concat' })),
  merged('AdditiveAttention', '', () => lib.additiveAttention()),
  merged('MultiHeadAttention', '', () => sequences.multiHeadAttention({ numHeads: 2, keyDim: 2 })),
  {
    of: 'AttentionCell',
    arguments: 'in RNN',
    make: () =>
      lib.model(
        {
          layers: { own: lib.rnn(sequences.attentionCell({ cell: lib.lstmCell({ units: 4 }) })) },
          inputs: [{ shape: [5, 3] }, { shape: [4, 3] }],
        } as AnyMade,
        (([x, memory]: AnyMade, at: AnyMade) => at.own(x, { constants: [memory] })) as AnyMade,
      ) as AnyModel,
    shapes: [SEQUENCE, [2, 4, 3]],
  },
  sequence('CRF', '', () => sequences.crf()),
  sequence('MixtureDensity', '', () => sequences.mixtureDensity({ components: 2 })),
  sequence('WaveNet', '', () =>
    waveNet({ arrays: [{ channels: 2, kernelSize: 2, dilations: [1, 2], headSize: 1, activation: 'tanh' }] }),
  ),
  sequence('Sequential', 'inside a model', () => lib.sequential([lib.dense({ units: 2 }), lib.dense({ units: 2 })])),
];
