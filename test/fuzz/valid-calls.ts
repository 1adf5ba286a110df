// Valid calls of every public function. Inputs are made by changing them.
import type { Plain } from './target.ts';

const tensor = (...shape: number[]): Plain => ({ $: 'tensor', shape });
const ids = (...shape: number[]): Plain => ({ $: 'tensor', shape, dtype: 'i32' });
const array = (...shape: number[]): Plain => ({ $: 'ndarray', shape });
const call = (name: string, ...args: Plain[]): Plain => ({ $: 'call', name, args });
const given = (name: string): Plain => ({ $: 'given', name });

/** What is done with the result of a call that succeeds. */
export type Use =
  | 'call'
  | 'cell'
  | 'optimizer'
  | 'loss'
  | 'classLoss'
  | 'idLoss'
  | 'metric'
  | 'idMetric'
  | 'schedule'
  | 'constraint'
  | 'callback'
  | 'iterate'
  | 'nothing';

/** Argument lists by the name of their function. */
export type Calls = Readonly<Record<string, readonly Plain[][]>>;

const spec = {
  kernelInitializer: 'zeros',
  biasInitializer: 'ones',
  kernelRegularizer: 'l2',
  kernelConstraint: 'maxNorm',
  biasConstraint: { name: 'minMaxNorm', minValue: 0.1, axis: -1 },
  name: 'mine',
  trainable: false,
};
const steps = {
  returnSequences: true,
  returnState: false,
  goBackwards: true,
  stateful: false,
  dropout: 0.1,
  recurrentDropout: 0.1,
  weightDrop: 0.1,
};
const walk = { returnSequences: true, returnState: false, goBackwards: true, stateful: false };
const recurrent = { units: 2, activation: 'tanh', useBias: true, inputShape: [3, 2], ...spec };

