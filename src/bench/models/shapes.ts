// Models as plain data, and the numbers of operations in their equations.

export const VOCABULARY = 65;

export const GATES = { lstm: 4, gru: 3, rnn: 1 };
export type Cell = keyof typeof GATES;

/** A recurrent layer of tanh. `relu` replaces tanh for candidate and output. */
export interface RecurrentShape {
  kind: Cell;
  units: number;
  activation?: 'relu';
  /** The outputs of two directions, joined. */
  bidirectional?: true;
  /** Only the output of the last step, of B rows. */
  last?: true;
}

/** A layer, as plain data that every engine interprets. */
export type LayerShape =
  | { kind: 'embedding'; words: number; width: number }
  /** With relu. As many steps as before, with zeros on both sides. */
  | { kind: 'conv1d'; filters: number; kernelSize: number }
  | RecurrentShape
  | { kind: 'dense'; units: number };

/** A model and its batch. */
export interface ModelShape {
  name: string;
  batch: number;
  time: number;
  /** F of inputs `[B, T, F]`. Without it the inputs are tokens `[B, T]` for an embedding. */
  features?: number;
  /** Whether the sequences have lengths of T/2 to T − 1 steps. */
  masked?: true;
  layers: readonly LayerShape[];
  /** Mean squared error; cross-entropy of one logit and a target 0 or 1; cross-entropy of logits and a class. */
  loss: 'mse' | 'binary' | 'classes';
  /** Norm of all gradients to clip at. */
  clipNorm?: number;
}

/**
 * A language model: tokens → embedding → LSTM layers → linear, cross-entropy at every step, norm clipped at 5. Default:
 * tokens of 65, embedding of H/2.
 */
export const language = (
  layers: number,
  batch: number,
  time: number,
  hidden: number,
  { words = VOCABULARY, width = hidden / 2, bidirectional = false } = {},
): ModelShape => ({
  name: `lstm${layers > 1 ? layers : ''} ${batch}x${time}x${hidden}`,
  batch,
  time,
  layers: [
    { kind: 'embedding', words, width },
    ...Array.from({ length: layers }, () => ({
      kind: 'lstm' as const,
      units: hidden,
      ...(bidirectional && { bidirectional }),
    })),
    { kind: 'dense', units: words },
  ],
  loss: 'classes',
  clipNorm: 5,
});

/** Rows of the model's output: B, or B·T with an output for every step. */
export const outputRows = ({ batch, time, layers }: ModelShape): number =>
  layers.some((layer) => 'last' in layer) ? batch : batch * time;

/**
 * Operations of the products in a training step: forward once, backward twice, or once for a product with the features
 * themselves. An embedding and the product after it are a row gather and do not count, unless there are more words than
 * tokens. Masked steps count.
 */
export function trainFlops(shape: ModelShape): number {
  const { batch, time, features, layers } = shape;
  const rows = batch * time;
  let width = features ?? 0;
  let passes = features ? 2 : 3;
  let sum = 0;
  for (const layer of layers) {
    if (layer.kind === 'embedding') {
      width = layer.words < rows ? 0 : layer.width;
    } else if (layer.kind === 'conv1d') {
      sum += passes * rows * layer.kernelSize * width * layer.filters;
      width = layer.filters;
    } else if (layer.kind === 'dense') {
      sum += passes * outputRows(shape) * width * layer.units;
    } else {
      const directions = layer.bidirectional ? 2 : 1;
      sum += directions * rows * GATES[layer.kind] * layer.units * (passes * width + 3 * layer.units);
      width = directions * layer.units;
    }
    passes = 3;
  }
  return 2 * sum;
}

/** Operations of a layer's forward pass over a sequence. */
export const inferFlops = (cell: 'lstm' | 'gru', batch: number, time: number, inputs: number, hidden: number): number =>
  2 * batch * time * GATES[cell] * hidden * (inputs + hidden);
