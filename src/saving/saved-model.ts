import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { Shape } from '../checks/shape.ts';
import { asNested, type Nested } from '../data/nested.ts';
import { RandomStream, seedStream, streamAt } from '../engine/random.ts';
import type { RandomState } from '../engine/random-bits.ts';
import { transaction } from '../engine/transaction.ts';
import { extrasOf, FORMAT_VERSION, type ModelExtras, type ModelFile, openModelFile } from '../io/model-file.ts';
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

/** What a file may need to be read. */
export interface LoadOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
  /**
   * The shape of one sample, `[T, F]`, null for a length that varies: for a file of version 0.1.0 whose first layer
   * does not say it.
   */
  inputShape?: BatchShape | undefined;
  /**
   * What the file names and does not hold, by name: `{ quantileLoss, MyLayer, minimalGated }`. A function, a loss, a
   * metric, a schedule or the definition of a cell is given as it is; a layer, or whatever has options of its own, as
   * its class or as a function that makes it from its options; a model of the caller's own as a function that makes it.
   */
  customObjects?: CustomObjects | undefined;
}

// How the file's metadata reads once its strings are parsed.
interface HeadConfig {
  loss: { name: LossName; options: LossConfig };
  metrics: (MetricName | MetricConfig)[];
  /** Absent where there are none. */
  weightedMetrics?: (MetricName | MetricConfig)[] | undefined;
  /** Of the loss. Absent where it is 1 and the output is the only one. */
  weight?: number | undefined;
}

