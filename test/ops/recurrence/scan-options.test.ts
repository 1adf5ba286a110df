// Options of a scan: masks, dropout and checkpoints, for every cell, in every combination that matters.
import { beforeAll, describe, expect, test } from 'vitest';
import { Parameter } from '../../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { lstmCell, lstmPeepholeCell, lstmProjectionCell } from '../../../src/cells/lstm.ts';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { sizeOf } from '../../../src/checks/shape.ts';
import { engine, init } from '../../../src/engine/engine.ts';
import { embed, type RecurrenceOptions, recurrence, sum } from '../../../src/ops/index.ts';
import { StreamProgram } from '../../../src/streaming/program.ts';
import { modes } from '../../engine/modes.ts';
import { expectGradient } from '../../golden/expect-close.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import { integers, values } from '../../kernels/reference/values.ts';
import {
  type Case,
  cells,
  dataOf,
  expectOutcome,
  fused,
  names,
  type Outcome,
  reference,
  run,
  tensorsOf,
} from './scan-cases.ts';

const describeCase = (c: Case): string => `seed 1, ${JSON.stringify(c)}`;
const shapes = [
  { time: 1, batch: 3, inputs: 2, units: 4 },
  { time: 2, batch: 1, inputs: 1, units: 1 },
  { time: 7, batch: 5, inputs: 5, units: 7 },
  { time: 40, batch: 5, inputs: 3, units: 4 },
];
const masks = ['lengths', 'short', 'holes', 'empty'] as const;

function expectSame(label: string, got: Outcome, expected: Outcome): void {
  if (expected.y) expectSameBits(got.y!, expected.y, `${label}: outputs`);
  expected.states.forEach((state, i) => expectSameBits(got.states[i]!, state, `${label}: state ${i}`));
  for (const [name, grad] of Object.entries(expected.grads)) {
    expectSameBits(got.grads[name]!, grad, `${label}: gradient of ${name}`);
  }
}

