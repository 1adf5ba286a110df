import type { Kernels, Ptr } from '../engine/abi.ts';
import type { CellLayout } from './layout.ts';

export interface CellSizes {
  /** H: units of each gate, and width of every state but the first. */
  readonly units: number;
  /** Width of h: H, or P for a cell that `projects`. */
  readonly hidden: number;
}

/** The width of a state, by its index in `Cell.states`. */
export const stateWidth = (state: number, { units, hidden }: CellSizes): number => (state === 0 ? hidden : units);

/** A weight besides kernel, recurrent kernel and bias. */
export interface ExtraWeight {
  readonly name: string;
  shape(sizes: CellSizes): readonly number[];
}

/**
 * The sizes and addresses of one time step forward. States are in the order of `Cell.states`, each `[rows, H]`; h is
 * `[rows, P]` for a cell that projects.
 */
export interface ForwardStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  /** Addresses of the cell's extra weights. */
  readonly extra: readonly Ptr[];
  /** `[rows, G·H]`: x_t·W + input bias before the step, activated gates after it. Saved by forward for backward. */
  gates: Ptr;
  readonly previous: Ptr[];
  readonly next: Ptr[];
  /** `[rows, saved·H]`. Saved by forward for backward. */
  saved: Ptr;
  /** `[rows, scratch·H]`, undefined after the step. */
  readonly scratch: Ptr;
  /**
   * to ← init + from·block, for a block of `forwardBlocks`. `to` has row stride `stride`. `init` is one of `Init`;
   * `Init.Bias` adds the recurrent bias.
   */
  project(block: number, from: Ptr, to: Ptr, stride: number, init: number): void;
}

/** The sizes and addresses of one time step backward. */
export interface BackwardStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly extra: readonly Ptr[];
  /** Activated gates before the step, gradients of their pre-activations after it. */
  gates: Ptr;
  readonly previous: Ptr[];
  readonly next: Ptr[];
  saved: Ptr;
  readonly scratch: Ptr;
  /** ∂L/∂h_t, complete. */
  dHidden: Ptr;
  /** ∂L/∂h_{t−1}; the step adds to it. */
  dHiddenPrevious: Ptr;
  /** Gradients of the states after the first: of step t before the step, of step t−1 after it, in place. */
  readonly dStates: Ptr[];
  /** to ← init + from·blockᵀ. `from` has row stride `stride`; `to` is dense, as wide as the block is high. */
  projectBack(block: number, from: Ptr, stride: number, to: Ptr, init: number): void;
}

/** One step after its backward pass, with all rows of the batch. `gates` holds gradients. */
export interface WeightStep extends CellSizes {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly gates: Ptr;
  readonly previous: readonly Ptr[];
  readonly next: readonly Ptr[];
  /** Addresses of the gradients of the extra weights, to which the step adds; 0 for a gradient that is not needed. */
  readonly dExtra: readonly Ptr[];
}

/**
 * The contract between a fused cell and the scan over time. The scan owns memory, the input projection, the order of
 * steps and the gradients of the weights. The cell computes h_t from h_{t−1}, and the gradients of one step.
 */
export interface Cell extends CellLayout {
  /** Whether h is narrower than the other states. Default false. */
  readonly projects?: boolean;
  readonly extraWeights?: readonly ExtraWeight[];
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
  /**
   * Adds the contribution of one step to the gradients of the extra weights that are not blocks. It is called from the
   * last step of the scan to the first.
   */
  addWeightGradients?(step: WeightStep): void;
}

/** Joins a layout and the steps of a cell. Top-level calls are marked as pure: bundlers then remove unused cells. */
export const cellOf = (layout: CellLayout, cell: Omit<Cell, keyof CellLayout> & Partial<CellLayout>): Cell => ({
  ...layout,
  ...cell,
});
