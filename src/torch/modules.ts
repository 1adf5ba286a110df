// The layers of a model as modules of PyTorch: which tensors each has, and how weights become them and back.

import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { sizeOf } from '../checks/shape.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import type { Recurrent } from '../layers/rnn/recurrent.ts';

/** One weight of a layer as tensors of a module. */
export interface WeightForm {
  readonly parameter: Parameter;
  /** The tensors by their names in the module, with their shapes. */
  readonly tensors: readonly { readonly key: string; readonly shape: readonly number[] }[];
  /**
   * Whether PyTorch has two tensors that are only ever added, the biases of an LSTM or an RNN. The weight is their sum.
   */
  readonly isSum: boolean;
  /** The values of the tensors, in their order. */
  toTorch(values: Float32Array): Float32Array[];
  fromTorch(tensors: readonly Float32Array[]): Float32Array;
}

/** A tensor that the module has and the layer has not, with the only value that it may have. */
export interface FixedTensor {
  readonly key: string;
  readonly shape: readonly number[];
  readonly value: number;
}

/** A layer as a module of PyTorch. */
export interface TorchModule {
  readonly layer: AnyLayer;
  /** The class of PyTorch. */
  readonly kind: string;
  /** Whether it is a layer of a recurrent stack, whose tensors end in the number of the layer. */
  readonly isRecurrent: boolean;
  readonly weights: readonly WeightForm[];
  readonly fixed: readonly FixedTensor[];
}

/** Options of a layer as its caller gave them. */
export type Options = Readonly<Record<string, unknown>>;
export const optionsOf = (layer: AnyLayer): Options => layer.config() as Options;

/** The name that PyTorch has for the number of a layer in a stack: `l0` in place of `l#`. */
export const atLevel = (key: string, level: number): string => key.replace('#', String(level));

/**
 * The modules of a network, in the order of its layers.
 *
 * @throws ArgumentError for a layer with weights that PyTorch has no module for.
 */
export function modulesOf(what: string, network: AnyLayer): TorchModule[] {
  const modules: TorchModule[] = [];
  const seen = new Set<AnyLayer>();
  const visit = (layer: AnyLayer): void => {
    if (seen.has(layer)) return;
    seen.add(layer);
    const make = Object.hasOwn(makers, layer.className) ? makers[layer.className] : undefined;
    if (make) modules.push(make(what, layer));
    else if (layer.sublayers.length > 0 && containers.includes(layer.className)) layer.sublayers.forEach(visit);
    else if (layer.weights.length > 0) {
      const mend = 'exportOnnx of tapeloop/onnx writes it op by op';
      throw new ArgumentError(
        `${what}: layer '${layer.path}' (${layer.className}) has weights that no module of PyTorch has; ${mend}`,
      );
    }
  };
  visit(network);
  return modules;
}

const containers = ['Sequential', 'Functional', 'TimeDistributed'];

type Maker = (what: string, layer: AnyLayer) => TorchModule;

/** The weights of a layer by the last parts of their names. */
export const weightsOf = (layer: AnyLayer): Readonly<Record<string, Parameter | undefined>> =>
  Object.fromEntries(layer.weights.map((weight) => [weight.name.slice(weight.name.lastIndexOf('/') + 1), weight]));

/** Values with their axes in another order. */
export function transposed(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const to = axes.map((axis) => shape[axis]!);
  const made = new Float32Array(values.length);
  const index = to.map(() => 0);
  let at = 0;
  for (let i = 0; i < made.length; i++) {
    made[i] = values[at]!;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      at += strides[axes[axis]!]!;
      if (++index[axis]! < to[axis]!) break;
      at -= to[axis]! * strides[axes[axis]!]!;
      index[axis] = 0;
    }
  }
  return made;
}

/** The order that undoes an order of axes. */
const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));

/** A weight whose axes PyTorch has in the order `axes`, then in the shape `reshaped`. */
function permuted(
  parameter: Parameter,
  key: string,
  axes: readonly number[],
  reshaped?: readonly number[],
): WeightForm {
  const { shape } = parameter;
  const there = axes.map((axis) => shape[axis]!);
  return {
    parameter,
    tensors: [{ key, shape: reshaped ?? there }],
    isSum: false,
    toTorch: (values) => [transposed(values, shape, axes)],
    fromTorch: ([values]) => transposed(values!, there, inverse(axes)),
  };
}

const same = (parameter: Parameter, key: string): WeightForm => permuted(parameter, key, [...parameter.shape.keys()]);
const when = <T>(value: Parameter | undefined, make: (value: Parameter) => T): T[] => (value ? [make(value)] : []);

