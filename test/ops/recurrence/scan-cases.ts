// A scan's arguments by shape, and its outcome (outputs, states and every gradient) by the fused cell and by the
// float64 reference.
import { expect } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { type Cell, stateWidth } from '../../../src/cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../../src/cells/gru.ts';
import { lstmCell, lstmPeepholeCell, lstmProjectionCell, lstmReluCell } from '../../../src/cells/lstm.ts';
import { rnnCells } from '../../../src/cells/rnn.ts';
import { type Shape, sizeOf } from '../../../src/checks/shape.ts';
import { add, mul, recurrence, sum } from '../../../src/ops/index.ts';
import { expectGradient, expectOutput } from '../../golden/expect-close.ts';
import { integers, values } from '../../kernels/reference/values.ts';
import { type CellName, referenceCells } from '../../reference/cells.ts';
import { runSequence } from '../../reference/sequence.ts';

export const cells: Record<CellName, Cell> = {
  lstm: lstmCell,
  lstmRelu: lstmReluCell,
  lstmPeephole: lstmPeepholeCell,
  lstmProjection: lstmProjectionCell,
  gruAfter: gruAfterCell,
  gruBefore: gruBeforeCell,
  rnnTanh: rnnCells.tanh,
  rnnRelu: rnnCells.relu,
  rnnLinear: rnnCells.linear,
};
export const names = Object.keys(cells) as CellName[];

export interface Case {
  name: CellName;
  time: number;
  batch: number;
  inputs: number;
  units: number;
  withBias?: boolean;
  withInitial?: boolean;
  reverse?: boolean;
  /** What the loss reads: all outputs and states, the last h alone, or the last state alone (c of an LSTM). */
  loss?: 'all' | 'h' | 'lastState';
  returnSequences?: boolean;
  /** Rows of unequal length (one of them empty), all shorter than T, with random holes, or all empty. */
  mask?: 'lengths' | 'short' | 'holes' | 'empty';
  inputDropout?: boolean;
  recurrentDropout?: boolean;
  checkpointEvery?: number;
}

export interface Data {
  x: Float32Array;
  kernel: Float32Array;
  recurrentKernel: Float32Array;
  bias: Float32Array | undefined;
  extra: Record<string, Float32Array>;
  initial: Float32Array[] | undefined;
  dY: Float32Array;
  dStates: Float32Array[];
  mask: Float32Array | undefined;
  inputDropout: Float32Array | undefined;
  recurrentDropout: Float32Array | undefined;
}

interface Shapes {
  x: Shape;
  kernel: Shape;
  recurrentKernel: Shape;
  bias: Shape;
  extra: Record<string, Shape>;
  outputs: Shape;
  states: Shape[];
  mask: Shape;
  inputDropout: Shape;
  recurrentDropout: Shape;
}

export function shapesOf({ name, time, batch, inputs, units }: Case): Shapes {
  const { gates, biases, states, projects, extraWeights = [] } = cells[name];
  const width = gates * units;
  // As the reference has it.
  const hidden = projects ? Math.ceil(units / 2) : units;
  return {
    x: [time, batch, inputs],
    kernel: [inputs, width],
    recurrentKernel: [hidden, width],
    bias: biases === 2 ? [2, width] : [width],
    extra: Object.fromEntries(extraWeights.map((weight) => [weight.name, weight.shape({ units, hidden })])),
    outputs: [time, batch, hidden],
    states: states.map((_, s) => [batch, stateWidth(s, { units, hidden })]),
    mask: [time, batch],
    inputDropout: [gates, batch, inputs],
    recurrentDropout: [gates, batch, hidden],
  };
}

function maskOf({ time, batch, mask }: Case): Float32Array | undefined {
  if (!mask) return undefined;
  const holes = integers(time * batch, 2, 51);
  const lengths = {
    lengths: [Math.ceil(time / 2), time, 0, 1, time - 1],
    short: [Math.floor(time / 2), Math.ceil(time / 3), 0, 1, 1],
    empty: [0],
  };
  return new Float32Array(time * batch).map((_, at) => {
    if (mask === 'holes') return holes[at]!;
    const [t, b] = [Math.floor(at / batch), at % batch];
    return Number(t < lengths[mask][b % lengths[mask].length]!);
  });
}

