import type { Kernels, Ptr } from './abi.ts';
import { ThreadChoice } from './thread-choice.ts';
import {
  BEAT,
  COMMANDS,
  CONTROL_WORDS,
  COUNT,
  DONE,
  FAILED,
  hostCores,
  JOB,
  OFFER,
  STOP,
  spawn,
  WIDE,
  type WorkerLike,
} from './thread-worker.ts';
import { hostTimeout, type Part } from './threads.ts';

// Spin rounds before a thread sleeps: 0.1 to 0.4 ms. The time between two parts of a step is seldom longer. With 20,000
// rounds, wake-ups took 5% of the time of a small step.
const SPINS = 100_000;
// A worker counts as lost if it does not start, or finishes no command, for this time. The longest kernel call takes a
// fraction of a second.
const PATIENCE_MS = 5_000;
// Looks without progress before a worker counts as lost: the whole process may have been stopped for some time.
const LEAST_LOOKS = 20;
// The calling thread waits for a worker that has done this part of its commands.
const NEARLY = 0.8;

const now = (): number => performance.now();

/**
 * Makes the error for a lost worker. It is an argument, because a class that both this file and the main file import
 * would become a third file of the package.
 */
type WorkerFault = (message: string) => Error;

/** A list of commands, and where each of them starts. */
interface Commands {
  commands: number[];
  starts: number[];
}

/**
 * Kernels that record their calls in `commands` instead of running them. A worker runs them later. They return nothing.
 */
function recorder(kernels: Kernels, { commands, starts }: Commands): Kernels {
  const noted = Object.keys(kernels).map((name, index) => [
    name,
    (...args: number[]): void => {
      starts.push(commands.length);
      commands.push(index, args.length, ...args);
    },
  ]);
  return Object.fromEntries(noted) as Kernels;
}

/**
 * A point from which a part can be run again. `from` and `at` are numbers of commands. The commands in [from, at)
 * copy the buffers that the commands from `at` on change.
 */
interface Restart {
  from: number;
  at: number;
  buffers: readonly Ptr[];
  count: number;
}

interface Member extends Commands {
  worker: WorkerLike;
  control: Int32Array;
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
  /** Undefined on a host without a clock that is fine enough. All threads then share each job. */
  readonly #choice: ThreadChoice | undefined;
  #job = 0;
  /** Whether all workers were ended, as they are after one is lost. */
  isStopped = false;
  /** Whether workers use the wide tiles of `gemm`. */
  isWide = false;

