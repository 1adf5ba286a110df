import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount, shown, shownForeign } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { type DataLike, NdArray } from '../data/array.ts';
import { leavesOf, type Nested } from '../data/nested.ts';
import type { SamplesLike } from '../data/ragged.ts';
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
import {
  checkData,
  columnsOf,
  type Data,
  resetsOf,
  type WeightOptions,
  weightNames,
} from '../train/feeds/checked-data.ts';
import { evaluateFeed } from '../train/feeds/evaluate-feed.ts';
import { batched, batchesFeed, evaluationFeed, samplesFeed } from '../train/feeds/feeds.ts';
import { type Column, isColumn, type PredictHow, range } from '../train/feeds/samples.ts';
import { fitModel } from '../train/fit.ts';
import type { FitOptionsOf } from '../train/fit-options.ts';
import type { Logs } from '../train/logs.ts';
import { Objective, type ObjectiveOptions } from '../train/objective.ts';
import { optionalParts } from '../train/optional-parts.ts';
import { type Predictions, predictBatches, predictSamples } from '../train/predictions.ts';
import type { Run } from '../train/runs.ts';
import type { StepPredictor } from '../train/step-predictor.ts';
import { Trainer } from '../train/trainer.ts';

/** Optimizer, loss and metrics of a model. */
export interface CompileOptions extends ObjectiveOptions {
  /**
   * The name of an optimizer, for its default options, or an optimizer object. The caller owns the state of an
   * optimizer object: a later `compile` keeps it, so that the optimizer can be used again. The state of a named
   * optimizer is freed.
   */
  optimizer: OptimizerName | Optimizer;
}

/** How `evaluate` measures samples. */
export interface EvaluateOptions extends WeightOptions {
  /** Samples computed at a time; more take more memory. Default: the batch size of `batchInputShape`, else 32. */
  batchSize?: number | undefined;
}

/** How `predict` computes. */
export interface PredictOptions {
  /** Samples computed at a time; more take more memory. Default: the batch size of `batchInputShape`, else 32. */
  batchSize?: number | undefined;
  /**
   * `int8` computes with one byte for each weight, step by step, as `stream` does; the bytes are kept for the next
   * call. Default `float32`.
   */
  weights?: WeightFormat | undefined;
  /**
   * Whether the layers compute as in training, with dropout: repeated calls then sample from the distribution of
   * predictions (Monte Carlo dropout; Gal and Ghahramani 2016). A recurrent layer draws one mask for all steps of a
   * sequence. Default false.
   */
  training?: boolean | undefined;
  /** Where rows start anew, `[N]` or `[N, T]`, as in `fit`. */
  resetMask?: SamplesLike | undefined;
}

/** Options of `evaluate` and `predict` for batches. */
export interface BatchesOptions {
  /** How many batches to use. Default: all. */
  steps?: number | undefined;
}

/** Follows a training run; see `CallbackOf`. */
export interface Callback extends CallbackOf<AnyModel> {}

/** How `fit` trains. All options are checked before anything changes. */
export interface FitOptions extends FitOptionsOf<AnyModel> {
  /** One callback, or a list, called in its order. Default: none. */
  callbacks?: Callback | readonly Callback[] | undefined;
}

function expectStepwise(what: string): NonNullable<typeof optionalParts.stepwise> {
  if (optionalParts.stepwise) return optionalParts.stepwise;
  throw new ArgumentError(`${what} expected allowStreams() to have been called, as 'tapeloop/lean' wants it`);
}

/** The methods that `addMethods` adds. An app of `tapeloop/lean` calls it first. */
// biome-ignore lint/correctness/noUnusedVariables: its type parameters must be those of the class.
export interface Model<Y extends Nested<Tensor> = Tensor> {
  /**
   * The table of layers and parameter counts that Keras prints, as text.
   *
   * @throws DeadTensorError if the model was disposed of.
   * @see keras.Model.summary
   *
   * @example
   * console.log(model.summary());
   */
  summary(): string;

  /**
   * Copies the values of all weights, in the order of `weights`.
   *
   * @returns one array for each weight, of its shape `[…]`, owned by the caller; no array until the model is built.
   * @see keras.Model.get_weights
   *
   * @example
   * const before = model.getWeights();
   * await model.fit(x, y);
   * model.setWeights(before); // undoes the training
   */
  getWeights(): NdArray<Float32Array>[];

