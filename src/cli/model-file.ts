// Model files of every format that is read, told apart by their content.
import { dirname, join, normalize } from 'node:path';
import '../images.ts';
import { refuseForeign } from '../io/foreign-formats.ts';
import { readFileChecked } from '../io/node-files.ts';
import { isSafetensors, ModelFileError } from '../io/safetensors.ts';
import { isZip, readZip } from '../io/zip.ts';
import { isHdf5 } from '../keras/hdf5/read.ts';
import { importKeras } from '../keras.ts';
import { registerAllNames } from '../models/register-all.ts';
import { importOnnx } from '../onnx.ts';
import { decodeModel, type LoadedModel } from '../saving/saved-model.ts';
import '../sequences.ts';
import { importTfjs } from '../tfjs.ts';
import { importTorch } from '../torch.ts';

export type Format = 'tapeloop' | 'ONNX' | 'TF.js' | 'Keras' | 'PyTorch';

/** A model with the file that it comes from. */
export interface ReadModel extends LoadedModel {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly format: Format;
}

/** The first character of a `model.json` is a brace. */
const isJson = (bytes: Uint8Array): boolean => /^\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 16)));

/** HDF5, or a zip archive with the configuration of a model. */
const isKeras = (bytes: Uint8Array, file: string): boolean =>
  isHdf5(bytes) || (isZip(bytes) && readZip(bytes, file).has('config.json'));

/** A zip archive or a pickle; ONNX files begin with neither. */
const isTorch = (bytes: Uint8Array): boolean => isZip(bytes) || (bytes[0] === 0x80 && bytes[1]! <= 5);

/**
 * Reads a model. `forward` says what runs in one of PyTorch, with commas between its steps. Throws `FileError` if the
 * file cannot be read, and `ModelFileError` if it is not a model or uses what is missing.
 */
export function readModel(path: string, forward?: string): ReadModel {
  registerAllNames();
  const bytes = readFileChecked(path);
  const none = { vocabulary: undefined, extra: undefined };
  if (isJson(bytes)) {
    const model = importTfjs(bytes, (location) => besides(path, location), { file: path });
    return { path, bytes, format: 'TF.js', model, ...none };
  }
  if (isKeras(bytes, path)) return { path, bytes, format: 'Keras', model: importKeras(bytes, { file: path }), ...none };
  if (isTorch(bytes) || (forward !== undefined && isSafetensors(bytes))) {
    const steps = forward === undefined ? {} : { forward: forward.split(',').map((step) => step.trim()) };
    return { path, bytes, format: 'PyTorch', model: importTorch(bytes, { file: path, ...steps }), ...none };
  }
  if (isSafetensors(bytes)) {
    return { path, bytes, format: 'tapeloop', ...decodeModel(bytes, { file: path }) };
  }
  refuseForeign(bytes, path);
  try {
    const model = importOnnx(bytes, { externalData: (location) => besides(path, location) });
    return { path, bytes, format: 'ONNX', model, ...none };
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error;
    throw new ModelFileError(error.message, { file: path, cause: error });
  }
}

/** A file in the folder of the model. */
function besides(path: string, location: string): Uint8Array | undefined {
  const name = normalize(location);
  const isInside = name !== '' && !name.startsWith('..') && !name.startsWith('/') && !/^[a-z]:/i.test(name);
  return isInside ? readFileChecked(join(dirname(path), name)) : undefined;
}

const endings: Readonly<Record<string, Format>> = {
  onnx: 'ONNX',
  json: 'TF.js',
  keras: 'Keras',
  safetensors: 'tapeloop',
  st: 'tapeloop',
};

/** The format of a file that is to be written, by the end of its name; undefined for one that cannot be written. */
export function formatOf(path: string): Format | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return path.includes('.') && Object.hasOwn(endings, ending) ? endings[ending] : undefined;
}
