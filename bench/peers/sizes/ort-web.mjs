// Runs a model, without training. The library loads its .wasm file at run time.
import { InferenceSession, Tensor } from 'onnxruntime-web/wasm';

const session = await InferenceSession.create('model.onnx');
console.log(await session.run({ x: new Tensor('float32', new Float32Array(64), [1, 1, 64]) }));
