// Training steps of whole models that are described by data.
import type { AnyModel } from '../../models/model.ts';
import { language, type ModelShape, trainFlops } from '../models/shapes.ts';
import { training } from '../models/training.ts';
import { type Prepared, type Workload, workload } from '../workload.ts';

const floatsOf = ({ weights }: AnyModel): number =>
  weights.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);

/** Three steps make the result: then gradients, clipping and the moments of the optimizer have all had a part. */
export const FIRST_STEPS = 3;

/** A training step of a model: forward, backward, update. */
export function prepareTraining(model: AnyModel, step: () => unknown, flops: number): Prepared {
  return {
    run: step,
    result: () => model.weights.map((weight) => weight.toArray()),
    flops,
    // Weights, gradients and two moments are read, and written but for the gradients.
    bytes: 4 * 7 * floatsOf(model),
    dispose: () => model.dispose(),
  };
}

export const prepareShape = (shape: ModelShape): Prepared => {
  const { model, x, y } = training(shape);
  return prepareTraining(model, () => model.trainOnBatch(x, y), trainFlops(shape));
};

export const characterSizes = {
  small: language(1, 8, 16, 32),
  medium: language(1, 32, 32, 128),
  large: language(2, 64, 100, 512),
};

const reviews = (batch: number, time: number, units: number, words: number): ModelShape => ({
  name: '',
  batch,
  time,
  layers: [
    { kind: 'embedding', words, width: units },
    { kind: 'rnn', units, last: true },
    { kind: 'dense', units: 1 },
  ],
  loss: 'binary',
});

const tagger = (batch: number, time: number, units: number, words: number): ModelShape => ({
  ...language(1, batch, time, units, { words, width: units / 2, bidirectional: true }),
  layers: [
    { kind: 'embedding', words, width: units / 2 },
    { kind: 'lstm', units, bidirectional: true },
    { kind: 'dense', units: 32 },
  ],
});

const shapes: readonly [name: string, stresses: string, sizes: Record<'small' | 'medium' | 'large', ModelShape>][] = [
  ['character-model', 'embedding, LSTM, softmax, Adam with a clipped norm', characterSizes],
  [
    'review-classifier',
    'many short steps of a small SimpleRNN',
    { small: reviews(8, 50, 16, 500), medium: reviews(32, 200, 32, 5000), large: reviews(128, 500, 32, 10_000) },
  ],
  [
    'tagger',
    'an LSTM read both ways',
    { small: tagger(4, 12, 16, 200), medium: tagger(16, 25, 64, 2000), large: tagger(64, 50, 256, 10_000) },
  ],
];

export const modelWorkloads: readonly Workload[] = shapes.map(([name, stresses, sizes]) =>
  workload({ name, group: 'models', stresses, sizes, calls: FIRST_STEPS, prepare: prepareShape }),
);
