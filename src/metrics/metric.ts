import { expectF32, expectShape, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import type { Shape } from '../checks/shape.ts';
import { type Loss, withoutZeroRows } from '../losses/loss.ts';
import { sigmoid } from '../ops/elementwise/elementwise.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { softmaxRows } from '../ops/softmax.ts';

/** Options of a metric, in JSON. `metric` is the name of the maker, `name` the key in the history. */
export type MetricConfig = Readonly<
  { metric: string; name: string } & Record<string, string | number | boolean | null | undefined | readonly number[]>
>;

/** One number, or several if a metric has one for each class or threshold. */
export type MetricResult = number | readonly number[];

/** The sums of a metric over the batches so far. States of one metric are independent of each other. */
export interface MetricState {
  /**
   * Adds a batch.
   *
   * @param yTrue targets of a batch, as the loss gets them.
   * @param yPred its predictions, `[…, C]`.
   * @param weights f32, one for each row, 0 at padding and otherwise the weight of the sample. Default: ones.
   */
  update(yTrue: Tensor, yPred: Tensor, weights?: Tensor): void;
  /** The value over everything since the start; 0 if there was nothing. */
  result(): MetricResult;
}

/** A number to watch beside the loss, over a batch, an epoch or a data set. */
export interface Metric {
  /** Its key in the history. */
  readonly name: string;
  /**
   * Begins a measurement.
   *
   * @param loss the loss of the model. Options that were not given follow it.
   */
  start(loss?: Loss): MetricState;
  /**
   * Options, JSON, from which `metricOf(config)` makes an equal metric. If it is missing, a model file keeps only the
   * name.
   */
  config?(): MetricConfig;
}

export interface MetricOptions {
  /** Its key in the history. Default: the name of the maker. */
  name?: string | undefined;
}

/** A metric made by `maker`. It is saved with its options. */
export const makeMetric = <Options extends MetricOptions>(
  maker: string,
  { name = maker, ...options }: Options,
  start: (loss: Loss | undefined) => MetricState,
): Metric => ({ name, start, config: () => ({ ...options, metric: maker, name }) });

/** The state of a metric that is the weighted mean of one number for each row, or a function of that mean. */
export function meanState(
  each: (yTrue: Tensor, yPred: Tensor) => ArrayLike<number>,
  { counted, finish = (mean) => mean }: Pick<Loss, 'counted'> & { finish?: (mean: number) => number },
): MetricState {
  let sum = 0;
  let weight = 0;
  return {
    update(yTrue, yPred, weights) {
      const values = each(yTrue, yPred);
      const weighing = weights && weightsOf(weights, yPred.shape.slice(0, -1));
      const counts = counted?.(yTrue).toArray();
      for (let i = 0; i < values.length; i++) {
        const w = (weighing ? weighing[i]! : 1) * (counts ? counts[i]! : 1);
        weight += w;
        // The value of a row of weight 0 may be NaN.
        if (w !== 0) sum += w * values[i]!;
      }
    },
    result: () => (weight === 0 ? 0 : finish(sum / weight)),
  };
}

/**
 * The weights of the rows of a batch, in the order of their shape. Throws `ArgumentError` unless there is one for each
 * row.
 */
export function weightsOf(weights: Tensor, rows: Shape): Float32Array {
  expectShape('metric: weights', weights.shape, rows);
  return weights.toArray() as Float32Array;
}

/** A matrix in linear memory. It is a view that the next allocation may detach. */
export interface RowsView {
  values: Float32Array;
  rows: number;
  columns: number;
}

/** `x` `[…, C]` as rows, in the order of its shape. */
export function rowsView(x: Tensor): RowsView {
  expectF32('metric: predictions', x);
  const ordered = inOrder(x, false);
  const columns = x.shape.at(-1) ?? 1;
  return { values: x.engine.f32(ordered.ptr, x.size), rows: x.size / Math.max(columns, 1), columns };
}

/** Truth and prediction of each class of each row. A class id is a row that is 1 at the class and 0 elsewhere. */
export interface Comparison {
  rows: number;
  columns: number;
  truth(row: number, column: number): number;
  predictions: Float32Array;
  weights: ArrayLike<number> | undefined;
}

/**
 * Targets and predictions row by row. Throws `ArgumentError` unless targets have the shape of the predictions or are
 * one class id for each row.
 */
export function compareRows(name: string, yTrue: Tensor, yPred: Tensor, weights: Tensor | undefined): Comparison {
  const perRow = yPred.shape.slice(0, -1);
  const isSparse = yTrue.dtype === 'i32' && yTrue.shape.length === perRow.length;
  expectShape(`${name}: targets`, yTrue.shape, isSparse ? perRow : yPred.shape);
  const y = yTrue.toArray();
  const weighing = weights && weightsOf(weights, perRow);
  const { values, rows, columns } = rowsView(yPred);
  const truth = isSparse
    ? (row: number, column: number): number => Number(y[row] === column)
    : (row: number, column: number): number => y[row * columns + column]!;
  return { rows, columns, truth, predictions: values, weights: weighing };
}

/** Predictions as probabilities. Logits go through softmax if the loss has one choice among classes, else through σ. */
export function asProbabilities(yPred: Tensor, fromLogits: boolean | undefined, loss: Loss | undefined): Tensor {
  if (!(fromLogits ?? loss?.reads === 'logits')) return yPred;
  return loss?.classes === 'exclusive' ? softmaxRows(yPred) : sigmoid(yPred);
}

/** a / b, and 0 where b is 0. */
export const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Metrics that are measured together, over the same batches. */
export interface Measurements {
  /**
   * Adds a batch to every metric. `ownWeights` are the weights for weighted metrics. `hasRows` is true if targets have
   * a row for each row of predictions.
   */
  update(yTrue: Tensor, yPred: Tensor, weights?: Tensor, ownWeights?: Tensor, hasRows?: boolean): void;
  /** The value of each metric over everything so far, by name; `name_0`, `name_1`, … if it has several numbers. */
  logs(prefix?: string): Record<string, number>;
}

/**
 * Starts metrics together. A name that occurs again gets `_1`, `_2`, … appended. Before that, the name of a weighted
 * metric gets the prefix `weighted_` if it is taken.
 *
 * @see keras.Model.compile (metrics, weighted_metrics)
 */
export function measure(metrics: readonly Metric[], weighted: readonly Metric[] = []): Measurements {
  const names = new Map<string, number>();
  const states = [...metrics, ...weighted].map((metric, i) => {
    const isWeighted = i >= metrics.length;
    const name = isWeighted && names.has(metric.name) ? `weighted_${metric.name}` : metric.name;
    const before = names.get(name) ?? 0;
    names.set(name, before + 1);
    return { name: before === 0 ? name : `${name}_${before}`, isWeighted, state: metric.start() };
  });
  return {
    update(yTrue, yPred, weights, ownWeights, hasRows = true) {
      for (const { isWeighted, state } of states) {
        const own = isWeighted ? ownWeights : weights;
        state.update(...withoutZeroRows(yTrue, yPred, hasRows ? own : undefined), own);
      }
    },
    logs(prefix = '') {
      const entries = states.flatMap(({ name, state }) => {
        const result = state.result();
        // A list of one number has no index in its name.
        const values = [result].flat();
        const entries = values.length === 1 ? [[name, values[0]]] : values.map((each, i) => [`${name}_${i}`, each]);
        return entries.map(([each, value]) => [prefix + each, value]);
      });
      return Object.fromEntries(entries) as Record<string, number>;
    },
  };
}

/** A custom metric: a number for each row of a batch, or one number for the batch. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor | number;

/**
 * A metric from a custom function: the mean of its values over rows. One number for a batch is the value of each of its
 * rows.
 */
export function functionMetric(each: MetricFunction): Metric {
  const name = each.name || 'metric';
  return {
    name,
    start: () =>
      meanState((yTrue, yPred) => {
        const value = each(yTrue, yPred);
        const rows = yPred.size / Math.max(yPred.shape.at(-1) ?? 1, 1);
        if (typeof value === 'number') return new Float64Array(rows).fill(value);
        expectTensor(`metric function ${name}: its value`, value);
        if (value.size === 1) return new Float64Array(rows).fill(value.item());
        if (value.size === rows) return value.toArray();
        throw new ArgumentError(`${name}: expected one number, or one for each of ${rows} rows, got ${value.size}`);
      }, {}),
  };
}
