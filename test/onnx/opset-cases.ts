// What operator sets have changed: attributes that became inputs, axes that may be negative, and defaults. ONNX
// Runtime's outputs are in test/golden/onnx.json, too.
import { type ArraySpec, attribute, modelOf, type NodeSpec } from './model-of.ts';
import { type Given, type GraphCase, oneNode } from './one-node.ts';

const cases: GraphCase[] = [];

/** One case for each operator set. */
function add(op: string, note: string, opsets: readonly number[], given: Given): void {
  for (const opset of opsets)
    cases.push(
      oneNode(3000 + cases.length, op, `${note ? `${note}, ` : ''}operator set ${opset}`, { ...given, opset }),
    );
}

const scalar = (value: number): ArraySpec => ({ dims: [], data: Float32Array.of(value) });
const floats = (...list: number[]): ArraySpec => ({ dims: [list.length], data: Float32Array.from(list) });
const longs = (dims: readonly number[], ...list: number[]): ArraySpec => ({
  dims,
  data: BigInt64Array.from(list, BigInt),
});
const bytes = (...list: number[]): ArraySpec => ({ dims: [list.length], data: Uint8Array.from(list) });

function addGraph(name: string, opset: number, nodes: readonly NodeSpec[], held: Record<string, ArraySpec> = {}): void {
  const x: ArraySpec = { dims: [2, 3], data: Float32Array.of(0.5, -1.25, 2.75, -3.5, 4.1, 0) };
  const outputs = nodes.flatMap((node) => node.outputs).filter((each) => each.startsWith('y'));
  cases.push({
    name: `${name}, operator set ${opset}`,
    bytes: modelOf({ nodes, inputs: { x }, initializers: held, outputs, opset }),
    feeds: { x },
    outputs,
    isSmooth: false,
  });
}

for (const op of ['Softmax', 'LogSoftmax', 'Hardmax']) {
  add(op, 'no axis', [7, 11, 12, 13, 18], {});
  add(op, 'axis=0', [7, 12, 13], { attributes: { axis: 0 } });
  add(op, 'axis=-2', [11, 13], { attributes: { axis: -2 } });
}
add('Dropout', 'ratio as an attribute', [7, 10, 11], { attributes: { ratio: 0.3 } });
add('Dropout', 'with its mask', [12, 13], { outputs: 2 });
add('Dropout', 'ratio as an input', [12, 13], { tensors: [scalar(0.3)] });
for (const mode of ['nearest', 'linear']) {
  add('Upsample', `${mode}, scales as an attribute`, [7, 8], {
    inputs: [[1, 2, 3, 2]],
    attributes: { mode, scales: [1, 1, 2, 2.5] },
  });
  add('Upsample', mode, [9], { inputs: [[1, 2, 3, 2]], tensors: [floats(1, 1, 2, 3)], attributes: { mode } });
  add('Resize', mode, [10], { inputs: [[1, 2, 4, 4]], tensors: [floats(1, 1, 1.5, 0.5)], attributes: { mode } });
  add('Resize', `${mode}, scales`, [11, 12, 13, 18, 19], {
    inputs: [[1, 2, 4, 4]],
    tensors: [floats(), floats(1, 1, 1.5, 0.5)],
    attributes: { mode },
  });
  add('Resize', `${mode}, sizes`, [11, 13, 18], {
    inputs: [[1, 2, 4, 4]],
    tensors: [floats(), floats(), longs([4], 1, 2, 6, 3)],
    attributes: { mode, coordinate_transformation_mode: 'asymmetric' },
  });
}
for (const mode of ['linear', 'cubic']) {
  add('Resize', `${mode}, antialias`, [18], {
    inputs: [[1, 1, 6, 6]],
    tensors: [floats(), floats(1, 1, 0.5, 0.6)],
    attributes: { mode, antialias: 1 },
  });
  add('Resize', `${mode}, half_pixel_symmetric`, [19], {
    inputs: [[1, 1, 4, 4]],
    tensors: [floats(), floats(1, 1, 1.3, 0.7)],
    attributes: { mode, coordinate_transformation_mode: 'half_pixel_symmetric' },
  });
}
for (const policy of ['not_larger', 'not_smaller'])
  add('Resize', `axes, ${policy}`, [18], {
    inputs: [[1, 1, 4, 6]],
    tensors: [floats(), floats(), longs([2], 7, 8)],
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: policy, mode: 'linear' },
  });
