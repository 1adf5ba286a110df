// The JSON files of RTNeural: a list of layers with their shapes and weights, in Keras's layout. Source:
// https://github.com/jatinchowdhury18/RTNeural (RTNeural/model_loader.h, python/model_utils.py).
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import type { Json, LayerConfig } from '../../io/model-file.ts';
import { describe, expectList, expectObject, expectString, type Parsed } from '../../io/parsed-json.ts';
import { type Converted, expectKnownKeys, expectSize, valuesOf } from '../json-file.ts';
import { Stack } from './stack.ts';
import { convertStateDict, isStateDict } from './state-dict.ts';

/** Activations by their names there. */
export const rtNeuralActivations = ['tanh', 'relu', 'sigmoid', 'softmax', 'elu'] as const;

/** Entries of AIDA-X that change sound outside the layers. */
export const soundEntries: readonly string[] = ['in_skip', 'in_gain', 'out_gain'];

/** Converts the object of a file. Throws `ArgumentError` for what it cannot. */
export function convertRtNeural(file: Parsed): Converted {
  if (file.layers === undefined && file.architecture !== undefined)
    throw new ArgumentError('the file is one of Neural Amp Modeler, which importNam reads');
  if (isStateDict(file)) return convertStateDict(file);
  const { in_shape: shape, layers: given, ...metadata } = file;
  for (const name of soundEntries) {
    if ((metadata[name] ?? 0) === 0) continue;
    throw new ArgumentError(
      `${name} ${describe(metadata[name])} is not supported: it changes sound outside the layers`,
    );
  }
  const layers = expectList('layers', given);
  if (layers.length === 0) throw new ArgumentError('layers expected one layer or more, got none');
  const stack = new Stack(expectSize('in_shape', expectList('in_shape', shape).at(-1)));
  layers.forEach((layer, i) => addLayer(stack, `layers[${i}]`, expectObject(`layers[${i}]`, layer)));
  return { name: 'rtneural', layers: stack.layers, weights: stack.weights, extra: metadata as Json };
}

interface Given {
  readonly what: string;
  readonly layer: Parsed;
  readonly units: number;
  /** The i-th weight of the layer, of this shape. */
  weight(i: number, ...shape: number[]): [shape: Shape, data: Float32Array];
}

type Add = (stack: Stack, given: Given) => void;

function addLayer(stack: Stack, what: string, layer: Parsed): void {
  const type = expectString(`${what}.type`, layer.type);
  const add = Object.hasOwn(adders, type) ? adders[type]! : undefined;
  if (!add) {
    const known = Object.keys(adders).join(', ');
    throw new ArgumentError(`${what}.type ${describe(type)} is not supported; ${known} are`);
  }
  const units = expectSize(`${what}.shape`, expectList(`${what}.shape`, layer.shape).at(-1));
  add(stack, {
    what,
    layer,
    units,
    weight(i, ...shape) {
      const given = expectList(`${what}.weights`, layer.weights)[i];
      return [shape, valuesOf(`${what}.weights[${i}]`, given, shape)];
    },
  });
}

/** Throws `ArgumentError` unless the layer has this number of weights. */
function expectWeights({ what, layer }: Given, count: number): void {
  const { length } = expectList(`${what}.weights`, layer.weights);
  if (length !== count) throw new ArgumentError(`${what}.weights expected ${count} arrays, got ${length}`);
}

const common = ['type', 'activation', 'shape', 'weights'];

/** The activation behind a layer: that of a name, or none. */
function activationOf({ what, layer }: Given): string {
  const name = layer.activation ?? '';
  if (name === '' || name === 'linear') return 'linear';
  if ((rtNeuralActivations as readonly unknown[]).includes(name)) return name as string;
  const known = rtNeuralActivations.join(', ');
  throw new ArgumentError(`${what}.activation ${describe(name)} is not supported; ${known} are`);
}

const dense: Add = (stack, given) => {
  const { what, layer, units, weight } = given;
  expectKnownKeys(what, layer, common);
  expectWeights(given, 2);
  const weights = { kernel: weight(0, stack.width, units), bias: weight(1, units) };
  stack.add('Dense', { units, activation: activationOf(given) }, units, weights);
};

