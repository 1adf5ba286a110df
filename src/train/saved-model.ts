import { ArgumentError, type Shape } from '../autograd/tensor.ts';
import { asNested, type Nested } from '../data/nested.ts';
import type { RandomState } from '../engine/random.ts';
import { transaction } from '../engine/transaction.ts';
import {
  extrasOf,
  FORMAT_VERSION,
  type ModelExtras,
  type ModelFile,
  networkOf,
  openModelFile,
} from '../io/model-file.ts';
import { describe, expectObject, expectString, expectStrings } from '../io/parsed-json.ts';
import { encodeSafetensors, type SafetensorsTensor } from '../io/safetensors.ts';
import { type AnyLayer, withWeights } from '../layers/layer.ts';
import { sequentialFromConfig } from '../layers/sequential.ts';
import { knowAllNames } from './all-names.ts';
import { type LossConfig, type LossName, lossOf } from './losses.ts';
import type { Metric, MetricConfig, MetricName } from './metrics.ts';
import { Model } from './model.ts';
import { lossTable } from './name-tables.ts';
import { Objective, type ObjectiveOptions } from './objective.ts';
import { type OptimizerConfig, optimizerOf } from './optimizers.ts';

export interface LoadedModel extends ModelExtras {
  model: Model;
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
 * A model as the bytes of one safetensors file: weights, layer configuration, and, once compiled, loss, optimizer and its
 * state, carried states and random numbers, so that training goes on from it bit for bit.
 *
 * @returns the file's bytes, the caller's own.
 * @throws ArgumentError if the model is not built, if its loss, a metric or its schedule is the caller's own and so has no name of ours, or if
 *   a number is not finite: no file is made that `decodeModel` would refuse.
 * @see https://github.com/huggingface/safetensors
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever it predicts.
export function encodeModel(model: Model<any>, { vocabulary, extra }: ModelExtras = {}): Uint8Array<ArrayBuffer> {
  if (!model.network.isBuilt) {
    throw new ArgumentError(`${model.name}: expected a built model to save; it has not seen an input yet`);
  }
  const tensors = new Map<string, SafetensorsTensor>();
  const put = (name: string, shape: Shape, data: Float32Array): void => {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ArgumentError(`${model.name}: ${name} expected finite numbers, got ${data[bad]} at ${bad}`);
    tensors.set(name, { dtype: 'F32', shape: [...shape], data });
  };
  for (const weight of model.weights) put(weight.name, weight.shape, weight.toArray());
  for (const { carried, path } of model.statefulLayers) {
    carried.values?.forEach((state, i) => put(stateName(path, i), [carried.batch!, carried.specs[i]!.width], state));
  }
  const metadata: Record<string, string> = {
    format: 'tapeloop',
    formatVersion: String(FORMAT_VERSION),
    network: JSON.stringify(model.network.config()),
    random: JSON.stringify(Object.fromEntries(randomLayers(model).map(({ path, random }) => [path, random.state]))),
  };
  if (model.isCompiled) {
    const { optimizer } = model.compiled;
    for (const [name, slot] of optimizer.state(model.weights)) {
      put(`optimizer/${name}`, slot.shape, slot.toArray() as Float32Array);
    }
    const training: Training = {
      ...compileConfig(model.compiled),
      iterations: optimizer.steps,
      shuffle: model.random.state,
    };
    // Tried now, while there is somebody to tell: what has no name of ours could not be made again.
    if (lossTable.isFilled) {
      new Objective(objectiveOptions(training));
      optimizerOf(training.optimizer);
    }
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

/** What `compile` was told, as JSON. */
const compileConfig = ({ objective, optimizer }: AnyModel['compiled']): Omit<Training, 'iterations' | 'shuffle'> => ({
  ...objectiveConfig(objective),
  // Sorted, for an optimizer that was loaded names its options in another order.
  optimizer: Object.fromEntries(Object.entries(optimizer.config()).sort()) as OptimizerConfig,
});

function objectiveConfig({ heads }: Objective): Pick<Training, 'loss' | 'metrics' | 'outputs'> {
  const configs = heads.map(({ key, weight, loss, metrics, weightedMetrics }) => ({
    ...{ key, weight: key === undefined && weight === 1 ? undefined : weight },
    loss: { name: loss.name as LossName, options: configOf('loss', loss) },
    metrics: configsOf(metrics),
    weightedMetrics: weightedMetrics.length > 0 ? configsOf(weightedMetrics) : undefined,
  }));
  const { key, ...only } = configs[0]!;
  return key === undefined ? only : { outputs: configs as NonNullable<Training['outputs']> };
}

const configsOf = (metrics: readonly Metric[]): MetricConfig[] => metrics.map((metric) => configOf('metric', metric));

function configOf<C>(what: string, made: { name: string; config?(): C }): C {
  if (made.config) return made.config();
  throw new ArgumentError(`${what} '${made.name}' is the caller's own, which cannot be saved`);
}

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

/** Layers that have random numbers of their own; the outermost only holds them. */
const randomLayers = (model: AnyModel): readonly AnyLayer[] => model.network.tree().slice(1);

const stateName = (layer: string, index: number): string => `state/${layer}/${index}`;

/**
 * The model that `encodeModel` wrote.
 *
 * @param bytes a whole file; not kept.
 * @param options.file its name, for errors.
 * @returns a model of the engine in use, compiled if it was; the caller's to `dispose`.
 * @throws ModelFileError if the bytes are no safetensors file or not one of tapeloop's, if it is of a newer version, if a
 *   tensor is missing, has another shape than the layer's, or holds a number that is not finite, or if its configuration
 *   describes no model. Nothing is allocated for what the file claims but does not hold.
 */
export function decodeModel(bytes: Uint8Array, { file }: { file?: string } = {}): LoadedModel {
  const opened = openModelFile(bytes, file);
  const { valuesOf, fail } = opened;
  knowAllNames();
  return opened.understand(() =>
    transaction(() => {
      const extras = extrasOf(opened);
      const network = networkOf(opened, 'make that again in code and fill it with restoreModel(model, bytes)');
      // Each weight is checked against the file before memory is taken for it.
      const model = withWeights(valuesOf, () => new Model(sequentialFromConfig(network)));
      if (!model.network.isBuilt) fail('its first layer does not say what input it takes');
      for (const apply of restorations(model, opened)) apply();
      return { model, ...extras };
    }),
  );
}

/**
 * Fills a model that has been made again in code with what `encodeModel` wrote of its like: weights, and what else the file has of
 * optimizer, carried states and random numbers. This is how a custom model is loaded.
 *
 * @param model built, with the layers and names of the one that was saved.
 * @returns the extras of the file.
 * @throws ModelFileError as `decodeModel` does; the model is then as it was. ArgumentError if it is not built.
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever it predicts.
export function restoreModel(model: Model<any>, bytes: Uint8Array, { file }: { file?: string } = {}): ModelExtras {
  if (!model.network.isBuilt) {
    throw new ArgumentError(`${model.name}: expected a built model to restore; it has not seen an input yet`);
  }
  const opened = openModelFile(bytes, file);
  model.runs.expectNone('restoreModel', true);
  return opened.understand(() =>
    transaction(() => {
      const extras = extrasOf(opened);
      const weights = model.weights.map((weight) => [weight, opened.valuesOf(weight.name, weight.shape)] as const);
      for (const apply of restorations(model, opened)) apply();
      // Last, for weights are not put back.
      for (const [weight, values] of weights) weight.assign(values);
      return extras;
    }),
  );
}

/** What else than weights the file has for the model, checked: functions that put it in place. */
function restorations(model: AnyModel, opened: ModelFile): (() => void)[] {
  const random = expectObject("metadata 'random'", opened.parse('random') ?? {});
  const applies = randomLayers(model)
    .filter(({ path }) => Object.hasOwn(random, path))
    .map((layer) => {
      const state = checkedRandom(layer.path, random[layer.path]);
      return () => {
        layer.random.state = state;
      };
    });
  applies.push(...restoredStates(model, opened));
  const training = opened.parse('training');
  if (training !== undefined) applies.push(restoredTraining(model, checkedTraining(training), opened));
  return applies;
}

function restoredStates(model: AnyModel, { tensors, valuesOf }: ModelFile): (() => void)[] {
  const held = model.statefulLayers.filter(({ path }) => tensors.has(stateName(path, 0)));
  const batch = held[0] && (tensors.get(stateName(held[0].path, 0))!.shape[0] || 1);
  return held.map(({ carried, path }) => {
    const values = carried.specs.map(({ width }, i) => valuesOf(stateName(path, i), [batch!, width]));
    return () => {
      carried.reset();
      carried.set(values, batch!);
    };
  });
}

/** Whether `compile` was told what a file says, so that nothing need be made from names. Weights that are exchanged with their averages are another matter. */
function isCompiledAs(model: AnyModel, config: Omit<Training, 'iterations' | 'shuffle'>): boolean {
  if (!model.isCompiled || model.optimizer.isSwapped) return false;
  try {
    return JSON.stringify(compileConfig(model.compiled)) === JSON.stringify(config);
  } catch (error) {
    // A loss, a metric or a schedule of the caller's own is in no file.
    if (error instanceof ArgumentError) return false;
    throw error;
  }
}

function restoredTraining(model: AnyModel, training: Training, { valuesOf }: ModelFile): () => void {
  const { iterations, shuffle, ...config } = training;
  const isKept = isCompiledAs(model, config);
  const optimizer = isKept ? model.optimizer : optimizerOf(config.optimizer);
  const objective = isKept ? undefined : objectiveOptions(training);
  if (objective) new Objective(objective);
  try {
    const slots = [...optimizer.state(model.weights)];
    const values = slots.map(([name, { shape }]) => valuesOf(`optimizer/${name}`, shape));
    return () => {
      if (objective) {
        if (model.isCompiled) model.optimizer.dispose(model.weights);
        model.compileNow({ optimizer, ...objective });
      }
      slots.forEach(([, slot], i) => slot.set(values[i]!));
      optimizer.steps = iterations;
      model.random.state = shuffle;
    };
  } catch (error) {
    if (!isKept) optimizer.dispose();
    throw error;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever it predicts.
type AnyModel = Model<any>;

function expectCount(what: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ArgumentError(`${what} expected an integer ≥ 0, got ${describe(value)}`);
}

function checkedTraining(value: unknown): Training {
  const training = expectObject("metadata 'training'", value);
  const { outputs = [training] } = training;
  if (!Array.isArray(outputs)) throw new ArgumentError(`training.outputs expected a list, got ${describe(outputs)}`);
  for (const output of outputs) {
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
  if (!Array.isArray(value)) throw new ArgumentError(`${what} expected a list, got ${describe(value)}`);
  value.forEach((entry, i) => {
    if (typeof entry === 'string') return;
    const metric = expectObject(`${what}[${i}]`, entry);
    expectString(`${what}[${i}].metric`, metric.metric);
    expectString(`${what}[${i}].name`, metric.name);
  });
}

/**
 * Every number in it must be one: an optimizer takes its default for what is missing, as JSON has NaN and Infinity missing. Schedules and
 * lists check themselves.
 */
function checkOptimizer(value: unknown): void {
  const optimizer = expectObject('training.optimizer', value);
  expectString('training.optimizer.name', optimizer.name);
  for (const [key, entry] of Object.entries({ learningRate: undefined, ...optimizer })) {
    const isChoice = typeof entry === 'boolean' || key === 'name' || (entry === undefined && key !== 'learningRate');
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
