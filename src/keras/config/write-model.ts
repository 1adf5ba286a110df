// Writes a model as a configuration of Keras 3 or of TF.js.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json, LayerConfig, SavedLayer } from '../../io/model-file.ts';
import type { Parsed } from '../../io/parsed-json.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { Network } from '../../layers/base/network.ts';
import { withSharedLayers } from '../../layers/base/saved-layer.ts';
import { Sequential } from '../../layers/base/sequential.ts';
import type { AnyModel } from '../../models/model.ts';
import type { Nest, Value } from '../graph/graph.ts';
import { GraphNetwork } from '../graph/graph-network.ts';
import { kerasOrder } from '../graph/keras-order.ts';
import { tracedGraph } from '../graph/traced-graph.ts';
import {
  callArguments,
  expectName,
  floats,
  type KerasJson,
  layerOf,
  type WriteEra,
  writeLayerConfig,
} from './write-layer.ts';

/**
 * The configuration `{ class_name, config }` of a built model, as Keras 3 or TF.js reads it.
 *
 * @throws ArgumentError for a layer or an option that they do not have, and for a model whose `forward` computes
 *   anything between its layers.
 */
export function configOfModel(model: AnyModel, era: WriteEra): KerasJson {
  const { network } = model;
  if (!network.isBuilt) throw new ArgumentError(`${model.name}: expected a built model; it has not seen an input yet`);
  network.setScope();
  return writeNetwork(network as AnyLayer, era, true);
}

/** The options of a layer. A layer of several models is written in each of them. */
const optionsOf = (layer: AnyLayer): LayerConfig => withSharedLayers(() => layer.config());

/** A layer, or a model inside a model. */
function writeAny(layer: AnyLayer, era: WriteEra): KerasJson {
  if (layer instanceof Sequential || layer instanceof Network) return writeNetwork(layer, era, false);
  // The layer whose configuration is written holds its sublayers as saved layers; models among them by themselves.
  const models = layer.sublayers.filter((each) => each instanceof Sequential || each instanceof Network);
  const saved = { className: layer.className, config: optionsOf(layer) } as SavedLayer;
  const inner = (each: SavedLayer): Json => {
    const own = models.find(({ name }) => name === each.config.name);
    return own ? writeNetwork(own, era, false) : writeLayerConfig(each, era, inner);
  };
  return writeLayerConfig(saved, era, inner);
}

function writeNetwork(network: AnyLayer, era: WriteEra, isOutermost: boolean): KerasJson {
  if (era === 'keras3') expectName(`model '${network.name}'`, network.name, era);
  if (network instanceof Sequential) return writeSequential(network, era, isOutermost);
  if (network instanceof GraphNetwork) return writeGraph(network, era);
  if (network instanceof Network) return writeGraph(tracedGraph(network), era);
  throw new ArgumentError(`${network.name} (${network.className}) expected a Sequential or functional model`);
}

const isNetwork = (layer: AnyLayer): boolean => layer instanceof Sequential || layer instanceof Network;

function writeSequential(network: Sequential, era: WriteEra, isOutermost: boolean): KerasJson {
  const { name, layers } = network;
  const built = network.builtShape as BatchShape | undefined;
  const shape = network.batchInputShape ?? (built && [null, ...built.slice(1)]);
  const written = layers.map((layer) => {
    const used = callArguments.find((option) => optionsOf(layer)[option] === true);
    if (used)
      throw new ArgumentError(
        `layer '${layer.name}': ${used} expected a functional model; a Sequential has no such calls`,
      );
    return writeAny(layer, era);
  });
  const dtype = network.inputDtype === 'i32' ? 'int32' : 'float32';
  if (era === 'tfjs') {
    const [first] = written;
    if (shape && !isNetwork(layers[0]!))
      Object.assign(first!.config as KerasJson, { batch_input_shape: shape as Json });
    return { class_name: 'Sequential', config: { name, layers: written } };
  }
  const input = { batch_shape: shape as Json, dtype, sparse: false, name: unusedName('input_layer', layers) };
  const list =
    shape && (isOutermost || !isNetwork(layers[0]!)) ? [layerOf('InputLayer', input, era), ...written] : written;
  return {
    module: 'keras',
    class_name: 'Sequential',
    config: { name, trainable: true, dtype: floats, layers: list, build_input_shape: (shape ?? null) as Json },
    registered_name: null,
    ...(shape && { build_config: { input_shape: shape as Json } }),
  };
}

