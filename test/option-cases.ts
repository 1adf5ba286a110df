// How to call every public function that takes an object of options, with options that it does not know.
import * as audio from '../src/audio.ts';
import * as audioModels from '../src/audio-models.ts';
import * as audioStream from '../src/audio-stream.ts';
import * as bench from '../src/bench.ts';
import * as compiled from '../src/compiled.ts';
import * as data from '../src/data.ts';
import * as images from '../src/images.ts';
import * as tapeloop from '../src/index.ts';
import * as keras from '../src/keras.ts';
import * as node from '../src/node.ts';
import * as onnx from '../src/onnx.ts';
import * as plot from '../src/plot.ts';
import * as sequences from '../src/sequences.ts';
import * as stateSpace from '../src/state-space.ts';
import * as stream from '../src/stream.ts';
import * as tfjs from '../src/tfjs.ts';
import * as torch from '../src/torch.ts';

/** A name that is near to one of the call's, that one, and the call. */
export type OptionCase = readonly [unknown: string, meant: string, call: (options: never) => unknown];

const { ops, metrics, schedules, constraints } = tapeloop;
const recurrent = (): tapeloop.Recurrent<tapeloop.Tensor> => tapeloop.gru({ units: 2 });
const layer: Record<string, OptionCase> = {
  activation: ['activations', 'activation', (o) => tapeloop.activation(o)],
  add: ['input_shape', 'inputShape', (o) => tapeloop.add(o)],
  additiveAttention: ['use_scale', 'useScale', (o) => tapeloop.additiveAttention(o)],
  attentionCell: ['attention_units', 'attentionUnits', (o) => sequences.attentionCell(o)],
  attention: ['score_mode', 'scoreMode', (o) => tapeloop.attention(o)],
  average: ['input_shape', 'inputShape', (o) => tapeloop.average(o)],
  averagePooling1d: ['pool_size', 'poolSize', (o) => tapeloop.averagePooling1d(o)],
  averagePooling2d: ['pool_size', 'poolSize', (o) => images.averagePooling2d(o)],
  batchNormalization: ['eps', 'epsilon', (o) => images.batchNormalization(o)],
  bidirectional: ['merge_mode', 'mergeMode', (o) => tapeloop.bidirectional(recurrent(), o)],
  concatenate: ['axes', 'axis', (o) => tapeloop.concatenate(o)],
  conv1d: ['kernel_size', 'kernelSize', (o) => tapeloop.conv1d(o)],
  conv2d: ['kernel_size', 'kernelSize', (o) => images.conv2d(o)],
  conv2dTranspose: ['output_padding', 'outputPadding', (o) => images.conv2dTranspose(o)],
  convLstm1d: ['return_sequences', 'returnSequences', (o) => images.convLstm1d(o)],
  convLstm2d: ['recurrent_dropout', 'recurrentDropout', (o) => images.convLstm2d(o)],
  crf: ['use_boundary', 'useBoundary', (o) => sequences.crf(o)],
  cropping1d: ['crop', 'cropping', (o) => images.cropping1d(o)],
  cropping2d: ['crop', 'cropping', (o) => images.cropping2d(o)],
  dense: ['use_bias', 'useBias', (o) => tapeloop.dense(o)],
  depthwiseConv2d: ['depth_multiplier', 'depthMultiplier', (o) => images.depthwiseConv2d(o)],
  dropout: ['noise_shape', 'noiseShape', (o) => tapeloop.dropout(o)],
  embedding: ['mask_zero', 'maskZero', (o) => tapeloop.embedding(o)],
  flatten: ['input_shape', 'inputShape', (o) => tapeloop.flatten(o)],
  globalAveragePooling1d: ['input_shape', 'inputShape', (o) => tapeloop.globalAveragePooling1d(o)],
  globalAveragePooling2d: ['keepDims', 'keepdims', (o) => images.globalAveragePooling2d(o)],
  globalMaxPooling1d: ['input_shape', 'inputShape', (o) => tapeloop.globalMaxPooling1d(o)],
  globalMaxPooling2d: ['keepDims', 'keepdims', (o) => images.globalMaxPooling2d(o)],
  gru: ['reset_after', 'resetAfter', (o) => tapeloop.gru(o)],
  gruCell: ['reset_after', 'resetAfter', (o) => tapeloop.gruCell(o)],
  layerNormalization: ['eps', 'epsilon', (o) => tapeloop.layerNormalization(o)],
  layerNormGru: ['return_sequences', 'returnSequences', (o) => sequences.layerNormGru(o)],
  layerNormGruCell: ['norm_epsilon', 'normEpsilon', (o) => sequences.layerNormGruCell(o)],
  learnedState: ['input_shape', 'inputShape', (o) => audioModels.learnedState(recurrent(), o)],
  layerNormLstm: ['zone_out', 'zoneout', (o) => sequences.layerNormLstm(o)],
  layerNormLstmCell: ['unit_forget_bias', 'unitForgetBias', (o) => sequences.layerNormLstmCell(o)],
  lstm: ['return_sequences', 'returnSequences', (o) => tapeloop.lstm(o)],
  lstmCell: ['unit_forget_bias', 'unitForgetBias', (o) => tapeloop.lstmCell(o)],
  masking: ['mask_value', 'maskValue', (o) => tapeloop.masking(o)],
  maxPooling1d: ['stride', 'strides', (o) => tapeloop.maxPooling1d(o)],
  maxPooling2d: ['stride', 'strides', (o) => images.maxPooling2d(o)],
  mixtureDensity: ['component', 'components', (o) => sequences.mixtureDensity(o)],
  multiHeadAttention: ['num_heads', 'numHeads', (o) => sequences.multiHeadAttention(o)],
  maximum: ['input_shape', 'inputShape', (o) => tapeloop.maximum(o)],
  minimum: ['input_shape', 'inputShape', (o) => tapeloop.minimum(o)],
  multiply: ['input_shape', 'inputShape', (o) => tapeloop.multiply(o)],
  permute: ['dim', 'dims', (o) => tapeloop.permute(o)],
  repeatVector: ['input_shape', 'inputShape', (o) => tapeloop.repeatVector(o)],
  rescaling: ['scales', 'scale', (o) => images.rescaling(o)],
  reshape: ['target_shape', 'targetShape', (o) => tapeloop.reshape(o)],
  rnn: ['return_state', 'returnState', (o) => tapeloop.rnn(tapeloop.gruCell({ units: 2 }), o)],
  simpleRnn: ['recurrent_dropout', 'recurrentDropout', (o) => tapeloop.simpleRnn(o)],
  simpleRnnCell: ['recurrent_dropout', 'recurrentDropout', (o) => tapeloop.simpleRnnCell(o)],
  spatialDropout1d: ['rates', 'rate', (o) => tapeloop.spatialDropout1d(o)],
  separableConv1d: ['kernel_size', 'kernelSize', (o) => images.separableConv1d(o)],
  separableConv2d: ['pointwise_initializer', 'pointwiseInitializer', (o) => images.separableConv2d(o)],
  spatialDropout2d: ['rates', 'rate', (o) => images.spatialDropout2d(o)],
  subtract: ['input_shape', 'inputShape', (o) => tapeloop.subtract(o)],
  timeDistributed: ['input_shape', 'inputShape', (o) => tapeloop.timeDistributed(tapeloop.dense({ units: 2 }), o)],
  upSampling1d: ['sizes', 'size', (o) => images.upSampling1d(o)],
  upSampling2d: ['data_format', 'dataFormat', (o) => images.upSampling2d(o)],
  prelu: ['alpha_initializer', 'alphaInitializer', (o) => audioModels.prelu(o)],
  waveNet: ['head_scale', 'headScale', (o) => audioModels.waveNet(o)],
  zoneoutCell: ['zone_out', 'zoneout', (o) => sequences.zoneoutCell(tapeloop.gruCell({ units: 2 }), o)],
  zeroPadding1d: ['paddings', 'padding', (o) => images.zeroPadding1d(o)],
  zeroPadding2d: ['data_format', 'dataFormat', (o) => images.zeroPadding2d(o)],
};

