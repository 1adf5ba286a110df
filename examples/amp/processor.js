// On the audio thread: each block goes through the capture, and nothing is allocated. `wet` fades between dry and wet.
import { namStream } from 'tapeloop/audio-stream';

class AmpProcessor extends AudioWorkletProcessor {
  static get parameterDescriptors() {
    return [{ name: 'wet', defaultValue: 1, minValue: 0, maxValue: 1, automationRate: 'a-rate' }];
  }

  constructor({ processorOptions: { capture, kernels } }) {
    super();
    const block = globalThis.renderQuantumSize ?? 128;
    this.stream = namStream(capture, { maxSteps: block, module: kernels });
    this.silence = new Float32Array(block);
    this.dry = new Float32Array(block);
    // As NAM's plugin does, silence settles the states before the first sound: here for a tenth of a second.
    for (let t = 0; t < sampleRate / 10; t += block) this.stream.steps(this.silence, block);
  }

  process([[input = this.silence]], [[output]], { wet }) {
    const { dry } = this;
    // A node before this one may give NaN or infinity. `steps` throws for them, and a processor that throws stays silent.
    for (let i = 0; i < output.length; i++) dry[i] = Number.isFinite(input[i]) ? input[i] : 0;
    const amp = this.stream.steps(dry, output.length);
    for (let i = 0; i < output.length; i++) {
      const share = wet.length > 1 ? wet[i] : wet[0];
      output[i] = share * amp[i] + (1 - share) * dry[i];
    }
    return true;
  }
}

registerProcessor('amp', AmpProcessor);
