import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, byRow, type GradientCase, logSoftmax, pick } from './case.ts';

const [BATCH, QUERIES, KEYS, WIDTH, VALUES] = [2, 3, 4, 5, 3];
const OPERANDS: Shape[] = [
  [BATCH, QUERIES, WIDTH],
  [BATCH, KEYS, WIDTH],
  [BATCH, KEYS, VALUES],
];
const SCORES = [BATCH, QUERIES, KEYS];
const [query, key, value] = OPERANDS as [Shape, Shape, Shape];

// One query has nothing to look at: its row is uniform.
const KEY_MASK = [1, 1, 0, 1, 1, 0, 0, 0];
const PAIR_MASK = [1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1];

type IsSeen = (b: number, i: number, j: number) => boolean;
const MASKS: { name: string; isSeen: IsSeen; options: () => { mask?: Tensor; causal?: boolean } }[] = [
  { name: 'no mask', isSeen: () => true, options: () => ({}) },
  {
    name: 'a mask of keys',
    isSeen: (b, _, j) => KEY_MASK[b * KEYS + j] !== 0,
    options: () => ({ mask: tensor(KEY_MASK, { shape: [BATCH, KEYS] }) }),
  },
  {
    name: 'a mask of pairs',
    isSeen: (b, i, j) => pick(PAIR_MASK, SCORES, [b, i, j]) !== 0,
    options: () => ({ mask: tensor(PAIR_MASK, { shape: SCORES, dtype: 'i32' }) }),
  },
  {
    name: 'causal, one mask for all',
    isSeen: (_, i, j) => j <= i && KEY_MASK[j] !== 0,
    options: () => ({ causal: true, mask: tensor(KEY_MASK.slice(0, KEYS), { shape: [1, 1, KEYS] }) }),
  },
];

const softmaxOf = (scores: Float64Array, isSeen: IsSeen): Float64Array =>
  byRow(scores, KEYS, (row, at) => {
    const seen = [...row.keys()].map((j) => isSeen(Math.floor(at / QUERIES), at % QUERIES, j));
    if (!seen.includes(true)) return row.map(() => 1 / KEYS);
    return logSoftmax(row.map((v, j) => (seen[j] ? v : -Infinity))).map(Math.exp);
  });

const weigh = (weights: Float64Array, v: Float64Array): Float64Array =>
  build([BATCH, QUERIES, VALUES], ([b, i, f]) => {
    let sum = 0;
    for (let j = 0; j < KEYS; j++) sum += pick(weights, SCORES, [b!, i!, j]) * pick(v, value, [b!, j, f!]);
    return sum;
  });

const pairwise = (q: Float64Array, k: Float64Array, f: (q: number, k: number, d: number) => number): Float64Array =>
  build(SCORES, ([b, i, j]) => {
    let sum = 0;
    for (let d = 0; d < WIDTH; d++) sum += f(pick(q, query, [b!, i!, d]), pick(k, key, [b!, j!, d]), d);
    return sum;
  });

const shapes = (...list: Shape[]) => list.map((shape) => ({ shape }));

const maskedCases = MASKS.slice(1, 3).map(
  ({ name, isSeen, options }): GradientCase => ({
    of: 'maskedSoftmax',
    variant: name,
    arguments: [{ shape: SCORES, low: -3, high: 3 }],
    run: (x) => {
      const { mask } = options();
      return ops.maskedSoftmax(x, mask!.shape.length === 2 ? ops.expandDims(mask!, 1) : mask!);
    },
    shape: SCORES,
    reference: (x) => softmaxOf(x, isSeen),
  }),
);

const dotCases = MASKS.flatMap(({ name, isSeen, options }): GradientCase[] => [
  {
    of: 'attention',
    variant: `${name}, scale 0.7`,
    arguments: shapes(...OPERANDS),
    run: (q, k, v) => ops.attention(q, k, v, { ...options(), scale: 0.7 }).outputs,
    shape: [BATCH, QUERIES, VALUES],
    reference: (q, k, v) =>
      weigh(
        softmaxOf(
          pairwise(q, k, (a, b) => 0.7 * a * b),
          isSeen,
        ),
        v,
      ),
  },
  {
    of: 'attention',
    variant: `${name}, a trained scale`,
    arguments: shapes(...OPERANDS, []),
    run: (q, k, v, scale) => ops.attention(q, k, v, { ...options(), scale: scale! }).outputs,
    reference: (q, k, v, scale) =>
      weigh(
        softmaxOf(
          pairwise(q, k, (a, b) => scale![0]! * a * b),
          isSeen,
        ),
        v,
      ),
  },
]);

const additiveCases = MASKS.flatMap(({ name, isSeen, options }): GradientCase[] => [
  {
    of: 'additiveAttention',
    variant: name,
    arguments: shapes(...OPERANDS),
    run: (q, k, v) => ops.additiveAttention(q, k, v, options()).outputs,
    shape: [BATCH, QUERIES, VALUES],
    reference: (q, k, v) =>
      weigh(
        softmaxOf(
          pairwise(q, k, (a, b) => Math.tanh(a + b)),
          isSeen,
        ),
        v,
      ),
  },
  {
    of: 'additiveAttention',
    variant: `${name}, with a scale`,
    arguments: shapes(...OPERANDS, [WIDTH]),
    run: (q, k, v, scale) => ops.additiveAttention(q, k, v, { ...options(), scale: scale! }).outputs,
    reference: (q, k, v, scale) =>
      weigh(
        softmaxOf(
          pairwise(q, k, (a, b, d) => scale![d]! * Math.tanh(a + b)),
          isSeen,
        ),
        v,
      ),
  },
]);

export const attentionCases: GradientCase[] = [
  ...maskedCases,
  ...dotCases,
  ...additiveCases,
  {
    of: 'attention',
    variant: 'the weights',
    arguments: shapes(query, key),
    run: (q, k) => ops.attention(q, k, k).weights,
    shape: SCORES,
    reference: (q, k) =>
      softmaxOf(
        pairwise(q, k, (a, b) => a * b),
        () => true,
      ),
  },
  {
    of: 'attention',
    variant: 'to itself',
    arguments: shapes(key),
    run: (x) => ops.attention(x, x, x).outputs,
    shape: key,
    reference: (x) => {
      const scores = build([BATCH, KEYS, KEYS], ([b, i, j]) => {
        let sum = 0;
        for (let d = 0; d < WIDTH; d++) sum += pick(x, key, [b!, i!, d]) * pick(x, key, [b!, j!, d]);
        return sum;
      });
      const weights = byRow(scores, KEYS, (row) => logSoftmax(row).map(Math.exp));
      return build(key, ([b, i, f]) => {
        let sum = 0;
        for (let j = 0; j < KEYS; j++)
          sum += pick(weights, [BATCH, KEYS, KEYS], [b!, i!, j]) * pick(x, key, [b!, j, f!]);
        return sum;
      });
    },
  },
];
