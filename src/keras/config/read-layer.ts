// Reads a layer of a Keras configuration: class and options of the layer of tapeloop that computes the same.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json, SavedLayer } from '../../io/model-file.ts';
import { describe, expectList, expectObject, expectString, isObject, type Parsed } from '../../io/parsed-json.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { camelCase, type Era } from './era.ts';
import { defaultIn, harmlessOptions, type LayerRule, layerRules, REQUIRED } from './layer-rules.ts';
import { type KerasLayer, renamed } from './old-names.ts';
import { ownObject } from './own-object.ts';
import { readActivation, readConstraint, readInitializer, readRegularizer } from './values.ts';

/** What holds for a whole model while its configuration is read. */
export interface ReadContext {
  readonly era: Era;
  /** Whether the weights come from a file, so that initializers do not matter. */
  readonly hasWeights: boolean;
  /** Whether an outer model is not trained. */
  readonly isFrozen: boolean;
  /** Depth of nesting, to stop at a file that goes on for ever. */
  readonly depth: number;
  /** Checks that need the shapes of the built model, by the name of the layer. */
  readonly axes: Map<string, readonly number[]>;
  /** Reads a layer inside another one, which may hold a model. */
  readonly read: (layer: ReadLayer, context: ReadContext) => SavedLayer;
}

/** A layer as a file has it, with the JSON that it comes from. */
export interface ReadLayer extends KerasLayer {
  readonly json: Parsed;
}

type Config = { [key: string]: Json | undefined; name: string };

/** Class and configuration of `{ class_name, config }`. */
export function kerasLayer(what: string, value: unknown): ReadLayer {
  const json = expectObject(what, value);
  const className = expectString(`${what}.class_name`, json.class_name);
  // The oldest Sequential has its layers as its configuration.
  const config = Array.isArray(json.config) ? { layers: json.config } : expectObject(`${what}.config`, json.config);
  return { className: className.replace(/^.*>/, ''), config, json };
}

/** The layer of tapeloop for a layer of Keras that holds no model. */
export function readLayerConfig(given: KerasLayer, context: ReadContext): SavedLayer {
  const { className, config } = renamed(given);
  const what = `layer '${String(config.name ?? className)}' (${given.className})`;
  if (context.depth > 32) throw new ArgumentError(`${what}: expected at most 32 layers inside each other`);
  const name = expectString(`${what}: name`, config.name ?? className.toLowerCase());
  const base: Config = {
    name,
    ...((config.trainable === false || context.isFrozen) && { trainable: false }),
    ...shapeOf(what, className, config),
    activityRegularizer: readRegularizer(`${what}: activity_regularizer`, config.activity_regularizer),
  };
  expectFloats(what, config.dtype);
  if (lastAxisOnly.includes(className)) keepAxes(what, name, config.axis, context);
  const special = Object.hasOwn(activationLayers, className) ? activationLayers[className]!(what, config) : undefined;
  if (special) return { className, config: { ...base, ...special } as SavedLayer['config'] };
  if (className === 'Lambda') return { className, config: base as SavedLayer['config'] };
  if (!Object.hasOwn(layerRules, className)) return customLayer(what, className, config, base);
  const rule = layerRules[className]!;
  const options = {
    ...base,
    ...optionsOf(what, rule, config, context),
    ...innerLayers(what, className, config, context),
  };
  return { className, config: options as SavedLayer['config'] };
}

/** A layer of the caller's own: its options with the names of tapeloop. */
function customLayer(what: string, className: string, config: Parsed, base: Config): SavedLayer {
  if (ownObject('layer', className) === undefined)
    throw new ArgumentError(`${what}: tapeloop has no such layer: give customObjects: { ${className}: YourLayer }`);
  const { name, trainable, batch_input_shape, dtype, activity_regularizer, ...own } = config;
  const options = Object.entries(own).filter(([, value]) => value !== null);
  const camel = Object.fromEntries(options.map(([key, value]) => [camelCase(key), value]));
  return { className, config: { ...camel, ...base } as unknown as SavedLayer['config'] };
}

/** Throws `ArgumentError` for a data type whose results are others than those of float32. */
function expectFloats(what: string, dtype: unknown): void {
  const name = isObject(dtype) ? (isObject(dtype.config) ? dtype.config.name : undefined) : dtype;
  if (name === undefined || name === null || /^(float(16|32|64)|bfloat16|mixed_\w+|u?int\d+|bool)$/.test(String(name)))
    return;
  throw new ArgumentError(`${what}: dtype expected floats, got ${describe(name)}`);
}

