// Runs a model; there is no training. Its .wasm file is loaded when it starts.
import { InferenceSession, Tensor } from 'onnxruntime-web/wasm';

const session = await InferenceSession.create('model.onnx');
console.log(await session.run({ x: new Tensor('float32', new Float32Array(64), [1, 1, 64]) }));
