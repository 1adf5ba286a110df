// Gives the weights of a file to layers: to those of a model that is being built, or to a built layer.
import type { Parameter } from '../../autograd/parameter.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { Era } from '../config/era.ts';
import type { KerasArray } from './keras-array.ts';
import { inOurLayout, isWhole } from './layouts.ts';
import { leafLayers, ownWeights, weightNamesOf } from './weight-names.ts';

/** The weights of each layer's own, in Keras's order. */
export type LayerWeights = (leaf: AnyLayer) => readonly KerasArray[];

export interface WeightSource {
  /** Values for a new weight. Throws `ArgumentError` unless the file has it, in this shape and finite. */
  valuesOf(name: string, shape: Shape): Float32Array;
  /** Throws `ArgumentError` if a layer has more weights in the file than here. */
  expectAllTaken(): void;
}

/** Takes the weights of a network that is being built from a file. */
export function weightSource(network: AnyLayer, weights: LayerWeights): WeightSource {
  const leaves = new Map(leafLayers(network).map((leaf) => [leaf.path, leaf]));
  const taken = new Map<AnyLayer, { arrays: readonly KerasArray[]; next: number }>();
  const entryOf = (leaf: AnyLayer): { arrays: readonly KerasArray[]; next: number } => {
    const known = taken.get(leaf);
    if (known) return known;
    const made = { arrays: inOurLayout(leaf, weights(leaf)), next: 0 };
    taken.set(leaf, made);
    return made;
  };
  return {
    valuesOf(name, shape) {
      const leaf = leafOf(leaves, name);
      const entry = entryOf(leaf);
      const array = entry.arrays[entry.next++];
      const what = `weight '${name}'`;
      if (!array) throw new ArgumentError(`${what} expected ${formatShape(shape)}, got none in the file`);
      return checked(what, array, shape);
    },
    expectAllTaken() {
      for (const [leaf, { arrays, next }] of taken) {
        if (arrays.length === next) continue;
        throw new ArgumentError(`layer '${leaf.path}' expected ${next} weights, got ${arrays.length} in the file`);
      }
    },
  };
}

/** The layer of a weight: names of weights may have parts. */
function leafOf(leaves: ReadonlyMap<string, AnyLayer>, name: string): AnyLayer {
  for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
    const leaf = leaves.get(name.slice(0, end));
    if (leaf) return leaf;
  }
  throw new ArgumentError(`weight '${name}' expected a layer of the model`);
}

/** The values of an array, which must have the shape of the weight. */
function checked(what: string, array: KerasArray, shape: Shape): Float32Array {
  if (formatShape(array.shape) !== formatShape(shape))
    throw new ArgumentError(`${what} expected ${formatShape(shape)}, got ${formatShape(array.shape)} in the file`);
  if (!isWhole(array))
    throw new ArgumentError(`${what} expected ${formatShape(shape)}, got ${array.data.length} numbers`);
  const bad = array.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new ArgumentError(`${what} expected finite numbers, got ${array.data[bad]} at ${bad}`);
  return array.data;
}

/**
 * Divides the weights of a layer, as `get_weights` of Keras lists them, among the layers inside it: a model's trainable
 * weights come before its others, and the halves of a Bidirectional are its two directions.
 *
 * @throws ArgumentError if the layers have not as many weights.
 */
export function splitAmongLeaves(
  layer: AnyLayer,
  arrays: readonly KerasArray[],
  era: Era = 'keras3',
): ReadonlyMap<AnyLayer, readonly KerasArray[]> {
  const { sublayers, className } = layer;
  if (sublayers.length === 0) return new Map([[layer, arrays]]);
  if (className === 'Bidirectional' && sublayers.every((each) => each.sublayers.length === 0)) {
    const half = arrays.length / 2;
    return new Map(sublayers.map((each, i) => [each, arrays.slice(i * half, (i + 1) * half)]));
  }
  const leaves = leafLayers(layer);
  if (leaves.length === 1) return new Map([[leaves[0]!, arrays]]);
  const names = leaves.flatMap((leaf) => weightNamesOf(leaf, era).map((weight) => ({ leaf, ...weight })));
  const order = [...names.filter(({ trainable }) => trainable), ...names.filter(({ trainable }) => !trainable)];
  if (order.length !== arrays.length)
    throw new ArgumentError(`layer '${layer.name}' expected ${order.length} weights, got ${arrays.length} in the file`);
  const found = new Map(order.map((weight, i) => [weight.leaf.path + weight.name, arrays[i]!]));
  return new Map(
    leaves.map((leaf) => [leaf, weightNamesOf(leaf, era).map(({ name }) => found.get(leaf.path + name)!)]),
  );
}

/**
 * The values for the weights of built layers from those that Keras's `get_weights` lists for each, without the layers
 * inside it, in the layout of any era.
 *
 * @throws ArgumentError if their number or a shape differs, or a value is not finite.
 */
export function kerasValues(
  arrays: ReadonlyMap<AnyLayer, readonly KerasArray[]>,
): (readonly [Parameter, Float32Array])[] {
  return [...arrays].flatMap(([leaf, own]) => {
    const ours = inOurLayout(leaf, own);
    const weights = ownWeights(leaf);
    if (ours.length !== weights.length)
      throw new ArgumentError(
        `layer '${leaf.path}' expected ${weights.length} weights, got ${ours.length} in the file`,
      );
    return weights.map((weight, i) => [weight, checked(`weight '${weight.name}'`, ours[i]!, weight.shape)] as const);
  });
}

/**
 * Sets the weights of a built layer, with all layers inside it, from Keras's `get_weights`, in the layout of any era.
 *
 * @throws ArgumentError if their number or a shape differs, or a value is not finite. Nothing is set then.
 */
export function setKerasWeights(layer: AnyLayer, arrays: readonly KerasArray[], era: Era = 'keras3'): void {
  for (const [weight, data] of kerasValues(splitAmongLeaves(layer, arrays, era))) weight.assign(data);
}

function namedArrays(layer: AnyLayer): { array: KerasArray; trainable: boolean }[] {
  const names = weightNamesOf(layer);
  return ownWeights(layer).map((weight, i) => ({
    array: { name: names[i]!.name, shape: weight.shape, data: weight.toArray() },
    trainable: names[i]!.trainable,
  }));
}

/** The same as `kerasWeightsOf`, without the layers inside it. */
export const ownKerasWeights = (layer: AnyLayer): KerasArray[] => namedArrays(layer).map(({ array }) => array);

/**
 * The weights of a built layer in the order of Keras's `get_weights`, in the layout of Keras 2 and 3: copies that the
 * caller owns, with Keras's names, such as `recurrent_kernel`.
 */
export function kerasWeightsOf(layer: AnyLayer): KerasArray[] {
  const all = leafLayers(layer).flatMap(namedArrays);
  const isModel = layer.sublayers.length > 0;
  const order = isModel
    ? [...all.filter(({ trainable }) => trainable), ...all.filter(({ trainable }) => !trainable)]
    : all;
  return order.map(({ array }) => array);
}
