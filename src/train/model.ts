import type { Parameter } from '../autograd/parameter.ts';
import { isRecording, valueAndGrad } from '../autograd/tape.ts';
import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { type DataLike, NdArray } from '../data/array.ts';
import { leavesOf, type Nested } from '../data/nested.ts';
import { shown } from '../engine/argument-error.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { checkOptions } from '../engine/options.ts';
import { nextStream, type RandomStream } from '../engine/random.ts';
import { transaction } from '../engine/transaction.ts';
import type { CarriedStates } from '../layers/carried-states.ts';
import { type AnyLayer, expectCount, isShape, type Layer, type LayerLike, withTraining } from '../layers/layer.ts';
import { type Forward, type LayersOf, Network, type NetworkOptions } from '../layers/network.ts';
import { Sequential } from '../layers/sequential.ts';
import { summary } from '../layers/summary.ts';
import { add } from '../ops/elementwise.ts';
import type { WeightFormat } from '../streaming/program.ts';
import { checkWeightFormat, type Stream, type StreamOptions } from '../streaming/stream.ts';
import { checkData, columnsOf, type Data, type WeightOptions, weightNames } from './checked-data.ts';
import { NonFiniteLossError } from './divergence.ts';
import { evaluateFeed } from './evaluate-feed.ts';
import { type Batches, batchesFeed, cut, type InputBatch, isBatches, measuredFeed, samplesFeed } from './feeds.ts';
import { type FitOptions, type History, trainEpochs } from './fit.ts';
import { type ClassWeight, Objective, type ObjectiveOptions, type Watch } from './objective.ts';
import { Optimizer, type OptimizerName, optimizerOf } from './optimizers.ts';
import type { StepPredictor } from './predict-steps.ts';
import { type Predictions, predictBatches, predictSamples } from './predictions.ts';
import { RunningLogs } from './running-logs.ts';
import { type Run, Runs } from './runs.ts';
import { type Column, inTurn, isColumn, type Rows, type Samples, uploadAll } from './samples.ts';

/** What a model is trained on, and how. */
export interface CompileOptions extends ObjectiveOptions {
  /**
   * A name with its defaults, or one made with options of its own. One that is made stays its maker's: a later `compile` leaves its state as
   * it is, for when it is used again, while that of a name is freed.
   */
  optimizer: OptimizerName | Optimizer;
}

/** How `evaluate` measures samples. */
export interface EvaluateOptions extends WeightOptions {
  /** Samples computed at a time; more of them take more memory. Default 32. */
  batchSize?: number | undefined;
}

/** How `predict` computes. */
export interface PredictOptions {
  /** Samples computed at a time; more of them take more memory. Default 32. */
  batchSize?: number | undefined;
  /**
   * `int8` computes with a byte a weight, step by step, as `stream` does; the bytes are kept for the next call. Default
   * `float32`.
   */
  weights?: WeightFormat | undefined;
}

/** For measuring on batches, or predicting from them. */
export interface BatchesOptions {
  /** How many batches to use. Default: all. */
  steps?: number | undefined;
}

/** Loss and metrics of a batch or an epoch, by name. */
export type Logs = Record<string, number>;

interface LossOptions extends Pick<WeightOptions, 'classWeight'> {
  training?: boolean;
  /** Gets to see the outputs. */
  watch?: Watch;
}

interface Compiled {
  optimizer: Optimizer;
  /** Whether it was made here, from a name. */
  isOwn: boolean;
  objective: Objective;
}

/** What runs a model step by step. */
interface Stepping {
  Stream: typeof Stream;
  StepPredictor: typeof StepPredictor;
}

let stepping: Stepping | undefined;

/** Lets models run step by step; until then they refuse it, so that an app need not carry it. */
export function allowStepping(given: Stepping): void {
  stepping = given;
}

function expectStepping(what: string): Stepping {
  if (stepping) return stepping;
  throw new ArgumentError(`${what} expected allowStreams() to have been called, as 'tapeloop/lean' wants it`);
}

