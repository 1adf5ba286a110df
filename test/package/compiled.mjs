// An app that runs an imported ONNX model, compiled to kernel calls, on live input.
import { loadCompiledStream } from 'tapeloop/compiled';

const stream = loadCompiledStream(new Uint8Array(await (await fetch('vad.stream')).arrayBuffer()));
console.log(stream.step(new Float32Array(stream.inputWidth)));
