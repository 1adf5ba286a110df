// A step of an imported model as the kernel calls that it makes: what tapeloop/compiled runs.
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { loadCompiledStream } from '../compiled/load.ts';
import { encodeCompiledStream, interfaceOf } from '../compiled/program.ts';
import type { Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import type { KernelCall } from '../engine/recording.ts';
import type { AnyModel } from '../models/model.ts';
import { GraphNetwork } from './graph-network.ts';
import type { RecordedStep } from './graph-program.ts';

/** Options of `compileStream`. */
export interface CompileStreamOptions {
  /** Number of sequences that run side by side. Default 1. */
  batch?: number | undefined;
}

const optionNames: Names<CompileStreamOptions> = { batch: 1 };

const DEPENDS = 'compileStream: what a step of the model does depends on what it computes, or on random numbers';

/** Frames on which the compiled stream is compared with the model. */
const CHECKED_STEPS = 4;

/**
 * Writes what one step of an imported model computes as a file of kernel calls and weights. `loadCompiledStream` of
 * `tapeloop/compiled` runs it, which is a third of the size of `tapeloop/onnx` and starts at once: no graph is read.
 *
 * @param model a model of `importOnnx` with states as inputs and outputs, one input and one output beside them.
 * @returns the file, for kernels of this version of tapeloop. Its outputs have been compared with those of the model,
 *   bit by bit.
 * @throws ArgumentError if the model is not an imported one or has no stream, an option is unknown or invalid, or what a
 *   step does depends on what it computes, as in a loop that ends by its values, or on random numbers.
 *
 * @example
 * const model = importOnnx(await readFile('vad.onnx'));
 * await writeFile('vad.stream', compileStream(model));
 */
export function compileStream(model: AnyModel, options: CompileStreamOptions = {}): Uint8Array<ArrayBuffer> {
  const { batch = 1 } = checkOptions('compileStream', options, optionNames);
  expectCount('compileStream: batch', batch);
  const network = (model as Partial<AnyModel> | undefined)?.network;
  if (!(network instanceof GraphNetwork)) {
    throw new ArgumentError(
      'compileStream: model expected one of importOnnx; tapeloop/stream runs files of encodeModel with layers of tapeloop',
    );
  }
  const engine = network.weights[0]?.tensor.engine ?? currentEngine();
  if (engine.openStep > 0) throw new ArgumentError('compileStream: expected no open step');
  if (engine.threads > 1) throw new ArgumentError(`compileStream: expected one thread, got ${engine.threads}`);
  const program = network.programOf(batch);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const step = program.record();
    // Its buffers are written before they are read.
    engine.arena.releaseSegments();
    bytes = written(step, engine, batch);
  } finally {
    program.dispose();
  }
  compare(model, bytes, batch);
  return bytes;
}

function written(step: RecordedStep, engine: Engine, rows: number): Uint8Array<ArrayBuffer> {
  const { calls, ...places } = step;
  if (!calls) throw new ArgumentError(DEPENDS);
  const extra = extraKernels(engine);
  const modules = [engine.kernels, extra] as const;
  const names: [string[], string[]] = [[], []];
  const isExtra = ({ module }: KernelCall): boolean => module !== undefined;
  for (const call of calls) {
    if (!('name' in call)) continue;
    if (isExtra(call) && engine.secondKernels.get(call.module) !== extra) {
      throw new ArgumentError(`compileStream: the kernel ${call.name} is not one that compiled streams have`);
    }
    const list = names[isExtra(call) ? 1 : 0];
    if (!list.includes(call.name)) list.push(call.name);
  }
  const numbers: number[] = [];
  for (const call of calls) {
    if ('name' in call) {
      const index = isExtra(call) ? names[0].length + names[1].indexOf(call.name) : names[0].indexOf(call.name);
      numbers.push(index, call.args.length, ...call.args);
    } else {
      const { buffer, byteOffset, length } = call.values;
      numbers.push(-1, 1 + length, call.at, ...new Int32Array(buffer, byteOffset, length));
    }
  }
  const program = {
    kernels: names,
    rows,
    ...places,
    memory: engine.memory.buffer.byteLength,
    interface: interfaceOf(modules),
  };
  return encodeCompiledStream(
    program,
    numbers,
    contentOf(
      engine,
      calls.flatMap((call) => ('name' in call ? call.args : [])),
    ),
  );
}

/**
 * What stands in the buffers of the heap that calls may read: those that an argument points into. A count that happens
 * to look like an address adds a buffer too many. Scratch is written before it is read.
 */
function contentOf({ heap, gemmScratch, memory }: Engine, args: readonly number[]): Map<Ptr, Uint8Array> {
  const kept = [...heap.used].filter(([at]) => at !== gemmScratch).sort(([a], [b]) => a - b);
  const content = new Map<Ptr, Uint8Array>();
  for (const arg of new Set(args)) {
    // The last buffer that begins at or before the address.
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (kept[middle]![0] <= arg) low = middle + 1;
      else high = middle;
    }
    const [at, size] = kept[low - 1] ?? [0, 0];
    if (arg < at + size) content.set(at, new Uint8Array(memory.buffer, at, size).slice());
  }
  return content;
}

/** Throws if a compiled stream gives other bits than the model's own. */
function compare(model: AnyModel, bytes: Uint8Array, batch: number): void {
  const [own, compiled] = [model.stream({ batch }), loadCompiledStream(bytes)];
  try {
    for (let step = 0; step < CHECKED_STEPS; step++) {
      const frame = Float32Array.from(
        { length: batch * own.inputWidth },
        (_, i) => ((i * 7 + step * 3) % 11) / 11 - 0.4,
      );
      const [a, b] = [own.step(frame), compiled.step(frame)];
      if (!a.every((value, i) => Object.is(value, b[i]))) {
        throw new ArgumentError(DEPENDS);
      }
    }
  } finally {
    own.dispose();
    compiled.dispose();
  }
}
