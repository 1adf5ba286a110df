// What a layer refuses before it builds or computes anything, and the messages.
import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import { additiveAttention, attention } from '../../src/layers/attention.ts';
import type { AnyLayer } from '../../src/layers/base/layer.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { add, concatenate, subtract } from '../../src/layers/merge.ts';
import { permute } from '../../src/layers/permute.ts';
import { globalAveragePooling1d, maxPooling1d } from '../../src/layers/pooling.ts';
import { repeatVector } from '../../src/layers/repeat-vector.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn, simpleRnnCell } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { model, sequential } from '../../src/models/model.ts';

const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((size, n) => size * n, 1)), { shape });

test.each<[string, () => unknown, string]>([
  ['activation of no name', () => activation({ activation: 'no' as 'relu' }), 'activation expected one of linear, '],
  ['masking of NaN', () => masking({ maskValue: Number.NaN }), 'masking: maskValue expected a finite number, got NaN'],
  ['repeatVector of 0', () => repeatVector({ n: 0 }), 'repeatVector: n expected an integer ≥ 1, got 0'],
  [
    'reshape of two unknown lengths',
    () => reshape({ targetShape: [-1, -1] }),
    'reshape: targetShape expected integers ≥ 1, one of them −1 at most, got [-1, -1]',
  ],
  [
    'permute of an axis twice',
    () => permute({ dims: [1, 1] }),
    'permute: dims expected every axis from 1 to 2 once, got [1, 1]',
  ],
  [
    'concatenate of the batch',
    () => concatenate({ axis: 0 }),
    'concatenate: axis expected an integer other than 0, the batch, got 0',
  ],
  [
    'layerNormalization without epsilon',
    () => layerNormalization({ epsilon: 0 }),
    'layerNormalization: epsilon expected a positive number, got 0',
  ],
  [
    'conv1d of no filters',
    () => conv1d({ filters: 0, kernelSize: 1 }),
    'conv1d: filters expected an integer ≥ 1, got 0',
  ],
  [
    'conv1d of a kernel of 1.5',
    () => conv1d({ filters: 1, kernelSize: 1.5 }),
    'conv1d: kernelSize expected an integer ≥ 1, got 1.5',
  ],
  [
    'conv1d of unknown padding',
    () => conv1d({ filters: 1, kernelSize: 1, padding: 'full' as 'same' }),
    'conv1d: padding expected',
  ],
  [
    'conv1d with strides 0',
    () => conv1d({ filters: 1, kernelSize: 1, strides: 0 }),
    'conv1d: strides expected an integer ≥ 1, got 0',
  ],
  [
    'pooling of unknown padding',
    () => maxPooling1d({ padding: 'causal' as 'same' }),
    "max_pooling1d: padding expected 'valid' or 'same', got 'causal'",
  ],
  ['pooling of 0 steps', () => maxPooling1d({ poolSize: 0 }), 'max_pooling1d: poolSize expected an integer ≥ 1, got 0'],
  ['spatialDropout1d of 1', () => spatialDropout1d({ rate: 1 }), 'dropout: rate expected a number in [0, 1), got 1'],
  [
    'attention of an unknown score',
    () => attention({ scoreMode: 'mul' as 'dot' }),
    "attention: scoreMode expected 'dot' or 'concat', got 'mul'",
  ],
  [
    'attention with dropout 1',
    () => additiveAttention({ dropout: 1 }),
    'additive_attention: dropout expected a number in [0, 1), got 1',
  ],
  [
    'lstm with a projection wider than itself',
    () => lstm({ units: 2, projSize: 3 }),
    'lstm: projSize expected at most units = 2, got 3',
  ],
  [
    'lstm of an unknown gate',
    () => lstm({ units: 2, recurrentActivation: 'no' as 'relu' }),
    'lstm: recurrentActivation expected one of linear, ',
  ],
  [
    'gru with checkpoints at 0',
    () => gru({ units: 2, checkpointEvery: 0 }),
    'gru: checkpointEvery expected an integer ≥ 1, got 0',
  ],
  [
    'checkpoints without kernels',
    () => lstm({ units: 2, activation: 'elu', checkpointEvery: 3 }),
    'lstm: checkpointEvery expected activations that have a fused kernel',
  ],
  ['lstmCell of 0 units', () => lstmCell({ units: 0 }), 'lstm: units expected an integer ≥ 1, got 0'],
  ['gruCell of 0 units', () => gruCell({ units: 0 }), 'gru: units expected an integer ≥ 1, got 0'],
  ['simpleRnnCell of 0 units', () => simpleRnnCell({ units: 0 }), 'simpleRnn: units expected an integer ≥ 1, got 0'],
])('%s, cannot be made', (_, make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});

