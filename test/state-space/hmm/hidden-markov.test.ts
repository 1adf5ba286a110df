import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/checks/argument-error.ts';
import { type NdArray, ndarray } from '../../../src/data/array.ts';
import { ragged } from '../../../src/data/ragged.ts';
import { categoricalHmm, gaussianHmm, gmmHmm, type HiddenMarkovModel, hmmFromJson } from '../../../src/state-space.ts';
import { byPaths } from './paths.ts';

const initial = [0.6, 0.4];
const matrix = [
  [0.7, 0.3],
  [0.4, 0.6],
];
const symbols = [
  [0.1, 0.4, 0.5],
  [0.6, 0.3, 0.1],
];
const chain = { states: 2, initialProbabilities: initial, transitionMatrix: matrix };
const weather = (): HiddenMarkovModel => categoricalHmm({ ...chain, symbols: 3, emissionProbabilities: symbols });

const density = (y: number[], mean: number[], covariance: number[][]): number => {
  // Two features: the inverse is written out.
  const [[a, b], [, d]] = covariance as [[number, number], [number, number]];
  const determinant = a * d - b * b;
  const [u, v] = [y[0]! - mean[0]!, y[1]! - mean[1]!];
  const square = (d * u * u - 2 * b * u * v + a * v * v) / determinant;
  return Math.exp(-square / 2) / (2 * Math.PI * Math.sqrt(determinant));
};

const points = [
  [0.2, -0.1],
  [1.4, 0.7],
  [-0.6, 2],
  [0.9, 1.1],
];
const means = [
  [0, 0.5],
  [1, 1],
];
const full = [
  [
    [1, 0.3],
    [0.3, 0.8],
  ],
  [
    [0.5, -0.2],
    [-0.2, 2],
  ],
];

interface Case {
  name: string;
  model: () => HiddenMarkovModel;
  observations: number[] | number[][];
  emissions: number[][];
}

const diagonal = full.map((covariance) => [covariance[0]![0]!, covariance[1]![1]!]);
const asMatrix = ([a, d]: number[]): number[][] => [
  [a!, 0],
  [0, d!],
];
const mixtureMeans = [means, [...means].reverse()];
const weights = [
  [0.3, 0.7],
  [0.5, 0.5],
];

const cases: Case[] = [
  {
    name: 'categorical',
    model: weather,
    observations: [0, 1, 2, 2],
    emissions: [0, 1, 2, 2].map((y) => symbols.map((row) => row[y]!)),
  },
  {
    name: 'Gaussian, full',
    model: () => gaussianHmm({ ...chain, covarianceType: 'full', means, covariances: full }),
    observations: points,
    emissions: points.map((y) => [0, 1].map((k) => density(y, means[k]!, full[k]!))),
  },
  {
    name: 'Gaussian, diagonal',
    model: () => gaussianHmm({ ...chain, means, covariances: diagonal }),
    observations: points,
    emissions: points.map((y) => [0, 1].map((k) => density(y, means[k]!, asMatrix(diagonal[k]!)))),
  },
  {
    name: 'mixture',
    model: () =>
      gmmHmm({
        ...chain,
        mixtures: 2,
        covarianceType: 'full',
        weights,
        means: mixtureMeans,
        covariances: [full, full],
      }),
    observations: points,
    emissions: points.map((y) =>
      [0, 1].map((k) =>
        [0, 1].reduce((sum, m) => sum + weights[k]![m]! * density(y, mixtureMeans[k]![m]!, full[m]!), 0),
      ),
    ),
  },
];

