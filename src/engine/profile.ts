import { type Kernels, optimizerKernels } from './abi.ts';
import type { Engine } from './engine.ts';

/** The purpose of a kernel. Time outside all kernels belongs to `javascript`. */
export type ProfilePart = 'gemm' | 'gates' | 'loss' | 'optimizer' | 'other' | 'javascript';

/** Calls and time of one kernel. */
export interface KernelTime {
  name: string;
  calls: number;
  /** Milliseconds of all calls together. */
  ms: number;
}

/** The time of some work, by part and by kernel. */
export interface Profile {
  /** Milliseconds in total. */
  totalMs: number;
  /** Milliseconds by part; they sum to `totalMs`. */
  parts: Record<ProfilePart, number>;
  /** By kernel, longest first. */
  kernels: KernelTime[];
}

const parts: [RegExp, ProfilePart][] = [
  [/^gem[mv]/, 'gemm'],
  [/^(lstm|gru|rnn)_/, 'gates'],
  [/softmax|^ctc$/, 'loss'],
];

function partOf(kernel: string): ProfilePart {
  if (optimizerKernels.includes(kernel as (typeof optimizerKernels)[number])) return 'optimizer';
  return parts.find(([names]) => names.test(kernel))?.[1] ?? 'other';
}

/** Times the kernels of an engine during `measure`. Reading the clock adds about 0.1 µs to each call. */
export class Profiler {
  readonly #engine: Engine;
  readonly #plain: Kernels;
  readonly #timed: Kernels;
  readonly #times = new Map<string, KernelTime>();
  #totalMs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#plain = engine.kernels;
    const timed = Object.entries(this.#plain).map(([name, kernel]) => [name, this.#time(name, kernel)]);
    this.#timed = Object.fromEntries(timed) as Kernels;
  }

  /** Runs `body` and adds its times to the profile. */
  measure<T>(body: () => T): T {
    this.#engine.kernels = this.#timed;
    const start = performance.now();
    try {
      return body();
    } finally {
      this.#totalMs += performance.now() - start;
      this.#engine.kernels = this.#plain;
    }
  }

  get profile(): Profile {
    const sums: Profile['parts'] = { gemm: 0, gates: 0, loss: 0, optimizer: 0, other: 0, javascript: this.#totalMs };
    for (const { name, ms } of this.#times.values()) {
      sums[partOf(name)] += ms;
      sums.javascript -= ms;
    }
    const kernels = [...this.#times.values()].sort((a, b) => b.ms - a.ms);
    return { totalMs: this.#totalMs, parts: sums, kernels };
  }

  #time(name: string, kernel: (...args: number[]) => unknown) {
    const time = { name, calls: 0, ms: 0 };
    return (...args: number[]): unknown => {
      if (time.calls++ === 0) this.#times.set(name, time);
      const before = performance.now();
      const result = kernel(...args);
      time.ms += performance.now() - before;
      return result;
    };
  }
}
