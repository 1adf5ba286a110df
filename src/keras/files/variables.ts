// Weights in Keras 3's layout: groups `vars` with variables by number.
import { quote } from '../../io/parsed-json.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { HdfGroup, HdfNode } from '../hdf5/tree.ts';
import type { KerasArray } from '../weights/keras-array.ts';
import { memberAt, type OpenedFile, weightOf } from './opened-file.ts';
import type { VariableGroup } from './variable-paths.ts';

/** The variables of a group, by number. */
export function numberedArrays(group: HdfGroup, what: string, fail: OpenedFile['fail']): KerasArray[] {
  return Array.from({ length: group.members.size }, (_, i) => {
    const dataset = group.members.get(String(i));
    if (dataset?.kind !== 'dataset') return fail(`${what} has ${group.members.size} variables, but none numbered ${i}`);
    return weightOf(`${what}/${i}`, dataset, fail);
  });
}

/** The group `vars` of a path: with slashes, with backslashes as Windows has written them, or under the older name. */
function variablesAt(root: HdfGroup, path: string): HdfGroup | undefined {
  const candidates = [
    memberAt(root, `${path}/vars`),
    memberAtName(root, path.replaceAll('/', '\\')),
    memberAt(root, `${path.replace('layers', '_layer_checkpoint_dependencies')}/vars`),
    memberAtName(root, path.replace('layers', '_layer_checkpoint_dependencies').replaceAll('/', '\\')),
    // Attention has had private names.
    memberAt(root, `${path.replace(/(\w+_dense)$/, '_$1')}/vars`),
  ];
  return candidates.find((node): node is HdfGroup => node?.kind === 'group');
}

const memberAtName = (root: HdfGroup, name: string) => {
  const group = root.members.get(name);
  return group?.kind === 'group' ? group.members.get('vars') : undefined;
};

/**
 * The weights of each layer without sublayers, where layers that the file does not have are left out, and the paths of
 * the file's variables that no layer has.
 */
export function variablesOf(
  { weights, fail }: OpenedFile,
  groups: readonly VariableGroup[],
): { found: Map<AnyLayer, readonly KerasArray[]>; unused: string[] } {
  const found = new Map<AnyLayer, KerasArray[]>();
  const used = new Set<HdfNode>();
  const parts = groups.flatMap(({ path, part }) => (part ? [{ path, part }] : []));
  // The parts of one layer are joined in the layer's order.
  for (const { path, part } of parts.sort((a, b) => a.part.start - b.part.start)) {
    const group = variablesAt(weights, path);
    if (group) used.add(group);
    const arrays = group ? numberedArrays(group, quote(path), fail) : [];
    found.set(part.layer, [...(found.get(part.layer) ?? []), ...arrays]);
  }
  return { found, unused: layersBeside(weights, used) };
}

/** The paths below the list of layers whose variables are not in `used`. Generators of dropout are no weights. */
function layersBeside(root: HdfGroup, used: ReadonlySet<HdfNode>): string[] {
  const paths: string[] = [];
  const visit = (group: HdfGroup, path: string): void => {
    for (const [name, node] of group.members) {
      if (node.kind !== 'group' || name === 'seed_generator') continue;
      if (name !== 'vars') visit(node, path === '' ? name : `${path}/${name}`);
      else if (node.members.size > 0 && !used.has(node)) paths.push(path);
    }
  };
  for (const [name, node] of root.members) {
    if (node.kind === 'group' && /^(layers|_layer_checkpoint_dependencies)(\\|$)/.test(name)) {
      visit(node, name.replaceAll('\\', '/'));
    }
  }
  return paths.filter((path) => !path.includes('seed_generator'));
}
