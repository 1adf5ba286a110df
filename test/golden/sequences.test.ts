// Masks and projection against PyTorch's packed sequences: each direction of a bidirectional layer runs within the
// length of each sequence.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { add, mul, type RecurrenceResult, recurrence, sum } from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { cells } from '../ops/recurrence/scan-cases.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

/** Row-major. */
interface Numbers {
  shape: number[];
  values: number[];
}

/**
 * One direction; y, dY `[T, B, H]` are 0 past a sequence's end; states and their gradients one `[B, H]` each, h first.
 */
interface Direction {
  initialStates: Numbers[];
  /** kernel, recurrentKernel, bias as load.ts has them; projection `[H, P]`. */
  parameters: Record<string, Numbers>;
  y: Numbers;
  /** Of the last step of each sequence; walking back, of its first. */
  finalStates: Numbers[];
  dY: Numbers;
  dFinalStates: Numbers[];
  dInitialStates: Numbers[];
  gradients: Record<string, Numbers>;
}

/** The gradients are those of Σ y·dY + Σ finalStates·dFinalStates over both directions. */
interface SequenceCase {
  cell: 'lstm' | 'lstmProjection' | 'gruAfter' | 'rnnTanh';
  lengths: number[];
  /** `[T, B, I]` */
  x: Numbers;
  forward: Direction;
  backward: Direction;
  dX: Numbers;
}

const golden = JSON.parse(readFileSync(new URL('sequences.json', import.meta.url), 'utf8')) as {
  cases: SequenceCase[];
};

const make = ({ values, shape }: Numbers): Tensor => tensor(values, { shape });
const weigh = (t: Tensor, by: Numbers): Tensor => sum(mul(t, make(by)));

/** Numbers past a sequence's end as 0, where PyTorch has 0 and Keras the last output. */
function cut(y: ArrayLike<number>, shape: readonly number[], lengths: readonly number[]): number[] {
  const [, batch, width] = shape as [number, number, number];
  return Array.from(y, (v, at) => (Math.floor(at / width / batch) < lengths[Math.floor(at / width) % batch]! ? v : 0));
}

for (const mode of modes) {
  describe(`packed sequences in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    test.each(golden.cases)('$cell in both directions, outputs, states and all gradients match PyTorch', (c) => {
      const [time, batch] = c.x.shape as [number, number];
      const mask = tensor(
        Array.from({ length: time * batch }, (_, at) => Number(Math.floor(at / batch) < c.lengths[at % batch]!)),
        { shape: [time, batch] },
      );
      const x = make(c.x);
      const directions = [c.forward, c.backward].map((direction) => ({
        direction,
        weights: Object.entries(direction.parameters).map(([name, value]) => [name, make(value)] as const),
        initialState: direction.initialStates.map(make),
      }));
      const seen: { y: ArrayLike<number>; states: ArrayLike<number>[] }[] = [];
      const wrt = [x, ...directions.flatMap((d) => [...d.weights.map(([, weight]) => weight), ...d.initialState])];
      const { grads } = valueAndGrad(() => {
        const terms = directions.flatMap(({ direction, weights, initialState }, i) => {
          const { kernel, recurrentKernel, bias, ...extra } = Object.fromEntries(weights);
          const given = { kernel: kernel!, recurrentKernel: recurrentKernel!, bias, extra };
          const options = { initialState, mask, reverse: i === 1 };
          const { outputs, states }: RecurrenceResult = recurrence(cells[c.cell], x, given, options);
          seen.push({ y: outputs!.toArray(), states: states.map((state) => state.toArray()) });
          return [weigh(outputs!, direction.dY), ...states.map((state, s) => weigh(state, direction.dFinalStates[s]!))];
        });
        return terms.reduce((a, b) => add(a, b));
      }, wrt);

      const gradients = grads.map((grad) => grad.toArray());
      expectGradient('dX', gradients.shift()!, c.dX);
      directions.forEach(({ direction, weights, initialState }, i) => {
        const name = i === 0 ? 'forward' : 'backward';
        expectOutput(`${name} y`, cut(seen[i]!.y, direction.y.shape, c.lengths), direction.y);
        direction.finalStates.forEach((state, s) => expectOutput(`${name} state ${s}`, seen[i]!.states[s]!, state));
        for (const [key] of weights) expectGradient(`${name} ${key}`, gradients.shift()!, direction.gradients[key]!);
        initialState.forEach((_, s) =>
          expectGradient(`${name} initial ${s}`, gradients.shift()!, direction.dInitialStates[s]!),
        );
      });
    });
  });
}
