import type { BackwardStep, Cell, ForwardStep } from '../cells/cell.ts';
import { Masked, type Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import type { Part } from '../engine/threads.ts';
import type { InputSide } from './input-side.ts';
import type { RecurrentSide } from './recurrent-side.ts';
import type { StepMask } from './step-mask.ts';

export interface Sizes {
  time: number;
  batch: number;
  inputs: number;
  units: number;
  /** Floats of all gates of one row, G·H. */
  width: number;
}

/** One scan, forward and backward: steps are counted as they are walked, i = 0 … T−1, and stand in memory by their time t. */
export interface Scan {
  readonly engine: Engine;
  readonly cell: Cell;
  readonly sizes: Sizes;
  readonly reverse: boolean;
  readonly mask: StepMask | undefined;
  readonly input: InputSide;
  readonly recurrent: RecurrentSide;
}

/** Where something of every step t stands: at `at`, `floats` apart by t − low, or, with 0 floats, always in one place. */
export interface Strip {
  at: Ptr;
  low: number;
  floats: number;
}

export const placeOf = ({ at, low, floats }: Strip, t: number): Ptr => at + 4 * (t - low) * floats;

/** Steps [from, to) as they are walked, and where they stand. */
export interface Segment {
  from: number;
  to: number;
  /** The states before the first step, each `[B, H]`. */
  start: Ptr[];
  states: Strip[];
  /** Activated gates, and later their gradients; undefined where no backward pass will read them. */
  gates: Strip | undefined;
  /** What else the cell keeps; undefined likewise. */
  saved: Strip | undefined;
}

/** The time t of the i-th step walked. */
export const timeOf = ({ reverse, sizes }: Scan, i: number): number => (reverse ? sizes.time - 1 - i : i);

/** The times [low, high) of a segment whose rows are not all left out. */
export function spanOf(scan: Scan, { from, to }: Segment): { low: number; high: number } {
  const [low, high] = scan.reverse ? [scan.sizes.time - to, scan.sizes.time - from] : [from, to];
  const { mask } = scan;
  return mask ? { low: Math.max(low, mask.low), high: Math.min(high, mask.high) } : { low, high };
}

/** Fewest rows of a batch that repay the 20 µs of handing them to another thread. */
export const grainOf = ({ units, width }: Sizes, steps: number): number =>
  Math.max(2, Math.ceil(2e6 / (steps * units * width)));

// Rows of the input projection made at a time: enough for full tiles, few enough that the steps find them in cache.
const PROJECTION_ROWS = 128;

/**
 * Prepares, in scratch, the walk forward over a segment for a part of the batch.
 *
 * @param keeps whether the segments have places for gates and for what else the cell keeps.
 */
export function beginForward(scan: Scan, keeps: boolean): (part: Part, segment: Segment) => void {
  const { engine, cell, sizes, reverse, mask } = scan;
  const { time, batch, units, width } = sizes;
  const stateFloats = batch * units;
  const chunk = Math.min(time, Math.max(1, Math.ceil(PROJECTION_ROWS / batch)));
  const projectInput = scan.input.begin(chunk * batch);
  const project = scan.recurrent.begin();
  const chunkGates = keeps ? 0 : engine.allocateScratch(chunk * batch * width);
  const oneSaved = keeps ? 0 : engine.allocateScratch(stateFloats * cell.saved);
  const scratch = engine.allocateScratch(stateFloats * cell.scratch);
  const held = mask ? engine.allocateScratch(stateFloats * cell.states.length) : 0;

  return (part, segment) => {
    const { kernels, gemmScratch, from, to } = part;
    const rows = to - from;
    const stateOffset = 4 * from * units;
    const step: ForwardStep = {
      ...{ kernels, rows, units, gates: 0, saved: 0 },
      previous: segment.start.map((at) => at + stateOffset),
      next: segment.start.slice(),
      scratch: scratch + stateOffset * cell.scratch,
      project: project(part),
    };
    const saved = segment.saved ?? { at: oneSaved, low: 0, floats: 0 };
    for (let first = segment.from; first < segment.to; first += chunk) {
      const steps = Math.min(chunk, segment.to - first);
      const low = reverse ? time - first - steps : first;
      const gates = segment.gates ?? { at: chunkGates, low, floats: batch * width };
      if (rows === batch) {
        const span = spanOf(scan, { ...segment, from: first, to: first + steps });
        const count = (span.high - span.low) * batch;
        if (count > 0) projectInput(kernels, gemmScratch, span.low * batch, count, placeOf(gates, span.low));
      }
      for (let i = first; i < first + steps; i++) {
        const t = timeOf(scan, i);
        const kept = mask ? mask.kept(t, from, to) : rows;
        for (let s = 0; s < step.next.length; s++) step.next[s] = placeOf(segment.states[s]!, t) + stateOffset;
        if (kept === 0) carry(step);
        else {
          step.gates = placeOf(gates, t) + 4 * from * width;
          step.saved = placeOf(saved, t) + stateOffset * cell.saved;
          if (rows < batch) projectInput(kernels, gemmScratch, t * batch + from, rows, step.gates);
          if (kept === rows) cell.forward(step);
          else maskedForward(cell, step, mask!.at(t, from), held + stateOffset * cell.states.length);
        }
        for (let s = 0; s < step.next.length; s++) step.previous[s] = step.next[s]!;
      }
    }
  };
}

/** A step of which no row is made: every state stays as it is. */
function carry({ kernels, rows, units, previous, next }: ForwardStep): void {
  for (const [s, at] of next.entries()) {
    if (at !== previous[s]) kernels.copy_2d(1, rows * units, previous[s]!, rows * units, at, rows * units);
  }
}

/** A step of which some rows are left out: made for all, and taken back for those. `next` may be where `previous` stood. */
function maskedForward(cell: Cell, step: ForwardStep, mask: Ptr, held: Ptr): void {
  const { kernels, rows, units, previous, next } = step;
  const heldAt = (s: number): Ptr => held + 4 * s * rows * units;
  for (const [s, at] of previous.entries()) kernels.masked_rows(Masked.Copy, rows, units, mask, at, heldAt(s));
  cell.forward(step);
  for (const [s, at] of next.entries()) kernels.masked_rows(Masked.Copy, rows, units, mask, heldAt(s), at);
}

/** Gradients of states on their way back through time, complete when the steps after have been walked. */
export interface StateGradients {
  /** Where ∂L/∂h_t is, `[B, H]`: in the gradient of the outputs, or, `inTurn`, in two places by turns, which the walk clears. */
  hiddenAt: (t: number) => Ptr;
  inTurn: boolean;
  /** ∂L/∂ of h before the first step of all, to add to. */
  first: Ptr;
  /** Of the other states, each in one place. */
  others: readonly Ptr[];
}

/** Prepares, in scratch, the walk back over a segment for a part of the batch; it leaves the gates' gradients in their place. */
export function beginBackward(scan: Scan, gradients: StateGradients): (part: Part, segment: Segment) => void {
  const { engine, cell, sizes, mask } = scan;
  const { batch, units, width } = sizes;
  const { hiddenAt, inTurn, first, others } = gradients;
  const stateFloats = batch * units;
  const projectBack = scan.recurrent.beginBackward();
  const scratch = engine.allocateScratch(stateFloats * cell.scratch);
  const held = mask ? engine.allocateScratch(stateFloats * cell.states.length) : 0;

  return (part, segment) => {
    const { kernels, from, to } = part;
    const rows = to - from;
    const stateOffset = 4 * from * units;
    const step: BackwardStep = {
      ...{ kernels, rows, units, gates: 0, saved: 0, dHidden: 0, dHiddenPrevious: 0 },
      dStates: others.map((at) => at + stateOffset),
      previous: segment.start.slice(),
      next: segment.start.slice(),
      scratch: scratch + stateOffset * cell.scratch,
      projectBack: projectBack(part),
    };
    const span = spanOf(scan, segment);
    for (let i = segment.to - 1; i >= segment.from; i--) {
      const [t, before] = [timeOf(scan, i), timeOf(scan, i - 1)];
      step.gates = placeOf(segment.gates!, t) + 4 * from * width;
      step.saved = placeOf(segment.saved!, t) + stateOffset * cell.saved;
      step.dHidden = hiddenAt(t) + stateOffset;
      step.dHiddenPrevious = (i === 0 ? first : hiddenAt(before)) + stateOffset;
      if (inTurn && i > 0) kernels.fill(rows * units, 0, step.dHiddenPrevious);
      const kept = mask ? mask.kept(t, from, to) : rows;
      if (kept === 0) {
        kernels.axpy(rows * units, 1, step.dHidden, step.dHiddenPrevious);
        // Other parts of the batch may be at work in this step, so that it will be in the sums over time.
        if (t >= span.low && t < span.high) {
          kernels.fill(rows * width, 0, step.gates);
          kernels.fill(rows * units * cell.saved, 0, step.saved);
        }
        continue;
      }
      for (let s = 0; s < step.next.length; s++) {
        const strip = segment.states[s]!;
        step.next[s] = placeOf(strip, t) + stateOffset;
        step.previous[s] = (i === segment.from ? segment.start[s]! : placeOf(strip, before)) + stateOffset;
      }
      if (kept === rows) cell.backward(step);
      else maskedBackward(cell, step, mask!.at(t, from), held + stateOffset * cell.states.length);
    }
  };
}

/** The gradients of rows that are left out pass to the step before, and none reaches gates. What the step makes for these rows is lost. */
function maskedBackward(cell: Cell, step: BackwardStep, mask: Ptr, held: Ptr): void {
  const { kernels, rows, units, dHidden, dHiddenPrevious } = step;
  const passed = [dHiddenPrevious, ...step.dStates];
  const heldAt = (s: number): Ptr => held + 4 * s * rows * units;
  for (const [s, at] of passed.entries()) kernels.masked_rows(Masked.Copy, rows, units, mask, at, heldAt(s));
  cell.backward(step);
  for (const [s, at] of passed.entries()) kernels.masked_rows(Masked.Copy, rows, units, mask, heldAt(s), at);
  kernels.masked_rows(Masked.Add, rows, units, mask, dHidden, dHiddenPrevious);
  kernels.masked_rows(Masked.Zero, rows, cell.gates * units, mask, 0, step.gates);
  kernels.masked_rows(Masked.Zero, rows, cell.saved * units, mask, 0, step.saved);
}
