// Small graphs of one operator each, with fixed inputs. ONNX Runtime's outputs are in test/golden/onnx.json.
import { type Given, type GraphCase, oneNode } from './one-node.ts';

const cases: GraphCase[] = [];

function add(op: string, note: string, given: Given): void {
  cases.push(oneNode(cases.length + 1, op, note, given));
}

for (const op of [
  'Neg',
  'Exp',
  'Sigmoid',
  'Tanh',
  'Softplus',
  'Softsign',
  'Sin',
  'Cos',
  'Tan',
  'Erf',
  'Atan',
  'Sinh',
  'Cosh',
  'Asinh',
  'Mish',
  'HardSwish',
])
  add(op, '', { opset: 18 });
for (const op of ['Asin', 'Acos', 'Atanh']) add(op, '', { scale: 0.8 });
for (const op of ['Sqrt', 'Log', 'Reciprocal', 'Abs']) add(op, '', { shift: 2 });
add('Acosh', '', { shift: 3 });
for (const op of ['Floor', 'Ceil', 'Round', 'Sign']) add(op, '', { scale: 3, isSmooth: false });
for (const op of ['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'ThresholdedRelu', 'HardSigmoid', 'Shrink'])
  add(op, '', { scale: 2, ...(op === 'ThresholdedRelu' && { attributes: { alpha: 0.31 } }) });
for (const op of ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'])
  add(op, 'broadcast', {
    inputs: [
      [2, 3, 4],
      [3, 1],
    ],
    shift: 0.1,
  });
add('Pow', 'tensors', { inputs: [[2, 3], [3]], shift: 2 });
add('Mod', 'fmod', { inputs: [[2, 3], [3]], shift: 2, attributes: { fmod: 1 } });
add('PRelu', 'per channel', { inputs: [[2, 3, 4]], weights: [[3, 1]] });
add('Clip', '', { opset: 10, attributes: { min: -0.51, max: 0.49 } });
for (const op of [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSum',
  'ReduceLogSumExp',
])
  add(op, 'axes 0 and 2', {
    shift: 2,
    ...(op === 'ReduceSum' ? { integers: [[0, -1]] } : { attributes: { axes: [0, 2] } }),
  });
add('ReduceMean', 'all axes, none kept', { attributes: { keepdims: 0 } });
add('Softmax', 'axis 1', { attributes: { axis: 1 } });
add('Softmax', 'operator set 11', { attributes: { axis: 1 }, opset: 11 });
add('LogSoftmax', '', { attributes: { axis: -1 } });
add('CumSum', 'exclusive, reverse', { integers: [[1]], attributes: { exclusive: 1, reverse: 1 } });
add('TopK', '', { integers: [[2]], outputs: 2 });
add('MatMul', '', {
  inputs: [
    [2, 3, 4],
    [4, 5],
  ],
});
add('MatMul', 'batches broadcast', {
  inputs: [
    [2, 1, 3, 4],
    [5, 4, 2],
  ],
});
add('MatMul', 'vector', { inputs: [[2, 3, 4], [4]] });
add('Gemm', 'weight', { inputs: [[3, 4]], weights: [[5, 4], [5]], attributes: { transB: 1, alpha: 0.5, beta: 1.5 } });
add('Gemm', 'both transposed', {
  inputs: [
    [4, 3],
    [5, 4],
  ],
  attributes: { transA: 1, transB: 1 },
});
add('Einsum', 'two operands', {
  inputs: [
    [2, 3, 4],
    [2, 4, 5],
  ],
  attributes: { equation: 'bij,bjk->bik' },
});
add('Transpose', '', { attributes: { perm: [2, 0, 1] } });
add('Reshape', '', { integers: [[0, -1]] });
add('Flatten', '', { attributes: { axis: 2 } });
add('Squeeze', '', { inputs: [[2, 1, 4]], integers: [[1]] });
add('Unsqueeze', '', { integers: [[0, -1]] });
add('Slice', 'negative step', {
  integers: [
    [-1, 0],
    [-5, 3],
    [2, 1],
    [-2, 2],
  ],
});
add('Concat', '', {
  inputs: [
    [2, 3, 4],
    [2, 2, 4],
  ],
  attributes: { axis: 1 },
});
add('Split', '', { attributes: { axis: 1 }, integers: [[1, 2]], outputs: 2 });
add('Expand', '', { inputs: [[3, 1]], integers: [[2, 1, 4]] });
add('Tile', '', { integers: [[1, 2, 2]] });
add('Gather', 'axis 1', { integers: [[0, 2, -1, 0]], attributes: { axis: 1 } });
add('Gather', 'rows', { inputs: [[5, 4]], integers: [[0, 2, 2]] });
for (const mode of ['constant', 'reflect', 'edge'])
  add('Pad', mode, { integers: [[0, 1, 2, 0, 0, 1]], attributes: { mode } });
add('DepthToSpace', 'CRD', { inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2, mode: 'CRD' } });
add('Trilu', '', { inputs: [[3, 4]], attributes: { upper: 0 } });
add('Conv', '1-d, causal', {
  inputs: [[2, 3, 9]],
  weights: [[4, 3, 3], [4]],
  attributes: { pads: [4, 0], dilations: [2] },
});
add('Conv', '1-d, groups and strides', {
  inputs: [[2, 4, 9]],
  weights: [[6, 2, 3]],
  attributes: { group: 2, strides: [2], auto_pad: 'SAME_LOWER' },
});
add('Conv', '2-d', {
  inputs: [[2, 3, 7, 6]],
  weights: [[4, 3, 3, 2], [4]],
  attributes: { pads: [1, 0, 1, 1], strides: [2, 1] },
});
add('Conv', 'depthwise', {
  inputs: [[1, 3, 6, 5]],
  weights: [[6, 1, 3, 3], [6]],
  attributes: { group: 3, pads: [1, 1, 1, 1] },
});
add('Conv', '3-d', { inputs: [[1, 2, 3, 4, 4]], weights: [[3, 2, 2, 2, 2]] });
add('ConvTranspose', '1-d', {
  inputs: [[2, 3, 5]],
  weights: [[3, 4, 3], [4]],
  attributes: { strides: [2], output_padding: [1], pads: [1, 0] },
});
add('ConvTranspose', '2-d, groups', {
  inputs: [[1, 4, 3, 3]],
  weights: [[4, 2, 3, 3]],
  attributes: { group: 2, strides: [2, 1], pads: [1, 1, 0, 1] },
});
add('MaxPool', '1-d', {
  scale: 4,
  inputs: [[2, 3, 8]],
  attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] },
});
add('MaxPool', 'dilated', {
  scale: 4,
  inputs: [[1, 2, 7, 6]],
  attributes: { kernel_shape: [2, 2], dilations: [2, 2] },
});
for (const included of [0, 1])
  add('AveragePool', `count_include_pad=${included}`, {
    inputs: [[1, 2, 7, 6]],
    attributes: {
      kernel_shape: [3, 2],
      strides: [2, 2],
      pads: [1, 0, 1, 1],
      ceil_mode: 1,
      count_include_pad: included,
    },
  });