/**
 * Those of a namespace, which take nothing but options: `meant` says what some of them have, `usual` what the others
 * have.
 */
const makers = (of: object, [unknown, usual]: [string, string], meant: Record<string, [string, string]> = {}) =>
  Object.fromEntries(
    Object.entries(of).map(([name, make]): [string, OptionCase] => [
      name,
      [...(meant[name] ?? ([unknown, usual] as const)), make as (options: never) => unknown],
    ]),
  );

const optimizerNames = ['adadelta', 'adagrad', 'adam', 'adamax', 'adamw', 'lion', 'nadam', 'rmsprop', 'sgd'] as const;
const lossNames = [
  ...['binaryCrossentropy', 'binaryFocalCrossentropy', 'categoricalCrossentropy', 'categoricalFocalCrossentropy'],
  ...['categoricalHinge', 'cosineSimilarity', 'ctc', 'hinge', 'huber', 'klDivergence', 'logCosh', 'meanAbsoluteError'],
  ...['meanAbsolutePercentageError', 'meanSquaredError', 'meanSquaredLogarithmicError', 'poisson', 'quantileLoss'],
  ...['sparseCategoricalCrossentropy', 'squaredHinge'],
];
const pickFrom = (of: object, names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, (of as Record<string, unknown>)[name]]));
const pick = (names: readonly string[]): object => pickFrom(tapeloop, names);

