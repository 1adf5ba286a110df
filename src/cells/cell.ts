import type { Kernels, Ptr } from '../engine/abi.ts';
import type { CellLayout } from './layout.ts';

export interface CellSizes {
  /** H: units of each gate, and of every state but the first. */
  readonly units: number;
  /** Width of h: H as well, or the P of a cell that `projects`. */
  readonly hidden: number;
}

/** The width of a state, by its place in `Cell.states`. */
export const stateWidth = (state: number, { units, hidden }: CellSizes): number => (state === 0 ? hidden : units);

/** A weight beside kernel, recurrent kernel and bias. */
export interface ExtraWeight {
  readonly name: string;
  shape(sizes: CellSizes): readonly number[];
}

/**
 * One time step forward, in addresses. States stand in the order of `Cell.states`, `[rows, H]` each, h `[rows, P]` of a
 * cell that projects.
 */
export interface ForwardStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  /** Addresses of the cell's extra weights. */
  readonly extra: readonly Ptr[];
  /** `[rows, G·H]`: x_t·W + input bias in, activated gates out, kept for backward. */
  gates: Ptr;
  readonly previous: Ptr[];
  readonly next: Ptr[];
  /** `[rows, saved·H]`, kept for backward. */
  saved: Ptr;
  /** `[rows, scratch·H]`, lost after the step. */
  readonly scratch: Ptr;
  /**
   * to ← init + from·block, of `forwardBlocks`; `to` has row stride `stride`, `init` is one of `Init` and takes the
   * recurrent bias for `Init.Bias`.
   */
  project(block: number, from: Ptr, to: Ptr, stride: number, init: number): void;
}

/** One time step backward. */
export interface BackwardStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly extra: readonly Ptr[];
  /** Activated gates in, gradients of their pre-activations out. */
  gates: Ptr;
  readonly previous: Ptr[];
  readonly next: Ptr[];
  saved: Ptr;
  readonly scratch: Ptr;
  /** ∂L/∂h_t, complete. */
  dHidden: Ptr;
  /** ∂L/∂h_{t−1} so far: the step adds to it. */
  dHiddenPrevious: Ptr;
  /** Gradients of the states after the first: of step t in, of step t−1 out, in place. */
  readonly dStates: Ptr[];
  /** to ← init + from·blockᵀ; `from` has row stride `stride`, `to` is dense, as wide as the block is high. */
  projectBack(block: number, from: Ptr, stride: number, to: Ptr, init: number): void;
}

/** A step that has been walked back, all rows of the batch: its gates are gradients. */
export interface WeightStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly gates: Ptr;
  readonly previous: readonly Ptr[];
  readonly next: readonly Ptr[];
  /** Gradients of the extra weights so far, to add to; 0 where one is not wanted. */
  readonly dExtra: readonly Ptr[];
}

/**
 * What a fused cell tells the scan over time. The scan owns memory, the input projection, the order of steps and the
 * gradients of the weights; the cell owns what happens between h_{t−1} and h_t.
 */
export interface Cell extends CellLayout {
  /** Whether h is narrower than the other states. Default false. */
  readonly projects?: boolean;
  readonly extraWeights?: readonly ExtraWeight[];
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
  /**
   * Adds a step's share to the gradients of those extra weights that are no block; called from the last step walked to
   * the first.
   */
  addWeightGradients?(step: WeightStep): void;
}

/**
 * A layout with its steps. To be marked as pure where it stands at the top of a file, so that bundlers leave out a cell
 * that nobody uses.
 */
export const cellOf = (layout: CellLayout, cell: Omit<Cell, keyof CellLayout> & Partial<CellLayout>): Cell => ({
  ...layout,
  ...cell,
});
