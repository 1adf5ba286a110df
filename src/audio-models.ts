// The entry `tapeloop/audio-models`: models of amplifiers and effects come in and go out. Importing it registers its
// layers for saved models, and lets convolutions run step by step.

import { LearnedState } from './audio-models/learned-state.ts';
import { streamInBlocks } from './audio-models/streams/block-layers.ts';
import { waveNet } from './audio-models/wavenet/layer.ts';
import type { LayerOptions } from './layers/base/layer.ts';
import { registerLayers } from './layers/base/layer-registry.ts';
import { readLayer } from './layers/layer-classes.ts';
import { allowStreams } from './models/register-all.ts';

export { learnedState } from './audio-models/learned-state.ts';
export { type ExportNamOptions, exportNam } from './audio-models/nam/export.ts';
export { importNam, type NamCapture } from './audio-models/nam/import.ts';
export type { NamFacts } from './audio-models/nam/read.ts';
export { type WaveNetArray, type WaveNetOptions, waveNet } from './audio-models/wavenet/layer.ts';

allowStreams();
streamInBlocks();
registerLayers({
  LearnedState: ({ layer, ...options }: { layer: unknown } & LayerOptions) =>
    new LearnedState(readLayer(layer), options),
  WaveNet: waveNet,
});
