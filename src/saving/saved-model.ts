import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';
import { asNested, type Nested } from '../data/nested.ts';
import { RandomStream, seedStream, streamAt } from '../engine/random.ts';
import type { RandomState } from '../engine/random-bits.ts';
import { transaction } from '../engine/transaction.ts';
import {
  extrasOf,
  type FileBytes,
  FORMAT_VERSION,
  type ModelExtras,
  type ModelFile,
  openModelFile,
} from '../io/model-file.ts';
import { describe, expectList, expectObject, expectString, expectStrings } from '../io/parsed-json.ts';
import { encodeSafetensors, type SafetensorsTensor } from '../io/safetensors.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { type AnyLayer, type WeightSource, withWeights } from '../layers/base/layer.ts';
import { type LossName, lossOf } from '../losses/by-name.ts';
import type { LossConfig } from '../losses/loss.ts';
import type { MetricName } from '../metrics/by-name.ts';
import type { Metric, MetricConfig } from '../metrics/metric.ts';
import { type AnyModel, expectModel, Model } from '../models/model.ts';
import { registerAllNames } from '../models/register-all.ts';
import { optimizerOf } from '../optimizers/by-name.ts';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer.ts';
import { type CustomObjects, customName, nameOfCustom, withCustomObjects } from '../registry/custom-objects.ts';
import { Objective, type ObjectiveOptions } from '../train/objective.ts';
import { decodeNetwork, encodeNetwork } from './saved-network.ts';

const restoreNames = { file: 1, customObjects: 1 };

export interface LoadedModel extends ModelExtras {
  model: Model;
}

/** Options for loading a file. */
export interface LoadOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
  /**
   * The shape of one sample, `[T, F]`, null for a length that varies. Only needed for a file of version 0.1.0 whose
   * first layer does not declare it.
   */
  inputShape?: BatchShape | undefined;
  /**
   * The custom objects that the file refers to, by name: `{ quantileLoss, MyLayer, minimalGated }`. A function, a loss,
   * a metric, a schedule or the definition of a cell is given as it is. A layer, or another object with options of its
   * own, is given as its class, or as a function that makes it from its options. A custom model is given as a function
   * that makes it.
   */
  customObjects?: CustomObjects | undefined;
}

// The metadata of the file, after its strings are parsed.
interface HeadConfig {
  loss: { name: LossName; options: LossConfig };
  metrics: (MetricName | MetricConfig)[];
  /** Absent if there are none. */
  weightedMetrics?: (MetricName | MetricConfig)[] | undefined;
  /** Weight of the loss. Absent if it is 1 and the model has one output. */
  weight?: number | undefined;
}

interface Training extends Partial<HeadConfig> {
  /** For a model with several outputs, in place of `loss` and `metrics`. */
  outputs?: (HeadConfig & { key: string | number })[];
  optimizer: OptimizerConfig;
  /** `Optimizer.steps`. */
  iterations: number;
  shuffle: RandomState;
}

/**
 * Saves a model as the bytes of one safetensors file.
 *
 * The file holds the weights, the configuration of the layers and, if the model is compiled, the loss, the optimizer
 * with its state, carried states and random numbers. Training that continues from the file gives the same bits. Of a
 * custom function or class only the name is stored; `decodeModel` gets it in `customObjects`.
 *
 * @param model a built model.
 * @param extras.vocabulary characters or words by id, for a model of text.
 * @param extras.extra anything that JSON can hold.
 * @returns the bytes of the file, owned by the caller.
 * @throws ArgumentError if an option is unknown, `model` is not a model or not built, a number is not finite, two
 *   weights have the same name, `extra` is not JSON, or a custom layer has the class name of a built-in layer.
 *   `decodeModel` can read every file that is made.
 * @see https://github.com/huggingface/safetensors
 *
 * @example
 * const bytes = encodeModel(model, { vocabulary: ['a', 'b'] });
 * decodeModel(bytes).vocabulary; // ['a', 'b']
 */