const x = [[[1], [2]]];
const y = [[1]];
const trained = (): tapeloop.Model => {
  const model = tapeloop.sequential([tapeloop.gru({ units: 2, inputShape: [null, 1] }), tapeloop.dense({ units: 1 })]);
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  return model;
};
const batches = (): [x: tapeloop.Data, y: tapeloop.Data][] => [[x, y]];
const series = [1, 2, 3, 4];
const bytes = new TextEncoder().encode('a\n1\n');
const readers = { readSource: 1, loadText: 1, loadLines: 1, loadIdx: 1, loadCsv: 1, loadPairs: 1, loadPianoRoll: 1 };

export const exported = {
  ...tapeloop,
  ...audio,
  ...audioModels,
  ...audioStream,
  ...images,
  ...sequences,
  ...stateSpace,
  ...compiled,
  ...onnx,
  ...torch,
  ...keras,
  ...tfjs,
  ...data,
  ...plot,
  ...stream,
  ...node,
};

const matrix = (): tapeloop.Tensor => tapeloop.tensor([[1, 2]]);
const cube = (): tapeloop.Tensor => tapeloop.tensor(x);
const image = (): tapeloop.Tensor => ops.ones([1, 2, 2, 1]);
const tap = (): tapeloop.Tensor => ops.ones([1, 1, 1, 1]);
const ofImageOps: Record<string, OptionCase> = {
  conv2d: ['dilation_rate', 'dilationRate', (o) => images.imageOps.conv2d(image(), tap(), undefined, o)],
  conv2dTranspose: [
    'output_padding',
    'outputPadding',
    (o) => images.imageOps.conv2dTranspose(image(), tap(), undefined, o),
  ],
  depthwiseConv2d: ['stride', 'strides', (o) => images.imageOps.depthwiseConv2d(image(), tap(), undefined, o)],
};
const ofOps: Record<string, OptionCase> = {
  matmul: ['transpose_b', 'transposeB', (o) => ops.matmul(matrix(), matrix(), o)],
  zeros: ['dtypes', 'dtype', (o) => ops.zeros([2], o)],
  ones: ['dtypes', 'dtype', (o) => ops.ones([2], o)],
  sum: ['axes', 'axis', (o) => ops.sum(matrix(), o)],
  mean: ['keep_dims', 'keepDims', (o) => ops.mean(matrix(), o)],
  max: ['axes', 'axis', (o) => ops.max(matrix(), o)],
  logSumExp: ['axes', 'axis', (o) => ops.logSumExp(matrix(), o)],
  slice: ['axes', 'axis', (o) => ops.slice(matrix(), o)],
  attention: ['masks', 'mask', (o) => ops.attention(cube(), cube(), cube(), o)],
  additiveAttention: ['masks', 'mask', (o) => ops.additiveAttention(cube(), cube(), cube(), o)],
  batchMatmul: ['transpose_b', 'transposeB', (o) => ops.batchMatmul(cube(), cube(), o)],
  conv1d: ['dilation_rate', 'dilationRate', (o) => ops.conv1d(cube(), tapeloop.tensor([[[1]]]), undefined, o)],
  ctcLoss: ['blanks', 'blank', (o) => ops.ctcLoss(cube(), matrix(), o)],
  layerNorm: ['eps', 'epsilon', (o) => ops.layerNorm(matrix(), undefined, undefined, o)],
  dropout: ['noise_shape', 'noiseShape', (o) => ops.dropout(matrix(), 0.5, [1, 2] as never, o)],
};

