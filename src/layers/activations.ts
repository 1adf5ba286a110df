import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
import { Unary } from '../engine/abi.ts';
import { relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { softmax } from '../ops/softmax.ts';
import type { StreamProgram } from '../ops/stream-program.ts';

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

/** Lays the activation out for streaming. */
export function addActivation(program: StreamProgram, name: ActivationName): void {
  if (name === 'linear') return;
  if (name === 'softmax') program.softmax();
  else program.unary({ relu: Unary.Relu, sigmoid: Unary.Sigmoid, tanh: Unary.Tanh }[name]);
}
