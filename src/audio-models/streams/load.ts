import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { type Build, buildFor, checkMode, compileRefused, type NumericMode } from '../../engine/loading/load.ts';
import { classOf } from '../../host/class-of.ts';
import { type FileBytes, openModelFile } from '../../io/model-file.ts';
import { streamEngine } from '../../streaming/engine.ts';
import { expectOneOf, FileStream, type LoadStreamOptions, loadNames } from '../../streaming/file-stream.ts';
import { type JsonFile, modelFileOf, readJsonFile } from '../json-file.ts';
import { canFuse, compile, compileNow } from '../kernels/kernel-modules.ts';
import { convertNam } from '../nam/read.ts';
import { streamInBlocks } from './block-layers.ts';

const compiled: Partial<Record<Build, WebAssembly.Module>> = {};

/**
 * Compiles the kernels of streams of blocks, once. A worker or an AudioWorklet that gets the module as the option
 * `module` does not compile.
 *
 * @param mode `fast` or `reproducible`. Default `fast`.
 * @returns a module that can be posted to other threads.
 * @throws HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it; ArgumentError for an
 *   unknown mode.
 *
 * @example
 * const stream = audioStream(encodeModel(model), { module: await compileBlockKernels() });
 */
export async function compileBlockKernels(mode: NumericMode = 'fast'): Promise<WebAssembly.Module> {
  checkMode('compileBlockKernels', mode);
  const build = buildFor(mode, canFuse);
  try {
    return (compiled[build] ??= await compile(build));
  } catch (error) {
    throw compileRefused(error);
  }
}

function compileBlockKernelsNow(mode: NumericMode = 'fast'): WebAssembly.Module {
  const build = buildFor(mode, canFuse);
  try {
    return (compiled[build] ??= compileNow(build));
  } catch (error) {
    throw compileRefused(error);
  }
}

/** Throws `ArgumentError` unless it is a module of `compileBlockKernels`. */
function expectBlockKernels(what: string, module: unknown): void {
  const kind = classOf(module);
  const isModule = kind === 'WebAssembly.Module';
  if (isModule && WebAssembly.Module.exports(module as WebAssembly.Module).some(({ name }) => name === 'lstm_steps'))
    return;
  const got = isModule ? 'one of other kernels' : kind === 'Promise' ? 'a Promise; await it' : shown(module);
  throw new ArgumentError(`${what}: module expected a WebAssembly.Module of compileBlockKernels, got ${got}`);
}

/**
 * Makes a stream from a model file, like `decodeStream` of `tapeloop/stream`, also for models with causal `conv1d`,
 * `waveNet`, `learnedState` and `prelu`. It runs block by block: give `maxSteps`.
 *
 * @param bytes the whole file, as `encodeModel` writes it; not kept.
 * @returns a stream with its own memory, which is freed with the stream. Its outputs have the bits of `predict`.
 * @throws ModelFileError if the bytes are not a model file or have a model that cannot run step by step; ArgumentError if
 *   `bytes` has another type, an option is out of range, `module` is not of `compileBlockKernels`, or `mode` is
 *   `reproducible` together with one; HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it;
 *   OutOfMemoryError if the host has no memory.
 *
 * @example
 * const stream = audioStream(encodeModel(model), { maxSteps: 128 });
 */
export function audioStream(bytes: FileBytes, options: LoadStreamOptions = {}): FileStream {
  const { mode, module, file, ...rest } = checkOptions('audioStream', options, loadNames);
  expectOneOf('audioStream', mode, module);
  if (module !== undefined) expectBlockKernels('audioStream', module);
  streamInBlocks();
  const opened = openModelFile('audioStream', bytes, file);
  return new FileStream(streamEngine(module ?? compileBlockKernelsNow(mode)), opened, rest);
}

/**
 * Makes a stream from a `.nam` file of Neural Amp Modeler, without making a model.
 *
 * @param file the bytes of the file, its text, or the object that the text describes.
 * @returns a stream `[n, 1]` to `[n, 1]`, whose `extra.nam` has the file's `version`, `architecture`, `sampleRate` and
 *   `metadata`.
 * @throws ModelFileError if the file is refused as `importNam` refuses it; ArgumentError and HostError as for
 *   `audioStream`.
 * @see https://github.com/sdatkinson/NeuralAmpModelerCore
 *
 * @example
 * const stream = namStream(namFile, { maxSteps: 128 });
 * stream.steps(new Float32Array(128), 128);
 */
export function namStream(file: JsonFile, options: LoadStreamOptions = {}): FileStream {
  checkOptions('namStream', options, loadNames);
  return audioStream(modelFileOf(readJsonFile('namStream', file, convertNam)), options);
}
