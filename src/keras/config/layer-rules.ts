// The layers that both sides have: which options a configuration of Keras has for each, with the defaults of Keras 3,
// which are those of tapeloop.
import type { Json } from '../../io/model-file.ts';
import type { Era } from './era.ts';

/** An option without a default. */
export const REQUIRED = Symbol('required');

export interface LayerRule {
  /** Keras's names of the options with their defaults. In tapeloop they have the same names in camel case. */
  readonly options: Readonly<Record<string, Json | typeof REQUIRED>>;
  /** Options that have one value, with that value: another value is refused. */
  readonly only?: Readonly<Record<string, Json>> | undefined;
  /** Options that do not change results. */
  readonly harmless?: readonly string[] | undefined;
  /** Options here that are arguments of a call in Keras. */
  readonly ofCalls?: readonly string[] | undefined;
  /** Options that Keras writes as a list of one number. */
  readonly line?: readonly string[] | undefined;
}

/** Options of each weight: how it begins, its penalty and its constraint. */
const weight = (name: string, how: string, option = name): Record<string, Json> => ({
  [`${name}_initializer`]: how,
  [`${option}_regularizer`]: null,
  [`${option}_constraint`]: null,
});
const kernel = weight('kernel', 'glorotUniform');
const bias = { use_bias: true, ...weight('bias', 'zeros') };

const recurrent = {
  activation: 'tanh',
  ...kernel,
  ...weight('recurrent', 'orthogonal'),
  ...bias,
  dropout: 0,
  recurrent_dropout: 0,
};
const gates = { ...recurrent, recurrent_activation: 'sigmoid' };
const cell = { units: REQUIRED as Json | typeof REQUIRED };
const sequence = {
  return_sequences: false,
  return_state: false,
  go_backwards: false,
  stateful: false,
  zero_output_for_mask: false,
};
const layerOnly = { time_major: false };
const layerHarmless = [
  'unroll',
  'implementation',
  'use_cudnn',
  'consume_less',
  'input_dim',
  'input_length',
  'num_constants',
];
const cellHarmless = ['implementation'];
const lstm = { ...cell, ...gates, unit_forget_bias: true };
const gru = { ...cell, ...gates, reset_after: true };

/** Options of windows: the kernel, its steps, and where they lie. */
const windows = { kernel_size: REQUIRED, strides: 1, padding: 'valid', dilation_rate: 1 } as const;
const convolution = { filters: REQUIRED, ...windows, groups: 1, activation: 'linear', ...kernel, ...bias } as const;
const depthwise = { depth_multiplier: 1, ...weight('depthwise', 'glorotUniform') };
const separable = {
  filters: REQUIRED,
  ...windows,
  activation: 'linear',
  ...depthwise,
  ...weight('pointwise', 'glorotUniform'),
  ...bias,
} as const;
const lastAxis = { data_format: 'channels_last' };
// Kernels of a depthwise or separable convolution have names of their own; what Keras writes for `kernel` is unused.
const unusedKernel = ['kernel_initializer', 'kernel_regularizer', 'kernel_constraint', 'groups'];
const lines = ['kernel_size', 'strides', 'dilation_rate', 'pool_size'];

const convLstm = {
  filters: REQUIRED,
  ...windows,
  ...gates,
  unit_forget_bias: true,
  ...sequence,
} as const;

const pooling1d: LayerRule = {
  options: { pool_size: 2, strides: null, padding: 'valid' },
  only: lastAxis,
  line: lines,
};
const pooling2d: LayerRule = { options: { pool_size: 2, strides: null, padding: 'valid' }, only: lastAxis };
const normalized = {
  epsilon: 1e-3,
  center: true,
  scale: true,
  ...weight('beta', 'zeros'),
  ...weight('gamma', 'ones'),
};
const none: LayerRule = { options: {} };
const ofCalls = ['use_causal_mask', 'return_attention_scores'];
const attention = { use_scale: false, score_mode: 'dot', dropout: 0 };