const sequence = 'input expected [batch, time, features], got [2, 3]';
test.each<[string, AnyLayer, Tensor | Tensor[], string]>([
  ['masking', masking(), zeros(2, 3), `masking: ${sequence}`],
  ['conv1d', conv1d({ filters: 2, kernelSize: 1 }), zeros(2, 3), `conv1d(filters=2): ${sequence}`],
  ['spatialDropout1d', spatialDropout1d({ rate: 0.5 }), zeros(2, 3), `spatial_dropout1d: ${sequence}`],
  ['maxPooling1d', maxPooling1d(), zeros(2, 3), `max_pooling1d: ${sequence}`],
  ['globalAveragePooling1d', globalAveragePooling1d(), zeros(2, 3), `global_average_pooling1d: ${sequence}`],
  ['simpleRnn', simpleRnn({ units: 2 }), zeros(2, 3), `simple_rnn(units=2): ${sequence}`],
  [
    'repeatVector',
    repeatVector({ n: 2 }),
    zeros(2, 3, 4),
    'repeat_vector: input expected [batch, features], got [2, 3, 4]',
  ],
  [
    'lstmCell',
    lstmCell({ units: 2 }),
    zeros(2, 3, 4),
    'lstm_cell(units=2): input expected [batch, features], got [2, 3, 4]',
  ],
  ['permute', permute({ dims: [2, 1] }), zeros(2, 3), 'permute: input expected 2 axes and the batch, got [2, 3]'],
  [
    'timeDistributed',
    timeDistributed(flatten()),
    zeros(2, 3),
    'time_distributed: input expected [batch, time, …], got [2, 3]',
  ],
  ['reshape', reshape({ targetShape: [5] }), zeros(2, 3), 'reshape: input expected samples that fill [5], got [2, 3]'],
  ['conv1d shorter than a window', conv1d({ filters: 2, kernelSize: 5 }), zeros(2, 3, 1), 'conv1d: '],
  ['add of one', add(), [zeros(2, 3)], 'add: input expected a list of 2 tensors or more, got 1'],
  ['add of a tensor', add(), zeros(2, 3), 'add: input expected a list of 2 tensors or more, got one of [2, 3]'],
  ['add of two shapes', add(), [zeros(2, 3), zeros(2, 4)], 'add: input[1] expected [2, 3] as input[0], got [2, 4]'],
  ['subtract of three', subtract(), [zeros(2), zeros(2), zeros(2)], 'subtract: input expected two tensors, got 3'],
  [
    'concatenate of two lengths',
    concatenate(),
    [zeros(2, 3, 1), zeros(2, 4, 1)],
    'concatenate: input[1] expected [2, 3, ?] to go with input[0], got [2, 4, 1]',
  ],
  [
    'concatenate along no axis',
    concatenate({ axis: 3 }),
    [zeros(2, 3)],
    'concatenate: axis 3 expected to be one of [2, 3]',
  ],
  [
    'attention of one',
    attention(),
    [zeros(2, 3, 4)],
    'attention: input expected [query, value] or [query, value, key], got [2, 3, 4]',
  ],
  [
    'attention of vectors',
    attention(),
    [zeros(2, 3, 4), zeros(2, 4)],
    'attention: value expected [batch, time, features], got [2, 4]',
  ],
])('%s, called with what does not fit, throws and stays unbuilt', (_, layer, x, message) => {
  expect(() => layer(x)).toThrow(ArgumentError);
  expect(() => layer(x)).toThrow(message);
  expect(layer.weights).toEqual([]);
});

test('layers that do not fit each other, are told both before training', () => {
  expect(() => sequential([lstm({ units: 3, inputShape: [null, 2] }), conv1d({ filters: 2, kernelSize: 2 })])).toThrow(
    "conv1d(filters=2): input expected [batch, time, features], got [?, 3] from layer 'lstm'",
  );
  expect(() => sequential([dense({ units: 4, inputShape: [3] }), reshape({ targetShape: [3, 2] })])).toThrow(
    "reshape: input expected samples that fill [3, 2], got [?, 4] from layer 'dense'",
  );
});

test('a layer in a custom model that gets other features than before, is named', () => {
  const layers = { head: dense({ units: 1 }) };
  const net = model({ layers }, (x: Tensor, { head }) => head(x));
  net.predict([[1, 2]]);
  expect(() => net.predict([[1, 2, 3]])).toThrow(
    'head(units=1): input expected 2 features, as it was built for, got [1, 3]',
  );
});

test('dropout of a noise shape that does not fit, throws when it is called', () => {
  expect(() => dropout({ rate: 0.5, noiseShape: [null, 2] })(zeros(2, 3), { training: true })).toThrow(ArgumentError);
});