export function encodeModel(model: AnyModel, extras: ModelExtras = {}): Uint8Array<ArrayBuffer> {
  const { vocabulary, extra } = checkOptions('encodeModel', extras, { vocabulary: 1, extra: 1 });
  expectModel('encodeModel', model);
  expectBuilt(model, 'save');
  model.network.setScope();
  const layers = innerLayers(model);
  const tensors = new Map<string, SafetensorsTensor>();
  const put = (name: string, shape: Shape, data: Float32Array): void => {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ArgumentError(`${model.name}: ${name} expected finite numbers, got ${data[bad]} at ${bad}`);
    if (tensors.has(name)) throw new ArgumentError(`${model.name}: two weights are named '${name}'`);
    tensors.set(name, { dtype: 'F32', shape: [...shape], data });
  };
  for (const weight of model.weights) put(weight.name, weight.shape, weight.toArray());
  for (const { carried, path } of model.trainer.statefulLayers) {
    carried.values?.forEach((state, i) => put(stateName(path, i), [carried.batch!, carried.specs[i]!.width], state));
  }
  const metadata: Record<string, string> = {
    format: 'tapeloop',
    formatVersion: String(FORMAT_VERSION),
    network: encodeNetwork(model.network),
    random: JSON.stringify(Object.fromEntries(layers.map(({ path, randomState }) => [path, randomState]))),
    frozen: JSON.stringify(model.weights.filter(({ trainable }) => !trainable).map(({ name }) => name)),
  };
  // Layers that have not drawn random numbers take their seeds from this stream when training begins.
  if (!(model.isCompiled && model.optimizer.steps > 0) && layers.some(({ randomState }) => !randomState)) {
    metadata.seeds = JSON.stringify((layers.find(({ seeds }) => seeds)?.seeds ?? seedStream()).state);
  }
  if (!model.isCompiled) metadata.shuffle = JSON.stringify(model.trainer.random.state);
  else {
    const { optimizer, objective } = model.trainer.compiled;
    for (const [name, slot] of optimizer.state(model.weights)) {
      put(`optimizer/${name}`, slot.shape, slot.toArray() as Float32Array);
    }
    const training: Training = {
      ...objectiveConfig(objective),
      optimizer: optimizerConfig(optimizer),
      iterations: optimizer.steps,
      shuffle: model.trainer.random.state,
    };
    metadata.training = JSON.stringify(training);
  }
  if (vocabulary) metadata.vocabulary = JSON.stringify(expectStrings('vocabulary', vocabulary));
  if (extra !== undefined) metadata.extra = jsonOf('extra', extra);
  return encodeSafetensors(tensors, metadata);
}

/** Throws `ArgumentError` for a value that JSON cannot hold, such as an object that contains itself. */
function jsonOf(what: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {}
  if (text !== undefined) return text;
  throw new ArgumentError(`${what} expected what JSON can hold, got ${describe(value)}`);
}

/** The options are sorted, because a loaded optimizer has them in another order. */
const optimizerConfig = (optimizer: Optimizer): OptimizerConfig =>
  Object.fromEntries(Object.entries(optimizer.config()).sort(([a], [b]) => (a < b ? -1 : 1))) as OptimizerConfig;

function objectiveConfig({ heads }: Objective): Pick<Training, 'loss' | 'metrics' | 'outputs'> {
  const configs = heads.map(({ key, weight, loss, metrics, weightedMetrics }) => ({
    key,
    weight: key === undefined && weight === 1 ? undefined : weight,
    loss: { name: (loss.config ? loss.name : customName(loss.name)) as LossName, options: loss.config?.() ?? {} },
    metrics: metrics.map(metricConfig),
    weightedMetrics: weightedMetrics.length > 0 ? weightedMetrics.map(metricConfig) : undefined,
  }));
  const { key, ...only } = configs[0]!;
  return key === undefined ? only : { outputs: configs as NonNullable<Training['outputs']> };
}

const metricConfig = (metric: Metric): MetricConfig =>
  metric.config?.() ?? { metric: customName(metric.name), name: metric.name };

