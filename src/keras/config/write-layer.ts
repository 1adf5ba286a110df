// Writes a layer as a configuration of Keras 3 or of TF.js.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json, LayerConfig, SavedLayer } from '../../io/model-file.ts';
import { describe } from '../../io/parsed-json.ts';
import { camelCase, snakeCase } from './era.ts';
import { type LayerRule, layerRules, REQUIRED } from './layer-rules.ts';
import { classOf, writeActivation, writeConstraint, writeInitializer, writeRegularizer } from './values.ts';

/** For whom a configuration is written. */
export type WriteEra = 'keras3' | 'tfjs';

export type KerasJson = { [key: string]: Json };

const toolOf = (era: WriteEra): string => (era === 'tfjs' ? 'TF.js' : 'Keras 3');

// Layers that TF.js does not have.
const missingInTfjs: ReadonlySet<string> = new Set(
  [
    ['ActivityRegularization', 'AdditiveAttention', 'Attention', 'ConvLSTM1D', 'Cropping1D', 'GroupNormalization'],
    ['MultiHeadAttention', 'Normalization', 'SeparableConv1D', 'Lambda', 'UnitNormalization'],
    ['SpatialDropout2D', 'Subtract', 'UpSampling1D', 'ZeroPadding1D'],
  ].flat(),
);
// Options that TF.js does not have, which it computes as if they had these values.
const fixedInTfjs: Readonly<Record<string, Json>> = {
  groups: 1,
  output_padding: null,
  reset_after: false,
  zero_output_for_mask: false,
  keepdims: false,
};
/** Options here that have no effect on a model that is loaded elsewhere. */
const ownHarmless: readonly string[] = ['checkpointEvery', 'dataFormat', 'limit'];
/** Options here that are arguments of a call in Keras. */
export const callArguments: readonly string[] = ['useCausalMask', 'returnAttentionScores'];

/** `{ class_name, config }` of a layer that holds no model. `inner` writes a layer inside a wrapper. */
export function writeLayerConfig(
  { className, config }: SavedLayer,
  era: WriteEra,
  inner: (layer: SavedLayer) => Json,
): KerasJson {
  const what = `layer '${config.name}' (${className})`;
  if (era === 'tfjs' && missingInTfjs.has(className)) throw new ArgumentError(`${what}: TF.js has no such layer`);
  expectName(what, config.name, era);
  const base: KerasJson = {
    name: config.name,
    trainable: config.trainable !== false,
    dtype: era === 'keras3' ? floats : 'float32',
    ...(config.activityRegularizer != null && {
      activity_regularizer: writeRegularizer(config.activityRegularizer, era),
    }),
  };
  if (className === 'Activation' && config.activation === 'leakyRelu' && era === 'tfjs')
    return layerOf('LeakyReLU', { ...base, alpha: 0.2 }, era);
  if (className === 'ReLU' && config.threshold && era === 'tfjs') {
    if (config.negativeSlope || config.maxValue !== undefined)
      throw new ArgumentError(`${what}: TF.js has a threshold without negativeSlope and maxValue alone`);
    return layerOf('ThresholdedReLU', { ...base, theta: config.threshold as Json }, era);
  }
  if (className === 'PReLU' && config.sharedAxes === undefined)
    throw new ArgumentError(
      `${what}: sharedAxes expected a list, got none: ${toolOf(era)} has slopes of another shape; give sharedAxes: [1]`,
    );
  if (Object.hasOwn(activationLayers, className))
    return layerOf(className, { ...base, ...activationLayers[className]!(what, config, era) }, era);
  if (!Object.hasOwn(layerRules, className))
    throw new ArgumentError(
      `${what}: ${toolOf(era)} has no such layer${className === 'Lambda' ? ': its function is code' : ''}`,
    );
  if (era === 'tfjs' && config.padding === 'causal')
    throw new ArgumentError(`${what}: TF.js does not run causal padding`);
  const rule = layerRules[className]!;
  expectKnown(what, rule, config, era);
  const options = Object.entries(rule.options).flatMap(([key, standard]) => {
    const value = config[camelCase(key)] ?? (standard === REQUIRED ? undefined : standard);
    const isPair = className.endsWith('2D') && pairs.includes(key) && typeof value === 'number';
    return writeOption(what, rule, [key, (isPair ? [value, value] : value) as Json], era);
  });
  const only = Object.entries(rule.only ?? {}).filter(([key]) => key === 'data_format');
  return layerOf(
    className,
    { ...base, ...Object.fromEntries([...options, ...only]), ...innerLayers(what, { className, config }, era, inner) },
    era,
  );
}

/** Throws `ArgumentError` for a name that is not allowed elsewhere. */
export function expectName(what: string, name: string, era: WriteEra): void {
  const isAllowed = era === 'tfjs' ? /^[A-Za-z0-9][-A-Za-z0-9._/]*$/.test(name) : !name.includes('/');
  if (isAllowed) return;
  const allowed = era === 'tfjs' ? 'a letter or digit, then letters, digits and . _ - / of ASCII' : `no '/'`;
  throw new ArgumentError(`${what}: ${toolOf(era)} wants names with ${allowed}, got '${name}': give another name`);
}

/** Options that a layer of images has for rows and columns. */
const pairs: readonly string[] = ['kernel_size', 'strides', 'dilation_rate', 'pool_size', 'size'];

/** The data type of a layer of Keras 3. */
export const floats: Json = {
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: 'float32' },
  registered_name: null,
};

export const layerOf = (className: string, config: KerasJson, era: WriteEra): KerasJson =>
  classOf('layers', className, config, era) as KerasJson;

