// Models of keras-js: the JSON of Keras, a buffer of values, and a list in JSON that says where each weight is.
// https://github.com/transcranial/keras-js
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { sizeOf } from '../../checks/shape.ts';
import { bytesOf, type FileBytes } from '../../io/model-file.ts';
import { expectList, expectObject, expectString, quote } from '../../io/parsed-json.ts';
import { ModelFileError } from '../../io/safetensors.ts';
import type { Model } from '../../models/model.ts';
import { eraOf } from '../config/era.ts';
import { asFileError, configIn, modelOfConfig } from '../config/read-model.ts';
import { registerKerasLayers } from '../register.ts';
import type { KerasArray } from '../weights/keras-array.ts';
import type { ImportKerasOptions } from './import.ts';
import { groupedWeights, type SavedGroup } from './layer-groups.ts';

/** The files of a model of keras-js. */
export interface KerasJsFiles {
  /** What `model.to_json()` returned, as text or parsed. */
  readonly model: string | object;
  /** `*_metadata.json`, the places of the weights, as text or parsed. */
  readonly metadata: string | readonly object[];
  /** `*_weights.buf`, the values one after another. It is not kept. */
  readonly weights: FileBytes;
}

/** Options of `importKerasJs`. */
export type ImportKerasJsOptions = Pick<ImportKerasOptions, 'file' | 'inputShape' | 'customObjects'>;

/**
 * Makes a model of the files of keras-js, which the encoder of keras-js made from Keras 1 and 2.
 *
 * @param files the JSON of the model, the metadata and the buffer.
 * @param options as those of `importKeras`.
 * @returns a built model, not compiled. The caller owns it and frees its memory with `dispose`.
 * @throws ModelFileError if a file is damaged, a weight does not fit, or the model has a layer or an option that tapeloop
 *   does not have; ArgumentError if an option is unknown or a file is missing or of another type.
 * @see https://github.com/transcranial/keras-js
 *
 * @example
 * const [model, metadata] = ['model.json', 'model_metadata.json'].map((name) => readFileSync(name, 'utf8'));
 * const rnn = importKerasJs({ model, metadata, weights: readFileSync('model_weights.buf') });
 */
export function importKerasJs(files: KerasJsFiles, options: ImportKerasJsOptions = {}): Model {
  const what = 'importKerasJs';
  const names = { file: 1, inputShape: 1, customObjects: 1 };
  const { file, ...rest } = checkOptions(what, options, names as never) as ImportKerasJsOptions;
  const { model, metadata, weights } = checkOptions(what, files, { model: 1, metadata: 1, weights: 1 } as never);
  const bytes = bytesOf(`${what}: weights`, weights);
  for (const [name, given] of Object.entries({ model, metadata }))
    if (given === undefined) throw new ArgumentError(`${what}: ${name} expected JSON, got none`);
  registerKerasLayers();
  const fail = (message: string): never => {
    throw new ModelFileError(`${what}: ${message}`, { file });
  };
  return asFileError(what, file, () => {
    const { config, version } = configIn(model);
    const groups = groupsIn(typeof metadata === 'string' ? JSON.parse(metadata) : metadata, bytes);
    const era = eraOf(config as never, version);
    return modelOfConfig(config, {
      ...{ era, version, ...rest },
      weights: (network) => groupedWeights(groups, network, era, fail),
    });
  });
}

/** The weights of each layer, in the order of the list. */
function groupsIn(metadata: unknown, bytes: Uint8Array): SavedGroup[] {
  const groups = new Map<string, KerasArray[]>();
  for (const each of expectList('metadata', metadata)) {
    const entry = expectObject('metadata[]', each);
    const name = expectString('metadata[].weight_name', entry.weight_name);
    const layer = expectString('metadata[].layer_name', entry.layer_name);
    groups.set(layer, [...(groups.get(layer) ?? []), { name, ...valuesAt(`weight ${quote(name)}`, entry, bytes) }]);
  }
  return [...groups].map(([name, arrays]) => ({ name, arrays }));
}

function valuesAt(what: string, entry: Readonly<Record<string, unknown>>, bytes: Uint8Array): Omit<KerasArray, 'name'> {
  const { type, offset, length } = entry;
  const shape = expectList(`${what}: shape`, entry.shape) as number[];
  if (type !== 'float32') throw new ArgumentError(`${what}: type expected float32, got ${quote(String(type))}`);
  const areSizes = [length, ...shape].every((n) => Number.isSafeInteger(n) && (n as number) > 0);
  if (!areSizes || sizeOf(shape) !== length)
    throw new ArgumentError(`${what}: length ${length} and shape [${shape.join(', ')}] expected the same size`);
  if (!(Number.isSafeInteger(offset) && (offset as number) >= 0 && (offset as number) + 4 * length <= bytes.length))
    throw new ArgumentError(`${what}: ${4 * length} bytes at ${offset} expected in a buffer of ${bytes.length}`);
  const start = bytes.byteOffset + (offset as number);
  return { shape, data: new Float32Array(bytes.buffer.slice(start, start + 4 * length)) };
}
