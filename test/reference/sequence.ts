/** A reference cell unrolled over a sequence, forward and backward. Everything is time-major float64. */
import type { CellStep, CellWeights, ReferenceCell } from './cells.ts';
import { addInto } from './vector.ts';

export interface SequenceShape {
  time: number;
  batch: number;
  inputSize: number;
  units: number;
}

export interface SequenceGradients {
  /** [T, B, I] */
  dX: Float64Array;
  /** [I, G·H] */
  dKernel: Float64Array;
  /** [H, G·H] */
  dRecurrentKernel: Float64Array;
  /** [G·H], or [2, G·H] for the reset-after GRU */
  dBias: Float64Array;
  /** By name */
  dExtra: Record<string, Float64Array>;
  /** One [B, H] per state, [B, P] the output of a projection */
  dInitialStates: Float64Array[];
}

export interface SequenceRun {
  /** The output of every step, [T, B, H]. */
  y: Float64Array;
  /** The states after the last step, one [B, H] each. */
  finalStates: Float64Array[];
  /** dY [T, B, H]; dFinalStates one [B, H] per state, none meaning zero. */
  backward(dY: Float64Array, dFinalStates?: Float64Array[]): SequenceGradients;
}

/** What sets the rows of a batch apart, beside their data. */
export interface SequenceMasks {
  /** [T, B]: where it is 0 a row makes no step, and its states stay as they are. */
  mask?: ArrayLike<number> | undefined;
  /** [G, B, I]: x is multiplied by it before the columns of each gate. */
  inputDropout?: ArrayLike<number> | undefined;
  /** [G, B, H]: likewise what stands left of the recurrent kernel. */
  recurrentDropout?: ArrayLike<number> | undefined;
}

/**
 * Runs a cell over x [T, B, I] from the initial states (one [B, H] each; none means zero).
 *
 * The rows of a batch do not meet, so each is unrolled by itself; their weight gradients are summed.
 */
export function runSequence(
  cell: ReferenceCell,
  weights: CellWeights,
  given: { x: Float64Array; initialStates?: Float64Array[] | undefined } & SequenceMasks,
  shape: SequenceShape,
): SequenceRun {
  const { time, batch, inputSize, units } = shape;
  const { x, initialStates, mask, inputDropout, recurrentDropout } = given;
  const hidden = cell.hidden?.(units) ?? units;
  const zeroStates = (): Float64Array[] =>
    Array.from({ length: cell.states }, (_, s) => new Float64Array(batch * (s === 0 ? hidden : units)));
  const rowOf = (state: Float64Array, b: number): Float64Array => {
    const width = state.length / batch;
    return state.slice(b * width, (b + 1) * width);
  };

  const y = new Float64Array(time * batch * hidden);
  const finalStates = zeroStates();
  const steps: (CellStep | undefined)[][] = [];
  // (x∘m)·W = x·(diag(m)·W): a row's dropout is a matter of its weights.
  const ownWeights = (b: number, from: CellWeights): CellWeights => ({
    kernel: scaled(from.kernel, inputDropout, { b, batch, units, gates: cell.gates }),
    recurrentKernel: scaled(from.recurrentKernel, recurrentDropout, { b, batch, units, gates: cell.gates }),
    bias: from.bias,
    extra: from.extra ?? {},
  });
  for (let b = 0; b < batch; b++) {
    let states = (initialStates ?? zeroStates()).map((state) => rowOf(state, b));
    const own = ownWeights(b, weights);
    steps[b] = [];
    for (let t = 0; t < time; t++) {
      const row = t * batch + b;
      if (mask?.[row] !== 0) {
        const step = cell.step(own, x.slice(row * inputSize, (row + 1) * inputSize), states);
        steps[b][t] = step;
        states = step.next;
      }
      y.set(states[0], row * hidden);
    }
    for (const [s, state] of states.entries()) finalStates[s].set(state, b * state.length);
  }

  return {
    y,
    finalStates,
    backward(dY, dFinalStates = zeroStates()) {
      const dX = new Float64Array(x.length);
      const zeroWeights = (): CellWeights => ({
        kernel: new Float64Array(weights.kernel.length),
        recurrentKernel: new Float64Array(weights.recurrentKernel.length),
        bias: new Float64Array(weights.bias.length),
        extra: Object.fromEntries(
          Object.entries(weights.extra ?? {}).map(([name, { length }]) => [name, new Float64Array(length)]),
        ),
      });
      const dWeights = zeroWeights();
      const dInitialStates = zeroStates();
      for (let b = 0; b < batch; b++) {
        let dStates = dFinalStates.map((state) => rowOf(state, b));
        const dOwn = zeroWeights();
        for (let t = time - 1; t >= 0; t--) {
          const row = t * batch + b;
          addInto(dStates[0], dY.slice(row * hidden, (row + 1) * hidden));
          const step = steps[b][t];
          if (!step) continue;
          const { dx, dPrevious } = step.backward(dStates, dOwn);
          dX.set(dx, row * inputSize);
          dStates = dPrevious;
        }
        const { kernel, recurrentKernel, bias, extra } = ownWeights(b, dOwn);
        for (const [name, dExtra] of Object.entries(extra!)) addInto(dWeights.extra![name], dExtra);
        addInto(dWeights.kernel, kernel);
        addInto(dWeights.recurrentKernel, recurrentKernel);
        addInto(dWeights.bias, bias);
        for (const [s, dState] of dStates.entries()) dInitialStates[s].set(dState, b * dState.length);
      }
      return {
        dX,
        dKernel: dWeights.kernel,
        dRecurrentKernel: dWeights.recurrentKernel,
        dBias: dWeights.bias,
        dExtra: dWeights.extra!,
        dInitialStates,
      };
    },
  };
}

/**
 * Row i, gate g of a matrix [rows, G·H] times masks[g, b, i] of masks [G, B, rows]; the matrix itself without masks.
 */
function scaled(
  matrix: Float64Array,
  masks: ArrayLike<number> | undefined,
  { b, batch, units, gates }: { b: number; batch: number; units: number; gates: number },
): Float64Array {
  if (!masks) return matrix;
  const width = gates * units;
  const rows = matrix.length / width;
  return matrix.map((value, at) => {
    const [i, gate] = [Math.floor(at / width), Math.floor((at % width) / units)];
    return value * masks[(gate * batch + b) * rows + i];
  });
}
