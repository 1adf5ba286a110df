// Areas under curves against their definition, computed without a curve, and against Keras's worked examples.
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { type AucOptions, auc } from '../../src/metrics/auc.ts';
import { integers, values } from '../kernels/reference/values.ts';

function areaOf(options: AucOptions, y: ArrayLike<number>, p: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const state = auc(options).start();
  const shape = [y.length, 1];
  state.update(
    tensor(y, { shape }),
    tensor(p, { shape, dtype: 'f32' }),
    weights && tensor(weights, { shape: [y.length] }),
  );
  return state.result() as number;
}

const COUNT = 300;
const y = integers(COUNT, 2, 21);
const weights = values(COUNT, 22).map((v) => v + 1);
/**
 * Predictions that are better than chance; several are equal, and each lies in the middle between two of 200
 * thresholds.
 */
const p = Float64Array.from(values(COUNT, 23), (v, i) => {
  const place = Math.floor(((v + 1) / 2) * 60) + 80 * y[i]! * ((v + 1) / 2);
  return (Math.floor(place) + 0.5) / 199;
});

describe('ROC', () => {
  test.each([undefined, weights])(
    'is the share of pairs in which a yes stands above a no, ties half, weighted %#',
    (weigh) => {
      const w = (i: number): number => weigh?.[i] ?? 1;
      let [above, pairs] = [0, 0];
      for (let i = 0; i < COUNT; i++) {
        for (let j = 0; j < COUNT; j++) {
          if (y[i] !== 1 || y[j] !== 0) continue;
          pairs += w(i) * w(j);
          above += w(i) * w(j) * (p[i]! > p[j]! ? 1 : p[i] === p[j] ? 0.5 : 0);
        }
      }
      expect(areaOf({}, y, p, weigh)).toBeCloseTo(above / pairs, 10);
    },
  );

  test('of perfect, reversed and constant predictions, is 1, 0 and ½', () => {
    expect(areaOf({}, y, y)).toBe(1);
    expect(
      areaOf(
        {},
        y,
        y.map((v) => 1 - v),
      ),
    ).toBe(0);
    expect(areaOf({}, y, new Float32Array(COUNT).fill(0.3))).toBe(0.5);
  });

  test('of predictions beyond 0 and 1, takes them for 0 and 1', () => {
    expect(areaOf({}, [0, 1, 1], [-3, 7, 0.5])).toBe(1);
  });
});

test.each([undefined, weights])(
  'PR, is the integral of precision along the line between thresholds, weighted %#',
  (weigh) => {
    const w = (i: number): number => weigh?.[i] ?? 1;
    const limits = [-1, ...Array.from({ length: 198 }, (_, i) => (i + 1) / 199), 2];
    const sum = (yes: number, limit: number): number =>
      Array.from(y).reduce((total, own, i) => total + (own === yes && p[i]! > limit ? w(i) : 0), 0);
    const points = limits.map((limit) => ({ hit: sum(1, limit), wrong: sum(0, limit) }));
    let area = 0;
    for (let i = 0; i + 1 < points.length; i++) {
      const [b, a] = [points[i]!, points[i + 1]!];
      const steps = 2000;
      for (let k = 0; k < steps; k++) {
        const t = (k + 0.5) / steps;
        const hit = a.hit + t * (b.hit - a.hit);
        const wrong = a.wrong + t * (b.wrong - a.wrong);
        if (hit + wrong > 0) area += ((hit / (hit + wrong)) * (b.hit - a.hit)) / steps;
      }
    }
    expect(areaOf({ curve: 'PR' }, y, p, weigh)).toBeCloseTo(area / points[0]!.hit, 5);
  },
);

describe("Keras's worked examples", () => {
  const truth = [0, 0, 1, 1];
  const predictions = [0, 0.5, 0.3, 0.9];
  const weigh = [1, 2, 3, 4];
  // With weights, at the thresholds below 0, ½ and above 1: tp = 7 4 0, fp = 3 0 0.
  test.each<[AucOptions, ArrayLike<number> | undefined, number]>([
    [{ numThresholds: 3 }, undefined, 0.75],
    [{ thresholds: [0.5] }, undefined, 0.75],
    [{ numThresholds: 3 }, [1, 0, 0, 1], 1],
    [{ numThresholds: 3 }, weigh, (1 + 4 / 7) / 2],
    [{ numThresholds: 3, summationMethod: 'majoring' }, weigh, 1],
    [{ numThresholds: 3, summationMethod: 'minoring' }, weigh, 4 / 7],
    [{ numThresholds: 3, curve: 'PR', summationMethod: 'majoring' }, weigh, 1],
    [{ numThresholds: 3, curve: 'PR', summationMethod: 'minoring' }, weigh, 0.7 * (3 / 7)],
    [{ numThresholds: 3, curve: 'PR' }, weigh, (0.5 * (3 + 2 * Math.log(2.5)) + 4) / 7],
    [{ numThresholds: 3, curve: 'PR' }, weigh.map((w) => -w), 0],
  ])('%j weighted %j, is %d', (options, w, expected) => {
    expect(areaOf(options, truth, predictions, w)).toBeCloseTo(expected, 6);
  });

  test('of logits, is that of their probabilities', () => {
    const logits = [-27, 0, Math.log(0.3 / 0.7), Math.log(9)];
    expect(areaOf({ numThresholds: 3, fromLogits: true }, truth, logits)).toBeCloseTo(0.75, 6);
  });
});

test('labelWeights of another number than the classes, throw', () => {
  const rows = tensor([[0, 1]]);
  expect(() =>
    auc({ labelWeights: [1, 2, 3] })
      .start()
      .update(rows, rows),
  ).toThrow('auc: labelWeights expected 2 numbers, got 3');
});
