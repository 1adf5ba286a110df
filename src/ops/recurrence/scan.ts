import { type BackwardStep, type Cell, type CellSizes, type ForwardStep, stateWidth } from '../../cells/cell.ts';
import { Masked, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Part } from '../../engine/threads.ts';
import type { InputSide } from './input-side.ts';
import type { RecurrentProducts } from './recurrent-side.ts';
import type { StepMask } from './step-mask.ts';

/** Where ∂L/∂h_t is summed while backward runs, `[B, P]` for each step. */
export interface HiddenGradients {
  /** Address for step t. */
  at(t: number): Ptr;
  /** Called before each segment. */
  enter(segment: Segment): void;
  /**
   * Prepares the place of the i-th step of the scan, for a part of the batch, before step i + 1 adds to it. It is not
   * called for the last step.
   */
  begin(part: Part, i: number): void;
}

export interface Sizes extends CellSizes {
  readonly time: number;
  readonly batch: number;
  readonly inputs: number;
  /** Floats of all gates of one row: G·H. */
  readonly width: number;
  /**
   * Rows of a product for each sequence and step, if its products share themselves among threads. The batch is not
   * split then.
   */
  readonly pixels?: number;
}

/**
 * One scan, forward and backward. Steps are numbered in the order of the scan, i = 0 … T−1; memory is ordered by time
 * t.
 */
export interface Scan {
  readonly engine: Engine;
  readonly cell: Cell;
  readonly sizes: Sizes;
  readonly reverse: boolean;
  readonly mask: StepMask | undefined;
  readonly input: InputSide;
  readonly recurrent: RecurrentProducts;
  /** Whether no backward pass follows. */
  readonly isInference: boolean;
  /** Addresses of the cell's extra weights. */
  readonly extra: readonly Ptr[];
}

/** Floats of one row of each state. */
export const stateWidths = ({ cell, sizes }: Scan): number[] => cell.states.map((_, s) => stateWidth(s, sizes));

/**
 * Where the values of each step t are: at `at` + (t − low)·`floats` floats. With 0 floats all steps share one place.
 */
export interface StepBuffer {
  at: Ptr;
  low: number;
  floats: number;
}

/** The address of step t in a buffer. */
export const placeOf = ({ at, low, floats }: StepBuffer, t: number): Ptr => at + 4 * (t - low) * floats;

/** Steps [from, to) in the order of the scan, and where their values are. */
export interface Segment {
  from: number;
  to: number;
  /** The states before the first step. */
  start: Ptr[];
  states: StepBuffer[];
  /** Activated gates, which backward replaces by their gradients; undefined if no backward pass reads them. */
  gates: StepBuffer | undefined;
  /** Other values that the cell keeps for backward; undefined if no backward pass reads them. */
  saved: StepBuffer | undefined;
}

/** The time t of the i-th step of the scan. */
export const timeOf = ({ reverse, sizes }: Scan, i: number): number => (reverse ? sizes.time - 1 - i : i);

/** The earliest time of steps [from, to) of the scan, in either direction. */
export const lowOf = ({ reverse, sizes }: Scan, { from, to }: Pick<Segment, 'from' | 'to'>): number =>
  reverse ? sizes.time - to : from;

/** The times [low, high) of a segment, limited to those from the first step with an unmasked row to the last. */
export function spanOf(scan: Scan, segment: Pick<Segment, 'from' | 'to'>): { low: number; high: number } {
  const low = lowOf(scan, segment);
  const high = low + segment.to - segment.from;
  const { mask } = scan;
  return mask ? { low: Math.max(low, mask.low), high: Math.min(high, mask.high) } : { low, high };
}

// The least number of multiply-adds for which another thread is worth the 20 µs that it costs.
const SCAN_GRAIN = 2e6;

/**
 * The number of rows of a batch for which another thread pays off.
 *
 * @param beside multiply-adds of a step beside those of U, for each row and column of the gates.
 */
export const grainOf = ({ units, width, pixels }: Sizes, steps: number, beside = 0): number =>
  pixels ? Number.POSITIVE_INFINITY : SCAN_GRAIN / (steps * width * (units + beside));

/** What the gates of a step cost, forward and backward, in multiply-adds a column. */
export const GATES_FORWARD = 16;
export const GATES_BACKWARD = 24;

/** A thread with one row would read all weights for it. */
export const LEAST_ROWS = 2;

