import type { Parameter } from '../autograd/parameter.ts';
import { stopGradient, valueAndGrad } from '../autograd/tape.ts';
import { ArgumentError, expectShape, formatShape, type Shape, type Tensor } from '../autograd/tensor.ts';
import { type DataLike, expectIdsBelow, NdArray, toNdArray } from '../data/array.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { nextStream, type RandomStream } from '../engine/random.ts';
import { type Layer, withTraining } from '../layers/layer.ts';
import { Recurrent } from '../layers/recurrent.ts';
import { Sequential } from '../layers/sequential.ts';
import { summary } from '../layers/summary.ts';
import type { WeightFormat } from '../ops/stream-program.ts';
import { inTurn, uploadBatch } from './batches.ts';
import { type FitOptions, type History, trainEpochs } from './fit.ts';
import { type Loss, type LossName, lossOf } from './losses.ts';
import { type Metric, type MetricName, metricOf } from './metrics.ts';
import { Optimizer, type OptimizerName, optimizerOf } from './optimizers.ts';
import { StepPredictor } from './predict-steps.ts';
import { checkWeightFormat, Stream, type StreamOptions } from './stream.ts';

export interface CompileOptions {
  /** A name with its defaults, or one made with options of its own. */
  optimizer: OptimizerName | Optimizer;
  /** A name with its defaults, or one made with options: `sparseCategoricalCrossentropy({ fromLogits: true })`. */
  loss: LossName | Loss;
  metrics?: readonly (MetricName | Metric)[];
}

export interface PredictOptions {
  batchSize?: number;
  weights?: WeightFormat;
}

/** Loss and metrics of a batch or an epoch, by name. */
export type Logs = Record<string, number>;

/** The loss of a step was not finite. Weights, optimizer state and carried states are as they were before it. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError';
}

interface Compiled {
  optimizer: Optimizer;
  loss: Loss;
  metrics: Metric[];
}

/** A network with what is needed to train it. */
export class Model {
  readonly network: Sequential;
  /** For shuffling. @internal */
  readonly random: RandomStream;
  #compiled: Compiled | undefined;
  #int8: StepPredictor | undefined;

  constructor(network: Sequential) {
    this.network = network;
    this.random = nextStream();
  }

  get name(): string {
    return this.network.name;
  }

  get layers(): readonly Layer[] {
    return this.network.layers;
  }

  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  get engine(): Engine {
    return this.weights[0]?.tensor.engine ?? currentEngine();
  }

  /** @internal */
  get compiled(): Compiled {
    if (!this.#compiled) throw new ArgumentError(`${this.name}: call compile() before training or evaluating`);
    return this.#compiled;
  }

  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** Keras's table of layers and parameter counts, as text. */
  summary(): string {
    return summary(this.network);
  }

  /**
   * Chooses how the model is trained.
   *
   * @throws ArgumentError for an unknown name.
   */
  compile({ optimizer, loss, metrics = [] }: CompileOptions): void {
    const chosen = typeof loss === 'string' ? lossOf(loss) : loss;
    this.#compiled = {
      optimizer: optimizer instanceof Optimizer ? optimizer : optimizerOf({ name: optimizer }),
      loss: chosen,
      metrics: metrics.map((metric) => metricOf(metric, chosen)),
    };
  }

  /** The output for a batch, as a tensor of the open step. */
  call(x: Tensor, training = false): Tensor {
    return withTraining(training, () => this.network(x));
  }

  /**
   * One gradient step on one batch: forward, backward, clip, update.
   *
   * @param x one batch, `[B, …]`; ids for a model that starts with an embedding.
   * @param y its targets.
   * @returns `loss`, `gradientNorm` (before clipping) and the metrics of the batch, all before the update.
   * @throws ArgumentError if a shape or a value does not fit, NonFiniteLossError or NonFiniteGradientError if training
   *   has diverged. After an error weights, optimizer state and carried states are as they were.
   */
  trainOnBatch(x: DataLike, y: DataLike): Logs {
    const { xs, ys } = this.checkData(x, y);
    return this.trainOnRows(xs, ys, inTurn(xs.shape[0]!), 0, xs.shape[0]!);
  }