describe.each(cases)('hidden Markov model, $name', ({ model, observations, emissions }) => {
  const expected = byPaths({ initial, matrix, emissions });
  const one = observations as number[][];

  test('score, path and posteriors are those of all paths', () => {
    expect(model().score(one)).toBeCloseTo(expected.logLikelihood, 10);
    const decoded = model().decode(one) as { states: Int32Array; logProbability: number };
    expect(Array.from(decoded.states)).toEqual(expected.best.states);
    expect(decoded.logProbability).toBeCloseTo(Math.log(expected.best.probability), 10);
    const { data, shape } = model().posteriors(one) as NdArray;
    expect(shape).toEqual([4, 2]);
    expected.gamma.flat().forEach((value, i) => expect(data[i]).toBeCloseTo(value, 10));
  });

  test('likelihoods of steps are those of the longer and the shorter sequence', () => {
    const steps = model().stepLogLikelihoods(one) as Float64Array;
    steps.forEach((value, t) => {
      const until = (n: number): number => (n === 0 ? 0 : model().score(one.slice(0, n)));
      expect(value).toBeCloseTo(until(t + 1) - until(t), 10);
    });
  });

  test('sequences of unequal length give what each gives alone', () => {
    const list = [one, one.slice(0, 1), one.slice(1)];
    const each = list.map((sequence) => model().score(sequence));
    for (const given of [list, list.map((sequence) => ndarrayOf(sequence)), ragged(list)]) {
      expect(model().score(given)).toBeCloseTo(each[0]! + each[1]! + each[2]!, 10);
      expect((model().decode(given) as unknown[]).length).toBe(3);
    }
    expect(model().score(ndarrayOf([one, one] as never))).toBeCloseTo(2 * each[0]!, 10);
  });

  test('a round of learning never lowers the likelihood, and the first is that of the expected counts', () => {
    const learned = model();
    const list = [one, one.slice(1), one];
    const history = learned.fit(list, { tolerance: 0, maxIterations: 8, covarianceFloor: 1e-3 });
    expect(history.logLikelihood[0]).toBeCloseTo(model().score(list), 10);
    expect(history.iterations).toBe(history.logLikelihood.length - 1);
    history.logLikelihood
      .slice(1)
      .forEach((value, i) => expect(value - history.logLikelihood[i]!).toBeGreaterThan(-1e-9));
    const once = model();
    once.fit([one], { maxIterations: 1, learn: ['transitionMatrix'] });
    expected.counts.forEach((row, i) => {
      const sum = row.reduce((all, n) => all + n, 0);
      row.forEach((n, j) => expect(once.parameters.transitionMatrix!.data[2 * i + j]).toBeCloseTo(n / sum, 10));
    });
    expect(once.parameters.initialProbabilities!.toNested()).toEqual(initial);
  });

  test('goes to JSON and back', () => {
    const again = hmmFromJson(JSON.stringify(model()));
    expect(again.score(one)).toBe(model().score(one));
    expect(again.toJSON()).toEqual(model().toJSON());
  });

  test('a long sample has the parameters that drew it', () => {
    const { observations: drawn, states } = model().sample({ steps: 20_000, seed: 3 });
    // The chain is at state 0 for 4/7 of the time.
    expect(states.filter((s) => s === 0).length / 20_000).toBeCloseTo(4 / 7, 1);
    const again = model();
    again.fit(drawn, { maxIterations: 1, initialization: 'current' });
    const before = model().parameters;
    for (const [name, { data }] of Object.entries(again.parameters)) {
      if (name === 'initialProbabilities') continue;
      Array.from(data).forEach((value, i) => expect(Math.abs(value - before[name]!.data[i]!)).toBeLessThan(0.06));
    }
    expect(model().sample({ steps: 5, seed: 3 })).toEqual(model().sample({ steps: 5, seed: 3 }));
  });
});

function ndarrayOf(values: unknown[]): NdArray {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  return ndarray(Float64Array.from((values as number[]).flat(9)), shape);
}