const samples = (): tapeloop.Tensor => tapeloop.tensor([1, 2, 3]);
const ofAudio: Record<string, OptionCase> = {
  rfft: ['norms', 'norm', (o) => audio.rfft(samples(), o)],
  irfft: ['norms', 'norm', (o) => audio.irfft(matrix(), o)],
  stft: ['n_fft', 'nFft', (o) => audio.stft(samples(), o)],
  istft: ['hop_length', 'hopLength', (o) => audio.istft(cube(), o)],
  stftStream: ['pad_mode', 'padMode', (o) => audio.stftStream(o)],
  istftStream: ['win_length', 'winLength', (o) => audio.istftStream(o)],
  audioWindow: ['period', 'periodic', (o) => audio.audioWindow('hann', 4, o)],
  magnitude: ['powers', 'power', (o) => audio.magnitude(matrix(), o)],
  amplitudeToDb: ['top_db', 'topDb', (o) => audio.amplitudeToDb(matrix(), o)],
  powerToDb: ['top_db', 'topDb', (o) => audio.powerToDb(matrix(), o)],
  melFilters: ['n_mels', 'nMels', (o) => audio.melFilters(o)],
  melSpectrogram: ['mel_scale', 'melScale', (o) => audio.melSpectrogram(samples(), o)],
  logMelSpectrogram: ['f_min', 'fMin', (o) => audio.logMelSpectrogram(samples(), o)],
  readWav: ['files', 'file', (o) => audio.readWav(new Uint8Array(44), o)],
  writeWav: ['formats', 'format', (o) => audio.writeWav({ sampleRate: 1, channels: [] }, o)],
};

