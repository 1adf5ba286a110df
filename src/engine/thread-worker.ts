// The code of a worker thread, and how hosts start one.

// Words of a worker's control block. A higher number in JOB starts the worker. The worker and the calling thread try to
// replace that number in OFFER by 0, and the one that finds it runs the job. The worker stops before its next command if
// the number is in STOP. At its end it sets DONE to the number. BEAT counts the commands that it has finished.
export const JOB = 0;
export const DONE = 1;
export const COMMANDS = 2;
export const COUNT = 3;
export const FAILED = 4;
export const BEAT = 5;
export const WIDE = 6;
export const OFFER = 7;
export const STOP = 8;
export const CONTROL_WORDS = 16;

export interface WorkerLike {
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
  const [job, done, commands, count, failed, beat, wide, offer, stop] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
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
    // The calling thread may have taken the job back.
    if (Atomics.compareExchange(control, offer, current, 0) !== current) continue;
    try {
      setWide(control[wide]!);
      const c = new Float64Array(memory.buffer, control[commands]! >>> 0, control[count]!);
      for (let i = 0; i < c.length && Atomics.load(control, stop) !== current; i += 2 + c[i + 1]!) {
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

/** Starts a worker that runs `serve`. `refuse` is called if the host does not run its code. */
export function spawn(setUp: Parameters<typeof serve>[0], refuse: () => void): WorkerLike {
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

/** The number of cores of the host, as far as it tells. */
export const hostCores = (): number =>
  globalThis.navigator?.hardwareConcurrency ??
  globalThis.process?.getBuiltinModule?.('node:os')?.availableParallelism() ??
  Number.POSITIVE_INFINITY;