// Number of rows of a product that are computed at a time: enough for full tiles, and few enough that the steps find
// them in cache.
const CHUNK_ROWS = 128;

/** Number of steps that have `CHUNK_ROWS` rows. */
export const chunkOf = ({ time, batch, pixels = 1 }: Sizes): number =>
  Math.min(time, Math.max(1, Math.ceil(CHUNK_ROWS / batch / pixels)));

/**
 * Prepares, in scratch, the forward steps of a segment for a part of the batch.
 *
 * @param keeps whether segments have places for gates and for the other values that the cell keeps.
 */
export function beginForward(scan: Scan, keeps: boolean): (part: Part, segment: Segment) => void {
  const { engine, cell, sizes, mask } = scan;
  const { batch, units, hidden, width } = sizes;
  const widths = stateWidths(scan);
  const chunk = chunkOf(sizes);
  const projectInput = scan.input.begin(chunk * batch, scan.isInference);
  const project = scan.recurrent.begin(scan.isInference);
  const chunkGates = keeps ? 0 : engine.allocateScratch(chunk * batch * width);
  const oneSaved = keeps ? 0 : engine.allocateScratch(batch * units * cell.saved);
  const scratch = engine.allocateScratch(batch * units * cell.scratch);
  const held = mask ? widths.map((n) => engine.allocateScratch(batch * n)) : [];

  return (part, segment) => {
    const { kernels, gemmScratch, from, to } = part;
    const rows = to - from;
    const offsets = widths.map((n) => 4 * from * n);
    const unitOffset = 4 * from * units;
    const step: ForwardStep = {
      kernels,
      rows,
      units,
      hidden,
      extra: scan.extra,
      gates: 0,
      saved: 0,
      previous: segment.start.map((at, s) => at + offsets[s]!),
      next: segment.start.slice(),
      scratch: scratch + unitOffset * cell.scratch,
      project: project(part),
    };
    const saved = segment.saved ?? { at: oneSaved, low: 0, floats: 0 };
    for (let first = segment.from; first < segment.to; first += chunk) {
      const steps = Math.min(chunk, segment.to - first);
      const low = lowOf(scan, { from: first, to: first + steps });
      const gates = segment.gates ?? { at: chunkGates, low, floats: batch * width };
      if (rows === batch) {
        const span = spanOf(scan, { from: first, to: first + steps });
        const count = (span.high - span.low) * batch;
        if (count > 0) projectInput(kernels, gemmScratch, span.low * batch, count, placeOf(gates, span.low));
      }
      for (let i = first; i < first + steps; i++) {
        const t = timeOf(scan, i);
        const kept = mask ? mask.kept(t, from, to) : rows;
        for (let s = 0; s < step.next.length; s++) step.next[s] = placeOf(segment.states[s]!, t) + offsets[s]!;
        if (kept === 0) carry(step, widths);
        else {
          step.gates = placeOf(gates, t) + 4 * from * width;
          step.saved = placeOf(saved, t) + unitOffset * cell.saved;
          if (rows < batch) projectInput(kernels, gemmScratch, t * batch + from, rows, step.gates);
          if (kept === rows) cell.forward(step);
          else {
            const places = held.map((at, s) => at + offsets[s]!);
            maskedForward(cell, step, mask!.at(t, from), places, widths);
          }
        }
        for (let s = 0; s < step.next.length; s++) step.previous[s] = step.next[s]!;
      }
    }
  };
}

/** A step in which no row is computed: every state stays as it is. */
function carry({ kernels, rows, previous, next }: ForwardStep, widths: readonly number[]): void {
  for (const [s, at] of next.entries()) {
    const count = rows * widths[s]!;
    if (at !== previous[s]) kernels.copy_2d(1, count, previous[s]!, count, at, count);
  }
}

/**
 * A step with some masked rows. All rows are computed, then the states of the masked rows are restored. `next` may be
 * the memory of `previous`.
 */
function maskedForward(
  cell: Cell,
  step: ForwardStep,
  mask: Ptr,
  held: readonly Ptr[],
  widths: readonly number[],
): void {
  const { kernels, rows, previous, next } = step;
  const copy = (s: number, from: Ptr, to: Ptr): void =>
    kernels.masked_rows(Masked.Copy, rows, widths[s]!, mask, from, to);
  for (const [s, at] of previous.entries()) copy(s, at, held[s]!);
  cell.forward(step);
  for (const [s, at] of next.entries()) copy(s, held[s]!, at);
}

