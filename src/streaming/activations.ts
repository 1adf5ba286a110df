import { Unary } from '../engine/abi.ts';
import { ArgumentError } from '../engine/argument-error.ts';
import type { StreamProgram } from './program.ts';

/** The activations that one kernel computes, elementwise. */
const functions: Readonly<Record<string, number>> = {
  relu: Unary.Relu,
  relu6: Unary.Relu6,
  leakyRelu: Unary.LeakyRelu,
  elu: Unary.Elu,
  selu: Unary.Selu,
  celu: Unary.Elu,
  gelu: Unary.Gelu,
  geluTanh: Unary.GeluTanh,
  softplus: Unary.Softplus,
  softsign: Unary.Softsign,
  silu: Unary.Silu,
  swish: Unary.Silu,
  sigmoid: Unary.Sigmoid,
  hardSigmoid: Unary.HardSigmoid,
  hardSilu: Unary.HardSilu,
  hardSwish: Unary.HardSilu,
  mish: Unary.Mish,
  tanh: Unary.Tanh,
  exponential: Unary.Exp,
};

/** Lays the activation of a name out for streaming. Throws `ArgumentError`, with `where` in front, for one that no single kernel computes. */
export function addActivation(program: StreamProgram, name: string, where = ''): void {
  if (Object.hasOwn(functions, name)) program.unary(functions[name]!);
  else if (name === 'softmax') program.softmax();
  else if (name !== 'linear') {
    const able = ['linear', ...Object.keys(functions), 'softmax'].join(', ');
    throw new ArgumentError(`${where}activation '${name}' cannot run step by step; expected one of ${able}`);
  }
}
