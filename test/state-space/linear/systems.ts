// Small random systems, with everything that a system can have.
import { RandomStream } from '../../../src/engine/random.ts';
import type { LinearSystem, Varying } from '../../../src/state-space/linear/kalman.ts';
import type { Plain } from './joint.ts';

export interface Case {
  name: string;
  n: number;
  p: number;
  k: number;
  steps: number;
  plain: Plain;
  y: number[][];
  u: number[][];
}

interface Shape {
  name: string;
  n: number;
  p: number;
  k?: number;
  steps?: number;
  missing?: number;
  varies?: boolean;
  /** Whether only the first state has noise. */
  singular?: boolean;
}

function made(
  { name, n, p, k = 0, steps = 4, missing = 0, varies = false, singular = false }: Shape,
  seed: number,
): Case {
  const random = new RandomStream(seed);
  const matrix = (r: number, c: number, scale = 1): number[][] =>
    Array.from({ length: r }, () => Array.from({ length: c }, () => scale * random.nextNormal()));
  const covariance = (size: number, rank = size): number[][] => {
    const factor = matrix(size, rank, 0.7).map((row, i) => (i < rank ? row : row.map(() => 0)));
    return factor.map((row, i) =>
      factor.map((other, j) => row.reduce((sum, value, l) => sum + value * other[l]!, i === j && i < rank ? 0.2 : 0)),
    );
  };
  const each = (make: () => number[][]): number[][][] => {
    const first = make();
    return Array.from({ length: steps }, (_, t) => (varies && t > 0 ? make() : first));
  };
  return {
    ...{ name, n, p, k, steps },
    plain: {
      a: each(() => matrix(n, n, 0.6)),
      c: each(() => matrix(p, n)),
      q: each(() => covariance(n, singular ? 1 : n)),
      r: each(() => covariance(p)),
      ...(k > 0 ? { b: each(() => matrix(n, k)), d: each(() => matrix(p, k)) } : {}),
      m: matrix(1, n)[0]!,
      p: covariance(n),
    },
    y: matrix(steps, p).map((row) => row.map((value) => (random.nextUniform() < missing ? Number.NaN : value))),
    u: matrix(steps, k),
  };
}

export const cases: Case[] = [
  made({ name: 'n=1 p=1', n: 1, p: 1 }, 1),
  made({ name: 'n=1 p=1 T=1', n: 1, p: 1, steps: 1 }, 2),
  made({ name: 'n=3 p=2', n: 3, p: 2 }, 3),
  made({ name: 'n=2 p=3, some missing', n: 2, p: 3, steps: 5, missing: 0.4 }, 4),
  made({ name: 'n=2 p=1, half of the steps missing', n: 2, p: 1, steps: 6, missing: 0.5 }, 5),
  made({ name: 'n=2 p=2 k=2, inputs', n: 2, p: 2, k: 2 }, 6),
  made({ name: 'n=3 p=2, a state with noise and two without', n: 3, p: 2, singular: true }, 7),
  made(
    { name: 'n=2 p=2 k=1, another matrix at each step, some missing', n: 2, p: 2, k: 1, varies: true, missing: 0.3 },
    8,
  ),
];

/** The same for the library. Matrices of each step have an axis of steps. */
export function systemOf({ n, p, k, plain }: Case, perStep = true): LinearSystem {
  const varying = (of: number[][][] | undefined, size: number): Varying => ({
    data: Float64Array.from(perStep ? (of ?? []).flat(2) : (of?.[0] ?? []).flat()),
    size,
    perSequence: 0,
    perStep: perStep ? size : 0,
  });
  const fixed = (data: number[]): Varying => ({
    data: Float64Array.from(data),
    size: data.length,
    perSequence: 0,
    perStep: 0,
  });
  return {
    ...{ n, p, k },
    transition: varying(plain.a, n * n),
    observation: varying(plain.c, p * n),
    stateNoise: varying(plain.q, n * n),
    observationNoise: varying(plain.r, p * p),
    control: varying(plain.b, n * k),
    feedthrough: varying(plain.d, p * k),
    initialMean: fixed(plain.m),
    initialCovariance: fixed(plain.p.flat()),
  };
}

export const observedOf = ({ steps, y, u }: Case) => ({
  steps,
  y: Float64Array.from(y.flat()),
  u: Float64Array.from(u.flat()),
  sequence: 0,
});
