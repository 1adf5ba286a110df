import { tensor } from '../../../src/autograd/tensor.ts';
import { hmmLogLikelihood, kalmanLogLikelihood } from '../../../src/state-space.ts';
import type { GradientCase } from './case.ts';

const [BATCH, STEPS, STATES] = [3, 4, 2];
const lengths = [4, 0, 2];
const mask = [
  [1, 1, 0, 1],
  [0, 0, 0, 0],
  [0, 1, 1, 0],
];

/** The steps of each sequence that count. */
const visible = (hidden: 'none' | 'lengths' | 'mask'): number[][] =>
  Array.from({ length: BATCH }, (_, i) =>
    Array.from({ length: STEPS }, (_, t) => t).filter((t) => {
      if (hidden === 'lengths') return t < lengths[i]!;
      return hidden === 'none' || mask[i]![t] === 1;
    }),
  );

/** ln Σ over all paths, one after the other. */
const byPaths = (b: Float64Array, a: Float64Array, pi: Float64Array, steps: number[][]): Float64Array =>
  Float64Array.from(steps, (at, i) => {
    if (at.length === 0) return 0;
    let sum = 0;
    for (let code = 0; code < STATES ** at.length; code++) {
      let score = 0;
      let before = -1;
      at.forEach((t, n) => {
        const s = Math.floor(code / STATES ** n) % STATES;
        score += b[(i * STEPS + t) * STATES + s]! + (n === 0 ? pi[s]! : a[before * STATES + s]!);
        before = s;
      });
      sum += Math.exp(score);
    }
    return Math.log(sum);
  });

const maskTensor = () => tensor(mask, { name: 'mask' });

const hmmCases = (['none', 'lengths', 'mask'] as const).map(
  (hidden): GradientCase => ({
    of: 'hmmLogLikelihood',
    variant: { none: 'whole sequences', lengths: 'of unequal length', mask: 'with steps left out' }[hidden],
    arguments: [{ shape: [BATCH, STEPS, STATES], low: -3, high: 1 }, { shape: [STATES, STATES] }, { shape: [STATES] }],
    run: (b, a, pi) => {
      if (hidden === 'none') return hmmLogLikelihood(b!, a!, pi!);
      return hmmLogLikelihood(b!, a!, pi!, hidden === 'lengths' ? { lengths } : { mask: maskTensor() });
    },
    reference: (b, a, pi) => byPaths(b!, a!, pi!, visible(hidden)),
  }),
);

/**
 * Log-likelihood of a system of one state or two and one observation, by scalars and 2 × 2 matrices that are written
 * out. `at` gives the numbers of each operand for a sequence and a step.
 */
function byFilter(
  at: (name: string, sequence: number, step: number) => ArrayLike<number>,
  n: number,
  k: number,
  steps: number[][],
  y: (sequence: number, step: number) => number,
  u: (sequence: number, step: number) => ArrayLike<number>,
): Float64Array {
  const dot = (x: ArrayLike<number>, z: ArrayLike<number>, size: number, from = 0): number => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += x[from + i]! * z[i]!;
    return sum;
  };
  const squared = (l: ArrayLike<number>, i: number, j: number): number => {
    let sum = 0;
    for (let s = 0; s <= Math.min(i, j); s++) sum += l[i * n + s]! * l[j * n + s]!;
    return sum;
  };
  return Float64Array.from(steps, (times, i) => {
    let x = Array.from({ length: n }, (_, s) => at('initialMean', i, 0)[s]!);
    let p = x.map((_, s) => x.map((_, r) => squared(at('initialFactor', i, 0), s, r)));
    let total = 0;
    times.forEach((t, order) => {
      const c = at('observationMatrix', i, t);
      const pc = p.map((row) => dot(row, c, n));
      const s = dot(pc, c, n) + at('observationFactor', i, t)[0]! ** 2;
      const v = y(i, t) - dot(c, x, n) - (k > 0 ? dot(at('feedthroughMatrix', i, t), u(i, t), k) : 0);
      total -= (Math.log(2 * Math.PI * s) + (v * v) / s) / 2;
      x = x.map((mean, j) => mean + (pc[j]! * v) / s);
      p = p.map((row, j) => row.map((q, r) => q - (pc[j]! * pc[r]!) / s));
      if (order + 1 === times.length) return;
      const a = at('transitionMatrix', i, t);
      const b = k > 0 ? at('controlMatrix', i, t) : [];
      x = x.map((_, j) => dot(a, x, n, j * n) + (k > 0 ? dot(b, u(i, t), k, j * k) : 0));
      const ap = p.map((_, j) =>
        p.map((_, r) =>
          dot(
            a,
            p.map((row) => row[r]!),
            n,
            j * n,
          ),
        ),
      );
      p = p.map((_, j) => p.map((_, r) => dot(a, ap[j]!, n, r * n) + squared(at('transitionFactor', i, t), j, r)));
    });
    return total;
  });
}

