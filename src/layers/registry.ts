import { ArgumentError } from '../autograd/tensor.ts';
import { activation } from './activation.ts';
import type { Activation } from './activations.ts';
import { additiveAttention, attention } from './attention.ts';
import { bidirectional } from './bidirectional.ts';
import { gruCell, lstmCell, simpleRnnCell } from './built-in-cells.ts';
import { conv1d } from './conv1d.ts';
import { customObject, nameOfCustom } from './custom-objects.ts';
import { dense } from './dense.ts';
import { dropout, spatialDropout1d } from './dropout.ts';
import { embedding } from './embedding.ts';
import type { AnyLayer, Layer, LayerConfig } from './layer.ts';
import { layerNormalization } from './layer-normalization.ts';
import { masking } from './masking.ts';
import { add, average, concatenate, multiply, subtract } from './merge.ts';
import { permute } from './permute.ts';
import { averagePooling1d, globalAveragePooling1d, globalMaxPooling1d, maxPooling1d } from './pooling.ts';
import { gru, lstm, simpleRnn } from './recurrent.ts';
import { type RecurrentCell, StackedCells } from './recurrent-cell.ts';
import type { Recurrent } from './recurrent-layer.ts';
import { repeatVector } from './repeat-vector.ts';
import { flatten, reshape } from './reshape.ts';
import { rnn } from './rnn.ts';
import { timeDistributed } from './time-distributed.ts';

/** A layer within a layer's options, as `config` writes it. */
interface Saved {
  className: string;
  config: LayerConfig;
}

const read = <L extends AnyLayer>({ className, config }: Saved): L =>
  layerFromConfig(className, config) as unknown as L;

const makers: Record<string, (options: never) => unknown> = {
  Activation: activation,
  Add: add,
  AdditiveAttention: additiveAttention,
  Attention: attention,
  Average: average,
  AveragePooling1D: averagePooling1d,
  Bidirectional: ({ layer, backwardLayer, ...options }: { layer: Saved; backwardLayer?: Saved }) =>
    bidirectional(read<Recurrent<never>>(layer), {
      ...options,
      ...(backwardLayer && { backwardLayer: read<Recurrent>(backwardLayer) }),
    }),
  Concatenate: concatenate,
  Conv1D: conv1d,
  Dense: dense,
  Dropout: dropout,
  Embedding: embedding,
  Flatten: flatten,
  GlobalAveragePooling1D: globalAveragePooling1d,
  GlobalMaxPooling1D: globalMaxPooling1d,
  GRU: gru,
  GRUCell: gruCell,
  LayerNormalization: layerNormalization,
  LSTM: lstm,
  LSTMCell: lstmCell,
  Masking: masking,
  MaxPooling1D: maxPooling1d,
  Multiply: multiply,
  Permute: permute,
  RepeatVector: repeatVector,
  Reshape: reshape,
  RNN: ({ cell, ...options }: { cell: Saved }) => rnn(read<RecurrentCell>(cell), options),
  SimpleRNN: simpleRnn,
  SimpleRNNCell: simpleRnnCell,
  SpatialDropout1D: spatialDropout1d,
  StackedRNNCells: ({ cells, ...options }: { cells: readonly Saved[] }) =>
    new StackedCells(
      cells.map((cell) => read<RecurrentCell>(cell)),
      options,
    ),
  Subtract: subtract,
  TimeDistributed: ({ layer, ...options }: { layer: Saved }) => timeDistributed(read<Layer>(layer), options),
};

/** Keras's names of the layers that a saved model can hold. */
export const layerClasses: readonly string[] = /* @__PURE__ */ Object.keys(makers);

/** The layer that `config` describes. Throws `ArgumentError` for a class name that is not one of ours. */
export function layerFromConfig(className: string, config: LayerConfig): Layer {
  if (!Object.hasOwn(makers, className)) {
    throw new ArgumentError(`layer class expected one of ${layerClasses.join(', ')}, got '${className}'`);
  }
  const given = Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => [option, /activation$/i.test(option) ? ownActivation(value) : value]),
  );
  try {
    return makers[className]!(given as never) as Layer;
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new ArgumentError(`${className} '${config.name}': an option has a value of another kind`, { cause });
  }
}

/** The function that a file names in the place of an activation, by that name, so that it is saved under it again; an activation of ours as it is. */
function ownActivation(value: unknown): unknown {
  const name = nameOfCustom(value);
  if (name === undefined) return value;
  const own = customObject('activation', name);
  if (typeof own !== 'function') throw new ArgumentError(`activation '${name}' expected a function, got ${typeof own}`);
  const named = (x: Parameters<Activation>[0]): unknown => own(x);
  return Object.defineProperty(named, 'name', { value: name });
}
