// The models of shapes.ts, built and trained.
import { type NdArray, ndarray } from '../../data/array.ts';
import type { Layer } from '../../layers/base/layer.ts';
import { conv1d } from '../../layers/conv1d.ts';
import { dense } from '../../layers/dense.ts';
import { embedding } from '../../layers/embedding.ts';
import { masking } from '../../layers/masking.ts';
import { bidirectional } from '../../layers/rnn/bidirectional.ts';
import { gru } from '../../layers/rnn/gru.ts';
import { lstm } from '../../layers/rnn/lstm.ts';
import { simpleRnn } from '../../layers/rnn/simple-rnn.ts';
import { binaryCrossentropy, meanSquaredError, sparseCategoricalCrossentropy } from '../../losses/index.ts';
import { type Model, sequential } from '../../models/model.ts';
import { registerAllNames } from '../../models/register-all.ts';
import { adam } from '../../optimizers/index.ts';
import { featuresOf, targetsOf, tokensOf } from './data.ts';
import { type LayerShape, type ModelShape, outputRows } from './shapes.ts';

// Activations without a fused kernel are registered ones.
registerAllNames();

/**
 * Settings of Adam in every engine. ε is so small that its place, before or after the bias correction, does not matter.
 */
export const ADAM = { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-10 };

const losses = {
  mse: meanSquaredError,
  binary: () => binaryCrossentropy({ fromLogits: true }),
  classes: () => sparseCategoricalCrossentropy({ fromLogits: true }),
};

const cells = { lstm, gru, rnn: simpleRnn };

function layerOf(shape: LayerShape, first: { inputShape?: number[] }, resetAfter: boolean): Layer {
  if (shape.kind === 'embedding') return embedding({ inputDim: shape.words, outputDim: shape.width });
  if (shape.kind === 'dense') return dense({ units: shape.units });
  if (shape.kind === 'conv1d') {
    const { filters, kernelSize } = shape;
    return conv1d({ ...first, filters, kernelSize, padding: 'same', activation: 'relu' });
  }
  const { kind, units, activation = 'tanh', last = false } = shape;
  const resets = kind === 'gru' ? { resetAfter } : {};
  const layer = cells[kind]({ ...first, ...resets, units, activation, returnSequences: !last });
  return (shape.bidirectional ? bidirectional(layer) : layer) as Layer;
}

/** A compiled model with default weights, and one batch for `trainOnBatch`. */
export function training(shape: ModelShape, resetAfter = true): { model: Model; x: NdArray; y: NdArray } {
  const { batch, time, features, masked, layers, loss, clipNorm } = shape;
  const first = features ? { inputShape: [time, features] } : {};
  const rest = layers.map((layer, i) => layerOf(layer, i === 0 && !masked ? first : {}, resetAfter));
  const model = sequential(masked ? [masking(first), ...rest] : rest);
  const optimizer = adam({ ...ADAM, ...(clipNorm && { globalClipNorm: clipNorm }) });
  model.compile({ optimizer, loss: losses[loss]() });
  const x = features ? ndarray(featuresOf(shape), [batch, time, features]) : ndarray(tokensOf(shape), [batch, time]);
  const targets = targetsOf(shape);
  const y = ndarray(targets, loss === 'classes' && outputRows(shape) > batch ? [batch, time] : [batch, 1]);
  return { model, x, y };
}