interface KalmanCase {
  variant: string;
  n: number;
  k?: number;
  hidden?: 'none' | 'lengths' | 'mask';
  /** Axes in front of the matrices of steps, and of the initial ones. */
  front?: readonly number[];
  initialFront?: readonly number[];
}

function kalmanCase({ variant, n, k = 0, hidden = 'none', front = [], initialFront = [] }: KalmanCase): GradientCase {
  const names = [
    ...['transitionMatrix', 'observationMatrix', 'transitionFactor', 'observationFactor'],
    ...['initialMean', 'initialFactor', ...(k > 0 ? ['controlMatrix', 'feedthroughMatrix'] : [])],
  ];
  const shapes: Record<string, readonly number[]> = {
    transitionMatrix: [...front, n, n],
    observationMatrix: [...front, 1, n],
    transitionFactor: [...front, n, n],
    observationFactor: [...front, 1, 1],
    initialMean: [...initialFront, n],
    initialFactor: [...initialFront, n, n],
    controlMatrix: [...front, n, k],
    feedthroughMatrix: [...front, 1, k],
  };
  // A variance near 0 would make finite differences coarse.
  const range = (name: string) => (name === 'observationFactor' ? { low: 0.5, high: 1.5 } : {});
  return {
    of: 'kalmanLogLikelihood',
    variant,
    exchangedTogether: true,
    arguments: [
      { shape: [BATCH, STEPS, 1] },
      ...names.map((name) => ({ shape: shapes[name]!, ...range(name) })),
      ...(k > 0 ? [{ shape: [BATCH, STEPS, k] }] : []),
    ],
    run: (y, ...rest) => {
      const parameters = Object.fromEntries(names.map((name, i) => [name, rest[i]!])) as never;
      const options = {
        ...(k > 0 ? { inputs: rest.at(-1)! } : {}),
        ...(hidden === 'lengths' ? { lengths } : hidden === 'mask' ? { mask: maskTensor() } : {}),
      };
      return kalmanLogLikelihood(y!, parameters, options);
    },
    reference: (y, ...rest) => {
      const at = (name: string, sequence: number, step: number): ArrayLike<number> => {
        const shape = shapes[name]!;
        const axes = name.startsWith('initial') ? initialFront : front;
        const size = shape.slice(axes.length).reduce((all, length) => all * length, 1);
        const place = name.startsWith('initial')
          ? sequence * axes.length
          : axes.length === 2
            ? sequence * STEPS + step
            : step * axes.length;
        return rest[names.indexOf(name)]!.subarray(place * size, (place + 1) * size);
      };
      const value = (sequence: number, step: number): number => y![sequence * STEPS + step]!;
      const input = (sequence: number, step: number): ArrayLike<number> => {
        const from = (sequence * STEPS + step) * k;
        return k > 0 ? rest.at(-1)!.subarray(from, from + k) : [];
      };
      return byFilter(at, n, k, visible(hidden), value, input);
    },
  };
}

export const stateSpaceCases: GradientCase[] = [
  ...hmmCases,
  kalmanCase({ variant: 'one state', n: 1 }),
  kalmanCase({ variant: 'two states, of unequal length', n: 2, hidden: 'lengths' }),
  kalmanCase({ variant: 'two states and inputs, with steps left out', n: 2, k: 2, hidden: 'mask' }),
  kalmanCase({ variant: 'matrices of each step', n: 2, k: 1, front: [STEPS] }),
  kalmanCase({ variant: 'matrices of each sequence and step', n: 2, front: [BATCH, STEPS], initialFront: [BATCH] }),
];