  /**
   * Sets the values of all weights. The state of the optimizer does not change.
   *
   * @param weights one array of the shape `[…]` of each weight, in the order of `weights`, as `getWeights` gives them:
   *   nested numbers, an `NdArray` or a tensor.
   * @throws ArgumentError if the number of arrays or a shape differs, a value is not finite, or a call that returns a
   *   promise runs on the model, except from a callback of `fit`. Nothing is set then.
   * @see keras.Model.set_weights
   *
   * @example
   * model.setWeights(model.getWeights());
   */
  setWeights(weights: readonly DataLike[]): void;

  /**
   * Makes a model from the input to the output of a layer, which shares the layers and their weights: to look at
   * features, or to train another end on them.
   *
   * A stack of layers ends at the layer. Any other model runs as a whole, and the output of the layer's first call is
   * taken.
   *
   * @param layer the layer, its name, its path below other layers, or its index in `layers`; negative ones count from
   *   the end.
   * @returns a model with the outputs of the layer, `[B, …]`. It is not compiled. To dispose of it disposes of the
   *   layers that it shares.
   * @throws ArgumentError if there is no such layer; when it runs, if the layer is not called.
   * @see keras.Model(inputs, layer.output)
   *
   * @example
   * const features = model.upTo('lstm').predict(x);
   */
  upTo(layer: string | number | AnyLayer): AnyModel;
}