/** The input shape that a layer declares. */
function shapeOf(what: string, className: string, config: Parsed): { batchInputShape?: readonly (number | null)[] } {
  const given = config.batch_input_shape ?? config.batch_shape;
  const listed = given ?? (Array.isArray(config.input_shape) ? [null, ...config.input_shape] : undefined);
  if (listed !== undefined && listed !== null) {
    if (!isShape(listed))
      throw new ArgumentError(`${what}: batch_input_shape expected a shape, got ${describe(listed)}`);
    return { batchInputShape: listed };
  }
  // Keras 0.3 and 1 wrote the lengths one by one.
  const { input_dim: width, input_length: time = null } = config;
  if (typeof width !== 'number' || className === 'Embedding') return {};
  const shape = className === 'Dense' ? [null, width] : [null, time, width];
  return isShape(shape) ? { batchInputShape: shape } : {};
}

/** Reads the options of a layer by its rule. Throws `ArgumentError` for one that would change results. */
function optionsOf(
  what: string,
  rule: LayerRule,
  config: Parsed,
  { era, hasWeights }: ReadContext,
): Record<string, Json> {
  const options: Record<string, Json> = {};
  for (const [key, standard] of Object.entries(rule.options)) {
    const absent = defaultIn(era, key, standard);
    const isGiven = Object.hasOwn(config, key) && config[key] !== undefined;
    const value = isGiven ? config[key] : absent;
    if (value === REQUIRED) throw new ArgumentError(`${what}: ${key} expected a value, got none`);
    const read = readOption(`${what}: ${key}`, key, value, { era, hasWeights, isGiven, standard });
    if (read !== undefined && read !== null) options[camelCase(key)] = rule.line?.includes(key) ? only(read) : read;
  }
  for (const key of rule.ofCalls ?? []) if (config[key] === true) options[camelCase(key)] = true;
  for (const [key, value] of Object.entries(config)) {
    if (rule.ofCalls?.includes(key)) continue;
    if (Object.hasOwn(rule.options, key) || innerNames.includes(key) || isOfCell(key, config)) continue;
    if (rule.only && Object.hasOwn(rule.only, key)) {
      const isSame = value === rule.only[key] || value === null || (key === 'mode' && value === 'default');
      if (!isSame)
        throw new ArgumentError(`${what}: ${key} expected ${describe(rule.only[key])}, got ${describe(value)}`);
      continue;
    }
    const isHarmless = value === null || harmlessOptions.includes(key) || rule.harmless?.includes(key);
    // A layer that is not recurrent has no state to carry.
    if (isHarmless && !(key === 'stateful' && value === true)) continue;
    throw new ArgumentError(
      `${what}: ${key} expected no such option, got ${describe(value)}, which tapeloop does not have`,
    );
  }
  return options;
}

interface OptionContext {
  readonly era: Era;
  readonly hasWeights: boolean;
  readonly isGiven: boolean;
  /** The default of Keras 3, which is tapeloop's. */
  readonly standard: Json | typeof REQUIRED;
}

function readOption(what: string, key: string, value: unknown, context: OptionContext): Json | undefined {
  if (key.endsWith('activation')) return readActivation(what, value, context.era);
  if (key.endsWith('_regularizer')) return readRegularizer(what, value);
  if (key.endsWith('_constraint')) return readConstraint(what, value);
  if (key.endsWith('_initializer')) {
    if (!context.isGiven) return context.standard as Json;
    const read = value === null ? (context.standard as Json) : readInitializer(what, value);
    if (read !== undefined || context.hasWeights) return read;
    throw new ArgumentError(`${what} expected an initializer that tapeloop has, got ${describe(value)}`);
  }
  if (key === 'merge_mode') return (value ?? 'none') as Json;
  // TF.js writes options that were not given as null.
  if (value === null) return typeof context.standard === 'symbol' ? undefined : context.standard;
  if (key === 'axis' && Array.isArray(value) && value.length === 1) return value[0] as Json;
  if (/^(noise_shape|output_padding|mean|variance)$/.test(key) || typeof value !== 'object') return value as Json;
  expectNumbers(what, value);
  return value as Json;
}

/** Throws `ArgumentError` unless it is a list of integers, or of such lists. */
function expectNumbers(what: string, value: unknown): void {
  const isCounts = (list: unknown): boolean => Array.isArray(list) && list.every((n) => Number.isInteger(n));
  if (isCounts(value) || (Array.isArray(value) && value.every(isCounts))) return;
  throw new ArgumentError(`${what} expected numbers, got ${describe(value)}`);
}