const level = (): stateSpace.LinearGaussian => stateSpace.localLevel();
const chain = (): stateSpace.HiddenMarkovModel => stateSpace.gaussianHmm({ states: 1 });
const kalman = (): never => {
  const one = tapeloop.tensor([[1]]);
  const start = { initialMean: tapeloop.tensor([0]), initialFactor: one };
  const factors = { transitionFactor: one, observationFactor: one };
  return { transitionMatrix: one, observationMatrix: one, ...factors, ...start } as never;
};
const ofStateSpace: Record<string, OptionCase> = {
  exportNam: ['sample_rate', 'sampleRate', (o) => audioModels.exportNam({} as never, o)],
  exportRtNeural: ['meta', 'metadata', (o) => audioModels.exportRtNeural({} as never, o)],
  exportOnnx: ['input_names', 'inputNames', (o) => onnx.exportOnnx({} as never, o)],
  compileStream: ['batches', 'batch', (o) => onnx.compileStream({} as never, o)],
  loadCompiledStream: ['max_steps', 'maxSteps', (o) => compiled.loadCompiledStream(new Uint8Array(), o)],
  exportTfjs: ['include_optimizer', 'includeOptimizer', (o) => tfjs.exportTfjs({} as never, o)],
  importTfjs: ['custom_objects', 'customObjects', (o) => tfjs.importTfjs('{}', {}, o)],
  importCharRnn: ['files', 'file', (o) => tfjs.importCharRnn({}, o)],
  loadTfjs: ['custom_objects', 'customObjects', (o) => tfjs.loadTfjs('model.json', o)],
  exportKeras: ['include_optimizer', 'includeOptimizer', (o) => keras.exportKeras({} as never, o)],
  exportKerasWeights: ['include_optimizer', 'includeOptimizer', (o) => keras.exportKerasWeights({} as never, o)],
  importKerasJs: ['custom_objects', 'customObjects', (o) => keras.importKerasJs({} as never, o)],
  importKeras: ['custom_objects', 'customObjects', (o) => keras.importKeras(new Uint8Array(), o)],
  loadKerasWeights: ['by_name', 'byName', (o) => keras.loadKerasWeights({} as never, new Uint8Array(), o)],
  importOnnx: ['trainables', 'trainable', (o) => onnx.importOnnx(new Uint8Array(), o)],
  encodeCheckpoint: ['include_optimizer', 'includeOptimizer', (o) => torch.encodeCheckpoint(trained(), o)],
  encodeStateDict: ['name', 'names', (o) => torch.encodeStateDict(trained(), o)],
  exportTorch: ['class_name', 'className', (o) => torch.exportTorch(trained(), o)],
  importTorch: ['forwards', 'forward', (o) => torch.importTorch(new Map(), o)],
  loadStateDict: ['stricts', 'strict', (o) => torch.loadStateDict(trained(), new Map(), o)],
  readTorch: ['files', 'file', (o) => torch.readTorch(new Uint8Array(), o)],
  torchOptimizer: ['join_biases', 'joinBiases', (o) => torch.torchOptimizer(trained(), new Map(), o)],
  autoregressive: ['orders', 'order', (o) => stateSpace.autoregressive(o)],
  basicStructural: ['periods', 'period', (o) => stateSpace.basicStructural(o)],
  categoricalHmm: ['symbol', 'symbols', (o) => stateSpace.categoricalHmm(o)],
  gaussianHmm: ['covariance_type', 'covarianceType', (o) => stateSpace.gaussianHmm(o)],
  gmmHmm: ['mixture', 'mixtures', (o) => stateSpace.gmmHmm(o)],
  hmmLogLikelihood: [
    ...(['length', 'lengths'] as const),
    (o) => stateSpace.hmmLogLikelihood(cube(), tapeloop.tensor([[0]]), tapeloop.tensor([0]), o),
  ],
  kalmanLogLikelihood: ['input', 'inputs', (o) => stateSpace.kalmanLogLikelihood(cube(), kalman(), o)],
  linearGaussian: ['transition_matrix', 'transitionMatrix', (o) => stateSpace.linearGaussian(o)],
  localLevel: ['level_variance', 'levelVariance', (o) => stateSpace.localLevel(o)],
  localLinearTrend: ['slope_variance', 'slopeVariance', (o) => stateSpace.localLinearTrend(o)],
  'fit of a hidden Markov model': ['max_iterations', 'maxIterations', (o) => chain().fit([1, 2], o)],
  'sample of a hidden Markov model': ['step', 'steps', (o) => chain().sample(o)],
  filter: ['input', 'inputs', (o) => level().filter([1], o)],
  smooth: ['input', 'inputs', (o) => level().smooth([1], o)],
  forecast: ['step', 'steps', (o) => level().forecast([1], o)],
  score: ['input', 'inputs', (o) => level().score([1], o)],
  stepLogLikelihoods: ['input', 'inputs', (o) => level().stepLogLikelihoods([1], o)],
  sample: ['seeds', 'seed', (o) => level().sample(o)],
  fitEm: ['max_iterations', 'maxIterations', (o) => level().fitEm([1, 2], o)],
  fitGradient: ['max_iterations', 'maxIterations', (o) => level().fitGradient([1, 2], o)],
};

