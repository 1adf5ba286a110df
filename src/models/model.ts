import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount, shown, shownStranger } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { type DataLike, NdArray } from '../data/array.ts';
import { leavesOf, type Nested } from '../data/nested.ts';
import type { Engine } from '../engine/engine.ts';
import { nextStream } from '../engine/random.ts';
import { transaction } from '../engine/transaction.ts';
import { isShape } from '../layers/base/batch-shape.ts';
import type { AnyLayer, Layer, LayerLike } from '../layers/base/layer.ts';
import { type Forward, type LayersOf, Network, type NetworkOptions } from '../layers/base/network.ts';
import { Sequential } from '../layers/base/sequential.ts';
import { type OptimizerName, optimizerOf } from '../optimizers/by-name.ts';
import { Optimizer } from '../optimizers/optimizer.ts';
import type { WeightFormat } from '../streaming/program.ts';
import { checkWeightFormat, type Stream, type StreamOptions } from '../streaming/stream.ts';
import type { CallbackOf, History } from '../train/callback.ts';
import { type Batches, type InputBatch, isBatches } from '../train/feeds/batches.ts';
import { checkData, columnsOf, type Data, type WeightOptions, weightNames } from '../train/feeds/checked-data.ts';
import { evaluateFeed } from '../train/feeds/evaluate-feed.ts';
import { batched, batchesFeed, evaluationFeed, samplesFeed } from '../train/feeds/feeds.ts';
import { type Column, isColumn, range } from '../train/feeds/samples.ts';
import { fitModel } from '../train/fit.ts';
import type { FitOptionsOf } from '../train/fit-options.ts';
import type { Logs } from '../train/logs.ts';
import { Objective, type ObjectiveOptions } from '../train/objective.ts';
import { optionalParts } from '../train/optional-parts.ts';
import { type Predictions, predictBatches, predictSamples } from '../train/predictions.ts';
import type { Run } from '../train/runs.ts';
import type { StepPredictor } from '../train/step-predictor.ts';
import { Trainer } from '../train/trainer.ts';

/** What a model is trained on, and how. */
export interface CompileOptions extends ObjectiveOptions {
  /**
   * A name with its defaults, or one made with options of its own. One that is made stays its maker's: a later
   * `compile` leaves its state as it is, for when it is used again, while that of a name is freed.
   */
  optimizer: OptimizerName | Optimizer;
}

/** How `evaluate` measures samples. */
export interface EvaluateOptions extends WeightOptions {
  /**
   * Samples computed at a time; more of them take more memory. Default: as many as `batchInputShape` declares, else 32.
   */
  batchSize?: number | undefined;
}

/** How `predict` computes. */
export interface PredictOptions {
  /**
   * Samples computed at a time; more of them take more memory. Default: as many as `batchInputShape` declares, else 32.
   */
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

/** Told of a training run as it goes; see `CallbackOf`. */
export interface Callback extends CallbackOf<AnyModel> {}

/** How `fit` trains. Numbers are checked before anything changes. */
export interface FitOptions extends FitOptionsOf<AnyModel> {
  /** Told of training as it goes: one, or a list, in its order. Default: none. */
  callbacks?: Callback | readonly Callback[] | undefined;
}

function expectStepwise(what: string): NonNullable<typeof optionalParts.stepwise> {
  if (optionalParts.stepwise) return optionalParts.stepwise;
  throw new ArgumentError(`${what} expected allowStreams() to have been called, as 'tapeloop/lean' wants it`);
}

/** What `addMethods` adds. In an app of `tapeloop/lean` they are there once it has called that. */
// biome-ignore lint/correctness/noUnusedVariables: it has those of the class.
export interface Model<Y extends Nested<Tensor> = Tensor> {
  /**
   * Keras's table of layers and parameter counts, as text.
   *
   * @throws DeadTensorError if the model was disposed of.
   * @see keras.Model.summary
   *
   * @example
   * console.log(model.summary());
   */
  summary(): string;

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
   * @param weights for each of `weights`, in that order, an array of its shape: nested, with a shape, or a tensor. What
   *   `getWeights` gives.
   * @throws ArgumentError if there are more or fewer, a shape differs, a value is not finite, or a call that returns a
   *   promise runs on the model, except from a callback of `fit`. Nothing is set then.
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
  /** Trains and measures the network. @internal */
  readonly trainer: Trainer;
  #int8: StepPredictor | undefined;

