// What Keras 0.3 and 1 wrote, in the names of Keras 2.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Parsed } from '../../io/parsed-json.ts';

/** A layer as a file has it. */
export interface KerasLayer {
  readonly className: string;
  readonly config: Parsed;
}

const classNames: Readonly<Record<string, string>> = {
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Deconvolution2D: 'Conv2DTranspose',
  SeparableConvolution2D: 'SeparableConv2D',
  TimeDistributedDense: 'Dense',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
  GRUV2: 'GRU',
  LSTMV2: 'LSTM',
};

// New names of options, for every layer.
const optionNames: Readonly<Record<string, string>> = {
  W_constraint: 'kernel_constraint',
  W_regularizer: 'kernel_regularizer',
  U_regularizer: 'recurrent_regularizer',
  b_constraint: 'bias_constraint',
  b_regularizer: 'bias_regularizer',
  atrous_rate: 'dilation_rate',
  beta_init: 'beta_initializer',
  bias: 'use_bias',
  border_mode: 'padding',
  depthwise_init: 'depthwise_initializer',
  dim_ordering: 'data_format',
  dropout_U: 'recurrent_dropout',
  dropout_W: 'dropout',
  gamma_init: 'gamma_initializer',
  init: 'kernel_initializer',
  inner_activation: 'recurrent_activation',
  inner_init: 'recurrent_initializer',
  nb_filter: 'filters',
  p: 'rate',
  pointwise_init: 'pointwise_initializer',
  pool_length: 'pool_size',
  subsample: 'strides',
  subsample_length: 'strides',
  stride: 'strides',
  filter_length: 'kernel_size',
};

const formats: Readonly<Record<string, string>> = {
  tf: 'channels_last',
  th: 'channels_first',
  default: 'channels_last',
};

const mergeModes: Readonly<Record<string, string>> = {
  dot: 'Dot',
  max: 'Maximum',
  sum: 'Add',
  mul: 'Multiply',
  ave: 'Average',
  concat: 'Concatenate',
};

/** A layer with the class and the option names of Keras 2. */
export function renamed({ className, config }: KerasLayer): KerasLayer {
  if (className === 'Merge') return merge(config);
  const name = Object.hasOwn(classNames, className) ? classNames[className]! : className;
  if (name === 'Identity') return { className: 'Activation', config: { ...config, activation: 'linear' } };
  if (name === 'ThresholdedReLU') {
    const { theta = 1, ...rest } = config;
    return { className: 'ReLU', config: { ...rest, threshold: theta } };
  }
  if (/^CuDNN(LSTM|GRU)$/.test(name)) return cudnn(name.slice(5), config);
  const isOld = Object.keys(config).some((key) => Object.hasOwn(optionNames, key) || key === 'output_dim');
  if (!isOld) return { className: name, config };
  const isUnits = 'output_dim' in config && name !== 'Embedding';
  const entries = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'output_dim' && isUnits) return [['units', value]];
    // The forget gate's bias began at a value by the name of an initializer.
    if (key === 'forget_bias_init') return [['unit_forget_bias', value === 'one']];
    if (key === 'dim_ordering') return [['data_format', formats[String(value)] ?? value]];
    if (key === 'init' && name === 'Embedding') return [['embeddings_initializer', value]];
    if (/^W_/.test(key) && name === 'Embedding') return [[key.replace('W', 'embeddings'), value]];
    // The penalty on the output was a layer's option then, too; a weight's norm was divided otherwise.
    if (key === 'weights') return [];
    return [[Object.hasOwn(optionNames, key) ? optionNames[key]! : key, value]];
  });
  const made: Record<string, unknown> = Object.fromEntries(entries);
  if ('nb_row' in made) {
    made.kernel_size = [made.nb_row, made.nb_col];
    delete made.nb_row;
    delete made.nb_col;
  }
  if (name === 'UpSampling1D' && 'length' in made) {
    made.size = made.length;
    delete made.length;
  }
  return { className: name, config: made };
}

/** CuDNN's kernels compute the layers whose gates are sigmoids; its GRU resets after the product. */
function cudnn(className: string, config: Parsed): KerasLayer {
  return {
    className,
    config: {
      ...config,
      activation: 'tanh',
      recurrent_activation: 'sigmoid',
      ...(className === 'GRU' && { reset_after: true }),
    },
  };
}

/** Keras 1's layer of many modes. */
function merge({ mode, concat_axis, dot_axes, name, layers, ...rest }: Parsed): KerasLayer {
  const isPlain = Object.entries(rest).every(([key, value]) => {
    return (
      value === null ||
      /^(mode_type|trainable|arguments|output_(mask|shape)(_type)?|node_indices|tensor_indices)$/.test(key)
    );
  });
  if (typeof mode !== 'string' || !Object.hasOwn(mergeModes, mode) || !isPlain || Array.isArray(layers)) {
    const expected = 'a Merge of sum, mul, ave, max, dot or concat in a functional model';
    throw new ArgumentError(`layer '${String(name)}' expected ${expected}, got mode ${JSON.stringify(mode)}`);
  }
  const axes = mode === 'concat' ? { axis: concat_axis ?? -1 } : mode === 'dot' ? { axes: dot_axes ?? -1 } : {};
  return { className: mergeModes[mode]!, config: { name, ...axes } };
}
