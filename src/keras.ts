// The entry `tapeloop/keras`: models of Keras come in and go out, with every layer that Keras and tapeloop share.
import './images.ts';
import './sequences.ts';
import { streamAllInBlocks } from './audio-models/streams/composed-recurrences.ts';
import { registerKerasLayers } from './keras/register.ts';

export { type ExportKerasOptions, exportKeras, exportKerasWeights } from './keras/files/export.ts';
export { type ImportKerasOptions, importKeras } from './keras/files/import.ts';
export { type ImportKerasJsOptions, importKerasJs, type KerasJsFiles } from './keras/files/keras-js.ts';
export {
  type KerasWeightsReport,
  type LoadKerasWeightsOptions,
  loadKerasWeights,
} from './keras/files/load-weights.ts';

// Saved models may hold functional models, and layers that only files bring.
registerKerasLayers();
streamAllInBlocks();
