import type { Parameter } from '../../autograd/parameter.ts';
import type { Ptr } from '../../engine/abi.ts';
import { KEPT_FLOATS } from '../../engine/threads.ts';

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

/** One parameter in one call of `apply`: its update, if there is one, and where everything stands. */
export interface Pass extends Range {
  readonly parameter: Parameter;
  readonly update: Update | undefined;
  readonly accumulator: Ptr | undefined;
  readonly average: Ptr | undefined;
}

/** What becomes of the moving averages. */
export interface Averaging {
  readonly keep: number;
  readonly overwrite: boolean;
}

// Elements that are updated at a time by another thread, which keeps up to six buffers of them.
export const CHUNK = KEPT_FLOATS / 8;
/** The same of another stretch of memory. */
export const moved = (pass: Pass, count: number, to: (ptr: Ptr) => Ptr): Pass => {
  const move = (ptr: Ptr | undefined): Ptr | undefined => (ptr === undefined ? undefined : to(ptr));
  const { p, g, slots, accumulator, average } = pass;
  return {
    ...{ ...pass, count, p: to(p), g: to(g), slots: slots.map(to) },
    ...{ accumulator: move(accumulator), average: move(average) },
  };
};

/** The places that are written. */
export const changedBy = ({ p, slots, accumulator, average }: Pass): Ptr[] =>
  [p, ...slots, accumulator, average].filter((ptr) => ptr !== undefined);
