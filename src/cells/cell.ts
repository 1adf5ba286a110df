import type { Kernels, Ptr } from '../engine/abi.ts';

export interface CellSizes {
  /** H: units of each gate, and of every state but the first. */
  readonly units: number;
  /** Width of h: H as well, or the P of a cell that `projects`. */
  readonly hidden: number;
}

/** The width of a state, by its place in `Cell.states`. */
export const stateWidth = (state: number, { units, hidden }: CellSizes): number => (state === 0 ? hidden : units);

/** A matrix that the scan multiplies by at every step: packed once, its gradient made from all steps in one product. */
export type Block = RecurrentBlock | ExtraBlock;

/** A slice of the recurrent kernel's columns, whole gates, U_block `[H, gates·H]`. */
export interface RecurrentBlock {
  /** First gate of the slice, and how many. */
  readonly gate: number;
  readonly gates: number;
  /** What stands left of U_block in the forward product: h_{t−1}, or what the cell keeps in `saved`. */
  readonly input: 'hidden' | 'saved';
  /** Where backward leaves ∂L/∂(input·U_block): in the block's columns of `gates`, or in `saved`. */
  readonly gradient: 'gates' | 'saved';
}

/** A weight of the cell's own, a matrix `[H, P]` between what the cell keeps in `saved` and its output. */
export interface ExtraBlock {
  /** Index in `Cell.extraWeights`. */
  readonly extra: number;
  readonly input: 'saved';
  /** ∂L/∂(input·matrix) is ∂L/∂h_t. */
  readonly gradient: 'hidden';
}

/** A weight beside kernel, recurrent kernel and bias. */
export interface ExtraWeight {
  readonly name: string;
  shape(sizes: CellSizes): readonly number[];
}

/** One time step forward, in addresses. States stand in the order of `Cell.states`, `[rows, H]` each, h `[rows, P]` of a cell that projects. */
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
  /** to ← init + from·block; `to` has row stride `stride`, `init` is one of `Init` and takes the recurrent bias for `Init.Bias`. */
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
export interface Cell {
  readonly name: string;
  /** Gates G: kernel is `[I, G·H]`, recurrent kernel `[H, G·H]`, `[P, G·H]` of a cell that projects. */
  readonly gates: number;
  /** Rows of the bias `[G·H]`: 2 where the recurrent side has a bias of its own, `[2, G·H]`. */
  readonly biases: 1 | 2;
  /** State names; the first is the output h. */
  readonly states: readonly string[];
  readonly blocks: readonly Block[];
  /** Whether h is narrower than the other states. Default false. */
  readonly projects?: boolean;
  readonly extraWeights?: readonly ExtraWeight[];
  /** Floats per unit that a step keeps beside gates and states, and that it needs only while it runs. */
  readonly saved: number;
  readonly scratch: number;
  /** How the `stream` kernel knows the cell, if it does. */
  readonly stream?: { readonly kind: number; readonly activation?: number };
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
  /** Adds a step's share to the gradients of those extra weights that are no block; called from the last step walked to the first. */
  addWeightGradients?(step: WeightStep): void;
}
