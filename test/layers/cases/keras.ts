// Layers that only files of Keras and TF.js bring.

import { eluLayer, leakyReluLayer, reluLayer, softmaxLayer } from '../../../src/keras/layers/activation-layers.ts';
import { activityRegularizationLayer } from '../../../src/keras/layers/activity-regularization.ts';
import { dotLayer } from '../../../src/keras/layers/dot.ts';
import { alphaDropoutLayer, gaussianDropoutLayer, gaussianNoiseLayer } from '../../../src/keras/layers/noise.ts';
import {
  groupNormalizationLayer,
  normalizationLayer,
  unitNormalizationLayer,
} from '../../../src/keras/layers/normalizations.ts';
import { prelu } from '../../../src/layers/activations/prelu.ts';
import type { Mat, Seq, Vec } from '../../reference/layers.ts';
import { each, eachStep, type LayerCase } from './case.ts';

const SEQUENCE = { shape: [2, 5, 4] };
const same = ([x]: unknown[]): unknown[] => [x];
const norm = (row: Vec): number => Math.sqrt(row.reduce((total, x) => total + x * x, 0));
const unit = (row: Vec): Vec => row.map((x) => x / norm(row));
const column = (x: Mat, i: number): Vec => x.map((row) => row[i]!);
const dot = (a: Vec, b: Vec): number => a.reduce((total, x, i) => total + x * b[i]!, 0);

/** The features [from, from + size) of all steps to mean 0 and variance 1. */
function normalizeGroup(x: Mat, from: number, size: number, epsilon: number): void {
  const all = x.flatMap((row) => row.slice(from, from + size));
  const mean = all.reduce((total, value) => total + value, 0) / all.length;
  const variance = all.reduce((total, value) => total + (value - mean) ** 2, 0) / all.length;
  for (const row of x) {
    for (let i = from; i < from + size; i++) row[i] = (row[i]! - mean) / Math.sqrt(variance + epsilon);
  }
}

const grouped = (groups: number, epsilon: number, gamma?: Vec, beta?: Vec): ((inputs: Seq[]) => unknown[]) =>
  each((sample) => {
    const y = sample.map((row) => [...row]);
    const size = y[0]!.length / groups;
    for (let group = 0; group < groups; group++) normalizeGroup(y, group * size, size, epsilon);
    return y.map((row) => row.map((value, i) => value * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0)));
  });

