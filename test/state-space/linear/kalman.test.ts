import { describe, expect, test } from 'vitest';
import { kalmanFilter, kalmanSmoother, type LinearSystem } from '../../../src/state-space/linear/kalman.ts';
import { kalmanGradient, type SystemGradient, zeroGradient } from '../../../src/state-space/linear/kalman-gradient.ts';
import { byJoint } from './joint.ts';
import { cases, observedOf, systemOf } from './systems.ts';

const expectNear = (got: ArrayLike<number>, expected: number[], digits = 9): void => {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => expect(got[i]).toBeCloseTo(value, digits));
};

describe.each(cases)('Kalman, $name', (each) => {
  const system = systemOf(each);
  const given = observedOf(each);
  const { n, p, k, steps, plain, y, u } = each;
  const filtered = kalmanFilter(system, given);

  test('filter: states given the observations so far, and the likelihood, are those of the joint Gaussian', () => {
    for (let t = 0; t < steps; t++) {
      const before = byJoint(plain, y, u, t);
      const until = byJoint(plain, y, u, t + 1);
      const step = filtered[t]!;
      expectNear(step.mean, before.means[t]!);
      expectNear(step.covariance, before.covariances[t]!.flat());
      expectNear(step.filteredMean, until.means[t]!);
      expectNear(step.filteredCovariance, until.covariances[t]!.flat());
      expect(step.logLikelihood).toBeCloseTo(until.logLikelihood - before.logLikelihood, 9);
    }
  });

  test('smoother: states given all, and covariances of neighbours, are those of the joint Gaussian', () => {
    const all = byJoint(plain, y, u);
    kalmanSmoother(system, given, filtered).forEach((step, t) => {
      expectNear(step.mean, all.means[t]!);
      expectNear(step.covariance, all.covariances[t]!.flat());
      if (t + 1 < steps) expectNear(step.withNext!, all.withNext[t]!.flat());
      else expect(step.withNext).toBeUndefined();
    });
  });

  test('covariances are symmetric to the last bit', () => {
    const smoothed = kalmanSmoother(system, given, filtered);
    const all = [
      ...filtered.flatMap((s) => [s.covariance, s.filteredCovariance]),
      ...smoothed.map((s) => s.covariance),
    ];
    for (const s of all) {
      for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(s[i * n + j]).toBe(s[j * n + i]);
    }
  });

  test('gradient of every parameter, of y and of the inputs matches finite differences', () => {
    const weights = Array.from({ length: steps }, (_, t) => [1.5, 0, -0.7, 1, 2, 0.3][t]!);
    const value = (of: LinearSystem, with_ = given): number =>
      kalmanFilter(of, with_).reduce((sum, { logLikelihood }, t) => sum + weights[t]! * logLikelihood, 0);
    const sums = zeroGradient(system);
    const dy = new Float64Array(steps * p);
    const du = new Float64Array(steps * k);
    kalmanGradient(system, given, filtered, (t) => weights[t]!, sums, dy, du);
    const numeric = (
      data: Float64Array<ArrayBufferLike>,
      f: (data: Float64Array<ArrayBuffer>) => number,
      i: number,
    ): number => {
      const h = 1e-5;
      const from = Float64Array.from(data);
      return (f(from.with(i, data[i]! + h)) - f(from.with(i, data[i]! - h))) / (2 * h);
    };
    const check = (what: string, got: number, expected: number): void =>
      expect(Math.abs(got - expected), `${what}: ${got}, not ${expected}`).toBeLessThan(
        2e-6 * (1 + Math.abs(expected)),
      );
    for (const name of Object.keys(sums) as (keyof SystemGradient)[]) {
      const { data, size } = system[name];
      const isCovariance = /Noise|Covariance/.test(name);
      const width = Math.sqrt(size);
      data.forEach((_, i) => {
        // The filter keeps covariances symmetric, so the two halves of one are moved together.
        const j = isCovariance ? i - (i % size) + ((i % size) % width) * width + Math.floor((i % size) / width) : i;
        const f = (moved: Float64Array): number =>
          value({ ...system, [name]: { ...system[name], data: j === i ? moved : moved.with(j, moved[i]!) } });
        const both = j === i ? sums[name][i]! : sums[name][i]! + sums[name][j]!;
        check(`${name}[${i}]`, both, numeric(data, f, i));
      });
    }
    given.y.forEach((v, i) => {
      if (Number.isNaN(v)) expect(dy[i]).toBe(0);
      else
        check(
          `y[${i}]`,
          dy[i]!,
          numeric(given.y, (moved) => value(system, { ...given, y: moved }), i),
        );
    });
    given.u.forEach((_, i) =>
      check(
        `u[${i}]`,
        du[i]!,
        numeric(given.u, (moved) => value(system, { ...given, u: moved }), i),
      ),
    );
  });
});

