import type { Parameter } from '../autograd/parameter.ts';
import { valueAndGrad } from '../autograd/tape.ts';
import { ArgumentError, type Shape, Tensor } from '../autograd/tensor.ts';
import { NdArray } from '../data/array.ts';
import { asNested, entriesOf, leavesOf, mapNested, type Nested } from '../data/nested.ts';
import type { SamplesLike } from '../data/ragged.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { nextStream, type RandomStream } from '../engine/random.ts';
import type { CarriedStates } from '../layers/carried-states.ts';
import {
  type AnyLayer,
  type BatchShape,
  type InputSpec,
  isInputSpec,
  isShape,
  type Layer,
  withTraining,
} from '../layers/layer.ts';
import { type Forward, type LayersOf, Network, type NetworkOptions } from '../layers/network.ts';
import { Sequential } from '../layers/sequential.ts';
import { summary } from '../layers/summary.ts';
import { add } from '../ops/elementwise.ts';
import type { WeightFormat } from '../ops/stream-program.ts';
import { NonFiniteLossError } from './divergence.ts';
import { type Batches, batchesFeed, isBatches, samplesFeed } from './feeds.ts';
import { type FitOptions, type History, trainEpochs } from './fit.ts';
import { checkTargets } from './losses/fits.ts';
import { type ClassWeight, Objective, type ObjectiveOptions, type Watch } from './objective.ts';
import { Optimizer, type OptimizerName, optimizerOf } from './optimizers.ts';
import { StepPredictor } from './predict-steps.ts';
import { RunningLogs } from './running-logs.ts';
import { Column, countOf, inTurn, isColumn, type Rows, type Samples, uploadAll } from './samples.ts';
import { checkWeightFormat, Stream, type StreamOptions } from './stream.ts';

export interface CompileOptions extends ObjectiveOptions {
  /** A name with its defaults, or one made with options of its own. */
  optimizer: OptimizerName | Optimizer;
}

/** What a data set is weighed by. */
export interface WeightOptions {
  /** How much each sample counts, `[N]`, or each step of it, `[N, T]`; for several outputs nested as they are. */
  sampleWeight?: Nested<SamplesLike> | undefined;
  /** How much a sample of each class counts, by class id; 1 for one that is not named. */
  classWeight?: ClassWeight | undefined;
}

export interface PredictOptions {
  batchSize?: number;
  weights?: WeightFormat;
}

/** Inputs or targets: one, a list or some by name, as the model declares them. */
export type Data = Nested<SamplesLike>;

/** Predictions outside linear memory, nested as the model's outputs. */
export type Predictions<Y> = Y extends Tensor ? NdArray<Float32Array> : { [K in keyof Y]: NdArray<Float32Array> };

/** Loss and metrics of a batch or an epoch, by name. */
export type Logs = Record<string, number>;

interface Compiled {
  optimizer: Optimizer;
  objective: Objective;
}

/** A network with what is needed to train it. */
export class Model<Y extends Nested<Tensor> = Tensor> {
  // biome-ignore lint/suspicious/noExplicitAny: inputs are as the network declares them.
  readonly network: Layer<Y, any>;
  /** For shuffling. @internal */
  readonly random: RandomStream;
  /** Set by a callback to end training after the batch in progress. */
  stopTraining = false;
  #compiled: Compiled | undefined;
  #int8: StepPredictor | undefined;

  constructor(network: Model<Y>['network']) {
    this.network = network;
    this.random = nextStream();
  }

  get name(): string {
    return this.network.name;
  }

  get layers(): readonly AnyLayer[] {
    return this.network.sublayers;
  }

  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  get engine(): Engine {
    return this.weights[0]?.tensor.engine ?? currentEngine();
  }

  /** The layer of a name, or of a path below other layers. Throws `ArgumentError` if there is none. */
  getLayer(name: string): AnyLayer {
    const found = this.network.tree().find((layer) => layer.path === name || layer.name === name);
    if (!found) throw new ArgumentError(`${this.name}: getLayer() expected the name of a layer, got '${name}'`);
    return found;
  }

