import type { Kernels, Ptr } from './abi.ts';

/** One thread's share of some rows, and what it computes them with. */
export interface Part {
  readonly kernels: Kernels;
  /** Scratch of `gemm` that no other part uses. */
  readonly gemmScratch: Ptr;
  readonly from: number;
  readonly to: number;
}

/** A worker stopped answering or failed. The step it worked on is lost; weights and optimizer state are as before it. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}

/** Fewest elements that repay the 20 µs of handing a pass over memory to another thread. */
export const ELEMENTWISE_GRAIN = 16_384;

/** Whether this host lets threads share memory: Node and its like, and pages that are cross-origin isolated. */
export const hostHasThreads = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false &&
  (globalThis.process?.getBuiltinModule !== undefined || typeof Worker !== 'undefined');
