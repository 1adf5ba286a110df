import { ArgumentError, shownForeign } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { classOf } from '../host/class-of.ts';
import { textOfUtf8 } from '../host/utf8.ts';
import { isPage } from '../io/foreign-formats.ts';
import { bytesOf, type FileBytes, isFileBytes } from '../io/model-file.ts';
import { describe, expectList, expectObject, expectStrings, isObject, type Parsed, quote } from '../io/parsed-json.ts';
import { ModelFileError } from '../io/safetensors.ts';
import { compileAsSaved } from '../keras/compile/read-compile.ts';
import { eraOf } from '../keras/config/era.ts';
import { asFileError, configIn, modelOfConfig } from '../keras/config/read-model.ts';
import { outputNamesOf } from '../keras/graph/output-names.ts';
import type { KerasArray } from '../keras/weights/keras-array.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import type { Model } from '../models/model.ts';
import type { CustomObjects } from '../registry/custom-objects.ts';
import { readGroup, type TfjsWeight } from './manifest.ts';
import { expectSameMasks } from './masks.ts';
import { readOptimizerState } from './optimizer-state.ts';
import { tfjsNames } from './weight-names.ts';

/** Options of `importTfjs`. */
export interface ImportTfjsOptions {
  /**
   * Layers, activations and constraints of the caller's own, by name: a class, or a function. The function of a Lambda
   * layer by the name of the layer.
   */
  customObjects?: CustomObjects | undefined;
  /** The shape of one sample, `[T, F]`, null for a length that varies, for a file that does not have it. */
  inputShape?: BatchShape | undefined;
  /** Whether to compile the model as the file says, with the state of its optimizer. Default true. */
  compile?: boolean | undefined;
  /** The file's name, for errors. */
  file?: string | undefined;
}

/** The weight files beside a `model.json`: their bytes by name, or a function that gives them. */
export type TfjsFiles = Readonly<Record<string, FileBytes>> | ((path: string) => FileBytes | undefined);

/** What `model.save` of TF.js hands to a handler; also the JSON of `model.json`. */
export type TfjsArtifacts = Readonly<Record<string, unknown>>;

export const importOptions = { customObjects: 1, inputShape: 1, compile: true, file: 1 };

/**
 * Makes a model of a layers model of TF.js.
 *
 * @param json `model.json`: its bytes, its text, or the object, also as `tf.io.withSaveHandler` gets it, with
 *   `weightData`.
 * @param files the weight files by the paths in `weightsManifest`, or a function that gives the bytes of a path. Bytes
 *   are copied.
 * @returns a built model, which the caller owns; it is compiled if the file has a loss and an optimizer that tapeloop
 *   has, and goes on with the optimizer's state.
 * @throws ModelFileError if the JSON is not a layers model, a weight file is missing or does not fit, or a layer or an
 *   option is not supported; ArgumentError if an option is unknown or an argument has another type.
 * @see https://js.tensorflow.org/api/latest/#loadLayersModel
 *
 * @example
 * const model = importTfjs(await readFile('model.json'), (path) => readFileSync(path));
 */
export function importTfjs(
  json: FileBytes | string | TfjsArtifacts,
  files: TfjsFiles = {},
  options: ImportTfjsOptions = {},
): Model {
  const { customObjects = {}, inputShape, compile = true, file } = checkOptions('importTfjs', options, importOptions);
  const artifacts = artifactsOf(json, file);
  expectFiles(files, artifacts);
  return asFileError('importTfjs', file, () => {
    refuseOthers(artifacts);
    const weights = weightsOf(artifacts, files);
    const topology = artifacts.modelTopology ?? artifacts;
    const { config, version, training } = configIn(topology);
    // The converter keeps what Keras wrote; the JSON of TF.js itself says so.
    const era = version?.startsWith('tfjs') ? 'tfjs' : eraOf(config, version);
    const own = weights.filter(({ isOptimizer }) => !isOptimizer);
    const model = modelOfConfig(config, { era, customObjects, inputShape, weights: (network) => byName(network, own) });
    // What Keras has made and a converter has written, Keras computes as tapeloop does.
    if (version?.startsWith('tfjs')) disposedOnError(model, () => expectSameMasks(model.network as AnyLayer));
    const saved = artifacts.trainingConfig ?? training;
    const isOwn = artifacts.trainingConfig !== undefined && artifacts.trainingConfig !== null;
    if (!compile || saved === undefined) return model;
    const how = { outputs: outputNamesOf(model.network as AnyLayer), customObjects };
    disposedOnError(model, () => {
      if (!compileAsSaved('importTfjs', model, saved, isOwn ? 'tfjs' : era, how)) return;
      const state = weights.filter(({ isOptimizer }) => isOptimizer);
      readOptimizerState(model, saved as Parsed, state);
    });
    return model;
  });
}

