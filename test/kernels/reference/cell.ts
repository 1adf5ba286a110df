// One step of each cell from its pre-activations, in float64, in abi.ts's layouts: what the fused kernels compute after
// their GEMMs. It computes one unit at a time and saves nothing. Gradients come from numericGradient.
import { sigmoid } from './math.ts';

type Values = ArrayLike<number>;

/** Block `gate` of row `row` in a [rows, G·H] array, at unit `unit`. */
const at = (row: number, gate: number, unit: number, gates: number, units: number) =>
  (row * gates + gate) * units + unit;

/** With peepholes p [3, H] where they are given: p_i and p_f of cPrev, p_o of c. `act` is tanh or relu. */
export function lstm(
  rows: number,
  units: number,
  pre: Values,
  cPrev: Values,
  p: Values = new Float64Array(3 * units),
  act = Math.tanh,
) {
  const gates = new Float64Array(rows * units * 4);
  const c = new Float64Array(rows * units);
  const h = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j++) {
      const activate = (gate: number, f: (x: number) => number, peephole: number): number => {
        const index = at(row, gate, j, 4, units);
        return (gates[index] = f(pre[index]! + peephole));
      };
      const before = cPrev[row * units + j]!;
      const i = activate(0, sigmoid, p[j]! * before);
      const f = activate(1, sigmoid, p[units + j]! * before);
      const g = activate(2, act, 0);
      const after = f * before + i * g;
      const o = activate(3, sigmoid, p[2 * units + j]! * after);
      c[row * units + j] = after;
      h[row * units + j] = o * act(after);
    }
  }
  return { gates, c, h };
}

/** Reset after: q is the third block of rec. */
export function gruAfter(rows: number, units: number, pre: Values, rec: Values, hPrev: Values) {
  const gates = new Float64Array(rows * units * 3);
  const q = new Float64Array(rows * units);
  const h = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j++) {
      const [iz, ir, ih] = [0, 1, 2].map((gate) => at(row, gate, j, 3, units)) as [number, number, number];
      const z = sigmoid(pre[iz]! + rec[iz]!);
      const r = sigmoid(pre[ir]! + rec[ir]!);
      const n = Math.tanh(pre[ih]! + r * rec[ih]!);
      gates.set([z], iz);
      gates.set([r], ir);
      gates.set([n], ih);
      q[row * units + j] = rec[ih]!;
      h[row * units + j] = z * hPrev[row * units + j]! + (1 - z) * n;
    }
  }
  return { gates, q, h };
}

/** Reset before, first half: gates' third block stays as it is. */
export function gruBeforeGates(rows: number, units: number, pre: Values, hPrev: Values) {
  const gates = Float64Array.from(pre);
  const rh = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j++) {
      for (const gate of [0, 1]) gates[at(row, gate, j, 3, units)] = sigmoid(pre[at(row, gate, j, 3, units)]!);
      rh[row * units + j] = gates[at(row, 1, j, 3, units)]! * hPrev[row * units + j]!;
    }
  }
  return { gates, rh };
}

/** Reset before, second half, from gates whose first two blocks are activated. */
export function gruBeforeOutput(rows: number, units: number, halfActivated: Values, hPrev: Values) {
  const gates = Float64Array.from(halfActivated);
  const h = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j++) {
      const z = gates[at(row, 0, j, 3, units)]!;
      const n = (gates[at(row, 2, j, 3, units)] = Math.tanh(gates[at(row, 2, j, 3, units)]!));
      h[row * units + j] = z * hPrev[row * units + j]! + (1 - z) * n;
    }
  }
  return { gates, h };
}

export const rnnActivation = {
  Linear: (x: number) => x,
  Tanh: Math.tanh,
  Relu: (x: number) => Math.max(x, 0),
};