/** Layers, called with the input that stands in front of their arguments. */
export const layers: Calls = {
  lstm: [
    [tensor(2, 3, 2), { ...recurrent, ...steps, recurrentActivation: 'sigmoid', unitForgetBias: true }],
    [tensor(2, 3, 2), { units: 2, peephole: true, checkpointEvery: 2 }],
    [tensor(2, 3, 2), { units: 3, projSize: 2, stateful: true }],
  ],
  gru: [
    [tensor(2, 3, 2), { ...recurrent, ...steps, resetAfter: false }],
    [tensor(2, 3, 2), { units: 2 }],
  ],
  simpleRnn: [
    [
      tensor(2, 3, 2),
      { ...recurrent, ...steps, recurrentRegularizer: { l1: 0.1, l2: 0.1 }, recurrentConstraint: 'nonNeg' },
    ],
  ],
  dense: [
    [tensor(2, 3), { units: 2, activation: 'relu', useBias: true, ...spec }],
    [tensor(2, 3), { units: 2, batchInputShape: [null, 3] }],
  ],
  conv1d: [
    [
      tensor(2, 4, 2),
      {
        filters: 2,
        kernelSize: 2,
        strides: 1,
        padding: 'same',
        dilationRate: 1,
        activation: 'relu',
        useBias: false,
        ...spec,
      },
    ],
  ],
  embedding: [
    [
      ids(2, 3),
      {
        inputDim: 3,
        outputDim: 2,
        maskZero: true,
        embeddingsInitializer: 'randomUniform',
        embeddingsRegularizer: 'l1',
        embeddingsConstraint: { name: 'unitNorm', axis: 1 },
      },
    ],
  ],
  dropout: [[tensor(2, 3), { rate: 0.5, noiseShape: [null, 1] }]],
  spatialDropout1d: [[tensor(2, 3, 2), { rate: 0.5 }]],
  activation: [[tensor(2, 3), { activation: 'softmax' }]],
  layerNormalization: [
    [
      tensor(2, 3),
      {
        epsilon: 0.001,
        center: true,
        scale: true,
        betaInitializer: 'zeros',
        gammaRegularizer: 'l2',
        gammaConstraint: 'nonNeg',
      },
    ],
  ],
  masking: [[tensor(2, 3, 2), { maskValue: 0 }]],
  maxPooling1d: [[tensor(2, 4, 2), { poolSize: 2, strides: 2, padding: 'valid' }]],
  averagePooling1d: [[tensor(2, 4, 2), { poolSize: 2, strides: 1, padding: 'same' }]],
  globalMaxPooling1d: [[tensor(2, 3, 2), { name: 'mine' }]],
  globalAveragePooling1d: [[tensor(2, 3, 2), {}]],
  conv2d: [
    [tensor(2, 4, 5, 2), { filters: 4, kernelSize: [2, 3], strides: 2, padding: 'same', groups: 2, ...spec }],
    [tensor(2, 4, 5, 2), { filters: 2, kernelSize: 2, dilationRate: [1, 2], activation: 'relu', useBias: false }],
  ],
  conv2dTranspose: [
    [tensor(2, 3, 2, 2), { filters: 3, kernelSize: 3, strides: 2, padding: 'same', outputPadding: [0, 1], ...spec }],
  ],
  depthwiseConv2d: [
    [
      tensor(2, 4, 4, 2),
      { kernelSize: 2, depthMultiplier: 2, strides: 1, depthwiseInitializer: 'ones', depthwiseConstraint: 'nonNeg' },
    ],
  ],
  separableConv1d: [[tensor(2, 5, 2), { filters: 3, kernelSize: 2, dilationRate: 2, pointwiseRegularizer: 'l2' }]],
  separableConv2d: [
    [tensor(2, 4, 4, 2), { filters: 3, kernelSize: 2, depthMultiplier: 2, depthwiseRegularizer: 'l1' }],
  ],
  convLstm1d: [
    [tensor(2, 3, 5, 2), { filters: 2, kernelSize: 2, strides: 2, ...walk, dropout: 0.1, recurrentDropout: 0.1 }],
  ],
  convLstm2d: [
    [tensor(2, 3, 4, 4, 2), { filters: 2, kernelSize: [2, 1], padding: 'same', unitForgetBias: false, stateful: true }],
    [tensor(2, 2, 3, 3, 1), { filters: 2, kernelSize: 2, activation: 'relu', recurrentActivation: 'hardSigmoid' }],
  ],
  maxPooling2d: [[tensor(2, 4, 4, 2), { poolSize: [2, 3], strides: 2, padding: 'same' }]],
  averagePooling2d: [[tensor(2, 4, 4, 2), { poolSize: 2, strides: [1, 2], dataFormat: 'channelsLast' }]],
  globalMaxPooling2d: [[tensor(2, 3, 3, 2), { keepdims: true }]],
  globalAveragePooling2d: [[tensor(2, 3, 3, 2), { keepdims: false }]],
  batchNormalization: [
    [
      tensor(2, 3, 2),
      {
        axis: 2,
        momentum: 0.9,
        epsilon: 0.01,
        center: true,
        scale: true,
        betaInitializer: 'zeros',
        gammaInitializer: 'ones',
        movingMeanInitializer: 'zeros',
        movingVarianceInitializer: 'ones',
        gammaRegularizer: 'l2',
        betaConstraint: 'maxNorm',
        gammaConstraint: 'nonNeg',
      },
    ],
  ],
  zeroPadding1d: [[tensor(2, 3, 2), { padding: [1, 0] }]],
  zeroPadding2d: [[tensor(2, 3, 3, 2), { padding: [1, [0, 2]] }]],
  cropping1d: [[tensor(2, 4, 2), { cropping: 1 }]],
  cropping2d: [[tensor(2, 4, 4, 2), { cropping: [[1, 0], 1] }]],
  upSampling1d: [[tensor(2, 3, 2), { size: 2 }]],
  upSampling2d: [[tensor(2, 3, 3, 2), { size: [2, 1], interpolation: 'bilinear' }]],
  rescaling: [[tensor(2, 3), { scale: 2, offset: -1 }]],
  spatialDropout2d: [[tensor(2, 3, 3, 2), { rate: 0.5 }]],
  permute: [[tensor(2, 3, 2), { dims: [2, 1] }]],
  reshape: [[tensor(2, 6), { targetShape: [3, -1] }]],
  flatten: [[tensor(2, 3, 2), {}]],
  repeatVector: [[tensor(2, 3), { n: 2 }]],
  timeDistributed: [[tensor(2, 3, 2), call('dense', { units: 2 }), { name: 'mine' }]],
  bidirectional: [
    [tensor(2, 3, 2), call('gru', { units: 2, returnSequences: true }), { mergeMode: 'concat', inputShape: [3, 2] }],
  ],
  rnn: [
    [tensor(2, 3, 2), call('lstmCell', { units: 2 }), walk],
    [tensor(2, 3, 2), [call('gruCell', { units: 2 }), call('simpleRnnCell', { units: 1 })], { returnState: true }],
    [tensor(2, 3, 2), { name: 'own', units: 2, call: given('identity'), weights: given('nothing') }],
  ],
  add: [[[tensor(2, 3), tensor(2, 3)], {}]],
  subtract: [[[tensor(2, 3), tensor(2, 3)], {}]],
  multiply: [[[tensor(2, 3), tensor(2, 3)], {}]],
  average: [[[tensor(2, 3), tensor(2, 3)], {}]],
  maximum: [[[tensor(2, 3), tensor(2, 3)], {}]],
  minimum: [[[tensor(2, 3), tensor(2, 3)], {}]],
  concatenate: [[[tensor(2, 3), tensor(2, 3)], { axis: -1 }]],
  attention: [
    [
      [tensor(2, 3, 2), tensor(2, 4, 2)],
      { dropout: 0.1, useCausalMask: true, returnAttentionScores: false, useScale: true, scoreMode: 'dot' },
    ],
  ],
  additiveAttention: [[[tensor(2, 3, 2), tensor(2, 4, 2)], { useScale: false }]],
  layerNormLstm: [[tensor(2, 3, 2), { units: 2, zoneout: [0.1, 0.2], returnSequences: true, unitForgetBias: true }]],
  layerNormGru: [[tensor(2, 3, 2), { units: 2, normEpsilon: 0.1, recurrentActivation: 'sigmoid', stateful: false }]],
  crf: [
    [tensor(2, 3, 2), { testMode: 'marginal', chainInitializer: 'zeros', boundaryInitializer: 'ones', name: 'mine' }],
    [
      tensor(2, 3, 1),
      { useBoundary: false, allowed: { transitions: [[1]], start: [1], end: [1] }, chainRegularizer: 'l2' },
    ],
  ],
  learnedState: [[tensor(2, 3, 2), call('lstm', { units: 2 }), { name: 'mine', inputShape: [3, 2] }]],
  prelu: [[tensor(2, 3), { alphaInitializer: 'ones', name: 'mine' }]],
  waveNet: [
    [
      tensor(2, 3, 2),
      {
        arrays: [
          {
            channels: 2,
            kernelSize: 2,
            dilations: [1, 2],
            headSize: 1,
            activation: 'relu',
            gated: true,
            headBias: true,
          },
        ],
        headScale: 0.5,
        name: 'mine',
      },
    ],
  ],
  mixtureDensity: [[tensor(2, 3), { components: 2, dims: 2, correlated: true, endOfStroke: true }]],
  multiHeadAttention: [
    [
      [tensor(2, 3, 2), tensor(2, 4, 2)],
      { numHeads: 2, keyDim: 3, valueDim: 2, outputShape: [2], dropout: 0.1, useCausalMask: false, ...spec },
    ],
  ],
};

