// Values of options that Keras writes as objects of their own: activations, initializers, regularizers, constraints.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json } from '../../io/model-file.ts';
import { describe, isObject, type Parsed } from '../../io/parsed-json.ts';
import { customName, nameOfCustom } from '../../registry/custom-objects.ts';
import { camelCase, type Era, snakeCase } from './era.ts';
import { ownObject } from './own-object.ts';

/** An object as Keras writes it: a name, or a class with its configuration. */
export interface Named {
  readonly name: string;
  readonly config: Parsed;
}

/** Name and configuration of `"Zeros"`, `{ class_name, config }`, or a function of Keras 3. Undefined for null. */
export function namedOf(what: string, value: unknown): Named | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return { name: value, config: {} };
  if (isObject(value) && typeof value.class_name === 'string') {
    const { class_name: name, config } = value;
    // Keras 3 writes a function as { class_name: 'function', config: its name }.
    if (name === 'function' && typeof config === 'string') return { name: config, config: {} };
    return { name, config: isObject(config) ? config : {} };
  }
  // Keras 1 writes { name, …config }.
  if (isObject(value) && typeof value.name === 'string') {
    const { name, ...config } = value;
    return { name: name as string, config };
  }
  throw new ArgumentError(`${what} expected a name or an object with class_name, got ${describe(value)}`);
}

// Activations that the eras share, by Keras's names.
const activations = [
  ['linear', 'relu', 'sigmoid', 'tanh', 'softmax', 'elu', 'selu', 'softplus', 'softsign', 'relu6', 'gelu', 'mish'],
  ['exponential', 'leaky_relu', 'silu', 'swish', 'log_softmax'],
].flat();
// Those of Keras 3 alone.
const newActivations = [
  ['celu', 'hard_sigmoid', 'hard_silu', 'hard_swish', 'hard_tanh', 'hard_shrink', 'soft_shrink', 'tanh_shrink'],
  ['log_sigmoid', 'squareplus'],
].flat();

const tfjsActivations = [
  ['linear', 'relu', 'sigmoid', 'tanh', 'softmax', 'elu', 'selu', 'softplus', 'softsign', 'relu6', 'gelu', 'mish'],
  ['swish', 'log_softmax'],
].flat();

/** The name of an activation here, by its name in Keras. */
export function readActivation(what: string, value: unknown, era: Era): string {
  const { name = 'linear', config = {} } = namedOf(what, value) ?? {};
  const key = snakeCase(name.replace(/^.*>/, ''));
  const isPlain = Object.entries(config).every(([option, each]) => option === 'name' || each === null);
  if (isPlain) {
    if (key === 'hard_sigmoid') return era === 'keras3' ? 'hardSigmoid' : 'hardSigmoid2';
    if (key === 'gelu_new') return 'geluTanh';
    if (activations.includes(key) || newActivations.includes(key)) return camelCase(key);
  }
  if (typeof ownObject('activation', name) === 'function') return customName(name);
  throw new ArgumentError(
    `${what} expected an activation that tapeloop has, got '${name}'${isPlain ? '' : ' with options'}: give customObjects: { ${name}: (x) => … }`,
  );
}

/**
 * The name of the caller's own function, by which another library finds it; undefined for what is not one. Throws
 * `ArgumentError` for a function without a name: a file has the path of its option in place of one.
 */
function ownName(what: string, value: unknown, era: Era): string | undefined {
  const own = nameOfCustom(value);
  if (own !== undefined && (own === 'anonymous' || own.includes('/')))
    throw new ArgumentError(
      `${what} expected a function with a name, by which ${era === 'tfjs' ? 'TF.js' : 'Keras'} can find one, got a function without a name: make it as const mine = (x) => …`,
    );
  return own;
}

