import { ArgumentError, formatShape, type Shape, type Tensor } from '../autograd/tensor.ts';
import type { RandomState } from '../engine/random.ts';
import { decodeSafetensors, encodeSafetensors, ModelFileError, type SafetensorsTensor } from '../io/safetensors.ts';
import { type Json, type LayerConfig, withWeights } from '../layers/layer.ts';
import { sequentialFromConfig } from '../layers/sequential.ts';
import { type LossName, lossOf } from './losses.ts';
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
  metrics: string[];
  optimizer: OptimizerConfig;
  iterations: number;
  shuffle: RandomState;
}

/**
 * A model as the bytes of one safetensors file: weights, layer configuration, and, once compiled, loss, optimizer and its
 * state, carried states and random numbers, so that training goes on from it bit for bit.
 *
 * @returns the file's bytes, the caller's own.
 * @throws ArgumentError if the model is not built, or if its loss or a metric is the caller's own and so has no name.
 * @see https://github.com/huggingface/safetensors
 */
export function encodeModel(model: Model, { vocabulary, extra }: ModelExtras = {}): Uint8Array<ArrayBuffer> {
  if (!model.network.isBuilt) {
    throw new ArgumentError(`${model.name}: expected a built model to save; it has not seen an input yet`);
  }
  const tensors = new Map<string, SafetensorsTensor>();
  const put = (name: string, shape: Shape, data: Float32Array): void => {
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
      metrics: metrics.map((metric) => metric.name),
      optimizer: optimizer.config(),
      iterations: optimizer.iterations,
      shuffle: model.random.state,
    };
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
 * @throws ModelFileError if the bytes are no safetensors file or not one of tapeloop's, if it is of a newer version, or if a
 *   tensor is missing, has another shape than the layer's, or holds a number that is not finite.
 */
export function decodeModel(bytes: Uint8Array, { file }: { file?: string } = {}): LoadedModel {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const fail = (message: string, cause?: unknown): never => {
    throw new ModelFileError(message, { file, cause });
  };
  if (metadata.format !== 'tapeloop') fail(`metadata 'format' expected 'tapeloop', got ${quote(metadata.format)}`);
  const version = Number(metadata.formatVersion);
  if (!(version >= 1 && version <= FORMAT_VERSION)) {
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
    const network = parse<LayerConfig>('network') ?? fail(`metadata 'network' is missing`);
    // Each weight is checked against the file before memory is taken for it.
    const model = withWeights(valuesOf, () => new Model(sequentialFromConfig(network)));
    if (!model.network.isBuilt) fail('its first layer does not say what input it takes');
    const random = parse<Record<string, RandomState>>('random') ?? {};
    for (const layer of model.layers) {
      const state = random[layer.name];
      if (state) layer.random.state = checkedState(state);
    }
    for (const layer of model.statefulLayers) {
      const first = tensors.get(stateName(layer.name, 0));
      if (!first) continue;
      const batch = first.shape[0] ?? 0;
      layer.setStates(
        layer.cell.states.map((_, i) => valuesOf(stateName(layer.name, i), [batch, layer.units])),
        batch,
      );
    }
    const training = parse<Training>('training');
    if (training) restoreTraining(model, training, (name, slot) => valuesOf(`optimizer/${name}`, slot.shape));
    return { model, vocabulary: checkedVocabulary(parse('vocabulary')), extra: parse<Json>('extra') };
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    if (error instanceof ArgumentError || error instanceof TypeError || error instanceof RangeError) {
      fail(`its configuration cannot be used: ${error.message}`, error);
    }
    throw error;
  }
}

function restoreTraining(
  model: Model,
  training: Training,
  valuesOf: (name: string, slot: Tensor) => Float32Array,
): void {
  const optimizer = optimizerOf(training.optimizer);
  const loss = lossOf(training.loss.name, training.loss.options);
  model.compile({ optimizer, loss, metrics: training.metrics as 'accuracy'[] });
  if (!Number.isSafeInteger(training.iterations) || training.iterations < 0) {
    throw new RangeError(`iterations expected an integer ≥ 0, got ${training.iterations}`);
  }
  optimizer.iterations = training.iterations;
  model.random.state = checkedState(training.shuffle);
  for (const [name, slot] of optimizer.state(model.weights)) slot.set(valuesOf(name, slot));
}

function checkedState({ seed, calls }: RandomState): RandomState {
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(calls)) throw new RangeError('a random state is no integer');
  return { seed, calls };
}

function checkedVocabulary(vocabulary: unknown): string[] | undefined {
  if (vocabulary === undefined) return undefined;
  if (!Array.isArray(vocabulary) || !vocabulary.every((entry) => typeof entry === 'string')) {
    throw new TypeError('the vocabulary is no list of strings');
  }
  return vocabulary;
}

const quote = (text: string | undefined): string => (text === undefined ? 'none' : JSON.stringify(text.slice(0, 60)));
