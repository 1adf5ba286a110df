import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { type NdArray, ndarray } from '../../../src/data/array.ts';
import {
  autoregressive,
  basicStructural,
  type Filtered,
  type Forecast,
  type LearnedParameters,
  type LinearGaussian,
  type LinearGaussianOptions,
  linearGaussian,
  linearGaussianFromJson,
  localLevel,
  localLinearTrend,
  type Smoothed,
} from '../../../src/state-space.ts';
import { byJoint } from './joint.ts';
import { type Case, cases } from './systems.ts';

const optionsOf = ({ plain, k }: Case, varies: boolean): LinearGaussianOptions => {
  const of = (each: number[][][]): never => (varies ? each : each[0]) as never;
  return {
    transitionMatrix: of(plain.a),
    observationMatrix: of(plain.c),
    transitionCovariance: of(plain.q),
    observationCovariance: of(plain.r),
    ...(k > 0 ? { controlMatrix: of(plain.b!), feedthroughMatrix: of(plain.d!) } : {}),
    initialMean: plain.m,
    initialCovariance: plain.p,
  };
};

const expectNear = (got: NdArray, expected: number[], digits = 9): void => {
  expect(got.data.length).toBe(expected.length);
  expected.forEach((value, i) => expect(got.data[i]).toBeCloseTo(value, digits));
};

describe.each(cases)('linear Gaussian model, $name', (each) => {
  const { y, u, k, n, steps, plain, name } = each;
  const varies = name.includes('each step');
  const model = linearGaussian(optionsOf(each, varies));
  const inputs = k > 0 ? { inputs: u } : {};

  test('filter, smoother and score are those of the joint Gaussian', () => {
    const all = byJoint(plain, y, u);
    const filtered = model.filter(y, inputs) as Filtered;
    const smoothed = model.smooth(y, inputs) as Smoothed;
    expect(model.score(y, inputs)).toBeCloseTo(all.logLikelihood, 9);
    expect(filtered.logLikelihood).toBeCloseTo(all.logLikelihood, 9);
    expectNear(smoothed.means, all.means.flat());
    expectNear(smoothed.covariances, all.covariances.flat(2));
    expect(filtered.innovations.data.map(Number)).toEqual(
      filtered.forecasts.data.map((value, i) => y.flat()[i]! - value),
    );
  });

  test('a forecast is what the joint Gaussian says of steps that are not observed', () => {
    if (steps < 3) return;
    const seen = steps - 2;
    const expected = byJoint(plain, y, u, seen);
    const found = model.forecast(y.slice(0, seen), { steps: 2, ...inputs }) as Forecast;
    expectNear(found.stateMeans, expected.means.slice(seen).flat());
    expectNear(found.stateCovariances, expected.covariances.slice(seen).flat(2));
    const whole = model.filter([...y.slice(0, seen), ...y.slice(seen).map((row) => row.map(() => Number.NaN))], inputs);
    const tail = (array: NdArray): number[] => Array.from(array.data).slice(-found.covariances.data.length);
    expectNear(found.covariances, tail((whole as Filtered).forecastCovariances));
  });

  test('sequences of unequal length give what each gives alone', () => {
    const list = [y, y.slice(0, 1), y.slice(0, 0)];
    const us = k > 0 ? { inputs: [u, u.slice(0, 1), u.slice(0, 0)] } : {};
    const one = byJoint(plain, y.slice(0, 1), u).logLikelihood;
    expect(model.score(list, us)).toBeCloseTo(byJoint(plain, y, u).logLikelihood + one, 9);
    expect((model.smooth(list, us) as Smoothed[]).map(({ means }) => means.shape)).toEqual([
      [steps, n],
      [1, n],
      [0, n],
    ]);
  });

  test('goes to JSON and back', () => {
    const again = linearGaussianFromJson(JSON.stringify(model));
    expect(again.score(y, inputs)).toBe(model.score(y, inputs));
    expect(again.toJSON()).toEqual(model.toJSON());
  });

  const learned: [string, LearnedParameters][] = [
    ['the default', {}],
    [
      'all',
      {
        ...{ transitionMatrix: true, observationMatrix: true, controlMatrix: true, feedthroughMatrix: true },
        ...{ transitionCovariance: 'full', observationCovariance: 'full', initialMean: true },
      },
    ],
    [
      'one entry of each matrix',
      {
        transitionMatrix: plain.a[0]!.map((row, i) => row.map((_, j) => (i === 0 && j === n - 1 ? 1 : 0))),
        observationMatrix: plain.c[0]!.map((row, i) => row.map((_, j) => (i === 0 && j === 0 ? 1 : 0))),
      },
    ],
    ['matrices alone', { transitionMatrix: true, observationMatrix: true }],
  ];

  if (!varies && !name.includes('without') && steps > 1) {
    test.each(learned)('EM of %s never lowers the likelihood, and keeps what is fixed', (_, learn) => {
      const other = linearGaussian(optionsOf(each, false));
      const before = other.parameters;
      const list = [y, y.slice(1), y.map((row) => row.map((v) => 0.5 * v))];
      const options = {
        ...(k > 0 ? { inputs: [u, u.slice(1), u] } : {}),
        ...(Object.keys(learn).length > 0 ? { learn } : {}),
      };
      const { logLikelihood } = other.fitEm(list, { ...options, maxIterations: 15, tolerance: 0 });
      logLikelihood.slice(1).forEach((value, i) => expect(value - logLikelihood[i]!).toBeGreaterThan(-1e-8));
      expect(logLikelihood.at(-1)! - logLikelihood[0]!).toBeGreaterThan(1e-3);
      for (const [key, { data }] of Object.entries(other.parameters)) {
        const flags = (learn as Record<string, unknown>)[key];
        if (Object.keys(learn).length === 0 || flags === true || typeof flags === 'string') continue;
        const free = ((flags as number[][] | undefined) ?? []).flat();
        const old = before[key as keyof typeof before].data;
        data.forEach((value, i) => (free[i] === 1 ? expect(value).not.toBe(old[i]) : expect(value).toBe(old[i])));
      }
    });
  }
});

