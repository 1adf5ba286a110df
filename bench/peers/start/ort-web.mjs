// First step of an LSTM(64 → 128), whose model file is the argument.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(process.argv[2]), { executionProviders: ['wasm'] });
const zeros = () => new ort.Tensor('float32', new Float32Array(128), [1, 1, 128]);
const X = new ort.Tensor('float32', new Float32Array(64).fill(0.5), [1, 1, 64]);
const { h_next } = await session.run({ X, h: zeros(), c: zeros() });
console.log('first result', h_next.data[0]);
