// The model file: a safetensors file whose metadata describe the layers of its tensors. Both the main entry and
// `tapeloop/stream` read it with this code.
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape, type Shape } from '../checks/shape.ts';
import { classOf } from '../host/class-of.ts';
import { expectList, expectObject, expectString, expectStrings, type Parsed, quote } from './parsed-json.ts';
import { decodeSafetensors, ModelFileError, type SafetensorsTensor } from './safetensors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type LayerConfig = { readonly [key: string]: Json | undefined };

/** The version that is written, and the newest version that is read. */
export const FORMAT_VERSION = 1;

/** What a model file holds besides the model. */
export interface ModelExtras {
  /** Characters or words by id, for a model of text. */
  vocabulary?: readonly string[] | undefined;
  /** Any JSON of the caller. */
  extra?: Json | undefined;
}

/** An opened model file. */
export interface ModelFile {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  parse<T>(key: string): T | undefined;
  /** Values of a tensor. The tensor must exist, with this shape and finite values. */
  valuesOf(name: string, shape: Shape): Float32Array;
  fail(message: string, cause?: unknown): never;
  /** Runs `body`. Turns its `ArgumentError`, `TypeError` or `RangeError` into a `ModelFileError`. */
  asFileErrors<T>(body: () => T): T;
}

/** The bytes of a file. */
export type FileBytes = Uint8Array | DataView | ArrayBuffer | SharedArrayBuffer;

/** Whether it is of a type that the bytes of a file may have. */
export const isFileBytes = (given: unknown): given is FileBytes =>
  /^(Uint8Array|DataView|(Shared)?ArrayBuffer)$/.test(classOf(given));

/** The bytes of a model file, as a `Uint8Array`. Throws `ArgumentError` for a value of another type. */
export function bytesOf(what: string, given: FileBytes): Uint8Array {
  if (!isFileBytes(given)) {
    const kind = classOf(given);
    const late = kind === 'Promise' ? '; await it' : '';
    throw new ArgumentError(`${what}: bytes expected a Uint8Array or an ArrayBuffer, got ${kind}${late}`);
  }
  const { buffer = given, byteOffset, byteLength } = given as Uint8Array<ArrayBuffer>;
  // A buffer that was transferred to another thread is empty, and no view of it can be made.
  const view = byteLength > 0 ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) : new Uint8Array(0);
  // Hosts do not decode text in shared memory.
  return classOf(buffer) === 'SharedArrayBuffer' ? view.slice() : view;
}

/**
 * Opens a model file.
 *
 * @param what the called function, for the message of an `ArgumentError`.
 * @param file its name, for errors about its content.
 * @throws ArgumentError if `bytes` has another type; ModelFileError if they are not a model file of a known version.
 */
export function openModelFile(what: string, bytes: FileBytes, file: string | undefined): ModelFile {
  const { tensors, metadata } = decodeSafetensors(bytesOf(what, bytes), file);
  const fail = (message: string, cause?: unknown): never => {
    throw new ModelFileError(message, { file, cause });
  };
  if (metadata.format !== 'tapeloop') fail(`metadata 'format' expected 'tapeloop', got ${quote(metadata.format)}`);
  const version = Number(metadata.formatVersion);
  if (!(Number.isInteger(version) && version >= 1 && version <= FORMAT_VERSION)) {
    fail(`written in format version ${quote(metadata.formatVersion)}; this tapeloop reads up to ${FORMAT_VERSION}`);
  }
  return {
    tensors,
    fail,
    parse<T>(key: string) {
      if (metadata[key] === undefined) return undefined;
      try {
        return JSON.parse(metadata[key]) as T;
      } catch (cause) {
        return fail(`metadata '${key}' expected JSON, got ${quote(metadata[key])}`, cause);
      }
    },
    valuesOf(name, shape) {
      const found = tensors.get(name);
      if (found?.dtype !== 'F32') return fail(`tensor '${name}' expected in F32, got ${found?.dtype ?? 'none'}`);
      if (formatShape(found.shape) !== formatShape(shape)) {
        fail(`tensor '${name}' expected ${formatShape(shape)}, got ${formatShape(found.shape)}`);
      }
      const bad = found.data.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) fail(`tensor '${name}' expected finite numbers, got ${found.data[bad]} at ${bad}`);
      return found.data;
    },
    asFileErrors(body) {
      try {
        return body();
      } catch (error) {
        // A `TypeError` or `RangeError` of JavaScript has no message that helps the caller.
        const why = error instanceof ArgumentError ? error.message : 'an option has a value of another kind';
        if (error instanceof ArgumentError || error instanceof TypeError || error instanceof RangeError) {
          fail(`its configuration cannot be used: ${why}`, error);
        }
        throw error;
      }
    },
  };
}

/** The vocabulary and the extra data of a file. Throws `ArgumentError` if the vocabulary is not a list of strings. */
export function extrasOf({ parse }: ModelFile): ModelExtras {
  const vocabulary = parse('vocabulary');
  if (vocabulary !== undefined) expectStrings("metadata 'vocabulary'", vocabulary);
  return { vocabulary: vocabulary as string[] | undefined, extra: parse<Json>('extra') };
}

/** The class and configuration of a layer, as the file has them. */
export interface SavedLayer {
  readonly className: string;
  readonly config: LayerConfig & { readonly name: string };
}

/** A stack of layers, as the file has it. */
export interface SavedNetwork {
  readonly name: string;
  /** The class that its layers are in; `Sequential` if the file does not say. */
  readonly className: string | undefined;
  /** Undefined for a custom model: a file has no code. */
  readonly layers: readonly SavedLayer[] | undefined;
  /** The input shape for which the model was built, if its first layer does not have it. */
  readonly builtShape: unknown;
}

/** The message of the error about a file without the input shape of its model. */
export const NO_INPUT_SHAPE =
  'its first layer does not say what input it takes: give inputShape, the shape of one sample, such as [null, 3]';

/**
 * The layers of a file. Throws `ArgumentError` if the metadata have another structure. The options of a layer are not
 * checked here: the layer checks them.
 */
export function networkOf({ parse }: ModelFile): SavedNetwork {
  const network = expectObject("metadata 'network'", parse('network'));
  const { name, isCustom, layers } = network;
  expectString('network.name', name);
  return { ...network, layers: isCustom ? undefined : savedLayers('network.layers', layers) } as never;
}

/** Throws `ArgumentError` unless `layers` is a list of layers. */
export const savedLayers = (what: string, layers: unknown): readonly SavedLayer[] =>
  expectList(what, layers).map((layer, i) => savedLayer(`${what}[${i}]`, layer));

/** Throws `ArgumentError` unless `value` is a layer; `what` names it. */
export function savedLayer(what: string, value: unknown): SavedLayer {
  const layer = expectObject(what, value);
  expectString(`${what}.className`, layer.className);
  const config: Parsed = expectObject(`${what}.config`, layer.config);
  expectString(`${what}.config.name`, config.name);
  // JSON writes NaN as null, and a comparison treats null as 0.
  const missing = Object.keys(config).find((key) => config[key] === null);
  if (missing !== undefined) throw new ArgumentError(`${what}.config.${missing} expected a value, got null`);
  return layer as unknown as SavedLayer;
}