/** A network, with the methods that train, measure and run it. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `addMethods` adds the members of the interface.
export class Model<Y extends Nested<Tensor> = Tensor> {
  /** The layer that holds all others. */
  // biome-ignore lint/suspicious/noExplicitAny: inputs are as the network declares them.
  readonly network: Layer<Y, any>;
  /** Trains and measures the network. @internal */
  readonly trainer: Trainer;
  #int8: StepPredictor | undefined;

  /** @param random shuffles samples. Default: seeded from the stream that `setSeed` set. */
  constructor(network: Model<Y>['network'], random = nextStream()) {
    this.network = network;
    this.trainer = new Trainer(network, random);
  }

  /** True ends training after the batch in progress. A callback sets it. */
  get stopTraining(): boolean {
    return this.trainer.stopTraining;
  }

  set stopTraining(value: boolean) {
    this.trainer.stopTraining = value;
  }

  /** Name of the network. */
  get name(): string {
    return this.network.name;
  }

  /**
   * Whether training changes the weights. Setting it applies to every layer, also to a layer that another model shares.
   * It takes effect at the next batch.
   *
   * @see keras.Model (trainable)
   */
  get trainable(): boolean {
    return this.network.trainable;
  }

  set trainable(value: boolean) {
    this.network.trainable = value;
  }

  /** The layers, in the order in which they were given. */
  get layers(): readonly AnyLayer[] {
    return this.network.sublayers;
  }

  /**
   * The weights of all layers, in the order of Keras; empty until the model is built. `toArray` of a weight copies its
   * values, `assign` sets them.
   */
  get weights(): readonly Parameter[] {
    return this.network.weights;
  }

  /** The engine whose memory holds the weights. */
  get engine(): Engine {
    return this.trainer.engine;
  }

  /**
   * Finds a layer by its name, or by its path below other layers.
   *
   * @param name such as `dense`, or `bidirectional/forward_lstm`.
   * @throws ArgumentError if no layer has this name.
   * @see keras.Model.get_layer
   */
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

  /** The optimizer that `compile` chose. Throws `ArgumentError` before `compile`. */
  get optimizer(): Optimizer {
    return this.trainer.optimizer;
  }

  /**
   * Counts the numbers in the weights of all layers.
   *
   * @param options.trainable true counts the trainable weights, false the others. Default: all, as in `summary`.
   * @throws ArgumentError if an option is unknown or the model is not built.
   * @see keras.Model.count_params
   */
  countParams(options?: { trainable?: boolean | undefined }): number {
    return this.network.countParams(options);
  }

  /**
   * Chooses optimizer, loss and metrics.
   *
   * L = Σ_k lossWeights_k·loss_k + the penalties of regularizers, over the outputs k
   *
   * @param options `optimizer` and `loss` are required.
   * @throws ArgumentError if an option or a name is unknown, a loss weight is not finite, an option names an output
   *   that has no loss, or a call that returns a promise runs on the model; DeadTensorError after `dispose`.
   * @see keras.Model.compile
   *
   * @example
   * model.compile({ optimizer: adam({ learningRate: 1e-3 }), loss: 'mse', metrics: ['mae'] });
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
    // An optimizer object is not disposed of, because the caller may use it again.
    if (before?.isOwn && before.optimizer !== optimizer) before.optimizer.dispose(this.weights);
  }

  /**
   * Computes the output for one batch.
   *
   * @param x tensors `[B, …]`, nested like the inputs of the model.
   * @param training whether dropout is on. Default false.
   * @returns tensors `[B, …]` of the open step, nested like the outputs; outside a step the caller disposes of them.
   * @throws ArgumentError if `x` does not fit.
   */
  call(x: Nested<Tensor>, training = false): Y {
    return this.trainer.call(x, training) as Y;
  }

  /**
   * Makes one gradient step on one batch: forward, backward, clip, update.
   *
   * @param x one batch `[B, …]`: f32, or i32 ids for a model that starts with an embedding. A list of sequences of
   *   unequal length is padded and masked.
   * @param y its targets, `[B, …]`.
   * @param options weights of samples or of classes.
   * @returns `loss`, `gradientNorm` (before clipping) and the metrics of the batch, all from before the update, in an
   *   object that the caller owns.
   * @throws ArgumentError if an option is unknown, the model is not compiled, a shape or a value does not fit, or a
   *   call that returns a promise runs on the model, except from a callback of `fit`; NonFiniteLossError or
   *   NonFiniteGradientError if training has diverged. After an error weights, optimizer state and carried states are
   *   as before.
   * @see keras.Model.train_on_batch
   *
   * @example
   * const { loss } = model.trainOnBatch(x, y);
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
   * Measures loss and metrics over a data set. Weights do not change.
   *
   * @param x samples `[N, …]`, or batches as `fit` takes them.
   * @param y targets `[N, …]` of samples; with batches, the options.
   * @param options batch size, and weights of samples or of classes.
   * @returns `loss` and the metrics by name, in an object that the caller owns; with batches, a promise of it.
   * @throws ArgumentError if an option is unknown, the model is not compiled, data do not fit, or, with batches, the
   *   model is stateful and another call that returns a promise runs on it.
   * @see keras.Model.evaluate
   *
   * @example
   * const { loss } = model.evaluate(x, y);
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
      return this.#runBatches('evaluate', ({ changes }) => {
        const feed = evaluationFeed(this.trainer, 'evaluate: batches', x, { classWeight }, changes, steps);
        return evaluateFeed(this.trainer, feed, { classWeight, changes });
      });
    }
    checkOptions('evaluate', options, { batchSize: 1, ...weightNames });
    const batchSize = expectCount('evaluate: batchSize', options.batchSize ?? this.trainer.batchSize);
    return this.#inTransaction(() => {
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
   * Runs `body` as a transaction. If another call runs on the model, stateful layers start from zeros in `body`, and
   * get their states back afterwards.
   */
  #inTransaction<T>(body: () => T): T {
    return transaction(() => (this.trainer.runs.isIdle ? body() : this.withFreshStates(body)));
  }

  /** Runs `body`, which lets the host handle events between batches. */
  async #runBatches<T>(what: string, body: (run: Run) => Promise<T>): Promise<T> {
    const { runs, statefulLayers } = this.trainer;
    if (statefulLayers.length > 0) runs.expectNone(`${what} on batches, of a stateful model`);
    return runs.during(what, body);
  }

  /**
   * Computes the outputs for a data set.
   *
   * @param x samples `[N, …]`; or batches `[x]` or `{ x }`, made as `fit` takes them.
   * @param options batch size, format of the weights, dropout and resets; with batches, the number of steps and
   *   dropout.
   * @returns arrays `[N, …]` f32 outside linear memory, nested like the outputs, owned by the caller. With batches, a
   *   promise of them. Sequences of unequal length are padded to the longest. For no samples the result is `[0, …]`; it
   *   is `[0]` if the model is not built or with `tapeloop/lean`.
   * @throws ArgumentError if an option is unknown, `x` does not fit, with batches the model is stateful and another
   *   call that returns a promise runs on it, or with `int8` a layer cannot run step by step or a step is masked.
   * @see keras.Model.predict
   *
   * @example
   * model.predict(x).shape; // [8, 1]
   */
  predict(x: Data, options?: PredictOptions): Predictions<Y>;
  predict(
    batches: Batches<InputBatch>,
    options?: BatchesOptions & Pick<PredictOptions, 'training'>,
  ): Promise<Predictions<Y>>;
  predict(
    x: Data | Batches<InputBatch>,
    options: PredictOptions & BatchesOptions = {},
  ): Predictions<Y> | Promise<Predictions<Y>> {
    const batches = isBatches(x);
    const own = batches ? { steps: 1 } : { batchSize: 1, weights: 1, resetMask: 1 };
    checkOptions('predict', options, { ...own, training: true } as never);
    if (batches) {
      return this.#runBatches('predict', ({ changes }) => predictBatches(this.trainer, x, options, changes)) as Promise<
        Predictions<Y>
      >;
    }
    const { batchSize = this.trainer.batchSize, weights = 'float32', training } = options;
    const how = { training, resets: resetsOf(options) };
    expectCount('predict: batchSize', batchSize);
    checkWeightFormat('predict', weights);
    const columns = columnsOf('x', this.network.inputs, x);
    const isInt8 = weights === 'int8' && leavesOf(columns, isColumn)[0]!.count > 0;
    return this.#inTransaction(
      () =>
        (isInt8
          ? this.#predictInt8(columns, batchSize, how)
          : predictSamples(this.trainer, columns, batchSize, how)) as Predictions<Y>,
    );
  }

  #predictInt8(columns: Nested<Column>, batchSize: number, how: PredictHow): NdArray<Float32Array> {
    if (!isColumn(columns) || !(columns.values instanceof NdArray)) {
      throw new ArgumentError('predict: x expected one input, of sequences of one length, with int8 weights');
    }
    this.#int8 ??= new (expectStepwise("predict: weights 'int8'").StepPredictor)(this.trainer, 'int8');
    return this.#int8.predict(columns, batchSize, how);
  }

  /**
   * Trains the model for a number of epochs.
   *
   * While a call that returns a promise runs on a model (`fit`, and `evaluate` or `predict` of batches), another `fit`,
   * `compile`, `trainOnBatch`, `setWeights`, `restoreModel`, `resetStates` and `dispose` throw. A callback of `fit` may
   * restore and reset the model and train it on a batch, because `fit` waits for it. `predict` and `evaluate` of
   * samples always work: they read the weights between two batches. Stateful layers start from zeros in them, and get
   * their states back afterwards. `evaluate` and `predict` of batches may run beside other calls, but not on a stateful
   * model. Models that share a layer count as one model here.
   *
   * @param x samples `[N, …]`, an (async) iterable of batches, or a function that makes one for each epoch.
   * @param y targets `[N, …]` of samples; with batches, the options.
   * @param options see `FitOptions`.
   * @returns a promise of the loss and every metric of each epoch, in an object that the caller owns.
   * @throws ArgumentError if an option is unknown or out of range, data do not fit, the model is not compiled, or
   *   another call that returns a promise runs on it; NonFiniteLossError or NonFiniteGradientError if training
   *   diverges. The model then keeps the result of the last good step; if there was none, it is as before the call. The
   *   promise also rejects with the reason of `signal` if that aborts, and with any error that a callback throws.
   * @see keras.Model.fit
   *
   * @example
   * const { history } = await model.fit(x, y, { epochs: 3, batchSize: 4, validationSplit: 0.25 });
   * history.val_loss.length; // 3
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
   * Makes a stream, which runs the model one time step at a time, with states of its own.
   *
   * @param options number of sequences, steps in one call, and format of the weights.
   * @returns a stream that reads the weights of the model at each step. The caller disposes of it.
   * @throws ArgumentError if an option is unknown, the model has several inputs or is not built, a layer cannot run
   *   step by step, or, with `tapeloop/lean`, `allowStreams` was not called.
   *
   * @example
   * const stream = model.stream();
   * stream.step([0.1, 0.2]); // the output after one time step
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
   * Makes stateful layers start from zeros at the next batch.
   *
   * @throws ArgumentError if it is given states (`setStates` of a layer takes them), or a call that returns a promise
   *   runs on the model, except from a callback of `fit`; DeadTensorError if the model was disposed of.
   * @see keras.layers.RNN (reset_state)
   */
  resetStates(...none: readonly never[]): void {
    this.network.expectAlive();
    this.trainer.runs.expectNone('resetStates', true);
    this.network.resetStates(...none);
  }

  /**
   * Runs `body` with the moving averages of the weights in place of the weights.
   *
   * @param body a function that does not use the model after it returns.
   * @returns the result of `body`.
   * @throws ArgumentError if the model is not compiled, its optimizer keeps no averages (`useEma`), or `body` returns a
   *   promise; and any error of `body`.
   *
   * @example
   * model.compile({ optimizer: adam({ useEma: true }), loss: 'mse' });
   * model.trainOnBatch(x, y);
   * const { loss } = model.withEma(() => model.evaluate(x, y));
   */
  withEma<T>(body: () => T): T {
    return this.optimizer.withEma(this.weights, body);
  }

  /**
   * Runs `body` with stateful layers starting from zeros, then restores their states.
   *
   * @returns the result of `body`.
   * @throws any error of `body`. The states are restored then, too.
   */
  withFreshStates<T>(body: () => T): T {
    return this.trainer.withFreshStates(body);
  }

  /**
   * Frees the weights and their optimizer state. Every later use of the model throws `DeadTensorError`.
   *
   * @throws ArgumentError if a call that returns a promise runs on the model.
   */
  dispose(): void {
    this.trainer.runs.expectNone('dispose');
    if (this.isCompiled) this.optimizer.dispose(this.weights);
    this.#int8?.dispose();
    this.network.dispose();
  }
}