function objectiveOptions({ outputs, ...only }: Training): ObjectiveOptions {
  const heads = outputs ?? [{ key: undefined, ...(only as HeadConfig) }];
  const nested = <T>(of: (head: HeadConfig) => T): Nested<T> => asNested(heads.map((head) => [head.key, of(head)]));
  return {
    loss: nested(({ loss }) => lossOf(loss.name, loss.options)),
    lossWeights: nested(({ weight = 1 }) => weight),
    metrics: nested(({ metrics }) => metrics),
    weightedMetrics: nested(({ weightedMetrics = [] }) => weightedMetrics),
  };
}

/** All layers except the outermost, which only contains them. */
const innerLayers = (model: AnyModel): readonly AnyLayer[] => model.network.tree().slice(1);

/** Throws `ArgumentError` unless all layers have their weights. `purpose` is `save` or `restore`. */
function expectBuilt(model: AnyModel, purpose: string): void {
  if (model.network.isBuilt) return;
  const layers = model.network.sublayers;
  const unbuilt = layers.find((layer) => !layer.isBuilt);
  const reason = layers.some((layer) => layer.isBuilt)
    ? `its layer '${unbuilt?.name}' was never called: call it, or take it out of the layers`
    : 'it has not seen an input yet';
  throw new ArgumentError(`${model.name}: expected a built model to ${purpose}; ${reason}`);
}

const stateName = (layer: string, index: number): string => `state/${layer}/${index}`;

/**
 * Makes the model that `encodeModel` saved.
 *
 * @param bytes a whole file. It is not kept.
 * @param options.file name of the file, for errors.
 * @param options.inputShape shape of one sample, `[T, F]`, for a file of version 0.1.0 whose first layer does not
 *   declare it.
 * @param options.customObjects the custom objects that the file refers to, by name.
 * @returns `model`, built, and compiled if it was compiled, in the memory of the current engine; the caller disposes of
 *   it. Also `vocabulary` and `extra`, if the file has them. Loading draws no random numbers from other streams.
 * @throws ModelFileError if the bytes are not a safetensors file, were written by another program or by a newer version
 *   of tapeloop, a tensor is missing, differs in shape from the layer's weight, or holds a number that is not finite,
 *   the configuration does not describe a model, or the file needs a custom object that is not given. No memory is
 *   allocated for data that the file declares but does not contain. ArgumentError if an option is unknown or `bytes` is
 *   not bytes, but for example a promise of them.
 * @see keras.saving.load_model
 *
 * @example
 * const { model: loaded } = decodeModel(encodeModel(model));
 * loaded.predict(x).shape; // [8, 1]
 */
export function decodeModel(bytes: FileBytes, options: LoadOptions = {}): LoadedModel {
  const names = { inputShape: 1, ...restoreNames };
  const { file, inputShape, customObjects = {} } = checkOptions('decodeModel', options, names);
  const opened = openModelFile('decodeModel', bytes, file);
  const { valuesOf, parse } = opened;
  registerAllNames();
  return opened.asFileErrors(() =>
    transaction(() =>
      withCustomObjects(customObjects, () => {
        const extras = extrasOf(opened);
        const taken = new Set<string>();
        // Each weight is checked against the file before memory is taken for it.
        const source: WeightSource = (name, shape) => {
          taken.add(name);
          return valuesOf(name, shape);
        };
        const network = withWeights(source, () => decodeNetwork(opened, { inputShape, customObjects }));
        // If the file has the state of shuffling, loading draws nothing from the stream that `setSeed` set.
        const hasShuffleState = parse('training') !== undefined || parse('shuffle') !== undefined;
        const model = new Model(network as Model['network'], hasShuffleState ? new RandomStream(0) : undefined);
        // A custom layer may come with weights of its own. They get the values of the file here.
        const ownWeights = model.weights.filter((weight) => !taken.has(weight.name));
        for (const weight of ownWeights) weight.assign(valuesOf(weight.name, weight.shape));
        for (const apply of restorations(model, opened)) apply();
        const frozen = parse('frozen');
        if (frozen !== undefined) {
          const names = new Set(expectStrings("metadata 'frozen'", frozen));
          for (const weight of model.weights) weight.trainable = !names.has(weight.name);
        }
        return { model, ...extras };
      }),
    ),
  );
}

