// All cases of all suites, as plain data. They are sent to the process of an engine as JSON.

import { INPUT_SEED, TARGET_SEED } from '../../src/bench/models/data.ts';
import { integers, uniform } from '../../src/bench/models/numbers.ts';
import { type Cell, GATES, inferFlops, language, type ModelShape, trainFlops } from '../../src/bench/models/shapes.ts';
import { IMAGES, type ImageShape, INFER, imageFlops, MODELS, STEP, TRAIN } from '../shapes.ts';
import { sizeOf, type WeightSpec } from './numbers.ts';

export type SuiteName =
  | 'train'
  | 'models'
  | 'images'
  | 'crf'
  | 'infer'
  | 'step'
  | 'gemm'
  | 'chars'
  | 'sweep'
  | 'memory'
  | 'start';
/** The kind of work in a case. */
export type Kind = 'train' | 'images' | 'crf' | 'infer' | 'step' | 'gemm' | 'chars' | 'start';

export interface Case {
  suite: SuiteName;
  case: string;
  kind: Kind;
  /** The model and the batch of `train` and `chars`. */
  model?: ModelShape;
  /** The layer of `images`. */
  image?: ImageShape;
  /** The layer of `infer` and `step`, and its input. */
  cell: 'lstm' | 'gru';
  batch: number;
  time: number;
  inputs: number;
  hidden: number;
  /** Edge of a `gemm` cube. */
  size: number;
  /** N or T for A and for B: stored as it is, or as its transpose. */
  layout: string;
  /** Number of operations in the equations; 0 if they are not counted. */
  flops: number;
  weights: WeightSpec[];
  /** The size that varies over the cases of `sweep`. */
  over?: 'T' | 'B' | 'H';
}

/** The variant with a GRU whose reset gate acts before the recurrent product, with one bias. */
export const RESET_BEFORE = 'reset-before';
/** Steps after which the state of a `step` case is compared. */
export const CHECKED_STEPS = 10;

/** Kernel, recurrent kernel and bias of a layer. The seeds of its weights are `seed` and the next two. */
function recurrentWeights(cell: Cell, inputs: number, units: number, seed: number): WeightSpec[] {
  const width = GATES[cell] * units;
  const scale = 1 / Math.sqrt(units);
  return [
    { shape: [inputs, width], seed, scale },
    { shape: [units, width], seed: seed + 1, scale },
    { shape: cell === 'gru' ? [2, width] : [width], seed: seed + 2, scale: 0.1 },
  ];
}

/** All weights of a model in the order of Keras. A bidirectional layer has those of both directions. */
function modelWeights({ features = 0, layers }: ModelShape): WeightSpec[] {
  const weights: WeightSpec[] = [];
  const add = (shape: number[], scale: number) => weights.push({ shape, seed: weights.length + 1, scale });
  let width = features;
  for (const layer of layers) {
    if (layer.kind === 'embedding') {
      add([layer.words, layer.width], 0.5);
      width = layer.width;
    } else if (layer.kind === 'conv1d' || layer.kind === 'dense') {
      const shape = layer.kind === 'dense' ? [width, layer.units] : [layer.kernelSize, width, layer.filters];
      width = shape.at(-1)!;
      add(shape, 1 / Math.sqrt(sizeOf(shape) / width));
      add([width], 0.1);
    } else {
      const directions = layer.bidirectional ? 2 : 1;
      for (let i = 0; i < directions; i++) {
        weights.push(...recurrentWeights(layer.kind, width, layer.units, weights.length + 1));
      }
      width = directions * layer.units;
    }
  }
  return weights;
}

const empty: Case = {
  suite: 'infer',
  case: '',
  kind: 'infer',
  cell: 'lstm',
  batch: 1,
  time: 1,
  inputs: 0,
  hidden: 0,
  size: 0,
  layout: 'NN',
  flops: 0,
  weights: [],
};

const train = (model: ModelShape, suite: SuiteName = 'train'): Case => ({
  ...empty,
  suite,
  case: model.name,
  kind: 'train',
  model,
  flops: trainFlops(model),
  weights: modelWeights(model),
});

function infer(cell: 'lstm' | 'gru', batch: number, time: number, inputs: number, hidden: number): Case {
  return {
    ...empty,
    suite: 'infer',
    case: `${cell} ${batch}x${time}x${inputs}x${hidden}`,
    kind: 'infer',
    cell,
    batch,
    time,
    inputs,
    hidden,
    flops: inferFlops(cell, batch, time, inputs, hidden),
    weights: recurrentWeights(cell, inputs, hidden, 1),
  };
}

