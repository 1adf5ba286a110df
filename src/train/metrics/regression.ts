import { expectShape, type Tensor } from '../../autograd/tensor.ts';
import { expectNumber } from '../expect-number.ts';
import { type Loss, readsEither } from '../losses/loss.ts';
import * as losses from '../losses.ts';
import { expectChoice } from '../option-checks.ts';
import {
  compareRows,
  type Metric,
  type MetricOptions,
  type MetricState,
  makeMetric,
  meanState,
  ratio,
} from './metric.ts';

/** A metric that is the mean of a loss over rows, with the loss's own options. */
const meanOf =
  <Options extends object>(maker: string, make: (options: Options) => Loss, finish?: (mean: number) => number) =>
  ({ name, ...options }: MetricOptions & Options = {} as Options): Metric => {
    const hasFromLogits = readsEither(make(options as Options));
    return makeMetric(maker, { ...(name !== undefined && { name }), ...options }, (loss) => {
      const open = hasFromLogits ? { fromLogits: loss?.reads === 'logits' } : {};
      const { values, counted } = make({ ...open, ...(options as Options) });
      return meanState((yTrue, yPred) => values!(yTrue, yPred).toArray(), {
        ...(counted && { counted }),
        ...(finish && { finish }),
      });
    });
  };

/** mean (ŷ − y)². @see keras.metrics.MeanSquaredError */
export const meanSquaredError = /* @__PURE__ */ meanOf('meanSquaredError', losses.meanSquaredError);
/** √ mean (ŷ − y)², the root taken of the mean over everything. @see keras.metrics.RootMeanSquaredError */
export const rootMeanSquaredError = /* @__PURE__ */ meanOf('rootMeanSquaredError', losses.meanSquaredError, Math.sqrt);
/** mean |ŷ − y|. @see keras.metrics.MeanAbsoluteError */
export const meanAbsoluteError = /* @__PURE__ */ meanOf('meanAbsoluteError', losses.meanAbsoluteError);
/** 100·mean |(ŷ − y)/y|, in per cent. @see keras.metrics.MeanAbsolutePercentageError */
export const meanAbsolutePercentageError = /* @__PURE__ */ meanOf(
  'meanAbsolutePercentageError',
  losses.meanAbsolutePercentageError,
);
/** mean (ln(1 + ŷ) − ln(1 + y))². @see keras.metrics.MeanSquaredLogarithmicError */
export const meanSquaredLogarithmicError = /* @__PURE__ */ meanOf(
  'meanSquaredLogarithmicError',
  losses.meanSquaredLogarithmicError,
);
/** mean ln cosh(ŷ − y). @see keras.metrics.LogCoshError */
export const logCosh = /* @__PURE__ */ meanOf('logCosh', losses.logCosh);
/** Mean over rows of the cosine between ŷ and y: the loss of that name with the other sign. @see keras.metrics.CosineSimilarity */
export const cosineSimilarity = /* @__PURE__ */ meanOf('cosineSimilarity', losses.cosineSimilarity, (mean) => 0 - mean);
/** The loss of that name. @see keras.metrics.Poisson */
export const poisson = /* @__PURE__ */ meanOf('poisson', losses.poisson);
/** The loss of that name. @see keras.metrics.KLDivergence */
export const klDivergence = /* @__PURE__ */ meanOf('klDivergence', losses.klDivergence);
/** The loss of that name. @see keras.metrics.Hinge */
export const hinge = /* @__PURE__ */ meanOf('hinge', losses.hinge);
/** The loss of that name. @see keras.metrics.SquaredHinge */
export const squaredHinge = /* @__PURE__ */ meanOf('squaredHinge', losses.squaredHinge);
/** The loss of that name. @see keras.metrics.CategoricalHinge */
export const categoricalHinge = /* @__PURE__ */ meanOf('categoricalHinge', losses.categoricalHinge);
/** The loss of that name, of logits where the model's loss reads them. @see keras.metrics.BinaryCrossentropy */
export const binaryCrossentropy = /* @__PURE__ */ meanOf('binaryCrossentropy', losses.binaryCrossentropy);
/** The loss of that name, of logits where the model's loss reads them. @see keras.metrics.CategoricalCrossentropy */
export const categoricalCrossentropy = /* @__PURE__ */ meanOf(
  'categoricalCrossentropy',
  losses.categoricalCrossentropy,
);
/** The loss of that name, of logits where the model's loss reads them. @see keras.metrics.SparseCategoricalCrossentropy */
export const sparseCategoricalCrossentropy = /* @__PURE__ */ meanOf(
  'sparseCategoricalCrossentropy',
  losses.sparseCategoricalCrossentropy,
);

