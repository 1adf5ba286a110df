// Every metric with its definition in float64: plain loops over rows, no kernels.

import * as losses from '../../src/losses/index.ts';
import type { Loss } from '../../src/losses/loss.ts';
import type * as makers from '../../src/metrics/index.ts';
import type { MetricResult } from '../../src/metrics/metric.ts';
import { integers, values } from '../kernels/reference/values.ts';

export type Name = keyof typeof makers;

export interface Row {
  /** Targets, or one class id. */
  y: number[];
  p: number[];
  w: number;
}

export interface MetricCase {
  options?: object;
  /** What the model is trained on. */
  loss?: Loss;
  y: ArrayLike<number>;
  p: ArrayLike<number>;
  /** Several cases of one metric are told apart by it. */
  variant?: string;
  reference(rows: Row[]): MetricResult;
}

export const [SAMPLES, STEPS, CLASSES] = [5, 8, 4];
export const COUNT = SAMPLES * STEPS;

const ids = integers(COUNT, CLASSES, 3);
const oneHot = Float64Array.from({ length: COUNT * CLASSES }, (_, i) =>
  Number(ids[Math.floor(i / CLASSES)] === i % CLASSES),
);
const bits = integers(COUNT * CLASSES, 2, 5);
const numbers = values(COUNT * CLASSES, 6, 2);
const positives = values(COUNT * CLASSES, 7).map((v) => v + 1.5);
const logits = values(COUNT * CLASSES, 8, 3);
// Away from 0.5 and from the 200 thresholds, so that rounding decides nothing.
const shares = values(COUNT * CLASSES, 9).map((v) => (Math.floor((v + 1) * 99) + 0.4) / 199);
const others = values(COUNT * CLASSES, 10, 2);
/** Of each row; some weigh nothing. */
export const weights = values(COUNT, 11).map((v) => (v < -0.6 ? 0 : v + 1));

const total = (x: readonly number[]): number => x.reduce((sum, v) => sum + v, 0);
const mean = (x: readonly number[]): number => total(x) / x.length;
/** Weighted mean over rows. */
const over = (f: (row: Row) => number) => (rows: Row[]) =>
  total(rows.map((row) => row.w * f(row))) / total(rows.map(({ w }) => w));
const meanRow = (f: (p: number, y: number) => number) => over(({ y, p }) => mean(p.map((v, i) => f(v, y[i]!))));
const sumRow = (f: (p: number, y: number) => number) => over(({ y, p }) => total(p.map((v, i) => f(v, y[i]!))));
const argmax = (x: readonly number[]): number => x.indexOf(Math.max(...x));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softmax = (x: readonly number[]): number[] => x.map((v) => Math.exp(v) / total(x.map(Math.exp)));
const normal = (p: readonly number[]): number[] => p.map((v) => v / total(p));
const length = (x: readonly number[]): number => Math.sqrt(total(x.map((v) => v * v)));
const entropy = (p: number, y: number): number => -(y * Math.log(p) + (1 - y) * Math.log(1 - p));

/** Weight of right, wrong and missed among the elements that `chosen` takes for a yes. */
function countRows(rows: Row[], chosen: (row: Row, column: number) => boolean, columns = [0, 1, 2, 3]) {
  const counts = { hit: 0, wrong: 0, missed: 0 };
  for (const row of rows) {
    for (const column of columns) {
      const isYes = row.y.length === 1 ? row.y[0] === column : row.y[column] !== 0;
      const key = chosen(row, column) ? (isYes ? 'hit' : 'wrong') : isYes ? 'missed' : undefined;
      if (key) counts[key] += row.w;
    }
  }
  return counts;
}
const fBeta = ({ hit, wrong, missed }: ReturnType<typeof countRows>, beta: number): number =>
  ((1 + beta ** 2) * hit) / ((1 + beta ** 2) * hit + beta ** 2 * missed + wrong);

/** The curve point by point: for every threshold all elements are gone through again. */
function curveArea(rows: Row[], columns: number[]): number {
  const limits = [-1e-7, ...Array.from({ length: 198 }, (_, i) => (i + 1) / 199), 1 + 1e-7];
  const points = limits.map((limit) => countRows(rows, ({ p }, column) => p[column]! > limit, columns));
  const [yes, no] = [points[0]!.hit, points[0]!.wrong];
  return total(
    points.slice(1).map((b, i) => {
      const a = points[i]!;
      return ((a.wrong - b.wrong) / no) * ((a.hit + b.hit) / yes / 2);
    }),
  );
}

const crossentropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
const surprise = over(({ y, p }) => -Math.log(softmax(p)[y[0]!]!));

