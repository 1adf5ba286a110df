import { checkOptions } from '../checks/options.ts';
import { type Build, buildFor, checkMode, compileRefused, type NumericMode } from '../engine/loading/load.ts';
import { isUrl } from '../host/class-of.ts';
import { type FileBytes, openModelFile } from '../io/model-file.ts';
import { streamEngine } from './engine.ts';
import { bytesOf, expectOneOf, FileStream, type LoadStreamOptions, loadNames } from './file-stream.ts';
import { canFuse, compile, compileNow } from './kernel-modules.ts';

const compiled: Partial<Record<Build, WebAssembly.Module>> = {};

/**
 * Compiles the kernels of streams, once. `loadStream` does this by itself. A worker or an AudioWorklet that gets the
 * module as the option `module` does not compile.
 *
 * @param mode `fast` or `reproducible`. Default `fast`.
 * @returns a module that can be posted to other threads.
 * @throws HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it; ArgumentError for an
 *   unknown mode.
 *
 * @example
 * const module = await compileKernels();
 * const stream = decodeStream(encodeModel(model), { module });
 */
export async function compileKernels(mode: NumericMode = 'fast'): Promise<WebAssembly.Module> {
  checkMode('compileKernels', mode);
  const build = buildFor(mode, canFuse);
  try {
    return (compiled[build] ??= await compile(build));
  } catch (error) {
    throw compileRefused(error);
  }
}

function compileKernelsNow(mode: NumericMode): WebAssembly.Module {
  const build = buildFor(mode, canFuse);
  try {
    return (compiled[build] ??= compileNow(build));
  } catch (error) {
    throw compileRefused(error);
  }
}

/**
 * Makes a stream from a model file that `encodeModel`, `saveModel` or `tapeloop train` wrote. Its outputs have the same
 * bits as those of `model.stream()`, but no model is needed. The file's data for training are not read.
 *
 * @param bytes the whole file; not kept.
 * @returns a stream with its own memory, which is freed with the stream.
 * @throws ModelFileError if the bytes are not a model file, have a newer version, lack a tensor, have a value that is
 *   not finite, or have a model that cannot run step by step; the message names the layer. No memory is allocated for
 *   content that the header announces but the file does not have. ArgumentError if `bytes` has another type, an option
 *   is out of range, or `mode` is `reproducible` together with a module; HostError if the host has no WebAssembly with
 *   128-bit SIMD or may not compile it; OutOfMemoryError if the host has no memory for it.
 *
 * @example
 * const stream = decodeStream(encodeModel(model));
 * const output = stream.step([0.2, -1]);
 */
export function decodeStream(bytes: FileBytes, options: LoadStreamOptions = {}): FileStream {
  const { mode, module, file, ...rest } = checkOptions('decodeStream', options, loadNames);
  expectOneOf('decodeStream', mode, module);
  const opened = openModelFile('decodeStream', bytes, file);
  return new FileStream(streamEngine(module ?? compileKernelsNow(mode ?? 'fast')), opened, rest);
}

/**
 * Makes a stream from a model file, like `decodeStream`. The file is fetched, or read from the disk if the host has
 * one, or given as bytes. The kernels are compiled outside the calling thread.
 *
 * @param source the URL of the file, relative to the page; in Node a path or a URL; or the bytes of the file.
 * @throws ModelFileError if the file cannot be fetched or read, or has one of the faults listed for `decodeStream`;
 *   ArgumentError if `source` has another type, an option is out of range, or `mode` is `reproducible` together with a
 *   module; HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it; OutOfMemoryError if the
 *   host has no memory for it.
 *
 * @example
 * const stream = await loadStream('model.safetensors');
 * const output = stream.step([0.2, -1]);
 */
export async function loadStream(
  source: string | URL | FileBytes,
  options: LoadStreamOptions = {},
): Promise<FileStream> {
  const { mode, ...rest } = checkOptions('loadStream', options, loadNames);
  expectOneOf('loadStream', mode, rest.module);
  const isBytes = typeof source !== 'string' && !isUrl(source);
  const [module, bytes] = await Promise.all([rest.module ?? compileKernels(mode), isBytes ? source : bytesOf(source)]);
  return decodeStream(bytes, { ...rest, module, file: rest.file ?? (isBytes ? undefined : String(source)) });
}
