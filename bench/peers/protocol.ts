// The messages between the driver and the process of an engine, one line of JSON each, and the interface of an engine
// module.
import type { Case } from './cases.ts';

export type Request =
  /** Builds the case, writes its checked numbers to the file `checked` as float32, warms up. */
  | { op: 'prepare'; case: Case; variant?: string | undefined; checked: string; warm: boolean }
  /** Times one sample. */
  | { op: 'sample' }
  /** How far resident memory rises while the case is built and runs a few times. */
  | { op: 'memory'; case: Case };

export interface Ready {
  version: string;
}

export interface Prepared {
  note?: string;
  /** Set if the numbers are compared with this variant of tapeloop. */
  variant?: string;
}

export interface Sample {
  /** For one unit of work. */
  ms: number;
  /** Processor time divided by time. It is less than 1 if other processes had the processor. */
  busy: number;
}

export interface Memory {
  megabytes: number;
  /** Resident before the case was built. */
  baseMegabytes: number;
}

export type Answer<Body> = Body | { error: string };

/** One case, built by an engine. */
export interface Task extends Prepared {
  /**
   * The numbers that must equal tapeloop's, from the weights and inputs of `numbers.ts`; called once, before `run`.
   *
   * train: loss, gradient norm, loss after one update. infer: outputs `[B, T, H]`. step: h after 10 steps. gemm: C.
   */
  check?(): Float32Array | Promise<Float32Array>;
  /** One unit of work, complete when it returns or when its promise resolves. */
  run(): unknown;
}

export interface PeerEngine {
  version: string;
  /** Throws if the engine cannot do the case. */
  prepare(what: Case, variant?: string): Task | Promise<Task>;
}

/** The default export of a module in engines/. */
export type OpenEngine = (options: { threads: number }) => Promise<PeerEngine>;
