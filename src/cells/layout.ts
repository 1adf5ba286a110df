import { RnnActivation, StreamKind } from '../engine/abi.ts';

/**
 * What a fused cell keeps, packs and multiplies by, whoever makes its steps: the scan over time or the `stream` kernel.
 */
export interface CellLayout {
  readonly name: string;
  /** Gates G: kernel is `[I, G·H]`, recurrent kernel `[H, G·H]`, `[P, G·H]` of a cell that projects. */
  readonly gates: number;
  /** Rows of the bias `[G·H]`: 2 where the recurrent side has a bias of its own, `[2, G·H]`. */
  readonly biases: 1 | 2;
  /** State names; the first is the output h. */
  readonly states: readonly string[];
  readonly blocks: readonly Block[];
  /** Floats per unit that a step keeps beside gates and states, and that it needs only while it runs. */
  readonly saved: number;
  readonly scratch: number;
  /** How the `stream` kernel knows the cell, if it does. */
  readonly stream?: { readonly kind: number; readonly activation?: number } | undefined;
}

/**
 * A matrix that the scan multiplies by at every step back: packed once, its gradient made from all steps in one
 * product.
 */
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

/**
 * The matrices of a step forward: blocks of U that stand side by side, right of the same operand, are multiplied as
 * one.
 */
export function forwardBlocks(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (last && !('extra' in last) && !('extra' in block) && last.input === block.input) {
      joined[joined.length - 1] = { ...last, gates: last.gates + block.gates };
    } else joined.push(block);
  }
  return joined;
}

// What is at the top of a file is made by calls that bundlers may leave out: an app with one cell then carries no
// other.
const known = (
  stream: keyof typeof StreamKind,
  layout: Omit<CellLayout, 'stream'>,
  activation?: keyof typeof RnnActivation,
): CellLayout => ({
  ...layout,
  stream: { kind: StreamKind[stream], ...(activation && { activation: RnnActivation[activation] }) },
});

export const lstmLayout: CellLayout = /* @__PURE__ */ known('Lstm', {
  name: 'lstm',
  gates: 4,
  biases: 1,
  states: ['h', 'c'],
  blocks: [{ gate: 0, gates: 4, input: 'hidden', gradient: 'gates' }],
  saved: 0,
  scratch: 0,
});

export const gruAfterLayout: CellLayout = /* @__PURE__ */ known('GruAfter', {
  name: 'gru',
  gates: 3,
  biases: 2,
  states: ['h'],
  blocks: [
    { gate: 0, gates: 2, input: 'hidden', gradient: 'gates' },
    { gate: 2, gates: 1, input: 'hidden', gradient: 'saved' },
  ],
  saved: 1,
  scratch: 3,
});

export const gruBeforeLayout: CellLayout = /* @__PURE__ */ known('GruBefore', {
  name: 'gru',
  gates: 3,
  biases: 1,
  states: ['h'],
  blocks: [
    { gate: 0, gates: 2, input: 'hidden', gradient: 'gates' },
    { gate: 2, gates: 1, input: 'saved', gradient: 'gates' },
  ],
  saved: 1,
  scratch: 1,
});

const rnnLayout = (activation: keyof typeof RnnActivation): CellLayout =>
  known(
    'Rnn',
    {
      name: 'simpleRnn',
      gates: 1,
      biases: 1,
      states: ['h'],
      blocks: [{ gate: 0, gates: 1, input: 'hidden', gradient: 'gates' }],
      saved: 0,
      scratch: 0,
    },
    activation,
  );

/** By the name of their activation. */
export const rnnLayouts = {
  tanh: /* @__PURE__ */ rnnLayout('Tanh'),
  relu: /* @__PURE__ */ rnnLayout('Relu'),
  linear: /* @__PURE__ */ rnnLayout('Linear'),
};

/** Whether the gates of an LSTM or a GRU have a fused kernel: those of Keras's default activations do. */
export const hasFusedGates = ({
  activation = 'tanh',
  recurrentActivation = 'sigmoid',
}: {
  readonly activation?: unknown;
  readonly recurrentActivation?: unknown;
}): boolean => activation === 'tanh' && recurrentActivation === 'sigmoid';
