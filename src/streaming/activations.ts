import { Unary } from '../engine/abi.ts';

/** The elementwise activations that the `stream` kernel computes, by name. */
export const streamedActivations: Readonly<Record<string, number>> = {
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
