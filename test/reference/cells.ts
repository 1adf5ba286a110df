/**
 * One time step of each recurrent cell for one row of the batch, in float64, with its gradient written beside it.
 *
 * This is the oracle of the fused kernels, so it shares nothing with them: no packing, no batching, no fused gates.
 * Layouts and gate order are Keras's: kernel [I, G·H], recurrentKernel [H, G·H], bias [G·H], or [2, 3H] for the
 * reset-after GRU (row 0 on the input side, row 1 on the recurrent side).
 * https://keras.io/api/layers/recurrent_layers/
 */
import { addInto, generate, project, projectBackward, sigmoid } from './vector.ts';

/** A cell's weights, or the gradients of them, which have the same shapes. */
export interface CellWeights {
  kernel: Float64Array;
  recurrentKernel: Float64Array;
  bias: Float64Array;
  /** What only some cells have, by name. */
  extra?: Record<string, Float64Array>;
}

export interface CellStep {
  /** The states after the step, [H] each; the first is the output, [P] of a projection. */
  next: Float64Array[];
  /**
   * Takes the gradients of `next`, adds the step's share to dWeights, returns those of x [I] and the previous states.
   */
  backward(dNext: Float64Array[], dWeights: CellWeights): { dx: Float64Array; dPrevious: Float64Array[] };
}

export interface ReferenceCell {
  /** Number of gates G: the weights have G·H columns. */
  gates: number;
  /** Number of states: 2 for the LSTM (h, c), otherwise 1 (h). */
  states: number;
  /** Rows of the bias: 2 for the reset-after GRU, otherwise 1. */
  biasRows: number;
  /** Elements of each extra weight. */
  extra?(units: number): Record<string, number>;
  /** Width of the output, if not H. */
  hidden?(units: number): number;
  step(weights: CellWeights, x: Float64Array, previous: Float64Array[]): CellStep;
}

/**
 * i = σ(x·Wi + h·Ui + bi)   f = σ(…)   g = tanh(…)   o = σ(…)
 * c' = f⊙c + i⊙g            h' = o⊙tanh(c')
 * Gate order i, f, g (Keras's "c"), o; states h, c. h may have another width than c.
 */
export const lstm: ReferenceCell = {
  gates: 4,
  states: 2,
  biasRows: 1,
  step: (weights, x, previous) => lstmStep(weights, x, previous, new Float64Array(3 * previous[1].length)),
};

/** An LSTM's step with peepholes p [3, H]: + p_i⊙c, p_f⊙c, p_o⊙c' before the activation. Relu may replace tanh. */
function lstmStep(
  weights: CellWeights,
  x: Float64Array,
  [h, c]: Float64Array[],
  p: Float64Array,
  act: (x: number) => number = Math.tanh,
): CellStep {
  // act′ where act is y.
  const slope = (y: number): number => (act === Math.tanh ? 1 - y ** 2 : Number(y > 0));
  const units = c.length;
  const activate = (gate: number, activation: (x: number) => number, peephole: (j: number) => number) => {
    const fromInput = project(x, weights.kernel, gate, units);
    const fromState = project(h, weights.recurrentKernel, gate, units);
    return generate(units, (j) =>
      activation(fromInput[j] + fromState[j] + weights.bias[gate * units + j] + peephole(j)),
    );
  };
  const i = activate(0, sigmoid, (j) => p[j] * c[j]);
  const f = activate(1, sigmoid, (j) => p[units + j] * c[j]);
  const g = activate(2, act, () => 0);
  const cNext = generate(units, (j) => f[j] * c[j] + i[j] * g[j]);
  const o = activate(3, sigmoid, (j) => p[2 * units + j] * cNext[j]);
  const actC = cNext.map(act);
  const hNext = generate(units, (j) => o[j] * actC[j]);

  return {
    next: [hNext, cNext],
    backward([dhNext, dcNext], dWeights) {
      const dO = generate(units, (j) => dhNext[j] * actC[j] * o[j] * (1 - o[j]));
      // c' reaches the loss by itself, through h' and through o's peephole.
      const dc = generate(units, (j) => dcNext[j] + dhNext[j] * o[j] * slope(actC[j]) + dO[j] * p[2 * units + j]);
      const dI = generate(units, (j) => dc[j] * g[j] * i[j] * (1 - i[j]));
      const dF = generate(units, (j) => dc[j] * c[j] * f[j] * (1 - f[j]));
      const dG = generate(units, (j) => dc[j] * i[j] * slope(g[j]));
      const dx = new Float64Array(x.length);
      const dh = new Float64Array(h.length);
      for (const [gate, dGate] of [dI, dF, dG, dO].entries()) {
        projectBackward(dGate, gate, { x, matrix: weights.kernel, dx, dMatrix: dWeights.kernel });
        projectBackward(dGate, gate, {
          x: h,
          matrix: weights.recurrentKernel,
          dx: dh,
          dMatrix: dWeights.recurrentKernel,
        });
        addInto(dWeights.bias, dGate, gate * units);
      }
      for (const [row, [dGate, state]] of [
        [dI, c],
        [dF, c],
        [dO, cNext],
      ].entries()) {
        if (dWeights.extra?.peephole)
          addInto(
            dWeights.extra.peephole,
            generate(units, (j) => dGate[j] * state[j]),
            row * units,
          );
      }
      const dcPrevious = generate(units, (j) => dc[j] * f[j] + dI[j] * p[j] + dF[j] * p[units + j]);
      return { dx, dPrevious: [dh, dcPrevious] };
    },
  };
}