/** The name of an activation in Keras, by its name here. */
export function writeActivation(what: string, name: string, era: Era): string {
  const own = ownName(what, name, era);
  if (own !== undefined) return own;
  if (name === 'hardSigmoid2' && era !== 'keras3') return 'hard_sigmoid';
  if (name === 'geluTanh' && era === 'tfjs')
    throw new ArgumentError(`${what}: TF.js does not load its 'gelu_new', got 'geluTanh'; it has 'gelu'`);
  const key = era === 'tfjs' && name === 'silu' ? 'swish' : snakeCase(name);
  const known = era === 'tfjs' ? tfjsActivations : era === 'keras3' ? [...activations, ...newActivations] : activations;
  if (known.includes(key)) return key;
  throw new ArgumentError(
    `${what}: ${era === 'tfjs' ? 'TF.js' : era === 'keras3' ? 'Keras 3' : 'Keras 2'} has no activation '${name}'`,
  );
}

// Classes of Keras by the names here.
const initializers: Readonly<Record<string, string>> = {
  zeros: 'Zeros',
  ones: 'Ones',
  randomUniform: 'RandomUniform',
  randomNormal: 'RandomNormal',
  glorotUniform: 'GlorotUniform',
  glorotNormal: 'GlorotNormal',
  heUniform: 'HeUniform',
  heNormal: 'HeNormal',
  lecunUniform: 'LecunUniform',
  lecunNormal: 'LecunNormal',
  orthogonal: 'Orthogonal',
};

const oldNames: Readonly<Record<string, string>> = { zero: 'zeros', one: 'ones', uniform: 'randomUniform' };

/** The kinds of `VarianceScaling` that have a name, as `scale mode distribution`. */
const scalings: Readonly<Record<string, string>> = {
  '1 fan_avg uniform': 'glorotUniform',
  '1 fan_avg normal': 'glorotNormal',
  '1 fan_avg truncated_normal': 'glorotNormal',
  '2 fan_in uniform': 'heUniform',
  '2 fan_in normal': 'heNormal',
  '2 fan_in truncated_normal': 'heNormal',
  '1 fan_in uniform': 'lecunUniform',
  '1 fan_in normal': 'lecunNormal',
  '1 fan_in truncated_normal': 'lecunNormal',
};

/** The specification of an initializer; undefined for one that tapeloop does not have. */
export function readInitializer(what: string, value: unknown): Json | undefined {
  const { name = 'zeros', config = {} } = namedOf(what, value) ?? {};
  const key = camelCase(snakeCase(name.replace(/Initializer$/, '')).replace('le_cun', 'lecun'));
  if (key === 'constant') return { name: 'constant', value: Number(config.value ?? 0) };
  if (key === 'randomUniform' && 'minval' in config)
    return { name: key, minval: Number(config.minval ?? -0.05), maxval: Number(config.maxval ?? 0.05) };
  if (key === 'randomNormal' && 'stddev' in config)
    return { name: key, mean: Number(config.mean ?? 0), stddev: Number(config.stddev ?? 0.05) };
  if (key === 'varianceScaling') return scalings[`${config.scale} ${config.mode} ${config.distribution}`];
  if (key === 'orthogonal' && Number(config.gain ?? 1) !== 1) return undefined;
  const plain = Object.hasOwn(oldNames, key) ? oldNames[key]! : key;
  return Object.hasOwn(initializers, plain) ? plain : undefined;
}

/** An initializer as Keras writes it. */
export function writeInitializer(spec: Json, era: Era): Json {
  const { name, ...options } = typeof spec === 'string' ? { name: spec } : (spec as { name: string });
  const className = name === 'constant' ? 'Constant' : initializers[name]!;
  const defaults =
    typeof spec !== 'string' || !/^random/.test(name)
      ? {}
      : name === 'randomUniform'
        ? { minval: -0.05, maxval: 0.05 }
        : { mean: 0, stddev: 0.05 };
  const isRandom = !['Zeros', 'Ones', 'Constant'].includes(className);
  const config = {
    ...defaults,
    ...options,
    ...(className === 'Orthogonal' && { gain: 1 }),
    ...(isRandom && { seed: null }),
  };
  return classOf('initializers', era === 'tfjs' ? className.replace('Lecun', 'LeCun') : className, config, era);
}

