import { ndarray } from '../../src/data/array.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { model } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { sgd } from '../../src/optimizers/index.ts';
import { values } from '../kernels/reference/values.ts';
import { sequences, targets } from '../train/regression.ts';

export const rate = 0.1;

/** Two inputs by name, two outputs by name. */
export function twoByTwo() {
  const made = model(
    {
      name: 'two',
      layers: {
        read: gru({ units: 3 }) as Layer,
        note: dense({ units: 3 }),
        price: dense({ units: 1 }),
        kind: dense({ units: 4 }),
      },
      inputs: { series: { shape: [3, 2] }, facts: { shape: [2] } },
    },
    ({ series, facts }, { read, note, price, kind }) => {
      const both = ops.add(read(series), note(facts));
      return { price: price(both), kind: kind(both) };
    },
  );
  made.compile({
    optimizer: sgd({ learningRate: rate }),
    loss: { price: 'meanSquaredError', kind: sparseCategoricalCrossentropy({ fromLogits: true }) },
    lossWeights: { kind: 0.25 },
    metrics: { kind: ['accuracy'] },
  });
  return made;
}
export const twoX = { series: sequences(6), facts: ndarray(values(12, 5), [6, 2]) };
export const twoY = { price: targets(6), kind: [0, 1, 2, 3, 0, 1] };
