import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import type { Cell } from '../../../src/cells/cell.ts';
import { gruAfterCell } from '../../../src/cells/gru.ts';
import { lstmCell } from '../../../src/cells/lstm.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { sizeOf } from '../../../src/checks/shape.ts';
import { engine, init } from '../../../src/engine/engine.ts';
import { recurrence, sum } from '../../../src/ops/index.ts';
import { modes } from '../../engine/modes.ts';
import { expectOutput } from '../../golden/expect-close.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import type { CellName } from '../../reference/cells.ts';
import { composedScan } from './composed-cells.ts';
import {
  type Case,
  cells,
  dataOf,
  expectOutcome,
  fused,
  names,
  reference,
  run,
  shapesOf,
  tensorsOf,
} from './scan-cases.ts';

const gridOf = (name: CellName): Case[] =>
  [1, 2, 7].flatMap((time) =>
    [1, 3, 5].flatMap((batch) =>
      [1, 5].flatMap((inputs) => [1, 4, 7, 16].map((units) => ({ name, time, batch, inputs, units }))),
    ),
  );
const describeCase = (c: Case): string => `seed 1, ${JSON.stringify(c)}`;

for (const mode of modes) {
  describe(`recurrence in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    describe.each(names)('%s', (name) => {
      const variants: [string, Partial<Case>][] = [
        ['with bias and initial state', {}],
        ['without bias', { withBias: false }],
        ['without initial state', { withInitial: false }],
        ['without bias or initial state', { withBias: false, withInitial: false }],
        ['in reverse', { reverse: true }],
        ['in reverse without initial state', { reverse: true, withInitial: false }],
        ['and a loss on the last h alone', { loss: 'h' }],
        ['in reverse and a loss on the last h alone', { loss: 'h', reverse: true }],
        ['and a loss on the last state alone', { loss: 'lastState' }],
        ['with returnSequences false', { returnSequences: false }],
      ];
      test.each(variants)('%s, on a grid of shapes, matches the float64 reference', (_, variant) => {
        for (const shape of gridOf(name)) {
          const c = { ...shape, ...variant };
          const data = dataOf(c);
          expectOutcome(describeCase(c), run(c, data, fused(c)), reference(c, data));
        }
      });

      test('over more rows than are projected at a time, matches the float64 reference', () => {
        // 40·5 rows: the input projection is made in chunks of 128 rows.
        for (const reverse of [false, true]) {
          const c: Case = { name, time: 40, batch: 5, inputs: 3, units: 4, reverse };
          const data = dataOf(c);
          const expected = reference(c, data);
          expectOutcome(describeCase(c), run(c, data, fused(c)), expected);
          const y = engine().step(() => {
            const { x, weights, initial } = tensorsOf(c, data);
            return fused(c)(x, weights, initial).outputs!.toArray();
          });
          expectOutput('inference', y, { shape: [...shapesOf(c).outputs], values: expected.y! });
        }
      });

      test.each([
        { time: 5, batch: 3, inputs: 5, units: 4, withBias: true },
        { time: 3, batch: 1, inputs: 2, units: 7, withBias: true },
        { time: 4, batch: 2, inputs: 3, units: 5, withBias: false },
      ])('T=$time B=$batch I=$inputs H=$units bias=$withBias, matches the cell composed from small ops', (shape) => {
        const c: Case = { name, ...shape };
        const data = dataOf(c);
        const composed = run(c, data, (x, weights, initial) => composedScan(name, x, weights, initial!));
        expectOutcome(describeCase(c), run(c, data, fused(c)), composed);
      });

      test('windows whose states are carried, give the outputs of one long sequence to the bit', () => {
        const c: Case = { name, time: 7, batch: 3, inputs: 5, units: 4 };
        const data = dataOf(c);
        const whole = run(c, data, fused(c));
        const { x, outputs } = shapesOf({ ...c, time: 1 });
        const cut = (from: Float32Array, step: number, [low, high]: readonly [number, number]): Float32Array =>
          from.slice(low * step, high * step);
        let initial = data.initial!;
        const parts: number[] = [];
        for (const span of [
          [0, 3],
          [3, 4],
          [4, 7],
        ] as const) {
          const window = { ...data, initial, x: cut(data.x, sizeOf(x), span), dY: cut(data.dY, sizeOf(outputs), span) };
          const part = run({ ...c, time: span[1] - span[0] }, window, fused(c));
          parts.push(...Array.from(part.y!));
          initial = part.states.map((state) => Float32Array.from(state));
        }
        expectSameBits(parts, whole.y!, 'outputs');
        initial.forEach((state, i) => expectSameBits(state, whole.states[i]!, `state ${i}`));
      });

      test('windows whose states are carried as values, take no gradient across', () => {
        const c: Case = { name, time: 3, batch: 2, inputs: 4, units: 4 };
        const data = dataOf(c);
        const shapes = shapesOf(c);
        const { x: first, weights } = tensorsOf(c, data);
        const second = tensor(data.x, { shape: shapes.x });
        const before = recurrence(cells[name], first, weights).states;
        const values = (states: Tensor[]): Tensor[] =>
          states.map((state, i) => tensor(state.toArray(), { shape: shapes.states[i]! }));
        const carried = values(before);
        const loss = (initialState: Tensor[]) => () =>
          sum(recurrence(cells[name], second, weights, { initialState }).outputs!);
        const cut = valueAndGrad(() => {
          const { states } = recurrence(cells[name], first, weights);
          return loss(values(states))();
        }, [first, weights.kernel]);
        const alone = valueAndGrad(loss(carried), [first, weights.kernel]);
        const joined = valueAndGrad(() => loss(recurrence(cells[name], first, weights).states)(), [first]);
        expect(new Set(cut.grads[0]!.toArray())).toEqual(new Set([0]));
        expectSameBits(cut.grads[1]!.toArray(), alone.grads[1]!.toArray(), 'gradient of kernel');
        expect(joined.grads[0]!.toArray().some((v) => v !== 0)).toBe(true);
      });

      test('without a tape, gives the outputs and states of training to the bit', () => {
        for (const reverse of [false, true]) {
          for (const returnSequences of [true, false]) {
            const c: Case = { name, time: 7, batch: 5, inputs: 5, units: 7, reverse, returnSequences };
            const data = dataOf(c);
            const training = run(c, data, fused(c));
            const { x, weights, initial } = tensorsOf(c, data);
            const { outputs, states } = fused(c)(x, weights, initial);
            expect(outputs === undefined).toBe(!returnSequences);
            if (outputs) expectSameBits(outputs.toArray(), training.y!, `outputs, reverse=${reverse}`);
            states.forEach((state, i) =>
              expectSameBits(state.toArray(), training.states[i]!, `state ${i}, reverse=${reverse}`),
            );
          }
        }
      });

      // 67 units are wide enough that one row is multiplied by weights packed in another way.
      const title =
        'rows of a batch of 5 and $units units, each alone, give the same outputs, states and input gradients to the bit';
      test.each([{ units: 7 }, { units: 67 }])(title, ({ units }) => {
        const c: Case = { name, time: 4, batch: 5, inputs: 5, units };
        const data = dataOf(c);
        const whole = run(c, data, fused(c));
        /** Row b of [outer, 5, inner]. */
        const row = (from: ArrayLike<number>, b: number, outer: number): Float32Array => {
          const inner = from.length / outer / 5;
          return Float32Array.from(
            { length: outer * inner },
            (_, at) => from[(Math.floor(at / inner) * 5 + b) * inner + (at % inner)]!,
          );
        };
        for (let b = 0; b < 5; b++) {
          const alone = run(
            { ...c, batch: 1 },
            {
              ...data,
              x: row(data.x, b, 4),
              dY: row(data.dY, b, 4),
              initial: data.initial!.map((state) => row(state, b, 1)),
              dStates: data.dStates.map((state) => row(state, b, 1)),
            },
            fused(c),
          );
          expectSameBits(alone.y!, row(whole.y!, b, 4), `row ${b}: outputs`);
          expectSameBits(alone.grads.x!, row(whole.grads.x!, b, 4), `row ${b}: gradient of x`);
          alone.states.forEach((state, i) =>
            expectSameBits(state, row(whole.states[i]!, b, 1), `row ${b}: state ${i}`),
          );
          data.initial!.forEach((_, i) =>
            expectSameBits(
              alone.grads[`initial ${i}`]!,
              row(whole.grads[`initial ${i}`]!, b, 1),
              `row ${b}: initial ${i}`,
            ),
          );
        }
      });
    });

    test('an initial state and the weights, are not written to', () => {
      const c: Case = { name: 'lstm', time: 3, batch: 2, inputs: 2, units: 3 };
      const data = dataOf(c);
      const { x, weights, initial } = tensorsOf(c, data);
      fused(c)(x, weights, initial);
      const made = [weights.kernel, weights.recurrentKernel, ...initial!];
      [data.kernel, data.recurrentKernel, ...data.initial!].forEach((before, i) =>
        expectSameBits(made[i]!.toArray(), before, `tensor ${i}`),
      );
    });
  });
}

describe('recurrence with arguments that do not fit', () => {
  const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
  const good = { x: zeros(3, 2, 5), kernel: zeros(5, 16), recurrentKernel: zeros(4, 16), bias: zeros(16) };
  const call = (
    cell: Cell,
    given: Partial<Record<'x' | 'kernel' | 'recurrentKernel' | 'bias', Tensor>>,
    initialState?: Tensor[],
  ) => {
    const { x, ...weights } = { ...good, ...given };
    return () => recurrence(cell, x, weights, { initialState });
  };

  test.each<[string, () => unknown, string]>([
    [
      'kernel of another input size',
      call(lstmCell, { kernel: zeros(6, 16) }),
      'recurrence(lstm): kernel expected [5, 16], got [6, 16]',
    ],
    [
      'kernel of another width',
      call(lstmCell, { kernel: zeros(5, 12) }),
      'recurrence(lstm): kernel expected [5, 16], got [5, 12]',
    ],
    [
      'recurrentKernel of other gates',
      call(lstmCell, { recurrentKernel: zeros(4, 12) }),
      'recurrence(lstm): recurrentKernel expected [4, 16], got [4, 12]',
    ],
    [
      'recurrentKernel of one axis',
      call(lstmCell, { recurrentKernel: zeros(4) }),
      'recurrence(lstm): recurrentKernel expected [4, 16], got [4]',
    ],
    ['bias of another width', call(lstmCell, { bias: zeros(12) }), 'recurrence(lstm): bias expected [16], got [12]'],
    [
      'one bias where the cell has two',
      call(gruAfterCell, { kernel: zeros(5, 12), recurrentKernel: zeros(4, 12), bias: zeros(12) }),
      'recurrence(gru): bias expected [2, 12], got [12]',
    ],
    [
      'one initial state of two',
      call(lstmCell, {}, [zeros(2, 4)]),
      'recurrence(lstm): initialState expected 2 tensors (h, c), got 1',
    ],
    [
      'an initial state of another batch',
      call(lstmCell, {}, [zeros(2, 4), zeros(3, 4)]),
      'recurrence(lstm): initialState[1] expected [2, 4], got [3, 4]',
    ],
    [
      'no time steps',
      call(lstmCell, { x: zeros(0, 2, 5) }),
      'recurrence(lstm): input expected [T, B, I] f32 with T ≥ 1, got [0, 2, 5] f32',
    ],
    [
      'an input of two axes',
      call(lstmCell, { x: zeros(2, 5) }),
      'recurrence(lstm): input expected [T, B, I] f32 with T ≥ 1, got [2, 5] f32',
    ],
    [
      'an i32 input',
      call(lstmCell, { x: tensor(new Int32Array(30), { shape: [3, 2, 5], dtype: 'i32' }) }),
      'recurrence(lstm): input expected [T, B, I] f32 with T ≥ 1, got [3, 2, 5] i32',
    ],
  ])('%s, throws and says what was expected', (_, run, message) => {
    expect(run).toThrow(new ArgumentError(message));
  });
});