/** A recurrent layer, whose activations are always tanh and sigmoid there. */
const recurrent =
  (className: string, gates: number, biases: readonly number[], options: LayerConfig = {}): Add =>
  (stack, given) => {
    const { what, layer, units, weight } = given;
    expectKnownKeys(what, layer, common);
    if (!['', 'tanh'].includes((layer.activation ?? '') as string)) {
      throw new ArgumentError(
        `${what}.activation expected 'tanh' of a recurrent layer, got ${describe(layer.activation)}`,
      );
    }
    expectWeights(given, 3);
    const width = gates * units;
    const weights = {
      kernel: weight(0, stack.width, width),
      recurrentKernel: weight(1, units, width),
      bias: weight(2, ...biases, width),
    };
    stack.add(className, { units, returnSequences: true, ...options }, units, weights);
  };

/** The last of the sizes of a list, or the size itself. */
const lastSize = (what: string, value: unknown): number =>
  expectSize(what, Array.isArray(value) ? value.at(-1) : value);

const adders: Readonly<Record<string, Add>> = {
  dense,
  'time-distributed-dense': dense,
  lstm: recurrent('LSTM', 4, []),
  gru: recurrent('GRU', 3, [2], { resetAfter: true }),
  conv1d(stack, given) {
    const { what, layer, units: filters, weight } = given;
    expectKnownKeys(what, layer, [...common, 'kernel_size', 'dilation', 'groups']);
    expectWeights(given, 2);
    const kernelSize = lastSize(`${what}.kernel_size`, layer.kernel_size);
    const dilationRate = lastSize(`${what}.dilation`, layer.dilation);
    const groups = layer.groups === undefined ? 1 : lastSize(`${what}.groups`, layer.groups);
    if (stack.width % groups || filters % groups) {
      throw new ArgumentError(`${what}.groups expected a divisor of ${stack.width} and ${filters}, got ${groups}`);
    }
    const options = { filters, kernelSize, dilationRate, groups, padding: 'causal', activation: activationOf(given) };
    const weights = { kernel: weight(0, kernelSize, stack.width / groups, filters), bias: weight(1, filters) };
    stack.add('Conv1D', options, filters, weights);
  },
  activation(stack, given) {
    expectKnownKeys(given.what, given.layer, common);
    stack.add('Activation', { activation: activationOf(given) }, expectSame(stack, given));
  },
  prelu(stack, given) {
    const { what, layer, units } = given;
    expectKnownKeys(what, layer, common);
    expectWeights(given, 1);
    // One slope for each feature, behind axes of length 1; or one for all of them.
    let slopes = (layer.weights as unknown[])[0];
    while (Array.isArray(slopes) && slopes.length === 1 && Array.isArray(slopes[0])) slopes = slopes[0];
    const isOne = Array.isArray(slopes) && slopes.length === 1;
    const data = valuesOf(`${what}.weights[0]`, slopes, [isOne ? 1 : units]);
    const alpha: [Shape, Float32Array] = [[units], isOne ? new Float32Array(units).fill(data[0]!) : data];
    stack.add('PReLU', {}, expectSame(stack, given), { alpha });
  },
  batchnorm(stack, given) {
    const { what, layer, units, weight } = given;
    expectKnownKeys(what, layer, [...common, 'epsilon']);
    expectSame(stack, given);
    const { length } = expectList(`${what}.weights`, layer.weights);
    const names = length === 2 ? [] : ['gamma', 'beta'];
    names.push('moving_mean', 'moving_variance');
    expectWeights(given, names.length);
    const epsilon = layer.epsilon ?? 1e-3;
    if (!(typeof epsilon === 'number' && epsilon > 0)) {
      throw new ArgumentError(`${what}.epsilon expected a positive number, got ${describe(epsilon)}`);
    }
    const isAffine = length === 4;
    const weights = Object.fromEntries(names.map((name, i) => [name, weight(i, units)]));
    stack.add('BatchNormalization', { epsilon, scale: isAffine, center: isAffine }, units, weights);
  },
};

/** Throws `ArgumentError` unless the layer keeps the number of features. */
function expectSame({ width }: Stack, { what, units }: Given): number {
  if (units === width) return width;
  throw new ArgumentError(`${what}.shape expected ${width} features, as the layer before has, got ${units}`);
}