/** The LSTM with relu in place of tanh. */
export const lstmRelu: ReferenceCell = {
  ...lstm,
  step: (weights, x, previous) =>
    lstmStep(weights, x, previous, new Float64Array(3 * previous[1].length), (v) => Math.max(v, 0)),
};

/** The LSTM whose gates see the cell state, peephole [3, H] in the order i f o (Gers and Schmidhuber 2000). */
export const lstmPeephole: ReferenceCell = {
  ...lstm,
  extra: (units) => ({ peephole: 3 * units }),
  step: (weights, x, previous) => lstmStep(weights, x, previous, weights.extra!.peephole),
};

/** h' = (o⊙tanh(c'))·projection [H, P], P = ⌈H/2⌉; recurrentKernel is [P, 4H] (PyTorch's LSTM with proj_size). */
export const lstmProjection: ReferenceCell = {
  ...lstm,
  extra: (units) => ({ projection: units * Math.ceil(units / 2) }),
  hidden: (units) => Math.ceil(units / 2),
  step(weights, x, previous) {
    const { projection } = weights.extra!;
    const step = lstm.step(weights, x, previous);
    const [m, c] = step.next;
    const hidden = previous[0].length;
    return {
      next: [project(m, projection, 0, hidden), c],
      backward([dh, dc], dWeights) {
        const dm = new Float64Array(m.length);
        projectBackward(dh, 0, { x: m, matrix: projection, dx: dm, dMatrix: dWeights.extra!.projection });
        return step.backward([dm, dc], dWeights);
      },
    };
  },
};

/**
 * GRU, the reset gate applied after the recurrent product (Keras's resetAfter=true; PyTorch's GRU).
 *
 * z = σ(x·Wz + bz + h·Uz + b'z)   r = σ(x·Wr + br + h·Ur + b'r)
 * n = tanh(x·Wn + bn + r⊙(h·Un + b'n))   h' = z⊙h + (1 − z)⊙n
 * Gate order z, r, n (Keras's "h"); bias [2, 3H] holds b in row 0 and b' in row 1.
 */
export const gruAfter: ReferenceCell = {
  gates: 3,
  states: 1,
  biasRows: 2,
  step(weights, x, [h]) {
    const units = h.length;
    const recurrentBias = 3 * units;
    const fromInput = [0, 1, 2].map((gate) => {
      const product = project(x, weights.kernel, gate, units);
      return generate(units, (j) => product[j] + weights.bias[gate * units + j]);
    });
    const fromState = [0, 1, 2].map((gate) => {
      const product = project(h, weights.recurrentKernel, gate, units);
      return generate(units, (j) => product[j] + weights.bias[recurrentBias + gate * units + j]);
    });
    const z = generate(units, (j) => sigmoid(fromInput[0][j] + fromState[0][j]));
    const r = generate(units, (j) => sigmoid(fromInput[1][j] + fromState[1][j]));
    const n = generate(units, (j) => Math.tanh(fromInput[2][j] + r[j] * fromState[2][j]));

    return {
      next: [generate(units, (j) => z[j] * h[j] + (1 - z[j]) * n[j])],
      backward([dhNext], dWeights) {
        const dz = generate(units, (j) => dhNext[j] * (h[j] - n[j]) * z[j] * (1 - z[j]));
        const dn = generate(units, (j) => dhNext[j] * (1 - z[j]) * (1 - n[j] ** 2));
        const dr = generate(units, (j) => dn[j] * fromState[2][j] * r[j] * (1 - r[j]));
        const dnFromState = generate(units, (j) => dn[j] * r[j]);

        const dx = new Float64Array(x.length);
        const dh = generate(units, (j) => dhNext[j] * z[j]);
        for (const [gate, dGate] of [dz, dr, dn].entries()) {
          projectBackward(dGate, gate, { x, matrix: weights.kernel, dx, dMatrix: dWeights.kernel });
          addInto(dWeights.bias, dGate, gate * units);
        }
        for (const [gate, dGate] of [dz, dr, dnFromState].entries()) {
          projectBackward(dGate, gate, {
            x: h,
            matrix: weights.recurrentKernel,
            dx: dh,
            dMatrix: dWeights.recurrentKernel,
          });
          addInto(dWeights.bias, dGate, recurrentBias + gate * units);
        }
        return { dx, dPrevious: [dh] };
      },
    };
  },
};