describe('Kalman, closed forms', () => {
  const scalar = (a: number, q: number, r: number, p: number): LinearSystem => {
    const one = (value: number) => ({ data: Float64Array.of(value), size: 1, perSequence: 0, perStep: 0 });
    const none = { data: new Float64Array(0), size: 0, perSequence: 0, perStep: 0 };
    return {
      ...{ n: 1, p: 1, k: 0, transition: one(a), observation: one(1), stateNoise: one(q), observationNoise: one(r) },
      ...{ control: none, feedthrough: none, initialMean: one(0), initialCovariance: one(p) },
    };
  };

  test('the covariance of a scalar state settles at the root of Riccati equation', () => {
    const [a, q, r] = [0.9, 0.4, 1.3];
    const steps = 60;
    const filtered = kalmanFilter(scalar(a, q, r, 10), {
      ...{ steps, y: new Float64Array(steps), u: new Float64Array(0), sequence: 0 },
    });
    // P = a² P r / (P + r) + q
    const b = r * (1 - a * a) - q;
    const root = (-b + Math.sqrt(b * b + 4 * q * r)) / 2;
    expect(filtered.at(-1)!.covariance[0]).toBeCloseTo(root, 12);
    expect(filtered.at(-1)!.gain[0]).toBeCloseTo(root / (root + r), 12);
  });

  test('an observed AR(1) has the likelihood of its residuals', () => {
    const [phi, variance] = [0.7, 0.5];
    const y = Float64Array.from({ length: 30 }, (_, t) => Math.sin(t * t) + 0.2);
    const given = { steps: 30, y, u: new Float64Array(0), sequence: 0 };
    const stationary = variance / (1 - phi * phi);
    const filtered = kalmanFilter(scalar(phi, variance, 0, stationary), given);
    const normal = (x: number, v: number): number => -(Math.log(2 * Math.PI * v) + (x * x) / v) / 2;
    let expected = normal(y[0]!, stationary);
    for (let t = 1; t < 30; t++) expected += normal(y[t]! - phi * y[t - 1]!, variance);
    expect(filtered.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0)).toBeCloseTo(expected, 10);
  });

  test('10,000 steps of a nearly unobservable state keep covariances positive', () => {
    const system: LinearSystem = {
      ...scalar(1, 0, 1e-12, 1),
      ...{ n: 2, transition: { data: Float64Array.of(1, 1, 0, 1), size: 4, perSequence: 0, perStep: 0 } },
      observation: { data: Float64Array.of(1, 0), size: 2, perSequence: 0, perStep: 0 },
      stateNoise: { data: Float64Array.of(0, 0, 0, 1e-9), size: 4, perSequence: 0, perStep: 0 },
      initialMean: { data: new Float64Array(2), size: 2, perSequence: 0, perStep: 0 },
      initialCovariance: { data: Float64Array.of(1e8, 0, 0, 1e8), size: 4, perSequence: 0, perStep: 0 },
    };
    const steps = 10_000;
    const y = Float64Array.from({ length: steps }, (_, t) => t);
    for (const { covariance } of kalmanFilter(system, { steps, y, u: new Float64Array(0), sequence: 0 }).slice(2)) {
      const [a, b, , d] = covariance as unknown as [number, number, number, number];
      if (!(a > 0 && d > 0 && a * d >= b * b * (1 - 1e-9))) throw new Error(`not positive: ${a} ${b} ${d}`);
    }
  });
});