  /** @param random for shuffling. Default: seeded from the stream that `setSeed` set. */
  constructor(network: Model<Y>['network'], random = nextStream()) {
    this.network = network;
    this.trainer = new Trainer(network, random);
  }

  /** Set by a callback to end training after the batch in progress. */
  get stopTraining(): boolean {
    return this.trainer.stopTraining;
  }

  set stopTraining(value: boolean) {
    this.trainer.stopTraining = value;
  }

  /** Of the network. */
  get name(): string {
    return this.network.name;
  }

  /**
   * Whether training changes its weights. Setting it sets that of every layer, also of one that other models have, and
   * takes effect at the next batch.
   *
   * @see keras.Model (trainable)
   */
  get trainable(): boolean {
    return this.network.trainable;
  }

  set trainable(value: boolean) {
    this.network.trainable = value;
  }

  /** In the order in which they were given. */
  get layers(): readonly AnyLayer[] {
    return this.network.sublayers;
  }

  /**
   * Of all layers, in Keras's order; empty until the model is built. `toArray` copies one's values, `assign` sets them.
   */
  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  /** Whose memory the weights are in. */
  get engine(): Engine {
    return this.trainer.engine;
  }

  /** The layer of a name, or of a path below other layers. Throws `ArgumentError` if there is none. */
  getLayer(name: string): AnyLayer {
    this.network.setScope();
    const found = this.network.tree().find((layer) => layer.path === name || layer.name === name);
    if (!found) throw new ArgumentError(`${this.name}: getLayer() expected the name of a layer, got ${shown(name)}`);
    return found;
  }

  /** Whether `compile` was called. */
  get isCompiled(): boolean {
    return this.trainer.isCompiled;
  }

  /** What `compile` chose. */
  get optimizer(): Optimizer {
    return this.trainer.optimizer;
  }

  /**
   * How many numbers the weights of all layers hold together.
   *
   * @param options.trainable true counts what training changes, false what it does not. Default: both, as `summary` has
   *   them.
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
   * @throws ArgumentError for an unknown name, a weight that is not finite, or an option for an output that has no
   *   loss; and while a call that returns a promise runs on the model.
   * @see keras.Model.compile
   */
  compile(options: CompileOptions): void {
    const names = { optimizer: 1, loss: 1, lossWeights: 1, metrics: 1, weightedMetrics: 1 };
    const { optimizer, ...objective } = checkOptions('compile', options, names);
    const { network, trainer } = this;
    network.expectAlive();
    trainer.runs.expectNone('compile');
    const before = trainer.isCompiled ? trainer.compiled : undefined;
    const isOwn = !(optimizer instanceof Optimizer);
    trainer.compiled = {
      optimizer: isOwn ? optimizerOf({ name: optimizer }) : optimizer,
      isOwn,
      objective: new Objective(objective),
    };
    // What the caller made, the caller may use again.
    if (before?.isOwn && before.optimizer !== optimizer) before.optimizer.dispose(this.weights);
  }

  /** The output for a batch, as tensors of the open step. */
  call(x: Nested<Tensor>, training = false): Y {
    return this.trainer.call(x, training) as Y;
  }

