import { checkOptions, type Names } from '../checks/options.ts';
import type { Kernels, Ptr } from '../engine/abi.ts';
import { compileNow as compileExtra } from '../engine/extra/kernel-modules.ts';
import { canFuse, compileNow } from '../engine/loading/kernel-modules.ts';
import { type Build, buildFor, checkMode, compileRefused, type NumericMode } from '../engine/loading/load.ts';
import { Heap, LARGEST_MEMORY, makeMemory } from '../engine/memory.ts';
import { bytesOf, type FileBytes } from '../io/model-file.ts';
import { decodeSafetensors, ModelFileError, type SafetensorsTensor } from '../io/safetensors.ts';
import type { StreamEngine } from '../streaming/engine.ts';
import type { State, StepProgram, StreamProgram } from '../streaming/program.ts';
import { Stream } from '../streaming/stream.ts';
import { type CompiledProgram, interfaceOf, KEY, type Place, VERSION } from './program.ts';

const PAGE = 65536;

type Call = readonly [kernel: (...args: number[]) => unknown, args: readonly number[]];

/** Options of `loadCompiledStream`. */
export interface CompiledStreamOptions {
  /** Like the option of `init` of `tapeloop`. Default `fast`. */
  mode?: NumericMode | undefined;
  /** The largest number of steps of one call of `steps`. Default 1. */
  maxSteps?: number | undefined;
  /** The file's name, for errors. */
  file?: string | undefined;
}

const optionNames: Names<CompiledStreamOptions> = { mode: 1, maxSteps: 1, file: 1 };

/**
 * Loads a stream that `compileStream` of `tapeloop/onnx` has written. The bits of its outputs are
 * those of the model's own stream. A compiled stream is a program: it can only compute in memory of its own, but what
 * it computes, and for how long, is up to its file.
 *
 * @param bytes the file. The stream keeps nothing of it.
 * @returns a stream with the states at zero. Its memory is freed with it.
 * @throws ModelFileError if the bytes are no compiled stream, or one for kernels of another version of tapeloop;
 *   ArgumentError if an option is unknown or invalid; HostError if the host has no WebAssembly with 128-bit SIMD or may
 *   not compile it; OutOfMemoryError if the host does not give the memory.
 *
 * @example
 * const stream = loadCompiledStream(await (await fetch('vad.stream')).arrayBuffer());
 * const [probability] = stream.step(frame);
 */
export function loadCompiledStream(bytes: FileBytes, options: CompiledStreamOptions = {}): Stream {
  const { mode = 'fast', maxSteps, file } = checkOptions('loadCompiledStream', options, optionNames);
  checkMode('loadCompiledStream', mode);
  const fail = (message: string): never => {
    throw new ModelFileError(message, { file });
  };
  const { tensors, metadata } = decodeSafetensors(bytesOf('loadCompiledStream', bytes), file);
  const build = buildFor(mode, canFuse);
  const program = checked(metadata[KEY] ?? fail('expected a compiled stream, got another safetensors file'), fail);
  const { engine, kernels } = instantiate(build, program.memory);
  if (program.interface !== interfaceOf(kernels)) fail(OTHER_VERSION);
  const image = new Uint8Array(engine.memory.buffer);
  for (const [name, { dtype, data }] of tensors) {
    if (name === 'calls') continue;
    const at = Number(name.slice('memory.'.length));
    if (dtype !== 'U8' || !(at >= 0 && at + data.length <= program.memory))
      fail(`${name}: expected bytes in its memory`);
    image.set(data as Uint8Array, at);
  }
  const calls = callsOf(tensors.get('calls'), program, kernels, engine.memory, fail);
  const layer = {
    addToStream(unused: StreamProgram) {
      unused.dispose();
      return new CompiledSteps(engine, program, calls);
    },
  };
  return new Stream(engine, [layer], program.input.size / program.rows, { batch: program.rows, maxSteps });
}

type Fail = (message: string) => never;

const OTHER_VERSION = 'it is compiled for another version of tapeloop: compile the model again';

function checked(text: string, fail: Fail): CompiledProgram {
  let json: Partial<CompiledProgram> & { version?: number };
  try {
    json = JSON.parse(text);
  } catch {
    return fail('the program of the compiled stream is not JSON');
  }
  const { version, ...program } = json ?? {};
  if (version !== VERSION) fail(OTHER_VERSION);
  const { rows = 0, memory = 0, input, output, states = [], kernels = [[], []] } = program;
  const isSize = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const fits = (place?: Place): boolean =>
    isSize(place?.at) && isSize(place?.size) && place!.at % 4 === 0 && place!.at + 4 * place!.size <= memory;
  const places = Array.isArray(states) ? states.flatMap((state) => [state?.given, state?.next]) : [undefined];
  const areNames = Array.isArray(kernels) && kernels.length === 2 && kernels.every(Array.isArray);
  const isWhole = isSize(memory) && memory <= LARGEST_MEMORY && isSize(rows) && rows > 0 && areNames;
  if (!isWhole || ![input, output, ...places].every(fits)) fail('the program of the compiled stream is damaged');
  return program as CompiledProgram;
}