const cells: Calls = {
  lstmCell: [[{ units: 2, activation: 'tanh', dropout: 0.1, peephole: false, ...spec }]],
  gruCell: [[{ units: 2, resetAfter: true, recurrentActivation: 'sigmoid', ...spec }]],
  simpleRnnCell: [[{ units: 2, useBias: false, ...spec }]],
  layerNormLstmCell: [[{ units: 2, unitForgetBias: false, normGammaInitializer: 'ones', dropout: 0.1, ...spec }]],
  layerNormGruCell: [[{ units: 2, normBetaInitializer: 'ones', normEpsilon: 0.1, ...spec }]],
  zoneoutCell: [[call('lstmCell', { units: 2 }), { zoneout: [0.1, 0.2] }]],
};

const optimizer = {
  learningRate: 0.1,
  clipNorm: 1,
  weightDecay: 0.1,
  useEma: true,
  emaMomentum: 0.9,
  gradientAccumulationSteps: 1,
};
const decaying = call('schedules.cosineDecay', { initialLearningRate: 0.1, decaySteps: 5 });
const optimizers: Calls = {
  sgd: [[{ ...optimizer, momentum: 0.9, nesterov: true }], [{ learningRate: decaying, clipValue: 1 }]],
  rmsprop: [[{ ...optimizer, rho: 0.9, momentum: 0.1, centered: true, epsilon: 1e-7 }]],
  adam: [
    [
      {
        ...optimizer,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        amsgrad: true,
        scaleEpsilon: true,
        excludeFromWeightDecay: ['bias'],
      },
    ],
  ],
  adamw: [[{ ...optimizer, emaOverwriteFrequency: 2 }]],
  nadam: [[optimizer]],
  adamax: [[{ globalClipNorm: 1 }]],
  adagrad: [[{ initialAccumulatorValue: 0.1 }]],
  adadelta: [[{ rho: 0.9 }]],
  lion: [[{ beta1: 0.9 }]],
};

const reduced = { reduction: 'sum' };
const named = (prefix: string, names: readonly string[], ...variants: Plain[][]): Calls =>
  Object.fromEntries(names.map((name) => [prefix + name, variants]));
const crossentropy = { fromLogits: true, labelSmoothing: 0.1, ...reduced };
const focal = { alpha: 0.2, gamma: 2, fromLogits: true };
const errors = ['meanSquaredError', 'meanAbsoluteError', 'meanAbsolutePercentageError', 'meanSquaredLogarithmicError'];
const distances = [...errors, 'hinge', 'squaredHinge', 'categoricalHinge', 'poisson', 'logCosh', 'cosineSimilarity'];

const losses: Calls = {
  ...named('', distances, [reduced]),
  binaryCrossentropy: [[crossentropy]],
  binaryFocalCrossentropy: [[{ applyClassBalancing: true, ...focal }]],
  huber: [[{ delta: 1 }]],
  quantileLoss: [[{ quantile: 0.7 }], [{ quantiles: [0.5], reduction: 'sum' }]],
};
const classLosses: Calls = {
  klDivergence: [[reduced]],
  categoricalCrossentropy: [[{ ...crossentropy, fromLogits: false }]],
  categoricalFocalCrossentropy: [[{ ...focal, fromLogits: false }]],
};
const idLosses: Calls = { sparseCategoricalCrossentropy: [[{ fromLogits: false, ignoreClass: 1 }]] };

