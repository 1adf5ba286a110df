// How layers pass on a mask. Its effect on their numbers is in gradient-layers.test.ts.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { setSeed } from '../../src/engine/random.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { Sequential } from '../../src/layers/base/sequential.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { masking } from '../../src/layers/masking.ts';
import { permute } from '../../src/layers/permute.ts';
import { averagePooling1d, maxPooling1d } from '../../src/layers/pooling.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import { sum } from '../../src/ops/index.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { values } from '../kernels/reference/values.ts';

const [BATCH, TIME, FEATURES] = [2, 4, 4];
const MASK = [1, 1, 1, 0, 1, 0, 0, 0];
const masked = (): Tensor => {
  const x = tensor(values(BATCH * TIME * FEATURES, 1), { shape: [BATCH, TIME, FEATURES] });
  x.mask = tensor(MASK, { shape: [BATCH, TIME] });
  return x;
};

beforeEach(() => setSeed(6));

describe('a mask', () => {
  const every = { returnSequences: true } as const;
  test.each<[string, Layer]>([
    ['dense', dense({ units: 2 })],
    ['activation', activation({ activation: 'relu' })],
    ['dropout', dropout({ rate: 0.5 })],
    ['spatialDropout1d', spatialDropout1d({ rate: 0.5 })],
    ['layerNormalization', layerNormalization()],
    ['timeDistributed', timeDistributed(dense({ units: 2 }))],
    ['lstm', lstm({ units: 2, ...every })],
    ['rnn', rnn(lstmCell({ units: 2 }), every)],
    ['bidirectional', bidirectional(gru({ units: 2, ...every }))],
    ['Sequential', new Sequential([dense({ units: 2 }), simpleRnn({ units: 2, ...every })])],
  ])('is passed on by %s', (_, layer) => {
    expect(Array.from(layer(masked()).mask!.toArray())).toEqual(MASK);
  });

  test.each<[string, Layer]>([
    ['conv1d, though its output has as many steps', conv1d({ filters: 2, kernelSize: 3, padding: 'same' })],
    ['maxPooling1d', maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' })],
    ['averagePooling1d', averagePooling1d()],
    ['flatten', flatten()],
    ['reshape', reshape({ targetShape: [4, 4, 1] })],
    ['permute', permute({ dims: [2, 1] })],
    ['a recurrent layer that returns its last output', lstm({ units: 2 })],
    ['Sequential that ends in conv1d', new Sequential([conv1d({ filters: 2, kernelSize: 1 })])],
  ])('ends at %s', (_, layer) => {
    expect(layer(masked()).mask).toBeUndefined();
  });

  test('is made by masking and by embedding from what is left of one that is there', () => {
    const x = masked();
    const zero = tensor(x.toArray().fill(0, 0, FEATURES), { shape: x.shape });
    zero.mask = x.mask;
    expect(Array.from(masking()(zero).mask!.toArray())).toEqual([0, 1, 1, 0, 1, 0, 0, 0]);
    const ids = tensor([0, 1, 1, 1, 1, 1, 0, 1], { shape: [BATCH, TIME], dtype: 'i32' });
    const layer = embedding({ inputDim: 2, outputDim: 3, maskZero: true });
    expect(Array.from(layer(ids).mask!.toArray())).toEqual([0, 1, 1, 1, 1, 1, 0, 1]);
    expect(Array.from(layer(ids, { mask: x.mask }).mask!.toArray())).toEqual([0, 1, 1, 0, 1, 0, 0, 0]);
  });

  test.each<[string, Layer]>([
    ['lstm(units=2)', lstm({ units: 2 })],
    ['rnn', rnn(lstmCell({ units: 2 }))],
    ['bidirectional', bidirectional(lstm({ units: 2 }))],
    ['dense(units=2)', dense({ units: 2 })],
    ['masking', masking()],
  ])('of another length than its sequence, is refused by %s', (name, layer) => {
    const x = masked();
    const mask = tensor([1, 1, 1, 1, 1, 1], { shape: [2, 3] });
    expect(() => layer(x, { mask })).toThrow(new ArgumentError(`${name}: mask expected [2, 4], got [2, 3]`));
    expect(() => layer(x, { mask: [[1, 1, 0]] })).toThrow(
      new ArgumentError(`${name}: mask expected [2, 4], got [1, 3]`),
    );
    expect(() => layer(x, { mask: [[1], [true as never]] })).toThrow(
      new ArgumentError(`${name}: mask[1][0]: expected a number, got true`),
    );
  });

  test('that is given in the call, goes on with the output and leaves the input without', () => {
    for (const layer of [dropout({ rate: 0.5 }), new Sequential([dropout({ rate: 0.5 })]), dense({ units: 2 })]) {
      const x = masked();
      const mask = x.mask!;
      x.mask = undefined;
      expect(layer(x, { mask }).mask).toBe(mask);
      expect(x.mask).toBeUndefined();
    }
  });

  test('makes padding invisible: longer padding changes no bit of the last output, and no gradient reaches it', () => {
    for (const make of [
      () => lstm({ units: 3 }),
      () => gru({ units: 3, activation: 'relu' }),
      () => bidirectional(simpleRnn({ units: 3 })),
    ]) {
      setSeed(6);
      const layer = make();
      const x = tensor(values(3 * FEATURES, 1), { shape: [1, 3, FEATURES] });
      const expected = layer(x).toArray();
      const padded = tensor([...x.toArray(), ...values(2 * FEATURES, 5)], { shape: [1, 5, FEATURES] });
      padded.mask = tensor([[1, 1, 1, 0, 0]]);
      const { grads } = valueAndGrad(() => {
        const y = layer(padded);
        expectSameBits(Array.from(y.toArray()), Array.from(expected), 'last output');
        return sum(y);
      }, [padded]);
      const gradient = Array.from(grads[0]!.toArray());
      expect(gradient.slice(0, 3 * FEATURES).some((g) => g !== 0)).toBe(true);
      expect(new Set(gradient.slice(3 * FEATURES))).toEqual(new Set([0]));
    }
  });

  test('from an embedding with maskZero, reaches a classifier of texts through a stack', () => {
    const layers = [
      embedding({ inputDim: 9, outputDim: 4, maskZero: true }),
      bidirectional(lstm({ units: 3, returnSequences: true })),
      gru({ units: 3 }),
      dense({ units: 1 }),
    ];
    const model = sequential(layers);
    const short = model.predict([[3, 4, 5]]).data;
    expect(Array.from(model.predict([[3, 4, 5, 0, 0]]).data)).toEqual(Array.from(short));
  });
});