interface Training extends Partial<HeadConfig> {
  /** Of a model of several outputs, in place of `loss` and `metrics`. */
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
 * with its state, carried states and random numbers. Training that goes on from it gives the same bits. A function or
 * a class of the caller's own is stored by its name alone; `decodeModel` takes it as `customObjects`.
 *
 * @param model built.
 * @param extras.vocabulary characters or words by id, for a model of text.
 * @param extras.extra anything that JSON can hold.
 * @returns the bytes of the file; the caller's own.
 * @throws ArgumentError if an option is unknown, `model` is not a model or not built, a number is not finite, two
 *   weights have one name, `extra` is not JSON, or a custom layer has the class name of a layer of the library. No
 *   file is made that `decodeModel` would refuse.
 * @see https://github.com/huggingface/safetensors
 *
 * @example
 * const bytes = encodeModel(model, { vocabulary: ['a', 'b'] });
 * decodeModel(bytes).vocabulary; // ['a', 'b']
 */
export function encodeModel(model: AnyModel, extras: ModelExtras = {}): Uint8Array<ArrayBuffer> {
  const { vocabulary, extra } = checkOptions('encodeModel', extras, { vocabulary: 1, extra: 1 });
  expectModel('encodeModel', model);
  if (!model.network.isBuilt) {
    throw new ArgumentError(`${model.name}: expected a built model to save; it has not seen an input yet`);
  }
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
  // Layers that have drawn nothing take their seeds when training begins.
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

/** Throws `ArgumentError` for a value that JSON cannot hold, as one that holds itself. */
function jsonOf(what: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {}
  if (text !== undefined) return text;
  throw new ArgumentError(`${what} expected what JSON can hold, got ${describe(value)}`);
}

/** Sorted, for an optimizer that was loaded names its options in another order. */
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

/** All but the outermost, which only holds them. */
const innerLayers = (model: AnyModel): readonly AnyLayer[] => model.network.tree().slice(1);

const stateName = (layer: string, index: number): string => `state/${layer}/${index}`;

/**
 * Makes the model that `encodeModel` saved.
 *
 * @param bytes a whole file; not kept.
 * @param options.file name of the file, for errors.
 * @param options.inputShape shape of one sample, `[T, F]`, for a file of version 0.1.0 whose first layer does not say
 *   it.
 * @param options.customObjects what the file names and does not hold, by name.
 * @returns `model`, built, compiled if it was compiled, in the memory of the engine in use, the caller's to `dispose`;
 *   and `vocabulary` and `extra`, if the file has them. Making it draws no random numbers of others.
 * @throws ModelFileError if the bytes are not a safetensors file, were written by no tapeloop or a newer version, a
 *   tensor is missing, has another shape than that of the layer, or holds a number that is not finite, the
 *   configuration describes no model, or the file needs a custom object that is not given. Nothing is allocated for
 *   what the file claims and does not hold. ArgumentError if an option is unknown or `bytes` are no bytes, such as a
 *   promise of them.
 * @see keras.saving.load_model
 *
 * @example
 * const { model: loaded } = decodeModel(encodeModel(model));
 * loaded.predict(x).shape; // [8, 1]
 */
export function decodeModel(
  bytes: Uint8Array | ArrayBuffer | SharedArrayBuffer | DataView,
  options: LoadOptions = {},
): LoadedModel {
  const names = { inputShape: 1, ...restoreNames };
  const { file, inputShape, customObjects = {} } = checkOptions('decodeModel', options, names);
  const opened = openModelFile('decodeModel', bytes, file);
  const { valuesOf, parse } = opened;
  registerAllNames();
  return opened.understand(() =>
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
        // Loading draws nothing from the stream that `setSeed` set, where the file says how shuffling goes on.
        const isSaid = parse('training') !== undefined || parse('shuffle') !== undefined;
        const model = new Model(network as Model['network'], isSaid ? new RandomStream(0) : undefined);
        // Of a layer of the caller's own that came with weights.
        const others = model.weights.filter((weight) => !taken.has(weight.name));
        for (const weight of others) weight.assign(valuesOf(weight.name, weight.shape));
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
 * Fills a model that was made again in code with what `encodeModel` wrote: weights and, if the file has them, the
 * state of the optimizer, carried states and random numbers.
 *
 * Loss, metrics and optimizer that the model was compiled with stay, if the file names the same.
 *
 * @param model built, with the layers and names of the saved model.
 * @param bytes of a file that `encodeModel` wrote.
 * @param options.file name of the file, for errors.
 * @param options.customObjects what the file names and does not hold, by name.
 * @returns `vocabulary` and `extra`, if the file has them; the caller's own.
 * @throws ModelFileError if the bytes are not a safetensors file, were written by no tapeloop or a newer version, a
 *   tensor is missing, has another shape than that of the model, or holds a number that is not finite, or the file
 *   needs a custom object that is not given. ArgumentError if an option is unknown, `model` is not a model or not
 *   built, `bytes` are no bytes, or a call that returns a promise runs on the model, except from a callback of `fit`.
 *   The model does not change then.
 *
 * @example
 * const copy = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1 })]);
 * restoreModel(copy, encodeModel(model)); // copy.predict(x) gives the numbers of model.predict(x)
 */
export function restoreModel(
  model: AnyModel,
  bytes: Uint8Array | ArrayBuffer | SharedArrayBuffer | DataView,
  options: Omit<LoadOptions, 'inputShape'> = {},
): ModelExtras {
  const { file, customObjects = {} } = checkOptions('restoreModel', options, restoreNames);
  expectModel('restoreModel', model);
  if (!model.network.isBuilt) {
    throw new ArgumentError(`${model.name}: expected a built model to restore; it has not seen an input yet`);
  }
  model.network.setScope();
  const opened = openModelFile('restoreModel', bytes, file);
  model.trainer.runs.expectNone('restoreModel', true);
  return opened.understand(() =>
    withCustomObjects(customObjects, () =>
      transaction(() => {
        const extras = extrasOf(opened);
        const weights = model.weights.map((weight) => [weight, opened.valuesOf(weight.name, weight.shape)] as const);
        for (const apply of restorations(model, opened)) apply();
        // Last, for weights are not put back.
        for (const [weight, values] of weights) weight.assign(values);
        return extras;
      }),
    ),
  );
}

/** What else than weights the file has for the model, checked: functions that put it in place. */
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
  // What `compile` was told already need not be made from names. Weights that are exchanged with their averages are
  // another matter.
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

/** A metric is a name, or its options with the name of its maker. */
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
 * Every number in it must be one: an optimizer takes its default for what is missing, as JSON has NaN and Infinity
 * missing. Schedules and lists check themselves.
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