add('Resize', 'tf_crop_and_resize', [11, 13], {
  inputs: [[1, 1, 4, 4]],
  tensors: [floats(0, 0, 0.2, 0.3, 1, 1, 0.9, 1.4), floats(), longs([4], 1, 1, 3, 3)],
  attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: 7.5 },
});
add('Clip', 'attributes', [7, 10], { attributes: { min: -0.25, max: 0.75 } });
add('Clip', 'only min', [7], { attributes: { min: -0.25 } });
add('Clip', 'inputs', [11, 12, 13], { tensors: [scalar(-0.25), scalar(0.75)] });
add('Clip', 'min above max', [12], { tensors: [scalar(0.5), scalar(-0.5)] });
add('Clip', 'only max', [11, 13], { integers: [[]], tensors: [scalar(0.1)] });
add('BatchNormalization', '', [7, 9, 14, 15], {
  weights: [[3], [3], [3], [3]],
  shift: 1.5,
  attributes: { momentum: 0.8 },
});
add('BatchNormalization', 'spatial=1', [7], { weights: [[3], [3], [3], [3]], shift: 1.5, attributes: { spatial: 1 } });
add('BatchNormalization', 'rank 2', [9, 15], { inputs: [[4, 3]], weights: [[3], [3], [3], [3]], shift: 1.5 });
add('Squeeze', 'no axes', [7, 13], { inputs: [[1, 3, 1, 2]] });
add('Squeeze', 'axes as an attribute', [7], { inputs: [[1, 3, 1, 2]], attributes: { axes: [2] } });
add('Squeeze', 'negative axes as an attribute', [11], { inputs: [[1, 3, 1, 2]], attributes: { axes: [-2, 0] } });
add('Squeeze', 'negative axes', [13, 21], { inputs: [[1, 3, 1, 2]], integers: [[-2, 0]] });
add('Unsqueeze', 'axes as an attribute', [7], { attributes: { axes: [0, 3] } });
add('Unsqueeze', 'negative axes as an attribute', [11], { attributes: { axes: [-1, 1] } });
add('Unsqueeze', 'negative axes in any order', [13, 21], { integers: [[-1, 0]] });
for (const op of ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceLogSumExp']) {
  add(op, 'attribute', [7, 11], { attributes: { axes: [1] } });
  add(op, 'negative attribute', op === 'ReduceSum' ? [11, 12] : [11, 13, 17], {
    attributes: { axes: [-1, 0], keepdims: 0 },
  });
  add(op, 'no axes', [7, 11, 13, 18], {});
  add(op, 'input', op === 'ReduceSum' ? [13, 18] : [18, 21], { integers: [[-1, 0]], attributes: { keepdims: 0 } });
  add(op, 'noop_with_empty_axes', [18], { tensors: [longs([0])], attributes: { noop_with_empty_axes: 1 } });
}
add('Split', 'attribute', [7, 11], { attributes: { axis: 1, split: [1, 2] }, outputs: 2 });
add('Split', 'negative axis', [11, 12], { attributes: { axis: -1 }, outputs: 2 });
add('Split', 'equal parts', [7, 13], { attributes: { axis: 2 }, outputs: 2 });
add('Split', 'input', [13, 18], { attributes: { axis: -2 }, integers: [[2, 1]], outputs: 2 });
add('Split', 'num_outputs that does not divide', [18], {
  inputs: [[2, 7]],
  attributes: { axis: 1, num_outputs: 3 },
  outputs: 3,
});
for (const mode of ['constant', 'reflect', 'edge'])
  add('Pad', `${mode}, attributes`, [7, 10], {
    attributes: { mode, pads: [0, 1, 1, 1, 0, 2], value: 0.5 },
  });
