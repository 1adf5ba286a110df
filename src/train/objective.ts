import { stopGradient } from '../autograd/tape.ts';
import { expectShape, filled, Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectType, isFloat32, shown } from '../checks/argument-error.ts';
import { type Shape, sizeOf } from '../checks/shape.ts';
import { argmax } from '../data/array.ts';
import { entriesOf, type Nested, type NestedKey } from '../data/nested.ts';
import { type LossFunction, type LossName, lossOf } from '../losses/by-name.ts';
import { type Loss, withoutZeroRows } from '../losses/loss.ts';
import { type MetricName, metricOf } from '../metrics/by-name.ts';
import { type Measurements, type Metric, type MetricConfig, type MetricFunction, measure } from '../metrics/metric.ts';
import { add, scale } from '../ops/elementwise/elementwise.ts';
import type { Logs } from './logs.ts';

/**
 * A loss: its name, for the default options; a `Loss` object; or a custom function, which returns shape `[]`, or one
 * value for each row if rows are weighted. A function of the library that makes a loss, such as `huber`, can be given
 * without a call, like the name. With `tapeloop/lean` it must be called.
 */
export type LossSpec = LossName | Loss | LossFunction | (() => Loss);
/**
 * A metric: its name, for the default options; a `Metric` object; the configuration of a saved metric; a custom
 * function; or a function of the library that makes a metric, as for a loss.
 */
export type MetricSpec = MetricName | MetricConfig | MetricFunction | Metric | (() => Metric);
/** One metric, or a list of them. */
export type MetricSpecs = MetricSpec | readonly MetricSpec[];

export interface ObjectiveOptions {
  /** The loss that training minimizes: one for each output, in a list or by name, as `forward` returns them. */
  loss: Nested<LossSpec>;
  /**
   * Factor of each loss in their sum; for one output a number, or a list of one. Any finite number. Default: 1 each.
   */
  lossWeights?: Nested<number> | undefined;
  /**
   * Metrics to measure besides the loss: one metric or a list for all outputs, or one for each output, nested like
   * them. Masked rows do not count. Sample and class weights have no effect.
   */
  metrics?: Nested<MetricSpecs> | undefined;
  /**
   * The same, but rows are weighted by their sample and class weights. In the logs, a name that `metrics` also has gets
   * the prefix `weighted_`.
   */
  weightedMetrics?: Nested<MetricSpecs> | undefined;
}

/** Loss and metrics of one output. */
export interface Head {
  readonly key: NestedKey;
  readonly loss: Loss;
  readonly weight: number;
  readonly metrics: readonly Metric[];
  readonly weightedMetrics: readonly Metric[];
}

/** Maps class ids to weights. A class that is not listed has weight 1. */
export type ClassWeight = Readonly<Record<number, number>>;

/** Weights of a batch, besides the masks of the predictions. */
export interface Weighing {
  sampleWeight: Nested<Tensor> | undefined;
  classWeight: ClassWeight | undefined;
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;
const isLossSpec = (x: unknown): x is LossSpec =>
  typeof x === 'string' || typeof x === 'function' || typeof (x as Loss | null)?.compute === 'function';

/** Losses and metrics of all outputs of a model. */
export class Objective {
  readonly heads: readonly Head[];

  /**
   * Throws `ArgumentError` for an unknown name, a weight that is not a finite number, or an option for an output that
   * has no loss.
   */
  constructor({ loss, lossWeights, metrics, weightedMetrics }: ObjectiveOptions) {
    const losses = entriesOf<LossSpec>(loss ?? {}, isLossSpec);
    const bad = losses.length > 0 ? losses.find(([, spec]) => !isLossSpec(spec)) : [undefined, loss];
    if (bad) throw new ArgumentError(`compile: loss expected a name, a loss or a function, got ${shown(bad[1])}`);
    const known = losses.map(([key]) => key);
    const weights = weightsByOutput(lossWeights, known);
    const watched = metricsByOutput('metrics', metrics, known);
    const weighted = metricsByOutput('weightedMetrics', weightedMetrics, known);
    this.heads = losses.map(([key, spec]) => {
      const loss = lossOf(spec);
      const made = (specs: readonly MetricSpec[]): Metric[] => specs.map((metric) => metricOf(metric, loss));
      return { key, loss, weight: weights(key), metrics: made(watched(key)), weightedMetrics: made(weighted(key)) };
    });
  }

