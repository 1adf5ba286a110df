// The entry `tapeloop/node`: saves and loads models as files, and has the callbacks that write files.
import { checkOptions } from './checks/options.ts';
import type { ModelExtras } from './io/model-file.ts';
import { pathOf, readFileChecked, writeFileAtomic } from './io/node-files.ts';
import type { Model } from './models/model.ts';
import { decodeModel, encodeModel, type LoadedModel, type LoadOptions } from './saving/saved-model.ts';

export { FileError } from './io/file-error.ts';
export type { TextStream } from './io/status-line.ts';
export * from './node-callbacks.ts';

/**
 * Writes a model to a file. It writes a temporary file and renames it: an old file is replaced whole or not at all.
 *
 * @param model a built model, compiled or not.
 * @param path of the file, in a folder that exists, as text or as a `file:` URL, such as
 *   `new URL('model.st', import.meta.url)`.
 * @param extras a vocabulary and any JSON that the file also holds.
 * @throws FileError if the file cannot be written. ArgumentError if the model is not built, a number in it is not
 *   finite, a custom layer has the name of a layer of tapeloop, `path` is not a path or a `file:` URL, or an extra has
 *   the wrong type.
 * @see keras.saving.save_model
 * @example
 * saveModel(model, 'model.safetensors');
 */
export function saveModel(model: Model, path: string | URL, extras: ModelExtras = {}): void {
  writeFileAtomic(pathOf('saveModel', path), encodeModel(model, extras));
}

/**
 * Reads a model from a file that `saveModel` wrote.
 *
 * @param path of the file, as text or as a `file:` URL.
 * @param options.customObjects custom classes and functions that the file names.
 * @param options.inputShape the shape of one sample, for a file of version 0.1.0 without an input shape.
 * @returns the model with the file's vocabulary and extra data; the caller disposes of the model.
 * @throws FileError if the file cannot be read. ModelFileError if it is not a model file, has a newer version, lacks a
 *   tensor, has a value that is not finite, or names a class or function that is neither known nor in `customObjects`.
 *   ArgumentError if `path` is not a path or a `file:` URL, or an option is unknown.
 * @see keras.saving.load_model
 * @example
 * const { model: loaded } = loadModel('model.safetensors');
 * loaded.predict(x);
 */
export function loadModel(path: string | URL, options: Omit<LoadOptions, 'file'> = {}): LoadedModel {
  checkOptions('loadModel', options, { inputShape: 1, customObjects: 1 });
  const file = pathOf('loadModel', path);
  return decodeModel(readFileChecked(file), { ...options, file });
}