add('Pad', 'inputs', [11, 13, 18], { integers: [[0, 1, 0, 0, -1, 2]], tensors: [scalar(0.5)] });
add('Pad', 'axes', [18, 19], { integers: [[1, 2], []], tensors: [longs([1], -1)] });
add('Slice', 'attributes without axes', [7], { attributes: { starts: [0, 1], ends: [1, 1000] } });
add('Slice', 'negative attributes', [9], { attributes: { starts: [-2, -3], ends: [-1, 1000], axes: [1, 2] } });
add('Slice', 'inputs without axes', [10, 11, 13], {
  integers: [
    [0, 1],
    [1, 1000],
  ],
});
add('Slice', 'negative axes', [11, 13], {
  integers: [
    [-1, 0],
    [-1000, 2],
    [-1, 1],
    [-2, 1],
  ],
});
add('TopK', 'attribute', [7, 9], { attributes: { axis: 1, k: 2 }, outputs: 2 });
add('TopK', 'input', [10, 11], { integers: [[2]], attributes: { axis: 1 }, outputs: 2 });
add('TopK', 'smallest', [11], { integers: [[2]], attributes: { axis: -1, largest: 0 }, outputs: 2 });
add('Flatten', 'axis=0', [7, 9], { attributes: { axis: 0 } });
add('Flatten', 'axis=-1', [11, 13], { attributes: { axis: -1 } });
add('ArgMax', '', [7, 11, 13], { attributes: { axis: 1, keepdims: 0 } });
add('ArgMin', 'negative axis', [11, 13], { attributes: { axis: -2 } });
add('Gemm', 'C of one row', [7, 9, 11, 13], { inputs: [[3, 4]], weights: [[4, 5], [5]] });
add('Gemm', 'C of one column', [9, 13], {
  inputs: [[3, 4]],
  weights: [
    [4, 5],
    [3, 1],
  ],
  attributes: { beta: 0.5 },
});
add('Gemm', 'without C', [11, 13], { inputs: [[3, 4]], weights: [[4, 5]] });
add('PRelu', '', [7, 9, 16], { weights: [[3, 1]] });
add('Max', '', [7], {
  inputs: [
    [2, 3],
    [2, 3],
  ],
});
add('Max', 'broadcast', [8, 12, 13], { inputs: [[2, 3], [3], [2, 1]] });
add('Sum', '', [7, 8, 13], {
  inputs: [
    [2, 3],
    [2, 3],
  ],
});
add('Mean', 'broadcast', [8, 13], { inputs: [[2, 3], [3]] });
add('Reshape', '0 and -1', [7, 13, 21], { integers: [[0, -1, 2]] });
add('Reshape', 'allowzero', [14], { inputs: [[0, 3]], integers: [[3, 0]], attributes: { allowzero: 1 } });
add('Shape', '', [7, 13], {});
add('Shape', 'start and end', [15, 19], { attributes: { start: -2, end: 100 } });
add('Size', '', [7, 13], {});
add('Expand', '', [8, 13], { inputs: [[3, 1]], integers: [[2, 1, 4]] });
add('Tile', '', [7, 13], { integers: [[1, 2, 2]] });
add('DepthToSpace', '', [7, 11, 13], { inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2 } });
add('MaxPool', '', [7, 8, 11, 12], {
  inputs: [[1, 2, 5, 6]],
  attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
});
add('MaxPool', 'indices', [8, 12], {
  inputs: [[1, 2, 5, 6]],
  attributes: { kernel_shape: [3, 2], strides: [2, 2] },
  outputs: 2,
});
add('MaxPool', 'ceil_mode', [10, 12], {
  inputs: [[1, 2, 6, 6]],
  attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
});
for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER', 'VALID']) {
  add('MaxPool', auto_pad, [7, 12], {
    inputs: [[1, 2, 5, 6]],
    attributes: { kernel_shape: [3, 2], strides: [2, 2], auto_pad },
  });
  add('AveragePool', auto_pad, [7, 11, 19], {
    inputs: [[1, 2, 5, 6]],
    attributes: { kernel_shape: [3, 2], strides: [2, 2], auto_pad },
  });
  add('Conv', auto_pad, [7, 11], {
    inputs: [[1, 2, 5, 6]],
    weights: [[3, 2, 3, 2]],
    attributes: { strides: [2, 2], auto_pad },
  });
  add('ConvTranspose', auto_pad, [7, 11], {
    inputs: [[1, 2, 3, 4]],
    weights: [[2, 3, 3, 2]],
    attributes: { strides: [2, 2], auto_pad },
  });
}
add('AveragePool', 'dilations', [19], {
  inputs: [[1, 1, 7, 6]],
  attributes: { kernel_shape: [2, 2], dilations: [2, 2] },
});
for (const [shape, note] of [
  [[7, 9], 'longer'],
  [[5, 7], 'shorter'],
] as const)
  add('ConvTranspose', `output_shape, ${note}`, [7, 11], {
    inputs: [[1, 2, 3, 4]],
    weights: [[2, 3, 3, 2]],
    attributes: { strides: [2, 2], output_shape: shape },
  });
