// All cases of all suites, as plain data. They are sent to the process of an engine as JSON.
import { GATES, INFER, inferFlops, STEP, TRAIN, trainFlops, VOCABULARY } from '../shapes.ts';
import { integers, uniform, type WeightSpec } from './numbers.ts';

export type SuiteName = 'train' | 'infer' | 'step' | 'gemm' | 'chars' | 'sweep' | 'memory' | 'start';
export type Cell = 'lstm' | 'gru';
/** The kind of work in a case. */
export type Kind = 'train' | 'infer' | 'step' | 'gemm' | 'chars' | 'start';

export interface Case {
  suite: SuiteName;
  case: string;
  kind: Kind;
  cell: Cell;
  layers: number;
  batch: number;
  time: number;
  /** Width of the input of the recurrent layer; for `train` the width of the embedding. */
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

/**
 * Settings of Adam in every engine. ε is so small that its place, before or after the bias correction, does not matter.
 */
export const ADAM = { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-10 };
export const CLIP_NORM = 5;
/** Steps after which the state of a `step` case is compared. */
export const CHECKED_STEPS = 10;

const INPUT_SEED = 100;
const TARGET_SEED = 101;

function recurrentWeights(cell: Cell, layer: number, inputs: number, hidden: number): WeightSpec[] {
  const width = GATES[cell] * hidden;
  const scale = 1 / Math.sqrt(hidden);
  const seed = 3 * layer + 10;
  const biasShape = cell === 'gru' ? [2, width] : [width];
  return [
    { name: `kernel${layer}`, shape: [inputs, width], seed, scale },
    { name: `recurrentKernel${layer}`, shape: [hidden, width], seed: seed + 1, scale },
    { name: `bias${layer}`, shape: biasShape, seed: seed + 2, scale: 0.1 },
  ];
}

const empty: Case = {
  suite: 'infer',
  case: '',
  kind: 'infer',
  cell: 'lstm',
  layers: 1,
  batch: 1,
  time: 1,
  inputs: 0,
  hidden: 0,
  size: 0,
  layout: 'NN',
  flops: 0,
  weights: [],
};

/**
 * A character model: tokens of 65 → embedding H/2 → LSTM layers → linear 65, cross-entropy at every step, norm clipped
 * at 5, Adam.
 */
function train(layers: number, batch: number, time: number, hidden: number): Case {
  const inputs = hidden / 2;
  const recurrent = Array.from({ length: layers }, (_, layer) =>
    recurrentWeights('lstm', layer, layer === 0 ? inputs : hidden, hidden),
  );
  return {
    ...empty,
    suite: 'train',
    case: `lstm${layers > 1 ? layers : ''} ${batch}x${time}x${hidden}`,
    kind: 'train',
    layers,
    batch,
    time,
    inputs,
    hidden,
    flops: trainFlops(layers, batch, time, hidden),
    weights: [
      { name: 'embedding', shape: [VOCABULARY, inputs], seed: 1, scale: 0.5 },
      ...recurrent.flat(),
      { name: 'denseKernel', shape: [hidden, VOCABULARY], seed: 2, scale: 1 / Math.sqrt(hidden) },
      { name: 'denseBias', shape: [VOCABULARY], seed: 3, scale: 0.1 },
    ],
  };
}

function infer(cell: Cell, batch: number, time: number, inputs: number, hidden: number): Case {
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
    weights: recurrentWeights(cell, 0, inputs, hidden),
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

const sweep = (over: 'T' | 'B' | 'H', base: Case): Case => ({
  ...base,
  suite: 'sweep',
  case: `${over} ${base.case}`,
  over,
});

const POWERS = [1, 4, 16, 64, 256, 1024, 4096];

export const CASES: readonly Case[] = [
  ...TRAIN.map(({ layers, batch, time, hidden }) => train(layers, batch, time, hidden)),
  ...(['lstm', 'gru'] as const).flatMap((cell) =>
    INFER.map(([batch, time, inputs, hidden]) => infer(cell, batch, time, inputs, hidden)),
  ),
  ...STEP.map(([inputs, hidden]) => step(inputs, hidden)),
  ...[64, 128, 256, 512, 1024].flatMap((size) => ['NN', 'NT', 'TN'].map((layout) => gemm(size, layout))),
  // One sequence of 100 characters in each training step, because brain.js accepts only one sequence.
  { ...train(1, 1, 100, 128), suite: 'chars', kind: 'chars' },
  ...POWERS.map((time) => sweep('T', train(1, 32, time, 128))),
  ...POWERS.map((batch) => sweep('B', train(1, batch, 50, 128))),
  ...[32, 64, 128, 256, 512].map((hidden) => sweep('H', train(1, 32, 50, hidden))),
  { ...train(1, 32, 100, 256), suite: 'memory' },
  { ...step(64, 128), suite: 'start', case: 'first lstm step 64x128', kind: 'start', flops: 0 },
];

export { VOCABULARY };

/** Tokens `[B, T]`. */
export const tokensOf = ({ batch, time }: Case): Int32Array<ArrayBuffer> =>
  integers(INPUT_SEED, batch * time, VOCABULARY) as Int32Array<ArrayBuffer>;
/** Class ids `[B, T]`. */
export const targetsOf = ({ batch, time }: Case): Int32Array<ArrayBuffer> =>
  integers(TARGET_SEED, batch * time, VOCABULARY) as Int32Array<ArrayBuffer>;
/** `[B, T, I]`. */
export const inputOf = ({ batch, time, inputs }: Case): Float32Array<ArrayBuffer> =>
  uniform(INPUT_SEED, batch * time * inputs, 1) as Float32Array<ArrayBuffer>;
/** A and B of a `gemm` in their memory order. The transpose of a square matrix has the same shape. */
export const operandsOf = ({ size }: Case): Float32Array<ArrayBuffer>[] =>
  [INPUT_SEED, TARGET_SEED].map((seed) => uniform(seed, size * size, 1) as Float32Array<ArrayBuffer>);