const step = (inputs: number, hidden: number): Case => ({
  ...infer('lstm', 1, 1, inputs, hidden),
  suite: 'step',
  case: `lstm ${inputs}x${hidden}`,
  kind: 'step',
});

const gemm = (size: number, layout: string): Case => ({
  ...empty,
  suite: 'gemm',
  case: `${size}³ ${layout}`,
  kind: 'gemm',
  size,
  layout,
  flops: 2 * size ** 3,
});

const sweep = (over: 'T' | 'B' | 'H', model: ModelShape): Case => ({
  ...train(model, 'sweep'),
  case: `${over} ${model.name}`,
  over,
});

/** The weights, and last the gradient of the output. */
function images(shape: ImageShape): Case {
  const { kind, input, filters, kernelSize, trains } = shape;
  const isVideo = kind === 'convLstm2d';
  const width = isVideo ? GATES.lstm * filters : filters;
  const taps = [kernelSize, kernelSize];
  const shapes = [[...taps, input.at(-1)!, width], ...(isVideo ? [[...taps, filters, width]] : []), [width]];
  return {
    ...empty,
    suite: 'images',
    case: `${kind} ${input.join('x')} to ${filters}${trains ? ', training' : ''}`,
    kind: 'images',
    image: shape,
    flops: imageFlops(shape),
    weights: [...shapes, [...input.slice(0, -1), filters]].map((each, i) => ({ shape: each, seed: i + 1, scale: 0.1 })),
  };
}

/** `input` of an `images` case. */
export const imagesOf = ({ input }: ImageShape): Float32Array<ArrayBuffer> => uniform(INPUT_SEED, sizeOf(input), 1);

/** Emissions, transitions, start and end of a conditional random field. */
function crf(batch: number, time: number, tags: number): Case {
  const shapes = [[batch, time, tags], [tags, tags], [tags], [tags]];
  return {
    ...empty,
    suite: 'crf',
    case: `crf ${batch}x${time}, ${tags} tags`,
    kind: 'crf',
    batch,
    time,
    hidden: tags,
    weights: shapes.map((shape, i) => ({ shape, seed: i + 1, scale: 2 })),
  };
}

/** The tags `[B, T]` of a `crf` case. */
export const tagsOf = ({ batch, time, hidden }: Case): Int32Array<ArrayBuffer> =>
  integers(TARGET_SEED, batch * time, hidden);

const POWERS = [1, 4, 16, 64, 256, 1024, 4096];

export const CASES: readonly Case[] = [
  ...TRAIN.map((model) => train(model)),
  ...MODELS.map((model) => train(model, 'models')),
  ...IMAGES.map(images),
  crf(32, 50, 20),
  crf(32, 50, 100),
  ...(['lstm', 'gru'] as const).flatMap((cell) =>
    INFER.map(([batch, time, inputs, hidden]) => infer(cell, batch, time, inputs, hidden)),
  ),
  ...STEP.map(([inputs, hidden]) => step(inputs, hidden)),
  ...[64, 128, 256, 512, 1024].flatMap((size) => ['NN', 'NT', 'TN'].map((layout) => gemm(size, layout))),
  // One sequence of 100 characters in each training step, because brain.js accepts only one sequence.
  { ...train(language(1, 1, 100, 128), 'chars'), kind: 'chars' },
  ...POWERS.map((time) => sweep('T', language(1, 32, time, 128))),
  ...POWERS.map((batch) => sweep('B', language(1, batch, 50, 128))),
  ...[32, 64, 128, 256, 512].map((hidden) => sweep('H', language(1, 32, 50, hidden))),
  train(language(1, 32, 100, 256), 'memory'),
  { ...step(64, 128), suite: 'start', case: 'first lstm step 64x128', kind: 'start', flops: 0 },
];

/** `[B, T, I]`. */
export const inputOf = ({ batch, time, inputs }: Case): Float32Array<ArrayBuffer> =>
  uniform(INPUT_SEED, batch * time * inputs, 1);
/** A and B of a `gemm` in their memory order. The transpose of a square matrix has the same shape. */
export const operandsOf = ({ size }: Case): Float32Array<ArrayBuffer>[] =>
  [INPUT_SEED, TARGET_SEED].map((seed) => uniform(seed, size * size, 1));
