import { ArgumentError } from '../checks/argument-error.ts';
import { type LayerConfig, savedLayer } from '../io/model-file.ts';
import { describe, expectList, isObject } from '../io/parsed-json.ts';
import { type CustomObjectRequest, customObject, makeFromConfig, nameOfCustom } from '../registry/custom-objects.ts';
import { activation } from './activations/activation.ts';
import type { Activation } from './activations/activations.ts';
import { additiveAttention, attention } from './attention.ts';
import { type AnyLayer, Layer, type LayerLike, layerOf } from './base/layer.ts';
import { registeredLayers } from './base/layer-registry.ts';
import { SHARED, sharedLayer } from './base/saved-layer.ts';
import { Sequential } from './base/sequential.ts';
import { conv1d } from './conv1d.ts';
import { dense } from './dense.ts';
import { dropout, spatialDropout1d } from './dropout.ts';
import { embedding } from './embedding.ts';
import { layerNormalization } from './layer-normalization.ts';
import { masking } from './masking.ts';
import { add, average, concatenate, maximum, minimum, multiply, subtract } from './merge.ts';
import { permute } from './permute.ts';
import { averagePooling1d, globalAveragePooling1d, globalMaxPooling1d, maxPooling1d } from './pooling.ts';
import { repeatVector } from './repeat-vector.ts';
import { flatten, reshape } from './reshape.ts';
import { bidirectional } from './rnn/bidirectional.ts';
import type { RecurrentCell } from './rnn/cells/cell.ts';
import { type CellDefinition, DefinedCell } from './rnn/cells/defined-cell.ts';
import { StackedCells } from './rnn/cells/stacked-cells.ts';
import { gru, gruCell } from './rnn/gru.ts';
import { lstm, lstmCell } from './rnn/lstm.ts';
import type { Recurrent } from './rnn/recurrent.ts';
import { rnn } from './rnn/rnn.ts';
import { simpleRnn, simpleRnnCell } from './rnn/simple-rnn.ts';
import { timeDistributed } from './time-distributed.ts';

/** Makes the layer that a layer of a file holds. @internal */
export function readLayer<L extends AnyLayer>(given: unknown): L {
  const saved = savedLayer('layer', given);
  return sharedLayer(saved, () => layerFromConfig(saved.className, saved.config)) as L;
}

/** Whether an object is the definition of a cell without a name: its `units` must be equal. */
const fitsCell =
  ({ definition, units }: LayerConfig) =>
  (given: unknown): boolean =>
    definition === undefined &&
    isObject(given) &&
    typeof given.call === 'function' &&
    JSON.stringify(given.units) === JSON.stringify(units);

// Built-in classes that need an object that a file cannot hold, with the kind and name of that object.
const requestsByClass: Record<string, (config: LayerConfig) => CustomObjectRequest | undefined> = {
  Cell: (config) => ['cell', String(config.definition ?? 'cell'), fitsCell(config)],
  Functional: ({ name }) => ['model', String(name)],
  [SHARED]: () => undefined,
};

/** The object that the caller must give to load a layer; undefined if the file holds everything. */
export function requestFor(className: string, config: LayerConfig): CustomObjectRequest | undefined {
  if (Object.hasOwn(makers, className)) return undefined;
  return Object.hasOwn(requestsByClass, className) ? requestsByClass[className]!(config) : ['layer', className];
}

/** Makes a custom layer, with its name from the file. For a cell the caller may give its definition. */
function customLayer(request: CustomObjectRequest, config: LayerConfig): AnyLayer | undefined {
  const own = customObject(...request);
  if (own === undefined) return undefined;
  const [kind, key] = request;
  const isLayer = own instanceof Layer;
  const made = isLayer ? undefined : makeFromConfig(own, config);
  if (kind === 'cell' && isObject(made) && typeof made.call === 'function') {
    return new DefinedCell(made as unknown as CellDefinition, config.name as string);
  }
  if (typeof own !== 'function' || isLayer) {
    const got = isLayer ? 'a layer' : describe(own);
    throw new ArgumentError(
      `customObjects: ${kind} '${key}' expected a class or a function that makes it anew, got ${got}`,
    );
  }
  const layer = layerOf(`customObjects: ${kind} '${key}'`, made as LayerLike);
  layer.name = config.name as string;
  layer.isNamed = true;
  return layer;
}

