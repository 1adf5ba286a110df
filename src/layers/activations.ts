import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { softmax } from '../ops/softmax.ts';
import type { moreActivations } from './more-activations.ts';

export type Activation = (x: Tensor) => Tensor;

const usual = { linear: (x: Tensor): Tensor => x, relu, sigmoid, tanh, softmax };

let activations: Readonly<Record<string, Activation>> = usual;

/** Adds activations to those that are known by name; an app that does without them carries the usual ones alone. */
export function knowActivations(more: typeof moreActivations): void {
  activations = { ...usual, ...more };
}

/** Keras 3's activations by name, in TF.js's spelling and with Keras's default slopes and thresholds. */
export type ActivationName = keyof typeof usual | keyof typeof moreActivations;

/** The activation of a name. Throws `ArgumentError` for an unknown one. */
export function activation(name: ActivationName): Activation {
  if (!Object.hasOwn(activations, name)) {
    throw new ArgumentError(`activation expected one of ${Object.keys(activations).join(', ')}, got '${name}'`);
  }
  return activations[name]!;
}
