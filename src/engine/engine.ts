import { ArgumentError, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { WorkerError } from '../checks/worker-error.ts';
import type { Kernels, Ptr } from './abi.ts';
import { instantiateKernels } from './loading/instantiate.ts';
import { canFuse, canShare, compile, compileNow } from './loading/kernel-modules.ts';
import { type Build, buildFor, checkMode, compileRefused, type NumericMode } from './loading/load.ts';
import { Arena, Heap, LARGEST_MEMORY, type Mark, makeMemory, OutOfMemoryError } from './memory.ts';
import type { Pool } from './thread-pool.ts';
import { hostHasThreads, type Part } from './threads.ts';

export interface InitOptions {
  /** Default `fast`. */
  mode?: NumericMode | undefined;
  /**
   * A compiled kernel module of the caller's own, for hosts that forbid compiling from bytes. Its build must fit
   * `mode`.
   */
  module?: WebAssembly.Module | undefined;
  /**
   * Threads to compute with, the calling one included. Default 1. The results are the same bits for any number. Where
   * the host does not let threads share memory (a page that is not cross-origin isolated) or refuses workers (a
   * Content-Security-Policy whose `worker-src` lacks `blob:`), there is one: `engine.threads` tells.
   */
  threads?: number | undefined;
  /** Largest size linear memory may grow to, in bytes; default 4 GiB, Wasm's own limit. */
  maximumMemory?: number | undefined;
}

/** Kernels, the memory they work on, and the two regions in it. Everything above works through one of these. */
export class Engine {
  /** Which kernels it runs: `relaxed` are fused, `simd` plain, `custom` those of a module given to `init`. */
  readonly build: Build | 'custom';
  /** Exchanged for timed ones while a profile is taken. @internal */
  kernels: Kernels;
  /** Linear memory: all tensors, weights and states. It only grows. */
  readonly memory: WebAssembly.Memory;
  /** @internal */
  readonly heap: Heap;
  /** @internal */
  readonly arena: Arena;
  /** Scratch of `gemm`, shared by all calls. @internal */
  readonly gemmScratch: Ptr;
  #pool: Pool | undefined;
  #step = 0;
  #stepMark: Mark | undefined;

  /** @internal */
  constructor(module: WebAssembly.Module, build: Build | 'custom', maximumMemory: number, shared = false) {
    this.build = build;
    this.memory = makeMemory(maximumMemory, shared);
    this.kernels = instantiateKernels(module, this.memory);
    this.heap = new Heap(this.memory, this.kernels.heapBase(), maximumMemory);
    this.arena = new Arena(this.heap);
    this.gemmScratch = this.heap.allocate(4 * this.kernels.gemm_scratch_size());
  }

  /** Threads that share the work, the calling one included. */
  get threads(): number {
    return this.#pool?.size ?? 1;
  }

  /** Starts the other threads, if the host lets them; the engine must have been made over shared memory. @internal */
  async startThreads(module: WebAssembly.Module, threads: number): Promise<boolean> {
    const size = 4 * this.kernels.gemm_scratch_size();
    const scratches = Array.from({ length: threads - 1 }, () => this.heap.allocate(size));
    // Loaded when it is asked for: most apps never do.
    const { Pool } = await import('./thread-pool.ts');
    this.#pool = await Pool.start(module, this.memory, this.kernels, scratches, (message) => new WorkerError(message));
    return this.#pool !== undefined;
  }

  /** Ends the other threads; what follows is computed by one. Without it they end with the process or the page. */
  stopThreads(): void {
    this.#pool?.stop();
    this.#pool = undefined;
  }

  /**
   * Makes `body` for all of [0, rows), in one part a thread. A part may do nothing but call kernels, and may not read
   * what they compute; parts may not write to the same places. @internal
   *
   * @param grain fewest rows worth a thread of their own.
   */
  parallel(rows: number, grain: number, body: (part: Part) => void): void {
    const own = { kernels: this.kernels, gemmScratch: this.gemmScratch };
    const parts = Math.min(this.threads, Math.floor(rows / grain));
    if (!this.#pool || parts < 2) {
      body({ ...own, from: 0, to: rows });
      return;
    }
    const ranges = Array.from({ length: parts }, (_, i) => ({
      from: Math.floor((i * rows) / parts),
      to: Math.floor(((i + 1) * rows) / parts),
    }));
    const pool = this.#pool;
    try {
      this.scratch(() => pool.run(ranges, own, (doubles) => this.allocateScratch(2 * doubles), body));
    } finally {
      if (pool.isStopped) this.#pool = undefined;
    }
  }

  /** The number of the step now open, or 0 outside any step. */
  get openStep(): number {
    return this.#stepMark ? this.#step : 0;
  }

  /**
   * Runs `body` as one step: every tensor made in it lives in the arena and dies when it returns. Inside an open step,
   * `body` joins that step. Within it this is the engine in use, whatever `init` has made since.
   */
  step<T>(body: () => T): T {
    if (this.#stepMark) return body();
    this.#step++;
    this.#stepMark = this.arena.mark();
    const outer = current;
    current = this;
    try {
      return body();
    } finally {
      current = outer;
      const mark = this.#stepMark;
      this.#stepMark = undefined;
      this.arena.release(mark);
    }
  }

  /** Runs `body` and gives back what it allocated in the arena through `allocateScratch`. @internal */
  scratch<T>(body: () => T): T {
    const mark = this.arena.mark();
    try {
      return body();
    } finally {
      this.arena.release(mark);
    }
  }

  /** A buffer of `count` 4-byte elements in the arena, for use inside `step` or `scratch`. @internal */
  allocateScratch(count: number): Ptr {
    return this.arena.allocate(4 * count);
  }

  /** The same, of zeros. @internal */
  zeroedScratch(count: number): Ptr {
    const at = this.allocateScratch(count);
    this.kernels.fill(count, 0, at);
    return at;
  }

  /** A view of memory as it is now: not to be kept across anything that allocates. @internal */
  f32(at: Ptr, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }

  /** The same, of integers. @internal */
  i32(at: Ptr, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }
}

interface Choice {
  readonly mode: NumericMode;
  readonly module: WebAssembly.Module | undefined;
  readonly maximumMemory: number;
  readonly threads: number;
}

function checkedOptions({ mode = 'fast', maximumMemory = LARGEST_MEMORY, threads = 1, module }: InitOptions): Choice {
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new ArgumentError(`init: threads expected an integer from 1 to 64, got ${shown(threads)}`);
  }
  if (module && threads > 1) throw new ArgumentError('init: threads > 1 cannot be had with a module of your own');
  checkMode('init', mode);
  if (typeof maximumMemory !== 'number' || !(maximumMemory >= 2 ** 21 && maximumMemory <= 2 ** 32)) {
    throw new ArgumentError(`init: maximumMemory expected 2 MiB to 4 GiB in bytes, got ${shown(maximumMemory)}`);
  }
  return {
    mode,
    module,
    maximumMemory: Math.min(maximumMemory, LARGEST_MEMORY),
    threads: canShare && hostHasThreads() ? threads : 1,
  };
}

let current: Engine | undefined;
// The last call of init, until it has finished: what it was asked for, and what it will give.
let running: { readonly choice: Choice; readonly engine: Promise<Engine> } | undefined;

/**
 * The engine in use; made with default options on first use.
 *
 * @throws ArgumentError while the first `init` runs: what is made then would not be on the engine that it was asked
 *   for. While a later one runs, the engine before is in use.
 */
export function engine(): Engine {
  if (running && !current) throw new ArgumentError('init is not finished: await it before anything is made');
  if (!current) {
    const build = buildFor('fast', canFuse);
    try {
      current = new Engine(compileNow(build), build, LARGEST_MEMORY);
    } catch (error) {
      throw compileRefused(error);
    }
  }
  return current;
}

/**
 * Chooses how tapeloop computes, for the whole process or page. Optional: without it the first use takes the defaults.
 * Call it once, at the start, and await it before anything else is made.
 *
 * A later call starts a fresh engine; tensors and models of the old one stay usable with each other but not with new
 * ones. Calls at once with the same options share one engine.
 *
 * @returns the engine in use, which stays so until the next `init`.
 * @throws HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it; OutOfMemoryError if it has
 *   not even the memory to start with; ArgumentError if an option is out of range. The engine before is then still in
 *   use.
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  const choice = checkedOptions(checkOptions('init', options, { mode: 1, module: 1, threads: 1, maximumMemory: 1 }));
  const isSame = (asked: Choice): boolean =>
    Object.keys(choice).every((name) => choice[name as keyof Choice] === asked[name as keyof Choice]);
  // A call that asks for nothing of its own takes what is being made.
  if (running && (Object.keys(options).length === 0 || isSame(running.choice))) return running.engine;
  // Another choice waits for the one before: engines are made one at a time, and the last call chooses.
  const before = running?.engine.catch(() => {});
  const own = { choice, engine: before ? before.then(() => start(choice)) : start(choice) };
  running = own;
  try {
    return await own.engine;
  } finally {
    if (running === own) running = undefined;
  }
}

async function start({ mode, module, maximumMemory, threads }: Choice): Promise<Engine> {
  let made: Engine | undefined;
  if (module) made = new Engine(module, 'custom', maximumMemory);
  else {
    const build = buildFor(mode, canFuse);
    try {
      if (threads > 1) made = await withThreads(build, maximumMemory, threads);
      made ??= new Engine(await compile(build, false), build, maximumMemory);
    } catch (error) {
      throw compileRefused(error);
    }
  }
  current?.stopThreads();
  current = made;
  return made;
}

/** An engine of several threads, or none where the host refuses workers or memory to share. */
async function withThreads(build: Build, maximumMemory: number, threads: number): Promise<Engine | undefined> {
  const module = await compile(build, true);
  try {
    const made = new Engine(module, build, maximumMemory, true);
    return (await made.startThreads(module, threads)) ? made : undefined;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
    throw error;
  }
}
