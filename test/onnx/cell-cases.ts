// Recurrences that an exporter has taken apart. ONNX Runtime's outputs are in test/golden/onnx.json.

import { RandomStream } from '../../src/index.ts';
import type { AttributeProto, GraphProto } from '../../src/onnx/format/messages.ts';
import { type ArraySpec, attribute, modelOf, type NodeSpec, nodeOf } from './model-of.ts';
import type { GraphCase } from './one-node.ts';

/** What of a graph is recognized: `LSTM 4 cell`, operator, units and form. */
export interface CellCase extends GraphCase {
  readonly recognized: readonly string[];
}

const random = new RandomStream(3);
const floats = (...dims: number[]): ArraySpec => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((product, n) => product * n, 1) }, () => 2 * random.nextUniform() - 1),
});
const int64 = (...list: number[]): ArraySpec => ({ dims: [list.length], data: BigInt64Array.from(list, BigInt) });
const scalar = (value: number): ArraySpec => ({ dims: [], data: Float32Array.of(value) });
const count = (value: number): ArraySpec => ({ dims: [], data: BigInt64Array.of(BigInt(value)) });

const [INPUTS, UNITS, BATCH, TIME] = [3, 4, 2, 5];
const node = (op: string, inputs: string[], outputs: string[], attributes: AttributeProto[] = []): NodeSpec => ({
  ...{ op, inputs, outputs, attributes },
});
const gates = (names: string[], p: string): string[] => names.map((each) => `${p}${each}`);

/** What differs between exporters. */
interface Style {
  /** Order of the gates in the weights. */
  readonly order?: string;
  /** Gemm of transposed weights, or MatMul, or one MatMul of x and h side by side. */
  readonly product?: 'Gemm' | 'MatMul' | 'joined';
  /** `Split`, or a `Slice` a gate. */
  readonly cut?: 'Split' | 'Slice';
  readonly biases?: 0 | 1 | 2;
  /** Exchanges the operands of products and sums. */
  readonly isTurned?: boolean;
  /** Other activations of gates. */
  readonly activations?: Readonly<Record<string, string>>;
  /** Gates that are read in place of others. */
  readonly instead?: Readonly<Record<string, string>>;
}

interface Parts {
  readonly nodes: NodeSpec[];
  readonly weights: Record<string, ArraySpec>;
}

/** The sum of all gates, and its parts. `p` is before every name, `weights` before those of weights. */
function sums(x: string, h: string, p: string, w: string, width: number, style: Style): NodeSpec[] {
  const { product = 'Gemm', biases = 2 } = style;
  if (product === 'Gemm') {
    return [
      node('Gemm', [x, `${w}W`, ...(biases > 0 ? [`${w}b`] : [])], [`${p}gx`], [attribute('transB', 1)]),
      node('Gemm', [h, `${w}R`, ...(biases > 1 ? [`${w}rb`] : [])], [`${p}gh`], [attribute('transB', 1)]),
      node('Add', style.isTurned ? [`${p}gh`, `${p}gx`] : [`${p}gx`, `${p}gh`], [`${p}sum`]),
    ];
  }
  const biased = (last: string): NodeSpec[] =>
    biases > 0 ? [node('Add', [last, `${w}b`], [`${p}sum`])] : [node('Identity', [last], [`${p}sum`])];
  if (product === 'joined')
    return [
      node('Concat', [x, h], [`${p}both`], [attribute('axis', 1)]),
      node('MatMul', [`${p}both`, `${w}WR`], [`${p}raw`]),
      ...biased(`${p}raw`),
    ];
  void width;
  return [
    node('MatMul', [x, `${w}W`], [`${p}gx`]),
    node('MatMul', [h, `${w}R`], [`${p}gh`]),
    node('Add', [`${p}gx`, `${p}gh`], [`${p}raw`]),
    ...biased(`${p}raw`),
  ];
}

function cut(from: string, names: string[], p: string, style: Style): NodeSpec[] {
  if (style.cut !== 'Slice')
    return [node('Split', [from, 'sizes4'].slice(0, 1), gates(names, p), [attribute('axis', 1)])];
  return names.map((name, i) =>
    node('Slice', [from, `at${i * UNITS}`, `at${(i + 1) * UNITS}`, 'at1'], [`${p}${name}`]),
  );
}