/**
 * GRU, the reset gate applied before the recurrent product (Keras's resetAfter=false; Cho et al. 2014).
 *
 * z = σ(x·Wz + h·Uz + bz)   r = σ(x·Wr + h·Ur + br)
 * n = tanh(x·Wn + (r⊙h)·Un + bn)   h' = z⊙h + (1 − z)⊙n
 * Gate order z, r, n (Keras's "h").
 */
export const gruBefore: ReferenceCell = {
  gates: 3,
  states: 1,
  biasRows: 1,
  step(weights, x, [h]) {
    const units = h.length;
    const preActivation = (gate: number, state: Float64Array): Float64Array => {
      const fromInput = project(x, weights.kernel, gate, units);
      const fromState = project(state, weights.recurrentKernel, gate, units);
      return generate(units, (j) => fromInput[j] + fromState[j] + weights.bias[gate * units + j]);
    };
    const z = preActivation(0, h).map(sigmoid);
    const r = preActivation(1, h).map(sigmoid);
    const resetState = generate(units, (j) => r[j] * h[j]);
    const n = preActivation(2, resetState).map(Math.tanh);

    return {
      next: [generate(units, (j) => z[j] * h[j] + (1 - z[j]) * n[j])],
      backward([dhNext], dWeights) {
        const dx = new Float64Array(x.length);
        const dh = generate(units, (j) => dhNext[j] * z[j]);
        const dResetState = new Float64Array(units);
        const gateBackward = (gate: number, dGate: Float64Array, state: Float64Array, dState: Float64Array): void => {
          projectBackward(dGate, gate, { x, matrix: weights.kernel, dx, dMatrix: dWeights.kernel });
          projectBackward(dGate, gate, {
            x: state,
            matrix: weights.recurrentKernel,
            dx: dState,
            dMatrix: dWeights.recurrentKernel,
          });
          addInto(dWeights.bias, dGate, gate * units);
        };
        // The candidate goes first: r's gradient needs that of r⊙h.
        const dn = generate(units, (j) => dhNext[j] * (1 - z[j]) * (1 - n[j] ** 2));
        gateBackward(2, dn, resetState, dResetState);
        const dr = generate(units, (j) => dResetState[j] * h[j] * r[j] * (1 - r[j]));
        gateBackward(1, dr, h, dh);
        const dz = generate(units, (j) => dhNext[j] * (h[j] - n[j]) * z[j] * (1 - z[j]));
        gateBackward(0, dz, h, dh);
        for (let j = 0; j < units; j++) dh[j] += dResetState[j] * r[j];
        return { dx, dPrevious: [dh] };
      },
    };
  },
};

/** Each activation with its derivative as a function of the activated value, which is what a kernel keeps. */
const ACTIVATIONS = {
  tanh: { apply: Math.tanh, slope: (y: number) => 1 - y * y },
  // The slope at 0 is 0, as in PyTorch and TensorFlow.
  relu: { apply: (x: number) => Math.max(x, 0), slope: (y: number) => (y > 0 ? 1 : 0) },
  linear: { apply: (x: number) => x, slope: () => 1 },
};

/** h' = a(x·W + h·U + b), a = tanh, relu or linear. */
export function simpleRnn(activation: keyof typeof ACTIVATIONS): ReferenceCell {
  const { apply, slope } = ACTIVATIONS[activation];
  return {
    gates: 1,
    states: 1,
    biasRows: 1,
    step(weights, x, [h]) {
      const units = h.length;
      const fromInput = project(x, weights.kernel, 0, units);
      const fromState = project(h, weights.recurrentKernel, 0, units);
      const hNext = generate(units, (j) => apply(fromInput[j] + fromState[j] + weights.bias[j]));

      return {
        next: [hNext],
        backward([dhNext], dWeights) {
          const dGate = generate(units, (j) => dhNext[j] * slope(hNext[j]));
          const dx = new Float64Array(x.length);
          const dh = new Float64Array(units);
          projectBackward(dGate, 0, { x, matrix: weights.kernel, dx, dMatrix: dWeights.kernel });
          projectBackward(dGate, 0, {
            x: h,
            matrix: weights.recurrentKernel,
            dx: dh,
            dMatrix: dWeights.recurrentKernel,
          });
          addInto(dWeights.bias, dGate);
          return { dx, dPrevious: [dh] };
        },
      };
    },
  };
}

/** Every cell under the name the golden files use. */
export const referenceCells = {
  lstm,
  lstmRelu,
  lstmPeephole,
  lstmProjection,
  gruAfter,
  gruBefore,
  rnnTanh: simpleRnn('tanh'),
  rnnRelu: simpleRnn('relu'),
  rnnLinear: simpleRnn('linear'),
} satisfies Record<string, ReferenceCell>;

export type CellName = keyof typeof referenceCells;
