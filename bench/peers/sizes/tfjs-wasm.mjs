// The same app with the WebAssembly backend, which loads its .wasm file at run time.
import '@tensorflow/tfjs-backend-wasm';
import { tensor, train } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';

const model = sequential({
  layers: [
    layers.embedding({ inputDim: 64, outputDim: 32, inputShape: [16] }),
    layers.lstm({ units: 128, returnSequences: true }),
    layers.dense({ units: 64, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: train.adam(), loss: 'sparseCategoricalCrossentropy' });
const ids = tensor(new Int32Array(64), [4, 16]);
await model.fit(ids, ids.expandDims(-1), { epochs: 1 });