const places = Object.fromEntries([0, 1, 4, 8, 12, 16].map((n) => [`at${n}`, int64(n)]));

function weightsOf(
  w: string,
  gateCount: number,
  inputs: number,
  { product = 'Gemm', biases = 2 }: Style,
): Parts['weights'] {
  const width = gateCount * UNITS;
  const made: Parts['weights'] =
    product === 'Gemm'
      ? { [`${w}W`]: floats(width, inputs), [`${w}R`]: floats(width, UNITS) }
      : product === 'joined'
        ? { [`${w}WR`]: floats(inputs + UNITS, width) }
        : { [`${w}W`]: floats(inputs, width), [`${w}R`]: floats(UNITS, width) };
  if (biases > 0) made[`${w}b`] = floats(width);
  if (biases > 1 && product === 'Gemm') made[`${w}rb`] = floats(width);
  return made;
}

/** One step of an LSTM: from x, h and c to the outputs `nextH` and `nextC`. */
function lstm(x: string, h: string, c: string, next: [string, string], style: Style = {}, p = '', w = ''): NodeSpec[] {
  const { order = 'ifgo', activations = {}, isTurned = false, instead = {} } = style;
  const pair = (a: string, b: string): string[] => (isTurned ? [b, a] : [a, b]);
  const names = [...order];
  const gate = (name: string): NodeSpec =>
    node(activations[name] ?? (name === 'g' ? 'Tanh' : 'Sigmoid'), [`${p}${instead[name] ?? name}`], [`${p}${name}_`]);
  return [
    ...sums(x, h, p, w, 4 * UNITS, style),
    ...cut(`${p}sum`, names, p, style),
    ...names.map(gate),
    node('Mul', pair(`${p}f_`, c), [`${p}kept`]),
    node('Mul', pair(`${p}i_`, `${p}g_`), [`${p}added`]),
    node('Add', pair(`${p}kept`, `${p}added`), [next[1]]),
    node(activations.h ?? 'Tanh', [next[1]], [`${p}shown`]),
    node('Mul', pair(`${p}o_`, `${p}shown`), [next[0]]),
  ];
}

/** One step of PyTorch's GRU, whose reset gate multiplies the product. */
function gruAfter(x: string, h: string, next: string, form: 'difference' | 'mixture', p = '', w = ''): NodeSpec[] {
  return [
    node('Gemm', [x, `${w}W`, `${w}b`], [`${p}gx`], [attribute('transB', 1)]),
    node('Gemm', [h, `${w}R`, `${w}rb`], [`${p}gh`], [attribute('transB', 1)]),
    node('Split', [`${p}gx`], [`${p}xr`, `${p}xz`, `${p}xn`], [attribute('axis', 1)]),
    node('Split', [`${p}gh`], [`${p}hr`, `${p}hz`, `${p}hn`], [attribute('axis', 1)]),
    node('Add', [`${p}xr`, `${p}hr`], [`${p}r`]),
    node('Sigmoid', [`${p}r`], [`${p}r_`]),
    node('Add', [`${p}xz`, `${p}hz`], [`${p}z`]),
    node('Sigmoid', [`${p}z`], [`${p}z_`]),
    node('Mul', [`${p}r_`, `${p}hn`], [`${p}reset`]),
    node('Add', [`${p}xn`, `${p}reset`], [`${p}n`]),
    node('Tanh', [`${p}n`], [`${p}n_`]),
    ...mixed(`${p}z_`, `${p}n_`, h, next, form, p),
  ];
}

function mixed(z: string, n: string, h: string, next: string, form: 'difference' | 'mixture', p: string): NodeSpec[] {
  if (form === 'difference')
    return [
      node('Sub', [h, n], [`${p}difference`]),
      node('Mul', [`${p}difference`, z], [`${p}moved`]),
      node('Add', [`${p}moved`, n], [next]),
    ];
  return [
    node('Sub', ['one', z], [`${p}rest`]),
    node('Mul', [`${p}rest`, n], [`${p}new`]),
    node('Mul', [z, h], [`${p}old`]),
    node('Add', [`${p}new`, `${p}old`], [next]),
  ];
}