  /** @internal */
  get compiled(): Compiled {
    if (!this.#compiled) throw new ArgumentError(`${this.name}: call compile() before training or evaluating`);
    return this.#compiled;
  }

  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** What `compile` chose. */
  get optimizer(): Optimizer {
    return this.compiled.optimizer;
  }

  /** Keras's table of layers and parameter counts, as text. */
  summary(): string {
    return summary(this.network);
  }

  /**
   * Chooses how the model is trained.
   *
   * @param options.loss for several outputs one each, in a list or by name, as `forward` returns them.
   * @param options.lossWeights factors of the losses of several outputs; default 1.
   * @throws ArgumentError for an unknown name.
   */
  compile({ optimizer, ...objective }: CompileOptions): void {
    this.#compiled = {
      optimizer: optimizer instanceof Optimizer ? optimizer : optimizerOf({ name: optimizer }),
      objective: new Objective(objective),
    };
  }

  /** The output for a batch, as tensors of the open step. */
  call(x: Nested<Tensor>, training = false): Y {
    return withTraining(training, () => this.network(x));
  }

  /**
   * One gradient step on one batch: forward, backward, clip, update.
   *
   * @param x one batch, `[B, …]`; ids for a model that starts with an embedding; a list of sequences of unequal length is padded
   *   and masked.
   * @param y its targets.
   * @returns `loss`, `gradientNorm` (before clipping) and the metrics of the batch, all before the update.
   * @throws ArgumentError if a shape or a value does not fit, NonFiniteLossError or NonFiniteGradientError if training
   *   has diverged. After an error weights, optimizer state and carried states are as they were.
   */
  trainOnBatch(x: Data, y: Data, { sampleWeight, classWeight }: WeightOptions = {}): Logs {
    const samples = this.checkData(x, y, sampleWeight);
    return this.trainOnRows(samples, { order: inTurn(samples.count), from: 0, to: samples.count }, classWeight);
  }

