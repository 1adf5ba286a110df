import type { Tensor } from '../autograd/tensor.ts';
import { Unary } from '../engine/abi.ts';
import {
  celu,
  elu,
  gelu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  selu,
  silu,
  softplus,
  softShrink,
  softsign,
  squareplus,
  tanhShrink,
} from '../ops/activations.ts';
import { exp } from '../ops/elementwise.ts';
import { logSoftmax } from '../ops/softmax.ts';
import { type Activation, elementwise } from './activations.ts';

/** All activations but the usual ones. */
export const moreActivations = {
  relu6: elementwise(relu6, Unary.Relu6),
  leakyRelu: elementwise((x) => leakyRelu(x), Unary.LeakyRelu),
  elu: elementwise((x) => elu(x), Unary.Elu),
  selu: elementwise(selu, Unary.Selu),
  celu: elementwise((x) => celu(x), Unary.Elu),
  gelu: elementwise((x) => gelu(x), Unary.Gelu),
  geluTanh: elementwise((x) => gelu(x, { approximate: true }), Unary.GeluTanh),
  softplus: elementwise(softplus, Unary.Softplus),
  softsign: elementwise(softsign, Unary.Softsign),
  silu: elementwise(silu, Unary.Silu),
  swish: elementwise(silu, Unary.Silu),
  hardSigmoid: elementwise(hardSigmoid, Unary.HardSigmoid),
  hardSilu: elementwise(hardSilu, Unary.HardSilu),
  hardSwish: elementwise(hardSilu, Unary.HardSilu),
  mish: elementwise(mish, Unary.Mish),
  exponential: elementwise(exp, Unary.Exp),
  logSigmoid: { apply: logSigmoid },
  hardTanh: { apply: hardTanh },
  tanhShrink: { apply: tanhShrink },
  softShrink: { apply: (x: Tensor) => softShrink(x) },
  hardShrink: { apply: (x: Tensor) => hardShrink(x) },
  squareplus: { apply: (x: Tensor) => squareplus(x) },
  logSoftmax: { apply: logSoftmax },
} satisfies Record<string, Activation>;
