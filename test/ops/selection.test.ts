// Masks and extremes. They must not pass on NaN, infinities, or gradients of elements that were not chosen.
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import * as ops from '../../src/ops/index.ts';

const { NaN: nan } = Number;

beforeAll(async () => {
  await init();
});

function gradients(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): number[][] {
  return valueAndGrad(() => ops.sum(f(...inputs)), inputs).grads.map((grad) => Array.from(grad.toArray()));
}

describe('where', () => {
  test('lets neither a value nor a gradient of what is not chosen through, be it NaN or infinite', () => {
    const mask = tensor([1, 0, 1, 0]);
    const [a, b] = [tensor([1, nan, 3, Infinity]), tensor([nan, 2, Infinity, 4])];
    expect(Array.from(ops.where(mask, a, b).toArray())).toEqual([1, 2, 3, 4]);
    const logs = (x: Tensor): Tensor => ops.where(mask, ops.square(x), 0);
    expect(gradients(logs, tensor([1, 2, 3, 4]))).toEqual([[2, 0, 6, 0]]);
  });

  test('of i32 chooses ids, between tensors and numbers', () => {
    const ids = tensor([5, 6, 7], { dtype: 'i32' });
    const y = ops.where(tensor([1, 0, 2], { dtype: 'i32' }), ids, -1);
    expect([y.dtype, Array.from(y.toArray())]).toEqual(['i32', [5, -1, 7]]);
  });

  test('lines its three shapes up from the last axes, as NumPy does', () => {
    const x = tensor([1, 2, 3, 4], [2, 2]);
    expect(Array.from(ops.where(tensor([1, 0]), x, 0).toArray())).toEqual([1, 0, 3, 0]);
    expect(Array.from(ops.where(tensor([1, 0], [2, 1]), x, 0).toArray())).toEqual([1, 2, 0, 0]);
    const y = ops.where(tensor([1, 0], [2, 1]), tensor([1, 2]), tensor(5));
    expect([y.shape, Array.from(y.toArray())]).toEqual([
      [2, 2],
      [1, 2, 5, 5],
    ]);
  });

  test('chooses between two numbers, as f32', () => {
    const y = ops.where(tensor([[1], [0]], { dtype: 'i32' }), 1.5, -2);
    expect([y.dtype, y.shape, Array.from(y.toArray())]).toEqual(['f32', [2, 1], [1.5, -2]]);
  });

  test('of a mask [B, T] and x [B, T, F] takes an axis more, and refuses it without', () => {
    const [mask, x] = [
      tensor([[1, 0]]),
      tensor([
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ]),
    ];
    expect(Array.from(ops.where(ops.expandDims(mask), x, 0).toArray())).toEqual([1, 2, 3, 0, 0, 0]);
    expect(() => ops.where(mask, x, 0)).toThrow(
      'where: shapes expected to be equal from the last axis on, or 1, got [1, 2] and [1, 2, 3]',
    );
  });

  test('refuses other data types, numbers that are no ids beside ids, and shapes that do not line up', () => {
    const [x, mask] = [
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      tensor([[1], [0]]),
    ];
    expect(() => ops.where(mask, x, tensor([1, 2]))).toThrow('got [2, 1] and [2, 3] and [2]');
    const ids = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { dtype: 'i32' },
    );
    expect(() => ops.where(mask, x, ids)).toThrow('where: b expected f32, got i32');
    expect(() => ops.where(mask, ids, 0.5)).toThrow('where: b expected an integer of 32 bits for ids, got 0.5');
    expect(() => ops.where(tensor([1, 0]), x, 0)).toThrow('got [2] and [2, 3]');
  });
});

describe('maximum and minimum', () => {
  test('of equal elements give the gradient to the first', () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([1, 3, 2])];
    expect(gradients(ops.maximum, a, b)).toEqual([
      [1, 0, 1],
      [0, 1, 0],
    ]);
    expect(gradients(ops.minimum, a, b)).toEqual([
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });

  test('with NaN are NaN', () => {
    expect(Array.from(ops.maximum(tensor([nan, 1]), tensor([1, nan])).toArray())).toEqual([nan, nan]);
  });
});

