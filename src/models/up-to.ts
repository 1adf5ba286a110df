import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import type { Nested } from '../data/nested.ts';
import { tapOutput } from '../layers/base/custom-checks.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { Network } from '../layers/base/network.ts';
import { Sequential } from '../layers/base/sequential.ts';

/** The network from the input to the output of a layer; see `Model.upTo`. */
export function networkUpTo(whole: AnyLayer, layer: string | number | AnyLayer): AnyLayer {
  const { sublayers } = whole;
  const named = (each: AnyLayer): boolean => each === layer || each.path === layer || each.name === layer;
  whole.setScope();
  const found = typeof layer === 'number' ? sublayers.at(layer) : whole.tree().slice(1).find(named);
  if (!found || (typeof layer === 'number' && !Number.isInteger(layer))) {
    const names = sublayers.map(({ name }) => `'${name}'`).join(', ');
    throw new ArgumentError(`${whole.name}: upTo expected a layer, ${names} or its index, got ${shown(layer)}`);
  }
  const isStack = whole.stack[0] !== whole;
  if (isStack) {
    for (const list of [sublayers, whole.stack]) {
      if (list.includes(found)) return new Sequential(list.slice(0, list.indexOf(found) + 1), whole.name);
    }
  }
  const layers = Object.fromEntries(sublayers.map((each) => [each.name, each]));
  const inputs = whole.inputs;
  return new Network({ layers, inputs, name: whole.name }, (x, _, options) => {
    const y = tapOutput(found, () => whole(x, options));
    if (y) return y as Nested<Tensor>;
    throw new ArgumentError(`${whole.name}: upTo('${found.path}') expected a layer that is called, got none`);
  });
}
