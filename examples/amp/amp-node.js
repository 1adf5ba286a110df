import { compileBlockKernels } from 'tapeloop/audio-stream';

/**
 * An audio node that runs a capture on every sample. `capture` is the bytes of a .nam file, `script` the address of the
 * bundled processor.js. Its parameter `wet` is 1 for the amp and 0 for the sound as it comes in.
 */
export async function ampNode(context, capture, script) {
  const [kernels] = await Promise.all([compileBlockKernels(), context.audioWorklet.addModule(script)]);
  return new AudioWorkletNode(context, 'amp', {
    channelCount: 1,
    channelCountMode: 'explicit',
    outputChannelCount: [1],
    processorOptions: { capture, kernels },
  });
}
