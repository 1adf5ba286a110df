import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { softmax } from '../ops/softmax.ts';

const activations = {
  linear: (x: Tensor): Tensor => x,
  relu,
  sigmoid,
  tanh,
  softmax,
};

export type ActivationName = keyof typeof activations;

/** The activation of a name. Throws `ArgumentError` for an unknown one. */
export function activation(name: ActivationName): (x: Tensor) => Tensor {
  if (!Object.hasOwn(activations, name)) {
    throw new ArgumentError(`activation expected one of ${Object.keys(activations).join(', ')}, got '${name}'`);
  }
  return activations[name];
}
