// Where TF.js computes something else behind a mask than Keras and tapeloop do.
import { ArgumentError } from '../checks/argument-error.ts';
import { GraphNetwork } from '../keras/graph/graph-network.ts';
import { tracedGraph } from '../keras/graph/traced-graph.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { Network } from '../layers/base/network.ts';

const recurrent = /^(Bidirectional|ConvLSTM2D|GRU|LSTM|RNN|SimpleRNN)$/;
const merges = /^(Add|Average|Concatenate|Maximum|Minimum|Multiply)$/;
/** Layers after which a step still counts or does not. */
const passes = new RegExp(
  `^(${[
    [
      'Activation',
      '(Batch|Layer)Normalization',
      'Dense',
      '(Alpha|Gaussian|Spatial)?Dropout(1D)?',
      'ELU',
      'GaussianNoise',
    ],
    ['(Leaky|P)?ReLU', 'Masking', 'Softmax', 'TimeDistributed'],
  ]
    .flat()
    .join('|')})$`,
);

/**
 * Throws `ArgumentError` for a layer that TF.js computes in another way because of a mask: it leaves outputs of a
 * Bidirectional as they were at steps that do not count, takes the mean of all steps, leaves the mask as it was behind
 * a layer that goes backwards, and gives the last mask to later recurrent layers, which have none.
 */
export function expectSameMasks(network: AnyLayer): void {
  const refuse = (layer: AnyLayer, why: string): never => {
    throw new ArgumentError(`layer '${layer.name}' (${layer.className}): behind a mask TF.js ${why}`);
  };
  // Whether a layer has read a mask so far.
  let hasRead = false;
  /** Whether the output of a layer has a mask, for inputs of which some have. */
  const flow = (layer: AnyLayer, inputs: readonly boolean[]): boolean => {
    const { className, sublayers } = layer;
    if (className === 'Sequential') return sublayers.reduce((masked, each) => flow(each, [masked]), inputs[0]!);
    if (layer instanceof Network) return flowOf(layer, inputs);
    const masked = inputs.some(Boolean);
    const isSequence =
      (sublayers[0] ?? layer).config().returnSequences === true || layer.config().returnSequences === true;
    if (recurrent.test(className)) {
      if (masked && isSequence && layer.config().goBackwards === true)
        refuse(layer, 'does not turn the mask with its outputs');
      if (!masked && hasRead) refuse(layer, 'gives it the mask of another layer');
      if (masked && className === 'Bidirectional' && isSequence)
        refuse(layer, 'does not set the outputs of masked steps to 0');
      hasRead ||= masked;
      return masked && isSequence;
    }
    if (masked && className === 'GlobalAveragePooling1D') refuse(layer, 'takes the mean of all steps');
    if (masked && merges.test(className)) refuse(layer, 'merges masks in another way');
    hasRead ||= masked;
    return layer.makesMask || (masked && passes.test(className));
  };
  const flowOf = (own: Network, inputs: readonly boolean[]): boolean => {
    const { graph, layers } = own instanceof GraphNetwork ? own : tracedGraph(own);
    const masked = graph.inputs.map((_, i) => inputs[i] ?? false);
    for (const { layer, x } of graph.calls)
      masked.push(
        flow(
          layers[layer]!,
          x.map(([source]) => masked[source]!),
        ),
      );
    return masked[graph.outputs[0]![0]]!;
  };
  flow(network, [false]);
}
