// The shapes of `npm run bench` and `npm run bench:peers`, and the numbers of operations in the equations.

export const VOCABULARY = 65;

export const GATES = { lstm: 4, gru: 3 };

export const TRAIN = [
  { layers: 1, batch: 32, time: 50, hidden: 128 },
  { layers: 1, batch: 32, time: 100, hidden: 256 },
  { layers: 1, batch: 64, time: 100, hidden: 512 },
  { layers: 2, batch: 32, time: 100, hidden: 256 },
];

/** Batch, time, inputs, hidden. */
export const INFER = [
  [1, 100, 64, 128],
  [1, 100, 128, 256],
  [32, 50, 64, 128],
  [32, 100, 128, 256],
  [64, 100, 256, 512],
] as const;

/** Inputs, hidden. */
export const STEP = [
  [64, 128],
  [128, 256],
] as const;

/**
 * Operations of the recurrent products, of the products between layers and of the head: forward once, backward twice.
 * The embedding is a row gather and does not count.
 */
export const trainFlops = (layers: number, batch: number, time: number, hidden: number): number =>
  6 * batch * time * (4 * hidden * hidden * (2 * layers - 1) + hidden * VOCABULARY);

/** Operations of a layer's forward pass over a sequence. */
export const inferFlops = (cell: 'lstm' | 'gru', batch: number, time: number, inputs: number, hidden: number): number =>
  2 * batch * time * GATES[cell] * hidden * (inputs + hidden);
