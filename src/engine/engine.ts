import { ArgumentError, shown } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { WorkerError } from '../checks/worker-error.ts';
import type { Kernels, Ptr } from './abi.ts';
import { instantiateKernels } from './loading/instantiate.ts';
import { canFuse, canShare, compile, compileNow } from './loading/kernel-modules.ts';
import { type Build, buildFor, checkMode, compileRefused, HostError, type NumericMode } from './loading/load.ts';
import { Arena, Heap, LARGEST_MEMORY, type Mark, makeMemory, OutOfMemoryError } from './memory.ts';
import type { Pool } from './thread-pool.ts';
import { hostHasThreads, type Part } from './threads.ts';
import { TileProbe } from './tile-probe.ts';

export interface InitOptions {
  /** Default `fast`. */
  mode?: NumericMode | undefined;
  /**
   * A compiled kernel module from the caller, for hosts that forbid compiling from bytes. Its build must fit `mode`.
   */
  module?: WebAssembly.Module | undefined;
  /**
   * Number of threads that compute, the calling thread included. Default 1. The results have the same bits for any
   * number. There is one thread if the host does not let threads share memory (a page that is not cross-origin
   * isolated) or refuses workers (a Content-Security-Policy whose `worker-src` lacks `blob:`). `engine.threads` is the
   * actual number.
   */
  threads?: number | undefined;
  /**
   * Whether to turn on the pass of V8 that joins vectors of 128 bits into vectors of 256, for this process, in Node 24
   * and newer, before anything is computed. Products then take about half the time; the results have the same bits. V8
   * calls the pass experimental. Default false, which leaves the host as it is: wide vectors are used where they are on.
   */
  wide?: boolean | undefined;
  /** The largest size of linear memory, in bytes. Default 4 GiB, Wasm's own limit, less one page of 64 KiB. */
  maximumMemory?: number | undefined;
}

const initNames: Names<InitOptions> = { mode: 1, module: 1, threads: 1, wide: true, maximumMemory: 1 };

/** What `Engine.build` says. */
export type EngineBuild = `${Build | 'custom'}${'' | '-wide'}`;

/**
 * The kernels, their linear memory, and its two regions: the heap and the arena. Every tensor belongs to one engine.
 */
export class Engine {
  /** A `Profiler` and a `Recording` replace them by their own while they run. @internal */
  kernels: Kernels;
  /** Kernels of other modules on this memory, by what gives them. @internal */
  secondKernels = new Map<unknown, unknown>();
  /** Linear memory, with all tensors, weights and states. It never shrinks. */
  readonly memory: WebAssembly.Memory;
  /** @internal */
  readonly heap: Heap;
  /** @internal */
  readonly arena: Arena;
  /** Scratch of `gemm`, shared by all calls. @internal */
  readonly gemmScratch: Ptr;
  readonly #build: Build | 'custom';
  readonly #probe: TileProbe;
  #pool: Pool | undefined;
  #step = 0;
  #stepMark: Mark | undefined;

  /** @internal */
  constructor(module: WebAssembly.Module, build: Build | 'custom', maximumMemory: number, shared = false) {
    this.#build = build;
    this.memory = makeMemory(maximumMemory, shared);
    this.kernels = instantiateKernels(module, this.memory);
    this.heap = new Heap(this.memory, this.kernels.heapBase(), maximumMemory);
    this.arena = new Arena(this.heap);
    this.gemmScratch = this.heap.allocate(4 * this.kernels.gemm_scratch_size());
    this.#probe = new TileProbe(this.kernels, this.gemmScratch);
  }

  /**
   * The kernels in use: `relaxed` with fused multiply-add, `simd` without, `custom` for a module given to `init`. The
   * ending `-wide` says that products use 256-bit vectors. The engine finds out in its first steps whether they are
   * faster on this host; the results have the same bits.
   */
  get build(): EngineBuild {
    return `${this.#build}${this.#probe.isWide ? '-wide' : ''}`;
  }

  /** Number of threads that share the work, the calling thread included. */
  get threads(): number {
    return this.#pool?.size ?? 1;
  }

  /**
   * Starts the other threads. Returns false if the host refuses them. The memory of the engine must be shared.
   * @internal
   */
  async startThreads(module: WebAssembly.Module, threads: number): Promise<boolean> {
    const size = 4 * this.kernels.gemm_scratch_size();
    const scratches = Array.from({ length: threads - 1 }, () => this.heap.allocate(size));
    // Loaded only when it is needed: most apps use one thread.
    const { Pool } = await import('./thread-pool.ts');
    const fault = (message: string): Error => new WorkerError(message);
    this.#pool = await Pool.start(module, this.memory, this.kernels, scratches, fault, this.#probe.hasClock);
    return this.#pool !== undefined;
  }

  /**
   * Ends the other threads. Later computations use one thread. Without this call the threads end with the process or
   * the page.
   */
  stopThreads(): void {
    this.#pool?.stop();
    this.#pool = undefined;
  }