/** Throws `ArgumentError` unless `model` is a model. */
export function expectModel(what: string, model: unknown): void {
  if (!(model instanceof Model))
    throw new ArgumentError(`${what}: model expected a model, got ${shownForeign(model, 'network')}`);
}

// biome-ignore lint/suspicious/noExplicitAny: training works with any kind of output.
export type AnyModel = Model<any>;

/**
 * A model that is a stack of layers.
 *
 * y = layerₙ(… layer₂(layer₁(x)))
 *
 * It is built at once if the first layer has an input shape (`inputShape`, or an embedding), else by the first batch.
 *
 * @param layers the first reads the batch `[B, …]`; each other layer reads the output of the layer before it.
 * @param options.name default `sequential`.
 * @returns a model with one input and one output. The caller owns it and frees its memory with `dispose`.
 * @throws ArgumentError if an option is unknown, `layers` is not a list of one layer or more, an entry is neither a
 *   layer nor a model, a layer is listed twice, two layers have the same name, or one does not fit the layer before it.
 * @see keras.Sequential
 *
 * @example
 * const forecaster = sequential([lstm({ units: 16, inputShape: [5, 2] }), dense({ units: 1 })]);
 * forecaster.compile({ optimizer: 'adam', loss: 'mse' });
 * await forecaster.fit(x, y, { epochs: 2 });
 * forecaster.predict(x).shape; // [8, 1]
 */
