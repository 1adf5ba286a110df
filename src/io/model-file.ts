// The model file: a safetensors file whose metadata say what layers its tensors belong to. It is read by the whole
// package and by `tapeloop/stream`.
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape, type Shape } from '../checks/shape.ts';
import { classOf } from '../host/class-of.ts';
import { expectList, expectObject, expectString, expectStrings, type Parsed, quote } from './parsed-json.ts';
import { decodeSafetensors, ModelFileError, type SafetensorsTensor } from './safetensors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type LayerConfig = { readonly [key: string]: Json | undefined };

/** The version that is written, and the newest that is read. */
export const FORMAT_VERSION = 1;

/** What a model file holds besides the model. */
export interface ModelExtras {
  /** Characters or words by id, for a model of text. */
  vocabulary?: readonly string[] | undefined;
  /** Anything of the caller's own, as JSON. */
  extra?: Json | undefined;
}

/** A file whose header is that of a model. */
export interface ModelFile {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  parse<T>(key: string): T | undefined;
  /** Values of a tensor, which must be there, of this shape and finite. */
  valuesOf(name: string, shape: Shape): Float32Array;
  fail(message: string, cause?: unknown): never;
  /** Runs `body`; what it cannot use of the file becomes a `ModelFileError`. */
  understand<T>(body: () => T): T;
}

type FileBytes = Uint8Array | DataView | ArrayBuffer | SharedArrayBuffer;

/** The bytes of a model file, of whatever holds them. Throws `ArgumentError` for what does not. */
function bytesOf(what: string, given: FileBytes): Uint8Array {
  const kind = classOf(given);
  if (!/^(Uint8Array|DataView|(Shared)?ArrayBuffer)$/.test(kind)) {
    const late = kind === 'Promise' ? '; await it' : '';
    throw new ArgumentError(`${what}: bytes expected a Uint8Array or an ArrayBuffer, got ${kind}${late}`);
  }
  const { buffer = given, byteOffset, byteLength } = given as Uint8Array<ArrayBuffer>;
  // No view can be made of a buffer that was transferred elsewhere.
  const view = byteLength > 0 ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) : new Uint8Array(0);
  // Hosts decode no text of shared memory.
  return classOf(buffer) === 'SharedArrayBuffer' ? view.slice() : view;
}

/**
 * Opens a model file.
 *
 * @param what who was asked, in front of an `ArgumentError`.
 * @param file its name, for errors about what it holds.
 * @throws ArgumentError for what is no bytes; ModelFileError unless they are a model file of a version that is known.
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
    understand(body) {
      try {
        return body();
      } catch (error) {
        // What a maker stumbles over says nothing in words of ours.
        const why = error instanceof ArgumentError ? error.message : 'an option has a value of another kind';
        if (error instanceof ArgumentError || error instanceof TypeError || error instanceof RangeError) {
          fail(`its configuration cannot be used: ${why}`, error);
        }
        throw error;
      }
    },
  };
}

/** Throws `ArgumentError` where they are not what they should be. */
export function extrasOf({ parse }: ModelFile): ModelExtras {
  const vocabulary = parse('vocabulary');
  if (vocabulary !== undefined) expectStrings("metadata 'vocabulary'", vocabulary);
  return { vocabulary: vocabulary as string[] | undefined, extra: parse<Json>('extra') };
}

/** A layer as `config` wrote it. */
export interface SavedLayer {
  readonly className: string;
  readonly config: LayerConfig & { readonly name: string };
}

/** A stack of layers as a file holds it. */
export interface SavedNetwork {
  readonly name: string;
  /** Undefined of a model that is code, which no file holds. */
  readonly layers: readonly SavedLayer[] | undefined;
  /** What the model was built for, where its first layer does not say. */
  readonly builtShape: unknown;
}

/** The error about a file that does not say what its model takes. */
export const NO_INPUT_SHAPE =
  'its first layer does not say what input it takes: give inputShape, the shape of one sample, such as [null, 3]';

/** The layers of a file; what a layer's options say is for the layer to check. Throws `ArgumentError`. */
export function networkOf({ parse }: ModelFile): SavedNetwork {
  const { name, isCustom, layers, builtShape } = expectObject("metadata 'network'", parse('network'));
  expectString('network.name', name);
  return { name: name as string, layers: isCustom ? undefined : savedLayers('network.layers', layers), builtShape };
}

/** Throws `ArgumentError` unless they are layers. */
export const savedLayers = (what: string, layers: unknown): readonly SavedLayer[] =>
  expectList(what, layers).map((layer, i) => savedLayer(`${what}[${i}]`, layer));

/** Throws `ArgumentError` unless `value` is a layer; `what` names it. */
export function savedLayer(what: string, value: unknown): SavedLayer {
  const layer = expectObject(what, value);
  expectString(`${what}.className`, layer.className);
  const config: Parsed = expectObject(`${what}.config`, layer.config);
  expectString(`${what}.config.name`, config.name);
  // JSON's word for NaN, which a comparison takes for 0.
  const missing = Object.keys(config).find((key) => config[key] === null);
  if (missing !== undefined) throw new ArgumentError(`${what}.config.${missing} expected a value, got null`);
  return layer as unknown as SavedLayer;
}
