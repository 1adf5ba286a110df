/** A reference cell unrolled over a sequence, and the walk back through it. Everything is time-major float64. */
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
  /** One [B, H] per state */
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

/**
 * Runs a cell over x [T, B, I] from the initial states (one [B, H] each; none means zero).
 *
 * The rows of a batch do not meet, so each is unrolled by itself; their weight gradients are summed.
 */
export function runSequence(
  cell: ReferenceCell,
  weights: CellWeights,
  { x, initialStates }: { x: Float64Array; initialStates?: Float64Array[] | undefined },
  shape: SequenceShape,
): SequenceRun {
  const { time, batch, inputSize, units } = shape;
  const zeroStates = (): Float64Array[] => Array.from({ length: cell.states }, () => new Float64Array(batch * units));
  const rowOf = (state: Float64Array, b: number): Float64Array => state.slice(b * units, (b + 1) * units);

  const y = new Float64Array(time * batch * units);
  const finalStates = zeroStates();
  const steps: CellStep[][] = [];
  for (let b = 0; b < batch; b++) {
    let states = (initialStates ?? zeroStates()).map((state) => rowOf(state, b));
    steps[b] = [];
    for (let t = 0; t < time; t++) {
      const row = t * batch + b;
      steps[b][t] = cell.step(weights, x.slice(row * inputSize, (row + 1) * inputSize), states);
      states = steps[b][t].next;
      y.set(states[0], row * units);
    }
    for (const [s, state] of states.entries()) finalStates[s].set(state, b * units);
  }

  return {
    y,
    finalStates,
    backward(dY, dFinalStates = zeroStates()) {
      const dX = new Float64Array(x.length);
      const dWeights: CellWeights = {
        kernel: new Float64Array(weights.kernel.length),
        recurrentKernel: new Float64Array(weights.recurrentKernel.length),
        bias: new Float64Array(weights.bias.length),
      };
      const dInitialStates = zeroStates();
      for (let b = 0; b < batch; b++) {
        let dStates = dFinalStates.map((state) => rowOf(state, b));
        for (let t = time - 1; t >= 0; t--) {
          const row = t * batch + b;
          addInto(dStates[0], dY.slice(row * units, (row + 1) * units));
          const { dx, dPrevious } = steps[b][t].backward(dStates, dWeights);
          dX.set(dx, row * inputSize);
          dStates = dPrevious;
        }
        for (const [s, dState] of dStates.entries()) dInitialStates[s].set(dState, b * units);
      }
      return {
        dX,
        dKernel: dWeights.kernel,
        dRecurrentKernel: dWeights.recurrentKernel,
        dBias: dWeights.bias,
        dInitialStates,
      };
    },
  };
}