export const sequential = (
  layers: readonly LayerLike<Layer<never>>[] | readonly LayerLike<Layer>[],
  options: { name?: string | undefined } = {},
): Model =>
  new Model(
    new Sequential(layers as readonly LayerLike<Layer>[], checkOptions('sequential', options, { name: 1 }).name),
  );

/**
 * A custom model: layers, and a function that calls them.
 *
 * y = forward(x, layers)
 *
 * @param options.layers by name or in a list. A layer may be called more than once, which ties its weights. Every
 *   layer that has weights, carries states or draws random numbers must be listed.
 * @param options.inputs the inputs of the model: one, a list, or several by name, each with the shape of one sample.
 *   Default: one f32 input. If all shapes are given, the model is built at once, else by the first batch.
 * @param options.name default `model`.
 * @param forward maps the inputs (tensors `[B, …]`, nested like `inputs`) and the layers to one output, a list, or
 *   several by name. It runs once for each batch. Besides layers it may call ops and plain TypeScript.
 * @returns a model. The caller owns it and frees its memory with `dispose`.
 * @throws ArgumentError if an option is unknown or of another type, an entry of `layers` is neither a layer nor a
 *   model, or two layers have the same name; when `forward` first runs, if shapes do not fit, a layer that is not
 *   listed is called, or it does not return tensors.
 * @see keras.Model (subclassed)
 *
 * @example
 * const layers = { encoder: gru({ units: 4 }), head: dense({ units: 1 }) };
 * const inputs = { shape: [5, 2] };
 * const network = model({ layers, inputs }, (x, { encoder, head }) => head(encoder(x)));
 * network.compile({ optimizer: 'adam', loss: 'mse' });
 * await network.fit(x, y);
 */
export const model = <const L extends LayersOf, Y extends Nested<Tensor> | []>(
  options: NetworkOptions<L>,
  forward: Forward<L, Y>,
): Model<Y> => new Model(new Network(options, forward));
