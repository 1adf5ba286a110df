import { ndarray } from '../../src/data/array.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import type { RecurrentOptions } from '../../src/layers/rnn/keras-recurrent.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';

export const IDS = 5;
export const BATCH = 3;
export const TIME = 4;

export type Stack = (options: RecurrentOptions) => Layer[];

/** A compiled model of ids; `stack` makes what stands between embedding and logits. */
export function modelOf(stack: Stack, { stateful = true, optimizer = adam() as Optimizer } = {}): Model {
  setSeed(7);
  const options = { units: 6, returnSequences: true, stateful };
  const model = sequential([
    embedding({ inputDim: IDS, outputDim: 3 }),
    ...stack(options),
    dense({ units: IDS, name: 'logits' }),
  ]);
  model.compile({ optimizer, loss: sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ['accuracy'] });
  return model;
}

export const oneLstm: Stack = (options) => [lstm(options) as Layer];

/** The losses of some updates on ids that depend on `seed` alone. */
export function trainSome(model: Model, seed: number, steps = 3): number[] {
  const random = new RandomStream(seed);
  const ids = () =>
    ndarray(
      Int32Array.from({ length: BATCH * TIME }, () => random.nextUint32() % IDS),
      [BATCH, TIME],
    );
  return Array.from({ length: steps }, () => model.trainOnBatch(ids(), ids()).loss!);
}

export const trained = (stack: Stack = oneLstm): Model => {
  const model = modelOf(stack);
  trainSome(model, 1);
  return model;
};