const measures = [...distances, 'accuracy', 'binaryCrossentropy', 'rootMeanSquaredError'];
const ofClasses = ['categoricalAccuracy', 'categoricalCrossentropy', 'klDivergence'];
const metrics: Calls = {
  ...named('metrics.', [...measures, ...ofClasses], [{ name: 'mine' }], []),
  'metrics.auc': [[{ curve: 'ROC', numThresholds: 20, summationMethod: 'interpolation', fromLogits: true }]],
  'metrics.binaryAccuracy': [[{ threshold: 0.5 }]],
  'metrics.precision': [[{ thresholds: 0.5, classId: 0 }]],
  'metrics.recall': [[{ thresholds: [0.2, 0.7], topK: 1 }]],
  'metrics.f1Score': [[{ average: 'macro', threshold: 0.5 }]],
  'metrics.fBetaScore': [[{ beta: 2, average: 'micro' }]],
  'metrics.r2Score': [[{ classAggregation: 'uniformAverage', numRegressors: 0 }]],
  'metrics.topKCategoricalAccuracy': [[{ k: 1 }]],
};
const idMetrics: Calls = {
  ...named('metrics.', ['sparseCategoricalAccuracy', 'sparseCategoricalCrossentropy'], [{ name: 'mine' }], []),
  ...named('metrics.', ['bitsPerCharacter', 'perplexity'], [{ fromLogits: true, ignoreClass: 1 }], []),
  'metrics.sparseTopKCategoricalAccuracy': [[{ k: 1 }]],
};

const constraints: Calls = {
  'constraints.maxNorm': [[{ maxValue: 0.5, axis: 0 }]],
  'constraints.minMaxNorm': [[{ minValue: 0.1, maxValue: 0.5, rate: 0.5, axis: 0 }]],
  'constraints.nonNeg': [[{}]],
  'constraints.unitNorm': [[{ axis: -1 }]],
};

const decay = { initialLearningRate: 0.1, decaySteps: 5, decayRate: 0.5 };
const schedules: Calls = {
  'schedules.constant': [[{ learningRate: 0.1 }]],
  'schedules.exponentialDecay': [[{ ...decay, staircase: true }]],
  'schedules.stepDecay': [[decay]],
  'schedules.inverseTimeDecay': [[decay]],
  'schedules.piecewiseConstantDecay': [[{ boundaries: [2, 4], values: [0.1, 0.2, 0.3] }]],
  'schedules.polynomialDecay': [
    [{ initialLearningRate: 0.1, decaySteps: 5, endLearningRate: 0.01, power: 2, cycle: true }],
  ],
  'schedules.cosineDecay': [
    [{ initialLearningRate: 0.1, decaySteps: 5, alpha: 0.1, warmupTarget: 0.2, warmupSteps: 2 }],
  ],
  'schedules.cosineDecayRestarts': [[{ initialLearningRate: 0.1, firstDecaySteps: 3, tMul: 2, mMul: 0.5, alpha: 0.1 }]],
  'schedules.linearWarmup': [
    [{ warmupSteps: 2, after: decaying, initialLearningRate: 0 }],
    [{ warmupSteps: 2, after: 0.1 }],
  ],
  'schedules.deserialize': [[{ name: 'constant', learningRate: 0.1 }]],
};

const monitor = { monitor: 'loss', mode: 'min', minDelta: 0, patience: 1 };
const callbacks: Calls = {
  earlyStopping: [[{ ...monitor, baseline: 1, restoreBestWeights: true, startFromEpoch: 0 }]],
  reduceLrOnPlateau: [[{ ...monitor, factor: 0.5, cooldown: 1, minLr: 0 }]],
  modelCheckpoint: [
    [
      given('nothing'),
      { monitor: 'loss', mode: 'min', saveBestOnly: true, saveFreq: 'epoch', initialValueThreshold: 1, extras: {} },
    ],
  ],
  csvLogger: [[given('nothing'), { separator: ';', append: true }]],
  learningRateScheduler: [[given('zero')]],
  progressText: [[given('nothing'), { everyMs: 100, now: given('zero') }]],
  progressElement: [[{ $: 'element' }, { everyMs: 0 }]],
  swapEmaWeights: [[{ swapOnEpoch: true }]],
  tensorBoard: [[given('sink'), { updateFreq: 'epoch', now: given('zero') }]],
  terminateOnNaN: [[given('nothing')]],
  backupAndRestore: [[{ read: given('nothing'), write: given('nothing'), remove: given('nothing') }]],
};

