import type { AnyLayer } from '../layers/base/layer.ts';

/**
 * Runs `body` while no two layers of a network have one name. The names of weights in TF.js do not tell the model that
 * a layer is in, so the layers of inner models get a number where they have the name of another. The names are
 * restored afterwards.
 */
export function withUniqueNames<T>(network: AnyLayer, body: () => T): T {
  network.setScope();
  const renamed: (readonly [layer: AnyLayer, name: string, isNamed: boolean])[] = [];
  const taken = new Set<string>();
  for (const layer of namedLayers(network)) {
    const { name, isNamed } = layer;
    let unique = name;
    for (let n = 1; taken.has(unique); n++) unique = `${name}_${n}`;
    taken.add(unique);
    renamed.push([layer, name, isNamed]);
    layer.name = unique;
    layer.isNamed = true;
  }
  try {
    return body();
  } finally {
    for (const [layer, name, isNamed] of renamed) Object.assign(layer, { name, isNamed });
    network.setScope();
  }
}

/** The layers that give weights their names: those of models, level by level, without what is inside wrappers. */
function namedLayers(network: AnyLayer): AnyLayer[] {
  const found = new Set<AnyLayer>();
  for (let level: AnyLayer[] = [network]; level.length > 0; ) {
    const inner = level.flatMap(({ className, sublayers }) => (wrappers.includes(className) ? [] : sublayers));
    level = [...new Set(inner)].filter((layer) => !found.has(layer));
    for (const layer of level) found.add(layer);
  }
  return [...found];
}

const wrappers = ['Bidirectional', 'RNN', 'StackedRNNCells', 'TimeDistributed'];
