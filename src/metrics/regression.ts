import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import * as losses from '../losses/index.ts';
import { type Loss, readsEither } from '../losses/loss.ts';
import {
  compareRows,
  type Metric,
  type MetricOptions,
  type MetricState,
  makeMetric,
  meanState,
  ratio,
} from './metric.ts';

/** A metric that is the mean of a loss over rows, with the options of the loss. */
const meanOf =
  <Options extends object>(maker: string, make: (options: Options) => Loss, finish?: (mean: number) => number) =>
  (given: MetricOptions & Options = {} as Options): Metric => {
    const names = { name: 1, reduction: 1, ...make({} as Options).config!() };
    const { name, ...options } = checkOptions(maker, given, names as object as Names<NoInfer<MetricOptions & Options>>);
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

/**
 * Mean squared error, in the unit of the targets squared.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean (ŷ − y)² over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.MeanSquaredError
 *
 * @example
 * model.compile({ optimizer: 'adam', loss: 'mae', metrics: [metrics.meanSquaredError({ name: 'squares' })] });
 */
export const meanSquaredError = /* @__PURE__ */ meanOf('meanSquaredError', losses.meanSquaredError);
/**
 * Root of the mean squared error, in the unit of the targets.
 *
 * √(Σ wᵣ·ℓᵣ / Σ wᵣ), the root of the mean over all rows, with ℓ = mean (ŷ − y)² over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.RootMeanSquaredError
 */
export const rootMeanSquaredError = /* @__PURE__ */ meanOf('rootMeanSquaredError', losses.meanSquaredError, Math.sqrt);
/**
 * Mean absolute error, in the unit of the targets.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean |ŷ − y| over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.MeanAbsoluteError
 */
export const meanAbsoluteError = /* @__PURE__ */ meanOf('meanAbsoluteError', losses.meanAbsoluteError);
/**
 * Mean absolute error relative to the targets, in per cent.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = 100·mean |(ŷ − y) / max(|y|, 10⁻⁷)| over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.MeanAbsolutePercentageError
 */
export const meanAbsolutePercentageError = /* @__PURE__ */ meanOf(
  'meanAbsolutePercentageError',
  losses.meanAbsolutePercentageError,
);
/**
 * Mean squared difference of logarithms, which compares ratios rather than differences.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean (ln(1 + max(ŷ, 10⁻⁷)) − ln(1 + max(y, 10⁻⁷)))² over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.MeanSquaredLogarithmicError
 */
export const meanSquaredLogarithmicError = /* @__PURE__ */ meanOf(
  'meanSquaredLogarithmicError',
  losses.meanSquaredLogarithmicError,
);
/**
 * Mean logarithm of the hyperbolic cosine of the error: about d²/2 for a small error d, and |d| − ln 2 for a large one.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean ln cosh(ŷ − y) over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.LogCoshError
 */
export const logCosh = /* @__PURE__ */ meanOf('logCosh', losses.logCosh);
/**
 * Mean cosine of the angle between predictions and targets, from −1 to 1. The loss of the same name has the opposite
 * sign.
 *
 * Σ wᵣ·sᵣ / Σ wᵣ, with s = Σ ŷ·y / (‖ŷ‖·‖y‖) over the last axis; 0 if one of the two is all zeros
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.CosineSimilarity
 */
export const cosineSimilarity = /* @__PURE__ */ meanOf('cosineSimilarity', losses.cosineSimilarity, (mean) => 0 - mean);
/**
 * Mean Poisson loss, for predicted rates ŷ > 0 and counted events y ≥ 0: the negative log-likelihood in nats, without
 * the term that depends on y alone.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean (ŷ − y·ln(ŷ + 10⁻⁷)) over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.Poisson
 */
export const poisson = /* @__PURE__ */ meanOf('poisson', losses.poisson);
/**
 * Mean Kullback–Leibler divergence of predicted distributions from those of the targets, in nats.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = Σ y·ln(y/ŷ) over the last axis; y and ŷ are kept between 10⁻⁷ and 1
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.KLDivergence
 */
export const klDivergence = /* @__PURE__ */ meanOf('klDivergence', losses.klDivergence);
/**
 * Mean hinge loss of yes-or-no choices.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean max(1 − y·ŷ, 0) over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis. Targets are −1 and 1, or 0 and 1, where 0 means −1.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.Hinge
 */
export const hinge = /* @__PURE__ */ meanOf('hinge', losses.hinge);
/**
 * Mean squared hinge loss of yes-or-no choices.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = mean max(1 − y·ŷ, 0)² over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis. Targets are −1 and 1, or 0 and 1, where 0 means −1.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.SquaredHinge
 */
export const squaredHinge = /* @__PURE__ */ meanOf('squaredHinge', losses.squaredHinge);
/**
 * Mean hinge loss of one choice among C classes, for one-hot targets.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = max(max (1 − y)·ŷ − Σ y·ŷ + 1, 0) over the last axis
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the shape of the
 *   predictions.
 * @see keras.metrics.CategoricalHinge
 */
export const categoricalHinge = /* @__PURE__ */ meanOf('categoricalHinge', losses.categoricalHinge);
/**
 * Mean cross-entropy of independent yes-or-no choices, in nats, for targets from 0 to 1.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = −mean (y·ln p + (1 − y)·ln(1 − p)) over the last axis; p is ŷ, or σ(ŷ) for logits
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given `name`: its key in the history, default the name of the maker. `fromLogits`: whether predictions are
 *   logits, default whether the loss of the model reads logits. `labelSmoothing`: share of each target that is spread
 *   evenly over the classes, from 0 to 1, default 0.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if `labelSmoothing` is outside [0, 1], `fromLogits` is not a boolean or an option is unknown;
 *   when a batch is measured, if targets do not have the shape of the predictions.
 * @see keras.metrics.BinaryCrossentropy
 */
export const binaryCrossentropy = /* @__PURE__ */ meanOf('binaryCrossentropy', losses.binaryCrossentropy);
/**
 * Mean cross-entropy of one choice among C classes, in nats, for one-hot targets or other distributions.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = −Σ y·ln p over the last axis; p is ŷ divided by its sum, or softmax(ŷ) for logits
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given `name`: its key in the history, default the name of the maker. `fromLogits`: whether predictions are
 *   logits, default whether the loss of the model reads logits. `labelSmoothing`: share of each target that is spread
 *   evenly over the classes, from 0 to 1, default 0.
 * @returns the metric, for `compile`. Targets y and predictions ŷ are `[B, …, C]` f32 of one shape; a row is the last
 *   axis.
 * @throws ArgumentError if `labelSmoothing` is outside [0, 1], `fromLogits` is not a boolean or an option is unknown;
 *   when a batch is measured, if targets do not have the shape of the predictions.
 * @see keras.metrics.CategoricalCrossentropy
 */
export const categoricalCrossentropy = /* @__PURE__ */ meanOf(
  'categoricalCrossentropy',
  losses.categoricalCrossentropy,
);
/**
 * Mean cross-entropy of one choice among C classes, in nats, for targets that are class ids.
 *
 * Σ wᵣ·ℓᵣ / Σ wᵣ, with ℓ = −ln p[y]; p is ŷ divided by its sum, or softmax(ŷ) for logits
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. Before
 * the first row the value is 0.
 *
 * @param given `name`: its key in the history, default the name of the maker. `fromLogits`: whether predictions are
 *   logits, default whether the loss of the model reads logits. `ignoreClass`: a class id whose rows have weight 0,
 *   default none.
 * @returns the metric, for `compile`. Targets y are `[B, …]` i32, each in [0, C); predictions ŷ are `[B, …, C]` f32.
 * @throws ArgumentError if `ignoreClass` is not an integer, `fromLogits` is not a boolean or an option is unknown; when
 *   a batch is measured, if there is not one class id in [0, C) for each row.
 * @see keras.metrics.SparseCategoricalCrossentropy
 */
export const sparseCategoricalCrossentropy = /* @__PURE__ */ meanOf(
  'sparseCategoricalCrossentropy',
  losses.sparseCategoricalCrossentropy,
);

export interface R2Options extends MetricOptions {
  /**
   * How the scores of several outputs become one: `uniformAverage` is their mean, `varianceWeightedAverage` their mean
   * weighted by variance, null gives one number for each. Default `uniformAverage`.
   */
  classAggregation?: 'uniformAverage' | 'varianceWeightedAverage' | null | undefined;
  /** Number of independent variables that explain the targets, for the adjusted score. Default 0. */
  numRegressors?: number | undefined;
}

/**
 * Coefficient of determination: 1 for perfect predictions, 0 for those no better than the mean of the targets, less for
 * worse ones.
 *
 * R² = 1 − Σ w·(y − ŷ)² / Σ w·(y − ȳ)² for each of the last axis, with ȳ = Σ w·y / Σ w; adjusted 1 − (1 − R²)·(n − 1) /
 * (n − p − 1) for n values and p = `numRegressors`
 *
 * All axes before the last are samples. The weight w of a masked sample is 0, of other samples 1; in `weightedMetrics`
 * it is multiplied by sample and class weights.
 *
 * @param given.classAggregation `uniformAverage`, `varianceWeightedAverage` or null; default `uniformAverage`.
 * @param given.numRegressors p, an integer ≥ 0; default 0, which does not adjust.
 * @param given.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`: one number, or C with `classAggregation: null`. Targets y and predictions ŷ are
 *   `[B, …, C]` f32 of one shape.
 * @throws ArgumentError if `classAggregation` is not one of its values, `numRegressors` is not an integer ≥ 0, or an
 *   option is unknown; when a batch is measured, if targets do not have the shape of the predictions.
 * @see keras.metrics.R2Score
 */
export function r2Score(given: R2Options = {}): Metric {
  const {
    classAggregation = 'uniformAverage',
    numRegressors = 0,
    ...options
  } = checkOptions('r2Score', given, { name: 1, classAggregation: 1, numRegressors: 1 });
  expectChoice('r2Score', 'classAggregation', classAggregation, ['uniformAverage', 'varianceWeightedAverage', null]);
  expectNumber('r2Score: numRegressors', numRegressors, 'an integer ≥ 0');
  return makeMetric('r2Score', { ...options, classAggregation, numRegressors }, () =>
    r2State(classAggregation, numRegressors),
  );
}

function r2State(aggregation: NonNullable<R2Options['classAggregation']> | null, regressors: number): MetricState {
  interface Output {
    weight: number;
    /** Weighted mean of the targets. */
    mean: number;
    /** Weighted sum of squared distances of the targets from their mean. */
    spread: number;
    /** Weighted sum of squared errors. */
    residual: number;
  }
  let outputs: Output[] | undefined;
  let samples = 0;
  // As in Keras, n counts every element, not every row.
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