/** By the name of the export, or of the method. */
export const optionCases: Record<string, OptionCase> = {
  ...layer,
  ...ofAudio,
  ...ofStateSpace,
  ...makers(pick(optimizerNames), ['lr', 'learningRate']),
  ...makers(pick(lossNames), ['reductions', 'reduction']),
  ...Object.fromEntries(
    Object.entries(makers(metrics, ['names', 'name'])).map(([name, each]) => [`metrics.${name}`, each]),
  ),
  ...Object.fromEntries(
    Object.entries(
      makers(schedules, ['initial_learning_rate', 'initialLearningRate'], {
        constant: ['lr', 'learningRate'],
        piecewiseConstantDecay: ['boundary', 'boundaries'],
      }),
    )
      .filter(([name]) => !/serialize/.test(name))
      .map(([name, each]) => [`schedules.${name}`, each]),
  ),
  ...Object.fromEntries(
    Object.entries(makers(pickFrom(constraints, ['maxNorm', 'minMaxNorm', 'unitNorm']), ['axes', 'axis'])).map(
      ([name, each]) => [`constraints.${name}`, each],
    ),
  ),
  crfLoss: ['reductions', 'reduction', (o) => sequences.crfLoss(o)],
  crfDecode: ['transition', 'transitions', (o) => sequences.crfDecode(cube(), o)],
  crfMarginals: ['transition', 'transitions', (o) => sequences.crfMarginals(cube(), o)],
  crfLogNorm: ['masks', 'mask', (o) => sequences.crfLogNorm(cube(), o)],
  crfLogLikelihood: ['masks', 'mask', (o) => sequences.crfLogLikelihood(cube(), matrix(), o)],
  mixtureDensityLoss: ['min_scale', 'minScale', (o) => sequences.mixtureDensityLoss(o)],
  sampleMixture: ['temperatures', 'temperature', (o) => sequences.sampleMixture([0, 0, 0], o)],
  sequential: ['names', 'name', (o) => tapeloop.sequential([recurrent()], o)],
  model: ['input', 'inputs', (o) => tapeloop.model(o, (value) => value)],
  compile: ['metric', 'metrics', (o) => trained().compile(o)],
  fit: ['batch_size', 'batchSize', (o) => trained().fit(x, y, o)],
  'fit on batches': ['validation_split', 'validationSplit', (o) => trained().fit(batches, o)],
  evaluate: ['batch_size', 'batchSize', (o) => trained().evaluate(x, y, o)],
  'evaluate on batches': ['step', 'steps', (o) => trained().evaluate(batches, o)],
  predict: ['batch_size', 'batchSize', (o) => trained().predict(x, o)],
  'predict on batches': ['step', 'steps', (o) => trained().predict(() => [{ x }], o)],
  trainOnBatch: ['sample_weight', 'sampleWeight', (o) => trained().trainOnBatch(x, y, o)],
  stream: ['max_steps', 'maxSteps', (o) => trained().stream(o)],
  'a call': ['initial_state', 'initialState', (o) => recurrent()(tapeloop.tensor(x), o)],
  gradientFlow: ['sample_weight', 'sampleWeight', (o) => tapeloop.gradientFlow(trained(), x, y, o)],
  init: ['thread', 'threads', (o) => tapeloop.init(o)],
  earlyStopping: ['patient', 'patience', (o) => tapeloop.earlyStopping(o)],
  reduceLrOnPlateau: ['patient', 'patience', (o) => tapeloop.reduceLrOnPlateau(o)],
  modelCheckpoint: ['save_best_only', 'saveBestOnly', (o) => tapeloop.modelCheckpoint(() => {}, o)],
  csvLogger: ['separators', 'separator', (o) => tapeloop.csvLogger(() => {}, o)],
  tensorBoard: ['update_freq', 'updateFreq', (o) => tapeloop.tensorBoard(() => ({}) as never, o)],
  progressText: ['every', 'everyMs', (o) => tapeloop.progressText(() => {}, o)],
  progressElement: ['line', 'lines', (o) => tapeloop.progressElement({ textContent: '' } as never, o)],
  beamSearch: ['stop_ids', 'stopIds', (o) => tapeloop.beamSearch(trained(), [[1]], o)],
  beamSteps: ['stop_ids', 'stopIds', (o) => tapeloop.beamSteps(trained(), [[1]], o).next()],
  ctcBeamDecode: ['n_best', 'nBest', (o) => tapeloop.ctcBeamDecode([[[1, 2]]], o)],
  ctcGreedyDecode: ['merge_repeated', 'mergeRepeated', (o) => tapeloop.ctcGreedyDecode([[[1, 2]]], o)],
  generateIds: ['top_k', 'topK', (o) => [...tapeloop.generateIds(trained(), o)]],
  streamBatches: ['batch_size', 'batchSize', (o) => tapeloop.streamBatches(series, o)],
  textStreams: ['batches', 'batch', (o) => tapeloop.textStreams(new Int32Array(9), o)],
  ...Object.fromEntries(
    Object.keys(readers).map((name): [string, OptionCase] => [
      name,
      [
        'signals',
        'signal',
        (o) => (data as unknown as Record<string, (...given: unknown[]) => unknown>)[name]!(bytes, o),
      ],
    ]),
  ),
  loadIds: ['num_words', 'numWords', (o) => data.loadIds({ ids: bytes, offsets: bytes, labels: bytes }, o)],
  listFiles: ['extensions', 'extension', (o) => data.listFiles('.', o)],
  padSequences: ['max_length', 'maxLength', (o) => data.padSequences([[1]], o)],
  splitAt: ['contexts', 'context', (o) => data.splitAt(series, 1, o)],
  trainTestSplit: ['test_size', 'testSize', (o) => data.trainTestSplit([series], o)],
  shuffle: ['seeds', 'seed', (o) => data.shuffle([series], o)],
  minMaxScale: ['ranges', 'range', (o) => data.minMaxScale(series, o)],
  textVectorization: ['max_tokens', 'maxTokens', (o) => data.textVectorization(o)],
  parseDates: ['formats', 'format', (o) => data.parseDates([], o)],
  evenSteps: ['steps', 'step', (o) => data.evenSteps([0, 1], [0, 1], o)],
  windows: ['input_steps', 'inputSteps', (o) => data.windows(series, o)],
  windowBatches: ['batch_size', 'batchSize', (o) => data.windowBatches(series, o)],
  plotHistory: ['metric', 'metrics', (o) => plot.plotHistory({ epoch: [], history: {}, validated: [] }, o)],
  runBench: ['round', 'rounds', (o) => bench.runBench(o)],
  csvFile: ['separators', 'separator', (o) => node.csvFile('x.csv', o)],
  tensor: ['shapes', 'shape', (o) => tapeloop.tensor([1], o)],
  countParams: ['trainables', 'trainable', (o) => trained().countParams(o)],
  'a cell': ['output_units', 'outputUnits', (o) => tapeloop.rnn(o)],
  generate: ['top_k', 'topK', (o) => tapeloop.generate(trained(), [1], o).next()],
  generateBatch: ['top_k', 'topK', (o) => tapeloop.generateBatch(trained(), [[1]], o).next()],
  plotGradientFlow: ['titles', 'title', (o) => plot.plotGradientFlow([], o)],
  progress: ['streams', 'stream', (o) => node.progress(o)],
  checkpointFile: ['save_best_only', 'saveBestOnly', (o) => node.checkpointFile('x', o)],
  tensorBoardFolder: ['update_freq', 'updateFreq', (o) => node.tensorBoardFolder('x', o)],
  ...Object.fromEntries(Object.entries(ofOps).map(([name, each]) => [`ops.${name}`, each])),
  ...Object.fromEntries(Object.entries(ofImageOps).map(([name, each]) => [`imageOps.${name}`, each])),
  encodeModel: ['vocabularies', 'vocabulary', (o) => tapeloop.encodeModel(trained(), o)],
  saveModel: ['vocabularies', 'vocabulary', (o) => node.saveModel(trained(), '/no/folder/x', o)],
  decodeModel: ['custom_objects', 'customObjects', (o) => tapeloop.decodeModel(tapeloop.encodeModel(trained()), o)],
  restoreModel: [
    ...(['custom_objects', 'customObjects'] as const),
    (o) => tapeloop.restoreModel(trained(), tapeloop.encodeModel(trained()), o),
  ],
  'an input': ['shapes', 'shape', (o) => tapeloop.model({ layers: {}, inputs: [o] }, (value) => value)],
  loadModel: ['custom_objects', 'customObjects', (o) => node.loadModel('/no/file', o)],
  audioStream: ['max_steps', 'maxSteps', (o) => audioStream.audioStream(new Uint8Array(), o)],
  namStream: ['max_steps', 'maxSteps', (o) => audioStream.namStream({}, o)],
  decodeStream: ['max_steps', 'maxSteps', (o) => stream.decodeStream(new Uint8Array(), o)],
  loadStream: ['max_steps', 'maxSteps', (o) => stream.loadStream(new Uint8Array(), o)],
};

/** Exports that take no object of options. */
export const withoutOptions: readonly string[] = [
  ...['stopGradient', 'valueAndGrad', 'keep', 'ndarray', 'ragged', 'engine', 'setSeed', 'yielder', 'browserStore'],
  ...['backupAndRestore', 'learningRateScheduler', 'swapEmaWeights', 'terminateOnNaN', 'onWarning', 'decodeUtf8'],
  ...['allowedTags', 'backupFile', 'buildVocabulary', 'hmmFromJson', 'linearGaussianFromJson'],
  ...['onnxSession', 'importNam', 'importRtNeural'],
  ...['allowStreams', 'addMethods', 'encodeText', 'decodeIds', 'takeRows', 'standardize'],
  ...['withResetMask', 'compileKernels', 'compileBlockKernels', 'oneHot', 'timeFeatures', 'columnStack', 'resample'],
];
