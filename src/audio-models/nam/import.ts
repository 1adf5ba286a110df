import type { Model } from '../../models/model.ts';
import { decodeModel } from '../../saving/saved-model.ts';
import { type JsonFile, modelFileOf, readJsonFile } from '../json-file.ts';
import { convertNam, type NamFacts } from './read.ts';

/** A capture of an amplifier or a pedal. */
export interface NamCapture extends NamFacts {
  /** `[B, T, 1]` to `[B, T, 1]`. */
  readonly model: Model;
}

/**
 * Makes a model of a `.nam` file of Neural Amp Modeler.
 *
 * An LSTM becomes `learnedState(lstm)` layers, which start from the states in the file, and a dense head; a WaveNet
 * becomes `waveNet`; a Linear file becomes a causal `conv1d`; a SlimmableContainer, its largest model. NAM's plugin first
 * runs silence through a model, about half a second; `stream.steps` with zeros does the same.
 *
 * @param file the bytes of the file, its text, or the object that the text describes.
 * @returns the model, which the caller owns and frees with `model.dispose`, and what the file says besides: `version`,
 *   `architecture`, `sampleRate` in Hz and `metadata` as they are.
 * @throws ModelFileError if the file is not JSON, has another version or architecture, a size, an option or an
 *   activation that is not supported, or more or fewer weights than its sizes need. ArgumentError if `file` has another
 *   type.
 * @see https://github.com/sdatkinson/NeuralAmpModelerCore
 *
 * @example
 * const { model, sampleRate } = importNam(namFile);
 * const stream = model.stream({ maxSteps: 128 });
 */
export function importNam(file: JsonFile): NamCapture {
  const { facts, ...converted } = readJsonFile('importNam', file, convertNam);
  return { ...facts, model: decodeModel(modelFileOf(converted)).model };
}
