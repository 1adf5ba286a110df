/**
 * Keras's layers in float64, plain loops over nested arrays: one sample after another, one step after another.
 *
 * A batch is [B][T][F], a weight is as Keras lays it out. https://keras.io/api/layers/
 */
import { sigmoid } from './vector.ts';

export type Vec = number[];
export type Mat = number[][];
export type Seq = number[][][];

export const elementwise = {
  linear: (x: number) => x,
  tanh: Math.tanh,
  sigmoid,
  relu: (x: number) => Math.max(x, 0),
  hardSigmoid: (x: number) => Math.min(Math.max(x + 3, 0), 6) / 6,
  softsign: (x: number) => x / (1 + Math.abs(x)),
  softplus: (x: number) => Math.log1p(Math.exp(x)),
  elu: (x: number) => (x > 0 ? x : Math.expm1(x)),
};
export type Elementwise = keyof typeof elementwise;

const zeros = (n: number): Vec => new Array<number>(n).fill(0);
const plus = (a: Vec, b: Vec): Vec => a.map((v, i) => v + b[i]!);
const times = (a: Vec, b: Vec): Vec => a.map((v, i) => v * b[i]!);
/** x·W */
const product = (x: Vec, w: Mat): Vec => {
  const y = zeros(w[0]!.length);
  for (let i = 0; i < x.length; i++) for (let j = 0; j < y.length; j++) y[j]! += x[i]! * w[i]![j]!;
  return y;
};
const softmax = (x: Vec): Vec => {
  const greatest = Math.max(...x);
  const e = x.map((v) => Math.exp(v - greatest));
  const total = e.reduce((sum, v) => sum + v, 0);
  return e.map((v) => v / total);
};

export const dense = (
  x: Vec,
  kernel: Mat,
  bias: Vec | undefined,
  activation: Elementwise | 'softmax' = 'linear',
): Vec => {
  const y = bias ? plus(product(x, kernel), bias) : product(x, kernel);
  return activation === 'softmax' ? softmax(y) : y.map(elementwise[activation]);
};

export function layerNormalization(x: Vec, gamma: Vec | undefined, beta: Vec | undefined, epsilon: number): Vec {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return x.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0));
}

export interface Windows {
  size: number;
  strides: number;
  dilation?: number;
  padding: 'valid' | 'same' | 'causal';
}

/**
 * The steps that each window looks at; those beyond the sequence are there as they are counted, below 0 or from T up.
 */
function windowsOf(time: number, { size, strides, dilation = 1, padding }: Windows): number[][] {
  const span = (size - 1) * dilation + 1;
  const count = padding === 'valid' ? Math.floor((time - span) / strides) + 1 : Math.ceil(time / strides);
  const missing = Math.max((count - 1) * strides + span - time, 0);
  const before = { valid: 0, same: Math.floor(missing / 2), causal: span - 1 }[padding];
  return Array.from({ length: count }, (_, w) =>
    Array.from({ length: size }, (_, k) => w * strides + k * dilation - before),
  );
}

/** kernel [K][I][O] */
export function conv1d(x: Mat, kernel: Seq, bias: Vec | undefined, windows: Omit<Windows, 'size'>): Mat {
  return windowsOf(x.length, { ...windows, size: kernel.length }).map((steps) =>
    steps.reduce(
      (sum, t, k) => (x[t] ? plus(sum, product(x[t], kernel[k]!)) : sum),
      bias ? [...bias] : zeros(kernel[0]![0]!.length),
    ),
  );
}

export function pool(x: Mat, windows: Windows, how: 'max' | 'average'): Mat {
  return windowsOf(x.length, windows).map((steps) => {
    const inside = steps.flatMap((t) => (x[t] ? [x[t]] : []));
    return x[0]!.map((_, f) => {
      const column = inside.map((row) => row[f]!);
      return how === 'max' ? Math.max(...column) : column.reduce((sum, v) => sum + v, 0) / column.length;
    });
  });
}

/** Attention of one sample: scores(q, k), those of left-out values taken away, softmax, weighted sum of values. */
export function attention(
  query: Mat,
  value: Mat,
  key: Mat,
  score: (q: Vec, k: Vec) => number,
  options: { valueMask?: Vec; queryMask?: Vec; causal?: boolean } = {},
): { y: Mat; weights: Mat } {
  const weights = query.map((q, i) => {
    const seen = key.map((_, j) => (options.valueMask?.[j] ?? 1) !== 0 && !(options.causal && j > i));
    return softmax(key.map((k, j) => (seen[j] ? score(q, k) : Number.NEGATIVE_INFINITY)));
  });
  const y = weights.map((row, i) =>
    value[0]!.map((_, f) => (options.queryMask?.[i] === 0 ? 0 : row.reduce((sum, w, j) => sum + w * value[j]![f]!, 0))),
  );
  return { y, weights };
}

