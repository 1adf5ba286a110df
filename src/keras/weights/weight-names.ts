// Which weights a layer has, by its options, before it is built; in the order of Keras's `get_weights`.
import type { Parameter } from '../../autograd/parameter.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { type Era, snakeCase } from '../config/era.ts';

/** A weight of a layer's own. */
export interface WeightName {
  /** Keras's name, such as `recurrent_kernel`. */
  readonly name: string;
  readonly trainable: boolean;
}

type Names = (config: LayerConfig) => readonly string[];

const biased =
  (...kernels: string[]): Names =>
  ({ useBias }) => [...kernels, ...(useBias === false ? [] : ['bias'])];
const recurrent: Names = (config) => [
  ...biased('kernel', 'recurrent_kernel')(config),
  ...(config.peephole ? ['peephole'] : []),
  ...(config.projSize ? ['projection'] : []),
];
const scaled: Names = ({ scale, center }) => [
  ...(scale === false ? [] : ['gamma']),
  ...(center === false ? [] : ['beta']),
];

const names: Readonly<Record<string, Names>> = {
  AdditiveAttention: ({ useScale }) => (useScale === false ? [] : ['scale']),
  Attention: ({ useScale, scoreMode }) => [
    ...(useScale ? ['scale'] : []),
    ...(scoreMode === 'concat' ? ['concat_score_weight'] : []),
  ],
  BatchNormalization: (config) => [...scaled(config), 'moving_mean', 'moving_variance'],
  Conv1D: biased('kernel'),
  Conv2D: biased('kernel'),
  Conv2DTranspose: biased('kernel'),
  ConvLSTM1D: biased('kernel', 'recurrent_kernel'),
  ConvLSTM2D: biased('kernel', 'recurrent_kernel'),
  Dense: biased('kernel'),
  DepthwiseConv2D: biased('kernel'),
  Embedding: () => ['embeddings'],
  GroupNormalization: scaled,
  GRU: recurrent,
  GRUCell: recurrent,
  LayerNormalization: scaled,
  LSTM: recurrent,
  LSTMCell: recurrent,
  MultiHeadAttention: ({ useBias }) =>
    ['query', 'key', 'value', 'attention_output'].flatMap((part) =>
      (useBias === false ? ['kernel'] : ['kernel', 'bias']).map((name) => `${part}/${name}`),
    ),
  Normalization: ({ mean }) => (mean === undefined ? ['mean', 'variance', 'count'] : []),
  PReLU: () => ['alpha'],
  SeparableConv1D: biased('depthwise_kernel', 'pointwise_kernel'),
  SeparableConv2D: biased('depthwise_kernel', 'pointwise_kernel'),
  SimpleRNN: recurrent,
  SimpleRNNCell: recurrent,
};

/**
 * The weights of a layer's own, in Keras's order. Keras 1 has an array for each gate.
 *
 * @param era who wrote the file.
 */
export function weightNamesOf(layer: AnyLayer, era: Era = 'keras3'): readonly WeightName[] {
  const { className } = layer;
  const config = layer.config();
  // A built layer, or one of the caller's own, tells its weights by itself.
  const own = Object.hasOwn(names, className)
    ? names[className]!(config)
    : ownWeights(layer).map(({ name }) => snakeCase(name.slice(layer.path.length + 1)));
  const gates = era === 'keras1' ? gatesOf(className) : [];
  const listed = gates.length > 0 ? gates.flatMap((gate) => ['W', 'U', 'b'].map((part) => `${part}_${gate}`)) : own;
  return listed.map((name) => ({
    name,
    trainable: layer.trainable && !/^(moving_\w+|mean|variance|count)$/.test(name),
  }));
}

const gatesOf = (className: string): readonly string[] =>
  /^LSTM(Cell)?$/.test(className) ? ['i', 'c', 'f', 'o'] : /^GRU(Cell)?$/.test(className) ? ['z', 'r', 'h'] : [];

/** The weights of a layer without those of the layers inside it. */
export function ownWeights({ weights, sublayers }: AnyLayer): readonly Parameter[] {
  const inner = new Set(sublayers.flatMap((each) => each.weights));
  return inner.size === 0 ? weights : weights.filter((weight) => !inner.has(weight));
}

/** The layers that have weights of their own, or may have once they are built, in Keras's order, each once. */
export const leafLayers = (layer: AnyLayer): readonly AnyLayer[] =>
  layer.tree().filter((each) => each.sublayers.length === 0 || ownWeights(each).length > 0);
