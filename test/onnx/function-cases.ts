// Graphs that call functions of their own file. ONNX Runtime's outputs are in test/golden/onnx.json.

import { RandomStream } from '../../src/index.ts';
import type { AttributeProto, FunctionProto } from '../../src/onnx/format/messages.ts';
import { type ArraySpec, attribute, modelOf, type NodeSpec, nodeOf } from './model-of.ts';
import type { GraphCase } from './one-node.ts';

const DOMAIN = 'checks';
const random = new RandomStream(77);
const floats = (...dims: number[]): ArraySpec => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((product, n) => product * n, 1) }, () => 4 * random.nextUniform() - 2),
});

const FLOAT = 1;
const GRAPH = 5;
/** An attribute of a node of a function that takes its value from the call. */
const reference = (name: string, refAttrName: string, type = FLOAT): AttributeProto => ({ name, refAttrName, type });

function functionOf(
  name: string,
  input: string[],
  output: string[],
  nodes: readonly NodeSpec[],
  more: FunctionProto = {},
): FunctionProto {
  return {
    ...{ name, domain: DOMAIN, input, output, node: nodes.map(nodeOf) },
    opsetImport: [
      { domain: '', version: 17 },
      { domain: DOMAIN, version: 1 },
    ],
    ...more,
  };
}

const call = (op: string, inputs: string[], outputs: string[], attributes: AttributeProto[] = []): NodeSpec => ({
  ...{ op, inputs, outputs, attributes },
  domain: DOMAIN,
});
const node = (op: string, inputs: string[], outputs: string[], attributes: AttributeProto[] = []): NodeSpec => ({
  ...{ op, inputs, outputs, attributes },
});

/** y = elu(x; alpha) + x, and elu alone. */
const residual = functionOf(
  'Residual',
  ['x'],
  ['y', 'inner'],
  [node('Elu', ['x'], ['inner'], [reference('alpha', 'alpha')]), node('Add', ['inner', 'x'], ['y'])],
  { attribute: ['alpha'] },
);
/** Two calls with the same inner names; one gives its own attribute, the other passes on that of its caller. */
const twice = functionOf(
  'Twice',
  ['x'],
  ['y'],
  [
    call('Residual', ['x'], ['inner', 'unused0'], [reference('alpha', 'slope')]),
    call('Residual', ['inner'], ['y', 'unused1'], [attribute('alpha', 0.25)]),
  ],
  { attribute: ['slope'] },
);
/** y = x + a if x is positive in sum, else x − a: branches that read names of the function. */
const branches = functionOf(
  'Branches',
  ['x'],
  ['y'],
  [
    node('Constant', [], ['a'], [attribute('value_floats', [0.5, 1.5, 2.5])]),
    node('ReduceSum', ['x'], ['sum'], [attribute('keepdims', 0)]),
    node('Sub', ['sum', 'sum'], ['nothing']),
    node('Greater', ['sum', 'nothing'], ['isPositive']),
    node(
      'If',
      ['isPositive'],
      ['y'],
      ['Add', 'Sub'].map((op, i) => ({
        name: ['then_branch', 'else_branch'][i]!,
        type: GRAPH,
        g: {
          name: op,
          node: [nodeOf(node(op, ['x', 'a'], [`made${i}`]))],
          output: [{ name: `made${i}`, type: { tensorType: { elemType: 1 } } }],
        },
      })),
    ),
  ],
);
/** An input that may be left out, and an output that is an input. */
const optional = functionOf('Optional', ['x', 'low', 'high'], ['y'], [node('Clip', ['x', 'low', 'high'], ['y'])]);
const softmaxThirteen = functionOf('Softmax', ['x'], ['y'], [node('Neg', ['x'], ['y'])]);

const functions = [residual, twice, branches, optional, softmaxThirteen];

function caseOf(name: string, nodes: readonly NodeSpec[], outputs: string[], dims: number[][] = [[2, 3]]): GraphCase {
  const feeds = Object.fromEntries(dims.map((each, i) => [`x${i}`, floats(...each)]));
  const initializers: Record<string, ArraySpec> = { one: { dims: [], data: Float32Array.of(0.75) } };
  const bytes = modelOf({ nodes, inputs: feeds, initializers, outputs, functions });
  return { name: `function, ${name}`, bytes, feeds, outputs, isSmooth: true };
}

export const functionCases: readonly GraphCase[] = [
  caseOf('an attribute', [call('Residual', ['x0'], ['y0', 'y1'], [attribute('alpha', 0.7)])], ['y0', 'y1']),
  caseOf('an attribute that the call leaves out', [call('Residual', ['x0'], ['y0', 'y1'])], ['y0']),
  caseOf(
    'two levels, called twice',
    [call('Twice', ['x0'], ['a'], [attribute('slope', 0.3)]), call('Twice', ['a'], ['y0'], [attribute('slope', 0.6)])],
    ['y0'],
  ),
  caseOf('branches', [call('Branches', ['x0'], ['y0'])], ['y0']),
  caseOf('an input that is left out', [call('Optional', ['x0', '', 'one'], ['y0'])], ['y0']),
  caseOf('the name of an operator in another domain', [call('Softmax', ['x0'], ['y0'])], ['y0']),
];
