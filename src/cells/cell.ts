import type { Kernels, Ptr } from '../engine/abi.ts';

/**
 * A slice of the recurrent kernel's columns, whole gates, that the scan multiplies by as one matrix U_block `[H, gates·H]`.
 */
export interface RecurrentBlock {
  /** First gate of the slice, and how many. */
  readonly gate: number;
  readonly gates: number;
  /** What stands left of U_block in the forward product: h_{t−1}, or what the cell keeps in `saved`. */
  readonly input: 'hidden' | 'saved';
  /** Where backward leaves ∂L/∂(input·U_block): in the block's columns of `gates`, or in `saved`. */
  readonly gradient: 'gates' | 'saved';
}

/** One time step forward, in addresses. States stand in the order of `Cell.states`; every state is `[rows, H]`. */
export interface ForwardStep {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly units: number;
  /** `[rows, G·H]`: x_t·W + input bias in, activated gates out, kept for backward. */
  gates: Ptr;
  readonly previous: Ptr[];
  readonly next: Ptr[];
  /** `[rows, saved·H]`, kept for backward. */
  saved: Ptr;
  /** `[rows, scratch·H]`, lost after the step. */
  readonly scratch: Ptr;
  /** to ← init + from·U_block; `to` has row stride `stride`, `init` is one of `Init` and takes the recurrent bias for `Init.Bias`. */
  project(block: number, from: Ptr, to: Ptr, stride: number, init: number): void;
}

/** One time step backward. */
export interface BackwardStep {
  readonly kernels: Kernels;
  readonly rows: number;
  readonly units: number;
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
  /** to ← init + from·U_blockᵀ; `from` has row stride `stride`, `to` is `[rows, H]`. */
  projectBack(block: number, from: Ptr, stride: number, to: Ptr, init: number): void;
}

/**
 * What a fused cell tells the scan over time. The scan owns memory, the input projection, the order of steps and the
 * gradients of the weights; the cell owns what happens between h_{t−1} and h_t.
 */
export interface Cell {
  readonly name: string;
  /** Gates G: kernel is `[I, G·H]`, recurrent kernel `[H, G·H]`. */
  readonly gates: number;
  /** Rows of the bias `[G·H]`: 2 where the recurrent side has a bias of its own, `[2, G·H]`. */
  readonly biases: 1 | 2;
  /** State names; the first is the output h. */
  readonly states: readonly string[];
  readonly blocks: readonly RecurrentBlock[];
  /** Floats per unit that a step keeps beside gates and states, and that it needs only while it runs. */
  readonly saved: number;
  readonly scratch: number;
  /** How the `stream` kernel knows the cell. */
  readonly stream: { readonly kind: number; readonly activation?: number };
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
}