/** Gradients of states. That of step t is complete when all later steps have run backward. */
export interface StateGradients {
  hidden: HiddenGradients;
  /** ∂L/∂h before the first step of the scan, to add to. */
  first: Ptr;
  /** Gradients of the other states, one place for each. */
  others: readonly Ptr[];
  /** Memory of the size of U for packed U, or 0. */
  room: Ptr;
}

/**
 * Prepares, in scratch, the backward steps of a segment for a part of the batch. They write the gradients of the gates
 * in the place of the gates.
 */
export function beginBackward(scan: Scan, gradients: StateGradients): (part: Part, segment: Segment) => void {
  const { engine, cell, sizes, mask } = scan;
  const { batch, units, hidden, width } = sizes;
  const { first, others, room } = gradients;
  const widths = stateWidths(scan);
  const projectBack = scan.recurrent.beginBackward(room);
  const scratch = engine.allocateScratch(batch * units * cell.scratch);
  const held = mask ? widths.map((n) => engine.allocateScratch(batch * n)) : [];

  return (part, segment) => {
    const { kernels, from, to } = part;
    const rows = to - from;
    const offsets = widths.map((n) => 4 * from * n);
    const unitOffset = 4 * from * units;
    const step: BackwardStep = {
      kernels,
      rows,
      units,
      hidden,
      extra: scan.extra,
      gates: 0,
      saved: 0,
      dHidden: 0,
      dHiddenPrevious: 0,
      dStates: others.map((at, j) => at + offsets[j + 1]!),
      previous: segment.start.slice(),
      next: segment.start.slice(),
      scratch: scratch + unitOffset * cell.scratch,
      projectBack: projectBack(part),
    };
    const span = spanOf(scan, segment);
    for (let i = segment.to - 1; i >= segment.from; i--) {
      const [t, before] = [timeOf(scan, i), timeOf(scan, i - 1)];
      step.gates = placeOf(segment.gates!, t) + 4 * from * width;
      step.saved = placeOf(segment.saved!, t) + unitOffset * cell.saved;
      step.dHidden = gradients.hidden.at(t) + offsets[0]!;
      step.dHiddenPrevious = (i === 0 ? first : gradients.hidden.at(before)) + offsets[0]!;
      if (i > 0) gradients.hidden.begin(part, i - 1);
      const kept = mask ? mask.kept(t, from, to) : rows;
      if (kept === 0) {
        kernels.axpy(rows * hidden, 1, step.dHidden, step.dHiddenPrevious);
        // Other parts of the batch may compute this step, so the sums over time include it. Its rows must be 0 there.
        if (t >= span.low && t < span.high) {
          kernels.fill(rows * width, 0, step.gates);
          kernels.fill(rows * units * cell.saved, 0, step.saved);
        }
        continue;
      }
      for (let s = 0; s < step.next.length; s++) {
        const buffer = segment.states[s]!;
        step.next[s] = placeOf(buffer, t) + offsets[s]!;
        step.previous[s] = (i === segment.from ? segment.start[s]! : placeOf(buffer, before)) + offsets[s]!;
      }
      if (kept === rows) cell.backward(step);
      else {
        const places = held.map((at, s) => at + offsets[s]!);
        maskedBackward(cell, step, mask!.at(t, from), places, widths);
      }
    }
  };
}

/**
 * A backward step with some masked rows. The gradients of their states pass to the step before unchanged, and the
 * gradients of their gates are 0. The step computes all rows, then the gradients of the masked rows are restored.
 */
function maskedBackward(
  cell: Cell,
  step: BackwardStep,
  mask: Ptr,
  held: readonly Ptr[],
  widths: readonly number[],
): void {
  const { kernels, rows, units, hidden, dHidden, dHiddenPrevious } = step;
  const passed = [dHiddenPrevious, ...step.dStates];
  const copy = (s: number, from: Ptr, to: Ptr): void =>
    kernels.masked_rows(Masked.Copy, rows, widths[s]!, mask, from, to);
  for (const [s, at] of passed.entries()) copy(s, at, held[s]!);
  cell.backward(step);
  for (const [s, at] of passed.entries()) copy(s, held[s]!, at);
  kernels.masked_rows(Masked.Add, rows, hidden, mask, dHidden, dHiddenPrevious);
  kernels.masked_rows(Masked.Zero, rows, cell.gates * units, mask, 0, step.gates);
  kernels.masked_rows(Masked.Zero, rows, cell.saved * units, mask, 0, step.saved);
}
