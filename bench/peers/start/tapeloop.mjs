// First step of an LSTM(64 → 128), with the built library.
import { engine, lstm, tensor } from '../../../dist/index.js';

const layer = lstm({ units: 128, recurrentInitializer: 'glorotUniform' });
const x = tensor(new Float32Array(64).fill(0.5), { shape: [1, 1, 64] });
console.log('first result', engine().step(() => layer(x).toArray())[0]);
