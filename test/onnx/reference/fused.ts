// Operators of com.microsoft that join several of ONNX, in float64.
import { type Array64, build, element, type Operator64, sum } from './arrays.ts';
import { normalizations } from './normalizations.ts';
import { products } from './products.ts';
import { windows } from './windows.ts';

const map = (x: Array64, f: (value: number, index: readonly number[]) => number): Array64 =>
  build(x.dims, (index) => f(element(x, index), index));

/** The power series, exact to the last digits for |x| < 4. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const gelu = (x: number): number => (x / 2) * (1 + erf(x * Math.SQRT1_2));
const fastGelu = (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const activations: Readonly<Record<string, (x: number, alpha: number, beta: number) => number>> = {
  Relu: (x) => Math.max(x, 0),
  LeakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  Clip: (x, low, high) => Math.min(Math.max(x, low), high),
};

const biased =
  (f: (x: number, alpha: number) => number): Operator64 =>
  ([x, bias], { number }) => [
    map(x!, (value, index) => f(value + (bias ? element(bias, index) : 0), number('alpha', 1.702))),
  ];

const turned = (x: Array64, isBatch: boolean, isTurned: boolean): Array64 => {
  const rank = x.dims.length;
  let axes = [...x.dims.keys()];
  if (isBatch) axes = [...axes.slice(1, -1), 0, rank - 1];
  if (isTurned) axes = [...axes.slice(0, -2), axes[rank - 1]!, axes[rank - 2]!];
  return build(
    axes.map((axis) => x.dims[axis]!),
    (index) => {
      const at: number[] = [];
      for (const [i, axis] of axes.entries()) at[axis] = index[i]!;
      return element(x, at);
    },
  );
};

const fusedMatMul: Operator64 = ([a, b], attributes) => {
  const { number } = attributes;
  const [left, right] = (
    [
      ['A', a!],
      ['B', b!],
    ] as const
  ).map(([name, x]) => turned(x, number(`transBatch${name}`, 0) === 1, number(`trans${name}`, 0) === 1));
  const [y] = products.MatMul!([left, right], attributes);
  return [map(y!, (value) => number('alpha', 1) * value)];
};

const fusedGemm: Operator64 = (inputs, attributes) => {
  const [y] = products.Gemm!(inputs, attributes);
  const f = activations[attributes.text('activation', '')] ?? ((x: number) => x);
  const [alpha, beta] = ['alpha', 'beta'].map((name) => attributes.number(`activation_${name}`, 0));
  return [map(y!, (value) => f(value, alpha!, beta!))];
};

const fusedConv: Operator64 = ([x, w, b, z], attributes) => {
  const [y] = windows.Conv!([x, w, b], attributes);
  const f = activations[attributes.text('activation', '')] ?? ((value: number) => value);
  const [alpha = 0, beta = 0] = attributes.list('activation_params') ?? [];
  return [map(y!, (value, index) => f(value + (z ? element(z, index) : 0), alpha, beta))];
};

const skipNormalization =
  (isSimplified: boolean): Operator64 =>
  ([x, skip, scale, ...rest], attributes) => {
    const [shift, bias] = isSimplified ? [undefined, rest[0]] : rest;
    const both = map(x!, (value, index) => value + element(skip!, index) + (bias ? element(bias, index) : 0));
    const epsilon = attributes.number('epsilon', 1e-12);
    const given = {
      ...attributes,
      number: (name: string, other: number) => (name === 'epsilon' ? epsilon : name === 'axis' ? -1 : other),
    };
    const normalize = isSimplified ? normalizations.RMSNormalization! : normalizations.LayerNormalization!;
    return [normalize([both, scale, shift], given)[0]!];
  };

/** By cofactors, for 3 × 3. */
const inverse: Operator64 = ([x]) => {
  const at = (batch: readonly number[], i: number, j: number): number => element(x!, [...batch, i % 3, j % 3]);
  const minor = (batch: readonly number[], i: number, j: number): number =>
    at(batch, i + 1, j + 1) * at(batch, i + 2, j + 2) - at(batch, i + 1, j + 2) * at(batch, i + 2, j + 1);
  return [
    build(x!.dims, (index) => {
      const [batch, i, j] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
      return minor(batch, j, i) / sum([3], ([k]) => at(batch, 0, k!) * minor(batch, 0, k!));
    }),
  ];
};

const simplified: Operator64 = (inputs, attributes) => normalizations.RMSNormalization!(inputs, attributes);

export const fused: Readonly<Record<string, Operator64>> = {
  SimplifiedLayerNormalization: simplified,
  'com.microsoft.FusedConv': fusedConv,
  'com.microsoft.FusedGemm': fusedGemm,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.Gelu': biased(gelu),
  'com.microsoft.BiasGelu': biased(gelu),
  'com.microsoft.FastGelu': biased(fastGelu),
  'com.microsoft.QuickGelu': biased((x, alpha) => x / (1 + Math.exp(-alpha * x))),
  'com.microsoft.SkipLayerNormalization': skipNormalization(false),
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNormalization(true),
  'com.microsoft.ExpandDims': ([x, axis]) => [
    { ...x!, dims: x!.dims.toSpliced(axis!.data[0]! + (axis!.data[0]! < 0 ? x!.dims.length + 1 : 0), 0, 1) },
  ],
  'com.microsoft.Inverse': inverse,
};
