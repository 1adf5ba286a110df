// Arguments that do not fit: each error names the argument, what was expected and what was got.
import { beforeAll, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import type { Shape } from '../../src/checks/shape.ts';
import { init } from '../../src/engine/engine.ts';
import * as ops from '../../src/ops/index.ts';

const of = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
const ids = (...values: number[]): Tensor => tensor(values, { dtype: 'i32' });

beforeAll(async () => {
  await init();
});

const refusals: [() => unknown, string][] = [
  [
    () => ops.add(of(2, 3), of(2, 4)),
    'add: shapes expected to be equal from the last axis on, or 1, got [2, 3] and [2, 4]',
  ],
  [() => ops.mul(of(3), of(0)), 'got [3] and [0]'],
  [() => ops.div(1, 2), 'div: a or b expected a tensor, got two numbers'],
  [() => ops.greater(1, 2), 'greater: a or b expected a tensor, got two numbers'],
  [() => ops.equal(ids(1, 2), of(2)), "equal: a expected f32, got i32 for 'tensor'"],
  [() => ops.less(of(2), ids(1, 2)), "less: b expected f32, got i32 for 'tensor'"],
  [() => ops.less(of(2), of(3)), 'less: shapes expected to be equal from the last axis on'],
  [() => ops.pow(2, 3), 'pow: a or b expected a tensor, got two numbers'],
  [() => ops.cumsum(of(2, 3), 2), 'cumsum: axis of [2, 3] expected an integer from -2 to 1, got 2'],
  [() => ops.argmax(of(2, 0)), 'argmax: axis -1 of [2, 0] expected an element or more'],
  [() => ops.oneHot(of(2), 3), "oneHot: ids expected i32, got f32 for 'tensor'"],
  [() => ops.oneHot(ids(0, 3), 3), 'oneHot: ids expected ids in [0, 3), got 3 at [1] of [2]'],
  [() => ops.oneHot(ids(0), 1.5), 'oneHot: depth expected an integer ≥ 1, got 1.5'],
  [() => ops.pad(of(2, 3), [[1, 1]]), 'pad: widths expected [before, after] for each axis of [2, 3], got [[1, 1]]'],
  [() => ops.pad(of(2), [[1, -1]]), 'got [[1, -1]]'],
  [() => ops.pad(of(2), [3] as never), 'got [3]'],
  [() => ops.pad(ids(2), [[0, 1]], 0.5), 'pad: value expected an integer of 32 bits for ids, got 0.5'],
  [() => ops.zeros([2, -1]), 'shape expected a list of integers ≥ 0, got [2, -1]'],
  [() => ops.matmul(of(3), of(3, 2)), 'matmul: a expected two axes or more, got [3]'],
  [() => ops.matmul(of(2, 3), of(2, 3)), 'matmul: b expected […, 3, N] for a [2, 3], got [2, 3]'],
  [() => ops.matmul(of(2, 3), of(2, 4), { transposeB: true }), 'matmul: b expected […, N, 3] for a [2, 3], got [2, 4]'],
  [
    () => ops.matmul(of(2, 3, 4), of(3, 4, 5)),
    'matmul: leading axes expected to match from the last on, or be 1, got [2, 3, 4] and [3, 4, 5]',
  ],
  [() => ops.sub(1, ids(1)), "sub: b expected f32, got i32 for 'tensor'"],
  [() => ops.maximum(of(2), '1' as unknown as number), "maximum: b expected a tensor, got '1'"],
  [() => ops.add([1] as never, of(2)), 'add: a expected a tensor, got a list of 1'],
  [() => ops.less(of(2), null as never), 'less: b expected a tensor, got null'],
  [() => ops.scale(of(2), undefined as never), 'scale: alpha expected a number, got undefined'],
  [() => ops.addScalar(of(2), of(1) as never), 'addScalar: alpha expected a number, got an object'],
  [() => ops.clip(of(2), 0, '1' as never), "clip: high expected a number, got '1'"],
  [() => ops.matmul(of(2, 3), [1] as never), 'matmul: b expected a tensor, got a list of 1'],
  [() => ops.linear(of(2, 3), of(3, 2), 1 as never), 'linear: bias expected a tensor, got 1'],
  [() => ops.softmax(of(2, 3), 0 as never), 'softmax: options expected an object, got Number'],
  [() => ops.softmax(of(2, 3), { dim: 0 } as never), "softmax: unknown option 'dim'"],
  [() => ops.logSoftmax(of(2, 3), { axis: 2 }), 'logSoftmax: axis of [2, 3] expected an integer from -2 to 1, got 2'],
  [() => ops.gelu(of(2), 'tanh' as never), 'gelu: options expected an object, got String'],
  [() => ops.gelu(of(2), true as never), 'gelu: options expected an object, got Boolean'],
  [() => ops.gelu(of(2), { approximate: 'tanh' as never }), "gelu: approximate expected true or false, got 'tanh'"],
  [() => ops.gather(of(2, 3), ids(0), 1 as never), 'gather: expected no argument more, got 1'],
  [() => ops.softplus(of(2), 2 as never), 'softplus: expected no argument more, got 2'],
  [() => ops.hardTanh(of(2), -2 as never, 2 as never), 'hardTanh: expected no argument more, got -2'],
  [() => ops.maskedSoftmax(of(2, 3), of(2, 3), 0 as never), 'maskedSoftmax: expected no argument more, got 0'],
  [() => ops.repeat(of(2, 3), 2, 1 as never), 'repeat: expected no argument more, got 1'],
  [() => ops.where([1] as never, of(2), 0), 'where: mask expected a tensor, got a list of 1'],
  [() => ops.where(of(2), undefined as never, 0), 'where: a expected a tensor, got undefined'],
  [() => ops.sum(of(2, 3), { axis: 2 }), 'sum: axis of [2, 3] expected an integer from -2 to 1, got 2'],
  [() => ops.max(of(2, 3), { axis: 0.5 }), 'max: axis of [2, 3] expected an integer from -2 to 1, got 0.5'],
  [
    () => ops.slice(of(2, 3), { axis: 1, to: 4 }),
    'slice: from and to expected a range of the 3 along axis 1, got 0 to 4',
  ],
  [() => ops.slice(of(2, 3), { axis: 1, from: 2, to: 1 }), 'got 2 to 1'],
  [() => ops.slice(of(2, 3), { axis: -3 }), 'slice: axis of [2, 3] expected an integer from -2 to 1, got -3'],
  [() => ops.split(of(2, 3), 2), 'split: parts expected to fill the 3 along axis -1, got 2 equal ones'],
  [() => ops.split(of(2, 3), [1, 1]), 'split: parts expected to fill the 3 along axis -1, got [1, 1]'],
  [() => ops.split(of(2, 3), [4, -1]), 'got [4, -1]'],
  [() => ops.timeStep(of(2, 3), 3), 'timeStep: t expected a step of the 3 of [2, 3], got 3'],
  [() => ops.timeStep(of(2), 0), 'timeStep: x expected [B, T, …], got [2]'],
  [() => ops.lastStep(of(2, 0, 3)), 'lastStep: x expected [B, T, F] with T ≥ 1, got [2, 0, 3]'],
  [() => ops.concatenate([]), 'concatenate: parts expected one tensor or more, got none'],
  [() => ops.concatenate([of(2, 3), of(3, 3)]), 'concatenate: parts[1] expected [2, ?], got [3, 3]'],
  [() => ops.concatenate([of(2, 3), of(2, 4)], 0), 'concatenate: parts[1] expected [?, 3], got [2, 4]'],
  [() => ops.concatenate([of(2), ids(1)], 0), 'concatenate: parts[1] expected f32, got i32'],
  [() => ops.stack([of(2), of(3)]), 'stack: parts[1] expected [2], got [3]'],
  [() => ops.stack([of(2)], 2), 'stack: axis for parts [2] expected an integer from -2 to 1, got 2'],
  [() => ops.transpose(of(2, 3), [0, 0]), 'transpose: axes expected every axis of [2, 3] once, got [0,0]'],
  [() => ops.squeeze(of(2, 3), 1), 'squeeze: axis 1 of [2, 3] expected length 1, got 3'],
  [() => ops.repeat(of(2, 3), 0), 'repeat: times expected an integer ≥ 1, got 0'],
  [() => ops.repeat(of(2), 2), 'repeat: x expected [B, F], got [2]'],
  [() => ops.broadcastTo(of(2, 3), [2, 4]), 'broadcastTo: shape expected to be [2, 3] with longer axes'],
  [() => ops.broadcastTo(of(2, 3), [3]), 'got [3]'],
  [() => ops.gather(of(2, 3), ids(0, 2)), 'gather: ids expected ids in [0, 2), got 2 at [1] of [2]'],
  [() => ops.gather(of(2, 3), of(2)), 'gather: ids expected i32, got f32'],
  [() => ops.layerNorm(of(2, 3), of(2)), 'layerNorm: gamma expected [3], got [2]'],
  [() => ops.layerNorm(of(2, 3), of(3), of(4)), 'layerNorm: beta expected [3], got [4]'],
  [
    () => ops.layerNorm(of(2, 3), undefined, undefined, { epsilon: 0 }),
    'layerNorm: epsilon expected a positive number, got 0',
  ],
  [() => ops.batchMatmul(of(3, 4), of(4, 2)), 'batchMatmul: a expected three axes or more, got [3, 4]'],
  [() => ops.batchMatmul(of(2, 3, 4), of(2, 3, 4)), 'batchMatmul: b expected [2, 4, N] for a [2, 3, 4], got [2, 3, 4]'],
  [
    () => ops.batchMatmul(of(2, 3, 4), of(2, 4, 5), { transposeB: true }),
    'batchMatmul: b expected [2, N, 4] for a [2, 3, 4], got [2, 4, 5]',
  ],
  [() => ops.conv1d(of(2, 3), of(1, 3, 4)), 'conv1d: x expected [B, T, I], got [2, 3]'],
  [
    () => ops.conv1d(of(2, 5, 3), of(2, 4, 4)),
    'conv1d: kernel expected [K, 3, O] with K ≥ 1 for x [2, 5, 3], got [2, 4, 4]',
  ],
  [() => ops.conv1d(of(2, 5, 3), of(6, 3, 4)), 'conv1d: x expected at least 6 steps for one window, got 5'],
  [() => ops.conv1d(of(2, 5, 3), of(2, 3, 4), of(3)), 'conv1d: bias expected [4], got [3]'],
  [
    () => ops.conv1d(of(2, 5, 3), of(2, 3, 4), undefined, { strides: 0 }),
    'conv1d: strides expected an integer ≥ 1, got 0',
  ],
  [
    () => ops.conv1d(of(2, 5, 3), of(2, 3, 4), undefined, { padding: 'full' as 'same' }),
    `conv1d: padding expected 'valid', 'same' or 'causal', got 'full'`,
  ],
  [() => ops.attention(of(2, 3), of(2, 4, 5), of(2, 4, 5)), 'attention: query expected [B, T, D], got [2, 3]'],
  [() => ops.attention(of(2, 3, 5), of(2, 4, 6), of(2, 4, 5)), 'attention: key expected [2, 4, 5], got [2, 4, 6]'],
  [() => ops.attention(of(2, 3, 5), of(2, 4, 5), of(2, 3, 5)), 'attention: value expected [2, 4, 5], got [2, 3, 5]'],
  [
    () => ops.additiveAttention(of(2, 3, 5), of(2, 4, 5), of(2, 4, 5), { scale: of(4) }),
    'additiveAttention: scale expected [5], got [4]',
  ],
  [() => ops.attention(of(2, 3, 5), of(2, 4, 5), of(2, 4, 5), { mask: of(2, 3) }), 'got [2, 1, 3]'],
  [
    () => ops.attention(of(2, 3, 5), of(2, 4, 5), of(2, 4, 5), { scale: of(4) }),
    'attention: scale expected one number, got [4]',
  ],
  [() => ops.glu(of(2, 3)), 'split: parts expected to fill the 3 along axis -1, got 2 equal ones'],
  [() => ops.elu(of(2), -1), 'elu: alpha expected a positive number, got -1'],
  [() => ops.leakyRelu(of(2), Number.NaN), 'leakyRelu: negativeSlope expected a finite number, got NaN'],
];

test.each(refusals.map(([run, message]) => [message, run] as const))('is told: %s', (message, run) => {
  expect(run).toThrow(ArgumentError);
  expect(run).toThrow(message);
});

test('an empty batch passes through every op over sequences', () => {
  const x = of(0, 4, 3);
  const shapes = [
    ops.layerNorm(x),
    ops.conv1d(x, of(2, 3, 5)),
    ops.attention(x, x, x).outputs,
    ops.timeStep(x, 1),
    ops.stack([x, x], 1),
    ops.sum(x, { axis: 1 }),
    ops.max(x, { axis: 1 }),
    ops.reverse(x),
    ops.repeat(of(0, 3), 2),
  ].map((y): Shape => y.shape);
  expect(shapes).toEqual([
    [0, 4, 3],
    [0, 3, 5],
    [0, 4, 3],
    [0, 3],
    [0, 2, 4, 3],
    [0, 3],
    [0, 3],
    [0, 4, 3],
    [0, 2, 3],
  ]);
});