/** Masks of rate 0.4, scaled. */
const dropoutOf = (shape: Shape, seed: number): Float32Array =>
  values(sizeOf(shape), seed).map((v) => (v < -0.2 ? 0 : 1 / 0.6));

export function dataOf(c: Case): Data {
  const { withBias = true, withInitial = true, loss = 'all' } = c;
  const shapes = shapesOf(c);
  // Weights as large as a trained net's, so that no gate is in its linear part and 7 steps do not blow up.
  const scale = 1 / Math.sqrt(c.units);
  return {
    x: values(sizeOf(shapes.x), 1),
    kernel: values(sizeOf(shapes.kernel), 2, scale),
    recurrentKernel: values(sizeOf(shapes.recurrentKernel), 3, scale),
    bias: withBias ? values(sizeOf(shapes.bias), 4, 0.5) : undefined,
    extra: Object.fromEntries(
      Object.entries(shapes.extra).map(([name, shape]) => [name, values(sizeOf(shape), 54, scale)]),
    ),
    initial: withInitial ? shapes.states.map((shape, i) => values(sizeOf(shape), 5 + i)) : undefined,
    dY: loss === 'all' ? values(sizeOf(shapes.outputs), 7) : new Float32Array(sizeOf(shapes.outputs)),
    dStates: shapes.states.map((shape, i) => {
      const wanted = loss === 'all' || i === (loss === 'h' ? 0 : shapes.states.length - 1);
      return wanted ? values(sizeOf(shape), 8 + i) : new Float32Array(sizeOf(shape));
    }),
    mask: maskOf(c),
    inputDropout: c.inputDropout ? dropoutOf(shapes.inputDropout, 52) : undefined,
    recurrentDropout: c.recurrentDropout ? dropoutOf(shapes.recurrentDropout, 53) : undefined,
  };
}

export interface Outcome {
  y: ArrayLike<number> | undefined;
  states: ArrayLike<number>[];
  grads: Record<string, ArrayLike<number>>;
}

export interface Weights {
  kernel: Tensor;
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
  extra: Record<string, Tensor>;
}

/** The arguments of a scan, as tensors. */
export function tensorsOf(c: Case, data: Data): { x: Tensor; weights: Weights; initial: Tensor[] | undefined } {
  const shapes = shapesOf(c);
  const make = (name: 'x' | 'kernel' | 'recurrentKernel' | 'bias'): Tensor =>
    tensor(data[name]!, { shape: shapes[name], name });
  return {
    x: make('x'),
    weights: {
      kernel: make('kernel'),
      recurrentKernel: make('recurrentKernel'),
      bias: data.bias && make('bias'),
      extra: Object.fromEntries(
        Object.entries(data.extra).map(([name, values]) => [
          name,
          tensor(values, { shape: shapes.extra[name]!, name }),
        ]),
      ),
    },
    initial: data.initial?.map((state, i) => tensor(state, { shape: shapes.states[i]!, name: 'state' })),
  };
}

export type Scan = (
  x: Tensor,
  weights: Weights,
  initial: Tensor[] | undefined,
) => {
  outputs: Tensor | undefined;
  states: Tensor[];
};

/** Outputs, states and every gradient of Σ y·dY + Σ states·dStates; a sum whose weights are all zero is left out. */
export function run(c: Case, data: Data, scan: Scan): Outcome {
  const { x, weights, initial } = tensorsOf(c, data);
  const { loss = 'all' } = c;
  const seen: Outcome[] = [];
  const wrt: Record<string, Tensor> = {
    x,
    kernel: weights.kernel,
    recurrentKernel: weights.recurrentKernel,
    ...(weights.bias ? { bias: weights.bias } : {}),
    ...weights.extra,
    ...Object.fromEntries((initial ?? []).map((state, i) => [`initial ${i}`, state])),
  };
  const { grads } = valueAndGrad(() => {
    const { outputs, states } = scan(x, weights, initial);
    seen.push({ y: outputs?.toArray(), states: states.map((state) => state.toArray()), grads: {} });
    const terms = states
      .map((state, i) => [state, data.dStates[i]!] as const)
      .filter((_, i) => loss === 'all' || i === (loss === 'h' ? 0 : states.length - 1));
    if (outputs && loss === 'all') terms.push([outputs, data.dY]);
    return terms.map(([t, by]) => sum(mul(t, tensor(by, { shape: t.shape })))).reduce((a, b) => add(a, b));
  }, Object.values(wrt));
  return {
    ...seen[0]!,
    grads: Object.fromEntries(Object.keys(wrt).map((key, i) => [key, grads[i]!.toArray()])),
  };
}

