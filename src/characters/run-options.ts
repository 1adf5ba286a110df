// The options of a training run of a character model, their ranges and their defaults. The flags of the command line
// and the record in a model file are checked against the same ranges.

export const CELLS = ['lstm', 'gru', 'rnn'] as const;

/** Recurrent cells of a character model. */
export type CharCell = (typeof CELLS)[number];

/** Options of the model and its optimizer. */
export interface CharModelOptions {
  cell: CharCell;
  /** Number of recurrent layers. */
  layers: number;
  /** Units of each recurrent layer. */
  hidden: number;
  /** Width of the embedding. */
  embedding: number;
  /** Dropout rate, before and after each recurrent layer. */
  dropout: number;
  /** Learning rate of Adam. */
  lr: number;
  /** Maximum norm of the gradient; 0 turns clipping off. */
  clip: number;
  seed: number;
}

/** Options of a training run. */
export interface RunOptions extends CharModelOptions {
  /** Number of parallel streams of text. */
  batch: number;
  /** Characters of each stream in one update. */
  time: number;
  /** Total number of updates. Either `steps` or `epochs` is given. */
  steps?: number | undefined;
  /** Total number of passes over the text. */
  epochs?: number | undefined;
  /** Share of the text for training. The rest is for validation. */
  split: number;
  /** Steps between two validations. */
  evalEvery: number;
}

/** The allowed values of an option. */
export interface Range {
  readonly expected: string;
  holds(value: unknown): boolean;
}

export const wholeNumber = (low: number, high: number): Range => ({
  expected: `a whole number from ${low} to ${high}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
});

export const decimalNumber = (expected: string, holds: (value: number) => boolean): Range => ({
  expected: `a number ${expected}`,
  holds: (value) => Number.isFinite(value) && holds(value as number),
});

export const oneOf = (values: readonly string[]): Range => ({
  expected: `one of ${values.join(', ')}`,
  holds: (value) => values.includes(value as string),
});

export const ranges = {
  cell: oneOf(CELLS),
  layers: wholeNumber(1, 64),
  hidden: wholeNumber(1, 4096),
  embedding: wholeNumber(1, 16384),
  batch: wholeNumber(1, 65536),
  time: wholeNumber(1, 65536),
  steps: wholeNumber(1, 1e9),
  epochs: wholeNumber(1, 1e6),
  lr: decimalNumber('above 0 and up to 10', (x) => x > 0 && x <= 10),
  clip: decimalNumber('of 0 or more', (x) => x >= 0),
  dropout: decimalNumber('from 0 to below 1', (x) => x >= 0 && x < 1),
  split: decimalNumber('above 0 and below 1', (x) => x > 0 && x < 1),
  evalEvery: wholeNumber(1, 1e9),
  seed: wholeNumber(0, 2 ** 32 - 1),
} satisfies Record<keyof RunOptions, Range>;

/** Defaults of `tapeloop train`, except for the number of steps. */
export const runDefaults: Omit<RunOptions, 'steps' | 'epochs'> = {
  cell: 'lstm',
  layers: 1,
  hidden: 128,
  embedding: 64,
  dropout: 0,
  batch: 32,
  time: 50,
  lr: 2e-3,
  clip: 5,
  split: 0.9,
  evalEvery: 500,
  seed: 1,
};
