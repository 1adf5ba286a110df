// The models of shapes.ts, built by tapeloop.
import { type NdArray, ndarray } from '../src/data/array.ts';
import type { Layer } from '../src/layers/base/layer.ts';
import { conv1d } from '../src/layers/conv1d.ts';
import { dense } from '../src/layers/dense.ts';
import { embedding } from '../src/layers/embedding.ts';
import { masking } from '../src/layers/masking.ts';
import { bidirectional } from '../src/layers/rnn/bidirectional.ts';
import { gru } from '../src/layers/rnn/gru.ts';
import { lstm } from '../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../src/layers/rnn/simple-rnn.ts';
import { binaryCrossentropy, meanSquaredError, sparseCategoricalCrossentropy } from '../src/losses/index.ts';
import { type Model, sequential } from '../src/models/model.ts';
import { registerAllNames } from '../src/models/register-all.ts';
import { adam } from '../src/optimizers/index.ts';
import { ADAM, featuresOf, targetsOf, tokensOf } from './peers/cases.ts';
import { type LayerShape, type ModelShape, outputRows } from './shapes.ts';

// Activations without a fused kernel are registered ones.
registerAllNames();

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
