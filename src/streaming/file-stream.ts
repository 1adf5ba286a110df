import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import type { Names } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import { checkMode, type NumericMode } from '../engine/loading/load.ts';
import { builtIn } from '../host/built-in.ts';
import { extrasOf, type Json, type ModelExtras, type ModelFile, NO_INPUT_SHAPE, networkOf } from '../io/model-file.ts';
import { ModelFileError } from '../io/safetensors.ts';
import type { StreamEngine } from './engine.ts';
import { addLayer, type WeightOf } from './layers.ts';
import type { StreamProgram, StreamWeight } from './program.ts';
import { Stream, type StreamOptions, streamNames } from './stream.ts';

export interface LoadStreamOptions extends StreamOptions {
  /** Like the option of `init` of `tapeloop`. Default `fast`. */
  mode?: NumericMode | undefined;
  /**
   * Kernels from `compileKernels`, called here or in the page that posted them. They determine the numeric mode, so
   * `mode` must not be `reproducible` then. Default: compiled on first use, for `mode`.
   */
  module?: WebAssembly.Module | undefined;
  /** The shape of one sample, `[T, F]`, for a file of version 0.1.0 whose first layer does not have it. */
  inputShape?: readonly (number | null)[] | undefined;
  /** The file's name, for errors. */
  file?: string | undefined;
}

/** The names of the options. */
export const loadNames: Names<LoadStreamOptions> = { mode: 1, module: 1, file: 1, inputShape: 1, ...streamNames };

/** The stream of a model file, with the vocabulary and the extra data of the file. */
export class FileStream extends Stream implements ModelExtras {
  /** Characters or words by id, if the file has them. */
  readonly vocabulary: readonly string[] | undefined;
  /** The value that `encodeModel` got as `extra`. */
  readonly extra: Json | undefined;

  /** @internal */
  constructor(engine: StreamEngine, file: ModelFile, { inputShape, ...options }: LoadStreamOptions) {
    const { layers, width, extras } = file.asFileErrors(() => {
      const { layers = file.fail('it holds a custom model: it cannot run step by step'), builtShape } = networkOf(file);
      const shape = layers[0]?.config.batchInputShape ?? builtShape ?? inputShape;
      if (!Array.isArray(shape)) file.fail(NO_INPUT_SHAPE);
      const width = (shape as Json[]).at(-1) as number;
      const given = inputShape?.at(-1) ?? width;
      if (width !== null && given !== width) file.fail(`inputShape expected ${width} features, got ${given}`);
      return { layers, width, extras: extrasOf(file) };
    });
    const weightOf: WeightOf = (name, shape) => new FileWeight(engine, name, shape, file.valuesOf(name, shape));
    const streamed = layers.map((layer) => ({
      addToStream: (program: StreamProgram) =>
        file.asFileErrors(() => {
          addLayer(program, layer, weightOf);
          if (program.idLimit === 0) expectCount('features of its input', width);
        }),
    }));
    super(engine, streamed, width, options);
    this.vocabulary = extras.vocabulary;
    this.extra = extras.extra;
  }
}

/** The function of node:fs/promises that is used here. */
interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array>;
}

/** A tensor of a file. Reading `ptr` copies it to linear memory, and `release` frees that copy. */
class FileWeight implements StreamWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly #engine: StreamEngine;
  readonly #values: Float32Array;
  #at: Ptr = 0;

  constructor(engine: StreamEngine, name: string, shape: Shape, values: Float32Array) {
    this.name = name;
    this.shape = shape;
    this.#engine = engine;
    this.#values = values;
  }

  get ptr(): Ptr {
    if (this.#at === 0) {
      const { heap, memory } = this.#engine;
      this.#at = heap.allocate(this.#values.byteLength);
      new Float32Array(memory.buffer, this.#at, this.#values.length).set(this.#values);
    }
    return this.#at;
  }

  release(): void {
    this.#engine.heap.release(this.#at);
    this.#at = 0;
  }
}

/**
 * Throws `ArgumentError` for an unknown mode, or for a mode other than `fast` together with a module: a module does not
 * show the mode for which it was compiled.
 */
export function expectOneOf(what: string, mode: NumericMode = 'fast', module?: WebAssembly.Module): void {
  checkMode(what, mode);
  if (module && mode !== 'fast') throw new ArgumentError(`${what}: mode is chosen by compileKernels(mode) of a module`);
}

/** The bytes of a file at an address. Throws `ModelFileError` if it cannot be fetched or read. */
export async function bytesOf(address: string | URL): Promise<Uint8Array | ArrayBuffer> {
  const file = String(address);
  let response: Response;
  // In Node and similar hosts a path or a `file:` URL is read from the disk, because `fetch` does not take it there.
  // One letter before a colon is a drive of Windows.
  const files = !/^(?!file)\w\w+:/.test(file) && (builtIn('fs/promises') as FileSystem | undefined);
  try {
    if (files) return await files.readFile(address);
    response = await fetch(address);
  } catch (cause) {
    throw new ModelFileError('it could not be fetched', { file, cause });
  }
  if (!response.ok) throw new ModelFileError(`expected to be fetched, got status ${response.status}`, { file });
  return response.arrayBuffer();
}