/** Runs `body`. If it throws, the model is disposed of. */
function disposedOnError(model: Model, body: () => void): void {
  try {
    body();
  } catch (error) {
    model.network.dispose();
    throw error;
  }
}

/** What a value is, with what to do about it if it is not there yet. */
const lateOf = (value: unknown): string => {
  const kind = classOf(value);
  return kind === 'Promise'
    ? 'a Promise; await it'
    : kind === 'Response'
      ? 'a Response; give await response.arrayBuffer()'
      : shownForeign(value, 'buffer');
};

/** Throws `ArgumentError` unless `files` is a function or an object of files; options are the third argument. */
function expectFiles(files: unknown, { weightData }: Parsed): void {
  if (typeof files === 'function') return;
  if (!isObject(files) || /^(Promise|Response)$/.test(classOf(files)))
    throw new ArgumentError(`importTfjs: files expected an object or a function, got ${lateOf(files)}`);
  const other = Object.keys(files).find(
    (key) => !isFileBytes(files[key]) && (Object.hasOwn(importOptions, key) || weightData !== undefined),
  );
  if (other !== undefined)
    throw new ArgumentError(
      `importTfjs: files expected the bytes of weight files by their paths, got ${quote(other)}: options are the third argument, importTfjs(json, {}, options)`,
    );
}

/** The parsed JSON of a `model.json`. */
export function artifactsOf(json: unknown, file?: string | undefined): Parsed {
  const isBytes = isFileBytes(json);
  const isLate = /^(Promise|Response)$/.test(classOf(json));
  if ((!isBytes && typeof json !== 'string' && !isObject(json)) || isLate)
    throw new ArgumentError(`importTfjs: json expected bytes, text or an object, got ${lateOf(json)}`);
  if (isObject(json) && typeof json.save === 'function')
    throw new ArgumentError(
      'importTfjs: json expected what a model is saved as, got a model: await model.save(tf.io.withSaveHandler(async (artifacts) => (made = importTfjs(artifacts))))',
    );
  try {
    const parsed = isBytes
      ? JSON.parse(textOfUtf8(bytesOf('importTfjs', json)))
      : typeof json === 'string'
        ? JSON.parse(json)
        : json;
    return expectObject('model.json', parsed);
  } catch (cause) {
    throw new ModelFileError(
      `importTfjs: model.json expected a JSON object, got ${isBytes ? 'other bytes' : quote(String(json))}`,
      {
        file,
        cause,
      },
    );
  }
}

/** Throws `ArgumentError` for a model that is not one of layers. */
function refuseOthers({ format, modelTopology }: Parsed): void {
  const isGraph = format === 'graph-model' || (isObject(modelTopology) && Array.isArray(modelTopology.node));
  if (isGraph)
    throw new ArgumentError(
      'a graph model of TF.js has no layers: convert the model that it was made from to ONNX (tf2onnx) and use importOnnx',
    );
  if (format === undefined || format === null || format === 'layers-model') return;
  throw new ArgumentError(`format expected layers-model, got ${describe(format)}`);
}

/** The paths of the weight files, in their order. */
export function pathsOf({ weightsManifest }: Parsed): string[] {
  if (weightsManifest === undefined || weightsManifest === null) return [];
  return expectList('weightsManifest', weightsManifest).flatMap((group) =>
    expectStrings('weightsManifest[].paths', expectObject('weightsManifest[]', group).paths),
  );
}

