// The entry `tapeloop/tfjs`: layers models of TF.js come in and go out.
import './images.ts';
import { streamAllInBlocks } from './audio-models/streams/composed-recurrences.ts';
import { registerKerasLayers } from './keras/register.ts';

export { type CharRnn, importCharRnn } from './tfjs/char-rnn.ts';
export { type LoadTfjsOptions, loadTfjs } from './tfjs/load-tfjs.ts';
export { type ImportTfjsOptions, importTfjs, type TfjsArtifacts, type TfjsFiles } from './tfjs/read-tfjs.ts';
export { type ExportTfjsOptions, exportTfjs } from './tfjs/write-tfjs.ts';

registerKerasLayers();
streamAllInBlocks();
