import type { Json } from '../../io/model-file.ts';
import type { Model } from '../../models/model.ts';
import { decodeModel } from '../../saving/saved-model.ts';
import { type JsonFile, modelFileOf, readJsonFile } from '../json-file.ts';
import { convertRtNeural } from './read.ts';

/** A model of a file of RTNeural. */
export interface RtNeuralModel {
  /** `[B, T, I]` to `[B, T, O]`. */
  readonly model: Model;
  /** What the file says besides its layers: sampling rate, author and the like. */
  readonly metadata: { readonly [name: string]: Json | undefined };
}

/**
 * Makes a model of a JSON file of RTNeural: dense, time-distributed-dense, lstm, gru, conv1d, prelu, batchnorm and
 * activation layers. A PyTorch state dict as JSON is read too, if its names say recurrent layers and linear ones; it does
 * not say activations between them, and none are assumed.
 *
 * @param file the bytes of the file, its text, or the object that the text describes.
 * @returns the model, which the caller owns and frees with `model.dispose`, and the other entries of the file.
 * @throws ModelFileError if the file is not JSON, contradicts itself, or has a layer, an option or an activation that is
 *   not supported. ArgumentError if `file` has another type.
 * @see https://github.com/jatinchowdhury18/RTNeural
 *
 * @example
 * const { model } = importRtNeural(exportRtNeural(amp));
 */
export function importRtNeural(file: JsonFile): RtNeuralModel {
  const converted = readJsonFile('importRtNeural', file, convertRtNeural);
  const { model } = decodeModel(modelFileOf(converted));
  return { model, metadata: converted.extra as RtNeuralModel['metadata'] };
}