const plain =
  (kind: string, forms: (weights: ReturnType<typeof weightsOf>) => WeightForm[]): Maker =>
  (_, layer) => ({ layer, kind, isRecurrent: false, fixed: [], weights: forms(weightsOf(layer)) });

const linear = plain('Linear', ({ kernel, bias }) => [
  permuted(kernel!, 'weight', [1, 0]),
  ...when(bias, (each) => same(each, 'bias')),
]);

/** A convolution, whose kernel PyTorch has in the order `axes`. */
const convolution = (kind: string, axes: readonly number[]): Maker =>
  plain(kind, ({ kernel, bias }) => [permuted(kernel!, 'weight', axes), ...when(bias, (each) => same(each, 'bias'))]);

const depthwise: Maker = plain('Conv2d', ({ kernel, bias }) => {
  const [rows, cols, inputs, multiplier] = kernel!.shape as [number, number, number, number];
  return [
    permuted(kernel!, 'weight', [2, 3, 0, 1], [inputs * multiplier, 1, rows, cols]),
    ...when(bias, (each) => same(each, 'bias')),
  ];
});

const normalization =
  (kind: string): Maker =>
  (_, layer) => {
    const { gamma, beta, moving_mean: mean, moving_variance: variance } = weightsOf(layer);
    const { shape } = (gamma ?? beta ?? mean ?? { shape: undefined }) as { shape: readonly number[] | undefined };
    return {
      layer,
      kind,
      isRecurrent: false,
      weights: [
        ...when(gamma, (each) => same(each, 'weight')),
        ...when(beta, (each) => same(each, 'bias')),
        ...when(mean, (each) => same(each, 'running_mean')),
        ...when(variance, (each) => same(each, 'running_var')),
      ],
      fixed: [
        ...(gamma || !shape ? [] : [{ key: 'weight', shape, value: 1 }]),
        ...(beta || !shape ? [] : [{ key: 'bias', shape, value: 0 }]),
      ],
    };
  };

/** The gates of each recurrence in PyTorch's order, as indices of Keras's: i f g o and r z n of i f c o and z r h. */
const kinds: Readonly<Record<string, { kind: string; gates: readonly number[] }>> = {
  LSTM: { kind: 'LSTM', gates: [0, 1, 2, 3] },
  GRU: { kind: 'GRU', gates: [1, 0, 2] },
  SimpleRNN: { kind: 'RNN', gates: [0] },
};

/** Why a recurrent layer has no equal in PyTorch; undefined if it has one. */
function recurrentRefusal({ className }: AnyLayer, options: Options): string | undefined {
  const { activation = 'tanh', recurrentActivation = 'sigmoid', peephole, resetAfter = true } = options;
  const isUsual = activation === 'tanh' || (className === 'SimpleRNN' && activation === 'relu');
  if (!isUsual) return `activation ${String(activation)}`;
  if (className !== 'SimpleRNN' && recurrentActivation !== 'sigmoid') {
    return `recurrentActivation ${String(recurrentActivation)}`;
  }
  if (peephole) return 'peephole: true';
  if (className === 'GRU' && !resetAfter) return 'resetAfter: false';
  return undefined;
}

/**
 * A matrix `[rows, G·H]` with its axes swapped and the gates in PyTorch's order; with `isBack` the inverse, from
 * PyTorch's matrix.
 */
function inGates(values: Float32Array, gates: readonly number[], rows: number, isBack = false): Float32Array {
  const width = values.length / rows;
  const units = width / gates.length;
  const made = new Float32Array(values.length);
  for (const [to, from] of gates.entries()) {
    for (let unit = 0; unit < units; unit++) {
      for (let row = 0; row < rows; row++) {
        const [here, there] = [row * width + from * units + unit, (to * units + unit) * rows + row];
        if (isBack) made[here] = values[there]!;
        else made[there] = values[here]!;
      }
    }
  }
  return made;
}

/** The weights of one direction. `end` follows the number of the layer: `_reverse` backwards. */
function direction(layer: AnyLayer, gates: readonly number[], end: string): WeightForm[] {
  const { kernel, recurrentKernel, bias, projection } = weightsOf(layer);
  const matrix = (parameter: Parameter, key: string): WeightForm => {
    const [rows, width] = parameter.shape as [number, number];
    return {
      parameter,
      tensors: [{ key: `${key}_l#${end}`, shape: [width, rows] }],
      isSum: false,
      toTorch: (values) => [inGates(values, gates, rows)],
      fromTorch: ([values]) => inGates(values!, gates, rows, true),
    };
  };
  return [
    matrix(kernel!, 'weight_ih'),
    matrix(recurrentKernel!, 'weight_hh'),
    ...when(bias, (each) => biases(each, gates, end)),
    ...when(projection, (each) => permuted(each, `weight_hr_l#${end}`, [1, 0])),
  ];
}

