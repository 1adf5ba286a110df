import type { Ptr } from '../engine/abi.ts';
import { type Scan, type Segment, timeOf } from './scan.ts';
import { lowOf } from './segments.ts';

/** Where ∂L/∂h_t gathers while a scan is walked back, `[B, P]` each. */
export interface HiddenGradients {
  at(t: number): Ptr;
  /** Whether a place must be cleared before the step after it adds to it. */
  reused: boolean;
  /** To be called before each segment. */
  enter(segment: Segment): void;
}

/**
 * The gradient of the outputs itself, if one has reached them; otherwise, in scratch, two places by turns, or as many as a
 * segment has steps where a block's gradient will be a product over all of them.
 */
export function hiddenGradients(scan: Scan, length: number, dOutputs: Ptr): HiddenGradients {
  const { engine, cell, sizes, reverse } = scan;
  const floats = sizes.batch * sizes.hidden;
  const enter = (): void => {};
  if (dOutputs) return { at: (t) => dOutputs + 4 * t * floats, reused: false, enter };
  if (cell.blocks.every(({ gradient }) => gradient !== 'hidden')) {
    const places = [engine.zeroedScratch(floats), engine.zeroedScratch(floats)];
    return { at: (t) => places[t & 1]!, reused: true, enter };
  }
  // One more, for the step that is walked before the segment's first.
  const places = engine.zeroedScratch((length + 1) * floats);
  let low = 0;
  const at = (t: number): Ptr => places + 4 * (t - low + (reverse ? 0 : 1)) * floats;
  return {
    at,
    reused: true,
    enter(segment) {
      const last = timeOf(scan, segment.to - 1);
      const gathered = at(last);
      low = lowOf(scan, segment);
      if (segment.to < sizes.time) engine.kernels.copy_2d(1, floats, gathered, floats, at(last), floats);
    },
  };
}