const only = (value: Json): Json => (Array.isArray(value) && value.length === 1 ? (value[0] as Json) : value);

/** Whether an option is that of the cell inside: TF.js writes them twice. */
const isOfCell = (key: string, { cell }: Parsed): boolean =>
  isObject(cell) && isObject(cell.config) && Object.hasOwn(cell.config, key);

const innerNames = ['layer', 'backward_layer', 'cell', 'cells'];

/** The layers inside a wrapper. */
function innerLayers(what: string, className: string, config: Parsed, outer: ReadContext): Record<string, Json> {
  const isFrozen = outer.isFrozen || config.trainable === false;
  const context = { ...outer, isFrozen, depth: outer.depth + 1 };
  const inner = (key: string, keepsShape = false): Json => {
    const layer = context.read(kerasLayer(`${what}: ${key}`, config[key]), context);
    if (keepsShape) return layer as unknown as Json;
    const { batchInputShape: _, ...rest } = layer.config;
    return { ...layer, config: rest } as unknown as Json;
  };
  switch (className) {
    case 'Bidirectional':
      return {
        layer: inner('layer', config.batch_input_shape == null),
        ...(config.backward_layer != null && { backwardLayer: inner('backward_layer') }),
      };
    case 'TimeDistributed':
      return { layer: inner('layer') };
    case 'RNN':
      return { cell: inner('cell') };
    case 'StackedRNNCells':
      return {
        cells: expectList(`${what}: cells`, config.cells).map(
          (cell, i) => context.read(kerasLayer(`${what}: cells[${i}]`, cell), context) as unknown as Json,
        ),
      };
    default:
      return {};
  }
}

/** Layers that work along an axis, which is the last one here. */
export const lastAxisOnly: readonly string[] = ['GroupNormalization', 'LayerNormalization', 'Normalization'];

/** Keeps the axes of such a layer until its shape is known. */
function keepAxes(what: string, name: string, axis: unknown, { axes }: ReadContext): void {
  const list = [axis ?? -1].flat();
  if (list.length === 1 && list[0] === -1) return;
  if (!list.every(Number.isInteger)) throw new ArgumentError(`${what}: axis expected integers, got ${describe(axis)}`);
  axes.set(name, list as number[]);
}

/** Throws `ArgumentError` for such a layer along another axis. */
export function expectLastAxis(layer: AnyLayer, axes: readonly number[]): void {
  const shape = layer.builtShape as BatchShape | undefined;
  if (!shape || (axes.length === 1 && axes[0] === shape.length - 1)) return;
  const got = axes.join(', ');
  throw new ArgumentError(
    `layer '${layer.name}' (${layer.className}): axis expected the last of ${shape.length}, got ${got}`,
  );
}

/** A number of a configuration; undefined if it has none. */
function numberOf(what: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  // Keras 1 wrote arrays of NumPy as objects.
  if (isObject(value) && typeof value.value === 'number') return value.value;
  if (typeof value === 'number') return value;
  throw new ArgumentError(`${what} expected a number, got ${describe(value)}`);
}

type ActivationReader = (what: string, config: Parsed) => Record<string, Json>;

/** Activations that are layers: their options here. */
const activationLayers: Readonly<Record<string, ActivationReader>> = {
  ELU: (what, { alpha }) => ({ alpha: numberOf(`${what}: alpha`, alpha) ?? 1 }),
  LeakyReLU: (what, { alpha, negative_slope = alpha }) => ({
    negativeSlope: numberOf(`${what}: negative_slope`, negative_slope) ?? 0.3,
  }),
  ReLU(what, { max_value, negative_slope, threshold }) {
    const maxValue = numberOf(`${what}: max_value`, max_value);
    const least = numberOf(`${what}: threshold`, threshold) ?? 0;
    return {
      negativeSlope: numberOf(`${what}: negative_slope`, negative_slope) ?? 0,
      ...(maxValue !== undefined && { maxValue }),
      ...(least !== 0 && { threshold: least }),
    };
  },
  Softmax(what, { axis }) {
    const at = [axis ?? -1].flat()[0];
    if (Array.isArray(axis) && axis.length !== 1)
      throw new ArgumentError(`${what}: axis expected one axis, got ${describe(axis)}`);
    return at === -1 ? {} : { axis: numberOf(`${what}: axis`, at)! };
  },
};