describe('learning', () => {
  const truth = (): LinearGaussian =>
    linearGaussian({
      transitionMatrix: [
        [0.9, 0.2],
        [-0.2, 0.8],
      ],
      observationMatrix: [
        [1, 0],
        [0.5, 1],
      ],
      transitionCovariance: [
        [0.3, 0.1],
        [0.1, 0.2],
      ],
      observationCovariance: [
        [0.5, 0],
        [0, 0.4],
      ],
      controlMatrix: [[1], [0.5]],
      initialCovariance: 'stationary',
    });
  const inputs = Array.from({ length: 500 }, (_, t) => [Math.sin(t * t)]);
  const { observations, states } = truth().sample({ steps: 500, seed: 4, inputs });

  test('a sample has the covariances of the model, and the smoother is nearer to its states than the filter', () => {
    const error = ({ means }: { means: NdArray }): number =>
      means.data.length === states.data.length
        ? states.data.reduce((sum, value, i) => sum + (value - means.data[i]!) ** 2, 0)
        : Number.NaN;
    const filtered = truth().filter(observations, { inputs }) as Filtered;
    const smoothed = truth().smooth(observations, { inputs }) as Smoothed;
    expect(error(smoothed)).toBeLessThan(error(filtered));
    // What the filter says of its own errors is true of them: 2 numbers at each step.
    const said = filtered.covariances.data.reduce((sum, value, i) => sum + (i % 4 === 0 || i % 4 === 3 ? value : 0), 0);
    expect(error(filtered) / said).toBeCloseTo(1, 1);
    expect(truth().sample({ steps: 500, seed: 4, inputs }).observations).toEqual(observations);
  });

  test('EM and gradient reach the same likelihood, with a fixed observation matrix, and find the parameters', () => {
    const start = (): LinearGaussian =>
      linearGaussian({
        ...{
          transitionMatrix: [
            [0.5, 0],
            [0, 0.5],
          ],
          observationMatrix: [
            [1, 0],
            [0.5, 1],
          ],
          controlMatrix: [[0], [0]],
        },
        ...{
          transitionCovariance: [
            [1, 0],
            [0, 1],
          ],
          observationCovariance: [
            [1, 0],
            [0, 1],
          ],
        },
        learn: {
          transitionMatrix: true,
          controlMatrix: true,
          transitionCovariance: 'full',
          observationCovariance: 'diag',
        },
      });
    const [em, gradient] = [start(), start()];
    em.fitEm(observations, { inputs, maxIterations: 400, tolerance: 1e-3 });
    const history = gradient.fitGradient(observations, { inputs });
    expect(history.converged).toBe(true);
    expect(history.logLikelihood.at(-1)).toBeCloseTo(gradient.score(observations, { inputs }), 6);
    expect(Math.abs(em.score(observations, { inputs }) - gradient.score(observations, { inputs }))).toBeLessThan(0.1);
    const expected = truth().parameters;
    for (const name of [
      'transitionMatrix',
      'controlMatrix',
      'transitionCovariance',
      'observationCovariance',
    ] as const) {
      gradient.parameters[name].data.forEach((value, i) => {
        expect(Math.abs(value - expected[name].data[i]!), `${name}[${i}]`).toBeLessThan(0.2);
      });
    }
    expect(gradient.freeParameters).toBe(4 + 2 + 3 + 2);
    expect(gradient.bic(observations, { inputs })).toBeCloseTo(
      -2 * gradient.score(observations, { inputs }) + Math.log(500) * 11,
      6,
    );
  });

  test('the gradient of a stationary start reaches the matrices', () => {
    const y = [1.2, 0.3, -0.4, 0.9, 1.5, 0.2];
    const at = (phi: number): number => autoregressive({ order: 1, coefficients: [phi], variance: 0.7 }).score(y);
    const model = autoregressive({ order: 1, variance: 0.7 });
    model.fitGradient(y, { tolerance: 1e-12, learn: { transitionMatrix: true } });
    const found = model.parameters.transitionMatrix.data[0]!;
    expect(at(found)).toBeGreaterThan(Math.max(at(found + 0.01), at(found - 0.01)));
    expect((at(found + 1e-4) - at(found - 1e-4)) / 2e-4).toBeCloseTo(0, 3);
  });

  test('regressors of a level are learned by both ways', () => {
    const u = Array.from({ length: 200 }, (_, t) => [t % 5 === 0 ? 1 : 0]);
    const y = u.map(([x], t) => 3 * x! + Math.sin(t / 20) + 0.1 * Math.cos(t * t));
    for (const method of ['fitEm', 'fitGradient'] as const) {
      const model = localLevel({ inputs: 1, levelVariance: 0.1, observationVariance: 0.1 });
      model[method](y, { inputs: u });
      expect(model.parameters.feedthroughMatrix.data[0]).toBeCloseTo(3, 1);
    }
  });

  test('an autoregression around any mean is found as well as around 0', () => {
    const { observations } = autoregressive({ order: 1, coefficients: [0.5] }).sample({ steps: 200, seed: 1 });
    const ones = Array.from({ length: 200 }, () => [1]);
    const best = [0, 100, -5000].map((mean) => {
      const model = autoregressive({ order: 1, inputs: 1 });
      const y = Float64Array.from(observations.data, (value, t) => (t === 7 ? Number.NaN : value + mean));
      const { logLikelihood } = model.fitGradient(y, { inputs: ones });
      expect(model.parameters.feedthroughMatrix.data[0]! - mean).toBeCloseTo(0, 0);
      return logLikelihood.at(-1)!;
    });
    expect(best[1]).toBeCloseTo(best[0]!, 3);
    expect(best[2]).toBeCloseTo(best[0]!, 3);
  });

  test('inputs that do not determine their coefficients start at 0', () => {
    const model = autoregressive({ order: 1, inputs: 2 });
    model.fitGradient([1, 2, 1.5, 0.5], { inputs: [1, 1, 1, 1].map((one) => [one, one]) });
    const [first, second] = model.parameters.feedthroughMatrix.data;
    expect(first).toBeCloseTo(second!, 6);
  });

  test('variances of 0 stay 0, and a trend without noise is a line', () => {
    const model = localLinearTrend({ levelVariance: 0, slopeVariance: 0 });
    const y = Array.from({ length: 30 }, (_, t) => 2 + 0.5 * t + 0.1 * Math.sin(t * t));
    model.fitGradient(y);
    expect(Array.from(model.parameters.transitionCovariance.data)).toEqual([0, 0, 0, 0]);
    const { means } = model.forecast(y, { steps: 3 }) as Forecast;
    expect(means.data[2]! - means.data[1]!).toBeCloseTo(0.5, 2);
  });

  test('a season with an autoregression on top forecasts the season', () => {
    const y = Array.from({ length: 120 }, (_, t) => [5, 1, 2, 8][t % 4]! + 0.3 * Math.sin(t * t));
    const model = basicStructural({
      period: 4,
      trend: 'level',
      autoregressive: 1,
      levelVariance: 0.1,
      seasonalVariance: 0.1,
    });
    model.fitGradient(y);
    const { means, covariances } = model.forecast(y, { steps: 4 }) as Forecast;
    [5, 1, 2, 8].forEach((value, i) => expect(Math.abs(means.data[i]! - value)).toBeLessThan(0.5));
    expect(covariances.data.every((variance) => variance > 0)).toBe(true);
  });
});

