// Makes a model from a configuration of Keras or TF.js, with the weights of the file.
import { ArgumentError } from '../../checks/argument-error.ts';
import { leavesOf, mapNested, type Nested } from '../../data/nested.ts';
import { transaction } from '../../engine/transaction.ts';
import type { Json, SavedLayer } from '../../io/model-file.ts';
import { describe, expectList, expectObject, isObject, type Parsed } from '../../io/parsed-json.ts';
import { ModelFileError } from '../../io/safetensors.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import { type AnyLayer, withWeights } from '../../layers/base/layer.ts';
import { withSharedLayers } from '../../layers/base/saved-layer.ts';
import { layerFromConfig } from '../../layers/layer-classes.ts';
import { Model } from '../../models/model.ts';
import { registerAllNames } from '../../models/register-all.ts';
import { type CustomObjects, withCustomObjects } from '../../registry/custom-objects.ts';
import { type LayerWeights, weightSource } from '../weights/read-weights.ts';
import { type Era, eraOf } from './era.ts';
import { chainOf, readGraph } from './read-graph.ts';
import {
  expectLastAxis,
  kerasLayer,
  lastAxisOnly,
  type ReadContext,
  type ReadLayer,
  readLayerConfig,
} from './read-layer.ts';

export interface ModelOfConfigOptions {
  /** Who wrote the configuration. Default: what it looks like. */
  readonly era?: Era | undefined;
  /** The `keras_version` beside the configuration, if there is one. */
  readonly version?: string | undefined;
  /** Layers, activations and constraints of the caller's own by name; functions of Lambda layers by that of the layer. */
  readonly customObjects?: CustomObjects | undefined;
  /**
   * Gives the weights. It gets the model's layers before they have weights, and returns a function that gives the
   * weights of each layer without sublayers, in Keras's order. Default: the initializers of the layers.
   */
  readonly weights?: ((network: AnyLayer) => LayerWeights) | undefined;
  /** The shape of one sample, for a file that does not have it. */
  readonly inputShape?: BatchShape | undefined;
}

/**
 * Makes the model of a configuration `{ class_name, config }` of Keras.
 *
 * @returns a built model, not compiled. The caller owns it.
 * @throws ArgumentError for a layer or an option that tapeloop does not have; the caller makes it a ModelFileError.
 */
export function modelOfConfig(json: unknown, options: ModelOfConfigOptions = {}): Model {
  const { customObjects = {}, weights, inputShape } = options;
  const top = kerasLayer('model', json);
  const context: ReadContext = {
    era: options.era ?? eraOf(top.json, options.version),
    hasWeights: weights !== undefined,
    isFrozen: false,
    depth: 0,
    axes: new Map(),
    read: readAny,
  };
  registerAllNames();
  return withCustomObjects(customObjects, () =>
    transaction(() => {
      const saved = readModel(top, context);
      const build = (): AnyLayer => {
        const network = withSharedLayers(() => layerFromConfig(saved.className, saved.config)) as AnyLayer;
        network.setScope();
        return network;
      };
      if (!weights) return new Model(built(build(), top, inputShape, context) as Model['network']);
      // Each weight is checked against the file before memory is taken for it.
      let source: ReturnType<typeof weightSource> | undefined;
      const network = withWeights(
        (name, shape) => source!.valuesOf(name, shape),
        () => {
          const made = build();
          source = weightSource(made, weights(made));
          return built(made, top, inputShape, context);
        },
      );
      source!.expectAllTaken();
      return new Model(network as Model['network']);
    }),
  );
}

/** A model or a layer inside a model. */
function readAny(layer: ReadLayer, context: ReadContext): SavedLayer {
  return /^(Functional|Model|Sequential)$/.test(layer.className)
    ? readModel(layer, context)
    : readLayerConfig(layer, context);
}

/** The network of a model's configuration. */
function readModel({ className, config }: ReadLayer, outer: ReadContext): SavedLayer {
  if (outer.depth > 32) throw new ArgumentError('expected at most 32 models inside each other');
  const context = { ...outer, depth: outer.depth + 1, isFrozen: outer.isFrozen || config.trainable === false };
  const name = typeof config.name === 'string' ? config.name : className.toLowerCase();
  if (className === 'Sequential') return readSequential(name, config, context);
  if (className !== 'Functional' && className !== 'Model')
    throw new ArgumentError(`model expected a Sequential or functional model, got class '${className}'`);
  if (!isObject(config) || !('layers' in config))
    throw new ArgumentError(
      `model '${name}' is a subclassed model, whose code is in no file: make it in code and set its weights`,
    );
  const graph = readGraph(name, config, context);
  const chain = outer.depth === 0 ? chainOf(graph) : undefined;
  if (chain) return chain;
  const { layers, name: _, ...calls } = graph;
  return {
    className: 'KerasFunctional',
    config: { name, layers: layers as unknown as Json, graph: calls as unknown as Json },
  };
}

