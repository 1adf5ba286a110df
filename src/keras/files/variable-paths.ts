// Where Keras 3 keeps the weights of each layer: groups named by attribute and, in lists of layers, by class, with
// the variables numbered in a group `vars`.
// https://github.com/keras-team/keras/blob/master/keras/src/saving/saving_lib.py
import type { Parameter } from '../../autograd/parameter.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { Network } from '../../layers/base/network.ts';
import { GraphNetwork } from '../graph/graph-network.ts';
import { kerasOrder } from '../graph/keras-order.ts';
import { tracedGraph } from '../graph/traced-graph.ts';

/** Numbered variables: the group's path without `vars`, and how many of the layer's weights are in it. */
export interface VariableGroup {
  readonly path: string;
  /** The name of Keras's object. */
  readonly name: string;
  /** The leaf and the range of its weights that this group holds; undefined if it has none of its own. */
  readonly part?: { readonly layer: AnyLayer; readonly start: number; readonly end: number | undefined };
}

/** `lstm_cell` for `LSTMCell`, as Keras names members of a list by their class. */
export const groupName = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** Keras's class of a layer. */
const kerasClass = (layer: AnyLayer): string => (layer instanceof Network ? 'Functional' : layer.className);

/** The names of layers in a list: by class, numbered from the second on. */
export function numberedNames(layers: readonly AnyLayer[]): string[] {
  const used = new Map<string, number>();
  return layers.map((layer) => {
    const name = groupName(kerasClass(layer));
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}

const isModel = (layer: AnyLayer): boolean => layer.className === 'Sequential' || layer instanceof Network;

/** The layers of a model as the file lists them: of one that was made from the file. */
export const asListed = ({ sublayers }: AnyLayer): readonly AnyLayer[] => sublayers;

/** The layers of a model as Keras orders them. */
export function inKerasOrder(model: AnyLayer): readonly AnyLayer[] {
  if (!(model instanceof Network)) return model.sublayers;
  const { graph, layers } = model instanceof GraphNetwork ? model : tracedGraph(model);
  return kerasOrder(graph, layers.length).map((i) => layers[i]!);
}

/** Layers whose weights are those of a cell of their own. */
const hasCell = /^(LSTM|GRU|SimpleRNN|ConvLSTM[12]D)$/;

/**
 * The groups of a network in the order in which Keras visits them. A layer that comes twice is saved once.
 *
 * @param layersOf the layers of a model in the order of the file.
 */
export function variableGroups(
  network: AnyLayer,
  layersOf: (model: AnyLayer) => readonly AnyLayer[] = inKerasOrder,
): VariableGroup[] {
  const seen = new Set<AnyLayer>();
  const visit = (layer: AnyLayer, path: string): VariableGroup[] => {
    if (seen.has(layer)) return [];
    seen.add(layer);
    const { className, name, sublayers } = layer;
    const at = (attribute: string): string => (path === '' ? attribute : `${path}/${attribute}`);
    const list = (attribute: string, layers: readonly AnyLayer[]): VariableGroup[] => {
      const names = numberedNames(layers);
      return layers.flatMap((each, i) => visit(each, `${at(attribute)}/${names[i]}`));
    };
    const own = (part?: VariableGroup['part']): VariableGroup => ({ path, name, ...(part && { part }) });
    if (isModel(layer)) return [own(), ...list('layers', layersOf(layer))];
    if (className === 'StackedRNNCells') return [own(), ...list('cells', sublayers)];
    if (className === 'Bidirectional') {
      const [forward, backward] = sublayers as [AnyLayer, AnyLayer];
      return [own(), ...visit(backward, at('backward_layer')), ...visit(forward, at('forward_layer'))];
    }
    if (className === 'TimeDistributed') return [own(), ...visit(sublayers[0]!, at('layer'))];
    if (className === 'RNN') return [own(), ...visit(sublayers[0]!, at('cell'))];
    if (className === 'MultiHeadAttention') return [own(), ...attentionGroups(layer, at)];
    if (hasCell.test(className)) {
      const cell = `${groupName(className)}_cell`;
      return [own(), { path: at('cell'), name: cell, part: { layer, start: 0, end: undefined } }];
    }
    return [own({ layer, start: 0, end: undefined }), ...list('layers', sublayers)];
  };
  return visit(network, '');
}

/** Query, key, value and output of an attention, whose weights follow one another; Keras visits them by name. */
function attentionGroups(layer: AnyLayer, at: (attribute: string) => string): VariableGroup[] {
  const each = layer.config().useBias === false ? 1 : 2;
  return (['key', 'output', 'query', 'value'] as const).map((name) => {
    const start = { query: 0, key: 1, value: 2, output: 3 }[name] * each;
    const kerasName = name === 'output' ? 'attention_output' : name;
    return { path: at(`${name}_dense`), name: kerasName, part: { layer, start, end: start + each } };
  });
}

/** The trainable weights of a model in Keras's order, each once. */
export function trainableWeights(
  network: AnyLayer,
  layersOf: (model: AnyLayer) => readonly AnyLayer[] = inKerasOrder,
): Parameter[] {
  const of = (layer: AnyLayer): readonly Parameter[] =>
    isModel(layer) ? layersOf(layer).flatMap((each) => of(each)) : layer.weights;
  return [...new Set(of(network))].filter(({ trainable }) => trainable);
}