  /**
   * Runs `body` for the rows [0, rows), in one part per thread or less. A part may only call kernels and must not read
   * their results. Parts must not write to the same memory. @internal
   *
   * @param grain the number of rows for which another thread pays off, as a fraction if it is less than one.
   * @param least the smallest number of rows of a part.
   */
  parallel(rows: number, grain: number, body: (part: Part) => void, least = 1): void {
    const own = { kernels: this.kernels, gemmScratch: this.gemmScratch };
    const most = Math.min(this.threads, Math.floor(rows / Math.max(grain, least)));
    const pool = this.#pool;
    if (!pool || most < 2) {
      body({ ...own, index: 0, from: 0, to: rows });
      return;
    }
    try {
      pool.isWide = this.#probe.isWide;
      const place = (doubles: number): Ptr => this.allocateScratch(2 * doubles);
      this.scratch(() => pool.run({ rows, most, work: rows / grain }, own, place, body));
    } finally {
      if (pool.isStopped) this.#pool = undefined;
    }
  }

  /** The number of the open step, or 0 outside a step. */
  get openStep(): number {
    return this.#stepMark ? this.#step : 0;
  }

  /**
   * Runs `body` as one step: every tensor made in it is in the arena and lives until it returns. Inside an open step,
   * `body` joins that step. During the step this engine is the engine in use, even if `init` has made another one.
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
      this.#probe.advance();
    }
  }

  /** Runs `body` and frees everything that it allocated in the arena. @internal */
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

  /** `allocateScratch`, filled with zeros. @internal */
  zeroedScratch(count: number): Ptr {
    const at = this.allocateScratch(count);
    this.kernels.fill(count, 0, at);
    return at;
  }

  /** A view of `count` floats at `at`. Do not keep it: any allocation may detach it. @internal */
  f32 = (at: Ptr, count: number): Float32Array => new Float32Array(this.memory.buffer, at, count);

  /** A view of `count` integers at `at`. Do not keep it: any allocation may detach it. @internal */
  i32 = (at: Ptr, count: number): Int32Array => new Int32Array(this.memory.buffer, at, count);
}

interface Choice {
  readonly wide: boolean;
  readonly mode: NumericMode;
  readonly module: WebAssembly.Module | undefined;
  readonly maximumMemory: number;
  readonly threads: number;
}

function checkedOptions(options: InitOptions): Choice {
  const { mode = 'fast', maximumMemory = LARGEST_MEMORY, threads = 1, module, wide = false } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new ArgumentError(`init: threads expected an integer from 1 to 64, got ${shown(threads)}`);
  }
  if (module && threads > 1) throw new ArgumentError('init: threads > 1 cannot be had with a module of your own');
  checkMode('init', mode);
  if (typeof maximumMemory !== 'number' || !(maximumMemory >= 2 ** 21 && maximumMemory <= 2 ** 32)) {
    throw new ArgumentError(`init: maximumMemory expected 2 MiB to 4 GiB in bytes, got ${shown(maximumMemory)}`);
  }
  return {
    wide,
    mode,
    module,
    maximumMemory: Math.min(maximumMemory, LARGEST_MEMORY),
    threads: canShare && hostHasThreads() ? threads : 1,
  };
}

let current: Engine | undefined;
// Whether `init` has turned on wide vectors in this process.
let isWideOn = false;
// The last call of `init` while it runs: its options and its result.
let running: { readonly choice: Choice; readonly engine: Promise<Engine> } | undefined;

/**
 * The engine in use. The first use makes it with default options.
 *
 * @throws ArgumentError while the first `init` runs, because objects made now would not belong to its engine. While a
 *   later `init` runs, the previous engine is in use. HostError if the host has no WebAssembly with 128-bit SIMD or may
 *   not compile it.
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
 * Sets how tapeloop computes, for the whole process or page. It is optional: without it the first use takes the
 * defaults. Call it once, at the start, and await it before you make anything else.
 *
 * A later call starts a new engine. Tensors and models of the old engine can be used with each other, but not with new
 * ones. Concurrent calls with the same options share one engine.
 *
 * @returns the new engine, which is in use until the next `init`.
 * @throws HostError if the host has no WebAssembly with 128-bit SIMD or may not compile it, or cannot turn on wide
 *   vectors; OutOfMemoryError if the host does not give the memory to start with; ArgumentError if an option is out of
 *   range, or `wide` comes after the first use. After an error the previous engine is still in use.
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  const choice = checkedOptions(checkOptions('init', options, initNames));
  const isSame = (asked: Choice): boolean =>
    Object.keys(choice).every((name) => choice[name as keyof Choice] === asked[name as keyof Choice]);
  // A call without options shares the engine that is being made.
  if (running && (Object.keys(options).length === 0 || isSame(running.choice))) return running.engine;
  // A call with other options waits for the previous one. Engines are made one at a time, and the last call determines
  // the engine in use.
  const before = running?.engine.catch(() => {});
  const own = { choice, engine: before ? before.then(() => start(choice)) : start(choice) };
  running = own;
  try {
    return await own.engine;
  } finally {
    if (running === own) running = undefined;
  }
}

async function start({ wide, mode, module, maximumMemory, threads }: Choice): Promise<Engine> {
  if (wide && !isWideOn) {
    // V8 keeps the code that it has compiled for the same bytes.
    if (current) throw new ArgumentError('init: wide expected before the first use and the first init of this process');
    const { turnOnWide } = await import('./wide-flag.ts');
    const refusal = turnOnWide();
    if (refusal !== undefined) throw new HostError(`init: wide: ${refusal}`);
    isWideOn = true;
  }
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

/** An engine with several threads. Undefined if the host refuses workers or shared memory. */
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
