import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Loss } from '../losses/loss.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { asProbabilities, type Metric, type MetricOptions, makeMetric, meanState, rowsView } from './metric.ts';

type Each = (yTrue: Tensor, yPred: Tensor) => ArrayLike<number>;

/** Index of the largest element of each row; rows are in the order of `shape`. */
function argmaxRows(x: Tensor): Int32Array {
  const { engine } = x;
  const ordered = inOrder(x, false);
  const columns = x.shape.at(-1)!;
  const rows = x.size / columns;
  return engine.scratch(() => {
    const at = engine.allocateScratch(rows);
    engine.kernels.argmax(rows, columns, ordered.ptr, at);
    return engine.i32(at, rows).slice();
  });
}

const matches = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.from(a, (value, i) => Number(value === b[i]));

/** The right class of each row, from class ids or one-hot rows. */
function classesOf(name: string, yTrue: Tensor, yPred: Tensor, sparse: boolean): ArrayLike<number> {
  expectShape(`${name}: targets`, yTrue.shape, sparse ? yPred.shape.slice(0, -1) : yPred.shape);
  return sparse ? yTrue.toArray() : argmaxRows(yTrue);
}

const categoricalEach =
  (name: string, sparse: boolean): Each =>
  (yTrue, yPred) =>
    matches(classesOf(name, yTrue, yPred, sparse), argmaxRows(yPred));

/** Share of the elements of each row that are on the same side of the threshold as their targets, 0 or 1. */
const binaryEach =
  (name: string, threshold: number, loss: Loss | undefined): Each =>
  (yTrue, yPred) => {
    expectShape(`${name}: targets`, yTrue.shape, yPred.shape);
    const y = yTrue.toArray();
    const { values, rows, columns } = rowsView(asProbabilities(yPred, undefined, loss));
    return Float64Array.from({ length: rows }, (_, i) => {
      let right = 0;
      for (let at = i * columns; at < (i + 1) * columns; at++)
        right += Number(Number(values[at]! > threshold) === y[at]);
      return right / columns;
    });
  };

/**
 * How often predictions are right, Σ wᵣ·rᵣ / Σ wᵣ over all rows r.
 *
 * The form of the targets determines rᵣ. Class ids `[B, …]` i32: rᵣ is 1 if the greatest prediction of the row is that
 * class. Targets `[B, …, C]` f32 with a loss of independent outputs, or with one output: rᵣ is the share of outputs on
 * the right side of ½, or of 0 if the loss reads logits. Other one-hot targets: rᵣ is 1 if the greatest prediction is
 * where the greatest target is.
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. In
 * contrast to Keras's `accuracy`, it compares logits with 0 if the loss reads logits, and it compares several outputs
 * of `binaryCrossentropy` one by one, as TF.js does.
 *
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`; predictions are `[B, …, C]` f32.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the stated shape.
 * @see keras.Model.compile (metrics: accuracy)
 *
 * @example
 * const classifier = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1, activation: 'sigmoid' })]);
 * classifier.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
 */
export const accuracy = (options: MetricOptions = {}): Metric =>
  makeMetric('accuracy', checkOptions('accuracy', options, { name: 1 }), (loss) => {
    const choose = (yTrue: Tensor, yPred: Tensor): Each => {
      if (yTrue.dtype === 'i32') return categoricalEach('accuracy', true);
      const isBinary = loss?.classes === 'independent' || yPred.shape.at(-1) === 1;
      return isBinary ? binaryEach('accuracy', 0.5, loss) : categoricalEach('accuracy', false);
    };
    return meanState((yTrue, yPred) => choose(yTrue, yPred)(yTrue, yPred), {});
  });

export interface BinaryAccuracyOptions extends MetricOptions {
  /** Probability above which a prediction counts as 1, from 0 to 1. Default 0.5. */
  threshold?: number | undefined;
}

/**
 * How often predictions are on the same side of a threshold as their targets, 0 or 1.
 *
 * Σ wᵣ·rᵣ / Σ wᵣ, where rᵣ is the share of the elements of row r that are right
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights. If the
 * loss reads logits, σ(ŷ) is compared with the threshold.
 *
 * @param given.name its key in the history; default the name of the maker.
 * @param given.threshold a probability; default 0.5.
 * @returns the metric, for `compile`. Targets and predictions are `[B, …, C]` f32 of one shape.
 * @throws ArgumentError if `threshold` is outside [0, 1] or an option is unknown; when a batch is measured, if targets
 *   do not have the shape of the predictions.
 * @see keras.metrics.BinaryAccuracy
 */