const unary = [
  'cos',
  'sin',
  'abs',
  'exp',
  'hardSigmoid',
  'hardSilu',
  'hardTanh',
  'log',
  'logSigmoid',
  'mish',
  'neg',
  'reciprocal',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'silu',
  'softplus',
  'softsign',
  'sqrt',
  'square',
  'tanh',
  'tanhShrink',
];
const withNumber = ['addScalar', 'celu', 'elu', 'hardShrink', 'leakyRelu', 'scale', 'softShrink', 'squareplus'];
const compare = ['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'notEqual'];
const binary = ['add', 'div', 'maximum', 'minimum', 'mul', 'sub', 'pow', ...compare];
const reduce = ['sum', 'mean', 'max', 'logSumExp'];

const ops: Calls = Object.fromEntries(
  Object.entries({
    ...Object.fromEntries(unary.map((name) => [name, [[tensor(2, 3)], [tensor(2, 3, 2)]]])),
    ...Object.fromEntries(withNumber.map((name) => [name, [[tensor(2, 3), 2]]])),
    ...Object.fromEntries(
      binary.map((name) => [
        name,
        [
          [tensor(2, 3), tensor(2, 3)],
          [tensor(2, 3), tensor(3)],
          [tensor(2, 3, 2), tensor(2, 1, 2)],
          [2, tensor(2, 3)],
        ],
      ]),
    ),
    ...Object.fromEntries(reduce.map((name) => [name, [[tensor(2, 3), { axis: 1, keepDims: true }]]])),
    argmax: [[tensor(2, 3), -1]],
    oneHot: [[ids(2, 2), 3]],
    ones: [[[2, 3], { dtype: 'f32' }]],
    zeros: [[[2, 3], { dtype: 'i32' }]],
    cumsum: [[tensor(2, 3), 1]],
    pad: [
      [
        tensor(2, 3),
        [
          [1, 0],
          [0, 2],
        ],
        2,
      ],
    ],
    additiveAttention: [[tensor(2, 3, 2), tensor(2, 4, 2), tensor(2, 4, 2), { scale: { $: 'parameter', shape: [2] } }]],
    attention: [[tensor(2, 3, 2), tensor(2, 4, 2), tensor(2, 4, 2), { scale: 2, mask: tensor(2, 1, 4) }]],
    batchMatmul: [[tensor(2, 3, 2), tensor(2, 2, 4), { transposeA: false, transposeB: false }]],
    broadcastTo: [[tensor(1, 3), [2, 3]]],
    clip: [[tensor(2, 3), -1, 1]],
    concatenate: [[[tensor(2, 3), tensor(2, 1)], -1]],
    conv1d: [[tensor(2, 4, 2), tensor(2, 2, 3), tensor(3), { strides: 1, padding: 'valid', dilationRate: 1 }]],
    ctcLoss: [[tensor(2, 4, 3), ids(2, 2), { blank: 2, inputLengths: [4, 3] }]],
    dropout: [[tensor(2, 3), 0.5, { $: 'key' }, { noiseShape: [null, 1] }]],
    embed: [[ids(2, 3), tensor(3, 2)]],
    expandDims: [[tensor(2, 3), 1]],
    gather: [[tensor(3, 2), ids(2)]],
    glu: [[tensor(2, 4), -1]],
    lastStep: [[tensor(2, 3, 2)]],
    layerNorm: [[tensor(2, 3), tensor(3), tensor(3), { epsilon: 0.1 }]],
    linear: [[tensor(2, 3), tensor(3, 2), tensor(2)]],
    gelu: [[tensor(2, 3), { approximate: true }]],
    logSoftmax: [[tensor(2, 3), { axis: 0 }]],
    softmax: [[tensor(2, 3), { axis: 0 }]],
    maskedSoftmax: [[tensor(2, 3), tensor(2, 3)]],
    matmul: [
      [tensor(2, 3), tensor(3, 2)],
      [tensor(2, 1, 3, 2), tensor(4, 3, 2), { transposeA: true, transposeB: false }],
    ],
    pickRows: [[tensor(2, 3), ids(2)]],
    recurrence: [
      [
        { $: 'cell', name: 'lstm' },
        tensor(3, 2, 2),
        { kernel: tensor(2, 8), recurrentKernel: tensor(2, 8), bias: tensor(8) },
        { initialState: [tensor(2, 2), tensor(2, 2)], reverse: true, mask: tensor(3, 2), checkpointEvery: 2 },
      ],
    ],
    repeat: [[tensor(2, 3), 2]],
    reshape: [[tensor(2, 3), [3, -1]]],
    reverse: [[tensor(2, 3), 1]],
    slice: [[tensor(2, 3), { axis: 1, from: 0, to: 2 }]],
    softmaxCrossEntropy: [[tensor(2, 3), ids(2), tensor(2), {}]],
    split: [
      [tensor(2, 4), 2, -1],
      [tensor(2, 3), [1, 2], 1],
    ],
    squeeze: [[tensor(2, 1), 1]],
    stack: [[[tensor(2), tensor(2)], 0]],
    swapTimeBatch: [[tensor(2, 3, 2)]],
    timeStep: [[tensor(2, 3, 2), 1]],
    transpose: [[tensor(2, 3), [1, 0]]],
    where: [[tensor(2, 3), tensor(2, 3), 0]],
  }).map(([name, calls]) => [`ops.${name}`, calls as Plain[][]]),
);

const imageOps: Calls = {
  'imageOps.conv2d': [
    [
      tensor(2, 4, 5, 2),
      tensor(2, 3, 1, 4),
      tensor(4),
      { strides: [1, 2], padding: 'same', dilationRate: 1, groups: 2 },
    ],
  ],
  'imageOps.conv2dTranspose': [
    [tensor(2, 3, 2, 2), tensor(2, 3, 4, 2), tensor(4), { strides: 2, padding: 'valid', outputPadding: [1, 0] }],
  ],
  'imageOps.depthwiseConv2d': [[tensor(2, 4, 4, 2), tensor(2, 2, 2, 3), tensor(6), { strides: 1, padding: 'valid' }]],
};

const framed = { nFft: 4, hopLength: 1, winLength: 4, window: 'hann', center: true, normalized: true };
const banded = { sampleRate: 8000, nMels: 2, fMin: 1, fMax: 4000, melScale: 'htk', norm: 'none' };
const audio: Calls = {
  rfft: [[tensor(2, 6), { n: 5, norm: 'ortho' }]],
  irfft: [[tensor(2, 4, 2), { n: 6, norm: 'forward' }]],
  stft: [[tensor(2, 9), { ...framed, padMode: 'constant', onesided: false }]],
  istft: [[tensor(2, 6, 3, 2), { ...framed, onesided: true, length: 4 }]],
  magnitude: [[tensor(2, 3, 2), { power: 2 }]],
  amplitudeToDb: [[tensor(2, 3), { ref: 1, amin: 0.1, topDb: 3 }]],
  powerToDb: [[tensor(2, 3), { ref: 1, amin: 0.1, topDb: 3 }]],
  melFilters: [[{ nFft: 4, ...banded }]],
  melSpectrogram: [[tensor(2, 9), { ...framed, ...banded, padMode: 'reflect', power: 1 }]],
  logMelSpectrogram: [[tensor(2, 9), { ...framed, ...banded, padMode: 'reflect', power: 2, amin: 0.1 }]],
  audioWindow: [['kaiser', 4, { periodic: false, beta: 5 }]],
  resample: [[[0, 0.5, 1], 2, 3]],
  writeWav: [[{ sampleRate: 8000, channels: [[0, 0.5]] }, { format: 'int24' }]],
};

const series = Array.from({ length: 12 }, (_, i) => i / 2);
const plain: Calls = {
  attentionCell: [
    [{ cell: call('gruCell', { units: 2 }), score: 'additive', units: 3, attentionUnits: 2, query: 'after' }],
    [{ cell: call('gruCell', { units: 2 }), score: 'general', scale: 0.5 }],
  ],
  ctcGreedyDecode: [
    [
      [
        [
          [1, 2, 3],
          [3, 1, 2],
        ],
      ],
      { blank: 2, inputLengths: [1], mergeRepeated: false },
    ],
  ],
  ctcBeamDecode: [
    [
      [
        [
          [1, 2, 3],
          [3, 1, 2],
        ],
      ],
      { blank: 2, inputLengths: [1], width: 3, nBest: 2, languageModelWeight: 0.5, lengthBonus: 0.1 },
    ],
  ],
  tensor: [
    [[1, 2, 3]],
    [
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'f32' },
    ],
    [{ $: 'Int32Array 1 2' }, { dtype: 'i32', shape: [2, 1] }],
  ],
  keep: [[tensor(2)]],
  ndarray: [
    [
      [1, 2, 3, 4],
      [2, 2],
    ],
    [{ $: 'Float32Array 1 2' }, [2]],
  ],
  ragged: [
    [[[1, 2], [3]]],
    [
      [
        [
          [1, 2],
          [3, 4],
        ],
        [[5, 6]],
      ],
    ],
  ],
  stopGradient: [[given('zero')]],
  allowedTags: [[['O', 'B-a', 'E-a'], 'iobes'], [['O', 'B-a', 'I-a']]],
  crfLoss: [[{ reduction: 'sum' }]],
  crfDecode: [[tensor(2, 3, 2), { transitions: tensor(2, 2), start: tensor(2), end: tensor(2), mask: tensor(2, 3) }]],
  crfMarginals: [[tensor(2, 3, 2), { transitions: tensor(2, 2), mask: tensor(2, 3) }]],
  crfLogNorm: [[tensor(2, 3, 2), { transitions: tensor(2, 2), start: tensor(2), end: tensor(2) }]],
  crfLogLikelihood: [[tensor(2, 3, 2), ids(2, 3), { transitions: tensor(2, 2), end: tensor(2), mask: tensor(2, 3) }]],
  mixtureDensityLoss: [[{ components: 2, dims: 2, correlated: true, endOfStroke: true, minScale: 0.1 }]],
  sampleMixture: [[[0, 1, 2], { components: 1, dims: 1, endOfStroke: false, temperature: 0.5, minScale: 0.1 }]],
  withResetMask: [[[1, 0], given('zero')]],
  valueAndGrad: [[given('scalar'), [{ $: 'parameter', shape: [2] }]]],
  setSeed: [[1]],
  onWarning: [[given('nothing')]],
  sequential: [
    [[call('dense', { units: 1, inputShape: [2] })], { name: 'mine' }],
    [[call('gru', { units: 1 }), call('dense', { units: 1 })]],
  ],
  model: [[{ layers: { d: call('dense', { units: 1 }) }, inputs: { shape: [2] } }, given('identity')]],
  buildVocabulary: [['hello']],
  encodeText: [['hell', ['h', 'e', 'l']]],
  decodeIds: [
    [
      [0, 1],
      ['a', 'b'],
    ],
  ],
  decodeUtf8: [[{ $: 'Uint8Array 65 66' }, 'file']],
  'schedules.serialize': [[decaying]],
  oneHot: [[[1, 0], 2]],
  padSequences: [[[[1, 2], [3]], { maxLength: 3, padding: 'pre', truncating: 'post', value: 0, dtype: 'f32' }]],
  minMaxScale: [[series, { range: [-1, 1] }]],
  standardize: [[series], [array(4, 2)]],
  shuffle: [[[[1, 2, 3], array(3, 2)], { seed: 1 }]],
  splitAt: [[series, 4, { context: 2 }]],
  takeRows: [
    [series, [0, 2]],
    [array(3, 2), [1]],
  ],
  trainTestSplit: [[[series, array(12, 2)], { testSize: 0.25, shuffle: true, seed: 1 }]],
  columnStack: [[[series, array(12, 2)]]],
  parseDates: [[['31/12/2026 23:00'], { format: 'DD/MM/YYYY HH:mm' }], [['2026-12-31T23:00Z']]],
  timeFeatures: [
    [
      [0, 3_600_000],
      ['hour', 'dayOfWeek', 'dayOfYear'],
    ],
  ],
  evenSteps: [
    [[0, 5, 15], [1, 2, 3], { step: 5, duplicates: 'first' }],
    [[0, 2_678_400_000], array(2, 2), { step: 'month' }],
  ],
  windows: [
    [array(12, 2), { inputSteps: 3, columns: ['a', 'b'], target: 'b', missing: 'interpolate' }],
    [series, { inputSteps: 3, outputSteps: 1, shift: 1, stride: 1, samplingRate: 1, target: 0, missing: 'error' }],
  ],
  addPoint: [[[[1, 2]], [2, 3]]],
  startId: [[['a', '\n']]],
  encodeNamed: [['ab', ['a', 'b'], 'file']],
  plotGradientFlow: [[[{ layer: 'a', norms: [1, 2, 3] }], { title: 'flow' }]],
  plotHistory: [
    [
      { epoch: [0, 1], history: { loss: [2, 1], val_loss: [3, 2] }, validated: [0, 1] },
      { title: 't', metrics: ['loss'] },
    ],
  ],
};

