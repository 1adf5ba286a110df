import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ctc } from '../../src/losses/ctc.ts';
import { meanSquaredError } from '../../src/losses/regression.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/sparse.ts';
import { values } from '../kernels/reference/values.ts';

const f32 = (...shape: number[]): Tensor =>
  tensor(
    values(
      shape.reduce((n, m) => n * m, 1),
      3,
    ),
    { shape },
  );
const i32 = (...shape: number[]): Tensor =>
  tensor(new Int32Array(shape.reduce((n, m) => n * m, 1)), { shape, dtype: 'i32' });

describe('a loss called by itself', () => {
  const name = 'sparseCategoricalCrossentropy';
  for (const options of [{}, { fromLogits: true }, { ignoreClass: 1 }, { ignoreClass: 1, fromLogits: true }]) {
    test.each<[string, Tensor, Tensor | undefined, string]>([
      ['more targets than rows', i32(4), undefined, `${name}: targets expected [3], got [4]`],
      ['fewer targets than weights', i32(2), f32(3), `${name}: targets expected [3], got [2]`],
      ['targets that are no ids', f32(3), undefined, `${name}: targets expected i32, got f32`],
      ['fewer weights than rows', i32(3), f32(2), `${name}: weights expected [3], got [2]`],
      ['weights that are ids', i32(3), i32(3), `${name}: weights expected f32, got i32 for 'tensor'`],
    ])(`sparse, ${JSON.stringify(options)}, given %s, throws`, (_, yTrue, weights, message) => {
      const loss = sparseCategoricalCrossentropy(options);
      expect(() => loss.compute(yTrue, f32(3, 5), weights)).toThrow(new ArgumentError(message));
      if (!weights) expect(() => loss.values!(yTrue, f32(3, 5))).toThrow(new ArgumentError(message));
    });
  }

  test('meanSquaredError, given weights that are ids or of another length, throws', () => {
    const loss = meanSquaredError();
    expect(() => loss.compute(f32(3, 2), f32(3, 2), i32(3))).toThrow(ArgumentError);
    expect(() => loss.compute(f32(3, 2), f32(3, 2), f32(2))).toThrow('weights expected [3], got [2]');
  });

  test('ctc, given labels with a mask of another shape, throws', () => {
    const labels = tensor([[1, 2]], { dtype: 'i32' });
    labels.mask = tensor([[1]]);
    expect(() => ctc().compute(labels, f32(1, 4, 3))).toThrow(
      new ArgumentError('ctc: mask of targets expected [1, 2], got [1, 1]'),
    );
  });
});