function readSequential(name: string, config: Parsed, context: ReadContext): SavedLayer {
  const layers = expectList(`model '${name}': layers`, config.layers).map((layer, i) =>
    kerasLayer(`model '${name}': layers[${i}]`, layer),
  );
  const [first] = layers;
  const hasInput = first?.className === 'InputLayer';
  const saved = layers.slice(hasInput ? 1 : 0).map((layer) => context.read(layer, context));
  const [head, ...rest] = saved;
  if (!head) throw new ArgumentError(`model '${name}': layers expected one layer or more, got none`);
  // Shapes that inner layers declare are those of the layers before them.
  const plain = rest.map((layer) => {
    const { batchInputShape: _, ...own } = layer.config;
    return { ...layer, config: own };
  });
  const given = hasInput ? (first.config.batch_input_shape ?? first.config.batch_shape) : undefined;
  const shape = isShape(given) ? given : shapeBeside(head, config);
  const isLayer = head.className !== 'Sequential' && head.className !== 'KerasFunctional';
  const firstLayer = shape && isLayer ? { ...head, config: { ...head.config, batchInputShape: shape } } : head;
  return { className: 'Sequential', config: { name, layers: [firstLayer, ...plain] as unknown as Json } };
}

/** The shape that Keras keeps beside the layers, unless the first layer has one. */
function shapeBeside({ config: own }: SavedLayer, config: Parsed): BatchShape | undefined {
  const shape = config.build_input_shape;
  return own.batchInputShape === undefined && isShape(shape) ? shape : undefined;
}

/** Builds a network for the shape that it declares, or for one beside it. */
function built(
  network: AnyLayer,
  { json }: ReadLayer,
  inputShape: BatchShape | undefined,
  { axes }: ReadContext,
): AnyLayer {
  const { inputs, batchInputShape } = network;
  const specs = leavesOf<InputSpec>(inputs, isInputSpec);
  const beside = isObject(json.build_config) ? json.build_config.input_shape : undefined;
  const shapes: Nested<BatchShape> | undefined = specs.every(({ shape }) => shape)
    ? specs.length === 1 && batchInputShape
      ? batchInputShape
      : mapNested<InputSpec, BatchShape>(inputs, isInputSpec, ({ shape }) => [null, ...shape!])
    : inputShape
      ? [null, ...inputShape]
      : isShape(beside)
        ? beside
        : undefined;
  if (shapes === undefined)
    throw new ArgumentError(
      `model '${network.name}': its first layer does not say what input it takes: give inputShape, such as [null, 3]`,
    );
  network.build(shapes as never);
  for (const layer of network.tree()) {
    const given = axes.get(layer.name);
    if (given && lastAxisOnly.includes(layer.className)) expectLastAxis(layer, given);
  }
  return network;
}

/** Runs `body`, in which any error of an argument is one of the file. */
export function asFileError<T>(what: string, file: string | undefined, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    // A `TypeError` or `RangeError` of JavaScript has no message that helps the caller.
    const isPlain = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
    const why = isPlain ? 'a part of its configuration has a value of another kind' : (error as Error).message;
    throw new ModelFileError(`${what}: ${why}`, { file, cause: error });
  }
}

/** The model configuration inside a file's JSON: that of `model_config` or the JSON itself. */
export function configIn(json: unknown): { config: Parsed; version: string | undefined; training: unknown } {
  const whole = parsedObject('model', json);
  const config = parsedObject('model_config', whole.model_config ?? whole);
  const version = whole.keras_version ?? config.keras_version;
  return {
    config,
    version: typeof version === 'string' ? version : undefined,
    training: whole.training_config ?? config.training_config,
  };
}

/** An object, or the JSON text of one. */
function parsedObject(what: string, given: unknown): Parsed {
  if (typeof given !== 'string') return expectObject(what, given);
  try {
    return expectObject(what, JSON.parse(given));
  } catch (cause) {
    throw new ArgumentError(`${what} expected a JSON object, got ${describe(given)}`, { cause });
  }
}
