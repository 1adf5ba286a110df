import type { Kernels, Ptr } from './abi.ts';
import { hostTimeout, type Part } from './threads.ts';

// Words of a worker's control block. A higher number in JOB starts the worker. At the end it sets DONE to that number.
const JOB = 0;
const DONE = 1;
const COMMANDS = 2;
const COUNT = 3;
const FAILED = 4;
const BEAT = 5;
const WIDE = 6;
const CONTROL_WORDS = 16;

// Spin rounds before a thread sleeps: 0.1 to 0.4 ms. The time between two parts of a step is seldom longer. With 20,000
// rounds, wake-ups took 5% of the time of a small step.
const SPINS = 100_000;
// A worker counts as lost if it does not start, or finishes no command, for this time. The longest kernel call takes a
// fraction of a second.
const PATIENCE_MS = 5_000;

/**
 * Makes the error for a lost worker. It is an argument, because a class that both this file and the main file import
 * would become a third file of the package.
 */
type WorkerFault = (message: string) => Error;

interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref?(): void;
  /** For workers of Node. Workers of a page have `onerror`. */
  on?(event: 'error', listener: () => void): void;
  onerror?: unknown;
}

/**
 * The code of a worker. It runs commands in linear memory. A command is the index of an export, the number of
 * arguments, and the arguments. The function must not use anything outside itself, because only its source text is sent
 * to the worker.
 */
function serve(setUp: {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: Int32Array;
  spins: number;
}): void {
  const { module, memory, control, spins } = setUp;
  const [job, done, commands, count, failed, beat, wide] = [0, 1, 2, 3, 4, 5, 6];
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = Object.values(exports) as ((...args: number[]) => unknown)[];
  const setWide = exports.set_wide as (on: number) => void;
  let current = 0;
  Atomics.store(control, done, -1);
  for (;;) {
    for (let i = 0; i < spins && Atomics.load(control, job) === current; i++);
    Atomics.wait(control, job, current);
    const next = Atomics.load(control, job);
    // A late notification, for a job that the loop above has already seen and that is done. The commands of this job no
    // longer exist.
    if (next === current) continue;
    current = next;
    try {
      setWide(control[wide]!);
      const c = new Float64Array(memory.buffer, control[commands]! >>> 0, control[count]!);
      for (let i = 0; i < c.length; i += 2 + c[i + 1]!) {
        const run = kernels[c[i]!]!;
        // Wasm functions ignore additional arguments.
        run(
          c[i + 2]!,
          c[i + 3]!,
          c[i + 4]!,
          c[i + 5]!,
          c[i + 6]!,
          c[i + 7]!,
          c[i + 8]!,
          c[i + 9]!,
          c[i + 10]!,
          c[i + 11]!,
          c[i + 12]!,
          c[i + 13]!,
        );
        control[beat]!++;
      }
    } catch {
      control[failed] = 1;
    }
    Atomics.store(control, done, current);
    Atomics.notify(control, done);
  }
}

/**
 * Kernels that record their calls in `commands` instead of running them. A worker runs them later. They return nothing.
 */
function recorder(kernels: Kernels, commands: number[]): Kernels {
  const noted = Object.keys(kernels).map((name, index) => [
    name,
    (...args: number[]): void => {
      commands.push(index, args.length, ...args);
    },
  ]);
  return Object.fromEntries(noted) as Kernels;
}

/**
 * A point from which a part can be run again. `from` and `at` are positions in its commands. The commands in [from, at)
 * copy the buffers that the commands from `at` on change.
 */
interface Restart {
  from: number;
  at: number;
  buffers: readonly Ptr[];
  count: number;
}

interface Member {
  worker: WorkerLike;
  control: Int32Array;
  commands: number[];
  restarts: Restart[];
  kernels: Kernels;
  gemmScratch: Ptr;
}

/**
 * Workers on the memory of the engine. Each worker runs the kernel calls that the calling thread has recorded for it.
 */
export class Pool {
  readonly #memory: WebAssembly.Memory;
  readonly #fault: WorkerFault;
  readonly #members: Member[];
  #job = 0;
  /** Whether all workers were ended, as they are after one is lost. */
  isStopped = false;
  /** Whether workers use the wide tiles of `gemm`. */
  isWide = false;

  private constructor(memory: WebAssembly.Memory, members: Member[], fault: WorkerFault) {
    this.#fault = fault;
    this.#memory = memory;
    this.#members = members;
  }