/** A name that no layer has. */
function unusedName(name: string, layers: readonly AnyLayer[]): string {
  let unused = name;
  for (let n = 1; layers.some((layer) => layer.name === unused); n++) unused = `${name}_${n}`;
  return unused;
}

function writeGraph(network: GraphNetwork, era: WriteEra): KerasJson {
  const { graph, layers, name } = network;
  const shapes = network.valueShapes();
  const { inputs, calls } = graph;
  const inputNames = inputs.map((input) => unusedName(input.name, layers));
  /** The number of each call among those of its layer. */
  const numbers = calls.map(({ layer }, i) => calls.slice(0, i).filter((each) => each.layer === layer).length);
  // TF.js counts the making of a model as its first call.
  const first = (layer: AnyLayer): number => (era === 'tfjs' && isNetwork(layer) ? 1 : 0);
  const historyOf = ([source, output]: Value): [string, number, number] => {
    const at = source - inputs.length;
    if (at < 0) return [inputNames[source]!, 0, 0];
    const layer = layers[calls[at]!.layer]!;
    return [layer.name, numbers[at]! + first(layer), output];
  };
  const specs = Object.values(
    inputs.length === 1 && graph.inputNest === 'one' ? [network.inputs] : network.inputs,
  ) as Parsed[];
  const inputLayers = inputs.map((input, i): KerasJson => {
    expectName(`input '${input.name}'`, inputNames[i]!, era);
    const dtype = specs[i]?.dtype === 'i32' ? 'int32' : 'float32';
    const key = era === 'tfjs' ? 'batch_input_shape' : 'batch_shape';
    const config = { [key]: input.shape as Json, dtype, sparse: false, name: inputNames[i]! };
    return { ...layerOf('InputLayer', config, era), name: inputNames[i]!, inbound_nodes: [] };
  });
  const tensorOf = (value: Value): Json => {
    const history = historyOf(value);
    const shape = shapes[value[0]]![value[1]]!;
    return {
      class_name: '__keras_tensor__',
      config: { shape: shape as Json, dtype: 'float32', keras_history: history },
    };
  };
  const nodesOf = (index: number): Json[] =>
    calls
      .filter(({ layer }) => layer === index)
      .map((call) => {
        const { x, isList, initialState = [], mask, training } = call;
        const layer = layers[index]!;
        const options = optionsOf(layer);
        const given = callArguments.filter((option) => options[option] === true);
        if (era === 'tfjs') {
          const what = `layer '${layer.name}': TF.js keeps no such argument of a call`;
          if (mask || training !== undefined) throw new ArgumentError(`${what}: ${mask ? 'mask' : 'training'}`);
          return [...x, ...initialState].map((value) => [...historyOf(value), {}] as Json);
        }
        const tensors = x.map(tensorOf);
        const isAttention = layer.className === 'MultiHeadAttention';
        const [query, value, key, attentionMask] = tensors;
        const kwargs: KerasJson = {
          ...(training !== undefined && { training }),
          ...(initialState.length > 0 && { initial_state: initialState.map(tensorOf) }),
          ...(mask && { mask: tensorOf(mask) }),
          ...(isAttention && {
            value: value!,
            ...(key && { key }),
            ...(attentionMask && { attention_mask: attentionMask }),
          }),
          ...Object.fromEntries(
            given.map((option) => [option === 'useCausalMask' ? 'use_causal_mask' : 'return_attention_scores', true]),
          ),
        };
        return { args: isAttention ? [query!] : isList ? [tensors] : tensors, kwargs };
      });
  // Files number the layers of a class in this order.
  const written = kerasOrder(graph, layers.length).map((i): KerasJson => {
    const layer = layers[i]!;
    return { ...writeAny(layer, era), name: layer.name, inbound_nodes: nodesOf(i) };
  });
  const ends = (values: readonly Json[], nest: Nest): Json =>
    era === 'keras3' && nest === 'one'
      ? values[0]!
      : era === 'keras3' && nest !== 'list'
        ? Object.fromEntries(values.map((value, i) => [(nest as readonly string[])[i]!, value]))
        : values;
  const config: KerasJson = {
    name,
    ...(era === 'keras3' && { trainable: true }),
    layers: [...inputLayers, ...written],
    input_layers: ends(
      inputNames.map((input) => [input, 0, 0]),
      graph.inputNest,
    ),
    output_layers: ends(graph.outputs.map(historyOf), graph.outputNest),
  };
  if (era === 'tfjs') return { class_name: 'Model', config };
  return { module: 'keras.src.models.functional', class_name: 'Functional', config, registered_name: 'Functional' };
}