add('CumSum', 'negative axis', [11, 14], { integers: [[-2]] });
add('Trilu', '', [14], { inputs: [[3, 4]] });
add('Einsum', 'implicit output', [12], {
  inputs: [
    [2, 3],
    [3, 4],
  ],
  attributes: { equation: 'ij,jk' },
});
add('Einsum', 'trace', [12], { inputs: [[3, 3]], attributes: { equation: 'ii->' } });
add('MeanVarianceNormalization', 'axes', [9, 13], { inputs: [[2, 3, 4, 2]], attributes: { axes: [0, 2, 3] } });
add('LpNormalization', '', [7], { attributes: { axis: 1, p: 1 } });
add('InstanceNormalization', '', [7], { inputs: [[2, 3, 4]], weights: [[3], [3]] });
add('Mod', 'fmod', [10, 13], { inputs: [[2, 3], [3]], scale: 3, attributes: { fmod: 1 } });
for (const op of ['LSTM', 'GRU', 'RNN'] as const) {
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op];
  add(op, '', [7, 14, 22], {
    inputs: [[3, 2, 2]],
    weights: [
      [1, gates * 3, 2],
      [1, gates * 3, 3],
      [1, 2 * gates * 3],
    ],
    attributes: { hidden_size: 3 },
    outputs: 2,
  });
}

const cast = (from: string, to: number, into: string): NodeSpec => ({
  op: 'Cast',
  inputs: [from],
  outputs: [into],
  attributes: [attribute('to', to)],
});
for (const opset of [9, 13, 19]) {
  addGraph('Cast to a string and back', opset, [cast('x', 8, 's'), cast('s', 1, 'y')]);
  addGraph('Cast of integers to strings and back', opset, [cast('x', 7, 'i'), cast('i', 8, 's'), cast('s', 6, 'y')]);
  addGraph('Cast cuts off towards 0', opset, [
    cast('x', 6, 'y0'),
    cast('x', 7, 'y1'),
    cast('x', 9, 'y2'),
    cast('y0', 1, 'y3'),
  ]);
  addGraph('Cast to float16 and back', opset, [cast('x', 10, 'h'), cast('h', 1, 'y')]);
  addGraph('Cast to double and back', opset, [cast('x', 11, 'd'), cast('d', 1, 'y')]);
}
for (const opset of [7, 11, 13, 19]) {
  addGraph(
    'Equal of integers',
    opset,
    [cast('x', 7, 'i'), { op: 'Equal', inputs: ['i', 'two'], outputs: ['e'] }, cast('e', 1, 'y')],
    { two: longs([1], 2) },
  );
}
for (const [index, axis] of [
  [-1, 1],
  [0, -1],
] as const)
  addGraph(
    `OneHot, axis=${axis}`,
    11,
    [
      cast('x', 7, 'i'),
      { op: 'OneHot', inputs: ['i', 'depth', 'values'], outputs: ['y'], attributes: [attribute('axis', axis)] },
    ],
    { depth: longs([1], 4 + index), values: floats(0.5, 2) },
  );
for (const [name, value] of [
  ['value_float', 1.5],
  ['value_int', 3],
  ['value_floats', [0.5, 1.5, 2.5]],
  ['value_ints', [1, 2, 3]],
] as const)
  addGraph(`Constant, ${name}`, 12, [
    { op: 'Constant', inputs: [], outputs: ['c'], attributes: [attribute(name, value)] },
    cast('c', 1, 'f'),
    { op: 'Mul', inputs: ['x', 'f'], outputs: ['y'] },
  ]);
