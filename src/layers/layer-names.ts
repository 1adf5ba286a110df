import { ArgumentError } from '../autograd/tensor.ts';
import type { AnyLayer } from './layer.ts';

/** Gives the outermost layers of a model their names: of one kind lstm, lstm_1, …. Refuses a name that two have for good. */
export function nameLayers(what: string, layers: readonly AnyLayer[]): void {
  const seen = new Set<AnyLayer>();
  for (const layer of layers) {
    if (seen.has(layer)) throw new ArgumentError(`${what}: layer '${layer.name}' is listed twice`);
    seen.add(layer);
  }
  const taken = new Set<string>();
  // A layer that has weights has named them.
  const isFixed = (layer: AnyLayer): boolean => layer.isNamed || layer.isBuilt;
  for (const layer of layers.filter(isFixed)) {
    if (taken.has(layer.name)) throw new ArgumentError(`${what}: two layers are named '${layer.name}'`);
    taken.add(layer.name);
  }
  const lastOfKind = new Map<string, number>();
  for (const layer of layers.filter((each) => !isFixed(each))) {
    const kind = layer.name;
    let n = lastOfKind.get(kind) ?? 0;
    let name = n === 0 ? kind : `${kind}_${n}`;
    while (taken.has(name)) name = `${kind}_${++n}`;
    lastOfKind.set(kind, n);
    taken.add(name);
    layer.name = name;
  }
  for (const layer of layers) layer.setScope('');
}