/** One step of a GRU as Keras has it without `resetAfter`: MatMul, the gates z and r in one product. */
function gruBefore(x: string, h: string, next: string, p = '', w = ''): NodeSpec[] {
  return [
    node('MatMul', [x, `${w}W`], [`${p}px`]),
    node('Add', [`${p}px`, `${w}b`], [`${p}gx`]),
    node('Split', [`${p}gx`], [`${p}xz`, `${p}xr`, `${p}xn`], [attribute('axis', -1)]),
    node('MatMul', [h, `${w}Rzr`], [`${p}gh`]),
    node('Split', [`${p}gh`], [`${p}hz`, `${p}hr`], [attribute('axis', -1)]),
    node('Add', [`${p}xz`, `${p}hz`], [`${p}z`]),
    node('HardSigmoid', [`${p}z`], [`${p}z_`]),
    node('Add', [`${p}xr`, `${p}hr`], [`${p}r`]),
    node('HardSigmoid', [`${p}r`], [`${p}r_`]),
    node('Mul', [`${p}r_`, h], [`${p}rh`]),
    node('MatMul', [`${p}rh`, `${w}Rn`], [`${p}hn`]),
    node('Add', [`${p}xn`, `${p}hn`], [`${p}n`]),
    node('Tanh', [`${p}n`], [`${p}n_`]),
    ...mixed(`${p}z_`, `${p}n_`, h, next, 'mixture', p),
  ];
}

const cases: CellCase[] = [];

function add(
  name: string,
  nodes: readonly NodeSpec[],
  weights: Record<string, ArraySpec>,
  feeds: Record<string, ArraySpec>,
  outputs: readonly string[],
  recognized: readonly string[],
): void {
  const used = new Set<string>();
  const read = (
    list: readonly {
      inputs?: readonly string[];
      input?: readonly string[];
      attributes?: readonly AttributeProto[];
      attribute?: readonly AttributeProto[];
    }[],
  ): void => {
    for (const { inputs, input, attributes, attribute: more } of list) {
      for (const each of inputs ?? input ?? []) used.add(each);
      for (const { g } of attributes ?? more ?? []) if (g) read(g.node ?? []);
    }
  };
  read(nodes);
  const all: Record<string, ArraySpec> = { ...weights, ...places, one: scalar(1) };
  const initializers = Object.fromEntries(Object.entries(all).filter(([key]) => used.has(key)));
  const bytes = modelOf({ nodes, inputs: feeds, initializers, outputs });
  cases.push({ name: `recognized, ${name}`, bytes, feeds, outputs, isSmooth: true, recognized });
}

const cellFeeds = () => ({ x: floats(BATCH, INPUTS), h: floats(BATCH, UNITS), c: floats(BATCH, UNITS) });
const { x: _, ...stateFeeds } = cellFeeds();

const styles: Record<string, Style> = {
  PyTorch: {},
  'one bias, other order': { order: 'gofi', biases: 1, isTurned: true },
  'slices, no bias': { order: 'iofg', biases: 0, cut: 'Slice' },
  'other activations': { activations: { i: 'HardSigmoid', f: 'HardSigmoid', o: 'HardSigmoid', g: 'Relu' } },
};
for (const [name, style] of Object.entries(styles))
  add(
    `LSTM, a cell, ${name}`,
    lstm('x', 'h', 'c', ['h1', 'c1'], style),
    weightsOf('', 4, INPUTS, style),
    cellFeeds(),
    ['h1', 'c1'],
    ['LSTM 4 cell'],
  );
for (const [name, style] of Object.entries({
  'one gate with another activation': { activations: { f: 'Tanh' } },
  'a gate used twice': { instead: { f: 'i' } },
} satisfies Record<string, Style>))
  add(
    `no LSTM, ${name}`,
    lstm('x', 'h', 'c', ['h1', 'c1'], style),
    weightsOf('', 4, INPUTS, style),
    cellFeeds(),
    ['h1', 'c1'],
    [],
  );