/** What `addMethods` adds. In an app of `tapeloop/lean` they are there once it has called that. */
// biome-ignore lint/correctness/noUnusedVariables: it has those of the class.
export interface Model<Y extends Nested<Tensor> = Tensor> {
  /**
   * Copies of the values of all weights, in the order of `weights`.
   *
   * @returns an array `[…]` for each, of the weight's shape, the caller's own; none before the model is built.
   * @see keras.Model.get_weights
   *
   * @example
   * other.setWeights(model.getWeights());
   */
  getWeights(): NdArray<Float32Array>[];

  /**
   * Sets the values of all weights; optimizer state stays as it is.
   *
   * @param weights for each of `weights`, in that order, an array of its shape: nested, with a shape, or a tensor. What `getWeights` gives.
   * @throws ArgumentError if there are more or fewer, a shape differs, a value is not finite, or a call that returns a promise runs on the model,
   *   except from a callback of `fit`. Nothing is set then.
   * @see keras.Model.set_weights
   */
  setWeights(weights: readonly DataLike[]): void;
}

/** A network with what is needed to train it. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface is what `addMethods` adds.
export class Model<Y extends Nested<Tensor> = Tensor> {
  /** The layer that holds all others. */
  // biome-ignore lint/suspicious/noExplicitAny: inputs are as the network declares them.
  readonly network: Layer<Y, any>;
  /** For shuffling. @internal */
  readonly random: RandomStream;
  /** Set by a callback to end training after the batch in progress. */
  stopTraining = false;
  /** @internal */
  readonly runs: Runs;
  #compiled: Compiled | undefined;
  #int8: StepPredictor | undefined;

  /** @param random for shuffling. Default: seeded from the stream that `setSeed` set. */
  constructor(network: Model<Y>['network'], random = nextStream()) {
    this.network = network;
    this.random = random;
    this.runs = new Runs(network);
  }

  /** Of the network. */
  get name(): string {
    return this.network.name;
  }

  /** In the order in which they were given. */
  get layers(): readonly AnyLayer[] {
    return this.network.sublayers;
  }

  /** Of all layers, in Keras's order; empty until the model is built. `toArray` copies one's values, `assign` sets them. */
  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  /** Whose memory the weights are in. */
  get engine(): Engine {
    return this.weights[0]?.tensor.engine ?? currentEngine();
  }

  /** The layer of a name, or of a path below other layers. Throws `ArgumentError` if there is none. */
  getLayer(name: string): AnyLayer {
    this.network.setScope();
    const found = this.network.tree().find((layer) => layer.path === name || layer.name === name);
    if (!found) throw new ArgumentError(`${this.name}: getLayer() expected the name of a layer, got ${shown(name)}`);
    return found;
  }

  /** @internal */
  get compiled(): Compiled {
    if (!this.#compiled) throw new ArgumentError(`${this.name}: call compile() before training or evaluating`);
    return this.#compiled;
  }

  /** @internal */
  set compiled(value: Compiled) {
    this.#compiled = value;
  }

  /** Whether `compile` was called. */
  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** What `compile` chose. */
  get optimizer(): Optimizer {
    return this.compiled.optimizer;
  }

  /** Keras's table of layers and parameter counts, as text. */
  summary(): string {
    this.network.setScope();
    return summary(this.network);
  }

  /**
   * How many numbers the weights of all layers hold together.
   *
   * @param options.trainable true counts what training changes, false what it does not. Default: both, as `summary` has them.
   * @throws ArgumentError if the model is not built.
   * @see keras.Model.count_params
   */
  countParams(options?: { trainable?: boolean | undefined }): number {
    return this.network.countParams(options);
  }

  /**
   * Chooses how the model is trained; see `CompileOptions`.
   *
   * L = Σ wₖ·Lₖ + what regularizers add, over the outputs k.
   *
   * @throws ArgumentError for an unknown name, a weight that is not finite, or an option for an output that has no loss; and while a call
   *   that returns a promise runs on the model.
   * @see keras.Model.compile
   */
  compile(options: CompileOptions): void {
    const names = { optimizer: 1, loss: 1, lossWeights: 1, metrics: 1, weightedMetrics: 1 };
    const { optimizer, ...objective } = checkOptions('compile', options, names);
    this.runs.expectNone('compile');
    const before = this.#compiled;
    const isOwn = !(optimizer instanceof Optimizer);
    this.compiled = {
      optimizer: isOwn ? optimizerOf({ name: optimizer }) : optimizer,
      isOwn,
      objective: new Objective(objective),
    };
    // What the caller made, the caller may use again.
    if (before?.isOwn && before.optimizer !== optimizer) before.optimizer.dispose(this.weights);
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
  trainOnBatch(x: Data, y: Data, options: WeightOptions = {}): Logs {
    this.runs.expectNone('trainOnBatch', true);
    checkOptions('trainOnBatch', options, weightNames);
    return transaction(() => {
      const samples = checkData(this, x, y, options);
      const rows = { order: inTurn(samples.count), from: 0, to: samples.count };
      return this.trainOnRows(samples, rows, options.classWeight);
    });
  }

  /** `trainOnBatch` on some samples of data that has been checked; metrics are of all that `watch` has seen then. @internal */
  trainOnRows(
    samples: Samples,
    rows: Rows,
    classWeight?: ClassWeight,
    watch: Watch = this.compiled.objective.watch(),
  ): Logs {
    const { optimizer } = this.compiled;
    return transaction(() =>
      this.engine.step(() => {
        const trainable = this.weights.filter((weight) => weight.trainable);
        let parts: Logs = {};
        const { value, grads } = valueAndGrad(() => {
          const loss = this.lossOf(samples, rows, { training: true, classWeight, watch });
          ({ parts } = loss);
          return loss.total;
        }, trainable);
        if (!Number.isFinite(value)) {
          throw new NonFiniteLossError(`the loss became ${value} at step ${optimizer.steps + 1}`);
        }
        const seen = watch.logs();
        // Last, for what it changes is not taken back.
        return { loss: value, gradientNorm: optimizer.apply(trainable, grads), ...parts, ...seen };
      }),
    );
  }

  /**
   * Loss and metrics over a data set, weights untouched.
   *
   * @param x samples, or batches as `fit` takes them; of batches the result comes as a promise.
   * @param y their targets; with batches the options.
   * @throws ArgumentError if data do not fit.
   */
  evaluate(x: Data, y: Data, options?: EvaluateOptions): Logs;
  evaluate(batches: Batches, options?: BatchesOptions & Pick<WeightOptions, 'classWeight'>): Promise<Logs>;
  evaluate(
    x: Data | Batches,
    y?: Data | (BatchesOptions & WeightOptions),
    options: EvaluateOptions = {},
  ): Logs | Promise<Logs> {
    if (isBatches(x)) {
      const own = (y === undefined ? {} : y) as BatchesOptions & Pick<WeightOptions, 'classWeight'>;
      const { steps, classWeight } = checkOptions('evaluate', own, { steps: 1, classWeight: 1 });
      return this.#measure('evaluate', ({ changes }) => {
        const feed = measuredFeed(this, 'evaluate: batches', x, { classWeight }, changes, steps);
        return evaluateFeed(this, feed, { classWeight, changes });
      });
    }
    checkOptions('evaluate', options, { batchSize: 1, ...weightNames });
    const batchSize = expectCount('evaluate: batchSize', options.batchSize ?? 32);
    return this.#whole(() => {
      const samples = checkData(this, x, y as Data, options);
      const logs = this.runningLogs();
      for (const { rows } of cut(samples, inTurn(samples.count), batchSize).batches()) {
        this.evaluateRows(samples, rows, logs, options.classWeight);
      }
      return logs.value();
    });
  }

  /** Runs `body`, which puts all back if it throws. While something else runs on the model, the states that are carried for that are not touched. */
  #whole<T>(body: () => T): T {
    return transaction(() => (this.runs.areNone ? body() : this.withFreshStates(body)));
  }

  /** The same for what lets the host breathe. */
  async #measure<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    if (this.statefulLayers.length > 0) this.runs.expectNone(`${what} on batches, of a stateful model`);
    return this.runs.during(what, body);
  }

  /** Loss and metrics of nothing yet. @internal */
  runningLogs(): RunningLogs {
    return new RunningLogs(this.compiled.objective.watch());
  }

  /** Adds loss and metrics of some samples to `logs`. @internal */
  evaluateRows(samples: Samples, rows: Rows, logs: RunningLogs, classWeight?: ClassWeight): void {
    this.engine.step(() => {
      const { total, parts } = this.lossOf(samples, rows, { classWeight, watch: logs.watch });
      logs.add({ loss: total.item(), ...parts }, rows.to - rows.from);
    });
  }

  /** The loss of some samples with what regularizers add to it, and the losses of several outputs. To be called in a step. @internal */
  lossOf(samples: Samples, rows: Rows, options: LossOptions): { total: Tensor; parts: Logs } {
    const { training = false, classWeight, watch } = options;
    const { engine } = this;
    const x = uploadAll(engine, samples.x, rows);
    const y = uploadAll(engine, samples.y, rows);
    const sampleWeight = samples.weights && uploadAll(engine, samples.weights, rows);
    const weighing = { sampleWeight, classWeight };
    const { total: loss, parts } = this.compiled.objective.compute(y, this.call(x, training), weighing, watch);
    const total = this.#penalised(loss);
    // The loss of a batch without any step is 0 and depends on nothing.
    if (training && !isRecording([total]) && total.item() !== 0 && this.weights.some(({ trainable }) => trainable)) {
      throw new ArgumentError('loss expected to depend on a trainable weight, got a constant');
    }
    return { total, parts };
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
   * @param x samples; or batches `[x]` or `{ x }`, made as `fit` takes them, whose outputs come as a promise.
   * @returns arrays `[N, …]` outside linear memory, the caller's own, nested as the outputs are. Sequences of unequal length are
   *   padded to the longest.
   * @throws ArgumentError if `x` does not fit, or with `int8` a layer cannot run step by step or a step is masked.
   */
  predict(x: Data, options?: PredictOptions): Predictions<Y>;
  predict(batches: Batches<InputBatch>, options?: BatchesOptions): Promise<Predictions<Y>>;
  predict(
    x: Data | Batches<InputBatch>,
    options: PredictOptions & BatchesOptions = {},
  ): Predictions<Y> | Promise<Predictions<Y>> {
    const batches = isBatches(x);
    checkOptions('predict', options, (batches ? { steps: 1 } : { batchSize: 1, weights: 1 }) as never);
    if (batches) {
      return this.#measure('predict', ({ changes }) => predictBatches(this, x, options.steps, changes)) as Promise<
        Predictions<Y>
      >;
    }
    const { batchSize = 32, weights = 'float32' } = options;
    expectCount('predict: batchSize', batchSize);
    checkWeightFormat('predict', weights);
    const columns = columnsOf('x', this.network.inputs, x);
    const isInt8 = weights === 'int8' && leavesOf(columns, isColumn)[0]!.count > 0;
    return this.#whole(
      () =>
        (isInt8 ? this.#predictInt8(columns, batchSize) : predictSamples(this, columns, batchSize)) as Predictions<Y>,
    );
  }

  #predictInt8(columns: Nested<Column>, batchSize: number): NdArray<Float32Array> {
    if (!isColumn(columns) || !(columns.values instanceof NdArray)) {
      throw new ArgumentError('predict: x expected one input, of sequences of one length, with int8 weights');
    }
    this.#int8 ??= new (expectStepping("predict: weights 'int8'").StepPredictor)(this as unknown as Model, 'int8');
    return this.#int8.predict(columns, batchSize);
  }

  /**
   * Trains for a number of epochs; see `FitOptions`.
   *
   * While a call that returns a promise runs on a model (`fit`, and `evaluate` or `predict` of batches), another `fit`, `compile`,
   * `trainOnBatch`, `setWeights`, `restoreModel`, `resetStates` and `dispose` throw, except that a callback of `fit`, which waits for it, may restore, reset and
   * train the model on a batch. `predict` and `evaluate` of samples are as good as ever: they read the weights as they stand between two
   * batches, and layers of a stateful model start from zeros in them and then have their states back. `evaluate` and `predict` of batches may run
   * beside others, but not on a stateful model. All this holds for models that share a layer as for one.
   *
   * @param x samples, or an (async) iterable of batches, or a function that makes one for each epoch.
   * @param y their targets; with batches the options.
   * @throws ArgumentError if data or options do not fit or something else runs on the model; NonFiniteLossError or NonFiniteGradientError if training
   *   diverges. The model is then as the last good step left it, and where there was none as before the call.
   */
  fit(x: Data, y: Data, options?: FitOptions): Promise<History>;
  fit(batches: Batches, options?: FitOptions): Promise<History>;
  fit(x: Data | Batches, y?: Data | FitOptions, options: FitOptions = {}): Promise<History> {
    if (isBatches(x)) {
      const own = (y === undefined ? {} : y) as FitOptions;
      return trainEpochs(this, (changes) => batchesFeed(this, x, own, changes), own);
    }
    return trainEpochs(this, (changes) => samplesFeed(this, x, y as Data, options, changes), options);
  }

  /**
   * The model one time step at a time, with states of its own.
   *
   * @throws ArgumentError if the model is not built or a layer cannot run step by step.
   */
  stream(options: StreamOptions = {}): Stream {
    const { builtShape, inputDtype } = this.network;
    if (!isShape(builtShape)) {
      throw new ArgumentError(
        `${this.name}: stream() expected a built model of one input; inputShape of its first layer builds it, or predict()`,
      );
    }
    const width = inputDtype === 'i32' ? 1 : builtShape.at(-1)!;
    const { Stream } = expectStepping(`${this.name}: stream()`);
    return new Stream(this.engine, [this.network], width, options);
  }

  /** The layers that carry states between batches. @internal */
  get statefulLayers(): StatefulLayer[] {
    return this.network.tree().filter((layer): layer is StatefulLayer => layer.carried !== undefined);
  }

  /**
   * Makes stateful layers start from zeros.
   *
   * @throws ArgumentError if it is given states, which `setStates` of a layer takes; and while a call that returns a promise runs on the
   *   model, except from a callback of `fit`.
   */
  resetStates(...none: readonly never[]): void {
    this.runs.expectNone('resetStates', true);
    this.network.resetStates(...none);
  }

  /**
   * Runs `body` with the moving averages of the weights in their place.
   *
   * @returns what `body` returns; it must be done with the model by then: `model.withEma(() => model.evaluate(x, y))`.
   * @throws ArgumentError if the optimizer keeps no averages (`useEma`), or `body` returns a promise.
   */
  withEma<T>(body: () => T): T {
    return this.optimizer.withEma(this.weights, body);
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

  /** Frees weights and their optimizer state. Throws `ArgumentError` while a call that returns a promise runs on the model. */
  dispose(): void {
    this.runs.expectNone('dispose');
    this.#compiled?.optimizer.dispose(this.weights);
    this.#int8?.dispose();
    this.network.dispose();
  }
}

/** Throws `ArgumentError` for what is no model. */
export function expectModel(what: string, model: unknown): void {
  if (!(model instanceof Model)) throw new ArgumentError(`${what}: model expected a model, got ${shown(model)}`);
}

/** A layer that carries states from one batch to the next. */
export type StatefulLayer = AnyLayer & { readonly carried: CarriedStates };

// biome-ignore lint/suspicious/noExplicitAny: training does not care what its model predicts.
export type AnyModel = Model<any>;

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
  layers: readonly LayerLike<Layer<never>>[] | readonly LayerLike<Layer>[],
  options: { name?: string } = {},
): Model =>
  new Model(
    new Sequential(layers as readonly LayerLike<Layer>[], checkOptions('sequential', options, { name: 1 }).name),
  );

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