const cases: Record<Name, MetricCase | MetricCase[]> = {
  accuracy: [
    { variant: 'of ids', y: ids, p: logits, reference: over(({ y, p }) => Number(argmax(p) === y[0])) },
    {
      variant: 'of one-hot rows',
      y: oneHot,
      p: shares,
      reference: over(({ y, p }) => Number(argmax(p) === argmax(y))),
    },
    {
      variant: 'of yes and no',
      loss: losses.binaryCrossentropy(),
      y: bits,
      p: shares,
      reference: meanRow((p, y) => Number(p > 0.5 === (y === 1))),
    },
    {
      variant: 'of logits of yes and no',
      loss: losses.binaryCrossentropy({ fromLogits: true }),
      y: bits,
      p: logits,
      reference: meanRow((p, y) => Number(p > 0 === (y === 1))),
    },
  ],
  binaryAccuracy: {
    options: { threshold: 0.3 },
    y: bits,
    p: shares,
    reference: meanRow((p, y) => Number(p > 0.3 === (y === 1))),
  },
  categoricalAccuracy: { y: oneHot, p: logits, reference: over(({ y, p }) => Number(argmax(p) === argmax(y))) },
  sparseCategoricalAccuracy: { y: ids, p: logits, reference: over(({ y, p }) => Number(argmax(p) === y[0])) },
  topKCategoricalAccuracy: {
    options: { k: 2 },
    y: oneHot,
    p: logits,
    reference: over(({ y, p }) => Number(p.filter((v) => v > p[argmax(y)]!).length < 2)),
  },
  sparseTopKCategoricalAccuracy: {
    options: { k: 3 },
    y: ids,
    p: logits,
    reference: over(({ y, p }) =>
      Number(
        [...p]
          .sort((a, b) => b - a)
          .slice(0, 3)
          .includes(p[y[0]!]!),
      ),
    ),
  },
  precision: [
    {
      y: bits,
      p: shares,
      reference(rows) {
        const { hit, wrong } = countRows(rows, ({ p }, column) => p[column]! > 0.5);
        return hit / (hit + wrong);
      },
    },
    {
      variant: 'at three thresholds',
      options: { thresholds: [0.2, 0.5, 0.9] },
      y: bits,
      p: shares,
      reference: (rows) =>
        [0.2, 0.5, 0.9].map((limit) => {
          const { hit, wrong } = countRows(rows, ({ p }, column) => p[column]! > limit);
          return hit / (hit + wrong);
        }),
    },
    {
      variant: 'of the two greatest, of ids, from logits',
      options: { topK: 2 },
      loss: crossentropy,
      y: ids,
      p: logits,
      reference(rows) {
        const { hit, wrong } = countRows(rows, ({ p }, column) => p.filter((v) => v > p[column]!).length < 2);
        return hit / (hit + wrong);
      },
    },
  ],
  recall: [
    {
      y: bits,
      p: shares,
      reference(rows) {
        const { hit, missed } = countRows(rows, ({ p }, column) => p[column]! > 0.5);
        return hit / (hit + missed);
      },
    },
    {
      variant: 'of one class, from logits of one choice',
      options: { classId: 2, thresholds: 0.4 },
      loss: crossentropy,
      y: ids,
      p: logits,
      reference(rows) {
        const { hit, missed } = countRows(rows, ({ p }, column) => softmax(p)[column]! > 0.4, [2]);
        return hit / (hit + missed);
      },
    },
  ],
  f1Score: [
    {
      y: oneHot,
      p: shares,
      reference: (rows) =>
        [0, 1, 2, 3].map((column) =>
          fBeta(
            countRows(rows, ({ p }, at) => p[at] === Math.max(...p), [column]),
            1,
          ),
        ),
    },
    {
      variant: 'macro, of ids',
      options: { average: 'macro' },
      loss: crossentropy,
      y: ids,
      p: logits,
      reference: (rows) =>
        mean(
          [0, 1, 2, 3].map((column) =>
            fBeta(
              countRows(rows, ({ p }, at) => p[at] === Math.max(...p), [column]),
              1,
            ),
          ),
        ),
    },
  ],
  fBetaScore: [
    {
      variant: 'micro, of what is above 0.3',
      options: { beta: 2, average: 'micro', threshold: 0.3 },
      y: bits,
      p: shares,
      reference: (rows) =>
        fBeta(
          countRows(rows, ({ p }, at) => p[at]! > 0.3),
          2,
        ),
    },
    {
      variant: 'weighted',
      options: { beta: 0.5, average: 'weighted', threshold: 0.5 },
      y: bits,
      p: shares,
      reference(rows) {
        const counts = [0, 1, 2, 3].map((column) => countRows(rows, ({ p }, at) => p[at]! > 0.5, [column]));
        const support = counts.map(({ hit, missed }) => hit + missed);
        return total(counts.map((each, i) => fBeta(each, 0.5) * support[i]!)) / total(support);
      },
    },
  ],
  auc: [
    { y: bits, p: shares, reference: (rows) => curveArea(rows, [0, 1, 2, 3]) },
    {
      variant: 'of each class, weighted',
      options: { multiLabel: true, labelWeights: [1, 2, 0, 4] },
      y: bits,
      p: shares,
      reference: (rows) => total([1, 2, 0, 4].map((w, column) => w * curveArea(rows, [column]))) / 7,
    },
    {
      variant: 'from logits',
      loss: losses.binaryCrossentropy({ fromLogits: true }),
      y: bits,
      p: shares.map((p) => Math.log(p / (1 - p))),
      reference: (rows) =>
        curveArea(
          rows.map((row) => ({ ...row, p: row.p.map(sigmoid) })),
          [0, 1, 2, 3],
        ),
    },
  ],
  perplexity: [
    { loss: crossentropy, y: ids, p: logits, reference: (rows) => Math.exp(surprise(rows)) },
    {
      variant: 'of one-hot rows, without the loss',
      options: { fromLogits: true },
      y: oneHot,
      p: logits,
      reference: (rows) => Math.exp(over(({ y, p }) => -Math.log(softmax(p)[argmax(y)]!))(rows)),
    },
  ],
  bitsPerCharacter: [
    { loss: crossentropy, y: ids, p: logits, reference: (rows) => surprise(rows) / Math.LN2 },
    {
      variant: 'with an ignored class',
      loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: 1 }),
      y: ids,
      p: logits,
      reference: (rows) => surprise(rows.filter(({ y }) => y[0] !== 1)) / Math.LN2,
    },
  ],
  meanSquaredError: { y: numbers, p: others, reference: meanRow((p, y) => (p - y) ** 2) },
  rootMeanSquaredError: {
    y: numbers,
    p: others,
    reference: (rows) => Math.sqrt(meanRow((p, y) => (p - y) ** 2)(rows)),
  },
  meanAbsoluteError: { y: numbers, p: others, reference: meanRow((p, y) => Math.abs(p - y)) },
  meanAbsolutePercentageError: {
    y: positives,
    p: others,
    reference: meanRow((p, y) => 100 * Math.abs((p - y) / y)),
  },
  meanSquaredLogarithmicError: {
    y: positives,
    p: shares,
    reference: meanRow((p, y) => (Math.log1p(p) - Math.log1p(y)) ** 2),
  },
  logCosh: { y: numbers, p: others, reference: meanRow((p, y) => Math.log(Math.cosh(p - y))) },
  cosineSimilarity: {
    y: numbers,
    p: others,
    reference: over(({ y, p }) => total(p.map((v, i) => v * y[i]!)) / (length(p) * length(y))),
  },
  poisson: { y: bits, p: positives, reference: meanRow((p, y) => p - y * Math.log(p + 1e-7)) },
  klDivergence: {
    y: shares,
    p: values(COUNT * CLASSES, 12).map((v) => 0.5 + 0.4 * v),
    reference: sumRow((p, y) => y * Math.log(y / p)),
  },
  hinge: { y: bits, p: others, reference: meanRow((p, y) => Math.max(1 - (2 * y - 1) * p, 0)) },
  squaredHinge: { y: bits, p: others, reference: meanRow((p, y) => Math.max(1 - (2 * y - 1) * p, 0) ** 2) },
  categoricalHinge: {
    y: oneHot,
    p: others,
    reference: over(({ y, p }) => {
      const wrong = Math.max(...p.map((v, i) => (1 - y[i]!) * v));
      return Math.max(wrong - p[argmax(y)]! + 1, 0);
    }),
  },
  binaryCrossentropy: [
    { y: bits, p: shares, reference: meanRow(entropy) },
    {
      variant: 'from logits, as the loss',
      loss: losses.binaryCrossentropy({ fromLogits: true }),
      y: bits,
      p: logits,
      reference: meanRow((p, y) => entropy(sigmoid(p), y)),
    },
  ],
  categoricalCrossentropy: {
    y: oneHot,
    p: shares,
    reference: over(({ y, p }) => -Math.log(normal(p)[argmax(y)]!)),
  },
  sparseCategoricalCrossentropy: {
    options: { ignoreClass: 0 },
    loss: crossentropy,
    y: ids,
    p: logits,
    reference: (rows) => surprise(rows.filter(({ y }) => y[0] !== 0)),
  },
  r2Score: [
    { y: numbers, p: others, reference: (rows) => mean(r2(rows)) },
    { variant: 'of each output', options: { classAggregation: null }, y: numbers, p: others, reference: r2 },
  ],
};

/** 1 − Σ w(y − p)² / Σ w(y − ȳ)² of each column. */
function r2(rows: Row[]): number[] {
  return [0, 1, 2, 3].map((column) => {
    const average = over(({ y }) => y[column]!)(rows);
    const residual = over(({ y, p }) => (y[column]! - p[column]!) ** 2)(rows);
    return 1 - residual / over(({ y }) => (y[column]! - average) ** 2)(rows);
  });
}

export const metricCases = Object.entries(cases).flatMap(([name, each]) =>
  [each].flat().map((one) => ({ name: name as Name, variant: '', ...one })),
);
