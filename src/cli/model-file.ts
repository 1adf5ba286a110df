// Model files of every format that is read, told apart by their content.
import { dirname, join, normalize } from 'node:path';
import { isStateDict } from '../audio-models/rtneural/state-dict.ts';
import { importNam, importRtNeural } from '../audio-models.ts';
import '../images.ts';
import { textOfUtf8 } from '../host/utf8.ts';
import { FileError } from '../io/file-error.ts';
import { refuseForeign } from '../io/foreign-formats.ts';
import type { Json } from '../io/model-file.ts';
import { readFileChecked } from '../io/node-files.ts';
import { isObject } from '../io/parsed-json.ts';
import { isSafetensors, ModelFileError, safetensorsMetadata } from '../io/safetensors.ts';
import { isZip, zipNames } from '../io/zip.ts';
import { isHdf5 } from '../keras/hdf5/read.ts';
import { importKeras } from '../keras.ts';
import { registerAllNames } from '../models/register-all.ts';
import { importOnnx } from '../onnx.ts';
import { decodeModel, type LoadedModel } from '../saving/saved-model.ts';
import '../sequences.ts';
import { importTfjs } from '../tfjs.ts';
import { importTorch } from '../torch.ts';

export type Format =
  | 'tapeloop'
  | 'ONNX'
  | 'TF.js'
  | 'Keras'
  | 'Keras weights'
  | 'PyTorch'
  | 'Python'
  | 'NAM'
  | 'RTNeural'
  | 'compiled stream';

/** A model with the file that it comes from. */
export interface ReadModel extends LoadedModel {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly format: Format;
}

/** What some files do not say. */
export interface ReadOptions {
  /** PyTorch: what runs, with commas between the steps. */
  readonly forward?: string | undefined;
  /** Keras: the path of what `model.to_json()` returned, for a file of weights alone. */
  readonly config?: string | undefined;
}

/**
 * Reads a model. Throws `FileError` if the file cannot be read, and `ModelFileError` if it is not a model or uses what is
 * missing.
 */
export function readModel(path: string, options: ReadOptions = {}): ReadModel {
  registerAllNames();
  const bytes = readFileChecked(path);
  const found = modelIn(path, bytes, options);
  for (const [flag, format] of [
    ['forward', 'PyTorch'],
    ['config', 'Keras'],
  ] as const) {
    if (options[flag] === undefined || found.format === format) continue;
    found.model.dispose();
    throw new ModelFileError(`--${flag} expected a model of ${format}, got one of ${found.format}`, { file: path });
  }
  return { path, bytes, vocabulary: undefined, extra: undefined, ...found };
}

type Found = Pick<ReadModel, 'format' | 'model'> & Partial<ReadModel>;

function modelIn(path: string, bytes: Uint8Array, { forward, config }: ReadOptions): Found {
  const named = { file: path };
  if (bytes.length === 0) throw new ModelFileError('expected a model, got a file of 0 bytes', named);
  if (isJson(bytes)) return modelOfJson(path, bytes);
  if (isHdf5(bytes) || (isZip(bytes) && zipNames(bytes, path).includes('config.json'))) {
    const given = config === undefined ? undefined : configIn(config);
    return { format: 'Keras', model: importKeras(bytes, { ...named, config: given }) };
  }
  if (isZip(bytes) || isPickle(bytes) || (isSafetensors(bytes) && !isOwn(bytes, path))) {
    const steps = forward === undefined ? {} : { forward: forward.split(',').map((step) => step.trim()) };
    return { format: 'PyTorch', model: importTorch(bytes, { ...named, ...steps }) };
  }
  if (isSafetensors(bytes)) return { format: 'tapeloop', ...decodeModel(bytes, named) };
  refuseForeign(bytes, path);
  return withPath(path, () => ({
    format: 'ONNX',
    model: importOnnx(bytes, { externalData: (location) => besides(path, location) }),
  }));
}

/** What `model.to_json()` returned, from a file. */
function configIn(path: string): unknown {
  try {
    return JSON.parse(textOfUtf8(readFileChecked(path)));
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new ModelFileError('--config expected what model.to_json() of Keras returned, got a file that is no JSON', {
      file: path,
      cause,
    });
  }
}

/** Whether the first character is a brace. */
const isJson = (bytes: Uint8Array): boolean => /^\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 16)));

/** ONNX files do not begin so. */
const isPickle = (bytes: Uint8Array): boolean => bytes[0] === 0x80 && bytes[1]! <= 5;

const isOwn = (bytes: Uint8Array, path: string): boolean => safetensorsMetadata(bytes, path).format === 'tapeloop';

/** The `model.json` of TF.js, a capture of NAM, or a model of RTNeural. */
function modelOfJson(path: string, bytes: Uint8Array): Found {
  let json: unknown;
  try {
    json = JSON.parse(textOfUtf8(bytes));
  } catch (cause) {
    throw new ModelFileError('expected a model, got JSON that is damaged', { file: path, cause });
  }
  if (!isObject(json)) throw new ModelFileError('expected a model, got other JSON', { file: path });
  const file: object = json;
  if ('architecture' in json) {
    const { model, ...nam } = withPath(path, () => importNam(file));
    return { format: 'NAM', model, extra: { nam } as unknown as Json };
  }
  if (('in_shape' in json && 'layers' in json) || isStateDict(json)) {
    return { format: 'RTNeural', model: withPath(path, () => importRtNeural(file)).model };
  }
  if ('class_name' in json && 'config' in json) {
    throw new ModelFileError(
      'expected a model, got the configuration of a Keras model without weights: give it as --config of the file of weights',
      { file: path },
    );
  }
  return { format: 'TF.js', model: importTfjs(json, (location) => besides(path, location), { file: path }) };
}

/** Runs `body`, whose errors do not know the file's name. */
function withPath<T>(path: string, body: () => T): T {
  try {
    return body();
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
