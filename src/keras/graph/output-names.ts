import type { AnyLayer } from '../../layers/base/layer.ts';
import { GraphNetwork } from './graph-network.ts';

/** The names of the layers that make the outputs of a network, in the order of the outputs. */
export function outputNamesOf(network: AnyLayer): readonly string[] {
  if (!(network instanceof GraphNetwork)) return [network.sublayers.at(-1)?.name ?? network.name];
  const { inputs, outputs, calls } = network.graph;
  return outputs.map(([source]) => {
    const call = calls[source - inputs.length];
    return call ? network.layers[call.layer]!.name : inputs[source]!.name;
  });
}
