// Operators into which ONNX Runtime joins several of ONNX, in their float forms.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import type { Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import * as ops from '../../../ops/index.ts';
import type { Kernel, NodeView, Operator, Step } from '../../graph/node.ts';
import { Value } from '../../graph/value.ts';
import { axisOf } from '../broadcast.ts';
import { hardSigmoid, leakyRelu } from '../elementwise/activations.ts';
import { layerNormalization, rmsNormalization } from '../normalization.ts';
import { gemm, product } from '../products/products.ts';
import { constants } from '../shapes/constants.ts';
import { indexing } from '../shapes/indexing.ts';
import { layout } from '../shapes/layout.ts';
import { uniqueInOrder } from '../shapes/unique.ts';
import { windows } from '../windows.ts';
import { inverse } from './inverse.ts';

type Activation = (x: Tensor) => Tensor;

/** The activation that is joined to a product; its parameters in their order. */
function activationOf(node: NodeView, name: string, parameters: readonly number[]): Activation {
  const [alpha, beta] = parameters;
  const known: Readonly<Record<string, () => Activation>> = {
    Relu: () => ops.relu,
    Tanh: () => ops.tanh,
    Sigmoid: () => ops.sigmoid,
    LeakyRelu: () => leakyRelu(alpha ?? 0.01)[1],
    Clip: () => (x) => ops.clip(x, alpha ?? Number.NEGATIVE_INFINITY, beta ?? Number.POSITIVE_INFINITY),
    HardSigmoid: () => hardSigmoid(alpha ?? 0.2, beta ?? 0.5)[1],
  };
  if (name === '') return (x) => x;
  return Object.hasOwn(known, name) ? known[name]!() : node.refuse(`activation '${name}'`);
}

const onTensor = (x: Value, f: Activation): Value =>
  x.isChannelsLast ? Value.ofChannelsLast(f(x.channelsLast)) : Value.ofTensor(f(x.tensor), x.type);

const fusedConv: Operator = {
  make(node) {
    const run = windows.Conv!.make(node);
    const activate = activationOf(node, node.string('activation', ''), node.floats('activation_params') ?? []);
    return ([x, w, b, z], step) => {
      const y = run([x, w, b], step) as Value;
      if (!z) return onTensor(y, activate);
      const sum = y.isChannelsLast
        ? Value.ofChannelsLast(ops.add(y.channelsLast, z.channelsLast))
        : Value.ofTensor(ops.add(y.tensor, z.tensor), y.type);
      return onTensor(sum, activate);
    };
  },
};

const fusedGemm: Operator = {
  make(node) {
    const run = gemm.make(node);
    const [alpha, beta] = ['alpha', 'beta'].map((each) => {
      const name = `activation_${each}`;
      return node.has(name) ? node.float(name, 0) : undefined;
    });
    node.float('activation_gamma', 0);
    const parameters = (beta === undefined ? [alpha] : [alpha ?? 0, beta]).filter((each) => each !== undefined);
    const activate = activationOf(node, node.string('activation', ''), parameters);
    return (inputs, step) => onTensor(run(inputs, step) as Value, activate);
  },
};

/** α·A·B, with the last two axes, or the first one and those of the batch, exchanged. */
const fusedMatMul: Operator = {
  make(node) {
    const alpha = node.float('alpha', 1);
    const flags = ['A', 'B'].map((each) => ({
      isTurned: node.flag(`trans${each}`),
      isBatch: node.flag(`transBatch${each}`),
    }));
    return (inputs) => {
      const [a, b] = flags.map(({ isTurned, isBatch }, i) => {
        const x = inputs[i]!;
        const rank = x.shape.length;
        if (rank < 2) return x;
        let axes = [...x.shape.keys()];
        if (isBatch) axes = [...axes.slice(1, -1), 0, rank - 1];
        if (isTurned) axes = [...axes.slice(0, -2), axes[rank - 1]!, axes[rank - 2]!];
        if (axes.every((axis, place) => axis === place)) return x;
        return Value.ofTensor(ops.transpose(x.tensor, axes), x.type);
      }) as [Value, Value];
      const y = product(a, b);
      return alpha === 1 ? y : Value.ofTensor(ops.scale(y.tensor, alpha), y.type);
    };
  },
};

/** f(x + bias) */
const biased = (read: (node: NodeView) => Activation): Operator => ({
  make(node) {
    const f = read(node);
    return ([x, bias]) => Value.ofTensor(f(bias ? ops.add(x!.tensor, bias.tensor) : x!.tensor), x!.type);
  },
});

/** Normalizes x + skip + bias. Outputs: y, mean, inverse deviation, the sum. */
const skipNormalization = (isSimplified: boolean): Operator => ({
  make(node) {
    const normalize = (isSimplified ? rmsNormalization : layerNormalization)(1e-12).make(node);
    return ([x, skip, scale, ...rest], step: Step) => {
      const [shift, bias] = isSimplified ? [undefined, rest[0]] : rest;
      const both = ops.add(x!.tensor, skip!.tensor);
      const sum = Value.ofTensor(bias ? ops.add(both, bias.tensor) : both, x!.type);
      const made = normalize([sum, scale, shift], step);
      const [y, mean, deviation] = made instanceof Value ? [made] : made;
      return [y, mean, deviation, sum];
    };
  },
});

const expandDims: Operator = {
  shapeFrom: [1],
  make:
    () =>
    ([x, axis]) =>
      x!.reshaped(x!.shape.toSpliced(axisOf(axis!.item, x!.shape.length + 1), 0, 1)),
};

const inverses: Operator = {
  make:
    (): Kernel =>
    ([x]) => {
      const [rows, columns] = x!.shape.slice(-2);
      if (rows !== columns) throw new ArgumentError(`expected square matrices, got [${x!.shape}]`);
      return Value.ofTensor(inverse(x!.tensor), x!.type);
    },
};

export const fused: Readonly<Record<string, Operator>> = {
  FusedConv: fusedConv,
  FusedGemm: fusedGemm,
  FusedMatMul: fusedMatMul,
  TransposeMatMul: fusedMatMul,
  Gelu: biased(() => ops.gelu),
  BiasGelu: biased(() => ops.gelu),
  FastGelu: biased(() => (x) => ops.gelu(x, { approximate: true })),
  QuickGelu: biased((node) => {
    const alpha = node.float('alpha', 1.702);
    return (x) => ops.mul(x, ops.sigmoid(ops.scale(x, alpha)));
  }),
  SkipLayerNormalization: skipNormalization(false),
  SkipSimplifiedLayerNormalization: skipNormalization(true),
  ExpandDims: expandDims,
  Inverse: inverses,
  Pad: layout.Pad!,
  Trilu: layout.Trilu!,
  GatherND: indexing.GatherND!,
  Range: constants.Range!,
  Unique: uniqueInOrder,
};
