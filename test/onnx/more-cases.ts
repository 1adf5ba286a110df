// More graphs: operators that read by indices or run subgraphs, and what one node cannot show. ONNX Runtime's outputs
// are in test/golden/onnx.json, too.
import { RandomStream } from '../../src/index.ts';
import type { AttributeProto, GraphProto } from '../../src/onnx/format/messages.ts';
import { type ArraySpec, attribute, modelOf, type NodeSpec } from './model-of.ts';
import { type Given, type GraphCase, oneNode } from './one-node.ts';

const cases: GraphCase[] = [];

const add = (op: string, note: string, given: Given): void => {
  cases.push(oneNode(1000 + cases.length, op, note, given));
};

const longs = (dims: readonly number[], ...list: number[]): ArraySpec => ({
  dims,
  data: BigInt64Array.from(list, BigInt),
});

/** A graph of several nodes with inputs of some shapes. */
function addGraph(
  name: string,
  shapes: readonly (readonly number[])[],
  nodes: readonly NodeSpec[],
  { held = {}, opset = 17 }: { held?: Record<string, ArraySpec>; opset?: number } = {},
): void {
  const random = new RandomStream(1000 + cases.length);
  const inputs = Object.fromEntries(
    shapes.map((dims, i) => [
      `x${i}`,
      {
        dims,
        data: Float32Array.from(
          { length: dims.reduce((product, n) => product * n, 1) },
          () => 2 * random.nextUniform() - 1,
        ),
      },
    ]),
  );
  const bytes = modelOf({ nodes, inputs, initializers: held, outputs: ['y0'], opset });
  cases.push({ name, bytes, feeds: inputs, outputs: ['y0'], isSmooth: true });
}

const body = (name: string, graph: GraphProto): AttributeProto => ({ name, type: 5, g: graph });
const value = (name: string, elemType: number, dims: readonly number[]) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

