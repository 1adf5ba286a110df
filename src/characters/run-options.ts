// What a training run of a character model is told, and what each of it may be: the command line's flags and the record
// in a model file are held to the same ranges.

export const CELLS = ['lstm', 'gru', 'rnn'] as const;

/** Recurrent cells of a character model. */
export type CharCell = (typeof CELLS)[number];

/** What a character model is made of. */
export interface CharModelOptions {
  cell: CharCell;
  /** Recurrent layers, one on the other. */
  layers: number;
  /** Units of each of them. */
  hidden: number;
  /** Size of a character's vector. */
  embedding: number;
  /** Share of activations dropped, before and after each recurrent layer. */
  dropout: number;
  /** Learning rate of Adam. */
  lr: number;
  /** Longest norm of the gradient; 0 never clips. */
  clip: number;
  seed: number;
}

/** How a character model is trained. */
export interface RunOptions extends CharModelOptions {
  /** Streams of text side by side. */
  batch: number;
  /** Characters between two updates. */
  time: number;
  /** Updates to make in all; that or `epochs`. */
  steps?: number | undefined;
  /** Passes over the text to make in all. */
  epochs?: number | undefined;
  /** Share of the text to train on; the rest validates. */
  split: number;
  /** Steps between two validations. */
  evalEvery: number;
}

/** The values that an option may have. */
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

/** What `tapeloop train` takes where it is not told otherwise, but for the number of steps. */
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
