// An app that trains an LSTM language model in its own loop.
import {
  adam,
  dense,
  embedding,
  engine,
  lstm,
  setSeed,
  sparseCategoricalCrossentropy,
  tensor,
  valueAndGrad,
} from 'tapeloop/lean';

setSeed(1);
const layers = [
  embedding({ inputDim: 64, outputDim: 32 }),
  lstm({ units: 128, returnSequences: true }),
  dense({ units: 64 }),
];
const network = (x) => layers.reduce((value, layer) => layer(value), x);
const loss = sparseCategoricalCrossentropy({ fromLogits: true });
const optimizer = adam();
const ids = Int32Array.from({ length: 64 }, (_, i) => i);
for (let step = 0; step < 3; step++) {
  engine().step(() => {
    const x = tensor(ids, { shape: [4, 16], dtype: 'i32' });
    network(x);
    const weights = layers.flatMap((layer) => layer.weights);
    const { value, grads } = valueAndGrad(() => loss.compute(x, network(x)), weights);
    optimizer.apply(weights, grads);
    console.log(value);
  });
}
