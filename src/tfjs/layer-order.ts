import { readsOf } from '../keras/graph/graph.ts';
import { GraphNetwork } from '../keras/graph/graph-network.ts';
import { tracedGraph } from '../keras/graph/traced-graph.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { Network } from '../layers/base/network.ts';

/**
 * The layers of a model in the order of TF.js: by their greatest distance from an output, then in the order in which a
 * walk back from the outputs reaches them. Models among them are in their own order.
 */
export function layersInTfjsOrder(network: AnyLayer): readonly AnyLayer[] {
  if (!(network instanceof Network)) {
    // A wrapper's layers have one order; those of a stack may be models.
    if (network.className !== 'Sequential') return [network];
    return network.sublayers.flatMap(layersInTfjsOrder);
  }
  const { graph, layers } = network instanceof GraphNetwork ? network : tracedGraph(network);
  const { calls, inputs, outputs } = graph;
  const order: number[] = [];
  const reached = new Set<number>();
  const walked: number[] = [];
  // Depth first without recursion: a call is done when all that it reads is done.
  for (const [source] of outputs) {
    const stack: [call: number, next: number][] = [[source - inputs.length, 0]];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const [at] = top;
      const call = calls[at];
      if (!call || (top[1] === 0 && reached.has(at))) {
        stack.pop();
        continue;
      }
      if (top[1] === 0) {
        reached.add(at);
        if (!order.includes(call.layer)) order.push(call.layer);
      }
      const next = readsOf(call)[top[1]++];
      if (next) stack.push([next[0] - inputs.length, 0]);
      else {
        walked.push(at);
        stack.pop();
      }
    }
  }
  const callDepth = new Map<number, number>();
  const layerDepth = new Map<number, number>();
  for (const at of walked.toReversed()) {
    const { layer } = calls[at]!;
    const depth = Math.max(callDepth.get(at) ?? 0, layerDepth.get(layer) ?? 0);
    layerDepth.set(layer, depth);
    callDepth.set(at, depth);
    for (const [source] of readsOf(calls[at]!)) {
      const before = source - inputs.length;
      if (before >= 0) callDepth.set(before, Math.max(depth + 1, callDepth.get(before) ?? 0));
    }
  }
  const sorted = order.toSorted((a, b) => (layerDepth.get(b) ?? 0) - (layerDepth.get(a) ?? 0));
  return sorted.flatMap((index) => layersInTfjsOrder(layers[index]!));
}
