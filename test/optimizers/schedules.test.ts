import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import {
  constant,
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  linearWarmup,
  piecewiseConstantDecay,
  polynomialDecay,
  stepDecay,
} from '../../src/optimizers/schedules/index.ts';
import { deserialize, type Schedule } from '../../src/optimizers/schedules/schedule.ts';

const ITERATIONS = [0, 1, 2, 3, 5, 7, 9, 10, 11, 19, 20, 21, 29, 30, 31, 50, 69, 70, 71, 99, 100, 101, 1000, 12345];
const half = (f: number): number => 0.5 * (1 + Math.cos(Math.PI * f));

/** Keras's periods by its own closed form, where no rounding is near a restart. */
function restart(t: number, first: number, tMul: number): [period: number, fraction: number] {
  const done = t / first;
  if (tMul === 1) return [Math.floor(done), done - Math.floor(done)];
  const period = Math.floor(Math.log(1 - done * (1 - tMul)) / Math.log(tMul) + 1e-9);
  return [period, (done - (1 - tMul ** period) / (1 - tMul)) / tMul ** period];
}

describe('schedules, by the formulas of their pages', () => {
  const base = { initialLearningRate: 0.1, decaySteps: 10 };
  test.each<[string, Schedule, (t: number) => number]>([
    ['constant', constant({ learningRate: 0.3 }), () => 0.3],
    ['exponentialDecay', exponentialDecay({ ...base, decayRate: 0.96 }), (t) => 0.1 * 0.96 ** (t / 10)],
    [
      'exponentialDecay, staircase',
      exponentialDecay({ ...base, decayRate: 0.9, staircase: true }),
      (t) => 0.1 * 0.9 ** Math.floor(t / 10),
    ],
    ['stepDecay', stepDecay({ ...base, decayRate: 0.5 }), (t) => 0.1 * 0.5 ** Math.floor(t / 10)],
    ['inverseTimeDecay', inverseTimeDecay({ ...base, decayRate: 0.5 }), (t) => 0.1 / (1 + (0.5 * t) / 10)],
    [
      'inverseTimeDecay, staircase',
      inverseTimeDecay({ ...base, decayRate: 0.5, staircase: true }),
      (t) => 0.1 / (1 + 0.5 * Math.floor(t / 10)),
    ],
    [
      'piecewiseConstantDecay',
      piecewiseConstantDecay({ boundaries: [10, 30], values: [3, 2, 1] }),
      (t) => (t <= 10 ? 3 : t <= 30 ? 2 : 1),
    ],
    ['polynomialDecay', polynomialDecay(base), (t) => (0.1 - 1e-4) * (1 - Math.min(t, 10) / 10) + 1e-4],
    [
      'polynomialDecay, power 0.5',
      polynomialDecay({ ...base, endLearningRate: 0.01, power: 0.5 }),
      (t) => 0.09 * Math.sqrt(1 - Math.min(t, 10) / 10) + 0.01,
    ],
    [
      'polynomialDecay, cycle',
      polynomialDecay({ ...base, endLearningRate: 0.01, power: 2, cycle: true }),
      (t) => 0.09 * (1 - t / (10 * (t === 0 ? 1 : Math.ceil(t / 10)))) ** 2 + 0.01,
    ],
    ['cosineDecay', cosineDecay({ ...base, alpha: 0.2 }), (t) => 0.1 * (0.8 * half(Math.min(t, 10) / 10) + 0.2)],
    [
      'cosineDecay, warm-up',
      cosineDecay({ initialLearningRate: 0.01, decaySteps: 50, alpha: 0.2, warmupTarget: 0.1, warmupSteps: 20 }),
      (t) => (t < 20 ? 0.01 + (0.09 * t) / 20 : 0.1 * (0.8 * half(Math.min(t - 20, 50) / 50) + 0.2)),
    ],
    ...([1, 2, 1.5] as const).map((tMul): [string, Schedule, (t: number) => number] => [
      `cosineDecayRestarts, tMul ${tMul}`,
      cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 10, tMul, mMul: 0.9, alpha: 0.1 }),
      (t) => {
        const [period, fraction] = restart(t, 10, tMul);
        return 0.1 * (0.9 * 0.9 ** period * half(fraction) + 0.1);
      },
    ]),
    [
      'linearWarmup, to a schedule',
      linearWarmup({ warmupSteps: 20, after: exponentialDecay({ ...base, decayRate: 0.9 }) }),
      (t) => (t < 20 ? (0.1 * t) / 20 : 0.1 * 0.9 ** ((t - 20) / 10)),
    ],
    [
      'linearWarmup, to a number',
      linearWarmup({ warmupSteps: 20, initialLearningRate: 0.5, after: 0.1 }),
      (t) => (t < 20 ? 0.5 - (0.4 * t) / 20 : 0.1),
    ],
  ])('%s, within 1e-14, again from its config as JSON to the bit', (name, schedule, formula) => {
    const again = deserialize(JSON.parse(JSON.stringify(schedule.config!())));
    expect(again.name).toBe(schedule.name);
    for (const t of ITERATIONS) {
      expect(Math.abs(schedule.at(t) - formula(t)), `${name} at ${t}`).toBeLessThan(1e-14);
      expect(again.at(t), `${name} at ${t}`).toBe(schedule.at(t));
    }
  });

  test('cosineDecay, ends at exactly alpha of the top; without warmupTarget there is no warm-up', () => {
    const schedule = cosineDecay({ initialLearningRate: 1, decaySteps: 10, alpha: 0.25, warmupSteps: 5 });
    expect([0, 5, 10, 11].map(schedule.at)).toEqual([1, 0.625, 0.25, 0.25]);
  });

  test('cosineDecayRestarts, starts a period at the very iteration', () => {
    const schedule = cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1000, tMul: 3 });
    expect([0, 1000, 4000, 13_000].map(schedule.at)).toEqual([1, 1, 1, 1]);
    expect(schedule.at(3999)).toBeLessThan(1e-6);
  });
});