function weightsOf(artifacts: Parsed, files: TfjsFiles): TfjsWeight[] {
  if (artifacts.weightData !== undefined) return readGroup(artifacts.weightSpecs ?? [], joined(artifacts.weightData));
  const bytesAt = (path: string): Uint8Array => fileOf('importTfjs', files, path, 'weight file');
  const groups = expectList('weightsManifest', artifacts.weightsManifest ?? []);
  return groups.flatMap((value) => {
    const group = expectObject('weightsManifest[]', value);
    const paths = expectStrings('weightsManifest[].paths', group.paths);
    const parts = paths.map(bytesAt);
    try {
      return readGroup(group.weights, joined(parts));
    } catch (cause) {
      if (!(cause instanceof ArgumentError)) throw cause;
      throw new ArgumentError(`${filesOf(paths, parts)}: ${cause.message}`);
    }
  });
}

/** The files of a group, for an error: a page in place of one, else all with their sizes. */
function filesOf(paths: readonly string[], parts: readonly Uint8Array[]): string {
  const page = parts.findIndex(isPage);
  if (page >= 0) return `weight file ${quote(paths[page]!)} is a page of a web server, not weights`;
  const named = paths.slice(0, 3).map((path, i) => `${quote(path)} of ${parts[i]!.length} bytes`);
  return `weight file ${named.join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;
}

/** The bytes of a file. Throws `ArgumentError` if it is missing. */
export function fileOf(what: string, files: TfjsFiles, path: string, kind = 'file'): Uint8Array {
  const found: unknown = typeof files === 'function' ? files(path) : fileAt(files, path);
  if (isFileBytes(found)) return bytesOf(what, found);
  const got = found === undefined ? 'none' : typeof found === 'string' ? quote(found) : lateOf(found);
  throw new ArgumentError(`${kind} ${quote(path)} expected its bytes, got ${got}`);
}

/** The file of a path, or of its last part, as a user of `browserFiles` has it. */
function fileAt(files: Readonly<Record<string, FileBytes>>, path: string): FileBytes | undefined {
  if (Object.hasOwn(files, path)) return files[path];
  const name = path.slice(path.lastIndexOf('/') + 1);
  return Object.hasOwn(files, name) ? files[name] : undefined;
}

/** Bytes, a buffer, or a list of them, as one. */
function joined(data: unknown): Uint8Array {
  const parts = [data].flat().map((part) => {
    if (isFileBytes(part)) return bytesOf('importTfjs', part);
    throw new ArgumentError(`weightData expected an ArrayBuffer, got ${describe(part)}`);
  });
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Finds the weights of each layer by their names. Those of newer Keras have the name of the cell between. */
function byName(network: AnyLayer, weights: readonly TfjsWeight[]): (leaf: AnyLayer) => readonly KerasArray[] {
  const found = new Map<string, TfjsWeight>();
  const shortened = new Map<string, TfjsWeight>();
  for (const weight of weights) {
    if (found.has(weight.name)) throw new ArgumentError(`weight ${quote(weight.name)} occurs twice in the manifest`);
    found.set(weight.name, weight);
    const parts = weight.name.split('/');
    if (parts.length > 2) shortened.set([...parts.slice(0, -2), parts.at(-1)].join('/'), weight);
  }
  const names = tfjsNames(network);
  const used = new Set<TfjsWeight>();
  return (leaf) => {
    const listed = names.get(leaf) ?? [];
    return listed.map(({ name }, i) => {
      const scope = name.slice(0, name.indexOf('/'));
      const weight = found.get(name) ?? shortened.get(name) ?? found.get(`${scope}/${i}`);
      if (!weight) throw new ArgumentError(`weight ${quote(name)} expected in the manifest, got none`);
      if (used.has(weight)) throw new ArgumentError(`weight ${quote(weight.name)} fits two weights of the model`);
      used.add(weight);
      return weight;
    });
  };
}
