// The layers that only Keras's files bring, for saved models.
import { expectList } from '../io/parsed-json.ts';
import type { Layer } from '../layers/base/layer.ts';
import { registerLayers } from '../layers/base/layer-registry.ts';
import { readLayer } from '../layers/layer-classes.ts';
import type { Graph } from './graph/graph.ts';
import { checkGraph, GraphNetwork } from './graph/graph-network.ts';
import { eluLayer, leakyReluLayer, reluLayer, softmaxLayer } from './layers/activation-layers.ts';
import { Lambda } from './layers/lambda.ts';

/** Lets saved models hold functional models of Keras, and layers that only Keras's files bring. */
export function registerKerasLayers(): void {
  registerLayers({
    ELU: eluLayer,
    KerasFunctional: (({ name, layers, graph }: { name: string; layers: unknown; graph: Graph }) => {
      const made = expectList('layers', layers).map((layer) => readLayer<Layer>(layer));
      checkGraph(`model '${name}'`, graph, made.length);
      return new GraphNetwork(graph, made, name);
    }) as never,
    Lambda: ((options: { name: string }) => new Lambda(options)) as never,
    LeakyReLU: leakyReluLayer,
    ReLU: reluLayer,
    Softmax: softmaxLayer as never,
  });
}
