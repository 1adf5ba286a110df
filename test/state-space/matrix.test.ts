import { describe, expect, test } from 'vitest';
import {
  cholesky,
  inverseOf,
  logDeterminant,
  semidefiniteFactor,
  stationaryCovariance,
} from '../../src/state-space/matrix.ts';

const of = (...rows: number[][]): Float64Array => Float64Array.from(rows.flat());
const near = (got: Float64Array | undefined, expected: Float64Array): void =>
  expected.forEach((value, i) => expect(got![i]).toBeCloseTo(value, 12));

describe('factors', () => {
  const a = of([4, 2, 0.4], [2, 3, 0.5], [0.4, 0.5, 1]);

  test('Cholesky gives the factor, the determinant and the inverse', () => {
    const l = cholesky(a, 3)!;
    near(l.slice(0, 2), of([2, 0]));
    // By Sarrus: 4·3·1 + 2·(2·0.4·0.5) − 3·0.4² − 4·0.5² − 2²·1
    expect(logDeterminant(l, 3)).toBeCloseTo(Math.log(12 + 0.8 - 0.48 - 1 - 4), 12);
    const inverse = inverseOf(l, 3);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const sum = [0, 1, 2].reduce((all, k) => all + a[3 * i + k]! * inverse[3 * k + j]!, 0);
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
  });

  test('what is singular or indefinite has no Cholesky factor; what is singular has a semidefinite one', () => {
    const singular = of([1, 1], [1, 1]);
    expect(cholesky(singular, 2)).toBeUndefined();
    near(semidefiniteFactor(singular, 2), of([1, 0], [1, 0]));
    near(semidefiniteFactor(of([0, 0], [0, 4]), 2), of([0, 0], [0, 2]));
    near(semidefiniteFactor(a, 3), cholesky(a, 3)!);
    for (const indefinite of [of([1, 2], [2, 1]), of([0, 1], [1, 5]), of([-1, 0], [0, 1])]) {
      expect(cholesky(indefinite, 2)).toBeUndefined();
      expect(semidefiniteFactor(indefinite, 2)).toBeUndefined();
    }
    expect(cholesky(new Float64Array(0), 0)).toEqual(new Float64Array(0));
  });
});

describe('stationary covariance', () => {
  test('of an AR(1) is σ² / (1 − φ²), near the unit circle too', () => {
    for (const phi of [0, -0.7, 0.999, 0.999999]) {
      const p = stationaryCovariance(of([phi]), of([2]), 1)![0]!;
      expect(p * (1 - phi * phi)).toBeCloseTo(2, 8);
    }
  });

  test('solves P = A P Aᵀ + Q for a matrix that is not symmetric', () => {
    const [a, q] = [of([0.5, 0.4], [-0.9, 0.8]), of([1, 0.2], [0.2, 0.5])];
    const p = stationaryCovariance(a, q, 2)!;
    const at = (i: number, j: number): number =>
      [0, 1].reduce(
        (sum, k) => sum + [0, 1].reduce((all, l) => all + a[2 * i + k]! * p[2 * k + l]! * a[2 * j + l]!, 0),
        q[2 * i + j]!,
      );
    near(p, of([at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]));
  });

  test('does not exist on the unit circle or outside', () => {
    expect(stationaryCovariance(of([1]), of([1]), 1)).toBeUndefined();
    expect(stationaryCovariance(of([1.5]), of([1]), 1)).toBeUndefined();
  });
});
