import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { clip } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import type { Model } from '../models/model.ts';
import { artifactsOf, type ImportTfjsOptions, importOptions, importTfjs, pathsOf } from './read-tfjs.ts';

/** Options of `loadTfjs`. */
export interface LoadTfjsOptions extends Omit<ImportTfjsOptions, 'file'> {
  /** What fetches a URL. Default: the `fetch` of the host. */
  fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Loads a layers model of TF.js from a URL: its `model.json`, and the weight files beside it.
 *
 * @param url the address of `model.json`. In a page it may be relative to the page.
 * @returns the model of `importTfjs`.
 * @throws ModelFileError if a file cannot be fetched, or as `importTfjs` does; ArgumentError if an option is unknown, or
 *   the address is one of TF.js's own, such as `indexeddb://`.
 *
 * @example
 * const model = await loadTfjs('/models/lstm/model.json');
 */
export async function loadTfjs(url: string | URL, options: LoadTfjsOptions = {}): Promise<Model> {
  const { file: _, ...names } = importOptions;
  const { fetch: given, ...rest } = checkOptions('loadTfjs', options, { ...names, fetch: 1 });
  const fetcher = given ?? globalThis.fetch;
  if (typeof fetcher !== 'function') throw new ArgumentError('loadTfjs: fetch expected a function; this host has none');
  if (typeof url !== 'string' && !(url instanceof URL))
    throw new ArgumentError('loadTfjs: url expected a string or a URL');
  const file = String(url);
  // TF.js's own places, which a fetcher of the caller's may know.
  if (!given && /^(indexeddb|localstorage|downloads):/i.test(file))
    throw new ArgumentError(
      `loadTfjs: url expected an address of http or https, got '${clip(file)}': load it with tf.loadLayersModel, save it with tf.io.withSaveHandler and give what comes to importTfjs`,
    );
  // An error begins with the address of model.json.
  const nameOf = (address: string): string => (address === file ? '' : `${address} `);
  const bytesAt = async (address: string): Promise<Uint8Array> => {
    let response: Response;
    try {
      response = await fetcher(address);
    } catch (cause) {
      const mend = file.startsWith('file:') ? '; read the files and give them to importTfjs' : '';
      throw new ModelFileError(`loadTfjs: ${nameOf(address)}cannot be fetched: ${(cause as Error).message}${mend}`, {
        file,
        cause,
      });
    }
    if (!response.ok) throw new ModelFileError(`loadTfjs: ${nameOf(address)}answers ${response.status}`, { file });
    return new Uint8Array(await response.arrayBuffer());
  };
  const json = artifactsOf(await bytesAt(file), file);
  // The query of the address, such as a token, belongs to the weight files too.
  const [path = '', query] = file.split(/(?=\?)/, 2) as [string, string?];
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  let paths: string[];
  try {
    paths = pathsOf(json);
  } catch (cause) {
    throw new ModelFileError(`loadTfjs: ${(cause as Error).message}`, { file, cause });
  }
  const files = await Promise.all(
    paths.map(async (each) => [each, await bytesAt(folder + each + (query ?? ''))] as const),
  );
  return importTfjs(json, Object.fromEntries(files), { ...rest, file });
}
