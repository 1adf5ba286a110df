import { bidirectional } from '../../../src/layers/rnn/bidirectional.ts';
import { StackedCells } from '../../../src/layers/rnn/cells/stacked-cells.ts';
import { type GruOptions, gru, gruCell } from '../../../src/layers/rnn/gru.ts';
import { type LstmOptions, lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { type SimpleRnnOptions, simpleRnn, simpleRnnCell } from '../../../src/layers/rnn/simple-rnn.ts';
import { add, linear, tanh } from '../../../src/ops/index.ts';
import type { CellRules, Mat, Seq, Vec, WalkRules } from '../../reference/layers.ts';
import * as reference from '../../reference/layers.ts';
import type { LayerCase, Nested } from './case.ts';

const [UNITS, BATCH, TIME, INPUTS] = [3, 2, 4, 3];
const INPUT = { shape: [BATCH, TIME, INPUTS] };
const MASK = [
  [1, 1, 0, 1],
  [0, 1, 1, 0],
];
const MASKED = { ...INPUT, mask: MASK };

type Cell = keyof typeof reference.steps;
type Weights = Record<string, Nested>;

/** The reference of a layer that walks, from its options. */
function walked(
  cell: Cell,
  rules: CellRules & { units?: number; projSize?: number },
  sequence: Omit<WalkRules, 'widths' | 'mask' | 'initialState'> & {
    returnSequences?: boolean | undefined;
    returnState?: boolean | undefined;
  },
  mask?: Mat,
): LayerCase['reference'] {
  return ([x, ...initial], weights) => {
    const widths = cell === 'lstm' ? [rules.projSize ?? UNITS, UNITS] : [UNITS];
    const runs = (x as Seq).map((sample, b) =>
      reference.walk(
        sample,
        (row, states) => {
          const next = reference.steps[cell](row, states, weights as never, rules);
          return { output: next[0]!, states: next };
        },
        {
          ...sequence,
          widths,
          ...(mask && { mask: mask[b]! }),
          ...(initial.length > 0 && { initialState: initial.map((state) => (state as Mat)[b]!) }),
        },
      ),
    );
    const y = sequence.returnSequences ? runs.map(({ outputs }) => outputs) : runs.map(({ last }) => last);
    return sequence.returnState ? [y, ...widths.map((_, s) => runs.map(({ states }) => states[s]!))] : [y];
  };
}

interface Variant {
  variant: string;
  options: Partial<LstmOptions & GruOptions & SimpleRnnOptions>;
  masked?: boolean;
  initialState?: boolean;
  outputMask?: Mat;
}

/** What every recurrent layer does alike. */
const common: Variant[] = [
  { variant: 'the last output', options: {} },
  { variant: 'every output', options: { returnSequences: true } },
  { variant: 'without bias', options: { useBias: false } },
  { variant: 'every output and the states', options: { returnSequences: true, returnState: true } },
  { variant: 'the last output and the states, masked', options: { returnState: true }, masked: true },
  { variant: 'every output, masked', options: { returnSequences: true }, masked: true, outputMask: MASK },
  {
    variant: 'every output, masked, from an initial state',
    masked: true,
    initialState: true,
    outputMask: MASK,
    options: { returnSequences: true, returnState: true },
  },
  {
    variant: 'every output, zeros where masked',
    masked: true,
    outputMask: MASK,
    options: { returnSequences: true, zeroOutputForMask: true },
  },
  { variant: 'backwards', options: { returnSequences: true, returnState: true, goBackwards: true } },
  {
    variant: 'backwards, masked, its mask turned round with its outputs',
    masked: true,
    options: { returnSequences: true, goBackwards: true },
    outputMask: MASK.map((row) => [...row].reverse()),
  },
  { variant: 'backwards, the last output, masked', options: { goBackwards: true }, masked: true },
  { variant: 'with checkpoints', options: { returnSequences: true, checkpointEvery: 2 } },
  { variant: 'of relu', options: { activation: 'relu', returnSequences: true } },
  {
    variant: 'of softsign',
    options: { activation: 'softsign', returnSequences: true },
    masked: true,
    outputMask: MASK,
  },
];
const gated: Variant[] = [
  { variant: 'of linear and hardSigmoid', options: { activation: 'linear', recurrentActivation: 'hardSigmoid' } },
  {
    variant: 'of relu, backwards, masked',
    masked: true,
    options: { activation: 'relu', goBackwards: true, returnState: true },
  },
];

function casesOf(
  of: string,
  cell: Cell,
  make: (options: LstmOptions & GruOptions & SimpleRnnOptions) => LayerCase['make'],
  variants: Variant[],
): LayerCase[] {
  return variants.map(({ variant, options, masked, initialState, outputMask }) => {
    const widths = cell === 'lstm' ? [options.projSize ?? UNITS, UNITS] : [UNITS];
    return {
      of,
      variant,
      inputs: masked ? MASKED : INPUT,
      make: make({ units: UNITS, ...options }),
      ...(initialState && { initialState: widths.map((width) => [BATCH, width]) }),
      reference: walked(cell, options as CellRules, options, masked ? MASK : undefined),
      ...(outputMask && { outputMask }),
    };
  });
}

const checkpoints = 'with checkpoints';
const layerCases: LayerCase[] = [
  ...casesOf('LSTM', 'lstm', (options) => () => lstm(options), [
    ...common,
    ...gated,
    { variant: 'with peepholes', options: { peephole: true, returnSequences: true }, masked: true, outputMask: MASK },
    { variant: 'with a projection', options: { projSize: 2, returnSequences: true, returnState: true } },
    {
      variant: 'with peepholes and a projection, from an initial state',
      initialState: true,
      options: { peephole: true, projSize: 2, returnState: true },
    },
  ]),
  ...casesOf('GRU', 'gru', (options) => () => gru(options), [
    ...common,
    ...gated,
    { variant: 'reset before', options: { resetAfter: false, returnSequences: true } },
    {
      variant: 'reset before, of relu, masked',
      masked: true,
      options: { resetAfter: false, activation: 'relu', returnState: true },
    },
  ]),
  ...casesOf('SimpleRNN', 'simpleRnn', (options) => () => simpleRnn(options), [
    ...common.filter(({ variant }) => variant !== checkpoints),
    { variant: 'of linear', options: { activation: 'linear', returnSequences: true } },
  ]),
  ...casesOf(
    'RNN',
    'lstm',
    ({ units, useBias = true, activation = 'tanh', ...sequence }) =>
      () =>
        rnn(lstmCell({ units, useBias, activation }), sequence),
    common.filter(({ variant }) => variant !== checkpoints),
  ),
];

/** One step of a cell by itself. */
const stepOf =
  (cell: Cell, rules: CellRules, widths: number[]): LayerCase['reference'] =>
  ([x], weights) => {
    const next = (x as Mat).map((row) =>
      reference.steps[cell](
        row,
        widths.map((n) => new Array<number>(n).fill(0.0)),
        weights as never,
        rules,
      ),
    );
    const states = widths.map((_, s) => next.map((each) => each[s]!));
    return [states[0], ...states];
  };

const VECTORS = { shape: [2, 4] };
const cellCases: LayerCase[] = [
  {
    of: 'LSTMCell',
    variant: 'one step',
    inputs: VECTORS,
    make: () => lstmCell({ units: 3 }),
    reference: stepOf('lstm', {}, [3, 3]),
  },
  {
    of: 'GRUCell',
    variant: 'one step',
    inputs: VECTORS,
    make: () => gruCell({ units: 3 }),
    reference: stepOf('gru', {}, [3]),
  },
  {
    of: 'SimpleRNNCell',
    variant: 'one step',
    inputs: VECTORS,
    make: () => simpleRnnCell({ units: 3 }),
    reference: stepOf('simpleRnn', {}, [3]),
  },
  {
    of: 'StackedRNNCells',
    variant: 'one step of two',
    inputs: VECTORS,
    make: () => new StackedCells([simpleRnnCell({ units: 3 }), gruCell({ units: 2 })]),
    reference: ([x], weights) => {
      const lower = stepOf('simpleRnn', {}, [3])([x], part(weights, 'simple_rnn_cell'));
      const upper = stepOf('gru', {}, [2])([lower[0]], part(weights, 'gru_cell'));
      return [upper[0], lower[1], upper[1]];
    },
  },
];

/** The weights of one of several layers, by the name that stands before theirs. */
const part = (weights: Weights, name: string): Weights =>
  Object.fromEntries(
    Object.entries(weights).flatMap(([key, value]) =>
      key.startsWith(`${name}/`) ? [[key.slice(name.length + 1), value]] : [],
    ),
  );

const stackedCases: LayerCase[] = [
  {
    of: 'RNN',
    variant: 'of stacked cells, masked',
    inputs: MASKED,
    outputMask: MASK,
    make: () =>
      rnn([simpleRnnCell({ units: UNITS }), lstmCell({ units: UNITS })], { returnSequences: true, returnState: true }),
    reference: ([x], weights) => {
      const below = part(weights, 'stacked_rnn_cells/simple_rnn_cell') as never;
      const above = part(weights, 'stacked_rnn_cells/lstm_cell') as never;
      const runs = (x as Seq).map((sample, b) =>
        reference.walk(
          sample,
          (row, [h, ...rest]) => {
            const lower = reference.steps.simpleRnn(row, [h!], below, {});
            const upper = reference.steps.lstm(lower[0]!, rest, above, {});
            return { output: upper[0]!, states: [...lower, ...upper] };
          },
          { widths: [UNITS, UNITS, UNITS], mask: MASK[b]! },
        ),
      );
      return [runs.map(({ outputs }) => outputs), ...[0, 1, 2].map((s) => runs.map(({ states }) => states[s]!))];
    },
  },
  {
    of: 'RNN',
    variant: 'of a cell given as an object, whose output is not its state',
    inputs: MASKED,
    make: () =>
      rnn({
        units: 2,
        outputUnits: 3,
        weights: (inputs) => ({ W: [inputs, 2], V: [2, 3] }),
        call(x, [h], { W, V }) {
          const next = tanh(add(linear(x, W), h!));
          return [linear(next, V), [next]];
        },
      }),
    reference: ([x], weights) => {
      const { W, V } = part(weights, 'cell') as { W: Mat; V: Mat };
      return [
        (x as Seq).map(
          (sample, b) =>
            reference.walk(
              sample,
              (row, [h]) => {
                const next = reference.dense(row, W, h!, 'tanh');
                return { output: reference.dense(next, V, undefined), states: [next] };
              },
              { widths: [2], mask: MASK[b]! },
            ).last,
        ),
      ];
    },
  },
];

type Mode = keyof typeof reference.merges | 'none';
interface BidirectionalVariant {
  variant: string;
  mergeMode: Mode;
  options?: { returnSequences?: boolean | undefined; returnState?: boolean | undefined };
  masked?: boolean;
  initialState?: boolean;
}

const bidirectionalVariants: BidirectionalVariant[] = [
  { variant: 'concat, the last outputs', mergeMode: 'concat' },
  ...(['concat', 'sum', 'mul', 'ave', 'none'] as const).map((mergeMode) => ({
    variant: `${mergeMode}, every output, masked`,
    mergeMode,
    masked: true,
    options: { returnSequences: true },
  })),
  {
    variant: 'concat, with states',
    mergeMode: 'concat',
    initialState: true,
    options: { returnSequences: true, returnState: true },
  },
  { variant: 'sum, the last outputs, masked', mergeMode: 'sum', masked: true },
  { variant: 'none, with states, masked', mergeMode: 'none', masked: true, options: { returnState: true } },
];

/** Both directions at their own time, merged; states forward, then backward. */
function both(
  cell: Cell,
  names: [forward: string, backward: string],
  { mergeMode, masked, options = {} }: BidirectionalVariant,
): LayerCase['reference'] {
  const zeroOutputForMask = options.returnSequences ?? false;
  return ([x, ...initial], weights) => {
    const half = initial.length / 2;
    const run = (i: 0 | 1): Nested[] => {
      const sequence = { ...options, zeroOutputForMask, goBackwards: i === 1 };
      const states = initial.slice(i * half, (i + 1) * half);
      return walked(cell, {}, sequence, masked ? MASK : undefined)([x, ...states], part(weights, names[i]));
    };
    const [[y, ...states], [z, ...others]] = [run(0), run(1)];
    const back = options.returnSequences ? (z as Seq).map((sample) => [...sample].reverse()) : z;
    if (mergeMode === 'none') return [y, back, ...states, ...others];
    const merge = reference.merges[mergeMode];
    const merged = options.returnSequences
      ? (y as Seq).map((sample, b) => sample.map((row, t) => merge(row, (back as Seq)[b]![t]!)))
      : (y as Mat).map((row, b) => merge(row, (back as Mat)[b]! as Vec));
    return [merged, ...states, ...others];
  };
}

const bidirectionalCases: LayerCase[] = bidirectionalVariants.flatMap((v) => {
  const { variant, mergeMode, options = {}, masked, initialState } = v;
  const shared = {
    of: 'Bidirectional',
    inputs: masked ? MASKED : INPUT,
    ...(masked && options.returnSequences && { outputMask: MASK }),
  };
  const initial = (states: number) => ({ initialState: new Array(states).fill([BATCH, UNITS]) });
  return [
    {
      ...shared,
      variant: `of lstm, ${variant}`,
      ...(initialState && initial(4)),
      make: () => bidirectional(lstm({ units: UNITS, ...options }), { mergeMode }),
      reference: both('lstm', ['forward_lstm', 'backward_lstm'], v),
    },
    {
      ...shared,
      variant: `of rnn(gruCell), ${variant}`,
      ...(initialState && initial(2)),
      make: () => bidirectional(rnn(gruCell({ units: UNITS }), options), { mergeMode }),
      reference: both('gru', ['forward_rnn/gru_cell', 'backward_rnn/gru_cell'], v),
    },
  ];
});

export const recurrentCases: LayerCase[] = [...layerCases, ...cellCases, ...stackedCases, ...bidirectionalCases];