  /** Starts `scratches.length` workers and waits until they are ready. Undefined if the host refuses them. */
  static async start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    scratches: readonly Ptr[],
    fault: WorkerFault,
  ): Promise<Pool | undefined> {
    const members: Member[] = [];
    const pool = new Pool(memory, members, fault);
    let refused = false;
    const refuse = (): void => {
      refused = true;
    };
    try {
      for (const gemmScratch of scratches) {
        const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
        const worker = spawn({ module, memory, control, spins: SPINS }, refuse);
        const commands: number[] = [];
        members.push({ worker, control, commands, restarts: [], kernels: recorder(kernels, commands), gemmScratch });
      }
    } catch {
      refuse();
    }
    const start = performance.now();
    const waiting = (): boolean => members.some(({ control }) => Atomics.load(control, DONE) !== -1);
    while (!refused && waiting() && performance.now() - start < PATIENCE_MS) {
      await new Promise((resolve) => hostTimeout(resolve, 1));
    }
    if (refused || waiting()) {
      pool.stop();
      return undefined;
    }
    return pool;
  }

  /** Number of threads, the calling thread included. */
  get size(): number {
    return this.#members.length + 1;
  }

  /**
   * Runs `body` once per part. The calling thread gets its own kernels. Each worker's part gets kernels that record
   * their calls, which the workers then run in parallel. Returns when all parts are done. If a worker is lost, the
   * calling thread finishes its part from the last restart point (`Part.keep`).
   *
   * @throws WorkerError if a worker is lost whose part has no restart point.
   * @param ranges one per thread, that of the calling thread first.
   * @param place allocates memory for commands: a number of float64 values.
   */
  run(
    ranges: readonly { from: number; to: number }[],
    own: Omit<Part, 'from' | 'to'>,
    place: (doubles: number) => Ptr,
    body: (part: Part) => void,
  ): void {
    const busy = this.#members.slice(0, ranges.length - 1);
    this.#job = (this.#job + 1) & 0x3fffffff;
    busy.forEach(({ commands, restarts, control, kernels, gemmScratch }, i) => {
      commands.length = 0;
      restarts.length = 0;
      const keep = (buffers: readonly Ptr[], count: number): void => {
        const from = commands.length;
        buffers.forEach((buffer, j) => kernels.scale(count, 1, buffer, gemmScratch + 4 * j * count));
        restarts.push({ from, at: commands.length, buffers, count });
      };
      body({ kernels, gemmScratch, keep, ...ranges[i + 1]! });
      const at = place(commands.length);
      new Float64Array(this.#memory.buffer, at, commands.length).set(commands);
      control[COMMANDS] = at;
      control[COUNT] = commands.length;
      control[BEAT] = 0;
      control[WIDE] = Number(this.isWide);
    });
    // No worker starts before all commands are in memory. If memory ran out in between, a running worker would write to
    // memory that the caller has freed.
    for (const { control } of busy) {
      Atomics.store(control, JOB, this.#job);
      Atomics.notify(control, JOB);
    }
    let lost: (readonly [Member, Error])[] = [];
    try {
      body({ ...own, ...ranges[0]! });
    } finally {
      lost = busy.flatMap((member) => {
        const error = this.#await(member);
        return error ? [[member, error] as const] : [];
      });
      if (lost.length > 0) this.stop();
    }
    for (const [member, error] of lost) {
      if (member.restarts.length === 0) throw error;
      endFor(member, own.kernels);
    }
  }

  stop(): void {
    this.isStopped = true;
    for (const { worker } of this.#members) worker.terminate();
  }

  /** Waits until the worker is done. Returns an error if it is lost. */
  #await({ control }: Member): Error | undefined {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(control, DONE) === this.#job) break;
    let beat = -1;
    let since = performance.now();
    for (let done = Atomics.load(control, DONE); done !== this.#job; done = Atomics.load(control, DONE)) {
      pause(control, done);
      const now = performance.now();
      if (control[BEAT] !== beat) {
        beat = control[BEAT]!;
        since = now;
      } else if (now - since > PATIENCE_MS) {
        return this.#fault(`a worker thread made no progress for ${PATIENCE_MS / 1000} s and was given up`);
      }
    }
    return control[FAILED] ? this.#fault('a worker thread failed in a kernel') : undefined;
  }
}

/** Runs the commands that a lost worker has not run, from its last restart point. */
function endFor({ commands, control, restarts, gemmScratch }: Member, kernels: Kernels): void {
  const after = (at: number): number => at + 2 + commands[at + 1]!;
  let done = 0;
  for (let i = 0; i < control[BEAT]!; i++) done = after(done);
  const { from, at, buffers, count } = restarts.findLast((restart) => restart.from <= done)!;
  const isChanging = done >= at;
  if (isChanging) buffers.forEach((buffer, j) => kernels.scale(count, 1, gemmScratch + 4 * j * count, buffer));
  const all = Object.values(kernels) as ((...args: number[]) => void)[];
  for (let next = isChanging ? at : from; next < commands.length; next = after(next)) {
    all[commands[next]!]!(...commands.slice(next + 2, after(next)));
  }
}

/** Sleeps until DONE changes, for at most 50 ms. The main thread of a page may not sleep, so it spins instead. */
function pause(control: Int32Array, done: number): void {
  try {
    Atomics.wait(control, DONE, done, 50);
  } catch {
    for (let i = 0; i < SPINS && Atomics.load(control, DONE) === done; i++);
  }
}

/** Starts a worker that runs `serve`. `refuse` is called if the host does not run its code. */
function spawn(setUp: Parameters<typeof serve>[0], refuse: () => void): WorkerLike {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads') as
    | { Worker: new (code: string, options: object) => WorkerLike }
    | undefined;
  if (node) {
    const code = `(${serve})(process.getBuiltinModule('node:worker_threads').workerData)`;
    // The worker gets no options of the process: it needs no loaders, and some options change how its code is parsed.
    const worker = new node.Worker(code, { eval: true, execArgv: [], workerData: setUp });
    worker.on?.('error', refuse);
    worker.unref?.();
    return worker;
  }
  const code = `onmessage = ({ data }) => (${serve})(data)`;
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = refuse;
  URL.revokeObjectURL(url);
  worker.postMessage(setUp);
  return worker;
}
