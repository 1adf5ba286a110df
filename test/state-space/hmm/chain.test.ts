import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/engine/random.ts';
import { forward, forwardBackward, Transitions, viterbi } from '../../../src/state-space/hmm/chain.ts';
import { exp, log, logSumExp } from '../../../src/state-space/log-numbers.ts';
import { byPaths, type Chain } from './paths.ts';

const random = new RandomStream(7);
const rows = (r: number, c: number, zeros = 0): number[][] =>
  Array.from({ length: r }, () =>
    Array.from({ length: c }, () => (random.nextUniform() < zeros ? 0 : random.nextUniform())),
  );

const logs = (values: number[][]): Float64Array => Float64Array.from(values.flat(), Math.log);
const chainOf = ({ initial, matrix }: Chain): Transitions => new Transitions(logs([initial]), logs(matrix));

const cases: [string, Chain][] = [
  ['K=1 T=3', { initial: [0.5], matrix: [[2]], emissions: rows(3, 1) }],
  ['K=2 T=1', { initial: [0.2, 0.8], matrix: rows(2, 2), emissions: rows(1, 2) }],
  ['K=3 T=6', { initial: [0.2, 0.5, 0.3], matrix: rows(3, 3), emissions: rows(6, 3) }],
  ['K=4 T=5, zeros', { initial: [0.2, 0, 0.3, 0.5], matrix: rows(4, 4, 0.3), emissions: rows(5, 4, 0.2) }],
  [
    'left to right',
    {
      initial: [1, 0, 0],
      matrix: [
        [0.5, 0.5, 0],
        [0, 0.7, 0.3],
        [0, 0, 1],
      ],
      emissions: rows(6, 3),
    },
  ],
];

describe.each(cases)('chain, %s', (_, chain) => {
  const steps = chain.emissions.length;
  const k = chain.initial.length;
  const logB = logs(chain.emissions);
  const expected = byPaths(chain);

  test('likelihood, posteriors and transitions are those of all paths', () => {
    const counts = new Float64Array(k * k);
    const { logLikelihood, gamma } = forwardBackward(chainOf(chain), logB, steps, counts);
    expect(logLikelihood).toBeCloseTo(expected.logLikelihood, 12);
    expected.gamma.flat().forEach((value, i) => expect(gamma[i]).toBeCloseTo(value, 12));
    expected.counts.flat().forEach((value, i) => expect(counts[i]).toBeCloseTo(value, 12));
  });

  test('the most likely path is that of all paths', () => {
    const { path, logProbability } = viterbi(chainOf(chain), logB, steps);
    expect(Array.from(path)).toEqual(expected.best.states);
    expect(logProbability).toBeCloseTo(Math.log(expected.best.probability), 12);
  });
});

describe('chain, at the ends of float64', () => {
  test('a state that falls e^-2000 behind and has to be the one at the end is not lost', () => {
    // Left to right: who leaves state 0 does not return. For 200 steps state 1 is e^10 more likely, at the end it is
    // impossible.
    const steps = 201;
    const chain = new Transitions(
      logs([[0.5, 0.5]]),
      logs([
        [0.5, 0.5],
        [0, 1],
      ]),
    );
    const logB = Float64Array.from({ length: 2 * steps }, (_, i) => (i % 2 === 0 ? -10 : 0));
    logB.set([0, Number.NEGATIVE_INFINITY], 2 * (steps - 1));
    const counts = new Float64Array(4);
    const { logLikelihood, gamma } = forwardBackward(chain, logB, steps, counts);
    expect(logLikelihood).toBeCloseTo(-2000 + steps * Math.log(0.5), 9);
    expect(gamma.filter((_, i) => i % 2 === 0).every((p) => Math.abs(p - 1) < 1e-9)).toBe(true);
    expect(counts[0]).toBeCloseTo(200, 9);
  });

  test('two states e^800 apart at neighbouring steps, joined by no likely transition, count as all paths do', () => {
    const chain = new Transitions(logs([[0.5, 0.5]]), Float64Array.from([0, -900, -900, 0]));
    const logB = Float64Array.from([0, -800, -800, 0]);
    const counts = new Float64Array(4);
    const { logLikelihood } = forwardBackward(chain, logB, 2, counts);
    // Paths 00 and 11 have e^-800 each, 01 has e^-900.
    expect(logLikelihood).toBeCloseTo(-800, 9);
    expect(Array.from(counts)).toEqual([expect.closeTo(0.5, 9), expect.closeTo(0, 9), 0, expect.closeTo(0.5, 9)]);
  });

  test('where no path is possible the likelihood is 0 and no state has a posterior', () => {
    const chain = new Transitions(
      logs([[1, 0]]),
      logs([
        [1, 0],
        [0, 1],
      ]),
    );
    const logB = logs([
      [1, 1],
      [0, 1],
    ]);
    const counts = new Float64Array(4);
    const { logLikelihood, gamma } = forwardBackward(chain, logB, 2, counts);
    expect(logLikelihood).toBe(Number.NEGATIVE_INFINITY);
    expect([...gamma, ...counts]).toEqual(new Array(8).fill(0));
    expect(viterbi(chain, logB, 2).logProbability).toBe(Number.NEGATIVE_INFINITY);
  });

  test('without steps the log-likelihood is 0', () => {
    expect(forward(new Transitions(logs([[1]]), logs([[1]])), new Float64Array(0), 0, new Float64Array(0))).toBe(0);
  });
});

describe('logarithms', () => {
  test('exp and log are within 1e-15 of the host', () => {
    for (let i = -7000; i <= 7000; i++) {
      const x = i / 10 + i / 977;
      if (x > -708 && x < 709) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-15);
      if (x > 0) expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(Math.log(x))));
    }
  });

  test('at the ends', () => {
    expect([exp(-800), exp(800), exp(Number.NEGATIVE_INFINITY), log(0)]).toEqual([0, Infinity, 0, -Infinity]);
    expect([exp(Number.NaN), log(-1)]).toEqual([Number.NaN, Number.NaN]);
    expect(exp(0)).toBe(1);
    expect(logSumExp(Float64Array.from([-Infinity, -Infinity]))).toBe(-Infinity);
    expect(logSumExp(Float64Array.from([-1000, -1000]))).toBeCloseTo(-1000 + Math.LN2, 12);
  });
});
