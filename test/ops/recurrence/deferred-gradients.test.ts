// Deferred gradients, which are made when a scan needs them. With an op between that reads its whole gradient, the same
// model makes them at once: that is the plain path.
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { lstmCell } from '../../../src/cells/lstm.ts';
import { engine, init } from '../../../src/engine/engine.ts';
import { add, linear, recurrence, scale, sum, swapTimeBatch, tanh } from '../../../src/ops/index.ts';
import { modes } from '../../engine/modes.ts';
import { expectSameBits } from '../../kernels/compare.ts';
import { values } from '../../kernels/reference/values.ts';
import { type Case, dataOf, fused, names, tensorsOf } from './scan-cases.ts';

type Link = (h: Tensor) => Tensor;
const direct: Link = (h) => h;
const whole: Link = (h) => scale(h, 1);

// Several chunks of 4 steps, the last one shorter; steps of more rows than a chunk; fewer steps than pay.
const shapes = [
  { time: 22, batch: 33, inputs: 3, units: 5 },
  { time: 7, batch: 130, inputs: 2, units: 4 },
  { time: 3, batch: 4, inputs: 3, units: 4 },
];
const variants: Partial<Case>[] = [
  {},
  { reverse: true },
  { withInitial: false, withBias: false },
  { mask: 'lengths' },
  { mask: 'holes', reverse: true },
  { mask: 'short' },
  { checkpointEvery: 6 },
  { checkpointEvery: 6, reverse: true, mask: 'holes' },
  { inputDropout: true, recurrentDropout: true },
];

/** Every gradient of a projection, two scans and a head of one weight over them, and of the last states. */
function gradients(c: Case, link: Link): Record<string, ArrayLike<number>> {
  const { x, weights, initial } = tensorsOf(c, dataOf(c));
  const hidden = weights.recurrentKernel.shape[0]!;
  const upper: Case = { ...c, inputs: hidden };
  const above = tensorsOf(upper, dataOf(upper));
  const wrt: Record<string, Tensor> = {
    features: tensor(values(c.time * c.batch * 2, 61), { shape: [c.time, c.batch, 2] }),
    projection: tensor(values(2 * c.inputs, 62), { shape: [2, c.inputs] }),
    head: tensor(values(hidden * 3, 63), { shape: [hidden, 3] }),
    kernel: weights.kernel,
    recurrentKernel: weights.recurrentKernel,
    'upper kernel': above.weights.kernel,
    'upper recurrentKernel': above.weights.recurrentKernel,
    ...Object.fromEntries((initial ?? []).map((state, i) => [`initial ${i}`, state])),
  };
  x.dispose();
  const { grads } = valueAndGrad(() => {
    const input = linear(wrt.features!, wrt.projection!);
    const first = fused(c)(link(input), weights, initial);
    const second = fused(upper)(link(first.outputs!), above.weights, above.initial);
    const logits = linear(swapTimeBatch(link(second.outputs!)), wrt.head!);
    const last = [...first.states, ...second.states].map((state) => sum(state));
    return last.reduce((a, b) => add(a, b), sum(tanh(logits)));
  }, Object.values(wrt));
  return Object.fromEntries(Object.keys(wrt).map((name, i) => [name, grads[i]!.toArray()]));
}

function expectSame(
  label: string,
  got: Record<string, ArrayLike<number>>,
  expected: Record<string, ArrayLike<number>>,
): void {
  for (const [name, grad] of Object.entries(expected)) expectSameBits(got[name]!, grad, `${label}: ${name}`);
}

for (const mode of modes) {
  describe(`gradients owed to a scan in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    test.each(names)('through two scans of %s under a head, are those made at once to the bit', (name) => {
      for (const shape of shapes) {
        for (const variant of variants) {
          const c: Case = { name, ...shape, ...variant };
          expectSame(`seed 1, ${JSON.stringify(c)}`, gradients(c, direct), gradients(c, whole));
        }
      }
    });

    test('that reach outputs beside others, are added to them', () => {
      const [time, batch, units] = [20, 40, 4];
      const x = tensor(values(time * batch * 3, 1), { shape: [time, batch, 3] });
      const kernel = tensor(values(48, 2), { shape: [3, 16] });
      const recurrentKernel = tensor(values(64, 3), { shape: [4, 16] });
      const heads = [4, 5].map((seed) => tensor(values(units * 2, seed), { shape: [units, 2] }));
      const gradient = (loss: (h: Tensor) => Tensor): ArrayLike<number> =>
        valueAndGrad(
          () => loss(recurrence(lstmCell, x, { kernel, recurrentKernel }).outputs!),
          [kernel],
        ).grads[0]!.toArray();
      const both = gradient((h) => add(sum(linear(h, heads[0]!)), add(sum(h), sum(linear(h, heads[1]!)))));
      const each = [
        gradient((h) => sum(linear(h, heads[0]!))),
        gradient((h) => sum(h)),
        gradient((h) => sum(linear(h, heads[1]!))),
      ];
      const largest = Math.max(...Array.from(both, Math.abs));
      Array.from(both).forEach((g, i) => {
        const expected = each[0]![i]! + each[1]![i]! + each[2]![i]!;
        expect(Math.abs(g - expected), `element ${i}`).toBeLessThan(1e-5 * largest);
      });
    });
  });
}

test('gradients owed to a scan, are not made whole', async () => {
  const c: Case = { name: 'lstm', time: 100, batch: 32, inputs: 8, units: 64 };
  /** What the arena has grown to. */
  const peakOf = async (link: Link): Promise<number> => {
    const { arena } = await init();
    gradients(c, link);
    return arena.heldBytes;
  };
  const sequence = 4 * c.time * c.batch * c.units;
  // Of each of two scans: what the op between makes, and the gradient of the outputs.
  expect((await peakOf(whole)) - (await peakOf(direct))).toBeGreaterThan(2 * 1.75 * sequence);
});

test('gradients owed to a scan on several threads, have the bits of one thread', async () => {
  const cases: Case[] = [
    { name: 'lstm', time: 40, batch: 33, inputs: 24, units: 64 },
    { name: 'gruAfter', time: 40, batch: 33, inputs: 24, units: 64, mask: 'lengths', reverse: true },
  ];
  await init();
  const alone = cases.map((c) => gradients(c, direct));
  for (const threads of [2, 4]) {
    expect((await init({ threads })).threads).toBe(threads);
    cases.forEach((c, i) => expectSame(`${threads} threads, ${c.name}`, gradients(c, direct), alone[i]!));
  }
  engine().stopThreads();
});