/** Throws `ArgumentError` for an option that is not there elsewhere. */
function expectKnown(what: string, rule: LayerRule, config: LayerConfig, era: WriteEra): void {
  const inner = [
    'name',
    'trainable',
    'batchInputShape',
    'activityRegularizer',
    'layer',
    'backwardLayer',
    'cell',
    'cells',
  ];
  for (const [option, value] of Object.entries(config)) {
    const isKnown = Object.hasOwn(rule.options, snakeCase(option)) || inner.includes(option);
    if (isKnown || ownHarmless.includes(option) || callArguments.includes(option)) continue;
    if (value === undefined || value === null || value === false || value === 0) continue;
    throw new ArgumentError(`${what}: ${toolOf(era)} has no option ${option}, got ${describe(value)}`);
  }
}

function writeOption(
  what: string,
  rule: LayerRule,
  [key, value]: readonly [string, Json],
  era: WriteEra,
): [string, Json][] {
  if (era === 'tfjs' && Object.hasOwn(fixedInTfjs, key)) {
    if (value !== fixedInTfjs[key] && value != null)
      throw new ArgumentError(`${what}: TF.js has no ${key} but ${describe(fixedInTfjs[key])}, got ${describe(value)}`);
    return key === 'reset_after' ? [[key, false]] : [];
  }
  if (value === null) return [[key, null]];
  if (key.endsWith('activation')) return [[key, writeActivation(`${what}: ${key}`, String(value), era)]];
  if (key.endsWith('_initializer')) return [[key, writeInitializer(value, era)]];
  if (key.endsWith('_regularizer')) return [[key, writeRegularizer(value, era)]];
  if (key.endsWith('_constraint')) return [[key, writeConstraint(`${what}: ${key}`, value, era)]];
  if (key === 'merge_mode' && value === 'none') return [[key, null]];
  if (rule.line?.includes(key)) return [[key, [value].flat() as Json]];
  return [[key, value]];
}

/** The layers inside a wrapper. */
function innerLayers(
  what: string,
  { className, config }: SavedLayer,
  era: WriteEra,
  inner: (layer: SavedLayer) => Json,
): KerasJson {
  const layer = (key: string): SavedLayer => config[key] as unknown as SavedLayer;
  switch (className) {
    case 'Bidirectional':
      return bidirectionalLayers(what, config, era, inner);
    case 'TimeDistributed':
      return { layer: inner(layer('layer')) };
    case 'RNN':
      return { cell: inner(layer('cell')) };
    case 'StackedRNNCells':
      return { cells: (config.cells as unknown as SavedLayer[]).map(inner) };
    default:
      return {};
  }
}

/** TF.js has no backward layer of its own: the forward layer's mirror image is left out, and another one is refused. */
function bidirectionalLayers(
  what: string,
  config: LayerConfig,
  era: WriteEra,
  inner: (layer: SavedLayer) => Json,
): KerasJson {
  const layer = inner(renamedLayer(config.layer as unknown as SavedLayer, /^forward_/)) as KerasJson;
  if (config.backwardLayer == null) return { layer };
  const backward = config.backwardLayer as unknown as SavedLayer;
  if (era === 'keras3') return { layer, backward_layer: inner(backward) };
  const { name } = backward.config;
  const written = inner(renamedLayer(backward, /^backward_/)) as KerasJson;
  const [first, second] = [layer, written].map((each) => each.config as KerasJson) as [KerasJson, KerasJson];
  const mirrored: KerasJson = { ...first, go_backwards: first.go_backwards !== true };
  const other =
    layer.class_name !== written.class_name
      ? 'class'
      : Object.keys(second).find((key) => JSON.stringify(second[key]) !== JSON.stringify(mirrored[key]));
  if (other !== undefined || name !== `backward_${first.name}`)
    throw new ArgumentError(
      `${what}: TF.js has no backward layer but the mirror image of the forward layer, got '${name}' with another ${other ?? 'name'}`,
    );
  return { layer };
}

/** The layer without the prefix that a Bidirectional gives it, and with its own masking of outputs. */
function renamedLayer(layer: SavedLayer, prefix: RegExp): SavedLayer {
  const { name, zeroOutputForMask: _, ...config } = layer.config;
  return { ...layer, config: { ...config, name: name.replace(prefix, '') } };
}

type ActivationWriter = (what: string, config: LayerConfig, era: WriteEra) => KerasJson;

const activationLayers: Readonly<Record<string, ActivationWriter>> = {
  ELU(what, { alpha = 1 }, era) {
    if (era === 'tfjs' && alpha !== 1)
      throw new ArgumentError(`${what}: TF.js has alpha 1 alone, got ${describe(alpha)}`);
    return { alpha: alpha as Json };
  },
  LeakyReLU: (_, { negativeSlope = 0.3 }, era) => ({
    [era === 'tfjs' ? 'alpha' : 'negative_slope']: negativeSlope as Json,
  }),
  ReLU(what, { negativeSlope = 0, maxValue = null, threshold = 0 }, era) {
    if (era === 'keras3')
      return { negative_slope: negativeSlope as Json, max_value: maxValue as Json, threshold: threshold as Json };
    if (negativeSlope === 0) return { max_value: maxValue as Json };
    throw new ArgumentError(`${what}: TF.js has negativeSlope 0 alone, got ${describe(negativeSlope)}`);
  },
  Softmax(what, { axis = -1 }, era) {
    if (era === 'tfjs' && axis !== -1)
      throw new ArgumentError(`${what}: TF.js has the last axis alone, got axis ${describe(axis)}`);
    return { axis: axis as Json };
  },
};
