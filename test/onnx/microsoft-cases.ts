// Operators of the domain com.microsoft. ONNX Runtime's outputs are in test/golden/onnx.json.
import { RandomStream } from '../../src/index.ts';
import { type ArraySpec, attribute, modelOf } from './model-of.ts';
import type { GraphCase } from './one-node.ts';

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);
const random = new RandomStream(41);
const uniform = (low: number, high: number): number => low + (high - low) * random.nextUniform();
const floats = (dims: number[], scale = 1): ArraySpec => ({
  dims,
  data: Float32Array.from({ length: sizeOf(dims) }, () => uniform(-scale, scale)),
});
/** Floats greater than 0. */
const scales = (...dims: number[]): ArraySpec => ({
  dims,
  data: Float32Array.from({ length: sizeOf(dims) }, () => uniform(0.01, 0.03)),
});
const uint8 = (...dims: number[]): ArraySpec => ({
  dims,
  data: Uint8Array.from({ length: sizeOf(dims) }, () => uniform(0, 256)),
});
/** Small integers: kernels of ONNX Runtime for hosts without VNNI saturate sums of two products at 16 bits. */
const int8 = (...dims: number[]): ArraySpec => ({
  dims,
  data: Int8Array.from({ length: sizeOf(dims) }, () => uniform(-60, 60)),
});
const zero = (value: number, signed = false): ArraySpec => ({
  dims: [],
  data: signed ? Int8Array.of(value) : Uint8Array.of(value),
});
const int32 = (...dims: number[]): ArraySpec => ({
  dims,
  data: Int32Array.from({ length: sizeOf(dims) }, () => uniform(-2000, 2000)),
});
const int64 = (...list: number[]): ArraySpec => ({ dims: [list.length], data: BigInt64Array.from(list, BigInt) });

const cases: GraphCase[] = [];

/** A node whose first inputs are fed, and the others initializers; undefined leaves one out. */
function add(
  op: string,
  note: string,
  operands: readonly (ArraySpec | undefined)[],
  more: {
    attributes?: Readonly<Record<string, number | string | readonly number[]>>;
    outputs?: number;
    fed?: number;
    isSmooth?: boolean;
    domain?: string;
    opset?: number;
  } = {},
): void {
  const { attributes = {}, outputs = 1, fed = 1, isSmooth = false, domain = 'com.microsoft', opset = 17 } = more;
  const entries = operands.map((each, i) => [each ? `${i < fed ? 'x' : 'w'}${i}` : '', each] as const);
  const of = (isFed: boolean): Record<string, ArraySpec> =>
    Object.fromEntries(entries.filter(([name, each], i) => name && each && i < fed === isFed)) as never;
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const bytes = modelOf({
    nodes: [
      {
        ...{ op, domain, outputs: names },
        inputs: entries.map(([name]) => name),
        attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      },
    ],
    ...{ inputs: of(true), initializers: of(false), outputs: names, opset },
  });
  cases.push({ name: `${domain}.${op}${note && `, ${note}`}`, bytes, feeds: of(true), outputs: names, isSmooth });
}