for (const mode of modes) {
  describe(`recurrence in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    describe.each(names)('%s', (name) => {
      test.each([
        ['masks', masks.flatMap((mask) => [{ mask }, { mask, reverse: true }])],
        ['masks and no initial state', masks.map((mask) => ({ mask, withInitial: false }))],
        ['masks and a loss on the last state alone', masks.map((mask) => ({ mask, loss: 'lastState' as const }))],
        ['input dropout', [{ inputDropout: true }, { inputDropout: true, withBias: false, reverse: true }]],
        [
          'recurrent dropout',
          [{ recurrentDropout: true }, { recurrentDropout: true, withInitial: false, reverse: true }],
        ],
        [
          'masks and both kinds of dropout',
          masks.map((mask) => ({ mask, inputDropout: true, recurrentDropout: true })),
        ],
      ] satisfies [string, Partial<Case>[]][])('with %s, matches the float64 reference', (_, variants) => {
        for (const shape of shapes) {
          for (const variant of variants) {
            const c: Case = { name, ...shape, ...variant };
            const data = dataOf(c);
            expectOutcome(describeCase(c), run(c, data, fused(c)), reference(c, data));
          }
        }
      });

      test('with a mask and dropout and without a tape, gives the outputs and states of training to the bit', () => {
        for (const mask of masks) {
          for (const returnSequences of [true, false]) {
            const c: Case = {
              name,
              ...shapes[2]!,
              mask,
              returnSequences,
              inputDropout: true,
              recurrentDropout: true,
              reverse: mask === 'short',
            };
            const data = dataOf(c);
            const { x, weights, initial } = tensorsOf(c, data);
            const untracked = fused(c)(x, weights, initial);
            const training = run(c, data, fused(c));
            if (training.y) expectSameBits(untracked.outputs!.toArray(), training.y, `${mask}: outputs`);
            training.states.forEach((state, i) =>
              expectSameBits(untracked.states[i]!.toArray(), state, `${mask}: state ${i}`),
            );
          }
        }
      });

      test('with a mask of ones, gives the bits of no mask', () => {
        const c: Case = { name, ...shapes[2]! };
        const mask = tensor(new Float32Array(35).fill(1), { shape: [7, 5] });
        const masked = run(c, dataOf(c), (x, weights, initialState) =>
          recurrence(cells[name], x, weights, { initialState, mask }),
        );
        expectSame('ones', masked, run(c, dataOf(c), fused(c)));
      });
    });

    describe.each(names)('%s with checkpoints', (name) => {
      const variants: Partial<Case>[] = [
        {},
        { reverse: true },
        { withInitial: false },
        { withInitial: false, withBias: false, reverse: true },
        { returnSequences: false },
        { returnSequences: false, reverse: true, withInitial: false },
        { loss: 'h' },
        { loss: 'lastState', returnSequences: false },
        ...masks.map((mask) => ({ mask, returnSequences: mask !== 'short' })),
        { mask: 'lengths', reverse: true, returnSequences: false },
        { inputDropout: true, recurrentDropout: true },
        { inputDropout: true, recurrentDropout: true, mask: 'holes', reverse: true },
      ];
      test.each([1, 3, 5, 25, 40])(
        'at every %i of 25 steps, gives the gradients of the plain scan to the bit',
        (every) => {
          for (const variant of variants) {
            const c: Case = { name, time: 25, batch: 3, inputs: 5, units: 7, ...variant };
            const data = dataOf(c);
            const checkpointed = { ...c, checkpointEvery: every };
            expectSame(describeCase(checkpointed), run(c, data, fused(checkpointed)), run(c, data, fused(c)));
          }
        },
      );

      test('of an embedding, gives the gradients of the plain scan to the bit', () => {
        const gradients = (checkpointEvery?: number): ArrayLike<number>[] => {
          const ids = tensor(integers(60, 9, 1), { shape: [20, 3], dtype: 'i32' });
          const c: Case = { name, time: 20, batch: 3, inputs: 5, units: 4, withBias: false };
          const table = tensor(values(45, 2), { shape: [9, 5] });
          const { weights } = tensorsOf(c, dataOf(c));
          const { kernel, recurrentKernel, extra } = weights;
          const loss = (): Tensor =>
            sum(recurrence(cells[name], embed(ids, table), weights, { checkpointEvery }).outputs!);
          const wrt = [table, kernel, recurrentKernel, ...Object.values(extra)];
          return valueAndGrad(loss, wrt).grads.map((grad) => grad.toArray());
        };
        const plain = gradients();
        for (const every of [1, 3, 7]) {
          for (const [i, grad] of gradients(every).entries()) expectSameBits(grad, plain[i]!, `every ${every}: ${i}`);
        }
      });
    });

    test('of one matrix as both kernels with checkpoints, gives the gradient of the plain scan to the bit', () => {
      const x = tensor(values(120, 1), { shape: [10, 3, 4] });
      const kernel = tensor(values(64, 2), { shape: [4, 16] });
      const gradient = (checkpointEvery?: number): ArrayLike<number> =>
        valueAndGrad(
          () => sum(recurrence(lstmCell, x, { kernel, recurrentKernel: kernel }, { checkpointEvery }).outputs!),
          [kernel],
        ).grads[0]!.toArray();
      for (const every of [1, 3, 5]) expectSameBits(gradient(every), gradient(), `every ${every}`);
    });

    test('of an embedding under dropout, gives the numbers of its vectors given as such', () => {
      const ids = integers(20, 4, 1);
      const width = 16;
      const [table, kernel, recurrentKernel] = [
        tensor(values(20, 2), { shape: [4, 5] }),
        tensor(values(5 * width, 3), { shape: [5, width] }),
        tensor(values(4 * width, 4), { shape: [4, width] }),
      ];
      const options = { inputDropout: tensor(values(40, 5), { shape: [4, 2, 5] }) };
      const vectors = tensor(Array.from(ids, (id) => Array.from(table.toArray().slice(5 * id, 5 * id + 5))).flat(), {
        shape: [10, 2, 5],
      });
      const scan = (x: Tensor) => sum(recurrence(lstmCell, x, { kernel, recurrentKernel }, options).outputs!);
      const gathered = valueAndGrad(
        () => scan(embed(tensor(ids, { shape: [10, 2], dtype: 'i32' }), table)),
        [table, kernel],
      );
      const given = valueAndGrad(() => scan(vectors), [vectors, kernel]);
      const dTable = new Float32Array(20);
      const dVectors = given.grads[0]!.toArray();
      ids.forEach((id, row) => {
        for (let j = 0; j < 5; j++) dTable[5 * id + j]! += dVectors[5 * row + j]!;
      });
      expect(gathered.value).toBe(given.value);
      expectGradient('table', gathered.grads[0]!.toArray(), { shape: [4, 5], values: dTable });
      expectSameBits(gathered.grads[1]!.toArray(), given.grads[1]!.toArray(), 'kernel');
    });
  });
}

describe('recurrence on several threads', () => {
  test('with masks, dropout and checkpoints, gives the bits of one thread', async () => {
    const shape = { time: 30, batch: 13, inputs: 40, units: 96 };
    const outcomes = (): Outcome[] =>
      (['lstm', 'lstmRelu', 'lstmPeephole', 'lstmProjection', 'gruAfter', 'gruBefore', 'rnnTanh'] as const).flatMap(
        (name) =>
          ([{ mask: 'lengths' }, { mask: 'short', reverse: true }, { mask: 'holes', checkpointEvery: 7 }] as const).map(
            (variant) => {
              const c: Case = { name, ...shape, inputDropout: true, recurrentDropout: true, ...variant };
              return run(c, dataOf(c), fused(c));
            },
          ),
      );
    await init();
    const alone = outcomes();
    for (const threads of [2, 4]) {
      expect((await init({ threads })).threads).toBe(threads);
      outcomes().forEach((outcome, i) => expectSame(`${threads} threads, case ${i}`, outcome, alone[i]!));
    }
    engine().stopThreads();
  });
});

describe('recurrence of padded sequences', () => {
  test('makes no product for steps that no sequence has', async () => {
    const { kernels } = await init();
    const c: Case = { name: 'lstm', time: 40, batch: 3, inputs: 4, units: 5 };
    /** Multiply-adds of a forward and a backward pass. */
    const workOf = (steps: number | undefined): number => {
      const mask =
        steps === undefined
          ? undefined
          : tensor(
              Float32Array.from({ length: 120 }, (_, at) => Number(at < 3 * steps)),
              { shape: [40, 3] },
            );
      let sum = 0;
      const { gemm } = kernels;
      engine().kernels = {
        ...kernels,
        gemm: (m, n, k, ...rest) => {
          sum += m * n * k;
          gemm(m, n, k, ...rest);
        },
      };
      run(c, dataOf(c), (x, weights, initialState) => recurrence(lstmCell, x, weights, { initialState, mask }));
      engine().kernels = kernels;
      return sum;
    };
    expect(workOf(10)).toBeCloseTo(workOf(undefined) / 4, 5);
    expect(workOf(0)).toBe(0);
  });

  test('gives finite gradients whatever finite numbers stand in the padding, and the same ones', async () => {
    await init();
    for (const name of names) {
      const c: Case = { name, time: 6, batch: 3, inputs: 4, units: 5, mask: 'lengths' };
      const data = dataOf(c);
      const filled = { ...data, x: data.x.map((v, at) => (data.mask![Math.floor(at / 4)] === 0 ? 3e37 : v)) };
      expectSame(name, run(c, filled, fused(c)), run(c, data, fused(c)));
    }
  });
});

describe('checkpoints over 400 steps', () => {
  const c: Case = { name: 'lstm', time: 400, batch: 8, inputs: 8, units: 96, returnSequences: false, loss: 'h' };

  test('take a quarter of the memory of the plain scan', async () => {
    /** What the arena has grown to in a step. */
    const peakOf = async (checkpointEvery?: number): Promise<number> => {
      const fresh = await init();
      const data = dataOf(c);
      fresh.step(() => {
        run(c, data, (x, weights, initialState) =>
          recurrence(lstmCell, x, weights, { initialState, checkpointEvery, returnSequences: false }),
        );
      });
      return fresh.arena.heldBytes;
    };
    const plain = await peakOf();
    expect(await peakOf(20)).toBeLessThan(plain / 4);
  });
});

describe('recurrence of a cell with weights of its own', () => {
  const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
  const weights = { kernel: zeros(5, 16), recurrentKernel: zeros(2, 16) };
  const call =
    (given: Parameters<typeof recurrence>[2], options: RecurrenceOptions = {}) =>
    () =>
      recurrence(lstmProjectionCell, zeros(3, 2, 5), given, options);

  test.each<[string, () => unknown, string]>([
    ['one missing', call(weights), 'extra weights expected projection, got nothing'],
    [
      'an unknown one',
      call({ ...weights, extra: { peephole: zeros(3, 4) } }),
      'extra weights expected projection, got peephole',
    ],
    [
      'one of another shape',
      call({ ...weights, extra: { projection: zeros(2, 4) } }),
      'projection expected [4, 2], got [2, 4]',
    ],
    [
      'an initial h as wide as c',
      call({ ...weights, extra: { projection: zeros(4, 2) } }, { initialState: [zeros(2, 4), zeros(2, 4)] }),
      'initialState[0] expected [2, 2], got [2, 4]',
    ],
    [
      'a recurrent kernel that no number of units has',
      call({ ...weights, recurrentKernel: zeros(2, 15), extra: { projection: zeros(4, 2) } }),
      'recurrentKernel expected [2, 12], got [2, 15]',
    ],
  ])('%s, throws and says what was expected', (_, run, message) => {
    expect(run).toThrow(new ArgumentError(`recurrence(lstmProjection): ${message}`));
  });

  test('an extra weight where the cell has none, throws', () => {
    const plain = { kernel: zeros(5, 16), recurrentKernel: zeros(4, 16), extra: { peephole: zeros(3, 4) } };
    expect(() => recurrence(lstmCell, zeros(3, 2, 5), plain)).toThrow(
      new ArgumentError('recurrence(lstm): extra weights expected nothing, got peephole'),
    );
  });

  test('that the stream kernel does not know, streaming it throws', () => {
    const [kernel, recurrentKernel] = [new Parameter('kernel', [5, 16]), new Parameter('recurrentKernel', [4, 16])];
    expect(() => new StreamProgram(engine(), 1, 5).recurrent(lstmPeepholeCell, { kernel, recurrentKernel })).toThrow(
      new ArgumentError('stream: lstmPeephole cannot be streamed, since the kernel has no step for it'),
    );
  });
});

describe('recurrence with options that do not fit', () => {
  const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
  const call = (options: RecurrenceOptions) => () =>
    recurrence(lstmCell, zeros(3, 2, 5), { kernel: zeros(5, 16), recurrentKernel: zeros(4, 16) }, options);

  test.each<[string, () => unknown, string]>([
    ['a mask of batch-major shape', call({ mask: zeros(2, 3) }), 'mask expected [3, 2], got [2, 3]'],
    [
      'an i32 mask',
      call({ mask: tensor(new Int32Array(6), { shape: [3, 2], dtype: 'i32', name: 'm' }) }),
      "mask expected f32, got i32 for 'm'",
    ],
    [
      'one dropout mask for all gates',
      call({ recurrentDropout: zeros(1, 2, 4) }),
      'recurrentDropout expected [4, 2, 4], got [1, 2, 4]',
    ],
    [
      'an input dropout mask of another width',
      call({ inputDropout: zeros(4, 2, 4) }),
      'inputDropout expected [4, 2, 5], got [4, 2, 4]',
    ],
    ['checkpoints at every 0th step', call({ checkpointEvery: 0 }), 'checkpointEvery expected an integer ≥ 1, got 0'],
    [
      'checkpoints at every 2.5th step',
      call({ checkpointEvery: 2.5 }),
      'checkpointEvery expected an integer ≥ 1, got 2.5',
    ],
  ])('%s, throws and says what was expected', (_, run, message) => {
    expect(run).toThrow(new ArgumentError(`recurrence(lstm): ${message}`));
  });
});
