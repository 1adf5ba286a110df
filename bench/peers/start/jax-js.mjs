// First step of an LSTM(64 → 128) from zero states. It does not use jit, because tracing would take longer.
import { init, nn, numpy as np } from '@jax-js/jax';

await init('wasm');
const x = np.full([1, 64], 0.5);
const h = np.zeros([1, 128]);
const weight = (rows) => np.full([rows, 512], 0.01);
const [i, f, g, o] = np.split(np.matmul(x, weight(64)).add(np.matmul(h, weight(128))), 4, 1);
const c = nn
  .sigmoid(f)
  .mul(np.zeros([1, 128]))
  .add(nn.sigmoid(i).mul(np.tanh(g)));
console.log('first result', nn.sigmoid(o).mul(np.tanh(c)).dataSync()[0]);
