// What the guides say about optimizers with other defaults: the rules of PyTorch and of older Keras in float64, against
// tapeloop's with the options in the guides.
import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { adagrad, adam, adamw, rmsprop, sgd } from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { inverseTimeDecay } from '../../src/optimizers/schedules/index.ts';

interface Slot {
  p: number;
  m: number;
  v: number;
}
type Rule = (slot: Slot, g: number, t: number) => void;

/** Epsilon is added to the corrected root. */
const adamStep =
  (decay: number): Rule =>
  (slot, g, t) => {
    slot.p -= 1e-3 * decay * slot.p;
    slot.m = 0.9 * slot.m + 0.1 * g;
    slot.v = 0.999 * slot.v + 0.001 * g * g;
    slot.p -= (1e-3 * (slot.m / (1 - 0.9 ** t))) / (Math.sqrt(slot.v / (1 - 0.999 ** t)) + 1e-8);
  };

/** Epsilon stands outside the root. */
const rmspropStep =
  (rate: number, rho: number, epsilon: number): Rule =>
  (slot, g) => {
    slot.v = rho * slot.v + (1 - rho) * g * g;
    slot.p -= (rate * g) / (Math.sqrt(slot.v) + epsilon);
  };

const adagradStep: Rule = (slot, g) => {
  slot.v += g * g;
  slot.p -= (0.01 * g) / (Math.sqrt(slot.v) + 1e-10);
};

// Large beside epsilon, where its place makes no difference.
const [LARGE, SMALL] = [
  [1, -0.3, 0.01],
  [1, -1e-3, 1e-5],
];

describe('an optimizer of others, with the options that the guides name', () => {
  test.each<[string, Optimizer, Rule, readonly number[]]>([
    ["PyTorch's Adam", adam({ epsilon: 1e-8 }), adamStep(0), LARGE],
    ["PyTorch's AdamW", adamw({ weightDecay: 0.01, epsilon: 1e-8 }), adamStep(0.01), LARGE],
    [
      "PyTorch's RMSprop",
      rmsprop({ learningRate: 0.01, rho: 0.99, epsilon: 1e-16 }),
      rmspropStep(0.01, 0.99, 1e-8),
      LARGE,
    ],
    [
      "PyTorch's Adagrad",
      adagrad({ learningRate: 0.01, initialAccumulatorValue: 0, epsilon: 1e-20 }),
      adagradStep,
      SMALL,
    ],
    ["Keras 2's RMSprop", rmsprop({ epsilon: 1e-14 }), rmspropStep(0.001, 0.9, 1e-7), LARGE],
    [
      "Keras 2's decay",
      sgd({ learningRate: inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 1, decayRate: 0.5 }) }),
      (slot, g, t) => {
        slot.p -= (0.1 * g) / (1 + 0.5 * (t - 1));
      },
      SMALL,
    ],
  ])('%s, moves alike', (_, optimizer, rule, scales) => {
    const parameter = new Parameter('p', [scales.length], new Float32Array(scales.length));
    const slots = scales.map((): Slot => ({ p: 0, m: 0, v: 0 }));
    for (let t = 1; t <= 8; t++) {
      const gradients = scales.map((scale, i) => scale * Math.cos(t + i));
      optimizer.apply([parameter], [tensor(gradients)]);
      gradients.forEach((g, i) => rule(slots[i]!, Math.fround(g), t));
    }
    parameter.toArray().forEach((value, i) => {
      const { p } = slots[i]!;
      expect(Math.abs(p)).toBeGreaterThan(1e-7);
      expect(Math.abs(value - p), `${value} for ${p}`).toBeLessThan(2e-4 * Math.abs(p));
    });
  });
});
