import type { Kernels, Ptr } from './abi.ts';

/** The rows that one thread computes, with its kernels and its scratch. */
export interface Part {
  readonly kernels: Kernels;
  /** Scratch of `gemm` that no other part uses. */
  readonly gemmScratch: Ptr;
  /** Number of the part, from 0, which is the calling thread's. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  /**
   * Sets a restart point, for a part whose kernels change their own inputs. It saves these buffers, of `count` floats
   * each and together at most `KEPT_FLOATS`. Until the next call the kernels may change no other inputs. If the thread
   * is lost, the calling thread restores the buffers and continues from here. Undefined in the calling thread's part.
   */
  readonly keep?: ((buffers: readonly Ptr[], count: number) => void) | undefined;
}

/** The number of floats that fit in a thread's scratch. */
export const KEPT_FLOATS = 32_768;

/**
 * The smallest number of elements of an elementwise pass for which another thread pays off: starting it takes 20 µs.
 */
export const ELEMENTWISE_GRAIN = 16_384;

/** The host's own timer, read at import, before a test can install fake timers. */
export const hostTimeout = /* @__PURE__ */ (() => globalThis.setTimeout)();

/** Whether this host lets threads share memory: Node and similar hosts, and pages that are cross-origin isolated. */
export const hostHasThreads = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false &&
  (globalThis.process?.getBuiltinModule !== undefined || typeof Worker !== 'undefined');
