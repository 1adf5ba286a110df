import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';
import { type MultiHeadAttentionOptions, multiHeadAttention } from '../../src/sequences.ts';

/** Of a layer that returns one tensor. */
type Options = MultiHeadAttentionOptions & { returnAttentionScores?: false };

const { ops } = t;
const ones = (...shape: number[]): t.Tensor => ops.ones(shape);
const numbers = (...shape: number[]): t.Tensor =>
  t.tensor(
    Float32Array.from({ length: shape.reduce((n, each) => n * each, 1) }, (_, i) => Math.sin(2 * i + 1)),
    { shape },
  );

describe('multiHeadAttention', () => {
  // Shapes and numbers of weights of keras/src/layers/attention/multi_head_attention_test.py, test_basics and
  // test_shape_mismatch's neighbours.
  test.each<[Options, number[][], number[], number]>([
    [
      { numHeads: 2, keyDim: 2 },
      [
        [2, 8, 16],
        [2, 4, 16],
      ],
      [2, 8, 16],
      8,
    ],
    [
      { numHeads: 2, keyDim: 2, valueDim: 4, useBias: false, dropout: 0.5 },
      [
        [2, 8, 16],
        [2, 4, 16],
      ],
      [2, 8, 16],
      4,
    ],
    [
      { numHeads: 2, keyDim: 2, outputShape: 8 },
      [
        [2, 8, 16],
        [2, 4, 12],
        [2, 4, 7],
      ],
      [2, 8, 8],
      8,
    ],
    [
      { numHeads: 3, keyDim: 2, outputShape: [3, 5] },
      [
        [2, 8, 16],
        [2, 4, 16],
      ],
      [2, 8, 3, 5],
      8,
    ],
  ])('%j of %j', (options, shapes, output, weights) => {
    const layer = multiHeadAttention(options);
    expect((layer(shapes.map((shape) => numbers(...shape))) as t.Tensor).shape).toEqual(output);
    expect(layer.weights.length).toBe(weights);
    expect(layer.outputShape(shapes)).toEqual(output);
  });

  test('has the weights of Keras, in its order and layout', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 3, valueDim: 5, outputShape: 7 });
    layer([ones(1, 2, 4), ones(1, 2, 6), ones(1, 2, 8)]);
    expect(layer.weights.map(({ name, shape }) => [name, ...shape])).toEqual([
      ['multi_head_attention/query/kernel', 4, 2, 3],
      ['multi_head_attention/query/bias', 2, 3],
      ['multi_head_attention/key/kernel', 8, 2, 3],
      ['multi_head_attention/key/bias', 2, 3],
      ['multi_head_attention/value/kernel', 6, 2, 5],
      ['multi_head_attention/value/bias', 2, 5],
      ['multi_head_attention/attentionOutput/kernel', 2, 5, 7],
      ['multi_head_attention/attentionOutput/bias', 7],
    ]);
  });

  test('hides what an attention mask, masks of value and key, and the causal mask hide', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 2, returnAttentionScores: true });
    const causal = multiHeadAttention({ numHeads: 2, keyDim: 2, useCausalMask: true, returnAttentionScores: true });
    const [q, v] = [numbers(1, 3, 4), numbers(1, 3, 4)];
    const mask = t.tensor([
      [
        [1, 0, 1],
        [1, 1, 0],
        [0, 1, 1],
      ],
    ]);
    const zeros = (scores: t.Tensor): boolean[] => Array.from(scores.toArray(), (value) => value === 0);
    const [, scores] = layer([q, v, v, mask]) as [t.Tensor, t.Tensor];
    const hidden = [false, true, false, false, false, true, true, false, false];
    expect(zeros(scores)).toEqual([...hidden, ...hidden]);
    expect(Array.from(ops.sum(scores, { axis: -1 }).toArray()).every((sum) => Math.abs(sum - 1) < 1e-6)).toBe(true);
    const perHead = ops.concatenate([ops.expandDims(mask, 1), ops.ones([1, 1, 3, 3])], 1);
    expect(zeros(layer([q, v, v, perHead])[1]!)).toEqual([...hidden, ...new Array(9).fill(false)]);
    const padded = Object.assign(numbers(1, 3, 4), { mask: t.tensor([[1, 1, 0]]) });
    const both = layer([q, padded, numbers(1, 3, 4), mask])[1]!;
    expect(zeros(both).slice(0, 9)).toEqual(hidden.map((isHidden, i) => isHidden || i % 3 === 2));
    const before = [false, true, true, false, false, true, false, false, false];
    expect(zeros(causal([q, v])[1]!)).toEqual([...before, ...before]);
  });

  test('gives zeros for a masked query, and passes its mask on; NaN behind a mask does not matter', () => {
    const layer = multiHeadAttention({ numHeads: 1, keyDim: 2, biasInitializer: 'ones' });
    const x = (bad: number): t.Tensor =>
      Object.assign(
        t.tensor([
          [
            [1, 2],
            [bad, bad],
          ],
        ]),
        { mask: t.tensor([[1, 0]]) },
      );
    const good = layer([x(0), x(0)]);
    const y = layer([x(Number.NaN), x(Number.NaN)]);
    expect(y.toArray()).toEqual(good.toArray());
    expect(Array.from(y.toArray().slice(2))).toEqual([0, 0]);
    expect(Array.from(y.mask!.toArray())).toEqual([1, 0]);
  });

  test('over one axis of two, is attention of each row by itself, with masks, the causal mask and any memory order', () => {
    const options = { numHeads: 2, keyDim: 2, useCausalMask: true };
    const layer = multiHeadAttention({ ...options, attentionAxes: 2 });
    const rows = multiHeadAttention(options);
    const [x, mask] = [numbers(2, 3, 4, 5), t.tensor(Float32Array.of(1, 1, 0, 1, 0, 1), { shape: [2, 3] })];
    const whole = t.tensor(
      Float32Array.from({ length: 24 }, (_, i) => +(i % 5 !== 3)),
      { shape: [2, 3, 4] },
    );
    layer([x, x]);
    const flat = (each: t.Tensor, ...rest: number[]): t.Tensor => ops.reshape(each, [6, 4, ...rest]);
    rows([flat(x, 5), flat(x, 5)]);
    rows.setWeights(layer.getWeights());
    expect(layer([x, x]).toArray()).toEqual(rows([flat(x, 5), flat(x, 5)]).toArray());
    const stored = ops.transpose(ops.add(ops.transpose(x, [1, 0, 2, 3]), 0), [1, 0, 2, 3]);
    expect(layer([stored, stored]).toArray()).toEqual(layer([x, x]).toArray());
    // Of single numbers, and of rows.
    const hidden = Object.assign(ops.add(x, 0), { mask: whole });
    const seen = Object.assign(flat(ops.add(x, 0), 5), { mask: flat(whole) });
    expect(layer([hidden, hidden]).toArray()).toEqual(rows([seen, seen]).toArray());
    const short = Object.assign(ops.add(x, 0), { mask });
    const y = layer([short, x]);
    expect(y.mask!.shape).toEqual([2, 3]);
    const all = layer([x, x]).toArray();
    const kept = Array.from(all, (value, i) => (mask.toArray()[Math.floor(i / 20)] === 1 ? value : 0));
    expect(Array.from(y.toArray())).toEqual(kept);
  });

  test('over several axes, takes a mask for all or for each head and place', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 2, attentionAxes: [3, 2], returnAttentionScores: true });
    const [q, v] = [numbers(1, 2, 2, 1, 4), numbers(1, 2, 1, 2, 4)];
    const mask = t.tensor(Float32Array.of(1, 0, 1, 1), { shape: [1, 1, 2, 2, 1] });
    const [y, scores] = layer([q, v, v, mask]) as [t.Tensor, t.Tensor];
    expect(scores.shape).toEqual([1, 2, 2, 1, 2, 2, 1]);
    const each = ops.broadcastTo(ops.reshape(mask, [1, 1, 1, 1, 2, 2, 1]), scores.shape);
    expect(layer([q, v, v, each])[0]!.toArray()).toEqual(y.toArray());
    expect(Array.from(scores.toArray(), (value) => +(value !== 0))).toEqual(
      [...new Array(4)].flatMap(() => [1, 0, 1, 1]),
    );
  });

  test('trains in a model, with dropout and options, and comes back from a file', async () => {
    const layers = {
      read: t.dense({ units: 4 }),
      attend: multiHeadAttention({
        numHeads: 2,
        keyDim: 3,
        dropout: 0.2,
        kernelRegularizer: 'l2',
        kernelConstraint: 'maxNorm',
      }),
      head: t.dense({ units: 1 }),
    };
    const forward = (x: t.Tensor, { read, attend, head }: typeof layers): t.Tensor => {
      const features = read(x);
      return head(attend([features, features]));
    };
    const model = t.model({ layers, inputs: { shape: [3, 2] } }, forward as never) as unknown as t.Model;
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const x = [
      [
        [1, 2],
        [0, 1],
        [1, 0],
      ],
      [
        [0, 0],
        [1, 1],
        [2, 1],
      ],
    ];
    const y = [
      [[1], [0], [1]],
      [[0], [1], [0]],
    ];
    const { history } = await model.fit(x, y, { epochs: 30 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!);
    const config = layers.attend.config();
    const again = multiHeadAttention({ ...(config as object), name: 'again' } as Options);
    again.build([
      [null, null, 4],
      [null, null, 4],
    ]);
    again.setWeights(layers.attend.getWeights());
    const input = numbers(1, 3, 4);
    expect((again([input, input]) as t.Tensor).toArray()).toEqual(layers.attend([input, input]).toArray());
  });

  test.each<[() => unknown, string]>([
    [
      () => multiHeadAttention({ numHeads: 0, keyDim: 1 }),
      'multiHeadAttention: numHeads expected an integer ≥ 1, got 0',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, outputShape: [0] }),
      'multiHeadAttention: outputShape expected an integer ≥ 1, got 0',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, dropout: 1 }),
      'multiHeadAttention: dropout expected a number in [0, 1), got 1',
    ],
    [() => multiHeadAttention({ numHeads: 1, keyDim: 1, headDim: 1 } as never), "unknown option 'headDim'"],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2, 3)]),
      'input expected [query, value], [query, value, key]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2), ones(1, 2)]),
      'query expected [batch, time, features], got [1, 2]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, attentionAxes: [1, 1] }),
      'attentionAxes expected one or more different axes, got [1, 1]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, attentionAxes: -1 }),
      'multiHeadAttention: attentionAxes expected an integer ≥ 1, got -1',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, attentionAxes: [1, 2] })([ones(1, 2, 3), ones(1, 2, 3)]),
      'attentionAxes expected axes from 1 to 1 for the query [1, 2, 3], got 2',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, useCausalMask: true })([ones(1, 2, 2, 3), ones(1, 2, 2, 3)]),
      'useCausalMask expected one axis of attention, got [1, 2]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1, attentionAxes: 1 })([ones(1, 2, 2, 3), ones(1, 2, 4, 3)]),
      'input value expected length 2 along axis 2, as the query, got [1, 2, 4, 3]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2, 2, 3), ones(1, 2, 3)]),
      'input value expected 4 axes, as the query, got [1, 2, 3]',
    ],
    [
      () =>
        multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 1, 2, 3), ones(1, 1, 2, 3), ones(1, 1, 2, 3), ones(1)]),
      'input attentionMask expected 5 or 6 axes, got [1]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })(ones(1, 2, 3) as never),
      '[query, value, key, attentionMask], got a tensor [1, 2, 3]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })(ones(1, 2, 3) as never, ones(1, 2, 3) as never),
      'multi_head_attention(numHeads=1): input expected one list of tensors, got two',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2, 3), ones(2, 4, 3)]),
      'input value expected [1, 4, 3], got [2, 4, 3]',
    ],
    [
      () => multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2, 3), ones(1, 4, 3), ones(1, 3, 3)]),
      'input key expected [1, 4, 3], got [1, 3, 3]',
    ],
    [
      () =>
        multiHeadAttention({ numHeads: 1, keyDim: 1 })([ones(1, 2, 3), ones(1, 4, 3), ones(1, 4, 3), ones(1, 2, 3)]),
      'input attentionMask expected [1, 2, 4], got [1, 2, 3]',
    ],
    [
      () =>
        multiHeadAttention({ numHeads: 2, keyDim: 1 })([ones(1, 2, 3), ones(1, 4, 3), ones(1, 4, 3), ones(1, 3, 2, 4)]),
      'input attentionMask expected [1, 2, 2, 4], got [1, 3, 2, 4]',
    ],
  ])('is refused: %#', (call, message) => {
    expect(call).toThrow(message);
  });
});