export interface R2Options extends MetricOptions {
  /** How the scores of several outputs become one: their mean, that weighted by variance, or null for a number each. Default `uniformAverage`. */
  classAggregation?: 'uniformAverage' | 'varianceWeightedAverage' | null;
  /** For the adjusted score: how many independent variables explain the targets. Default 0. */
  numRegressors?: number;
}

/**
 * R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², 1 for perfect predictions, 0 for those no better than the mean. All axes before the last are samples.
 *
 * @throws ArgumentError for an unknown aggregation or a number of regressors below 0.
 * @see keras.metrics.R2Score
 */
export function r2Score({
  classAggregation = 'uniformAverage',
  numRegressors = 0,
  ...options
}: R2Options = {}): Metric {
  expectChoice('r2Score', 'classAggregation', classAggregation, ['uniformAverage', 'varianceWeightedAverage', null]);
  expectNumber('r2Score: numRegressors', numRegressors, 'an integer ≥ 0');
  return makeMetric('r2Score', { ...options, classAggregation, numRegressors }, () =>
    r2State(classAggregation, numRegressors),
  );
}

function r2State(aggregation: NonNullable<R2Options['classAggregation']> | null, regressors: number): MetricState {
  interface Output {
    weight: number;
    /** Weighted mean of the targets, and their summed squared distances from it. */
    mean: number;
    spread: number;
    residual: number;
  }
  let outputs: Output[] | undefined;
  let samples = 0;
  // Keras counts every element as a sample here.
  const adjusted = (score: number): number =>
    regressors === 0 || regressors >= samples - 1
      ? score
      : 1 - ((1 - score) * (samples - 1)) / (samples - regressors - 1);
  return {
    update(yTrue: Tensor, yPred: Tensor, weights?: Tensor) {
      expectShape('r2Score: targets', yTrue.shape, yPred.shape);
      const all = compareRows('r2Score', yTrue, yPred, weights);
      outputs ??= Array.from({ length: all.columns }, () => ({ weight: 0, mean: 0, spread: 0, residual: 0 }));
      samples += all.rows * all.columns;
      for (let row = 0; row < all.rows; row++) {
        const w = all.weights ? all.weights[row]! : 1;
        if (w === 0) continue;
        outputs.forEach((output, column) => {
          const y = all.truth(row, column);
          const error = y - all.predictions[row * all.columns + column]!;
          const away = y - output.mean;
          output.weight += w;
          output.mean += (w * away) / output.weight;
          output.spread += w * away * (y - output.mean);
          output.residual += w * error * error;
        });
      }
    },
    result() {
      if (!outputs || outputs[0]?.weight === 0) return 0;
      const scores = outputs.map(({ residual, spread }) =>
        spread === 0 && residual !== 0 ? 0 : 1 - ratio(residual, spread),
      );
      if (aggregation === null) return scores.map(adjusted);
      const each = outputs.map(({ spread }) => (aggregation === 'uniformAverage' ? 1 : spread));
      const total = each.reduce((sum, w) => sum + w, 0);
      return adjusted(
        ratio(
          scores.reduce((sum, score, i) => sum + score * each[i]!, 0),
          total,
        ),
      );
    },
  };
}