  private constructor(memory: WebAssembly.Memory, members: Member[], fault: WorkerFault, hasClock: boolean) {
    if (hasClock) this.#choice = new ThreadChoice(hostCores());
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
    hasClock: boolean,
  ): Promise<Pool | undefined> {
    const members: Member[] = [];
    const pool = new Pool(memory, members, fault, hasClock);
    let refused = false;
    const refuse = (): void => {
      refused = true;
    };
    try {
      for (const gemmScratch of scratches) {
        const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
        const worker = spawn({ module, memory, control, spins: SPINS }, refuse);
        const list: Commands = { commands: [], starts: [] };
        members.push({ worker, control, ...list, restarts: [], kernels: recorder(kernels, list), gemmScratch });
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
   * Runs `body` for the rows [0, rows), in at most `most` parts, at least one row each. The calling thread gets its own
   * kernels. Each worker's part gets kernels that record their calls, which the workers then run in parallel. What a
   * worker has not begun or is slow to do, the calling thread does. Returns when all parts are done. If a worker is
   * lost, the calling thread finishes its part from the last restart point (`Part.keep`).
   *
   * @throws WorkerError if a worker is lost whose part has no restart point.
   * @param work a measure of the size of the job.
   * @param place allocates memory for commands: a number of float64 values.
   */
  run(
    { rows, most, work }: { rows: number; most: number; work: number },
    own: Pick<Part, 'kernels' | 'gemmScratch'>,
    place: (doubles: number) => Ptr,
    body: (part: Part) => void,
  ): void {
    const began = now();
    const parts = this.#choice?.threadsFor(work, most, began) ?? most;
    const rangeOf = (index: number): Pick<Part, 'index' | 'from' | 'to'> => ({
      index,
      from: Math.ceil((index * rows) / parts),
      to: Math.ceil(((index + 1) * rows) / parts),
    });
    const busy = this.#members.slice(0, parts - 1);
    const job = (this.#job % 0x3fffffff) + 1;
    this.#job = job;
    busy.forEach(({ commands, starts, restarts, control, kernels, gemmScratch }, i) => {
      commands.length = 0;
      starts.length = 0;
      restarts.length = 0;
      const keep = (buffers: readonly Ptr[], count: number): void => {
        const from = starts.length;
        buffers.forEach((buffer, j) => kernels.scale(count, 1, buffer, gemmScratch + 4 * j * count));
        restarts.push({ from, at: starts.length, buffers, count });
      };
      body({ kernels, gemmScratch, keep, ...rangeOf(i + 1) });
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
      Atomics.store(control, OFFER, job);
      Atomics.store(control, JOB, job);
      Atomics.notify(control, JOB);
    }
    const start = now();
    const lost: (readonly [Member, Error])[] = [];
    let [end, isDone] = [start, false];
    try {
      body({ ...own, ...rangeOf(0) });
      [end, isDone] = [now(), true];
    } finally {
      // All parts that no worker has begun are taken back and run before the first wait. If the calling thread has
      // failed, nothing is run, but workers must stop before the caller frees the memory.
      const isTaken = busy.map(({ control }) => Atomics.compareExchange(control, OFFER, job, 0) === job);
      if (isDone) for (const [i, member] of busy.entries()) if (isTaken[i]) runFrom(member, 0, own.kernels);
      for (const [i, member] of busy.entries()) {
        if (isTaken[i]) continue;
        // One worker after the other: while the calling thread runs the rest of one, the others go on.
        const error = this.#await(member);
        if (error) lost.push([member, error]);
        else if (isDone) runFrom(member, member.control[BEAT]!, own.kernels);
      }
      if (lost.length > 0) this.stop();
    }
    for (const [member, error] of lost) {
      if (member.restarts.length === 0) throw error;
      endFor(member, own.kernels);
    }
    const whole = now() - began;
    this.#choice?.record(work, parts, end - start, whole, began + whole);
  }

  stop(): void {
    this.isStopped = true;
    for (const { worker } of this.#members) worker.terminate();
  }

  /**
   * Waits until the worker is done or, if it is slow, has stopped after a command. Returns an error if it is lost.
   */
  #await({ control, starts }: Member): Error | undefined {
    const stop = (): void => void Atomics.store(control, STOP, this.#job);
    if (control[BEAT]! < NEARLY * starts.length) stop();
    for (let i = 0; i < SPINS; i++) if (Atomics.load(control, DONE) === this.#job) break;
    stop();
    let beat = -1;
    let looks = 0;
    let since = now();
    for (let done = Atomics.load(control, DONE); done !== this.#job; done = Atomics.load(control, DONE)) {
      pause(control, done);
      const time = now();
      if (control[BEAT] !== beat) {
        beat = control[BEAT]!;
        since = time;
        looks = 0;
      } else if (++looks > LEAST_LOOKS && time - since > PATIENCE_MS) {
        return this.#fault(`a worker thread made no progress for ${PATIENCE_MS / 1000} s and was given up`);
      }
    }
    return control[FAILED] ? this.#fault('a worker thread failed in a kernel') : undefined;
  }
}

/** Runs the commands of a worker on the calling thread, from number `first`. There are none if the worker is done. */
function runFrom({ commands, starts }: Commands, first: number, kernels: Kernels): void {
  if (first === starts.length) return;
  const all = Object.values(kernels) as ((...args: number[]) => void)[];
  for (let i = first; i < starts.length; i++) {
    const at = starts[i]!;
    all[commands[at]!]!(...commands.slice(at + 2, starts[i + 1]));
  }
}

/** Runs the commands that a lost worker has not run, from its last restart point. */
function endFor({ commands, starts, control, restarts, gemmScratch }: Member, kernels: Kernels): void {
  const done = control[BEAT]!;
  const { from, at, buffers, count } = restarts.findLast((restart) => restart.from <= done)!;
  const isChanging = done >= at;
  if (isChanging) buffers.forEach((buffer, j) => kernels.scale(count, 1, gemmScratch + 4 * j * count, buffer));
  runFrom({ commands, starts }, isChanging ? at : from, kernels);
}

/** Sleeps until DONE changes, for at most 50 ms. The main thread of a page may not sleep, so it spins instead. */
function pause(control: Int32Array, done: number): void {
  try {
    Atomics.wait(control, DONE, done, 50);
  } catch {
    for (let i = 0; i < SPINS && Atomics.load(control, DONE) === done; i++);
  }
}
