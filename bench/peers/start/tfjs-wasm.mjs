// First step of an LSTM(64 → 128).
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

await tf.setBackend('wasm');
const layer = tf.layers.lstm({ units: 128, recurrentInitializer: 'glorotUniform' });
console.log('first result', layer.apply(tf.fill([1, 1, 64], 0.5)).dataSync()[0]);
