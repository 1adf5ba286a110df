// LSTM, GRU and RNN in float64, as the pages of the operators have them.
// https://onnx.ai/onnx/operators/onnx__LSTM.html
import { type Array64, type Attributes, build, type Operator64 } from './arrays.ts';

type Unary = (x: number) => number;

const sigmoid: Unary = (x) => 1 / (1 + Math.exp(-x));
const functions: Readonly<Record<string, (alpha?: number, beta?: number) => Unary>> = {
  Sigmoid: () => sigmoid,
  Tanh: () => Math.tanh,
  Relu: () => (x) => Math.max(x, 0),
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Softplus: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Affine:
    (alpha = 1, beta = 0) =>
    (x) =>
      alpha * x + beta,
  LeakyRelu:
    (alpha = 0.01) =>
    (x) =>
      x < 0 ? alpha * x : x,
  ThresholdedRelu:
    (alpha = 1) =>
    (x) =>
      x > alpha ? x : 0,
  ScaledTanh:
    (alpha = 1, beta = 1) =>
    (x) =>
      alpha * Math.tanh(beta * x),
  HardSigmoid:
    (alpha = 0.2, beta = 0.5) =>
    (x) =>
      Math.max(0, Math.min(1, alpha * x + beta)),
  Elu:
    (alpha = 1) =>
    (x) =>
      x < 0 ? alpha * Math.expm1(x) : x,
};
const takesAlpha = ['Affine', 'LeakyRelu', 'ThresholdedRelu', 'ScaledTanh', 'HardSigmoid', 'Elu'];
const takesBeta = ['Affine', 'ScaledTanh', 'HardSigmoid'];

/** The sums of one gate for one row of the batch, unit by unit. */
interface Row {
  /** x·Wᵀ + Wb of a gate. */
  input(gate: number, unit: number): number;
  /** s·Rᵀ + Rb of a gate, for a state s. */
  recurrent(gate: number, unit: number, state: readonly number[]): number;
  peephole(gate: number, unit: number): number;
}

interface Cell {
  readonly units: number;
  readonly acts: readonly Unary[];
  readonly clip: Unary;
  readonly inputForget: boolean;
  readonly linearBeforeReset: boolean;
}

type Step = (row: Row, states: readonly (readonly number[])[], cell: Cell) => number[][];

const perUnit = ({ units }: Cell, f: (unit: number) => number): number[] =>
  Array.from({ length: units }, (_, j) => f(j));

/** Gates i o f c, peepholes i o f. */
const lstm: Step = (row, [h, c], cell) => {
  const [f, g, act] = cell.acts as [Unary, Unary, Unary];
  const gate = (k: number, state: readonly number[]): number[] =>
    perUnit(cell, (j) => f(cell.clip(row.input(k, j) + row.recurrent(k, j, h!) + row.peephole(k, j) * state[j]!)));
  const i = gate(0, c!);
  const forget = cell.inputForget ? i.map((x) => 1 - x) : gate(2, c!);
  const candidate = perUnit(cell, (j) => g(cell.clip(row.input(3, j) + row.recurrent(3, j, h!))));
  const next = perUnit(cell, (j) => forget[j]! * c![j]! + i[j]! * candidate[j]!);
  const o = gate(1, next);
  return [perUnit(cell, (j) => o[j]! * act(next[j]!)), next];
};

/** Gates z r h. */
const gru: Step = (row, [h], cell) => {
  const [f, g] = cell.acts as [Unary, Unary];
  const gate = (k: number): number[] => perUnit(cell, (j) => f(cell.clip(row.input(k, j) + row.recurrent(k, j, h!))));
  const [z, r] = [gate(0), gate(1)];
  const kept = h!.map((x, j) => x * r[j]!);
  const candidate = perUnit(cell, (j) => {
    const own = cell.linearBeforeReset ? r[j]! * row.recurrent(2, j, h!) : row.recurrent(2, j, kept);
    return g(cell.clip(row.input(2, j) + own));
  });
  return [perUnit(cell, (j) => (1 - z[j]!) * candidate[j]! + z[j]! * h![j]!)];
};

