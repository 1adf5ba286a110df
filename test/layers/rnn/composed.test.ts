// A layer with fused kernels against the same cell composed of ops.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { setSeed } from '../../../src/engine/random.ts';
import type { CallOptions } from '../../../src/layers/base/layer.ts';
import type { RecurrentCell } from '../../../src/layers/rnn/cells/cell.ts';
import { gru, gruCell } from '../../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../../src/layers/rnn/lstm.ts';
import type { Recurrent, SequenceOptions } from '../../../src/layers/rnn/recurrent.ts';
import { rnn } from '../../../src/layers/rnn/rnn.ts';
import { simpleRnn, simpleRnnCell } from '../../../src/layers/rnn/simple-rnn.ts';
import { add, mul, sum } from '../../../src/ops/index.ts';
import { expectGradient, expectOutput } from '../../golden/expect-close.ts';
import { values } from '../../kernels/reference/values.ts';

const [BATCH, TIME, INPUTS, UNITS] = [3, 5, 4, 6];
const cellOptions = { units: UNITS, biasInitializer: 'randomNormal' } as const;
const lstmOptions = { ...cellOptions, unitForgetBias: false };

type Pair = [
  fused: (options: SequenceOptions & object) => Recurrent<Tensor[]>,
  cell: (options: object) => RecurrentCell,
];
const all = { returnState: true } as const;
const pairs: Record<string, Pair> = {
  lstm: [(o) => lstm({ ...lstmOptions, ...o, ...all }), (o) => lstmCell({ ...lstmOptions, ...o })],
  'lstm without bias': [
    (o) => lstm({ ...lstmOptions, useBias: false, ...o, ...all }),
    (o) => lstmCell({ ...lstmOptions, useBias: false, ...o }),
  ],
  'lstm of relu': [
    (o) => lstm({ ...lstmOptions, activation: 'relu', ...o, ...all }),
    (o) => lstmCell({ ...lstmOptions, activation: 'relu', ...o }),
  ],
  'lstm with peepholes': [
    (o) => lstm({ ...lstmOptions, peephole: true, ...o, ...all }),
    (o) => lstmCell({ ...lstmOptions, peephole: true, ...o }),
  ],
  'lstm with a projection': [
    (o) => lstm({ ...lstmOptions, projSize: 4, ...o, ...all }),
    (o) => lstmCell({ ...lstmOptions, projSize: 4, ...o }),
  ],
  'gru, reset after': [(o) => gru({ ...cellOptions, ...o, ...all }), (o) => gruCell({ ...cellOptions, ...o })],
  'gru, reset before': [
    (o) => gru({ ...cellOptions, resetAfter: false, ...o, ...all }),
    (o) => gruCell({ ...cellOptions, resetAfter: false, ...o }),
  ],
  'simpleRnn of tanh': [
    (o) => simpleRnn({ ...cellOptions, ...o, ...all }),
    (o) => simpleRnnCell({ ...cellOptions, ...o }),
  ],
  'simpleRnn of relu': [
    (o) => simpleRnn({ ...cellOptions, activation: 'relu', ...o, ...all }),
    (o) => simpleRnnCell({ ...cellOptions, activation: 'relu', ...o }),
  ],
};

const MASK = [
  [1, 1, 1, 1, 1],
  [0, 1, 0, 1, 0],
  [1, 1, 0, 0, 0],
];

interface Variant {
  cell?: object;
  sequence?: SequenceOptions;
  mask?: boolean;
  initialState?: boolean;
  training?: boolean;
}
const variants: Record<string, Variant> = {
  'every step': { sequence: { returnSequences: true } },
  'the last step': {},
  'from an initial state': { sequence: { returnSequences: true }, initialState: true },
  masked: { sequence: { returnSequences: true }, mask: true },
  'masked, from an initial state': { sequence: { returnSequences: true }, mask: true, initialState: true },
  'masked, the last step, backwards': { sequence: { goBackwards: true }, mask: true, initialState: true },
  'masked, zeros for padding': { sequence: { returnSequences: true, zeroOutputForMask: true }, mask: true },
  backwards: { sequence: { returnSequences: true, goBackwards: true } },
  'with dropout': { sequence: { returnSequences: true }, cell: { dropout: 0.4 }, training: true },
  'with dropout a gate': {
    sequence: { returnSequences: true },
    cell: { dropout: 0.3, recurrentDropout: 0.4 },
    training: true,
    mask: true,
  },
};

beforeEach(() => setSeed(5));

/** Outputs, states and gradients of weights, input and initial states. */
function run(layer: Recurrent<Tensor[]>, { mask, initialState, training = false }: Variant) {
  const x = tensor(values(BATCH * TIME * INPUTS, 1), { shape: [BATCH, TIME, INPUTS] });
  layer.build(x.shape);
  const states = layer.stateSpecs.map(({ width }, i) =>
    tensor(values(BATCH * width, 20 + i), { shape: [BATCH, width] }),
  );
  const options: CallOptions = {
    training,
    mask: mask ? tensor(MASK) : undefined,
    initialState: initialState ? states : undefined,
  };
  let outputs: Float32Array[] = [];
  const wrt = [...layer.weights, x, ...(initialState ? states : [])];
  const { grads } = valueAndGrad(() => {
    const made = layer(x, options);
    outputs = made.map((y) => y.toArray() as Float32Array);
    return made
      .map((y, i) => sum(mul(y, tensor(values(y.size, 40 + i), { shape: y.shape }))))
      .reduce((total, part) => add(total, part));
  }, wrt);
  return { outputs, gradients: grads.map((grad) => grad.toArray()) };
}

describe.each(Object.keys(pairs))('%s', (name) => {
  test.each(Object.keys(variants))('%s, equals its composed cell in outputs, states and gradients', (variant) => {
    const { sequence = {}, cell = {}, ...call } = variants[variant]!;
    const [makeFused, makeCell] = pairs[name]!;
    const fused = makeFused({ ...sequence, ...cell });
    const composed = rnn(makeCell(cell), { ...sequence, returnState: true });
    composed.build([null, TIME, INPUTS]);
    fused.build([null, TIME, INPUTS]);
    expect(composed.weights.map(({ shape }) => shape)).toEqual(fused.weights.map(({ shape }) => shape));
    composed.weights.forEach((weight, i) => weight.assign(fused.weights[i]!.toArray()));
    // The same random numbers for the masks of both.
    (composed as unknown as { cell: RecurrentCell }).cell.random.state = fused.random.state;
    const expected = run(fused, call);
    const got = run(composed, call);
    got.outputs.forEach((y, i) => expectOutput(`output ${i}`, y, { shape: [y.length], values: expected.outputs[i]! }));
    got.gradients.forEach((grad, i) =>
      expectGradient(`gradient ${i}`, grad, { shape: [grad.length], values: expected.gradients[i]! }),
    );
  });
});
