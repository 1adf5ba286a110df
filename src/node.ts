import { checkOptions } from './checks/options.ts';
import type { ModelExtras } from './io/model-file.ts';
import { pathOf, readFileChecked, writeFileAtomic } from './io/node-files.ts';
import type { Model } from './models/model.ts';
import { decodeModel, encodeModel, type LoadedModel, type LoadOptions } from './saving/saved-model.ts';

export { FileError } from './io/file-error.ts';
export type { TextStream } from './io/status-line.ts';
export * from './node-callbacks.ts';

/**
 * Writes a model to a file, through a temporary file and a rename: an old file is replaced whole or not at all.
 *
 * @param model as `encodeModel` takes it.
 * @param path in a folder that exists; an address of `file:` too, such as `new URL('model.st', import.meta.url)`.
 * @throws FileError if it cannot be written; ArgumentError as `encodeModel` does.
 */
export function saveModel(model: Model, path: string | URL, extras: ModelExtras = {}): void {
  writeFileAtomic(pathOf('saveModel', path), encodeModel(model, extras));
}

/**
 * Reads a model from a file that `saveModel` wrote.
 *
 * @param path as `saveModel` takes it.
 * @param options what the file may need beside itself, as `decodeModel` takes it.
 * @throws FileError if it cannot be read, ModelFileError as `decodeModel` does.
 */
export function loadModel(path: string | URL, options: Omit<LoadOptions, 'file'> = {}): LoadedModel {
  checkOptions('loadModel', options, { inputShape: 1, customObjects: 1 });
  const file = pathOf('loadModel', path);
  return decodeModel(readFileChecked(file), { ...options, file });
}