for (const op of ['Sum', 'Mean'])
  add(op, '', {
    inputs: [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  });
add('Identity', '', {});
add('Clip', 'bounds as inputs', {
  tensors: [
    { dims: [], data: Float32Array.of(-0.51) },
    { dims: [], data: Float32Array.of(0.49) },
  ],
});
addGraph(
  'Clip, bounds from inputs',
  [[2, 3, 4], [5]],
  [
    { op: 'ReduceMin', inputs: ['x1'], outputs: ['a'], attributes: [attribute('keepdims', 0)] },
    { op: 'ReduceMax', inputs: ['x1'], outputs: ['b'], attributes: [attribute('keepdims', 0)] },
    { op: 'Clip', inputs: ['x0', 'a', 'b'], outputs: ['y0'] },
  ],
);
addGraph(
  'Where',
  [
    [2, 3],
    [2, 1],
  ],
  [
    { op: 'Cast', inputs: ['c'], outputs: ['d'], attributes: [attribute('to', 9)] },
    { op: 'Where', inputs: ['d', 'x0', 'x1'], outputs: ['y0'] },
  ],
  { held: { c: longs([3], 1, 0, 1) } },
);
addGraph('CastLike', [[2, 3], [1]], [{ op: 'CastLike', inputs: ['x0', 'x1'], outputs: ['y0'] }]);
addGraph(
  'Cast, double',
  [[2, 3]],
  [
    { op: 'Cast', inputs: ['x0'], outputs: ['d'], attributes: [attribute('to', 11)] },
    { op: 'Mul', inputs: ['d', 'd'], outputs: ['e'] },
    { op: 'Cast', inputs: ['e'], outputs: ['y0'], attributes: [attribute('to', 1)] },
  ],
);
addGraph(
  'a value that an integer operator reads, too',
  [[2, 3]],
  [
    { op: 'ArgMax', inputs: ['x0'], outputs: ['i'], attributes: [attribute('axis', 1)] },
    { op: 'Exp', inputs: ['x0'], outputs: ['e'] },
    { op: 'ArgMax', inputs: ['e'], outputs: ['j'], attributes: [attribute('axis', 1)] },
    { op: 'Reshape', inputs: ['e', 'shape'], outputs: ['r'] },
    { op: 'Add', inputs: ['i', 'j'], outputs: ['k'] },
    { op: 'Cast', inputs: ['k'], outputs: ['f'], attributes: [attribute('to', 1)] },
    { op: 'Add', inputs: ['r', 'f'], outputs: ['y0'] },
  ],
  { held: { shape: longs([2], 1, 6) } },
);
add('GatherElements', 'axis 1', { inputs: [[2, 3]], tensors: [longs([2, 2], 0, 2, -1, 0)], attributes: { axis: 1 } });
add('GatherND', '', { inputs: [[2, 3, 2]], tensors: [longs([2, 2], 0, 2, 1, -1)] });
add('GatherND', 'batch_dims=1', { inputs: [[2, 3, 2]], tensors: [longs([2, 1], 2, 0)], attributes: { batch_dims: 1 } });
add('Gather', 'a number', { tensors: [longs([], 1)], attributes: { axis: 1 } });
for (const reduction of ['none', 'add', 'mul', 'max', 'min']) {
  // Without a reduction no place may come twice.
  const [ids, twice] =
    reduction === 'none'
      ? [longs([2, 1], 2, 0), longs([2, 2], 0, 2, 1, 0)]
      : [longs([2, 1], 2, 2), longs([2, 2], 1, 1, 0, 2)];
  addGraph(
    `ScatterND, ${reduction}`,
    [
      [3, 2],
      [2, 2],
    ],
    [
      {
        op: 'ScatterND',
        inputs: ['x0', 'ids', 'x1'],
        outputs: ['y0'],
        attributes: [attribute('reduction', reduction)],
      },
    ],
    { held: { ids }, opset: 18 },
  );
  addGraph(
    `ScatterElements, ${reduction}`,
    [
      [2, 3],
      [2, 2],
    ],
    [
      {
        op: 'ScatterElements',
        inputs: ['x0', 'ids', 'x1'],
        outputs: ['y0'],
        attributes: [attribute('reduction', reduction), attribute('axis', 1)],
      },
    ],
    { held: { ids: twice }, opset: 18 },
  );
}
addGraph(
  'Scatter',
  [
    [2, 3],
    [1, 2],
  ],
  [{ op: 'Scatter', inputs: ['x0', 'ids', 'x1'], outputs: ['y0'] }],
  {
    held: { ids: longs([1, 2], 1, 0) },
    opset: 9,
  },
);
addGraph(
  'Compress',
  [[2, 3]],
  [
    { op: 'Cast', inputs: ['c'], outputs: ['d'], attributes: [attribute('to', 9)] },
    { op: 'Compress', inputs: ['x0', 'd'], outputs: ['y0'], attributes: [attribute('axis', 1)] },
  ],
  { held: { c: longs([3], 1, 0, 1) } },
);
addGraph('OneHot, of values', [[2]], [{ op: 'OneHot', inputs: ['ids', 'depth', 'x0'], outputs: ['y0'] }], {
  held: { ids: longs([3], 1, -1, 0), depth: longs([], 4) },
});
addGraph(
  'Range, of floats',
  [[], []],
  [
    { op: 'Abs', inputs: ['x0'], outputs: ['start'] },
    { op: 'Add', inputs: ['start', 'five'], outputs: ['limit'] },
    { op: 'Add', inputs: ['x1', 'three'], outputs: ['delta'] },
    { op: 'Range', inputs: ['start', 'limit', 'delta'], outputs: ['y0'] },
  ],
  { held: { five: { dims: [], data: Float32Array.of(5.3) }, three: { dims: [], data: Float32Array.of(1.5) } } },
);
add('SpaceToDepth', '', { inputs: [[1, 2, 4, 6]], attributes: { blocksize: 2 } });
add('DepthToSpace', 'DCR', { inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2 } });
add('ReverseSequence', '', { inputs: [[3, 2, 2]], integers: [[2, 3]] });
add('Pad', 'wrap', { integers: [[0, 1, 2, 0, 0, 1]], attributes: { mode: 'wrap' }, opset: 19 });
add('Pad', 'cropped', { integers: [[0, -1, 2, 0, 0, -1]] });
addGraph(
  'Pad, a filler from inputs',
  [[2, 3], [4]],
  [
    { op: 'ReduceSum', inputs: ['x1'], outputs: ['v'], attributes: [attribute('keepdims', 0)] },
    { op: 'Pad', inputs: ['x0', 'pads', 'v'], outputs: ['y0'] },
  ],
  { held: { pads: longs([4], 1, 0, -1, 2) } },
);
add('Slice', 'operator set 9', { attributes: { starts: [0, 1], ends: [2, 4], axes: [1, 2] }, opset: 9 });
add('CumSum', 'exclusive', { integers: [[-1]], attributes: { exclusive: 1 } });
add('Trilu', 'upper, diagonal 1', { inputs: [[2, 3, 3]], tensors: [longs([], 1)], opset: 14 });
add('GlobalMaxPool', '', { inputs: [[2, 3, 4]], scale: 4 });
add('MaxPool', '2-d', {
  scale: 4,
  inputs: [[1, 2, 5, 5]],
  attributes: { kernel_shape: [2, 3], strides: [2, 1], pads: [1, 0, 0, 1] },
});
add('AveragePool', 'plain', {
  inputs: [[1, 2, 5, 5]],
  attributes: { kernel_shape: [2, 3], strides: [2, 1], pads: [1, 0, 0, 1] },
});
add('GroupNormalization', 'operator set 21', {
  inputs: [[2, 4, 3]],
  weights: [[4], [4]],
  attributes: { num_groups: 2 },
  opset: 21,
});
add('RMSNormalization', '', { inputs: [[2, 3, 4]], weights: [[4]], opset: 23 });
add('LayerNormalization', 'three outputs', { weights: [[4], [4]], outputs: 3 });
add('LpNormalization', 'p=1', { attributes: { axis: -1, p: 1 } });
add('MeanVarianceNormalization', '', { inputs: [[2, 3, 2, 2]], opset: 13 });
add('Softmax', 'operator set 17, of the last axis', {});
add('LogSoftmax', 'operator set 11', { opset: 11, attributes: { axis: 2 } });
add('Gelu', '', { opset: 20 });
add('Gelu', 'tanh', { opset: 20, attributes: { approximate: 'tanh' } });
add('Pow', 'a number', { shift: 2, tensors: [{ dims: [], data: Float32Array.of(3) }] });
add('Mod', 'fmod, of both signs', { inputs: [[2, 3], [3]], scale: 3, attributes: { fmod: 1 } });
add('Einsum', 'one operand', { attributes: { equation: 'bij->jb' } });
add('Upsample', '', {
  inputs: [[1, 2, 2, 3]],
  tensors: [{ dims: [4], data: Float32Array.of(1, 1, 2, 1.5) }],
  opset: 9,
});
add('Resize', 'align_corners', {
  inputs: [[1, 1, 3, 4]],
  integers: [[], [], [1, 1, 6, 7]],
  attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
});
add('Conv', '2-d groups', {
  inputs: [[1, 4, 4, 4]],
  weights: [[6, 2, 2, 2], [6]],
  attributes: { group: 2, dilations: [1, 2] },
});
add('LSTM', 'peepholes, lengths, states', {
  inputs: [[3, 2, 2]],
  weights: [
    [2, 12, 2],
    [2, 12, 3],
    [2, 24],
  ],
  tensors: [
    { dims: [2], data: Int32Array.of(3, 2) },
    { dims: [2, 2, 3], data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) },
    { dims: [2, 2, 3], data: Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)) },
    { dims: [2, 9], data: Float32Array.from({ length: 18 }, (_, i) => Math.sin(3 * i)) },
  ],
  attributes: { hidden_size: 3, direction: 'bidirectional' },
  outputs: 3,
});
add('GRU', 'composed: other activations, clip', {
  inputs: [[3, 2, 2]],
  weights: [
    [1, 9, 2],
    [1, 9, 3],
    [1, 18],
  ],
  attributes: {
    hidden_size: 3,
    clip: 0.9,
    activations: ['Softsign', 'ScaledTanh'],
    activation_alpha: [1.5],
    activation_beta: [0.5],
  },
  outputs: 2,
});
addGraph(
  'If, both branches',
  [[2, 3]],
  [
    { op: 'ReduceSum', inputs: ['x0'], outputs: ['s'], attributes: [attribute('keepdims', 0)] },
    { op: 'Greater', inputs: ['s', 'zero'], outputs: ['c'] },
    {
      op: 'If',
      inputs: ['c'],
      outputs: ['a'],
      attributes: [
        body('then_branch', {
          name: 't',
          node: [{ opType: 'Exp', input: ['x0'], output: ['u'] }],
          output: [value('u', 1, [2, 3])],
        }),
        body('else_branch', {
          name: 'e',
          node: [{ opType: 'Sin', input: ['x0'], output: ['v'] }],
          output: [value('v', 1, [2, 3])],
        }),
      ],
    },
    { op: 'Mul', inputs: ['a', 'x0'], outputs: ['y0'] },
  ],
  { held: { zero: { dims: [], data: Float32Array.of(0) } } },
);
addGraph(
  'Loop',
  [[2, 3], [3]],
  [
    {
      op: 'Loop',
      inputs: ['three', '', 'x0'],
      outputs: ['last', 'y0'],
      attributes: [
        body('body', {
          name: 'b',
          input: [value('i', 7, []), value('goes', 9, []), value('s', 1, [2, 3])],
          node: [
            { opType: 'Identity', input: ['goes'], output: ['on'] },
            { opType: 'Mul', input: ['s', 'x1'], output: ['m'] },
            { opType: 'Tanh', input: ['m'], output: ['next'] },
            { opType: 'Add', input: ['next', 's'], output: ['scan'] },
          ],
          output: [value('on', 9, []), value('next', 1, [2, 3]), value('scan', 1, [2, 3])],
        }),
      ],
    },
  ],
  { held: { three: longs([], 3) } },
);
addGraph(
  'Scan',
  [[3], [4, 3]],
  [
    {
      op: 'Scan',
      inputs: ['x0', 'x1'],
      outputs: ['last', 'y0'],
      attributes: [
        attribute('num_scan_inputs', 1),
        attribute('scan_input_directions', [1]),
        body('body', {
          name: 'b',
          input: [value('s', 1, [3]), value('x', 1, [3])],
          node: [
            { opType: 'Add', input: ['s', 'x'], output: ['a'] },
            { opType: 'Sigmoid', input: ['a'], output: ['next'] },
            { opType: 'Identity', input: ['next'], output: ['out'] },
          ],
          output: [value('next', 1, [3]), value('out', 1, [3])],
        }),
      ],
    },
  ],
);
addGraph(
  'DequantizeLinear, of scales',
  [[3]],
  [{ op: 'DequantizeLinear', inputs: ['q', 'x0', 'z'], outputs: ['y0'], attributes: [attribute('axis', 1)] }],
  {
    held: {
      q: { dims: [2, 3], data: Uint8Array.of(1, 200, 3, 7, 90, 130) },
      z: { dims: [3], data: Uint8Array.of(128, 0, 5) },
    },
  },
);
addGraph(
  'elements of a tensor whose first axes are swapped in memory',
  [[2, 3, 2]],
  [
    { op: 'Transpose', inputs: ['x0'], outputs: ['t'], attributes: [attribute('perm', [1, 0, 2])] },
    { op: 'Gather', inputs: ['t', 'ids'], outputs: ['y0'], attributes: [attribute('axis', 2)] },
  ],
  { held: { ids: longs([3], 1, 0, 1) } },
);
add('Swish', '', { opset: 24, attributes: { alpha: 0.7 } });

export const moreCases: readonly GraphCase[] = cases;