describe('options of schedules', () => {
  const base = { initialLearningRate: 0.1, decaySteps: 10 };
  test.each<[string, () => Schedule, string]>([
    ['negative rate', () => constant({ learningRate: -1 }), 'constant: learningRate expected a number ≥ 0, got -1'],
    [
      'decaySteps 0',
      () => exponentialDecay({ ...base, decaySteps: 0, decayRate: 1 }),
      'exponentialDecay: decaySteps expected a number > 0, got 0',
    ],
    [
      'missing decayRate',
      () => inverseTimeDecay(base as never),
      'inverseTimeDecay: decayRate expected a number ≥ 0, got undefined',
    ],
    [
      'values as many as boundaries',
      () => piecewiseConstantDecay({ boundaries: [1], values: [1] }),
      'piecewiseConstantDecay: values expected 2, got 1',
    ],
    [
      'boundaries that do not ascend',
      () => piecewiseConstantDecay({ boundaries: [3, 3], values: [1, 2, 3] }),
      'piecewiseConstantDecay: boundaries[1] expected above 3, got 3',
    ],
    ['power -1', () => polynomialDecay({ ...base, power: -1 }), 'polynomialDecay: power expected a number ≥ 0, got -1'],
    [
      'alpha NaN',
      () => cosineDecay({ ...base, alpha: Number.NaN }),
      'cosineDecay: alpha expected a number ≥ 0, got NaN',
    ],
    [
      'tMul below 1',
      () => cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1, tMul: 0.5 }),
      'cosineDecayRestarts: tMul expected a number, 1 or ≥ 1.01, got 0.5',
    ],
    [
      'warmupSteps -1',
      () => linearWarmup({ warmupSteps: -1, after: 1 }),
      'linearWarmup: warmupSteps expected a number ≥ 0, got -1',
    ],
    [
      'an unknown name',
      () => deserialize({ name: 'stepwise' }),
      "schedule expected one of constant, exponentialDecay, inverseTimeDecay, piecewiseConstantDecay, polynomialDecay, cosineDecay, cosineDecayRestarts, linearWarmup, got 'stepwise'",
    ],
  ])('%s, throw', (_, make, message) => {
    expect(make).toThrow(new ArgumentError(message));
  });
});