const uniform = [
  [0.5, 0.5],
  [0.5, 0.5],
];
const identity = [
  [1, 0],
  [0, 1],
];
const chain = { states: 2, initialProbabilities: [0.5, 0.5], transitionMatrix: uniform };
const variances = { levelVariance: 0.5, slopeVariance: 0.2, observationVariance: 1, inputs: 1 };

const stateSpace: Calls = {
  categoricalHmm: [[{ ...chain, symbols: 2, emissionProbabilities: uniform }]],
  gaussianHmm: [
    [{ ...chain, covarianceType: 'diag', means: [[0], [1]], covariances: [[1], [2]] }],
    [{ states: 1, covarianceType: 'full', means: [[0, 1]], covariances: [identity] }],
  ],
  gmmHmm: [
    [{ ...chain, mixtures: 1, weights: [[1], [1]], means: [[[0]], [[1]]], covariances: [[[1]], [[2]]] }],
    [{ states: 2, mixtures: 2, covarianceType: 'full' }],
  ],
  hmmFromJson: [
    [
      {
        ...{ format: 'tapeloop-state-space', version: 1, kind: 'gaussianHmm' },
        options: { states: 1, means: [[0]], covariances: [[1]] },
      },
    ],
  ],
  hmmLogLikelihood: [
    [tensor(2, 3, 2), tensor(2, 2), tensor(2), { lengths: [3, 2] }],
    [tensor(2, 3, 2), tensor(2, 2), tensor(2), { mask: tensor(2, 3) }],
  ],
  kalmanLogLikelihood: [
    [
      tensor(2, 3, 1),
      {
        ...{ transitionMatrix: tensor(2, 2), observationMatrix: tensor(1, 2), controlMatrix: tensor(2, 1) },
        ...{ transitionFactor: tensor(2, 2), observationFactor: tensor(1, 1), feedthroughMatrix: tensor(1, 1) },
        ...{ initialMean: tensor(2), initialFactor: tensor(2, 2) },
      },
      { inputs: tensor(2, 3, 1), lengths: [3, 2] },
    ],
  ],
  linearGaussian: [
    [
      {
        ...{ transitionMatrix: identity, transitionCovariance: identity, controlMatrix: [[1], [0]] },
        ...{ observationMatrix: [[1, 0]], observationCovariance: [[1]], feedthroughMatrix: [[1]] },
        ...{ initialMean: [0, 0], initialCovariance: identity, burn: 1 },
        learn: { transitionMatrix: identity, observationCovariance: 'diag', initialMean: true },
      },
    ],
  ],
  linearGaussianFromJson: [
    [
      {
        ...{ format: 'tapeloop-state-space', version: 1, kind: 'linearGaussian' },
        options: {
          ...{ transitionMatrix: [[1]], transitionCovariance: [[1]] },
          ...{ observationMatrix: [[1]], observationCovariance: [[1]] },
        },
      },
    ],
  ],
  localLevel: [[{ levelVariance: 0.5, observationVariance: 1, inputs: 0 }]],
  localLinearTrend: [[variances]],
  basicStructural: [
    [{ ...variances, period: 3, trend: 'level', seasonalVariance: 1, autoregressive: 1, autoregressiveVariance: 1 }],
  ],
  autoregressive: [[{ order: 2, coefficients: [0.5, 0.1], variance: 1, observationVariance: 0.1, inputs: 0 }]],
};

