// Weights in groups by layer: Keras 0.3 to 2, and `.h5` files of Keras 3.
import { quote } from '../../io/parsed-json.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { Era } from '../config/era.ts';
import type { KerasArray } from '../weights/keras-array.ts';
import { type LayerWeights, splitAmongLeaves } from '../weights/read-weights.ts';
import { leafLayers, weightNamesOf } from '../weights/weight-names.ts';
import { memberAt, type OpenedFile, textsOf, weightOf } from './opened-file.ts';

/** A layer of the file that has weights, in the order of `get_weights`, trainable ones first. */
export interface SavedGroup {
  readonly name: string;
  readonly arrays: readonly KerasArray[];
}

/** The layers of a file that have weights, in the order of the file. */
export function layerGroups({ weights, fail }: OpenedFile): SavedGroup[] {
  const names = textsOf(weights, 'layer_names') ?? [];
  return names.flatMap((name) => {
    const group = memberAt(weights, name);
    if (group?.kind !== 'group') return fail(`layer ${quote(name)} is in layer_names, but has no group`);
    const arrays = arraysOf(group, `layer ${quote(name)}`, fail);
    return arrays.length === 0 ? [] : [{ name, arrays }];
  });
}

/** The arrays that a group lists in `weight_names`. */
export function arraysOf(group: Parameters<typeof memberAt>[0], what: string, fail: OpenedFile['fail']): KerasArray[] {
  return (textsOf(group, 'weight_names') ?? []).map((name) => {
    const dataset = memberAt(group, name);
    if (dataset?.kind !== 'dataset') return fail(`${what}: ${quote(name)} is in weight_names, but has no values`);
    return weightOf(name, dataset, fail);
  });
}

/** The layers of a network that have weights: those that the network lists, as Keras's `model.layers`. */
export const layersWithWeights = (network: AnyLayer, era: Era): AnyLayer[] =>
  network.sublayers.filter((layer) => leafLayers(layer).some((leaf) => weightNamesOf(leaf, era).length > 0));

/** The weights of each leaf of a model that was made from the same file. */
export function groupedWeights(
  groups: readonly SavedGroup[],
  network: AnyLayer,
  era: Era,
  fail: OpenedFile['fail'],
): LayerWeights {
  const matched = matchGroups(groups, layersWithWeights(network, era), fail);
  const found = new Map([...matched].flatMap(([layer, { arrays }]) => [...splitAmongLeaves(layer, arrays, era)]));
  return (leaf) => found.get(leaf) ?? [];
}

/**
 * Which group belongs to which layer of a model that was made from the same file: by name if all names are there, else
 * by order.
 */
function matchGroups(
  groups: readonly SavedGroup[],
  layers: readonly AnyLayer[],
  fail: OpenedFile['fail'],
): Map<AnyLayer, SavedGroup> {
  expectAsMany(groups, layers, fail);
  const byName = new Map(groups.map((group) => [group.name, group]));
  const named = layers.map((layer) => byName.get(layer.name));
  if (named.every((group) => group !== undefined)) return new Map(layers.map((layer, i) => [layer, named[i]!]));
  return new Map(layers.map((layer, i) => [layer, groups[i]!]));
}

/** At most twelve names. */
export const listed = (names: readonly string[]): string =>
  `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`;

/** Throws unless file and model have as many layers with weights. */
export function expectAsMany(
  groups: readonly SavedGroup[],
  layers: readonly AnyLayer[],
  fail: (message: string) => never,
): void {
  if (groups.length === layers.length) return;
  const list = (named: readonly { readonly name: string }[]): string => listed(named.map(({ name }) => name));
  fail(
    `the model has ${layers.length} layers with weights (${list(layers)}), the file ${groups.length} (${list(groups)}); byName loads those whose names are equal`,
  );
}