const builtIn: Record<string, (options: never) => unknown> = {
  Activation: activation,
  Add: add,
  AdditiveAttention: additiveAttention,
  Attention: attention,
  Average: average,
  AveragePooling1D: averagePooling1d,
  Bidirectional: ({ layer, backwardLayer, ...options }: { layer: unknown; backwardLayer?: object }) =>
    bidirectional(readLayer<Recurrent<never>>(layer), {
      ...options,
      ...(backwardLayer && { backwardLayer: readLayer<Recurrent>(backwardLayer) }),
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
  Maximum: maximum,
  MaxPooling1D: maxPooling1d,
  Minimum: minimum,
  Multiply: multiply,
  Permute: permute,
  RepeatVector: repeatVector,
  Reshape: reshape,
  RNN: ({ cell, ...options }: { cell: unknown }) => rnn(readLayer<RecurrentCell>(cell), options),
  Sequential: sequentialFromConfig,
  SimpleRNN: simpleRnn,
  SimpleRNNCell: simpleRnnCell,
  SpatialDropout1D: spatialDropout1d,
  StackedRNNCells: ({ cells, ...options }: { cells: unknown }) =>
    new StackedCells(
      expectList('cells', cells).map((cell) => readLayer<RecurrentCell>(cell)),
      options,
    ),
  Subtract: subtract,
  TimeDistributed: ({ layer, ...options }: { layer: unknown }) => timeDistributed(readLayer<Layer>(layer), options),
};

// One table with the layers of other entries, whichever module is loaded first.
const makers = /* @__PURE__ */ Object.assign(registeredLayers, builtIn);

/** Makes a stack of layers from the configuration that `Sequential.config` returned. */
export function sequentialFromConfig({ name, layers }: { name: string; layers: unknown }): Sequential {
  return new Sequential(
    expectList('layers', layers).map((layer) => readLayer<Layer>(layer)),
    name,
  );
}

/** The Keras class names of the layers that a saved model can hold. */
export const layerClasses = (): readonly string[] => Object.keys(makers);

/**
 * Makes the layer that a configuration describes. Throws `ArgumentError` for a class that is neither built in nor given
 * in `customObjects`.
 */
export function layerFromConfig(className: string, config: LayerConfig): Layer {
  const given = Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => [option, ownFunction(/(activation|constraint)$/i.exec(option)?.[0], value)]),
  ) as LayerConfig;
  const request = requestFor(className, given);
  const layer = request ? customLayer(request, given) : builtInLayer(className, given);
  if (layer) return layer as Layer;
  throw new ArgumentError(`layer class expected one of ${layerClasses().join(', ')}, got '${className}'`);
}

function builtInLayer(className: string, config: LayerConfig): AnyLayer {
  try {
    return makers[className]!(config as never) as AnyLayer;
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new ArgumentError(`${className} '${config.name}': an option has a value of another kind`, { cause });
  }
}

/**
 * Returns the custom activation or constraint that a file refers to by name, as a function with that name, so that it
 * can be saved again. What is built in, and any option of another kind, is returned unchanged.
 */
function ownFunction(kind: string | undefined, value: unknown): unknown {
  const name = kind && nameOfCustom(value);
  if (!name) return value;
  const own = customObject(kind.toLowerCase(), name);
  if (typeof own !== 'function')
    throw new ArgumentError(`${kind.toLowerCase()} '${name}' expected a function, got ${typeof own}`);
  const named = (x: Parameters<Activation>[0]): unknown => own(x);
  return Object.defineProperty(named, 'name', { value: name });
}