add('GlobalAveragePool', '', { inputs: [[2, 3, 4, 5]] });
add('BatchNormalization', '', { inputs: [[2, 3, 4]], weights: [[3], [3], [3], [3]], shift: 1.5 });
add('LayerNormalization', 'axis 1', {
  weights: [
    [3, 4],
    [3, 4],
  ],
  attributes: { axis: 1 },
});
add('InstanceNormalization', '', { weights: [[3], [3]] });
add('LpNormalization', '', { attributes: { axis: 1, p: 2 } });
add('Resize', 'linear', { inputs: [[1, 2, 4, 4]], integers: [[], [], [1, 2, 7, 3]], attributes: { mode: 'linear' } });
add('Resize', 'cubic', { inputs: [[1, 1, 4, 4]], integers: [[], [], [1, 1, 6, 9]], attributes: { mode: 'cubic' } });
add('Resize', 'nearest', { inputs: [[1, 2, 3, 3]], integers: [[], [], [1, 2, 7, 5]] });
for (const direction of ['forward', 'reverse', 'bidirectional']) {
  const d = direction === 'bidirectional' ? 2 : 1;
  const attributes = { hidden_size: 5, direction };
  add('LSTM', direction, {
    inputs: [[4, 2, 3]],
    weights: [
      [d, 20, 3],
      [d, 20, 5],
      [d, 40],
    ],
    attributes,
    outputs: 3,
  });
  add('GRU', direction, {
    inputs: [[4, 2, 3]],
    weights: [
      [d, 15, 3],
      [d, 15, 5],
      [d, 30],
    ],
    attributes,
    outputs: 2,
  });
  add('RNN', direction, {
    inputs: [[4, 2, 3]],
    weights: [
      [d, 5, 3],
      [d, 5, 5],
      [d, 10],
    ],
    attributes,
    outputs: 2,
  });
}
add('GRU', 'linear before reset', {
  inputs: [[4, 2, 3]],
  weights: [
    [1, 15, 3],
    [1, 15, 5],
    [1, 30],
  ],
  attributes: { hidden_size: 5, linear_before_reset: 1 },
  outputs: 2,
});
add('LSTM', 'composed: clip, input_forget, other activations', {
  inputs: [[4, 2, 3]],
  weights: [
    [1, 20, 3],
    [1, 20, 5],
    [1, 40],
  ],
  attributes: {
    hidden_size: 5,
    clip: 0.75,
    input_forget: 1,
    activations: ['HardSigmoid', 'Softsign', 'Tanh'],
    activation_alpha: [0.25],
    activation_beta: [0.45],
  },
  outputs: 3,
});

export const graphCases: readonly GraphCase[] = cases;
