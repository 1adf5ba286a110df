// The shapes of `npm run bench:shapes` and `npm run bench:peers`.
import { GATES, language, type ModelShape, VOCABULARY } from '../src/bench/models/shapes.ts';

export const TRAIN = [
  language(1, 32, 50, 128),
  language(1, 32, 100, 256),
  language(1, 64, 100, 512),
  language(2, 32, 100, 256),
];

/** A first model for beginners. It is so small that the calls take most of its time. */
const small = (activation?: 'relu'): ModelShape => ({
  name: `lstm ${activation ?? 'tanh'} 3x3x50`,
  batch: 3,
  time: 3,
  features: 1,
  layers: [
    { kind: 'lstm', units: 50, last: true, ...(activation && { activation }) },
    { kind: 'dense', units: 1 },
  ],
  loss: 'mse',
});

/** A review of 500 words is good or bad. */
const reviews = (kind: 'lstm' | 'rnn'): ModelShape => ({
  name: `reviews ${kind} 128x500x32`,
  batch: 128,
  time: 500,
  layers: [
    { kind: 'embedding', words: 5000, width: 32 },
    { kind, units: 32, last: true },
    { kind: 'dense', units: 1 },
  ],
  loss: 'binary',
});

/** Small models, large vocabularies and large cells. */
export const MODELS: readonly ModelShape[] = [
  small('relu'),
  small(),
  reviews('rnn'),
  reviews('lstm'),
  { ...language(1, 20, 35, 256, { words: 10_000, width: 256 }), name: 'words lstm 20x35x256' },
  language(1, 32, 20, 1024),
  language(1, 128, 20, 1024),
  language(1, 32, 10, 2048),
  { ...language(1, 32, 50, 128, { bidirectional: true }), name: 'bidirectional lstm 32x50x128' },
  {
    name: 'masked lstm 32x50x128',
    batch: 32,
    time: 50,
    features: 64,
    masked: true,
    layers: [
      { kind: 'lstm', units: 128, last: true },
      { kind: 'dense', units: VOCABULARY },
    ],
    loss: 'classes',
  },
  {
    name: 'conv1d gru 32x100x128',
    batch: 32,
    time: 100,
    features: 40,
    layers: [
      { kind: 'conv1d', filters: 64, kernelSize: 5 },
      { kind: 'gru', units: 128 },
      { kind: 'dense', units: VOCABULARY },
    ],
    loss: 'classes',
    clipNorm: 5,
  },
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

/** A layer of images, with zeros around them (`same`). */
export interface ImageShape {
  kind: 'conv2d' | 'convLstm2d';
  /** `[B, H, W, I]`; `[B, T, H, W, I]` for a video. */
  input: readonly number[];
  filters: number;
  kernelSize: number;
  /** Whether the gradients of input and weights are computed too. */
  trains: boolean;
}

/** Shi et al. 2015 and the Keras example have a video of frames of 40×40, and 40 filters. */
export const IMAGES: readonly ImageShape[] = [false, true].flatMap((trains) => [
  { kind: 'conv2d', input: [32, 28, 28, 32], filters: 64, kernelSize: 3, trains },
  { kind: 'convLstm2d', input: [8, 10, 40, 40, 1], filters: 40, kernelSize: 3, trains },
]);

/** Operations of the products of an image layer, backward twice those of forward. */
export function imageFlops({ kind, input, filters, kernelSize, trains }: ImageShape): number {
  const pixels = input.slice(0, -1).reduce((product, n) => product * n, 1);
  const channels = input.at(-1)!;
  const [width, depth] = kind === 'conv2d' ? [filters, channels] : [GATES.lstm * filters, channels + filters];
  return 2 * (trains ? 3 : 1) * pixels * kernelSize ** 2 * depth * width;
}
