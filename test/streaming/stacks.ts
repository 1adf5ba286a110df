// Models that can run step by step: one stack for each layer and option that matters.
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { masking } from '../../src/layers/masking.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { type Model, sequential } from '../../src/models/model.ts';

export const INPUTS = 5;
export const TIME = 6;
export const sequences = { returnSequences: true } as const;

export const stacks: Record<string, () => Layer[]> = {
  lstm: () => [lstm({ units: 27, ...sequences, inputShape: [null, INPUTS] })],
  'gru, reset after': () => [gru({ units: 26, ...sequences, inputShape: [null, INPUTS] })],
  'gru, reset before': () => [gru({ units: 26, ...sequences, resetAfter: false, inputShape: [null, INPUTS] })],
  'simpleRnn relu without bias': () => [
    simpleRnn({ units: 4, ...sequences, activation: 'relu', useBias: false, inputShape: [null, INPUTS] }),
  ],
  'gru without bias': () => [gru({ units: 4, ...sequences, useBias: false, inputShape: [null, INPUTS] })],
  'deep stack with dropout, activations and softmax': () => [
    dense({ units: 9, activation: 'relu', inputShape: [null, INPUTS] }),
    lstm({ units: 8, ...sequences }),
    dropout({ rate: 0.5 }),
    gru({ units: 5, ...sequences }),
    dense({ units: 4, activation: 'tanh' }),
    simpleRnn({ units: 33, ...sequences }),
    dense({ units: 3, activation: 'softmax' }),
  ],
  'layers that act on each step by itself': () => [
    masking({ maskValue: 9, inputShape: [null, INPUTS] }),
    timeDistributed(dense({ units: 6 })),
    activation({ activation: 'gelu' }),
    spatialDropout1d({ rate: 0.5 }),
    lstm({ units: 5, ...sequences }),
    activation({ activation: 'softmax' }),
  ],
  'nothing but dropout': () => [dropout({ rate: 0.5, inputShape: [null, INPUTS] })],
  'an activation first': () => [activation({ activation: 'relu', inputShape: [null, INPUTS] })],
};

/** Repeatable, in [−1, 1). */
export const values = (count: number): Float32Array => {
  const random = new RandomStream(7);
  return Float32Array.from({ length: count }, () => 2 * random.nextUniform() - 1);
};

/** With biases that are not the zeros they start as. */
export function modelOf(layers: () => Layer[]): Model {
  setSeed(3);
  const model = sequential(layers());
  for (const weight of model.weights.filter(({ name }) => name.endsWith('bias'))) weight.assign(values(weight.size));
  return model;
}

export const make = (name: string): Model => modelOf(stacks[name]!);

/** A model of ten ids, in and out. */
export const makeOfIds = (): Model =>
  modelOf(() => [
    embedding({ inputDim: 10, outputDim: 4 }),
    lstm({ units: 6, ...sequences }) as Layer,
    dense({ units: 10 }),
  ]);