  /**
   * One gradient step on one batch: forward, backward, clip, update.
   *
   * @param x one batch, `[B, …]`; ids for a model that starts with an embedding; a list of sequences of unequal length
   *   is padded and masked.
   * @param y its targets.
   * @returns `loss`, `gradientNorm` (before clipping) and the metrics of the batch, all before the update.
   * @throws ArgumentError if a shape or a value does not fit, NonFiniteLossError or NonFiniteGradientError if training
   *   has diverged. After an error weights, optimizer state and carried states are as they were.
   */
  trainOnBatch(x: Data, y: Data, options: WeightOptions = {}): Logs {
    this.trainer.runs.expectNone('trainOnBatch', true);
    checkOptions('trainOnBatch', options, weightNames);
    return transaction(() => {
      const samples = checkData(this.trainer, x, y, options);
      const rows = { order: range(samples.count), from: 0, to: samples.count };
      return this.trainer.trainStep(samples, rows, options.classWeight);
    });
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
        const feed = evaluationFeed(this.trainer, 'evaluate: batches', x, { classWeight }, changes, steps);
        return evaluateFeed(this.trainer, feed, { classWeight, changes });
      });
    }
    checkOptions('evaluate', options, { batchSize: 1, ...weightNames });
    const batchSize = expectCount('evaluate: batchSize', options.batchSize ?? this.trainer.batchSize);
    return this.#whole(() => {
      const { trainer } = this;
      const samples = checkData(trainer, x, y as Data, options);
      const logs = trainer.runningLogs();
      for (const { rows } of batched(samples, range(samples.count), batchSize).batches()) {
        trainer.evaluateStep(samples, rows, logs, options.classWeight);
      }
      return logs.value();
    });
  }

  /**
   * Runs `body`, which puts all back if it throws. While something else runs on the model, the states that are carried
   * for that are not touched.
   */
  #whole<T>(body: () => T): T {
    return transaction(() => (this.trainer.runs.areNone ? body() : this.withFreshStates(body)));
  }

  /** The same for what lets the host breathe. */
  async #measure<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    const { runs, statefulLayers } = this.trainer;
    if (statefulLayers.length > 0) runs.expectNone(`${what} on batches, of a stateful model`);
    return runs.during(what, body);
  }

  /**
   * Outputs for a data set.
   *
   * @param x samples; or batches `[x]` or `{ x }`, made as `fit` takes them, whose outputs come as a promise.
   * @returns arrays `[N, …]` outside linear memory, the caller's own, nested as the outputs are. Sequences of unequal
   *   length are padded to the longest. Of no samples `[0, …]` if the model is built, else, and with `tapeloop/lean`,
   *   `[0]`.
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
      return this.#measure('predict', ({ changes }) =>
        predictBatches(this.trainer, x, options.steps, changes),
      ) as Promise<Predictions<Y>>;
    }
    const { batchSize = this.trainer.batchSize, weights = 'float32' } = options;
    expectCount('predict: batchSize', batchSize);
    checkWeightFormat('predict', weights);
    const columns = columnsOf('x', this.network.inputs, x);
    const isInt8 = weights === 'int8' && leavesOf(columns, isColumn)[0]!.count > 0;
    return this.#whole(
      () =>
        (isInt8
          ? this.#predictInt8(columns, batchSize)
          : predictSamples(this.trainer, columns, batchSize)) as Predictions<Y>,
    );
  }

  #predictInt8(columns: Nested<Column>, batchSize: number): NdArray<Float32Array> {
    if (!isColumn(columns) || !(columns.values instanceof NdArray)) {
      throw new ArgumentError('predict: x expected one input, of sequences of one length, with int8 weights');
    }
    this.#int8 ??= new (expectStepwise("predict: weights 'int8'").StepPredictor)(this.trainer, 'int8');
    return this.#int8.predict(columns, batchSize);
  }

  /**
   * Trains for a number of epochs; see `FitOptions`.
   *
   * While a call that returns a promise runs on a model (`fit`, and `evaluate` or `predict` of batches), another `fit`,
   * `compile`, `trainOnBatch`, `setWeights`, `restoreModel`, `resetStates` and `dispose` throw, except that a callback
   * of `fit`, which waits for it, may restore, reset and train the model on a batch. `predict` and `evaluate` of
   * samples are as good as ever: they read the weights as they stand between two batches, and layers of a stateful
   * model start from zeros in them and then have their states back. `evaluate` and `predict` of batches may run beside
   * others, but not on a stateful model. All this holds for models that share a layer as for one.
   *
   * @param x samples, or an (async) iterable of batches, or a function that makes one for each epoch.
   * @param y their targets; with batches the options.
   * @throws ArgumentError if data or options do not fit or something else runs on the model; NonFiniteLossError or
   *   NonFiniteGradientError if training diverges. The model is then as the last good step left it, and where there was
   *   none as before the call.
   */
  fit(x: Data, y: Data, options?: FitOptions): Promise<History>;
  fit(batches: Batches, options?: FitOptions): Promise<History>;
  fit(x: Data | Batches, y?: Data | FitOptions, options: FitOptions = {}): Promise<History> {
    const { trainer } = this;
    if (isBatches(x)) {
      const own = (y === undefined ? options : y) as FitOptions;
      return fitModel(this, trainer, (changes) => batchesFeed(trainer, x, own, changes), own);
    }
    return fitModel(this, trainer, (changes) => samplesFeed(trainer, x, y as Data, options, changes), options);
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
    const { Stream } = expectStepwise(`${this.name}: stream()`);
    return new Stream(this.engine, [this.network], width, options);
  }

  /**
   * Makes stateful layers start from zeros.
   *
   * @throws ArgumentError if it is given states, which `setStates` of a layer takes; and while a call that returns a
   *   promise runs on the model, except from a callback of `fit`.
   */
  resetStates(...none: readonly never[]): void {
    this.network.expectAlive();
    this.trainer.runs.expectNone('resetStates', true);
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
    return this.trainer.withFreshStates(body);
  }

  /**
   * Frees weights and their optimizer state; the model is of no use afterwards, and says so by `DeadTensorError`.
   * Throws `ArgumentError` while a call that returns a promise runs on the model.
   */
  dispose(): void {
    this.trainer.runs.expectNone('dispose');
    if (this.isCompiled) this.optimizer.dispose(this.weights);
    this.#int8?.dispose();
    this.network.dispose();
  }
}