  /** `trainOnBatch` on the samples order[from … to) of data that has been checked. @internal */
  trainOnRows(xs: NdArray, ys: NdArray, order: Uint32Array, from: number, to: number): Logs {
    const { optimizer, loss, metrics } = this.compiled;
    const restore = this.network.snapshot();
    try {
      return this.engine.step(() => {
        const { x, y } = this.#upload(xs, ys, order, from, to);
        const trainable = this.weights.filter((weight) => weight.trainable);
        const measured: Logs = {};
        const { value, grads } = valueAndGrad(() => {
          const prediction = this.call(x, true);
          stopGradient(() => {
            for (const metric of metrics) {
              const { sum, rows } = metric.measure(y, prediction);
              measured[metric.name] = sum / rows;
            }
          });
          return loss.compute(y, prediction);
        }, trainable);
        if (!Number.isFinite(value)) {
          throw new NonFiniteLossError(`the loss became ${value} at step ${optimizer.iterations + 1}`);
        }
        return { loss: value, gradientNorm: optimizer.apply(trainable, grads), ...measured };
      });
    } catch (error) {
      restore();
      throw error;
    }
  }

  /**
   * Loss and metrics over a data set, weights untouched.
   *
   * @param options.batchSize default 32.
   */
  evaluate(x: DataLike, y: DataLike, { batchSize = 32 }: { batchSize?: number } = {}): Logs {
    const { xs, ys } = this.checkData(x, y);
    return this.evaluateRows(xs, ys, inTurn(xs.shape[0]!), batchSize);
  }

  /** @internal */
  evaluateRows(xs: NdArray, ys: NdArray, order: Uint32Array, batchSize: number): Logs {
    const { loss, metrics } = this.compiled;
    const count = order.length;
    let total = 0;
    const sums = metrics.map(() => ({ sum: 0, rows: 0 }));
    for (let from = 0; from < count; from += batchSize) {
      const to = Math.min(from + batchSize, count);
      this.engine.step(() => {
        const { x, y } = this.#upload(xs, ys, order, from, to);
        const prediction = this.call(x);
        total += loss.compute(y, prediction).item() * (to - from);
        metrics.forEach((metric, i) => {
          const { sum, rows } = metric.measure(y, prediction);
          sums[i]!.sum += sum;
          sums[i]!.rows += rows;
        });
      });
    }
    const measured = metrics.map((metric, i) => [metric.name, sums[i]!.sum / sums[i]!.rows]);
    return { loss: total / count, ...Object.fromEntries(measured) };
  }

  /**
   * Outputs for a data set.
   *
   * @param options.batchSize default 32.
   * @param options.weights `int8` computes with a byte a weight, step by step, as `stream` does; the bytes are kept for the next
   *   call. Default `float32`.
   * @returns an array `[N, …]` outside linear memory, the caller's own.
   * @throws ArgumentError if `x` does not fit, or with `int8` a layer cannot run step by step.
   */
  predict(x: DataLike, { batchSize = 32, weights = 'float32' }: PredictOptions = {}): NdArray<Float32Array> {
    checkWeightFormat('predict', weights);
    const xs = toNdArray(x, this.network.inputDtype, 'x');
    const count = xs.shape[0]!;
    if (weights === 'int8' && count > 0) {
      this.#int8 ??= new StepPredictor(this, 'int8');
      return this.#int8.predict(xs, batchSize);
    }
    const order = inTurn(count);
    let all: Float32Array | undefined;
    let shape: number[] = [];
    for (let from = 0; from < count; from += batchSize) {
      const to = Math.min(from + batchSize, count);
      this.engine.step(() => {
        const batch = uploadBatch(this.engine, xs, this.network.inputDtype, order, { from, to, name: 'x' });
        const y = this.call(batch);
        shape = [count, ...y.shape.slice(1)];
        const rowSize = y.size / (to - from);
        all ??= new Float32Array(count * rowSize);
        all.set(y.toArray(), from * rowSize);
      });
    }
    return new NdArray(all ?? new Float32Array(0), all ? shape : [0]);
  }