/**
 * Loads a file of `encodeModel` into a model that was made again in code: weights and, if the file has them, the state
 * of the optimizer, carried states and random numbers.
 *
 * The model keeps the loss, metrics and optimizer that it was compiled with, if those in the file are the same.
 *
 * @param model a built model with the layers and names of the saved model.
 * @param bytes a file that `encodeModel` wrote.
 * @param options.file name of the file, for errors.
 * @param options.customObjects the custom objects that the file refers to, by name.
 * @returns `vocabulary` and `extra`, if the file has them, owned by the caller.
 * @throws ModelFileError if the bytes are not a safetensors file, were written by another program or by a newer version
 *   of tapeloop, a tensor is missing, differs in shape from the model's, or holds a number that is not finite, or the
 *   file needs a custom object that is not given. ArgumentError if an option is unknown, `model` is not a model or not
 *   built, `bytes` is not bytes, or a call that returns a promise runs on the model, except from a callback of `fit`.
 *   After an error the model is as before.
 *
 * @example
 * const copy = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1 })]);
 * restoreModel(copy, encodeModel(model)); // copy.predict(x) gives the numbers of model.predict(x)
 */
export function restoreModel(
  model: AnyModel,
  bytes: FileBytes,
  options: Omit<LoadOptions, 'inputShape'> = {},
): ModelExtras {
  const { file, customObjects = {} } = checkOptions('restoreModel', options, restoreNames);
  expectModel('restoreModel', model);
  expectBuilt(model, 'restore');
  model.network.setScope();
  const opened = openModelFile('restoreModel', bytes, file);
  model.trainer.runs.expectNone('restoreModel', true);
  return opened.asFileErrors(() =>
    withCustomObjects(customObjects, () =>
      transaction(() => {
        const extras = extrasOf(opened);
        const weights = model.weights.map((weight) => [weight, opened.valuesOf(weight.name, weight.shape)] as const);
        for (const apply of restorations(model, opened)) apply();
        // Weights are set last, because the transaction cannot undo them.
        for (const [weight, values] of weights) weight.assign(values);
        return extras;
      }),
    ),
  );
}

/** Checks everything in the file except the weights. Returns functions that put it into the model. */
function restorations(model: AnyModel, opened: ModelFile): (() => void)[] {
  const random = expectObject("metadata 'random'", opened.parse('random') ?? {});
  const seeds = opened.parse('seeds');
  const seedsOf = seeds === undefined ? undefined : streamAt(checkedRandom('seeds', seeds));
  const applies = innerLayers(model).flatMap((layer) => {
    const { path } = layer;
    if (!Object.hasOwn(random, path)) return seedsOf ? [() => layer.setRandom(undefined, seedsOf)] : [];
    const stream = streamAt(checkedRandom(path, random[path]));
    return [() => layer.setRandom(stream)];
  });
  applies.push(...restoredStates(model, opened));
  const training = opened.parse('training');
  const shuffle = opened.parse('shuffle');
  if (training !== undefined) applies.push(restoredTraining(model, checkedTraining(training), opened));
  else if (shuffle !== undefined) {
    const state = checkedRandom('shuffling', shuffle);
    applies.push(() => {
      model.trainer.random.state = state;
    });
  }
  return applies;
}

function restoredStates(model: AnyModel, { tensors, valuesOf }: ModelFile): (() => void)[] {
  const held = model.trainer.statefulLayers.filter(({ path }) => tensors.has(stateName(path, 0)));
  return held.map(({ carried, path }) => {
    const batch = tensors.get(stateName(path, 0))!.shape[0] || 1;
    const values = carried.specs.map(({ width }, i) => valuesOf(stateName(path, i), [batch, width]));
    return () => {
      carried.reset();
      carried.set(values, batch);
    };
  });
}

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

