import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import type { Shape } from '../../../src/checks/shape.ts';
import * as losses from '../../../src/losses/index.ts';
import type { Loss } from '../../../src/losses/loss.ts';
import { integers, values } from '../../kernels/reference/values.ts';
import { byRow, type GradientCase, logSoftmax, SEQUENCE, total } from './case.ts';
import { ctcLabels, ctcLogits, ctcReference } from './ctc.ts';

const makers = { ...losses };

const ROWS: Shape = [3, 2];
// One weighs nothing.
const WEIGHTS = [0.5, 0, 2, 1.25, 0.75, 3];

interface Targets {
  values: ArrayLike<number>;
  dtype?: 'i32';
}

interface LossCase {
  variant?: string;
  options?: object;
  targets: Targets;
  /** Range of predictions. Default (0.05, 0.95): clear of both ends, where probabilities are clipped. */
  low?: number;
  high?: number;
  /** The loss of one row in float64. `y` is the row's targets, five of them or one class id. */
  row(p: Float64Array, y: Float64Array): number;
  /** Which rows count. Default: all. */
  counts?(row: number): boolean;
  /** Default: the predictions' shape, or with one target a row their rows. */
  targetShape?: Shape;
}

/** The loss with and without weights, predictions and targets [3, 2, 5]. */
function both(of: keyof typeof makers, each: LossCase): GradientCase[] {
  const { options = {}, targets, low = 0.05, high = 0.95, row, counts = () => true } = each;
  const perRow = targets.values.length / 6;
  const shape = each.targetShape ?? (perRow === 1 ? ROWS : SEQUENCE);
  const yTrue = (): Tensor => tensor(targets.values, { shape, dtype: targets.dtype ?? 'f32', name: 'targets' });
  return [undefined, WEIGHTS].map((weights): GradientCase => {
    const weigh = (i: number): number => weights?.[i] ?? 1;
    const weighing = WEIGHTS.flatMap((_, i) => (weigh(i) === 0 ? [] : [i]));
    // Rows that do not count are no part of the mean.
    const share = weighing.length / weighing.filter(counts).length;
    return {
      of,
      variant: [each.variant, weights ? 'weighted' : 'unweighted'].filter(Boolean).join(', '),
      arguments: [{ shape: SEQUENCE, low, high }],
      run: (yPred) =>
        (makers[of](options as never) as Loss).compute(
          yTrue(),
          yPred,
          weights && tensor(weights, { shape: ROWS, name: 'weights' }),
        ),
      reference(yPred) {
        const y = Float64Array.from(targets.values);
        const rows = byRow(yPred, 5, (p, i) => [
          counts(i) ? weigh(i) * row(p, y.subarray(i * perRow, (i + 1) * perRow)) : 0,
        ]);
        return Float64Array.of((total(rows) / 6) * share);
      },
    };
  });
}

const mean = (p: Float64Array, f: (v: number, i: number) => number): number => total(p.map(f)) / p.length;
const sum = (p: Float64Array, f: (v: number, i: number) => number): number => total(p.map(f));
const logits = { low: -3, high: 3 };
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softmax = (x: Float64Array): Float64Array => logSoftmax(x).map(Math.exp);
const normal = (p: Float64Array): Float64Array => p.map((v) => v / total(p));
const entropy = (p: number, y: number): number => -(y * Math.log(p) + (1 - y) * Math.log(1 - p));

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];
const pinball = (distance: number, quantile: number): number =>
  Math.max(quantile * distance, (quantile - 1) * distance);

const numbers: Targets = { values: values(30, 41, 2) };
const positives: Targets = { values: values(30, 44).map((v) => 1.5 + v) };
const counts: Targets = { values: integers(30, 4, 45) };
const bits: Targets = { values: integers(30, 2, 42) };
const signs: Targets = { values: integers(30, 2, 42).map((v) => 2 * v - 1) };
const classes: Targets = { values: integers(6, 5, 43), dtype: 'i32' };
const oneHot: Targets = {
  values: Array.from(classes.values).flatMap((id) => [0, 1, 2, 3, 4].map((v) => (v === id ? 1 : 0))),
};
const distributions: Targets = {
  values: Array.from(byRow(Float64Array.from(values(30, 46)), 5, (row) => normal(row.map((v) => v + 1.2)))),
};
// −1 in place of the class 2, which two rows have.
const withIgnored: Targets = { values: Array.from(classes.values, (id) => (id === 2 ? -1 : id)), dtype: 'i32' };