export const kerasCases: LayerCase[] = [
  {
    of: 'GaussianNoise',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => gaussianNoiseLayer({ stddev: 0.5 } as never),
    reference: same,
  },
  {
    of: 'GaussianDropout',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => gaussianDropoutLayer({ rate: 0.5 } as never),
    reference: same,
  },
  {
    of: 'AlphaDropout',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => alphaDropoutLayer({ rate: 0.5, noiseShape: [null, 1, null] } as never),
    reference: same,
  },
  {
    of: 'ActivityRegularization',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => activityRegularizationLayer({ l1: 0.1 }),
    reference: same,
  },
  {
    of: 'Dot',
    variant: 'of steps with steps',
    inputs: [SEQUENCE, { shape: [2, 3, 4] }],
    make: () => dotLayer({ axes: 2 }),
    reference: ([a, b]: Seq[]) => [a!.map((x, i) => x.map((row) => b![i]!.map((other) => dot(row, other))))],
  },
  {
    of: 'Dot',
    variant: 'of scores with steps',
    inputs: [{ shape: [2, 3, 5] }, SEQUENCE],
    make: () => dotLayer({ axes: [2, 1] }),
    reference: ([a, b]: Seq[]) => [
      a!.map((x, i) => x.map((row) => row.length && b![i]![0]!.map((_, k) => dot(row, column(b![i]!, k))))),
    ],
  },
  {
    of: 'Dot',
    variant: 'of unit vectors',
    inputs: [{ shape: [3, 4] }, { shape: [3, 4] }],
    make: () => dotLayer({ axes: -1, normalize: true }),
    reference: ([a, b]: Mat[]) => [a!.map((row, i) => [dot(unit(row), unit(b![i]!))])],
  },
  {
    of: 'Dot',
    variant: 'of a vector with steps',
    inputs: [{ shape: [2, 4] }, SEQUENCE],
    make: () => dotLayer({ axes: [1, 2] }),
    reference: ([a, b]) => [(a as Mat).map((row, i) => (b as Seq)[i]!.map((other) => dot(row, other)))],
  },
  {
    of: 'GroupNormalization',
    variant: 'of two groups',
    inputs: SEQUENCE,
    make: () => groupNormalizationLayer({ groups: 2 }),
    reference: (x, { gamma, beta }) => grouped(2, 1e-3, gamma, beta)(x),
  },
  {
    of: 'GroupNormalization',
    variant: 'of each feature, without factors',
    inputs: SEQUENCE,
    make: () => groupNormalizationLayer({ groups: -1, epsilon: 0.01, scale: false, center: false }),
    reference: grouped(4, 0.01),
  },
  {
    of: 'UnitNormalization',
    variant: 'of features',
    inputs: SEQUENCE,
    make: () => unitNormalizationLayer({}),
    reference: eachStep(unit),
  },
  {
    of: 'UnitNormalization',
    variant: 'of samples',
    inputs: SEQUENCE,
    make: () => unitNormalizationLayer({ axis: [1, 2] }),
    reference: each((sample) => sample.map((row) => row.map((x) => x / norm(sample.flat())))),
  },
  {
    of: 'Normalization',
    variant: 'by weights',
    inputs: SEQUENCE,
    make: () => normalizationLayer({}),
    editWeight(name, values) {
      if (name.endsWith('variance')) for (const [i, value] of values.entries()) values[i] = 0.5 + Math.abs(value);
    },
    reference: (x, { mean, variance }) =>
      eachStep((row) => row.map((value, i) => (value - mean[i]) / Math.sqrt(variance[i])))(x),
  },
  {
    of: 'Normalization',
    variant: 'by numbers of the file',
    inputs: SEQUENCE,
    make: () => normalizationLayer({ mean: [[1, 2, 3, 4]], variance: [[1, 4, 9, 0]] }),
    reference: eachStep((row) => row.map((value, i) => (value - (i + 1)) / [1, 2, 3, 1e-7][i]!)),
  },
  {
    of: 'PReLU',
    variant: 'with a slope for each element',
    inputs: SEQUENCE,
    make: () => prelu({ sharedAxes: [] }),
    reference: ([x], { alpha }) => [
      (x as Seq).map((s) => s.map((row, t) => row.map((v, i) => (v > 0 ? v : v * alpha[t][i])))),
    ],
  },
  {
    of: 'PReLU',
    variant: 'with a slope for each feature',
    inputs: SEQUENCE,
    make: () => prelu({ sharedAxes: [1] }),
    reference: (x, { alpha }) => eachStep((row) => row.map((v, i) => (v > 0 ? v : v * alpha[0][i])))(x),
  },
  {
    of: 'ELU',
    variant: 'with an alpha',
    inputs: SEQUENCE,
    make: () => eluLayer({ alpha: 0.5 }),
    reference: eachStep((row) => row.map((x) => (x > 0 ? x : 0.5 * Math.expm1(x)))),
  },
  {
    of: 'LeakyReLU',
    variant: 'with its own slope',
    inputs: SEQUENCE,
    make: () => leakyReluLayer({}),
    reference: eachStep((row) => row.map((x) => (x > 0 ? x : 0.3 * x))),
  },
  {
    of: 'ReLU',
    variant: 'with a threshold, a slope and a limit',
    inputs: SEQUENCE,
    make: () => reluLayer({ threshold: 0.2, negativeSlope: 0.3, maxValue: 0.6 }),
    reference: eachStep((row) => row.map((x) => (x > 0.2 ? Math.min(x, 0.6) : 0.3 * (x - 0.2)))),
  },
  {
    of: 'Softmax',
    variant: 'over the steps',
    inputs: SEQUENCE,
    make: () => softmaxLayer({ axis: 1 }),
    reference: each((x) => {
      const totals = x[0]!.map((_, i) => column(x, i).reduce((total, value) => total + Math.exp(value), 0));
      return x.map((row) => row.map((value, i) => Math.exp(value) / totals[i]!));
    }),
  },
];