for (const opset of [7, 12, 13, 15])
  addGraph(
    'Pow',
    opset,
    [
      { op: 'Abs', inputs: ['x'], outputs: ['a'] },
      { op: 'Pow', inputs: ['a', 'p'], outputs: ['y'] },
    ],
    { p: floats(0.5, 2, 3) },
  );
addGraph('Pow, of a float and an integer', 13, [{ op: 'Pow', inputs: ['x', 'p'], outputs: ['y'] }], {
  p: longs([3], 0, 2, 3),
});
for (const opset of [10, 13, 19, 21]) {
  addGraph(
    'QuantizeLinear',
    opset,
    [
      { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['y'] },
      cast('q', 1, 'y1'),
    ],
    { s: scalar(0.02), z: { dims: [], data: Uint8Array.of(100) } },
  );
}
for (const opset of [13, 21])
  addGraph(
    'QuantizeLinear, axis',
    opset,
    [
      { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'], attributes: [attribute('axis', -1)] },
      { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['y'], attributes: [attribute('axis', 1)] },
    ],
    { s: floats(0.02, 0.1, 0.5), z: bytes(100, 3, 200) },
  );
addGraph('DynamicQuantizeLinear', 11, [
  { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'y0', 'z'] },
  cast('q', 1, 'y1'),
  cast('z', 1, 'y2'),
]);
for (const opset of [9, 13])
  addGraph(
    'Where of a comparison',
    opset,
    [
      { op: 'Greater', inputs: ['x', 'zero'], outputs: ['c'] },
      { op: 'Where', inputs: ['c', 'x', 'zero'], outputs: ['y'] },
      { op: 'Not', inputs: ['c'], outputs: ['n'] },
      { op: 'NonZero', inputs: ['n'], outputs: ['y1'] },
    ],
    { zero: scalar(0) },
  );
addGraph('IsInf and IsNaN', 13, [
  { op: 'Log', inputs: ['x'], outputs: ['l'] },
  { op: 'IsNaN', inputs: ['l'], outputs: ['n'] },
  { op: 'IsInf', inputs: ['l'], outputs: ['i'], attributes: [attribute('detect_positive', 0)] },
  cast('n', 1, 'y0'),
  cast('i', 1, 'y1'),
]);
addGraph(
  'BitShift',
  11,
  [
    { op: 'Abs', inputs: ['x'], outputs: ['a'] },
    cast('a', 2, 'u'),
    { op: 'BitShift', inputs: ['u', 'by'], outputs: ['s'], attributes: [attribute('direction', 'LEFT')] },
    cast('s', 1, 'y'),
  ],
  { by: bytes(1, 6, 7) },
);
addGraph(
  'Integer division and remainder',
  13,
  [
    cast('x', 7, 'i'),
    { op: 'Div', inputs: ['i', 'by'], outputs: ['y0'] },
    { op: 'Mod', inputs: ['i', 'by'], outputs: ['y1'] },
    { op: 'Mod', inputs: ['i', 'by'], outputs: ['y2'], attributes: [attribute('fmod', 1)] },
  ],
  { by: longs([3], 2, -2, 3) },
);
addGraph('Range', 11, [{ op: 'Range', inputs: ['a', 'b', 'c'], outputs: ['y'] }], {
  a: scalar(1),
  b: scalar(-2),
  c: scalar(-0.7),
});
addGraph(
  'Scatter',
  9,
  [{ op: 'Scatter', inputs: ['x', 'i', 'u'], outputs: ['y'], attributes: [attribute('axis', 1)] }],
  {
    i: longs([2, 1], 2, 0),
    u: { dims: [2, 1], data: Float32Array.of(7, 8) },
  },
);

for (const op of ['Max', 'Min', 'Sum', 'Mean'])
  add(op, '', [6], {
    inputs: [
      [2, 3],
      [2, 3],
    ],
  });
add('Clip', '', [6], { attributes: { min: -0.5, max: 0.5 } });
add('HardSigmoid', '', [6], { attributes: { alpha: 0.3, beta: 0.4 } });
add('Tile', '', [6], { integers: [[1, 2, 2]] });
add('Selu', '', [6], {});

export const opsetCases: readonly GraphCase[] = cases;