describe('learning from data', () => {
  const truth = () =>
    gaussianHmm({
      states: 3,
      covarianceType: 'full',
      initialProbabilities: [1, 0, 0],
      transitionMatrix: [
        [0.9, 0.1, 0],
        [0, 0.8, 0.2],
        [0.3, 0, 0.7],
      ],
      means: [
        [0, 0],
        [4, 0],
        [0, 5],
      ],
      covariances: [
        [
          [1, 0.5],
          [0.5, 1],
        ],
        [
          [0.5, 0],
          [0, 2],
        ],
        [
          [1, -0.6],
          [-0.6, 1],
        ],
      ],
    });

  test('k-means and restarts find the states of well-separated clusters, and say that they converged', () => {
    const { observations } = truth().sample({ steps: 3000, seed: 5 });
    const model = gaussianHmm({ states: 3, covarianceType: 'full' });
    const history = model.fit(observations, { seed: 1, restarts: 2 });
    expect(history.converged).toBe(true);
    expect(history.logLikelihood.at(-1)).toBeGreaterThan(truth().score(observations));
    const means = model.parameters.means!.toNested<number[][]>();
    const order = [
      [0, 0],
      [4, 0],
      [0, 5],
    ].map((mean) => {
      const far = means.map((row) => Math.hypot(row[0]! - mean[0]!, row[1]! - mean[1]!));
      return far.indexOf(Math.min(...far));
    });
    expect([...order].sort()).toEqual([0, 1, 2]);
    const matrix = model.parameters.transitionMatrix!.toNested<number[][]>();
    const expected = truth().parameters.transitionMatrix!.toNested<number[][]>();
    order.forEach((i, a) =>
      order.forEach((j, b) => expect(Math.abs(matrix[i]![j]! - expected[a]![b]!)).toBeLessThan(0.05)),
    );
  });

  test('the same seed gives the same model, and another seed other random starts', () => {
    const { observations } = truth().sample({ steps: 200, seed: 5 });
    const learn = (seed: number) => {
      const model = gaussianHmm({ states: 3 });
      model.fit(observations, { seed, initialization: 'random', maxIterations: 2 });
      return model.toJSON();
    };
    expect(learn(1)).toEqual(learn(1));
    expect(learn(1)).not.toEqual(learn(2));
  });

  test('a state on a single repeated value keeps the variance of the floor', () => {
    const model = gaussianHmm({ states: 2 });
    const values = [1, 1, 1, 1, 5, 6, 7, 8, 1, 1, 1].map((x) => [x]);
    model.fit(values, { seed: 1, covarianceFloor: 0.01 });
    expect(Math.min(...Array.from(model.parameters.covariances!.data))).toBeCloseTo(0.01, 12);
  });

  test('learns mixtures that one Gaussian cannot describe', () => {
    const truth = gmmHmm({
      states: 2,
      mixtures: 2,
      initialProbabilities: [0.5, 0.5],
      transitionMatrix: [
        [0.95, 0.05],
        [0.05, 0.95],
      ],
      weights: [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      means: [
        [[-6], [6]],
        [[-1], [1]],
      ],
      covariances: [
        [[1], [1]],
        [[0.2], [0.2]],
      ],
    });
    const { observations, states } = truth.sample({ steps: 2000, seed: 9 });
    const model = gmmHmm({ states: 2, mixtures: 2 });
    model.fit(observations, { seed: 2, restarts: 8, initialization: 'random' });
    expect(model.score(observations)).toBeGreaterThan(truth.score(observations) - 20);
    const found = (model.decode(observations) as { states: Int32Array }).states;
    const same = found.filter((s, t) => s === states[t]).length / 2000;
    expect(Math.max(same, 1 - same)).toBeGreaterThan(0.95);
  });

  test('AIC and BIC count the parameters and choose the number of states', () => {
    const { observations } = truth().sample({ steps: 600, seed: 5 });
    const bic = [2, 3, 4].map((states) => {
      const model = gaussianHmm({ states, covarianceType: 'full' });
      model.fit(observations, { seed: 1, restarts: 2 });
      return model.bic(observations);
    });
    expect(bic.indexOf(Math.min(...bic))).toBe(1);
    // 2 of the start, 6 of the transitions, 6 of the means, 9 of the covariances
    expect(truth().freeParameters).toBe(23);
    expect(truth().aic(observations)).toBeCloseTo(-2 * truth().score(observations) + 46, 9);
    expect(weather().freeParameters).toBe(7);
  });
});

describe('refusals', () => {
  const refused = (call: () => unknown, message: string): void => expect(call).toThrow(new ArgumentError(message));

  test.each<[() => unknown, string]>([
    [() => gaussianHmm({ states: 0 }), 'gaussianHmm: states expected an integer ≥ 1, got 0'],
    [
      () => gaussianHmm({ states: 2, means }),
      'gaussianHmm: covariances expected to be given with the other emissions, got none',
    ],
    [
      () =>
        gaussianHmm({
          states: 2,
          means,
          covariances: [
            [1, 2],
            [0, 1],
          ],
        }),
      'gaussianHmm: covariances expected variances > 0, got 0 (flat index 2)',
    ],
    [
      () =>
        gaussianHmm({
          states: 2,
          covarianceType: 'full',
          means,
          covariances: [
            full[0]!,
            [
              [1, 2],
              [2, 1],
            ],
          ],
        }),
      'gaussianHmm: covariances expected a symmetric positive definite matrix, got one that is not (number 1)',
    ],
    [
      () =>
        categoricalHmm({
          ...chain,
          symbols: 3,
          emissionProbabilities: [
            [1, 1, 0],
            [1, 0, 0],
          ],
        }),
      'categoricalHmm: emissionProbabilities expected probabilities that sum to 1, got a sum of 2 in row 0',
    ],
    [
      () => categoricalHmm({ states: 2, symbols: 3, transitionMatrix: [[1]] }),
      'categoricalHmm: transitionMatrix expected [2, 2], got [1, 1]',
    ],
    [() => weather().score([0, 3]), 'categoricalHmm.score: observations expected ids in [0, 3), got 3 (step 1)'],
    [() => weather().score([[[0]]]), 'categoricalHmm.score: observations[0] expected [T] of ids, got [1, 1]'],
    [
      () => gaussianHmm({ states: 2 }).decode([[1]]),
      'gaussianHmm: decode expected fit to be called before, or all parameters to be given',
    ],
    [
      () => gaussianHmm({ states: 2 }).fit([[1], [Number.NaN]]),
      'gaussianHmm.fit: observations expected finite numbers, got NaN (flat index 1)',
    ],
    [() => gaussianHmm({ states: 2 }).fit([]), 'gaussianHmm.fit: observations expected one step or more, got none'],
    [
      () => weather().fit([0], { learn: ['means'] }),
      "categoricalHmm.fit: learn expected a list of initialProbabilities, transitionMatrix, emissionProbabilities, got 'means'",
    ],
    [() => weather().sample({ steps: 0 }), 'categoricalHmm.sample: steps expected an integer ≥ 1, got 0'],
    [
      () => hmmFromJson('{}'),
      "hmmFromJson expected what toJSON gives, with format 'tapeloop-state-space', got an object",
    ],
    [() => hmmFromJson({ ...weather().toJSON(), version: 2 }), 'hmmFromJson: version expected 1, got 2'],
    [
      () => hmmFromJson({ ...weather().toJSON(), kind: 'linearGaussian' }),
      "hmmFromJson: kind expected 'categoricalHmm', 'gaussianHmm', 'gmmHmm', got 'linearGaussian'",
    ],
  ])('%s', (call, message) => refused(call, message));

  test('a failed fit leaves the model as it was', () => {
    const model = weather();
    model.fit([0, 1, 2, 0, 0, 1]);
    const before = model.toJSON();
    const impossible = categoricalHmm({
      states: 1,
      symbols: 2,
      initialProbabilities: [1],
      transitionMatrix: [[1]],
      emissionProbabilities: [[1, 0]],
    });
    refused(
      () => impossible.fit([1]),
      'categoricalHmm.fit: observations expected a likelihood above 0 under the start values, got 0',
    );
    expect(impossible.score([0])).toBe(0);
    expect(() => model.fit([7])).toThrow(ArgumentError);
    expect(model.toJSON()).toEqual(before);
  });
});
