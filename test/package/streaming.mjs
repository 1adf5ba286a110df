// An app that runs a model of a file on live input.
import { loadStream } from 'tapeloop/stream';

const stream = await loadStream('model.safetensors', { maxSteps: 128 });
console.log(stream.steps(new Float32Array(128 * stream.inputWidth), 128));