export interface CellWeights {
  kernel: Mat;
  recurrentKernel: Mat;
  /** [G·H], or [2][G·H]. */
  bias?: Vec | Mat;
  peephole?: Mat;
  projection?: Mat;
}

export interface CellRules {
  activation?: Elementwise;
  recurrentActivation?: Elementwise;
  resetAfter?: boolean;
}

/** One step: from x and the states to the states after, h first. */
export type ReferenceStep = (x: Vec, states: Mat, weights: CellWeights, rules: CellRules) => Mat;

/** Gate g of a row of G·H numbers. */
const gate = (row: Vec, g: number, units: number): Vec => row.slice(g * units, (g + 1) * units);

const lstm: ReferenceStep = (x, [h, c], w, { activation = 'tanh', recurrentActivation = 'sigmoid' }) => {
  const units = c!.length;
  const [act, rec] = [elementwise[activation], elementwise[recurrentActivation]];
  const all = plus(product(x, w.kernel), product(h!, w.recurrentKernel));
  const pre = w.bias ? plus(all, w.bias as Vec) : all;
  const seen = (g: number, p: number, state: Vec): Vec =>
    w.peephole ? plus(gate(pre, g, units), times(w.peephole[p]!, state)) : gate(pre, g, units);
  const i = seen(0, 0, c!).map(rec);
  const f = seen(1, 1, c!).map(rec);
  const next = plus(times(f, c!), times(i, gate(pre, 2, units).map(act)));
  const y = times(seen(3, 2, next).map(rec), next.map(act));
  return [w.projection ? product(y, w.projection) : y, next];
};

const gru: ReferenceStep = (x, [h], w, rules) => {
  const { activation = 'tanh', recurrentActivation = 'sigmoid', resetAfter = true } = rules;
  const units = h!.length;
  const [act, rec] = [elementwise[activation], elementwise[recurrentActivation]];
  const biases = w.bias && (resetAfter ? (w.bias as Mat) : [w.bias as Vec]);
  const fromInput = biases ? plus(product(x, w.kernel), biases[0]!) : product(x, w.kernel);
  const recurrent = (state: Vec, g: number): Vec => {
    const y = gate(product(state, w.recurrentKernel), g, units);
    return biases?.[1] ? plus(y, gate(biases[1], g, units)) : y;
  };
  const z = plus(gate(fromInput, 0, units), recurrent(h!, 0)).map(rec);
  const r = plus(gate(fromInput, 1, units), recurrent(h!, 1)).map(rec);
  const inner = resetAfter ? times(r, recurrent(h!, 2)) : recurrent(times(r, h!), 2);
  const g = plus(gate(fromInput, 2, units), inner).map(act);
  return [h!.map((v, j) => z[j]! * v + (1 - z[j]!) * g[j]!)];
};

const simpleRnn: ReferenceStep = (x, [h], w, { activation = 'tanh' }) => {
  const y = plus(product(x, w.kernel), product(h!, w.recurrentKernel));
  return [(w.bias ? plus(y, w.bias as Vec) : y).map(elementwise[activation])];
};

export const steps = { lstm, gru, simpleRnn };

export interface WalkRules {
  /** 0 where a step is left out. */
  mask?: Vec;
  goBackwards?: boolean | undefined;
  zeroOutputForMask?: boolean | undefined;
  /** Zeros without it, as wide as `widths` says. */
  initialState?: Mat;
  widths: number[];
}

/**
 * Walks one sequence as keras.layers.RNN does: a masked step keeps the states and repeats the output before it, zeros
 * at first.
 *
 * @returns every output, in the order in which they were made, the last one, and the states after the last step.
 */
export function walk(
  x: Mat,
  step: (x: Vec, states: Mat) => { output: Vec; states: Mat },
  { mask, goBackwards, zeroOutputForMask, initialState, widths }: WalkRules,
): { outputs: Mat; last: Vec; states: Mat } {
  let states = initialState ?? widths.map(zeros);
  const outputs: Mat = [];
  const order = x.map((_, t) => (goBackwards ? x.length - 1 - t : t));
  let last: Vec | undefined;
  for (const t of order) {
    const made = step(x[t]!, states);
    last ??= made.output.map(() => 0);
    const counts = mask?.[t] !== 0;
    if (counts) ({ states, output: last } = made);
    outputs.push(counts || !zeroOutputForMask ? last : last.map(() => 0));
  }
  return { outputs, last: last!, states };
}

export const merges = {
  concat: (a: Vec, b: Vec): Vec => [...a, ...b],
  sum: plus,
  mul: times,
  ave: (a: Vec, b: Vec): Vec => plus(a, b).map((v) => v / 2),
};
