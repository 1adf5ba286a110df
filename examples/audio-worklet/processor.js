// On the audio thread: each block of samples goes through the model in one call into Wasm, and nothing is allocated.
import { decodeStream } from 'tapeloop/stream';

export class RecurrentProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    const block = globalThis.renderQuantumSize ?? 128;
    this.stream = decodeStream(processorOptions.model, { maxSteps: block });
    this.silence = new Float32Array(block);
  }

  process([[input]], [[output]]) {
    output.set(this.stream.steps(input ?? this.silence, output.length));
    return true;
  }
}

registerProcessor('recurrent', RecurrentProcessor);