describe('refusals', () => {
  const level = {
    transitionMatrix: [[1]],
    observationMatrix: [[1]],
    transitionCovariance: [[1]],
    observationCovariance: [[1]],
  };
  const perStep = { ...level, transitionMatrix: [[[1]], [[1]]] };

  test.each<[string, () => unknown]>([
    [
      'linearGaussian: transitionMatrix expected [1, 1] or [?, 1, 1], got [1, 2]',
      () => linearGaussian({ ...level, transitionMatrix: [[1, 2]] }),
    ],
    [
      'linearGaussian: transitionCovariance expected a symmetric positive semidefinite matrix, got one that is not',
      () => linearGaussian({ ...level, transitionCovariance: [[-1]] }),
    ],
    [
      "linearGaussian: initialCovariance expected a matrix, 'stationary' or 'diffuse', got 'flat'",
      () => linearGaussian({ ...level, initialCovariance: 'flat' as never }),
    ],
    [
      "linearGaussian: transitionMatrix expected one matrix with eigenvalues within the unit circle for a 'stationary' initialCovariance, got another",
      () => linearGaussian({ ...level, initialCovariance: 'stationary' }),
    ],
    ['linearGaussian: burn expected an integer ≥ 0, got -1', () => linearGaussian({ ...level, burn: -1 })],
    [
      "linearGaussian: learn.transitionCovariance expected 'full', 'diag', false or [1] of 0 and 1, got true",
      () => linearGaussian({ ...level, learn: { transitionCovariance: true as never } }),
    ],
    [
      'linearGaussian: learn.transitionMatrix expected true, false or [1, 1] of 0 and 1, got [1, 2]',
      () => linearGaussian({ ...level, learn: { transitionMatrix: [[1, 0]] } }),
    ],
    [
      'linearGaussian.score: observations[1] expected [T, 1], got [1, 2]',
      () => linearGaussian(level).score([[[1]], [[1, 2]]]),
    ],
    [
      'linearGaussian.score: observations expected finite numbers, or NaN for a missing one, got Infinity (flat index 1)',
      () => linearGaussian(level).score([1, Number.POSITIVE_INFINITY]),
    ],
    [
      'linearGaussian.score: inputs expected none, as the model has no controlMatrix and no feedthroughMatrix, got some',
      () => linearGaussian(level).score([1], { inputs: [1] }),
    ],
    ['linearGaussian.score: inputs expected [T, 1], got none', () => localLevel({ inputs: 1 }).score([1])],
    [
      'linearGaussian.forecast: inputs expected 3 steps, got 1 (sequence 0)',
      () => localLevel({ inputs: 1 }).forecast([1], { steps: 2, inputs: [1] }),
    ],
    [
      'linearGaussian.score: observations expected at most the 2 steps of transitionMatrix, got 3',
      () => linearGaussian(perStep).score([1, 2, 3]),
    ],
    [
      'linearGaussian.fitEm: transitionCovariance expected to be fixed, because transitionMatrix has an axis of steps, got learn true',
      () => linearGaussian(perStep).fitEm([1, 2]),
    ],
    [
      "linearGaussian.fitEm: transitionMatrix expected to be fixed, because the initial covariance is 'stationary', got learn true; fitGradient learns it",
      () => autoregressive({ order: 1 }).fitEm([1, 2]),
    ],
    [
      'linearGaussian.fitGradient: transitionCovariance expected variances > 0 to start from, got 0',
      () => linearGaussian({ ...level, transitionCovariance: [[0]] }).fitGradient([1, 2]),
    ],
    [
      'linearGaussian.filter: observationCovariance expected noise where the state is known, got a singular forecast at step 1',
      () => linearGaussian({ ...level, transitionCovariance: [[0]], observationCovariance: [[0]] }).filter([1, 1]),
    ],
    [
      'linearGaussian.fitEm: observations expected to determine transitionMatrix, got too few or too equal ones',
      () => {
        const zero = { ...level, initialCovariance: [[0]], transitionCovariance: [[1]] };
        linearGaussian({ ...zero, learn: { transitionMatrix: true } }).fitEm([[[0], [1]]]);
      },
    ],
    ['basicStructural: period expected an integer from 2 to 100,000, got 1', () => basicStructural({ period: 1 })],
    [
      'autoregressive: coefficients expected those of a stationary process, got others',
      () => autoregressive({ order: 1, coefficients: [1.1] }),
    ],
    ['localLevel: levelVariance expected a number ≥ 0, got -1', () => localLevel({ levelVariance: -1 })],
    ['autoregressive: order expected an integer ≥ 1, got 0', () => autoregressive({ order: 0 })],
    [
      "linearGaussianFromJson: kind expected 'linearGaussian', got 'gaussianHmm'",
      () => linearGaussianFromJson({ ...linearGaussian(level).toJSON(), kind: 'gaussianHmm' }),
    ],
    [
      'linearGaussian.fitGradient: observations expected a number after the first 14 steps, which do not count, got none',
      () => basicStructural({ period: 13 }).fitGradient([1, 2, 3, 4, 5, 6, 7, 8]),
    ],
    [
      'linearGaussian.fitGradient: observations expected a number after the first 1 steps, which do not count, got none',
      () => localLevel().fitGradient([1, Number.NaN]),
    ],
    ['linearGaussian.fitEm: observations expected a number, got none', () => localLevel().fitEm([Number.NaN])],
    ['linearGaussian.fitEm: observations expected a number, got none', () => localLevel().fitEm([])],
    [
      'linearGaussian.score: observations expected NaN for a missing number, got none',
      () => localLevel().score([1, null as never, 2]),
    ],
    [
      'linearGaussian.score: observations expected steps of D features each, got 3 and 2; several sequences of one feature are [[[1], [2]], [[3]]] or ragged(list)',
      () =>
        localLevel().score([
          [1, 2, 3],
          [2, 3],
        ]),
    ],
  ])('%s', (message, call) => expect(call).toThrow(new ArgumentError(message)));

  test('what fails to learn stays as it was', () => {
    const model = linearGaussian(level);
    const before = model.toJSON();
    expect(() => model.fitEm([1, 2], { tolerance: -1 })).toThrow(ArgumentError);
    expect(() => model.fitEm(ndarray([1, 2, 3], [1, 3]))).toThrow(ArgumentError);
    expect(model.toJSON()).toEqual(before);
  });
});