  /** `trainOnBatch` on some samples of data that has been checked; metrics are of all that `watch` has seen then. @internal */
  trainOnRows(
    samples: Samples,
    rows: Rows,
    classWeight?: ClassWeight,
    watch: Watch = this.compiled.objective.watch(),
  ): Logs {
    const { optimizer, objective } = this.compiled;
    const restore = this.network.snapshot();
    try {
      return this.engine.step(() => {
        const x = uploadAll(this.engine, samples.x, rows);
        const y = uploadAll(this.engine, samples.y, rows);
        const sampleWeight = samples.weights && uploadAll(this.engine, samples.weights, rows);
        const trainable = this.weights.filter((weight) => weight.trainable);
        const measured: Logs = {};
        const { value, grads } = valueAndGrad(() => {
          const { total, parts } = objective.compute(y, this.call(x, true), { sampleWeight, classWeight }, watch);
          Object.assign(measured, parts, watch.logs());
          return this.#penalised(total);
        }, trainable);
        if (!Number.isFinite(value)) {
          throw new NonFiniteLossError(`the loss became ${value} at step ${optimizer.steps + 1}`);
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
  evaluate(x: Data, y: Data, options: WeightOptions & { batchSize?: number } = {}): Logs {
    const { batchSize = 32, sampleWeight, classWeight } = options;
    const samples = this.checkData(x, y, sampleWeight);
    const order = inTurn(samples.count);
    const logs = this.runningLogs();
    for (let from = 0; from < order.length; from += batchSize) {
      this.evaluateRows(samples, { order, from, to: Math.min(from + batchSize, order.length) }, logs, classWeight);
    }
    return logs.value();
  }

  /** Loss and metrics of nothing yet. @internal */
  runningLogs(): RunningLogs {
    return new RunningLogs(this.compiled.objective.watch());
  }

  /** Adds loss and metrics of some samples to `logs`. @internal */
  evaluateRows(samples: Samples, rows: Rows, logs: RunningLogs, classWeight?: ClassWeight): void {
    const count = rows.to - rows.from;
    this.engine.step(() => {
      const x = uploadAll(this.engine, samples.x, rows);
      const y = uploadAll(this.engine, samples.y, rows);
      const sampleWeight = samples.weights && uploadAll(this.engine, samples.weights, rows);
      const weighing = { sampleWeight, classWeight };
      const { total, parts } = this.compiled.objective.compute(y, this.call(x), weighing, logs.watch);
      logs.add({ loss: this.#penalised(total).item(), ...parts }, count);
    });
  }

  /** A loss with what the layers' regularizers add to it. */
  #penalised(loss: Tensor): Tensor {
    return this.network
      .tree()
      .flatMap((layer) => layer.penalties())
      .reduce<Tensor>((sum, penalty) => add(sum, penalty), loss);
  }

  /**
   * Outputs for a data set.
   *
   * @param options.batchSize default 32.
   * @param options.weights `int8` computes with a byte a weight, step by step, as `stream` does; the bytes are kept for the next
   *   call. Default `float32`.
   * @returns arrays `[N, …]` outside linear memory, the caller's own, nested as the outputs are. Sequences of unequal length are
   *   padded to the longest.
   * @throws ArgumentError if `x` does not fit, or with `int8` a layer cannot run step by step.
   */
  predict(x: Data, { batchSize = 32, weights = 'float32' }: PredictOptions = {}): Predictions<Y> {
    checkWeightFormat('predict', weights);
    const columns = this.#columns('x', this.network.inputs, x);
    const first = leavesOf(columns, isColumn)[0]!;
    if (first.count === 0) return new NdArray(new Float32Array(0), [0]) as Predictions<Y>;
    const count = countOf([columns]);
    if (weights === 'int8') {
      if (!(first.values instanceof NdArray)) {
        throw new ArgumentError('predict: x expected sequences of one length with int8 weights');
      }
      this.#int8 ??= new StepPredictor(this as unknown as Model, 'int8');
      return this.#int8.predict(first.values, batchSize) as Predictions<Y>;
    }
    const order = inTurn(count);
    let all: Nested<NdArray<Float32Array>> | undefined;
    for (let from = 0; from < count; from += batchSize) {
      const to = Math.min(from + batchSize, count);
      this.engine.step(() => {
        const y = this.call(uploadAll(this.engine, columns, { order, from, to, pad: 'longest' }));
        all ??= mapNested<Tensor, NdArray<Float32Array>>(y, isTensor, ({ shape, size }) => {
          const rowSize = size / (to - from);
          return new NdArray(new Float32Array(count * rowSize), [count, ...shape.slice(1)]);
        });
        for (const [key, output] of entriesOf<Tensor>(y, isTensor)) {
          const array = (key === undefined ? all : (all as Record<string, unknown>)[key]) as NdArray<Float32Array>;
          array.data.set(output.toArray(), (from * array.data.length) / count);
        }
      });
    }
    return all as Predictions<Y>;
  }

  /**
   * Trains for a number of epochs; see `FitOptions`.
   *
   * @param x samples, or an (async) iterable of batches, or a function that makes one for each epoch.
   * @param y their targets; with batches the options.
   */
  fit(x: Data, y: Data, options?: FitOptions): Promise<History>;
  fit(batches: Batches, options?: FitOptions): Promise<History>;
  fit(x: Data | Batches, y?: Data | FitOptions, options: FitOptions = {}): Promise<History> {
    if (isBatches(x)) {
      const own = (y ?? {}) as FitOptions;
      return trainEpochs(this, () => batchesFeed(this, x, own), own);
    }
    return trainEpochs(this, () => samplesFeed(this, x, y as Data, options), options);
  }

  /**
   * The model one time step at a time, with states of its own.
   *
   * @throws ArgumentError if the model is not built or a layer cannot run step by step.
   */
  stream(options: StreamOptions = {}): Stream {
    const { batchInputShape, inputDtype, isBuilt } = this.network;
    if (!isBuilt || !batchInputShape) {
      throw new ArgumentError(`${this.name}: stream() expected a model whose first layer knows its input`);
    }
    const width = inputDtype === 'i32' ? 1 : batchInputShape.at(-1)!;
    return new Stream(this.engine, this.layers, width, options);
  }

  /** The layers that carry states between batches. */
  get statefulLayers(): StatefulLayer[] {
    return this.network.tree().filter((layer): layer is StatefulLayer => layer.carried !== undefined);
  }

  /** Makes stateful layers start from zeros. */
  resetStates(): void {
    this.network.resetStates();
  }

  /** Runs `body` with stateful layers starting from zeros, and gives them back the states they had. */
  withFreshStates<T>(body: () => T): T {
    const restores = this.statefulLayers.map(({ carried }) => carried.setAside());
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

  /** Samples of which no batch will be refused. Throws `ArgumentError` for what some batch would be refused for. @internal */
  checkData(x: Data, y: Data, sampleWeight?: Nested<SamplesLike>): Samples {
    const { heads } = this.compiled.objective;
    const columns = this.#columns('x', this.network.inputs, x);
    const targets = this.#columns('y', asNested(heads.map(({ key, loss }) => [key, { dtype: loss.targetDtype }])), y);
    const count = countOf([columns, targets]);
    this.#build(columns);
    const outputs = this.network.outputShapes(mapNested<Column, BatchShape>(columns, isColumn, ({ shape }) => shape));
    const fitted = this.#checkTargets(targets, outputs);
    const one = asNested<InputSpec>(heads.map(({ key }) => [key, {}]));
    const weights = sampleWeight === undefined ? undefined : this.#columns('sampleWeight', one, sampleWeight);
    if (weights) countOf([columns, weights]);
    return { count, x: columns, y: fitted, weights };
  }

  #columns(what: string, specs: Nested<InputSpec>, values: Data): Nested<Column> {
    return mapNested(specs, isInputSpec, (spec, key) => {
      const name = key === undefined ? what : typeof key === 'number' ? `${what}[${key}]` : `${what}.${key}`;
      const own = key === undefined ? values : (values as Record<string, SamplesLike> | null | undefined)?.[key];
      const column = new Column(name, own as SamplesLike, spec.dtype ?? 'f32');
      if (spec.limit !== undefined) column.expectIdsBelow(spec.limit);
      const time = spec.shape?.[0];
      if (typeof time === 'number' && !(column.values instanceof NdArray)) {
        throw new ArgumentError(`${name} expected sequences of ${time} steps, as the model declares, got unequal ones`);
      }
      return column;
    });
  }

  #build(columns: Nested<Column>): void {
    this.network.build(
      mapNested<Column, BatchShape>(columns, isColumn, ({ shape, values }) => {
        const time = values instanceof NdArray ? shape.slice(1, 2) : [null];
        return [null, ...time, ...shape.slice(2)];
      }),
    );
  }

  /** The targets in the shapes that the losses want. Throws `ArgumentError` for those that a loss has no use for. */
  #checkTargets(targets: Nested<Column>, outputs: Nested<BatchShape>): Nested<Column> {
    return asNested(
      this.compiled.objective.outputs(outputs, isShape).map(({ head, output }) => {
        const column = (head.key === undefined ? targets : (targets as Record<string, Column>)[head.key]) as Column;
        const values = checkTargets(head.loss, column.values, output as Shape, column.name);
        return [head.key, values === column.values ? column : new Column(column.name, values, column.dtype)];
      }),
    );
  }
}

/** A layer that carries states from one batch to the next. */
export type StatefulLayer = AnyLayer & { readonly carried: CarriedStates };

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

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

/**
 * A model of the caller's own: layers, and a function that calls them.
 *
 * @param options.layers by name or in a list; a layer may be called more than once, which ties its weights.
 * @param options.inputs what the model takes: one input, a list, or several by name. Default: one f32 input.
 * @param forward from the inputs, in the form of `inputs`, and the layers to one output, a list, or several by name. It runs once
 *   for each batch; beside layers it may call ops and plain TypeScript.
 * @throws ArgumentError if two layers have one name, or when it is first called, if shapes do not fit.
 * @see keras.Model (subclassed)
 */
export const model = <const L extends LayersOf, Y extends Nested<Tensor>>(
  options: NetworkOptions<L>,
  forward: Forward<L, Y>,
): Model<Y> => new Model(new Network(options, forward));