function biases(parameter: Parameter, gates: readonly number[], end: string): WeightForm {
  const width = parameter.shape.at(-1)!;
  const isSum = parameter.shape.length === 1;
  const half = (values: Float32Array, at: number): Float32Array =>
    inGates(values.subarray(at * width, (at + 1) * width), gates, 1);
  return {
    parameter,
    tensors: ['bias_ih', 'bias_hh'].map((key) => ({ key: `${key}_l#${end}`, shape: [width] })),
    isSum,
    // −0 leaves the other summand as it is, also if that is −0.
    toTorch: (values) => [half(values, 0), isSum ? new Float32Array(width).fill(-0) : half(values, 1)],
    fromTorch: ([a, b]) => {
      const made = new Float32Array(parameter.size);
      const sum = isSum ? a!.map((value, i) => value + b![i]!) : a!;
      made.set(inGates(sum, gates, 1, true));
      if (!isSum) made.set(inGates(b!, gates, 1, true), width);
      return made;
    },
  };
}

const recurrent: Maker = (what, layer) => {
  const { kind, gates } = kinds[layer.className]!;
  const refusal = recurrentRefusal(layer, optionsOf(layer));
  if (refusal) {
    throw new ArgumentError(
      `${what}: layer '${layer.path}' expected what nn.${kind} computes, got ${refusal}; exportOnnx of tapeloop/onnx writes it`,
    );
  }
  return { layer, kind, isRecurrent: true, fixed: [], weights: direction(layer, gates, '') };
};

const bidirectional: Maker = (what, layer) => {
  const [forward, backward] = layer.sublayers as readonly [Recurrent, Recurrent];
  const [a, b] = [forward, backward].map((each) => {
    if (Object.hasOwn(kinds, each.className)) return recurrent(what, each);
    throw new ArgumentError(`${what}: layer '${each.path}' (${each.className}) has no module of PyTorch`);
  }) as [TorchModule, TorchModule];
  const shapes = ({ weights }: TorchModule): string => weights.map(({ parameter }) => `[${parameter.shape}]`).join();
  const isPair =
    a.kind === b.kind && shapes(a) === shapes(b) && !forward.sequence.goBackwards && backward.sequence.goBackwards;
  if (!isPair) {
    throw new ArgumentError(
      `${what}: layer '${layer.path}' expected two equal layers, the second with goBackwards, as nn.${a.kind} has them`,
    );
  }
  const { gates } = kinds[backward.className]!;
  return { ...a, layer, weights: [...a.weights, ...direction(backward, gates, '_reverse')] };
};

const separable: Maker = plain('Separable', ({ depthwiseKernel, pointwiseKernel, bias }) => {
  const taps = depthwiseKernel!.shape.slice(0, -2);
  const [inputs, multiplier] = depthwiseKernel!.shape.slice(-2) as [number, number];
  const [rank, first] = [taps.length, [...taps.keys()]];
  return [
    permuted(depthwiseKernel!, 'depthwise.weight', [rank, rank + 1, ...first], [inputs * multiplier, 1, ...taps]),
    permuted(pointwiseKernel!, 'pointwise.weight', [rank + 1, rank, ...first]),
    ...when(bias, (each) => same(each, 'pointwise.bias')),
  ];
});

const slopes: Maker = plain('PReLU', ({ alpha }) => [
  permuted(alpha!, 'weight', [...alpha!.shape.keys()], [alpha!.size]),
]);

const makers: Readonly<Record<string, Maker>> = {
  Bidirectional: bidirectional,
  BatchNormalization: normalization('BatchNorm'),
  Conv1D: convolution('Conv1d', [2, 1, 0]),
  Conv2D: convolution('Conv2d', [3, 2, 0, 1]),
  Conv2DTranspose: convolution('ConvTranspose2d', [3, 2, 0, 1]),
  Dense: linear,
  DepthwiseConv2D: depthwise,
  Embedding: plain('Embedding', ({ embeddings }) => [same(embeddings!, 'weight')]),
  GRU: recurrent,
  GroupNormalization: normalization('GroupNorm'),
  LayerNormalization: normalization('LayerNorm'),
  LSTM: recurrent,
  PReLU: slopes,
  SeparableConv1D: separable,
  SeparableConv2D: separable,
  SimpleRNN: recurrent,
};
