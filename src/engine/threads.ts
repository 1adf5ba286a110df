import type { Kernels, Ptr } from './abi.ts';

/** One thread's share of some rows, and what it computes them with. */
export interface Part {
  readonly kernels: Kernels;
  /** Scratch of `gemm` that no other part uses. */
  readonly gemmScratch: Ptr;
  readonly from: number;
  readonly to: number;
  /**
   * For a part whose kernels change what they read: until the next call they change only these buffers, of `count`
   * floats each, and if the thread ends meanwhile, the calling one begins here again. Undefined where no thread can be
   * lost. Together at most `KEPT_FLOATS`.
   */
  readonly keep?: ((buffers: readonly Ptr[], count: number) => void) | undefined;
}

/** What fits in the scratch of a thread. */
export const KEPT_FLOATS = 32_768;

/** Fewest elements that repay the 20 µs of handing a pass over memory to another thread. */
export const ELEMENTWISE_GRAIN = 16_384;

/** The host's own timer, whatever a test with fake timers puts in its place later. */
export const hostTimeout = /* @__PURE__ */ (() => globalThis.setTimeout)();

/** Whether this host lets threads share memory: Node and its like, and pages that are cross-origin isolated. */
export const hostHasThreads = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false &&
  (globalThis.process?.getBuiltinModule !== undefined || typeof Worker !== 'undefined');
