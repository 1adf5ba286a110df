import type { Kernels, Ptr } from '../engine/abi.ts';
import { KEPT_FLOATS } from '../engine/threads.ts';

/** The same stretch of a parameter, its gradient and its slots, by address. */
export interface Range {
  readonly count: number;
  readonly p: Ptr;
  readonly g: Ptr;
  /** In the order of `slotNames`. */
  readonly slots: readonly Ptr[];
}

/** The numbers of one update of one parameter. */
export interface Update {
  /** Counts updates from 1. */
  readonly t: number;
  readonly learningRate: number;
  /** What the gradient is multiplied by on reading. */
  readonly gradScale: number;
  /** Of the gradient, so multiplied. */
  readonly norm: number;
  /** lr·weightDecay. */
  readonly decay: number;
}

/** Makes the update of `count` elements of parameter i, by the addresses of its gradient and of what is written. */
export type Run = (kernels: Kernels, i: number, count: number, g: Ptr, written: Ptr[]) => void;

// Elements that are updated at a time by another thread, which keeps up to six buffers of them.
export const CHUNK = KEPT_FLOATS / 8;