for (const form of ['difference', 'mixture'] as const)
  add(
    `GRU, a cell, ${form}`,
    gruAfter('x', 'h', 'h1', form),
    weightsOf('', 3, INPUTS, {}),
    { x: floats(BATCH, INPUTS), h: floats(BATCH, UNITS) },
    ['h1'],
    ['GRU 4 cell'],
  );
const beforeWeights = (w = '') => ({
  [`${w}W`]: floats(INPUTS, 3 * UNITS),
  [`${w}b`]: floats(3 * UNITS),
  [`${w}Rzr`]: floats(UNITS, 2 * UNITS),
  [`${w}Rn`]: floats(UNITS, UNITS),
});
add(
  'GRU, a cell, reset before',
  gruBefore('x', 'h', 'h1'),
  beforeWeights(),
  { x: floats(BATCH, INPUTS), h: floats(BATCH, UNITS) },
  ['h1'],
  ['GRU 4 cell'],
);
add(
  'RNN, a cell',
  [...sums('x', 'h', '', '', UNITS, {}), node('Relu', ['sum'], ['h1'])],
  weightsOf('', 1, INPUTS, {}),
  { x: floats(BATCH, INPUTS), h: floats(BATCH, UNITS) },
  ['h1'],
  ['RNN 4 cell'],
);

add(
  'RNN, unrolled',
  ['h', 'h1'].flatMap((h, t) => [
    ...sums(`x${t}`, h, `s${t}`, '', UNITS, {}),
    node('Tanh', [`s${t}sum`], [`h${t + 1}`]),
  ]),
  weightsOf('', 1, INPUTS, {}),
  { x0: floats(BATCH, INPUTS), x1: floats(BATCH, INPUTS), h: floats(BATCH, UNITS) },
  ['h2'],
  ['RNN 4 unrolled'],
);
add(
  'no RNN, a layer on two inputs',
  [...sums('x', 'h', '', '', UNITS, {}), node('Tanh', ['sum'], ['t']), node('MatMul', ['t', 'out'], ['y'])],
  { ...weightsOf('', 1, INPUTS, {}), out: floats(UNITS, 2) },
  { x: floats(BATCH, INPUTS), h: floats(BATCH, UNITS) },
  ['y'],
  [],
);

// Steps after each other, with a product on top of each.
{
  const steps = Array.from({ length: 4 }, (_unused, t) => [
    node('Gather', ['xs', `t${t}`], [`x${t}`], [attribute('axis', 0)]),
    ...lstm(`x${t}`, t === 0 ? 'h' : `h${t}`, t === 0 ? 'c' : `c${t}`, [`h${t + 1}`, `c${t + 1}`], {}, `s${t}`),
  ]).flat();
  const all = [1, 2, 3, 4].map((t) => `h${t}`);
  const indices = Object.fromEntries([0, 1, 2, 3].map((t) => [`t${t}`, count(t)]));
  add(
    'LSTM, unrolled',
    [...steps, node('Concat', all, ['y'], [attribute('axis', 1)]), node('Identity', ['c4'], ['last'])],
    { ...weightsOf('', 4, INPUTS, {}), ...indices },
    { xs: floats(4, BATCH, INPUTS), ...stateFeeds },
    ['y', 'last'],
    ['LSTM 4 unrolled'],
  );
}

const GRAPH = 5;
const infoOf = (name: string, rank: number, type = 1) => ({
  name,
  type: {
    tensorType: {
      elemType: type,
      shape: { dim: Array.from({ length: rank }, (_unused, i) => ({ dimParam: `${name}${i}` })) },
    },
  },
});
const body = (graph: GraphProto): AttributeProto => ({ name: 'body', g: { name: 'body', ...graph }, type: GRAPH });
const nodesOf = (list: readonly NodeSpec[]) => list.map(nodeOf);