/** An object of a class, in the form of an era. */
export const classOf = (module: string, className: string, config: Json, era: Era): Json =>
  era === 'keras3'
    ? { module: `keras.${module}`, class_name: className, config, registered_name: null }
    : { class_name: className, config };

export function readRegularizer(what: string, value: unknown): Json | undefined {
  const named = namedOf(what, value);
  if (!named) return undefined;
  const { name, config } = named;
  const key = name.toLowerCase().replaceAll('_', '');
  // An activity regularizer of Keras 1 has the same factors, but other sums.
  if (!['l1', 'l2', 'l1l2', 'weightregularizer'].includes(key))
    throw new ArgumentError(`${what} expected L1, L2 or L1L2, got '${name}', which tapeloop does not have`);
  // A name has the factor 0.01, an object of class L1 may write it as `l1`.
  const factor = (which: 'l1' | 'l2'): number => {
    if (config[which] !== undefined && config[which] !== null) return Number(config[which]);
    return Object.keys(config).length === 0 && key.includes(which) ? 0.01 : 0;
  };
  return { l1: factor('l1'), l2: factor('l2') };
}

export function writeRegularizer(spec: Json, era: Era): Json {
  const named = { l1: { l1: 0.01 }, l2: { l2: 0.01 }, l1l2: { l1: 0.01, l2: 0.01 } };
  const { l1 = 0, l2 = 0 } = (typeof spec === 'string' ? named[spec as 'l1l2'] : spec) as { l1?: number; l2?: number };
  return classOf('regularizers', 'L1L2', { l1, l2 }, era);
}

const constraints: Readonly<Record<string, string>> = {
  maxNorm: 'MaxNorm',
  minMaxNorm: 'MinMaxNorm',
  nonNeg: 'NonNeg',
  unitNorm: 'UnitNorm',
};

export function readConstraint(what: string, value: unknown): Json | undefined {
  const named = namedOf(what, value);
  if (!named) return undefined;
  const key = camelCase(snakeCase(named.name));
  const name = { maxnorm: 'maxNorm', nonneg: 'nonNeg', unitnorm: 'unitNorm' }[key] ?? key;
  if (typeof ownObject('constraint', named.name) === 'function' && !Object.hasOwn(constraints, name))
    return customName(named.name);
  if (!Object.hasOwn(constraints, name))
    throw new ArgumentError(
      `${what} expected ${Object.values(constraints).join(', ')}, got '${named.name}': give customObjects: { ${named.name}: (w) => … }`,
    );
  const options = Object.entries(named.config).filter(([key, each]) => key !== 'name' && each !== null);
  // Keras 1 wrote `m` for the greatest norm.
  return {
    name,
    ...Object.fromEntries(options.map(([key, each]) => [key === 'm' ? 'maxValue' : camelCase(key), each])),
  } as Json;
}

export function writeConstraint(what: string, spec: Json, era: Era): Json {
  // A constraint object tells its options as JSON.
  const plain = JSON.parse(JSON.stringify(spec)) as Json;
  const own = ownName(what, plain, era);
  if (own !== undefined) return own;
  const { name, ...options } = typeof plain === 'string' ? { name: plain } : (plain as { name: string });
  if (!Object.hasOwn(constraints, name)) throw new ArgumentError(`${what}: Keras has no constraint '${name}'`);
  const filled: Record<string, Json> = { ...(options as Record<string, Json>) };
  if (name === 'maxNorm') filled.maxValue ??= 2;
  if (name === 'minMaxNorm') Object.assign(filled, { minValue: 0, maxValue: 1, rate: 1, ...filled });
  if (name !== 'nonNeg') filled.axis ??= 0;
  const config = Object.fromEntries(Object.entries(filled).map(([key, each]) => [snakeCase(key), each]));
  return classOf('constraints', constraints[name]!, config, era);
}