describe('max', () => {
  test('shares the gradient among equal elements', () => {
    expect(
      gradients(
        (x) => ops.max(x, { axis: -1 }),
        tensor([
          [3, 3, 1],
          [2, 2, 2],
        ]),
      ),
    ).toEqual([[0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3].map(Math.fround)]);
  });

  test('is NaN where one is', () => {
    expect(
      Array.from(
        ops
          .max(
            tensor([
              [1, nan],
              [2, 3],
            ]),
            { axis: 1 },
          )
          .toArray(),
      ),
    ).toEqual([nan, 3]);
  });
});

describe('logSumExp', () => {
  test('neither overflows nor vanishes, and has the limits of its infinities', () => {
    const x = tensor([
      [1000, 1000],
      [-1000, -1000],
      [-Infinity, 3],
      [-Infinity, -Infinity],
      [Infinity, 0],
    ]);
    const y = Array.from(ops.logSumExp(x, { axis: 1 }).toArray());
    expect(y).toEqual([1000 + Math.LN2, -1000 + Math.LN2, 3, -Infinity, Infinity].map(Math.fround));
  });
});

describe('maskedSoftmax', () => {
  const mask = () =>
    tensor([
      [1, 0, 1],
      [0, 0, 0],
    ]);

  test('has exact zeros where the mask has, and a row of nothing is uniform', () => {
    const y = ops
      .maskedSoftmax(
        tensor([
          [2, 1e30, 2],
          [5, 6, 7],
        ]),
        mask(),
      )
      .toArray();
    expect(Array.from(y)).toEqual([0.5, 0, 0.5, 1 / 3, 1 / 3, 1 / 3].map(Math.fround));
  });

  test('has no gradient where the mask has zeros', () => {
    const weights = tensor([
      [1, 2, 4],
      [1, 2, 4],
    ]);
    const [dx] = gradients(
      (x) => ops.mul(ops.maskedSoftmax(x, mask()), weights),
      tensor([
        [0, nan, 0],
        [1, 2, 3],
      ]),
    );
    expect(dx).toEqual([-0.75, 0, 0.75, 0, 0, 0]);
  });
});

describe('attention', () => {
  const x = (seed: number): Tensor =>
    ops.reshape(tensor(Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * seed))), [1, 4, 3]);

  test.each([ops.attention, ops.additiveAttention])('that is causal, sees nothing of later steps', (attend) => {
    const [q, k] = [x(1), x(2)];
    const changed = ops.concatenate([ops.slice(k, { axis: 1, to: 2 }), ops.slice(x(3), { axis: 1, from: 2 })], 1);
    const [before, after] = [k, changed].map((keys) =>
      ops.slice(attend(q, keys, keys, { causal: true }).outputs, { axis: 1, to: 2 }).toArray(),
    );
    expect(after).toEqual(before);
  });

  test.each([ops.attention, ops.additiveAttention])('drops weights where it is told to', (attend) => {
    const key = { low: 3, high: 4 };
    const { weights } = attend(x(1), x(2), x(2), { dropout: { rate: 0.5, key } });
    const whole = attend(x(1), x(2), x(2)).weights;
    expect(weights.toArray()).toEqual(ops.dropout(whole, 0.5, key).toArray());
  });
});

describe('dropout with a noise shape', () => {
  const key = { low: 7, high: 8 };
  const ones = tensor(new Float32Array(60).fill(1), { shape: [3, 4, 5] });

  test('drops a feature at every step or at none', () => {
    const y = Array.from(ops.dropout(ones, 0.5, key, { noiseShape: [null, 1, null] }).toArray());
    const sums = Array.from(ops.sum(tensor(y, { shape: [3, 4, 5] }), { axis: 1 }).toArray());
    expect(new Set(sums)).toEqual(new Set([0, 8]));
  });

  test('refuses a shape that cannot be shared', () => {
    expect(() => ops.dropout(ones, 0.5, key, { noiseShape: [3, 2, 5] })).toThrow(
      'dropout: noiseShape expected [3, 4, 5] with 1 for some axes, got [3, 2, 5]',
    );
    expect(() => ops.dropout(ones, 0.5, key, { noiseShape: [null, 1] })).toThrow('got [?, 1]');
  });
});
