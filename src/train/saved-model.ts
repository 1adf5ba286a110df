import { ArgumentError, formatShape, type Shape } from '../autograd/tensor.ts';
import type { RandomState } from '../engine/random.ts';
import { decodeSafetensors, encodeSafetensors, ModelFileError, type SafetensorsTensor } from '../io/safetensors.ts';
import { type Json, type LayerConfig, withWeights } from '../layers/layer.ts';
import { sequentialFromConfig } from '../layers/sequential.ts';
import { type LossName, lossOf } from './losses.ts';
import { type MetricName, metricOf } from './metrics.ts';
import { Model } from './model.ts';
import { type OptimizerConfig, optimizerOf } from './optimizers.ts';

const FORMAT_VERSION = 1;

/** What a model file holds besides the model. */
export interface ModelExtras {
  /** Characters or words by id, for a model of text. */
  vocabulary?: readonly string[] | undefined;
  /** Anything of the caller's own, as JSON. */
  extra?: Json | undefined;
}

export interface LoadedModel extends ModelExtras {
  model: Model;
}

// How the file's metadata reads once its strings are parsed.
interface Training {
  loss: { name: LossName; options: { fromLogits?: boolean } };
  metrics: MetricName[];
  optimizer: OptimizerConfig;
  iterations: number;
  shuffle: RandomState;
}

/**
 * A model as the bytes of one safetensors file: weights, layer configuration, and, once compiled, loss, optimizer and its
 * state, carried states and random numbers, so that training goes on from it bit for bit.
 *
 * @returns the file's bytes, the caller's own.
 * @throws ArgumentError if the model is not built, if its loss or a metric is the caller's own and so has no name of ours, or if
 *   a number is not finite: no file is made that `decodeModel` would refuse.
 * @see https://github.com/huggingface/safetensors
 */
export function encodeModel(model: Model, { vocabulary, extra }: ModelExtras = {}): Uint8Array<ArrayBuffer> {
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
  for (const layer of model.statefulLayers) {
    layer.states?.forEach((state, i) =>
      put(stateName(layer.name, i), [state.length / layer.units, layer.units], state),
    );
  }
  const metadata: Record<string, string> = {
    format: 'tapeloop',
    formatVersion: String(FORMAT_VERSION),
    network: JSON.stringify(model.network.config()),
    random: JSON.stringify(Object.fromEntries(model.layers.map((layer) => [layer.name, layer.random.state]))),
  };
  if (model.isCompiled) {
    const { optimizer, loss, metrics } = model.compiled;
    for (const [name, slot] of optimizer.state(model.weights)) {
      put(`optimizer/${name}`, slot.shape, slot.toArray() as Float32Array);
    }
    const training: Training = {
      loss: { name: loss.name as LossName, options: loss.config() },
      metrics: metrics.map((metric) => metric.name as MetricName),
      // Sorted, for an optimizer that was loaded names its options in another order.
      optimizer: Object.fromEntries(Object.entries(optimizer.config()).sort()) as OptimizerConfig,
      iterations: optimizer.iterations,
      shuffle: model.random.state,
    };
    // Tried now, while there is somebody to tell: what has no name of ours could not be made again.
    const again = lossOf(training.loss.name, training.loss.options);
    for (const name of training.metrics) metricOf(name, again);
    checkOptimizer(training.optimizer);
    metadata.training = JSON.stringify(training);
  }
  if (vocabulary) metadata.vocabulary = JSON.stringify(vocabulary);
  if (extra !== undefined) metadata.extra = JSON.stringify(extra);
  return encodeSafetensors(tensors, metadata);
}

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
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const fail = (message: string, cause?: unknown): never => {
    throw new ModelFileError(message, { file, cause });
  };
  if (metadata.format !== 'tapeloop') fail(`metadata 'format' expected 'tapeloop', got ${quote(metadata.format)}`);
  const version = Number(metadata.formatVersion);
  if (!(Number.isInteger(version) && version >= 1 && version <= FORMAT_VERSION)) {
    fail(`written in format version ${quote(metadata.formatVersion)}; this tapeloop reads up to ${FORMAT_VERSION}`);
  }
  const parse = <T>(key: string): T | undefined => {
    if (metadata[key] === undefined) return undefined;
    try {
      return JSON.parse(metadata[key]) as T;
    } catch (cause) {
      return fail(`metadata '${key}' expected JSON, got ${quote(metadata[key])}`, cause);
    }
  };
  const valuesOf = (name: string, shape: Shape | undefined): Float32Array => {
    const found = tensors.get(name);
    if (found?.dtype !== 'F32') return fail(`tensor '${name}' expected in F32, got ${found?.dtype ?? 'none'}`);
    if (shape && formatShape(found.shape) !== formatShape(shape)) {
      fail(`tensor '${name}' expected ${formatShape(shape)}, got ${formatShape(found.shape)}`);
    }
    const bad = found.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) fail(`tensor '${name}' expected finite numbers, got ${found.data[bad]} at ${bad}`);
    return found.data;
  };

  try {
    const network = checkedNetwork(parse('network'));
    // Each weight is checked against the file before memory is taken for it.
    const model = withWeights(valuesOf, () => new Model(sequentialFromConfig(network)));
    if (!model.network.isBuilt) fail('its first layer does not say what input it takes');
    const random = expectObject("metadata 'random'", parse('random') ?? {});
    for (const layer of model.layers) {
      if (Object.hasOwn(random, layer.name)) layer.random.state = checkedRandom(layer.name, random[layer.name]);
    }
    restoreStates(model, tensors, valuesOf);
    const training = parse('training');
    if (training !== undefined) restoreTraining(model, checkedTraining(training), valuesOf);
    const vocabulary = parse('vocabulary');
    if (vocabulary !== undefined) expectStrings("metadata 'vocabulary'", vocabulary);
    return { model, vocabulary: vocabulary as string[] | undefined, extra: parse<Json>('extra') };
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    if (error instanceof ArgumentError || error instanceof TypeError || error instanceof RangeError) {
      fail(`its configuration cannot be used: ${error.message}`, error);
    }
    throw error;
  }
}

