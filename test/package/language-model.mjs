// An app that trains an LSTM language model.
import {
  adam,
  dense,
  embedding,
  lstm,
  ndarray,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop/lean';

setSeed(1);
const model = sequential([
  embedding({ inputDim: 64, outputDim: 32 }),
  lstm({ units: 128, returnSequences: true }),
  dense({ units: 64 }),
]);
model.compile({ optimizer: adam(), loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
const ids = ndarray(new Int32Array(64), [4, 16]);
await model.fit(ids, ids, { epochs: 1 });
console.log(model.predict(ids).shape);