/** The rules by Keras's class names, which are tapeloop's. */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  Activation: { options: { activation: REQUIRED } },
  ActivityRegularization: { options: { l1: 0, l2: 0 } },
  Add: none,
  AdditiveAttention: {
    options: { use_scale: true, dropout: 0 },
    only: { causal: false },
    harmless: ['score_mode'],
    ofCalls,
  },
  AlphaDropout: { options: { rate: REQUIRED, noise_shape: null } },
  Attention: { options: attention, only: { causal: false }, ofCalls },
  Average: none,
  AveragePooling1D: pooling1d,
  AveragePooling2D: pooling2d,
  BatchNormalization: {
    options: {
      axis: -1,
      momentum: 0.99,
      ...normalized,
      moving_mean_initializer: 'zeros',
      moving_variance_initializer: 'ones',
    },
    only: { renorm: false, mode: 0, virtual_batch_size: null, adjustment: null },
    harmless: ['fused', 'synchronized', 'renorm_clipping', 'renorm_momentum'],
  },
  Concatenate: { options: { axis: -1 } },
  Conv1D: { options: convolution, only: lastAxis, line: lines, harmless: ['input_dim', 'input_length'] },
  Conv2D: { options: convolution, only: lastAxis },
  Conv2DTranspose: {
    options: { ...windows, filters: REQUIRED, output_padding: null, activation: 'linear', ...kernel, ...bias },
    only: { ...lastAxis, groups: 1 },
  },
  ConvLSTM1D: { options: convLstm, only: { ...lastAxis, ...layerOnly }, line: lines, harmless: layerHarmless },
  ConvLSTM2D: { options: convLstm, only: { ...lastAxis, ...layerOnly }, harmless: layerHarmless },
  Cropping1D: { options: { cropping: 1 } },
  Cropping2D: { options: { cropping: 0 }, only: lastAxis },
  Dense: { options: { ...cell, activation: 'linear', ...kernel, ...bias }, harmless: ['input_dim', 'input_length'] },
  DepthwiseConv2D: {
    options: { ...windows, activation: 'linear', ...depthwise, ...bias },
    only: lastAxis,
    harmless: [...unusedKernel, 'filters'],
  },
  Dot: { options: { axes: REQUIRED, normalize: false } },
  Dropout: { options: { rate: REQUIRED, noise_shape: null } },
  Embedding: {
    options: {
      input_dim: REQUIRED,
      output_dim: REQUIRED,
      ...weight('embeddings', 'randomUniform'),
      mask_zero: false,
    },
    only: { sparse: false },
    harmless: ['input_length', 'dropout'],
  },
  Flatten: { options: {}, only: lastAxis },
  GaussianDropout: { options: { rate: REQUIRED } },
  GaussianNoise: { options: { stddev: REQUIRED } },
  GlobalAveragePooling1D: { options: {}, only: { ...lastAxis, keepdims: false } },
  GlobalAveragePooling2D: { options: { keepdims: false }, only: lastAxis },
  GlobalMaxPooling1D: { options: {}, only: { ...lastAxis, keepdims: false } },
  GlobalMaxPooling2D: { options: { keepdims: false }, only: lastAxis },
  GroupNormalization: { options: { groups: 32, ...normalized }, harmless: ['axis'] },
  GRU: { options: { ...gru, ...sequence }, only: layerOnly, harmless: layerHarmless },
  GRUCell: { options: gru, harmless: cellHarmless },
  LayerNormalization: { options: normalized, only: { rms_scaling: false }, harmless: ['axis'] },
  LSTM: { options: { ...lstm, ...sequence }, only: layerOnly, harmless: layerHarmless },
  LSTMCell: { options: lstm, harmless: cellHarmless },
  Masking: { options: { mask_value: 0 } },
  Maximum: none,
  MaxPooling1D: pooling1d,
  MaxPooling2D: pooling2d,
  Minimum: none,
  MultiHeadAttention: {
    options: {
      num_heads: REQUIRED,
      key_dim: REQUIRED,
      value_dim: null,
      dropout: 0,
      output_shape: null,
      attention_axes: null,
      ...kernel,
      ...bias,
    },
    harmless: ['query_shape', 'key_shape', 'value_shape', 'flash_attention', 'use_gate'],
    only: { use_gate: false },
    ofCalls,
  },
  Multiply: none,
  Normalization: { options: { mean: null, variance: null }, only: { invert: false }, harmless: ['axis'] },
  Permute: { options: { dims: REQUIRED } },
  // Keras's default is a slope for each element of a sample.
  PReLU: { options: { ...weight('alpha', 'zeros'), shared_axes: [] } },
  RepeatVector: { options: { n: REQUIRED } },
  Rescaling: { options: { scale: REQUIRED, offset: 0 } },
  Reshape: { options: { target_shape: REQUIRED } },
  RNN: { options: sequence, only: layerOnly, harmless: [...layerHarmless, 'cells'] },
  SeparableConv1D: { options: separable, only: lastAxis, line: lines, harmless: unusedKernel },
  SeparableConv2D: { options: separable, only: lastAxis, harmless: unusedKernel },
  SimpleRNN: { options: { ...cell, ...recurrent, ...sequence }, only: layerOnly, harmless: layerHarmless },
  SimpleRNNCell: { options: { ...cell, ...recurrent }, harmless: cellHarmless },
  SpatialDropout1D: { options: { rate: REQUIRED }, harmless: ['noise_shape'] },
  SpatialDropout2D: { options: { rate: REQUIRED }, only: lastAxis, harmless: ['noise_shape'] },
  Subtract: none,
  UnitNormalization: { options: { axis: -1 } },
  UpSampling1D: { options: { size: 2 } },
  UpSampling2D: { options: { size: 2, interpolation: 'nearest' }, only: lastAxis },
  ZeroPadding1D: { options: { padding: 1 }, only: lastAxis },
  ZeroPadding2D: { options: { padding: 1 }, only: lastAxis },
  // Layers that hold layers: `layer`, `backward_layer`, `cell` and `cells` are read by themselves.
  Bidirectional: { options: { merge_mode: 'concat' } },
  StackedRNNCells: none,
  TimeDistributed: none,
};

/** Options of every layer that do not change results. */
export const harmlessOptions: readonly string[] = [
  ['name', 'trainable', 'dtype', 'input_dtype', 'seed', 'supports_masking', 'autocast', 'registered_name'],
  ['batch_input_shape', 'batch_shape', 'input_shape', 'build_config', 'activity_regularizer', 'is_graph_network'],
  // The state of Keras 1's dot product, and of layers of TF.js.
  ['dynamic', 'stateful', 'input_spec'],
].flat();

/** The default of an option that a configuration does not have. It was written before there was the option. */
export function defaultIn(era: Era, option: string, value: Json | typeof REQUIRED): Json | typeof REQUIRED {
  if (era === 'keras3') return value;
  if (option === 'reset_after') return false;
  return option === 'recurrent_activation' ? 'hard_sigmoid' : value;
}