/** Memory of its own with both sets of kernels on it. What streams allocate follows the memory of the program. */
function instantiate(build: Build, bytes: number): { engine: StreamEngine; kernels: [object, object] } {
  const memory = makeMemory(LARGEST_MEMORY, false);
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  const heap = new Heap(memory, bytes, LARGEST_MEMORY);
  // The heap alone grows memory; the last page of it is for the stream's own buffers.
  if (missing > 0) heap.release(heap.allocate(missing * PAGE));
  try {
    const [own, extra] = [compileNow(build), compileExtra(build, false)].map(
      (module) => new WebAssembly.Instance(module, { env: { memory } }).exports,
    ) as [unknown, object];
    const kernels = own as Kernels;
    return { engine: { kernels, memory, heap, gemmScratch: 0 }, kernels: [kernels, extra] };
  } catch (error) {
    throw compileRefused(error);
  }
}

function callsOf(
  tensor: SafetensorsTensor | undefined,
  { kernels: names }: CompiledProgram,
  kernels: readonly [object, object],
  memory: WebAssembly.Memory,
  fail: Fail,
): Call[] {
  const known = names.flatMap((each, i) =>
    each.map((name) => {
      const kernel = Object.hasOwn(kernels[i]!, name) ? kernels[i]![name as never] : undefined;
      return typeof kernel === 'function'
        ? (kernel as Call[0])
        : fail(`it calls ${JSON.stringify(name)}, which is no kernel`);
    }),
  );
  // The memory of a stream grows when its first step allocates, so the view is made anew.
  const write = (at: Ptr, ...words: number[]): void => new Int32Array(memory.buffer, at, words.length).set(words);
  const data = tensor?.dtype === 'F64' ? tensor.data : fail('calls: expected numbers of 64 bits');
  const calls: Call[] = [];
  for (let i = 0; i < data.length; ) {
    const [index, count] = [data[i]!, data[i + 1]!];
    const kernel = index === -1 ? write : known[index];
    if (!kernel || !(Number.isInteger(count) && count >= 0 && i + 2 + count <= data.length)) {
      return fail(`calls: ${i} begins no call`);
    }
    calls.push([kernel as Call[0], [...data.subarray(i + 2, i + 2 + count)]]);
    i += 2 + count;
  }
  return calls;
}

/** The steps of a compiled stream. */
class CompiledSteps implements StepProgram {
  readonly states: State[];
  readonly inputWidth: number;
  readonly width: number;
  readonly idLimit = 0;
  readonly endsInSoftmax = false;
  readonly #engine: StreamEngine;
  readonly #program: CompiledProgram;
  readonly #calls: readonly Call[];
  readonly #buffers: Ptr[] = [];

  constructor(engine: StreamEngine, program: CompiledProgram, calls: readonly Call[]) {
    this.#engine = engine;
    this.#program = program;
    this.#calls = calls;
    const { rows, input, output, states } = program;
    this.inputWidth = input.size / rows;
    this.width = output.size / rows;
    this.states = states.map(({ given: { size } }) => ({ ptr: this.allocate(size), size }));
    for (const { ptr, size } of this.states) engine.kernels.fill(size, 0, ptr);
  }

  allocate(count: number): Ptr {
    const at = this.#engine.heap.allocate(4 * count);
    this.#buffers.push(at);
    return at;
  }

  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void {
    const { input: x, output: y, states } = this.#program;
    const bytes = new Uint8Array(this.#engine.memory.buffer);
    const copy = (from: Ptr, to: Ptr, size: number): void => void bytes.copyWithin(to, from, from + 4 * size);
    for (let step = 0; step < steps; step++) {
      copy(input + step * inputBytes, x.at, x.size);
      for (let i = 0; i < states.length; i++) copy(this.states[i]!.ptr, states[i]!.given.at, this.states[i]!.size);
      for (const [kernel, args] of this.#calls) kernel(...args);
      copy(y.at, output + 4 * step * y.size, y.size);
      for (let i = 0; i < states.length; i++) copy(states[i]!.next.at, this.states[i]!.ptr, this.states[i]!.size);
    }
  }

  dispose(): void {
    for (const at of this.#buffers.splice(0)) this.#engine.heap.release(at);
    this.states.length = 0;
  }
}
