import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Loss } from '../losses/loss.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { asProbabilities, type Metric, type MetricOptions, makeMetric, meanState, rowsView } from './metric.ts';

type Each = (yTrue: Tensor, yPred: Tensor) => ArrayLike<number>;

/** Index of the largest element of each row, rows in the order of `shape`. */
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

/** The right class of each row, from ids or from one-hot rows. */
function classesOf(name: string, yTrue: Tensor, yPred: Tensor, sparse: boolean): ArrayLike<number> {
  expectShape(`${name}: targets`, yTrue.shape, sparse ? yPred.shape.slice(0, -1) : yPred.shape);
  return sparse ? yTrue.toArray() : argmaxRows(yTrue);
}

const categoricalEach =
  (name: string, sparse: boolean): Each =>
  (yTrue, yPred) =>
    matches(classesOf(name, yTrue, yPred, sparse), argmaxRows(yPred));

/** Share of each row's elements that are on the side of the threshold where their targets, 0 or 1, are. */
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
 * How often predictions are right, in the way that fits: class ids against the greatest prediction; for a loss of
 * independent outputs, or a single output, each output against ½; else one-hot targets by their greatest.
 *
 * Unlike Keras's `accuracy`, it takes logits against 0 where the loss reads logits, and several outputs of
 * binaryCrossentropy each by itself (as TF.js does).
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
  /** Probability, between 0 and 1, above which a prediction stands for 1. Default 0.5. */
  threshold?: number | undefined;
}

/**
 * How often predictions are on the side of the threshold where their targets, 0 or 1, are. Where the loss reads logits,
 * of σ of them.
 *
 * @throws ArgumentError if threshold is outside [0, 1].
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
 * How often the greatest prediction of a row is where its one-hot target is.
 *
 * @see keras.metrics.CategoricalAccuracy
 */
export const categoricalAccuracy = (options: MetricOptions = {}): Metric =>
  makeMetric('categoricalAccuracy', checkOptions('categoricalAccuracy', options, { name: 1 }), () =>
    meanState(categoricalEach('categoricalAccuracy', false), {}),
  );

/**
 * How often the greatest prediction of a row is that of its class id.
 *
 * @see keras.metrics.SparseCategoricalAccuracy
 */
export const sparseCategoricalAccuracy = (options: MetricOptions = {}): Metric =>
  makeMetric('sparseCategoricalAccuracy', checkOptions('sparseCategoricalAccuracy', options, { name: 1 }), () =>
    meanState(categoricalEach('sparseCategoricalAccuracy', true), {}),
  );

export interface TopKOptions extends MetricOptions {
  /** How many of the greatest predictions count. Default 5. */
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
 * How often fewer than k predictions of a row are greater than that of its one-hot target.
 *
 * @throws ArgumentError unless k is an integer ≥ 1.
 * @see keras.metrics.TopKCategoricalAccuracy
 */
export const topKCategoricalAccuracy = (options: TopKOptions = {}): Metric =>
  topK('topKCategoricalAccuracy', false, options);

/**
 * How often fewer than k predictions of a row are greater than that of its class id.
 *
 * @throws ArgumentError unless k is an integer ≥ 1.
 * @see keras.metrics.SparseTopKCategoricalAccuracy
 */
export const sparseTopKCategoricalAccuracy = (options: TopKOptions = {}): Metric =>
  topK('sparseTopKCategoricalAccuracy', true, options);
