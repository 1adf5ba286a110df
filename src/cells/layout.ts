import { RnnActivation, StreamKind } from '../engine/abi.ts';

/** Sizes, states and matrices of a fused cell. The scan over time and the `stream` kernel both read them. */
export interface CellLayout {
  readonly name: string;
  /** Gates G: the kernel is `[I, G·H]`, the recurrent kernel `[H, G·H]`, or `[P, G·H]` for a cell that projects. */
  readonly gates: number;
  /** Rows of the bias: 1 for `[G·H]`; 2 for `[2, G·H]`, if the recurrent side has its own bias. */
  readonly biases: 1 | 2;
  /** State names; the first is the output h. */
  readonly states: readonly string[];
  readonly blocks: readonly Block[];
  /** Floats per unit that a step saves for backward, besides gates and states. */
  readonly saved: number;
  /** Floats per unit that a step needs only while it runs. */
  readonly scratch: number;
  /** How the `stream` kernel identifies the cell, if it supports it. */
  readonly stream?: { readonly kind: number; readonly activation?: number } | undefined;
}

/**
 * A matrix that the scan multiplies by at every backward step. It is packed once, and its gradient is one product over
 * all steps.
 */
export type Block = RecurrentBlock | ExtraBlock;

/** Columns of the recurrent kernel that belong to whole gates: U_block `[H, gates·H]`. */
export interface RecurrentBlock {
  /** Index of the first gate of the block. */
  readonly gate: number;
  /** Number of gates in the block. */
  readonly gates: number;
  /** The left operand of U_block in the forward product: h_{t−1}, or the values in `saved`. */
  readonly input: 'hidden' | 'saved';
  /** Where backward writes ∂L/∂(input·U_block): to the columns of the block in `gates`, or to `saved`. */
  readonly gradient: 'gates' | 'saved';
}

/** An extra weight `[H, P]` between the values in `saved` and the output of the cell. */
export interface ExtraBlock {
  /** Index in `Cell.extraWeights`. */
  readonly extra: number;
  readonly input: 'saved';
  /** ∂L/∂(input·matrix) is ∂L/∂h_t. */
  readonly gradient: 'hidden';
}

/** The matrices of a forward step. Neighbouring blocks of U with the same left operand are multiplied as one. */
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

// The calls that make layouts are marked as pure, so that bundlers remove unused layouts: an app with one cell then has
// only one layout.
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

/** Layouts of simple recurrent cells, by the name of the activation. */
export const rnnLayouts = {
  tanh: /* @__PURE__ */ rnnLayout('Tanh'),
  relu: /* @__PURE__ */ rnnLayout('Relu'),
  linear: /* @__PURE__ */ rnnLayout('Linear'),
};

/** Whether the gates of an LSTM or a GRU have a fused kernel. They have one for Keras's default activations only. */
export const hasFusedGates = ({
  activation = 'tanh',
  recurrentActivation = 'sigmoid',
}: {
  readonly activation?: unknown;
  readonly recurrentActivation?: unknown;
}): boolean => activation === 'tanh' && recurrentActivation === 'sigmoid';