  /** Trains for a number of epochs; see `FitOptions`. */
  fit(x: DataLike, y: DataLike, options: FitOptions = {}): Promise<History> {
    return trainEpochs(this, x, y, options);
  }

  /**
   * The model one time step at a time, with states of its own.
   *
   * @throws ArgumentError if the model is not built or a layer cannot run step by step.
   */
  stream(options: StreamOptions = {}): Stream {
    const input = this.network.batchInputShape;
    if (!this.network.isBuilt || !input) {
      throw new ArgumentError(`${this.name}: stream() expected a model whose first layer knows its input`);
    }
    const width = this.network.inputDtype === 'i32' ? 1 : input.at(-1)!;
    return new Stream(this.engine, this.layers, width, options);
  }

  /** The recurrent layers that carry states between batches. */
  get statefulLayers(): Recurrent[] {
    return this.layers.filter(
      (layer): layer is Layer & Recurrent<Tensor> => layer instanceof Recurrent && layer.stateful,
    );
  }

  /** Makes stateful layers start from zeros. */
  resetStates(): void {
    for (const layer of this.statefulLayers) layer.resetStates();
  }

  /** Runs `body` with stateful layers starting from zeros, and gives them back the states they had. */
  withFreshStates<T>(body: () => T): T {
    const restores = this.statefulLayers.map((layer) => layer.carried!.setAside());
    try {
      return body();
    } finally {
      for (const restore of restores) restore();
    }
  }

  /** Frees weights and optimizer state. */
  dispose(): void {
    this.#compiled?.optimizer.dispose();
    this.#int8?.dispose();
    this.network.dispose();
  }

  /** @internal */
  checkData(x: DataLike, y: DataLike): { xs: NdArray; ys: NdArray } {
    const xs = toNdArray(x, this.network.inputDtype, 'x');
    const ys = toNdArray(y, this.compiled.loss.targetDtype, 'y');
    if (xs.shape[0] !== ys.shape[0]) {
      throw new ArgumentError(
        `x and y expected as many samples, got ${formatShape(xs.shape)} and ${formatShape(ys.shape)}`,
      );
    }
    if (xs.shape[0] === 0) throw new ArgumentError('x expected one sample or more, got none');
    this.#checkSamples(xs, ys);
    return { xs, ys };
  }

  /** Refuses what some batch would be refused for, before there is any batch. */
  #checkSamples(xs: NdArray, ys: NdArray): void {
    const { network } = this;
    const { loss } = this.compiled;
    network.build([null, ...xs.shape.slice(1)]);
    if (network.inputLimit !== undefined) expectIdsBelow(xs, network.inputLimit, 'x');
    const predictions = network.outputShape(xs.shape) as Shape;
    if (!loss.targetShape) return;
    expectShape(`${loss.name}: targets`, ys.shape, loss.targetShape(predictions));
    if (loss.targetDtype === 'i32') expectIdsBelow(ys, predictions.at(-1)!, 'y');
  }

  #upload(xs: NdArray, ys: NdArray, order: Uint32Array, from: number, to: number): { x: Tensor; y: Tensor } {
    return {
      x: uploadBatch(this.engine, xs, this.network.inputDtype, order, { from, to, name: 'x' }),
      y: uploadBatch(this.engine, ys, this.compiled.loss.targetDtype, order, { from, to, name: 'y' }),
    };
  }
}

/**
 * A model that is a stack of layers.
 *
 * Built at once when the first layer knows its input (`inputShape`, or an embedding), else by the first batch.
 *
 * @param layers the first takes the batch, each other what the one before gives.
 * @throws ArgumentError if there is no layer, two have one name, or a layer does not fit the one before it; both are named.
 * @see keras.Sequential
 */
export const sequential = (
  layers: readonly Layer<never>[] | readonly Layer[],
  options: { name?: string } = {},
): Model => new Model(new Sequential(layers as readonly Layer[], options.name));