const focal = (p: number, y: number, gamma: number): number =>
  (1 - (y * p + (1 - y) * (1 - p))) ** gamma * entropy(p, y);
const margin = (p: number, y: number): number => Math.max(1 - (2 * y - 1) * p, 0);
const unit = (x: Float64Array): Float64Array => x.map((v) => v / Math.sqrt(sum(x, (each) => each ** 2)));

const ctcCase = (weights?: number[]): GradientCase => ({
  of: 'ctc',
  variant: weights ? 'weighted' : 'unweighted',
  arguments: [ctcLogits],
  run: (yPred) => makers.ctc().compute(ctcLabels(), yPred, weights && tensor(weights)),
  reference: (yPred) => Float64Array.of(total(ctcReference(yPred).map((v, i) => v * (weights?.[i] ?? 1))) / 3),
});

export const lossCases: GradientCase[] = [
  ...both('meanSquaredError', { targets: numbers, row: (p, y) => mean(p, (v, i) => (v - y[i]!) ** 2) }),
  ...both('meanAbsoluteError', { targets: numbers, row: (p, y) => mean(p, (v, i) => Math.abs(v - y[i]!)) }),
  ...both('meanAbsolutePercentageError', {
    targets: positives,
    row: (p, y) => 100 * mean(p, (v, i) => Math.abs((v - y[i]!) / y[i]!)),
  }),
  ...both('meanSquaredLogarithmicError', {
    targets: positives,
    row: (p, y) => mean(p, (v, i) => (Math.log1p(v) - Math.log1p(y[i]!)) ** 2),
  }),
  ...both('logCosh', { targets: numbers, row: (p, y) => mean(p, (v, i) => Math.log(Math.cosh(v - y[i]!))) }),
  ...both('poisson', { targets: counts, row: (p, y) => mean(p, (v, i) => v - y[i]! * Math.log(v + 1e-7)) }),
  ...[1, 0.3].flatMap((delta) =>
    both('huber', {
      variant: `delta ${delta}`,
      options: { delta },
      targets: numbers,
      row: (p, y) =>
        mean(p, (v, i) => {
          const d = Math.abs(v - y[i]!);
          return d <= delta ? 0.5 * d ** 2 : delta * d - 0.5 * delta ** 2;
        }),
    }),
  ),
  ...[0.5, 0.9].flatMap((quantile) =>
    both('quantileLoss', {
      variant: `of ${quantile}`,
      options: { quantile },
      targets: numbers,
      row: (p, y) => mean(p, (v, i) => pinball(y[i]! - v, quantile)),
    }),
  ),
  ...both('quantileLoss', {
    variant: 'of several',
    options: { quantiles: QUANTILES },
    targets: { values: values(6, 46) },
    targetShape: [...ROWS, 1],
    row: (p, y) => mean(p, (v, i) => pinball(y[0]! - v, QUANTILES[i]!)),
  }),
  ...both('cosineSimilarity', {
    targets: numbers,
    row: (p, y) => -sum(unit(p), (v, i) => v * unit(y)[i]!),
  }),
  ...[bits, signs].flatMap((targets) => {
    const variant = targets === bits ? 'targets 0 and 1' : 'targets −1 and 1';
    const bit = (y: number): number => (y > 0 ? 1 : 0);
    return [
      ...both('hinge', { variant, targets, ...logits, row: (p, y) => mean(p, (v, i) => margin(v, bit(y[i]!))) }),
      ...both('squaredHinge', {
        variant,
        targets,
        ...logits,
        row: (p, y) => mean(p, (v, i) => margin(v, bit(y[i]!)) ** 2),
      }),
    ];
  }),
  ...both('categoricalHinge', {
    targets: oneHot,
    ...logits,
    row: (p, y) => Math.max(Math.max(...p.map((v, i) => (1 - y[i]!) * v)) - sum(p, (v, i) => v * y[i]!) + 1, 0),
  }),
  ...both('binaryCrossentropy', {
    variant: 'from probabilities',
    targets: bits,
    row: (p, y) => mean(p, (v, i) => entropy(v, y[i]!)),
  }),
  ...both('binaryCrossentropy', {
    variant: 'from logits',
    options: { fromLogits: true },
    targets: bits,
    ...logits,
    row: (x, y) => mean(x, (v, i) => Math.log(1 + Math.exp(v)) - v * y[i]!),
  }),
  ...both('binaryCrossentropy', {
    variant: 'from logits, smoothed',
    options: { fromLogits: true, labelSmoothing: 0.2 },
    targets: bits,
    ...logits,
    row: (x, y) => mean(x, (v, i) => entropy(sigmoid(v), y[i]! * 0.8 + 0.1)),
  }),
  ...both('binaryFocalCrossentropy', {
    variant: 'from probabilities',
    targets: bits,
    row: (p, y) => mean(p, (v, i) => focal(v, y[i]!, 2)),
  }),
  ...both('binaryFocalCrossentropy', {
    variant: 'from logits, balanced, smoothed, gamma 1.5',
    options: { fromLogits: true, applyClassBalancing: true, alpha: 0.3, gamma: 1.5, labelSmoothing: 0.1 },
    targets: bits,
    ...logits,
    row: (x, bit) =>
      mean(x, (v, i) => {
        const y = bit[i]! * 0.9 + 0.05;
        return (y * 0.3 + (1 - y) * 0.7) * focal(sigmoid(v), y, 1.5);
      }),
  }),
  ...both('categoricalCrossentropy', {
    variant: 'from shares that do not sum to 1',
    targets: oneHot,
    row: (p, y) => -sum(normal(p), (v, i) => y[i]! * Math.log(v)),
  }),
  ...both('categoricalCrossentropy', {
    variant: 'from logits',
    options: { fromLogits: true },
    targets: distributions,
    ...logits,
    row: (x, y) => -sum(logSoftmax(x), (v, i) => y[i]! * v),
  }),
  ...both('categoricalCrossentropy', {
    variant: 'from logits, smoothed',
    options: { fromLogits: true, labelSmoothing: 0.25 },
    targets: oneHot,
    ...logits,
    row: (x, y) => -sum(logSoftmax(x), (v, i) => (y[i]! * 0.75 + 0.05) * v),
  }),
  ...both('categoricalFocalCrossentropy', {
    variant: 'from shares that do not sum to 1',
    targets: oneHot,
    row: (p, y) => -sum(normal(p), (v, i) => 0.25 * (1 - v) ** 2 * y[i]! * Math.log(v)),
  }),
  ...both('categoricalFocalCrossentropy', {
    variant: 'from logits, an alpha for each class',
    options: { fromLogits: true, alpha: [0.1, 0.2, 0.3, 0.4, 0.5], gamma: 1 },
    targets: oneHot,
    ...logits,
    row: (x, y) => -sum(softmax(x), (v, i) => 0.1 * (i + 1) * (1 - v) * y[i]! * Math.log(v)),
  }),
  ...both('klDivergence', {
    targets: distributions,
    row: (p, y) => sum(p, (v, i) => y[i]! * Math.log(y[i]! / v)),
  }),
  ...both('sparseCategoricalCrossentropy', {
    variant: 'from shares that do not sum to 1',
    targets: classes,
    row: (p, y) => -Math.log(normal(p)[y[0]!]!),
  }),
  ...both('sparseCategoricalCrossentropy', {
    variant: 'from logits',
    options: { fromLogits: true },
    targets: classes,
    ...logits,
    row: (x, y) => -logSoftmax(x)[y[0]!]!,
  }),
  ...[false, true].flatMap((fromLogits) =>
    both('sparseCategoricalCrossentropy', {
      variant: `${fromLogits ? 'from logits' : 'from shares'}, ignoreClass −1`,
      options: { fromLogits, ignoreClass: -1 },
      targets: withIgnored,
      ...(fromLogits ? logits : {}),
      row: (x, y) => -(fromLogits ? logSoftmax(x)[y[0]!]! : Math.log(normal(x)[y[0]!]!)),
      counts: (i) => withIgnored.values[i] !== -1,
    }),
  ),
  ctcCase(),
  ctcCase([0.5, 2, 0]),
];
