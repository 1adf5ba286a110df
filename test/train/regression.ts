// The small regression model and its data that the tests of training share.
import { type NdArray, ndarray } from '../../src/data/array.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { values } from '../kernels/reference/values.ts';

export const sequences = (count: number, time = 3, features = 2, seed = 1): NdArray<Float32Array> =>
  ndarray(values(count * time * features, seed), [count, time, features]);
export const targets = (count: number, seed = 2): NdArray<Float32Array> => ndarray(values(count, seed), [count, 1]);

/** A small regression model over [B, 3, 2] with dropout, so that every kind of state takes part. */
export function regression(optimizer = adam({ learningRate: 0.01 })): Model {
  const model = sequential([lstm({ units: 4, inputShape: [null, 2] }), dropout({ rate: 0.25 }), dense({ units: 1 })]);
  model.compile({ optimizer, loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
  return model;
}

export const weightsOf = (model: Model): Float32Array[] => model.weights.map((weight) => weight.toArray());
export function expectSameWeights(a: Model, b: Model): void {
  weightsOf(a).forEach((weight, i) => expectSameBits(weightsOf(b)[i]!, weight, a.weights[i]!.name));
}