for (const direction of ['forward', 'reverse', 'bidirectional']) {
  const d = direction === 'bidirectional' ? 2 : 1;
  const common = { attributes: { hidden_size: 5, direction }, outputs: 3 };
  add(
    'DynamicQuantizeLSTM',
    direction,
    [
      ...[floats([6, 1, 3], 2), uint8(d, 3, 20), uint8(d, 5, 20), floats([d, 40]), undefined, undefined, undefined],
      ...[undefined, scales(d), { dims: [d], data: new Uint8Array(d).fill(121) }, scales(d)],
      { dims: [d], data: new Uint8Array(d).fill(131) },
    ],
    common,
  );
}
add(
  'DynamicQuantizeLSTM',
  'a scale a column, states, peepholes, several sequences',
  [
    ...[floats([4, 3, 3], 2), int8(1, 3, 20), int8(1, 5, 20), floats([1, 40]), undefined, floats([1, 3, 5])],
    ...[floats([1, 3, 5]), floats([1, 15]), scales(1, 20), { dims: [1, 20], data: new Int8Array(20) }, scales(1, 20)],
    { dims: [1, 20], data: new Int8Array(20) },
  ],
  { attributes: { hidden_size: 5, clip: 2.5 }, outputs: 3 },
);
add('DynamicQuantizeMatMul', '', [floats([2, 3, 4], 3), uint8(4, 5), scales(1), zero(120), floats([5])]);
add('DynamicQuantizeMatMul', 'a scale a column', [
  ...[floats([3, 4], 3), int8(4, 5), scales(5), { dims: [5], data: Int8Array.of(1, -2, 3, 0, 5) }, floats([5])],
]);
add('MatMulIntegerToFloat', '', [
  ...[uint8(3, 4), int8(4, 5), scales(1), scales(5), zero(130), undefined, floats([5])],
]);
for (const op of ['QLinearAdd', 'QLinearMul']) {
  const scale = { dims: [], data: Float32Array.of(op === 'QLinearAdd' ? 0.05 : 0.09) };
  add(op, 'uint8', [uint8(2, 3, 4), scales(), zero(120), uint8(3, 1), scales(), zero(99), scale, zero(128)], {
    fed: 4,
  });
  add(op, 'int8', [int8(6), scales(), zero(3, true), int8(6), scales(), zero(-5, true), scale, zero(4, true)], {
    fed: 4,
  });
}
const share = { dims: [], data: Float32Array.of(1 / 256) };
add('QLinearSigmoid', '', [uint8(40), scales(), zero(127), share, zero(0)]);
add('QLinearLeakyRelu', '', [int8(40), scales(), zero(5, true), scales(), zero(-20, true)], {
  attributes: { alpha: 0.2 },
});
add(
  'QLinearConcat',
  '',
  [...[scales(), zero(125), uint8(2, 3), scales(), zero(120)], ...[uint8(2, 2), scales(), zero(131)]],
  { attributes: { axis: 1 }, fed: 3 },
);
add('QLinearAveragePool', '', [uint8(1, 2, 6, 5), scales(), zero(120), scales(), zero(126)], {
  attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
});
add('QLinearGlobalAveragePool', '', [uint8(2, 3, 4, 5), scales(), zero(120), scales(), zero(126)], {
  attributes: { channels_last: 0 },
});
add(
  'QGemm',
  'uint8, quantized',
  [
    ...[uint8(3, 4), scales(), zero(120), int8(5, 4), scales(5), { dims: [5], data: new Int8Array(5) }, int32(5)],
    ...[{ dims: [], data: Float32Array.of(0.2) }, zero(127)],
  ],
  { attributes: { transB: 1, alpha: 0.5 } },
);
add('QGemm', 'float', [uint8(4, 3), scales(), zero(120), uint8(4, 5), scales(), zero(110), int32(5)], {
  attributes: { transA: 1, alpha: 1.5 },
});
add('QLinearConv', '', [
  ...[uint8(1, 2, 8), scales(), zero(120), uint8(3, 2, 3), scales(), zero(128)],
  ...[{ dims: [], data: Float32Array.of(0.3) }, zero(127), int32(3)],
]);
add('FusedConv', 'relu, sum', [floats([1, 2, 6, 5]), floats([3, 2, 3, 3]), floats([3]), floats([1, 3, 6, 5])], {
  attributes: { pads: [1, 1, 1, 1], activation: 'Relu' },
  isSmooth: true,
});
add('FusedConv', 'clip', [floats([1, 2, 6, 5]), floats([3, 2, 3, 3]), floats([3])], {
  attributes: { activation: 'Clip', activation_params: [-0.3, 0.6] },
});
add('FusedGemm', 'leaky', [floats([3, 4]), floats([5, 4]), floats([5])], {
  attributes: { transB: 1, activation: 'LeakyRelu', activation_alpha: 0.2 },
  isSmooth: true,
});
add('FusedMatMul', 'both turned', [floats([2, 4, 3]), floats([2, 5, 4])], {
  attributes: { transA: 1, transB: 1, alpha: 0.5 },
  isSmooth: true,
});
add('FusedMatMul', 'batches turned', [floats([3, 2, 4]), floats([2, 4, 5])], {
  attributes: { transBatchA: 1 },
  isSmooth: true,
});
add('Gelu', '', [floats([3, 4], 2)], { isSmooth: true });
add('BiasGelu', '', [floats([3, 4], 2), floats([4])], { isSmooth: true });
add('FastGelu', '', [floats([3, 4], 2), floats([4])], { isSmooth: true });
add('QuickGelu', '', [floats([3, 4], 2)], { isSmooth: true, attributes: { alpha: 1.5 } });
add('SkipLayerNormalization', '', [floats([2, 3, 4]), floats([2, 3, 4]), floats([4]), floats([4]), floats([4])], {
  isSmooth: true,
  attributes: { epsilon: 0.001 },
});
add('SkipSimplifiedLayerNormalization', '', [floats([2, 3, 4]), floats([2, 3, 4]), floats([4])], { isSmooth: true });
add('SimplifiedLayerNormalization', '', [floats([2, 3, 4]), floats([4])], { isSmooth: true, domain: '' });
add('ExpandDims', '', [floats([2, 3]), { dims: [], data: Int32Array.of(-2) }], { isSmooth: true });
add('Inverse', '', [floats([2, 3, 3])], { isSmooth: true });
add('Pad', '', [floats([2, 3]), int64(0, 1, 2, 0)], { isSmooth: true });
add('Trilu', '', [floats([3, 4])], { isSmooth: true, attributes: { upper: 0 } });
add('Unique', '', [{ dims: [7], data: Float32Array.of(2, 1, 1, 3, 4, 3, -1) }], { outputs: 3 });
const repeated = { dims: [4, 3], data: Float32Array.of(1, 0, 0, 1, 0, 0, 2, 3, 4, 0, 5, 1) };
add('Unique', 'sorted rows', [repeated], { outputs: 4, domain: '', attributes: { axis: 0 } });
add('Unique', 'unsorted', [repeated], { outputs: 4, domain: '', attributes: { sorted: 0 } });

export const microsoftCases: readonly GraphCase[] = cases;
