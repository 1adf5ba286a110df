import type { Kernels, Ptr } from './abi.ts';
import { type Build, hostHasRelaxedSimd, hostHasSimd, instantiateKernels } from './load.ts';
import { Arena, Heap, type Mark } from './memory.ts';
import { relaxed, simd } from './wasm.gen.ts';

/** `fast` uses fused multiply-add where the host has it; `reproducible` gives the same bits on every host. */
export type NumericMode = 'fast' | 'reproducible';

export interface InitOptions {
  /** Default `fast`. */
  mode?: NumericMode;
  /** A compiled kernel module of the caller's own, for hosts that forbid compiling from bytes. Its build must fit `mode`. */
  module?: WebAssembly.Module;
  /** Largest size linear memory may grow to, in bytes; default 4 GiB, Wasm's own limit. */
  maximumMemory?: number;
}

const inlined: Record<Build, string> = { simd, relaxed };
const LARGEST_MEMORY = 65536 * 65536;

/** Kernels, the memory they work on, and the two regions in it. Everything above works through one of these. */
export class Engine {
  readonly build: Build | 'custom';
  /** Exchanged for timed ones while a profile is taken. */
  kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly heap: Heap;
  readonly arena: Arena;
  /** Scratch of `gemm`, shared by all calls. */
  readonly gemmScratch: Ptr;
  #step = 0;
  #stepMark: Mark | undefined;

  constructor(module: WebAssembly.Module, build: Build | 'custom', maximumMemory: number) {
    this.build = build;
    this.memory = new WebAssembly.Memory({ initial: 16 });
    this.kernels = instantiateKernels(module, this.memory);
    this.heap = new Heap(this.memory, this.kernels.heapBase(), maximumMemory);
    this.arena = new Arena(this.heap);
    this.gemmScratch = this.heap.allocate(4 * this.kernels.gemm_scratch_size());
  }

  /** The number of the step now open, or 0 outside any step. */
  get openStep(): number {
    return this.#stepMark ? this.#step : 0;
  }

  /**
   * Runs `body` as one step: every tensor made in it lives in the arena and dies when it returns. Inside an open step,
   * `body` joins that step.
   */
  step<T>(body: () => T): T {
    if (this.#stepMark) return body();
    this.#step++;
    this.#stepMark = this.arena.mark();
    try {
      return body();
    } finally {
      const mark = this.#stepMark;
      this.#stepMark = undefined;
      this.arena.release(mark);
    }
  }

  /** Runs `body` and gives back what it allocated in the arena through `allocateScratch`. */
  scratch<T>(body: () => T): T {
    const mark = this.arena.mark();
    try {
      return body();
    } finally {
      this.arena.release(mark);
    }
  }

  /** A buffer of `count` 4-byte elements in the arena, for use inside `step` or `scratch`. */
  allocateScratch(count: number): Ptr {
    return this.arena.allocate(4 * count);
  }

  /** A view of memory as it is now: not to be kept across anything that allocates. */
  f32(at: Ptr, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }

  i32(at: Ptr, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function buildFor(mode: NumericMode): Build {
  if (!hostHasSimd()) throw new Error('tapeloop needs WebAssembly with 128-bit SIMD, which this host does not have');
  return mode === 'fast' && hostHasRelaxedSimd() ? 'relaxed' : 'simd';
}

function checkOptions({ mode = 'fast', maximumMemory = LARGEST_MEMORY }: InitOptions): {
  mode: NumericMode;
  maximumMemory: number;
} {
  if (mode !== 'fast' && mode !== 'reproducible') {
    throw new TypeError(`init: mode expected 'fast' or 'reproducible', got ${JSON.stringify(mode)}`);
  }
  if (!(maximumMemory >= 2 ** 21 && maximumMemory <= LARGEST_MEMORY)) {
    throw new RangeError(`init: maximumMemory expected 2 MiB to 4 GiB in bytes, got ${maximumMemory}`);
  }
  return { mode, maximumMemory };
}

let current: Engine | undefined;

/** The engine in use; made with default options on first use. */
export function engine(): Engine {
  if (!current) {
    const build = buildFor('fast');
    current = new Engine(new WebAssembly.Module(decodeBase64(inlined[build])), build, LARGEST_MEMORY);
  }
  return current;
}

/**
 * Chooses how tapeloop computes. Optional: without it the first use takes the defaults.
 *
 * A second call starts a fresh engine; tensors and models of the old one stay usable with each other but not with new ones.
 *
 * @returns the engine, which stays in use until the next `init`.
 * @throws if the host lacks 128-bit SIMD or an option is out of range.
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  const { mode, maximumMemory } = checkOptions(options);
  if (options.module) current = new Engine(options.module, 'custom', maximumMemory);
  else {
    const build = buildFor(mode);
    current = new Engine(await WebAssembly.compile(decodeBase64(inlined[build])), build, maximumMemory);
  }
  return current;
}