function restoredTraining(model: AnyModel, training: Training, { valuesOf }: ModelFile): () => void {
  const { iterations, shuffle, optimizer: config, ...head } = training;
  const now = model.isCompiled ? model.trainer.compiled : undefined;
  // An optimizer that `compile` got is kept if it equals the saved one, and no weights are exchanged with their
  // averages.
  const isKept = now !== undefined && !now.optimizer.isSwapped && same(optimizerConfig(now.optimizer), config);
  const optimizer = isKept ? now.optimizer : optimizerOf(config);
  try {
    const isSameObjective = now !== undefined && same(objectiveConfig(now.objective), head);
    const objective = isSameObjective ? now.objective : new Objective(objectiveOptions(training));
    const slots = [...optimizer.state(model.weights)];
    const values = slots.map(([name, { shape }]) => valuesOf(`optimizer/${name}`, shape));
    return () => {
      if (now && !isKept) now.optimizer.dispose(model.weights);
      model.trainer.compiled = { optimizer, objective, isOwn: isKept ? now.isOwn : true };
      slots.forEach(([, slot], i) => slot.set(values[i]!));
      optimizer.steps = iterations;
      model.trainer.random.state = shuffle;
    };
  } catch (error) {
    if (!isKept) optimizer.dispose();
    throw error;
  }
}

function expectCount(what: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ArgumentError(`${what} expected an integer ≥ 0, got ${describe(value)}`);
}

function checkedTraining(value: unknown): Training {
  const training = expectObject("metadata 'training'", value);
  const { outputs = [training] } = training;
  for (const output of expectList('training.outputs', outputs)) {
    const head = expectObject('training.outputs[]', output);
    const loss = expectObject('training.loss', head.loss);
    expectString('training.loss.name', loss.name);
    expectObject('training.loss.options', loss.options);
    if (head.weight !== undefined && !Number.isFinite(head.weight)) {
      throw new ArgumentError(`training.weight expected a finite number, got ${describe(head.weight)}`);
    }
    checkMetrics('metrics', head.metrics);
    if (head.weightedMetrics !== undefined) checkMetrics('weightedMetrics', head.weightedMetrics);
  }
  checkOptimizer(training.optimizer);
  expectCount('training.iterations', training.iterations);
  return { ...(training as unknown as Training), shuffle: checkedRandom('shuffling', training.shuffle) };
}

/** A saved metric is a name, or its options with the name of the function that makes it. */
function checkMetrics(which: string, value: unknown): void {
  const what = `training.${which}`;
  expectList(what, value).forEach((entry, i) => {
    if (typeof entry === 'string') return;
    const metric = expectObject(`${what}[${i}]`, entry);
    expectString(`${what}[${i}].metric`, metric.metric);
    expectString(`${what}[${i}].name`, metric.name);
  });
}

/**
 * Throws `ArgumentError` unless every number is finite. JSON stores NaN and ∞ as null, and an optimizer would use its
 * default for a missing number. Schedules and lists are checked when they are used.
 */
function checkOptimizer(value: unknown): void {
  const optimizer = expectObject('training.optimizer', value);
  expectString('training.optimizer.name', optimizer.name);
  for (const [key, entry] of Object.entries({ learningRate: undefined, ...optimizer })) {
    const isChoice =
      typeof entry === 'boolean' ||
      key === 'name' ||
      nameOfCustom(entry) !== undefined ||
      (entry === undefined && key !== 'learningRate');
    const isPart = typeof entry === 'object' && entry !== null;
    if (!isChoice && !isPart && !Number.isFinite(entry)) {
      throw new ArgumentError(`training.optimizer.${key} expected a finite number, got ${describe(entry)}`);
    }
  }
}

function checkedRandom(of: string, value: unknown): RandomState {
  const what = `random state of ${of}`;
  const state = expectObject(what, value);
  const seed = expectCount(`${what}: seed`, state.seed);
  if (seed > 0xffffffff) throw new ArgumentError(`${what}: seed expected below 2^32, got ${seed}`);
  return { seed, calls: expectCount(`${what}: calls`, state.calls) };
}