  /** Pairs each output with its loss and metrics, and with the prefix of its names in the logs. */
  outputs<T>(outputs: Nested<T>, isLeaf: (x: unknown) => x is T): { head: Head; prefix: string; output: T }[] {
    const entries = entriesOf(outputs, isLeaf);
    const expected = entries.map(([key]) => key ?? 'one output').join(', ');
    if (this.heads.length !== entries.length) {
      throw new ArgumentError(`compile: loss expected one for each of ${expected}, got ${this.heads.length}`);
    }
    return entries.map(([key, output]) => {
      const head = this.heads.find((each) => each.key === key);
      if (!head) throw new ArgumentError(`compile: loss expected one for each of ${expected}, got none for ${key}`);
      return { head, prefix: prefixOf(key), output };
    });
  }

  /** Makes an empty tracker of the metrics of all outputs. */
  metricTracker(): MetricTracker {
    return new MetricTracker(this.heads);
  }

  /**
   * Computes the weighted sum of the losses of all outputs, `[]`, and each loss by name. If there is one output, it may
   * be overwritten.
   *
   * @param tracker is updated with the outputs; metrics are constant to gradients.
   */
  compute(
    y: Nested<Tensor>,
    outputs: Nested<Tensor>,
    weighing: Weighing,
    tracker?: MetricTracker | undefined,
  ): { total: Tensor; parts: Logs } {
    const parts: Logs = {};
    let total: Tensor | undefined;
    for (const { head, prefix, output: prediction } of this.outputs(outputs, isTensor)) {
      const target = leafAt(y, head.key);
      const factors = {
        classWeight: weighing.classWeight,
        sampleWeight: weighing.sampleWeight && leafAt(weighing.sampleWeight, head.key),
      };
      const shape = weightShapeOf(head, prediction);
      // With reduction `sum`, Keras's mask removes rows and does not scale the others.
      const forMean = head.loss.config?.().reduction !== 'sum';
      const weights = rowWeights(target, prediction, shape, { ...factors, forMean });
      if (tracker) stopGradient(() => tracker.update(head, target, prediction, factors));
      const [yTrue, yPred] = withoutZeroRows(target, prediction, head.loss.leavesOut ? undefined : weights);
      const loss = head.loss.compute(yTrue, yPred, weights, { isLastUse: this.heads.length === 1 });
      if (prefix) parts[`${prefix}loss`] = loss.item();
      // A loss of weight 0 is left out of the sum, so that it has no effect even if it is NaN.
      if (head.weight === 0) continue;
      const weighted = head.weight === 1 ? loss : scale(loss, head.weight);
      total = total ? add(total, weighted) : weighted;
    }
    return { total: total ?? filled([]), parts };
  }
}

/** The value at `key`, which is known to exist. */
const leafAt = (nested: Nested<Tensor>, key: NestedKey): Tensor =>
  key === undefined ? (nested as Tensor) : (nested as Record<string, Tensor>)[key]!;

function metricsByOutput(
  what: string,
  metrics: ObjectiveOptions['metrics'] = [],
  known: readonly NestedKey[],
): (key: NestedKey) => readonly MetricSpec[] {
  const isSpec = (x: unknown): boolean => typeof x === 'string' || typeof (x as Metric | null)?.name === 'string';
  const areSpecs = (x: unknown): boolean => isSpec(x) || (Array.isArray(x) && x.every(isSpec));
  const listOf = (x: unknown): readonly MetricSpec[] => {
    if (areSpecs(x)) return (isSpec(x) ? [x] : x) as readonly MetricSpec[];
    throw new ArgumentError(`compile: ${what} expected a list of metrics, got ${shown(x)}`);
  };
  if (known[0] === undefined || areSpecs(metrics)) {
    const forAll = listOf(metrics);
    return () => forAll;
  }
  const byKey = metrics as Readonly<Record<string, MetricSpecs>>;
  for (const key of Object.keys(byKey)) expectOutput(what, key, known);
  return (key) => listOf(byKey[key!] ?? []);
}

function weightsByOutput(given: Nested<number> | undefined, known: readonly NestedKey[]): (key: NestedKey) => number {
  const keys = known.map((key) => key ?? 0);
  if (typeof given !== 'number' && given !== undefined) expectType('compile: lossWeights', given, 'an object');
  if (typeof given === 'number' && keys.length > 1) {
    throw new ArgumentError(`compile: lossWeights expected one for each of ${keys.join(', ')}, got ${given}`);
  }
  const weights = new Map(typeof given === 'number' ? [[String(keys[0]), given]] : Object.entries(given ?? {}));
  for (const [key, weight] of weights) {
    expectOutput('lossWeights', key, keys);
    if (!isFloat32(weight)) {
      throw new ArgumentError(`compile: lossWeights expected finite numbers, got ${shown(weight)} for '${key}'`);
    }
  }
  return (key = 0) => weights.get(String(key)) ?? 1;
}

function expectOutput(what: string, key: string, known: readonly NestedKey[]): void {
  if (known.some((each) => String(each) === key)) return;
  throw new ArgumentError(`compile: ${what} expected outputs that have a loss (${known.join(', ')}), got '${key}'`);
}

/** Accumulates the metrics of all outputs over batches. */
export class MetricTracker {
  readonly #measurements: ReadonlyMap<Head, Measurements>;