export function binaryAccuracy(given: BinaryAccuracyOptions = {}): Metric {
  const { threshold = 0.5, ...options } = checkOptions('binaryAccuracy', given, { name: 1, threshold: 1 });
  expectNumber('binaryAccuracy: threshold', threshold, 'in [0, 1]');
  return makeMetric('binaryAccuracy', { ...options, threshold }, (loss) =>
    meanState(binaryEach('binaryAccuracy', threshold, loss), {}),
  );
}

/**
 * How often the greatest prediction of a row is at its one-hot target.
 *
 * Σ wᵣ·rᵣ / Σ wᵣ, where rᵣ is 1 if row r is right, else 0
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights.
 *
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets are `[B, …, C]` f32, one-hot; predictions are `[B, …, C]` f32.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the stated shape.
 * @see keras.metrics.CategoricalAccuracy
 */
export const categoricalAccuracy = (options: MetricOptions = {}): Metric =>
  makeMetric('categoricalAccuracy', checkOptions('categoricalAccuracy', options, { name: 1 }), () =>
    meanState(categoricalEach('categoricalAccuracy', false), {}),
  );

/**
 * How often the greatest prediction of a row is at its class id.
 *
 * Σ wᵣ·rᵣ / Σ wᵣ, where rᵣ is 1 if row r is right, else 0
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights.
 *
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets are `[B, …]` i32, one class id for each row; predictions are `[B, …, C]`
 *   f32.
 * @throws ArgumentError if an option is unknown; when a batch is measured, if targets do not have the stated shape.
 * @see keras.metrics.SparseCategoricalAccuracy
 */
export const sparseCategoricalAccuracy = (options: MetricOptions = {}): Metric =>
  makeMetric('sparseCategoricalAccuracy', checkOptions('sparseCategoricalAccuracy', options, { name: 1 }), () =>
    meanState(categoricalEach('sparseCategoricalAccuracy', true), {}),
  );

export interface TopKOptions extends MetricOptions {
  /** Number of greatest predictions among which the right class must be. Default 5. */
  k?: number | undefined;
}

function topK(maker: string, sparse: boolean, given: TopKOptions): Metric {
  const { k = 5, ...options } = checkOptions(maker, given, { name: 1, k: 1 });
  expectNumber(`${maker}: k`, k, 'an integer ≥ 1');
  const each: Each = (yTrue, yPred) => {
    const classes = classesOf(maker, yTrue, yPred, sparse);
    const { values, columns } = rowsView(yPred);
    return Float64Array.from(classes, (wanted, i) => {
      if (wanted < 0 || wanted >= columns) return 0;
      const own = values[i * columns + wanted]!;
      let greater = 0;
      for (let at = i * columns; at < (i + 1) * columns; at++) if (values[at]! > own) greater++;
      return Number(greater < k && Number.isFinite(own));
    });
  };
  return makeMetric(maker, { ...options, k }, () => meanState(each, {}));
}

/**
 * How often the prediction at the one-hot target of a row is among the k greatest of the row.
 *
 * Σ wᵣ·rᵣ / Σ wᵣ, where rᵣ is 1 if fewer than k predictions of row r are greater than that of the right class, else 0
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights.
 *
 * @param options.name its key in the history; default the name of the maker.
 * @param options.k default 5.
 * @returns the metric, for `compile`. Targets are `[B, …, C]` f32, one-hot; predictions are `[B, …, C]` f32.
 * @throws ArgumentError if `k` is not an integer ≥ 1 or an option is unknown; when a batch is measured, if targets do
 *   not have the stated shape.
 * @see keras.metrics.TopKCategoricalAccuracy
 */
export const topKCategoricalAccuracy = (options: TopKOptions = {}): Metric =>
  topK('topKCategoricalAccuracy', false, options);

/**
 * How often the prediction at the class id of a row is among the k greatest of the row.
 *
 * Σ wᵣ·rᵣ / Σ wᵣ, where rᵣ is 1 if fewer than k predictions of row r are greater than that of the right class, else 0
 *
 * The weight w of a masked row is 0, of other rows 1; `weightedMetrics` multiply it by sample and class weights.
 *
 * @param options.name its key in the history; default the name of the maker.
 * @param options.k default 5.
 * @returns the metric, for `compile`. Targets are `[B, …]` i32, one class id for each row; predictions are `[B, …, C]`
 *   f32.
 * @throws ArgumentError if `k` is not an integer ≥ 1 or an option is unknown; when a batch is measured, if targets do
 *   not have the stated shape.
 * @see keras.metrics.SparseTopKCategoricalAccuracy
 */
export const sparseTopKCategoricalAccuracy = (options: TopKOptions = {}): Metric =>
  topK('sparseTopKCategoricalAccuracy', true, options);
