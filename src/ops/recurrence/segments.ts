import type { Tensor } from '../../autograd/tensor.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { HiddenProbe } from '../hidden-probe.ts';
import type { StepRange } from './recurrent-side.ts';
import { lowOf, placeOf, type Scan, type Segment, type StepBuffer, spanOf, stateWidths, timeOf } from './scan.ts';

/** Saved by forward for backward: all values of every step, or the states at the ends of segments of `length` steps. */
export interface ScanResiduals {
  scan: Scan;
  length: number;
  kept: SavedState[];
  initial: readonly Tensor[] | undefined;
  /** Gates and saved values of every step, if they were kept. */
  gates: StepBuffer | undefined;
  saved: StepBuffer | undefined;
  /** Reads ∂L/∂h_t. */
  probe: HiddenProbe | undefined;
}

/**
 * A state: `[T, B, H]` of every step, ordered by time, or of the last step of every segment, in the order of the scan.
 */
export interface SavedState {
  at: Tensor;
  everyStep: boolean;
}

/** Addresses of the states before the first step: the initial states, or zeros in scratch. */
export function startOf({ scan, initial }: ScanResiduals): Ptr[] {
  const { engine, sizes } = scan;
  return stateWidths(scan).map((width, s) => initial?.[s]?.ptr ?? engine.zeroedScratch(sizes.batch * width));
}

/** The segment that starts with step `from` of the scan, with the buffers of forward. */
export function segmentOf({ scan, length, kept, gates, saved }: ScanResiduals, from: number, start: Ptr[]): Segment {
  const { time, batch } = scan.sizes;
  const widths = stateWidths(scan);
  const index = from / length;
  const placeAt = (s: number, place: number): Ptr => kept[s]!.at.ptr + 4 * place * batch * widths[s]!;
  return {
    from,
    to: Math.min(from + length, time),
    gates,
    saved,
    states: kept.map(({ everyStep }, s) =>
      everyStep
        ? { at: placeAt(s, 0), low: 0, floats: batch * widths[s]! }
        : { at: placeAt(s, index), low: 0, floats: 0 },
    ),
    start: kept.map(({ everyStep }, s) => {
      if (from === 0) return start[s]!;
      return placeAt(s, everyStep ? timeOf(scan, from - 1) : index - 1);
    }),
  };
}

/**
 * Allocates buffers in scratch for values that forward has not kept and backward needs. The returned function adds them
 * to a segment.
 */
export function allocateMissing(residuals: ScanResiduals): (segment: Segment) => Segment {
  const { scan, length, kept } = residuals;
  const { batch, units, width } = scan.sizes;
  const room = (floats: number): StepBuffer => ({ at: scan.engine.allocateScratch(length * floats), low: 0, floats });
  const gates = residuals.gates ?? room(batch * width);
  const saved = residuals.saved ?? room(batch * units * scan.cell.saved);
  const states = stateWidths(scan).map((n, s) => (kept[s]!.everyStep ? undefined : room(batch * n)));
  return (segment) => {
    const low = lowOf(scan, segment);
    return {
      ...segment,
      gates: residuals.gates ?? { ...gates, low },
      saved: residuals.saved ?? { ...saved, low },
      states: states.map((buffer, s) => (buffer ? { ...buffer, low } : segment.states[s]!)),
    };
  };
}

/**
 * The steps of a segment within `spanOf`, from the last of the scan to the first. In each range the steps and the h
 * before them are contiguous in memory. The first step of the segment is a range of its own, because the h before it is
 * in another place.
 */
export function stepRangesOf(
  { scan, initial }: ScanResiduals,
  segment: Segment,
  hiddenAt: (t: number) => Ptr,
): StepRange[] {
  const { low, high } = spanOf(scan, segment);
  const first = timeOf(scan, segment.from);
  const range = (from: number, to: number, before: Ptr): StepRange => ({
    steps: Math.max(to - from, 0),
    hidden: before,
    dHidden: hiddenAt(from),
    gates: placeOf(segment.gates!, from),
    saved: placeOf(segment.saved!, from),
  });
  const [from, to] = scan.reverse ? [low, Math.min(high, first)] : [Math.max(low, first + 1), high];
  const inner = range(from, to, placeOf(segment.states[0]!, scan.reverse ? from + 1 : from - 1));
  if (first < low || first >= high) return [inner];
  return [inner, range(first, first + 1, segment.from === 0 && !initial ? 0 : segment.start[0]!)];
}