  constructor(heads: readonly Head[]) {
    this.#measurements = new Map(heads.map((head) => [head, measure(head.metrics, head.weightedMetrics)]));
  }

  update(head: Head, target: Tensor, prediction: Tensor, factors: Factors): void {
    const weigh = (by: Factors): Tensor | undefined => rowWeights(target, prediction, rowsOf(prediction), by);
    const weights = head.weightedMetrics.length > 0 ? weigh(factors) : undefined;
    const hasRows = weightShapeOf(head, prediction).length === prediction.shape.length - 1;
    this.#measurements.get(head)!.update(target, prediction, weigh({}), weights, hasRows);
  }

  /** The metrics over all batches so far, by name. */
  logs(): Logs {
    return Object.assign({}, ...[...this.#measurements].map(([head, each]) => each.logs(prefixOf(head.key)))) as Logs;
  }
}

/** The prefix of the names of an output's loss and metrics. */
const prefixOf = (key: NestedKey): string => (key === undefined ? '' : `${key}_`);

/**
 * The mask of the predictions; if a custom layer has lost it, the mask of the targets, if they have unequal lengths.
 */
const maskFor = (prediction: Tensor, target: Tensor): Tensor | undefined => prediction.mask ?? target.mask;

/** A row is the last axis of the predictions. */
const rowsOf = (prediction: Tensor): Shape => prediction.shape.slice(0, -1);

const weightShapeOf = ({ loss }: Head, prediction: Tensor): Shape =>
  loss.weightShape?.(prediction.shape) ?? rowsOf(prediction);

/** Weights of rows, besides the mask of the predictions. */
interface Factors {
  sampleWeight?: Tensor | undefined;
  classWeight?: ClassWeight | undefined;
}

/**
 * Weights in `shape`: sample weight · class weight · mask; undefined if there are none of these.
 *
 * @param options.forMean scales the mask so that the mean over all rows equals the mean over the unmasked rows.
 * @see keras.losses.Loss (sum_over_batch_size), keras.src.losses.loss.apply_mask
 */
function rowWeights(
  target: Tensor,
  prediction: Tensor,
  shape: Shape,
  { sampleWeight, classWeight, forMean = false }: Factors & { forMean?: boolean },
): Tensor | undefined {
  const mask = maskFor(prediction, target);
  if (!mask && !sampleWeight && !classWeight) return undefined;
  const weights = new Float32Array(sizeOf(shape)).fill(1);
  const multiply = (factors: ArrayLike<number>): void => {
    const inner = weights.length / factors.length;
    for (let i = 0; i < weights.length; i++) weights[i]! *= factors[Math.floor(i / inner)]!;
  };
  if (sampleWeight) {
    expectShape('sampleWeight', sampleWeight.shape, shape.slice(0, sampleWeight.shape.length));
    multiply(sampleWeight.toArray());
  }
  if (classWeight) multiply(classesOf(target, shape).map((id) => classWeight[id] ?? 1));
  // A loss of whole sequences, such as `ctc`, reads the mask itself.
  if (mask && (mask.shape.length <= shape.length || shape.length === prediction.shape.length - 1)) {
    expectShape('mask', mask.shape, shape.slice(0, mask.shape.length));
    const counts = mask.toArray() as Float32Array;
    const valid = forMean ? counts.reduce((sum, value) => sum + value, 0) : counts.length;
    multiply(counts.map((value) => (valid === 0 ? 0 : value * (counts.length / valid))));
  }
  return tensor(weights, { shape, name: 'row weights', engine: prediction.engine });
}

/** The class of each row: its id, or the index of its largest probability. */
function classesOf(target: Tensor, rows: Shape): number[] {
  const values = target.toArray();
  const count = sizeOf(rows);
  const width = values.length / count;
  if (width === 1) return Array.from(values, Math.round);
  return Array.from({ length: count }, (_, row) => argmax(values, row * width, width));
}