type ValuesOf = (name: string, shape: Shape) => Float32Array;

function restoreStates(model: Model, tensors: ReadonlyMap<string, SafetensorsTensor>, valuesOf: ValuesOf): void {
  let batch: number | undefined;
  for (const layer of model.statefulLayers) {
    const first = tensors.get(stateName(layer.name, 0));
    if (!first) continue;
    batch ??= first.shape[0] || 1;
    const shape = [batch, layer.units];
    layer.setStates(
      layer.cell.states.map((_, i) => valuesOf(stateName(layer.name, i), shape)),
      batch,
    );
  }
}

function restoreTraining(model: Model, training: Training, valuesOf: ValuesOf): void {
  const optimizer = optimizerOf(training.optimizer);
  const loss = lossOf(training.loss.name, training.loss.options);
  model.compile({ optimizer, loss, metrics: training.metrics });
  optimizer.iterations = training.iterations;
  model.random.state = training.shuffle;
  for (const [name, slot] of optimizer.state(model.weights)) slot.set(valuesOf(`optimizer/${name}`, slot.shape));
}

// What JSON gave, held to what the code behind it takes for granted. What a layer, a loss or an optimizer checks itself is left to it.

type Parsed = Readonly<Record<string, unknown>>;

function expectObject(what: string, value: unknown): Parsed {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Parsed;
  throw new TypeError(`${what} expected an object, got ${describe(value)}`);
}

function expectStrings(what: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} expected a list of strings, got ${describe(value)}`);
  const at = value.findIndex((entry) => typeof entry !== 'string');
  if (at >= 0) throw new TypeError(`${what}[${at}] expected a string, got ${describe(value[at])}`);
  return value;
}

function expectString(what: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${what} expected a string, got ${describe(value)}`);
}

function expectCount(what: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new RangeError(`${what} expected an integer ≥ 0, got ${describe(value)}`);
}

function checkedNetwork(value: unknown): LayerConfig {
  const network = expectObject("metadata 'network'", value);
  expectString('network.name', network.name);
  const { layers } = network;
  if (!Array.isArray(layers)) throw new TypeError(`network.layers expected a list, got ${describe(layers)}`);
  layers.forEach((entry, i) => {
    const layer = expectObject(`network.layers[${i}]`, entry);
    expectString(`network.layers[${i}].className`, layer.className);
    const config = expectObject(`network.layers[${i}].config`, layer.config);
    expectString(`network.layers[${i}].config.name`, config.name);
    // JSON's word for NaN, which a comparison takes for 0.
    const missing = Object.keys(config).find((key) => config[key] === null);
    if (missing !== undefined) {
      throw new TypeError(`network.layers[${i}].config.${missing} expected a value, got null`);
    }
  });
  return network as LayerConfig;
}

function checkedTraining(value: unknown): Training {
  const training = expectObject("metadata 'training'", value);
  const loss = expectObject('training.loss', training.loss);
  expectString('training.loss.name', loss.name);
  expectObject('training.loss.options', loss.options);
  expectStrings('training.metrics', training.metrics);
  checkOptimizer(training.optimizer);
  expectCount('training.iterations', training.iterations);
  return { ...(training as unknown as Training), shuffle: checkedRandom('shuffling', training.shuffle) };
}

/** Every number in it must be one: an optimizer takes its default for what is missing, as JSON has NaN and Infinity missing. */
function checkOptimizer(value: unknown): void {
  const optimizer = expectObject('training.optimizer', value);
  expectString('training.optimizer.name', optimizer.name);
  for (const [key, entry] of Object.entries({ learningRate: undefined, ...optimizer })) {
    const isChoice = typeof entry === 'boolean' || key === 'name' || (entry === undefined && key !== 'learningRate');
    if (!isChoice && !Number.isFinite(entry)) {
      throw new ArgumentError(`training.optimizer.${key} expected a finite number, got ${describe(entry)}`);
    }
  }
}

function checkedRandom(of: string, value: unknown): RandomState {
  const what = `random state of ${of}`;
  const state = expectObject(what, value);
  const seed = expectCount(`${what}: seed`, state.seed);
  if (seed > 0xffffffff) throw new RangeError(`${what}: seed expected below 2^32, got ${seed}`);
  return { seed, calls: expectCount(`${what}: calls`, state.calls) };
}

const quote = (text: string | undefined): string => (text === undefined ? 'none' : JSON.stringify(text.slice(0, 60)));

function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'none' : String(value);
}