/** A Scan over an LSTM of two layers, with a product of its outputs inside of the body. */
function scanCase(name: string, attributes: AttributeProto[], axis: 0 | 1, recognized: string[]): void {
  const second = weightsOf('v', 4, UNITS, {});
  add(
    `LSTM, Scan, ${name}`,
    [
      node(
        'Scan',
        ['h', 'c', 'h2', 'c2', 'xs'],
        ['hn', 'cn', 'hn2', 'cn2', 'y', 'z'],
        [
          body({
            input: [...['ha', 'ca', 'hb', 'cb'].map((each) => infoOf(each, 2)), infoOf('xt', 2)],
            output: ['ha1', 'ca1', 'hb1', 'cb1', 'shown', 'scores'].map((each) => infoOf(each, 2)),
            node: nodesOf([
              ...lstm('xt', 'ha', 'ca', ['ha1', 'ca1'], { product: 'joined', biases: 1 }, 'p'),
              ...lstm('ha1', 'hb', 'cb', ['hb1', 'cb1'], {}, 'q', 'v'),
              node('Identity', ['hb1'], ['shown']),
              node('MatMul', ['hb1', 'out'], ['scores']),
            ]),
          }),
          attribute('num_scan_inputs', 1),
          ...attributes,
        ],
      ),
    ],
    { ...weightsOf('', 4, INPUTS, { product: 'joined', biases: 1 }), ...second, out: floats(UNITS, 2) },
    {
      xs: axis === 0 ? floats(TIME, BATCH, INPUTS) : floats(BATCH, TIME, INPUTS),
      ...{ h: floats(BATCH, UNITS), c: floats(BATCH, UNITS), h2: floats(BATCH, UNITS), c2: floats(BATCH, UNITS) },
    },
    ['hn', 'cn', 'hn2', 'cn2', 'y', 'z'],
    recognized,
  );
}
const two = ['LSTM 4 Scan', 'LSTM 4 Scan'];
scanCase('forward', [], 0, two);
scanCase('backward', [attribute('scan_input_directions', [1]), attribute('scan_output_directions', [1, 0])], 0, two);
scanCase('batch first', [attribute('scan_input_axes', [1]), attribute('scan_output_axes', [1, 1])], 1, two);

/** A Loop over a GRU. `ends`: the condition of tf2onnx, with a counter of its own. */
function loopCase(name: string, ends: boolean): void {
  const states = ends ? ['t', 'a'] : ['a'];
  const index = ends ? 't' : 'i';
  add(
    `GRU, Loop, ${name}`,
    [
      node('Shape', ['xs'], ['shape']),
      node('Gather', ['shape', 'zero'], ['steps'], [attribute('axis', 0)]),
      node(
        'Loop',
        [ends ? 'many' : 'steps', '', ...(ends ? ['zero'] : []), 'h'],
        [...(ends ? ['tn'] : []), 'hn', 'y'],
        [
          body({
            input: [
              infoOf('i', 0, 7),
              infoOf('going', 0, 9),
              ...states.map((each) => infoOf(each, each === 't' ? 0 : 2, each === 't' ? 7 : 1)),
            ],
            output: [infoOf('goes', 0, 9), ...(ends ? [infoOf('t1', 0, 7)] : []), infoOf('a1', 2), infoOf('shown', 2)],
            node: nodesOf([
              node('Gather', ['xs', index], ['xt'], [attribute('axis', 0)]),
              ...(ends ? gruBefore('xt', 'a', 'a1', 'p') : gruAfter('xt', 'a', 'a1', 'mixture', 'p')),
              ...(ends
                ? [node('Add', ['t', 'step'], ['t1']), node('Less', ['t1', 'steps'], ['goes'])]
                : [node('Identity', ['going'], ['goes'])]),
              node('Identity', ['a1'], ['shown']),
            ]),
          }),
        ],
      ),
    ],
    {
      ...(ends ? beforeWeights() : weightsOf('', 3, INPUTS, {})),
      ...{ zero: count(0), step: count(1), many: count(1000) },
    },
    { xs: floats(TIME, BATCH, INPUTS), h: floats(BATCH, UNITS) },
    ['hn', 'y'],
    ['GRU 4 Loop'],
  );
}
loopCase('a number of steps', false);
loopCase('a condition', true);

export const cellCases: readonly CellCase[] = cases;
