import { encodeModel } from 'tapeloop';

/**
 * An audio node that runs a model of one feature on every sample. `script` is the address of the bundled processor.js.
 */
export async function recurrentNode(context, model, script) {
  await context.audioWorklet.addModule(script);
  return new AudioWorkletNode(context, 'recurrent', {
    channelCount: 1,
    channelCountMode: 'explicit',
    outputChannelCount: [1],
    // Bytes can be sent to the audio thread; tensors cannot.
    processorOptions: { model: encodeModel(model) },
  });
}
