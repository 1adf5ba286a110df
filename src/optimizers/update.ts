import type { Kernels, Ptr } from '../engine/abi.ts';
import { KEPT_FLOATS } from '../engine/threads.ts';

/** Addresses of one range of elements in a parameter, its gradient and its slots. */
export interface Range {
  readonly count: number;
  readonly p: Ptr;
  readonly g: Ptr;
  /** In the order of `slotNames`. */
  readonly slots: readonly Ptr[];
}

/** The numbers of one update of one parameter. */
export interface Update {
  /** Number of the update, from 1. */
  readonly t: number;
  readonly learningRate: number;
  /** Factor by which a kernel multiplies the gradient when it reads it. */
  readonly gradScale: number;
  /** L2 norm of the gradient multiplied by `gradScale`. */
  readonly norm: number;
  /** lr·weightDecay. */
  readonly decay: number;
}

/**
 * Updates `count` elements of parameter i. `g` is the address of its gradient, `buffers` are the addresses of the
 * buffers that the update writes.
 */
export type Run = (kernels: Kernels, i: number, count: number, g: Ptr, buffers: Ptr[]) => void;

// Number of elements that another thread updates at a time. It keeps copies of up to six buffers of this size.
export const CHUNK = KEPT_FLOATS / 8;

const LINE_FLOATS = 16;
/** `count` floats as whole cache lines. Threads share a buffer by lines, because kernels work on whole vectors. */
export const wholeLines = (count: number): number => Math.ceil(count / LINE_FLOATS) * LINE_FLOATS;
