// The layers that only Keras's files bring, for saved models.
import { expectList } from '../io/parsed-json.ts';
import { prelu } from '../layers/activations/prelu.ts';
import type { Layer } from '../layers/base/layer.ts';
import { registerLayers } from '../layers/base/layer-registry.ts';
import { readLayer } from '../layers/layer-classes.ts';
import type { Graph } from './graph/graph.ts';
import { checkGraph, GraphNetwork } from './graph/graph-network.ts';
import { eluLayer, leakyReluLayer, reluLayer, softmaxLayer } from './layers/activation-layers.ts';
import { activityRegularizationLayer } from './layers/activity-regularization.ts';
import { dotLayer } from './layers/dot.ts';
import { Lambda } from './layers/lambda.ts';
import { alphaDropoutLayer, gaussianDropoutLayer, gaussianNoiseLayer } from './layers/noise.ts';
import { groupNormalizationLayer, normalizationLayer, unitNormalizationLayer } from './layers/normalizations.ts';

/** Lets saved models hold functional models of Keras, and layers that only Keras's files bring. */
export function registerKerasLayers(): void {
  registerLayers({
    ActivityRegularization: activityRegularizationLayer,
    AlphaDropout: alphaDropoutLayer as never,
    Dot: dotLayer as never,
    ELU: eluLayer,
    GaussianDropout: gaussianDropoutLayer as never,
    GaussianNoise: gaussianNoiseLayer as never,
    GroupNormalization: groupNormalizationLayer,
    KerasFunctional: (({ name, layers, graph }: { name: string; layers: unknown; graph: Graph }) => {
      const made = expectList('layers', layers).map((layer) => readLayer<Layer>(layer));
      checkGraph(`model '${name}'`, graph, made.length);
      return new GraphNetwork(graph, made, name);
    }) as never,
    Lambda: ((options: { name: string }) => new Lambda(options)) as never,
    LeakyReLU: leakyReluLayer,
    Normalization: normalizationLayer,
    PReLU: prelu,
    ReLU: reluLayer,
    Softmax: softmaxLayer,
    UnitNormalization: unitNormalizationLayer,
  });
}
