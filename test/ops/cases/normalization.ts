import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { byRow, type GradientCase, SEQUENCE, total } from './case.ts';

function normalized(x: Float64Array, columns: number, epsilon: number): Float64Array {
  return byRow(x, columns, (row) => {
    const mean = total(row) / columns;
    const variance = total(row.map((v) => (v - mean) ** 2)) / columns;
    return row.map((v) => (v - mean) / Math.sqrt(variance + epsilon));
  });
}

const SHAPES: Shape[] = [SEQUENCE, [4, 5], [5], [2, 3, 2, 5]];

export const normalizationCases: GradientCase[] = [
  ...SHAPES.flatMap((shape): GradientCase[] => [
    {
      of: 'layerNorm',
      variant: `[${shape}] with gamma and beta`,
      arguments: [{ shape }, { shape: [5] }, { shape: [5] }],
      run: (x, gamma, beta) => ops.layerNorm(x, gamma, beta),
      shape,
      reference: (x, gamma, beta) => normalized(x, 5, 1e-3).map((v, at) => v * gamma[at % 5]! + beta[at % 5]!),
    },
    {
      of: 'layerNorm',
      variant: `[${shape}] alone`,
      arguments: [{ shape }],
      run: (x) => ops.layerNorm(x),
      shape,
      reference: (x) => normalized(x, 5, 1e-3),
    },
  ]),
  {
    of: 'layerNorm',
    variant: 'without gamma, another epsilon',
    arguments: [{ shape: SEQUENCE }, { shape: [5] }],
    run: (x, beta) => ops.layerNorm(x, undefined, beta, { epsilon: 0.1 }),
    reference: (x, beta) => normalized(x, 5, 0.1).map((v, at) => v + beta[at % 5]!),
  },
];