const iterated: Calls = {
  streamBatches: [
    [{ $: 'Int32Array 0 1 2 3 4 5 6 7 8' }, { batchSize: 2, steps: 2 }],
    [array(9, 2), { batchSize: 1, steps: 2, targets: array(9, 1) }],
  ],
  textStreams: [[{ $: 'Int32Array 0 1 2 3 4 5 6 7 8' }, { batch: 2, time: 2 }]],
  windowBatches: [[series, { inputSteps: 3, batchSize: 2, shuffle: true, seed: 1 }]],
};

export const calls: readonly (readonly [Use, Calls])[] = [
  ...([
    ['call', layers],
    ['cell', cells],
    ['optimizer', optimizers],
    ['loss', losses],
    ['classLoss', classLosses],
    ['idLoss', idLosses],
    ['metric', metrics],
    ['idMetric', idMetrics],
  ] as const),
  ...([
    ['schedule', schedules],
    ['constraint', constraints],
    ['callback', callbacks],
    ['nothing', ops],
    ['nothing', imageOps],
    ['nothing', audio],
    ['nothing', plain],
    ['nothing', stateSpace],
    ['iterate', iterated],
  ] as const),
];

/** Functions without a call here, and why. */
export const otherwise: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'encodeModel',
      'restoreModel',
      'beamSearch',
      'beamSteps',
      'generate',
      'generateBatch',
      'generateIds',
      'gradientFlow',
    ].map((name) => [name, 'takes a model: target methods']),
  ),
  ...Object.fromEntries(
    ['buildCharModel', 'compileCharModel', 'trainOnWindow', 'validate', 'encodeRun', 'decodeRun', 'hashIds'].map(
      (name) => [name, 'of the command line, whose flags are a target'],
    ),
  ),
  ...Object.fromEntries(
    [
      'loadCsv',
      'loadIds',
      'loadIdx',
      'loadLines',
      'loadPairs',
      'loadPianoRoll',
      'loadText',
      'readWav',
      'textVectorization',
      'decodeModel',
      'ctc',
    ].map((name) => [name, 'a target of its own']),
  ),
  ...Object.fromEntries(
    ['exportKeras', 'exportKerasWeights', 'importKeras', 'importKerasJs', 'loadKerasWeights'].map((name) => [
      name,
      'reads or writes a file, whose bytes acceptance/keras/hostile.ts changes',
    ]),
  ),
  ...Object.fromEntries(
    ['exportOnnx', 'importOnnx', 'compileStream', 'onnxSession'].map((name) => [
      name,
      'reads a file, whose bytes test/onnx/model.test.ts changes',
    ]),
  ),
  ...Object.fromEntries(
    ['readTorch', 'importTorch', 'loadStateDict', 'torchOptimizer'].map((name) => [
      name,
      'reads a file, whose bytes test/torch/hostile.test.ts changes',
    ]),
  ),
  ...Object.fromEntries(
    ['exportTorch', 'encodeStateDict', 'encodeCheckpoint'].map((name) => [name, 'writes a file: test/torch']),
  ),
  ...Object.fromEntries(
    ['exportNam', 'importNam', 'exportRtNeural', 'importRtNeural'].map((name) => [
      name,
      'reads a file, which acceptance/audio-models/hostile.ts changes',
    ]),
  ),
  ...Object.fromEntries(
    ['exportTfjs', 'importTfjs', 'importCharRnn', 'loadTfjs'].map((name) => [
      name,
      'reads files, which test/tfjs changes',
    ]),
  ),
  ...Object.fromEntries(['stftStream', 'istftStream'].map((name) => [name, 'makes a stream: see spoiled calls'])),
  ...Object.fromEntries(
    ['engine', 'init', 'yielder', 'browserStore', 'listFiles', 'readSource', 'allowStreams', 'addMethods'].map(
      (name) => [name, 'of the host'],
    ),
  ),
};