export function fused(c: Case): Scan {
  const shapes = shapesOf(c);
  const data = dataOf(c);
  const make = (name: 'mask' | 'inputDropout' | 'recurrentDropout'): Tensor | undefined =>
    data[name] && tensor(data[name], { shape: shapes[name], name });
  return (x, weights, initialState) =>
    recurrence(cells[c.name], x, weights, {
      initialState,
      reverse: c.reverse ?? false,
      returnSequences: c.returnSequences ?? true,
      checkpointEvery: c.checkpointEvery,
      mask: make('mask'),
      inputDropout: make('inputDropout'),
      recurrentDropout: make('recurrentDropout'),
    });
}

/** Steps [T, B·n] in the opposite order. */
export function reversed<A extends Float32Array | Float64Array>(sequence: A, time: number): A {
  const step = sequence.length / time;
  return sequence.map((_, at) => sequence[(time - 1 - Math.floor(at / step)) * step + (at % step)]!) as A;
}

/** The float64 reference's outcome: it walks forwards, so a reversed scan turns its input and its outputs round. */
export function reference(c: Case, data: Data): Outcome {
  const turn = <A extends Float32Array | Float64Array>(sequence: A): A =>
    c.reverse ? reversed(sequence, c.time) : sequence;
  const double = (x: Float32Array): Float64Array => new Float64Array(x);
  const { width, rows } = { width: cells[c.name].gates * c.units, rows: cells[c.name].biases };
  const result = runSequence(
    referenceCells[c.name],
    {
      kernel: double(data.kernel),
      recurrentKernel: double(data.recurrentKernel),
      bias: data.bias ? double(data.bias) : new Float64Array(rows * width),
      extra: Object.fromEntries(Object.entries(data.extra).map(([name, values]) => [name, double(values)])),
    },
    {
      x: double(turn(data.x)),
      initialStates: data.initial?.map(double),
      mask: data.mask && turn(data.mask),
      inputDropout: data.inputDropout,
      recurrentDropout: data.recurrentDropout,
    },
    { time: c.time, batch: c.batch, inputSize: c.inputs, units: c.units },
  );
  const dY = c.returnSequences === false ? new Float64Array(data.dY.length) : double(turn(data.dY));
  const g = result.backward(dY, data.dStates.map(double));
  return {
    y: c.returnSequences === false ? undefined : turn(result.y),
    states: result.finalStates,
    grads: {
      x: turn(g.dX),
      kernel: g.dKernel,
      recurrentKernel: g.dRecurrentKernel,
      ...(data.bias ? { bias: g.dBias } : {}),
      ...g.dExtra,
      ...Object.fromEntries((data.initial ?? []).map((_, i) => [`initial ${i}`, g.dInitialStates[i]!])),
    },
  };
}

export function expectOutcome(label: string, got: Outcome, expected: Outcome): void {
  const shape = (list: ArrayLike<number>): number[] => [list.length];
  expect(got.y === undefined, `${label}: outputs left out`).toBe(expected.y === undefined);
  if (expected.y) expectOutput(`${label}: outputs`, got.y!, { shape: shape(expected.y), values: expected.y });
  expected.states.forEach((state, i) =>
    expectOutput(`${label}: state ${i}`, got.states[i]!, { shape: shape(state), values: state }),
  );
  expect(Object.keys(got.grads)).toEqual(Object.keys(expected.grads));
  for (const [name, grad] of Object.entries(expected.grads)) {
    expectGradient(`${label}: gradient of ${name}`, got.grads[name]!, { shape: shape(grad), values: grad });
  }
}
