// The entry `tapeloop/audio-models`: models of amplifiers and effects come in and go out. Importing it registers its
// layers for saved models, and lets convolutions run step by step.

import { LearnedState } from './audio-models/learned-state.ts';
import { streamAllInBlocks } from './audio-models/streams/composed-recurrences.ts';
import { waveNet } from './audio-models/wavenet/layer.ts';
import { batchNormalization } from './images/batch-normalization.ts';
import { type PreluOptions, prelu } from './layers/activations/prelu.ts';
import type { LayerOptions } from './layers/base/layer.ts';
import { registerLayers } from './layers/base/layer-registry.ts';
import { readLayer } from './layers/layer-classes.ts';
import { allowStreams } from './models/register-all.ts';

export type { JsonFile } from './audio-models/json-file.ts';
export { learnedState } from './audio-models/learned-state.ts';
export { type ExportNamOptions, exportNam } from './audio-models/nam/export.ts';
export { importNam, type NamCapture } from './audio-models/nam/import.ts';
export type { NamFacts } from './audio-models/nam/read.ts';
export { type ExportRtNeuralOptions, exportRtNeural } from './audio-models/rtneural/export.ts';
export { importRtNeural, type RtNeuralModel } from './audio-models/rtneural/import.ts';
export {
  type WaveNetActivation,
  type WaveNetArray,
  type WaveNetModulated,
  type WaveNetOptions,
  waveNet,
} from './audio-models/wavenet/layer.ts';
export { type PreluOptions, prelu };

allowStreams();
streamAllInBlocks();
registerLayers({
  BatchNormalization: batchNormalization,
  LearnedState: ({ layer, ...options }: { layer: unknown } & LayerOptions) =>
    new LearnedState(readLayer(layer), options),
  PReLU: prelu,
  WaveNet: waveNet,
});