/** Throws `ArgumentError` for what is no model. */
export function expectModel(what: string, model: unknown): void {
  if (!(model instanceof Model))
    throw new ArgumentError(`${what}: model expected a model, got ${shownStranger(model, 'network')}`);
}

// biome-ignore lint/suspicious/noExplicitAny: training does not care what its model predicts.
export type AnyModel = Model<any>;

/**
 * A model that is a stack of layers.
 *
 * Built at once when the first layer knows its input (`inputShape`, or an embedding), else by the first batch.
 *
 * @param layers the first takes the batch, each other what the one before gives.
 * @throws ArgumentError if there is no layer, two have one name, or a layer does not fit the one before it; both are
 *   named.
 * @see keras.Sequential
 */
export const sequential = (
  layers: readonly LayerLike<Layer<never>>[] | readonly LayerLike<Layer>[],
  options: { name?: string | undefined } = {},
): Model =>
  new Model(
    new Sequential(layers as readonly LayerLike<Layer>[], checkOptions('sequential', options, { name: 1 }).name),
  );

/**
 * A model of the caller's own: layers, and a function that calls them.
 *
 * @param options.layers by name or in a list; a layer may be called more than once, which ties its weights.
 * @param options.inputs what the model takes: one input, a list, or several by name. Default: one f32 input.
 * @param forward from the inputs, in the form of `inputs`, and the layers to one output, a list, or several by name. It
 *   runs once for each batch; beside layers it may call ops and plain TypeScript.
 * @throws ArgumentError if two layers have one name, or when it is first called, if shapes do not fit.
 * @see keras.Model (subclassed)
 */
export const model = <const L extends LayersOf, Y extends Nested<Tensor> | []>(
  options: NetworkOptions<L>,
  forward: Forward<L, Y>,
): Model<Y> => new Model(new Network(options, forward));