const rnn: Step = (row, [h], cell) => [
  perUnit(cell, (j) => cell.acts[0]!(cell.clip(row.input(0, j) + row.recurrent(0, j, h!)))),
];

const kinds = {
  LSTM: { gates: 4, states: 2, acts: ['Sigmoid', 'Tanh', 'Tanh'], step: lstm },
  GRU: { gates: 3, states: 1, acts: ['Sigmoid', 'Tanh'], step: gru },
  RNN: { gates: 1, states: 1, acts: ['Tanh'], step: rnn },
} as const;

function activationsOf({ texts, list }: Attributes, defaults: readonly string[], directions: number): Unary[] {
  const names = texts('activations') ?? Array.from({ length: directions }, () => defaults).flat();
  const [alphas, betas] = [[...(list('activation_alpha') ?? [])], [...(list('activation_beta') ?? [])]];
  return names.map((name) =>
    functions[name]!(
      takesAlpha.includes(name) ? alphas.shift() : undefined,
      takesBeta.includes(name) ? betas.shift() : undefined,
    ),
  );
}

/** Knows layout 0. */
const recurrent =
  (name: keyof typeof kinds): Operator64 =>
  ([x, w, r, b, lengths, h0, c0, p], attributes) => {
    const { gates, states: count, acts, step } = kinds[name];
    const [time, batch, inputs] = x!.dims as [number, number, number];
    const [directions, , units] = r!.dims as [number, number, number];
    const activations = activationsOf(attributes, acts, directions);
    const clip = attributes.number('clip', 0);
    const y = build([time, directions, batch, units], () => 0);
    const last = Array.from({ length: count }, () => build([directions, batch, units], () => 0));
    for (let d = 0; d < directions; d++) {
      const cell: Cell = {
        units,
        acts: activations.slice(d * acts.length, (d + 1) * acts.length),
        clip: clip > 0 ? (value) => Math.min(Math.max(value, -clip), clip) : (value) => value,
        inputForget: attributes.number('input_forget', 0) === 1,
        linearBeforeReset: attributes.number('linear_before_reset', 0) === 1,
      };
      const dot = (m: Array64, row: number, width: number, of: (k: number) => number): number => {
        let total = 0;
        for (let k = 0; k < width; k++) total += m.data[(d * gates * units + row) * width + k]! * of(k);
        return total;
      };
      const bias = (row: number): number => b?.data[d * 2 * gates * units + row] ?? 0;
      const isBack = d === 1 || attributes.text('direction', 'forward') === 'reverse';
      for (let n = 0; n < batch; n++) {
        const length = lengths?.data[n] ?? time;
        let states = [h0, c0]
          .slice(0, count)
          .map((state) => perUnit(cell, (j) => state?.data[(d * batch + n) * units + j] ?? 0));
        for (let i = 0; i < length; i++) {
          const t = isBack ? length - 1 - i : i;
          states = step(
            {
              input: (gate, j) =>
                dot(w!, gate * units + j, inputs, (k) => x!.data[(t * batch + n) * inputs + k]!) +
                bias(gate * units + j),
              recurrent: (gate, j, state) =>
                dot(r!, gate * units + j, units, (k) => state[k]!) + bias((gates + gate) * units + j),
              peephole: (gate, j) => p?.data[(d * 3 + gate) * units + j] ?? 0,
            },
            states,
            cell,
          );
          states[0]!.forEach((value, j) => {
            y.data[((t * directions + d) * batch + n) * units + j] = value;
          });
        }
        states.forEach((state, s) => {
          state.forEach((value, j) => {
            last[s]!.data[(d * batch + n) * units + j] = value;
          });
        });
      }
    }
    return [y, ...last];
  };

export const recurrents: Readonly<Record<string, Operator64>> = {
  LSTM: recurrent('LSTM'),
  GRU: recurrent('GRU'),
  RNN: recurrent('RNN'),
};
