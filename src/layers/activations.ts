import { ArgumentError, type Tensor } from '../autograd/tensor.ts';
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
import { exp, relu, sigmoid, tanh } from '../ops/elementwise.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import type { StreamProgram } from '../ops/stream-program.ts';

interface Activation {
  apply(x: Tensor): Tensor;
  /** Lays it out for streaming, where it can run step by step. */
  stream?(program: StreamProgram): void;
}

/** An activation that one kernel computes. */
const elementwise = (apply: (x: Tensor) => Tensor, code: number): Activation => ({
  apply,
  stream: (program) => program.unary(code),
});

const activations = {
  linear: { apply: (x: Tensor): Tensor => x, stream: () => {} },
  relu: elementwise(relu, Unary.Relu),
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
  sigmoid: elementwise(sigmoid, Unary.Sigmoid),
  hardSigmoid: elementwise(hardSigmoid, Unary.HardSigmoid),
  hardSilu: elementwise(hardSilu, Unary.HardSilu),
  hardSwish: elementwise(hardSilu, Unary.HardSilu),
  mish: elementwise(mish, Unary.Mish),
  tanh: elementwise(tanh, Unary.Tanh),
  exponential: elementwise(exp, Unary.Exp),
  logSigmoid: { apply: logSigmoid },
  hardTanh: { apply: hardTanh },
  tanhShrink: { apply: tanhShrink },
  softShrink: { apply: (x: Tensor) => softShrink(x) },
  hardShrink: { apply: (x: Tensor) => hardShrink(x) },
  squareplus: { apply: (x: Tensor) => squareplus(x) },
  softmax: { apply: softmax, stream: (program: StreamProgram) => program.softmax() },
  logSoftmax: { apply: logSoftmax },
} satisfies Record<string, Activation>;

/** Keras 3's activations by name, in TF.js's spelling and with Keras's default slopes and thresholds. */
export type ActivationName = keyof typeof activations;

function find(name: ActivationName): Activation {
  if (!Object.hasOwn(activations, name)) {
    throw new ArgumentError(`activation expected one of ${Object.keys(activations).join(', ')}, got '${name}'`);
  }
  return activations[name];
}

/** The activation of a name. Throws `ArgumentError` for an unknown one. */
export const activation = (name: ActivationName): ((x: Tensor) => Tensor) => find(name).apply;

/** Lays the activation out for streaming. Throws `ArgumentError` for one that no single kernel computes. */
export function addActivation(program: StreamProgram, name: ActivationName): void {
  const { stream } = find(name);
  if (!stream) {
    const able = Object.entries(activations).filter(([, each]) => 'stream' in each);
    throw new ArgumentError(
      `activation '${name}' cannot run step by step; expected one of ${able.map(([each]) => each).join(', ')}`,
    );
  }
  stream(program);
}
