// The messages between the driver and the process of an engine, one line of JSON each, and the interface of an engine
// module.
import type { Case } from './cases.ts';

export type Request =
  /** Builds the case, writes its checked numbers to the file `checked` as float32, and warms up. */
  | { op: 'prepare'; case: Case; variant?: string | undefined; checked: string; warm: boolean }
  /** Times one sample. */
  | { op: 'sample' }
  /** Measures how far resident memory rises while the case is built and run a few times. */
  | { op: 'memory'; case: Case };

export interface Ready {
  version: string;
}

export interface Prepared {
  note?: string;
  /** The variant of tapeloop with which the numbers are compared, if there are variants. */
  variant?: string;
}

export interface Sample {
  /** For one unit of work. */
  ms: number;
  /** Processor time divided by elapsed time. It is below 1 if other processes used the processor. */
  busy: number;
}

export interface Memory {
  megabytes: number;
  /** Resident memory before the case was built. */
  baseMegabytes: number;
}

export type Answer<Body> = Body | { error: string };

/** One case, built by an engine. */
export interface Task extends Prepared {
  /**
   * Returns the numbers that must equal those of tapeloop, for the weights and inputs of `numbers.ts`. It is called
   * once, before `run`.
   *
   * train: loss, gradient norm, loss after one update. infer: outputs `[B, T, H]`. step: h after 10 steps. gemm: C.
   * images: y, and for training the gradients of x and the weights.
   */
  check?(): Float32Array | Promise<Float32Array>;
  /** Does one unit of work. It is complete when `run` returns or when its promise resolves. */
  run(): unknown;
}

export interface PeerEngine {
  version: string;
  /** Throws if the engine cannot do the case. */
  prepare(what: Case, variant?: string): Task | Promise<Task>;
}

/** The default export of a module in engines/. */
export type OpenEngine = (options: { threads: number }) => Promise<PeerEngine>;
