// Which parameters of a linear Gaussian model are learned, and how they are written as one vector.
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape, sameShape } from '../../checks/shape.ts';
import { asArray, type DataLike } from '../../data/array.ts';
import { type Matrix, product, semidefiniteFactor, transposedProduct } from '../matrix.ts';
import type { SystemGradient } from './kalman-gradient.ts';

/**
 * Parameters that are learned. Of a matrix: true for all entries, or a matrix of 1 for those and 0 for fixed ones. Of a
 * covariance: `'full'`, `'diag'` for the variances alone, or a list of 1 for those variances and 0 for fixed ones.
 */
export interface LearnedParameters {
  transitionMatrix?: boolean | DataLike | undefined;
  observationMatrix?: boolean | DataLike | undefined;
  controlMatrix?: boolean | DataLike | undefined;
  feedthroughMatrix?: boolean | DataLike | undefined;
  transitionCovariance?: 'full' | 'diag' | false | DataLike | undefined;
  observationCovariance?: 'full' | 'diag' | false | DataLike | undefined;
  initialMean?: boolean | DataLike | undefined;
  initialCovariance?: 'full' | 'diag' | false | DataLike | undefined;
}

/** The name in a system of each parameter. */
export const SYSTEM_NAMES = {
  transitionMatrix: 'transition',
  observationMatrix: 'observation',
  controlMatrix: 'control',
  feedthroughMatrix: 'feedthrough',
  transitionCovariance: 'stateNoise',
  observationCovariance: 'observationNoise',
  initialMean: 'initialMean',
  initialCovariance: 'initialCovariance',
} as const satisfies Record<keyof LearnedParameters, keyof SystemGradient>;

export type ParameterName = keyof typeof SYSTEM_NAMES;

/** A parameter that is learned. `free` has 1 for each free entry of a matrix and each free variance. */
export interface Learned {
  readonly name: ParameterName;
  readonly kind: 'matrix' | 'full' | 'diag';
  readonly free: Float64Array;
}

export const isCovariance = (name: string): boolean => name.endsWith('Covariance');

/** @throws ArgumentError for an unknown name, or flags that do not fit the shape of the parameter. */
export function readLearned(
  what: string,
  given: LearnedParameters,
  shapeOf: (name: ParameterName) => readonly number[],
): Learned[] {
  checkOptions(what, given, SYSTEM_NAMES);
  return Object.entries(given).flatMap(([key, value]): Learned[] => {
    if (value === undefined || value === false) return [];
    const name = key as ParameterName;
    const shape = shapeOf(name);
    const one = `${what}.${name}`;
    const isMatrix = !isCovariance(name);
    const axes = isMatrix ? shape : shape.slice(0, 1);
    if (value === true && isMatrix) return [{ name, kind: 'matrix', free: new Float64Array(sizeOf(axes)).fill(1) }];
    if (value === 'diag' && !isMatrix) return [{ name, kind: 'diag', free: new Float64Array(axes[0]!).fill(1) }];
    if (value === 'full' && !isMatrix) return [{ name, kind: 'full', free: new Float64Array(axes[0]!).fill(1) }];
    const words = isMatrix ? 'true, false' : `'full', 'diag', false`;
    if (typeof value !== 'object' || value === null) {
      throw new ArgumentError(`${one} expected ${words} or ${formatShape(axes)} of 0 and 1, got ${shown(value)}`);
    }
    const { data, shape: got } = asArray(value as DataLike, one);
    const free = Float64Array.from({ length: data.length }, (_, i) => data[i]!);
    const at = free.findIndex((flag) => flag !== 0 && flag !== 1);
    if (!sameShape(got, axes) || at >= 0) {
      const found = sameShape(got, axes) ? shown(data[at]) : formatShape(got);
      throw new ArgumentError(`${one} expected ${words} or ${formatShape(axes)} of 0 and 1, got ${found}`);
    }
    return free.some((flag) => flag === 1) ? [{ name, kind: isMatrix ? 'matrix' : 'diag', free }] : [];
  });
}

const sizeOf = (axes: readonly number[]): number => axes.reduce((all, n) => all * n, 1);

/** Number of free parameters. */
export const countFree = (learned: readonly Learned[]): number =>
  learned.reduce((sum, { kind, free }) => {
    const flags = free.reduce((all, flag) => all + flag, 0);
    return sum + (kind === 'full' ? (flags * (flags + 1)) / 2 : flags);
  }, 0);

/**
 * The learned parameters as one vector. Free entries of a matrix are themselves; a variance is its root; a covariance
 * is its lower Cholesky factor. So every vector gives covariances that are positive semidefinite.
 */
export function packed(learned: readonly Learned[], values: (name: ParameterName) => Matrix): Float64Array {
  return Float64Array.from(
    learned.flatMap(({ name, kind, free }) => {
      const value = values(name);
      const n = free.length;
      if (kind === 'matrix') return Array.from(value).filter((_, i) => free[i] === 1);
      if (kind === 'diag')
        return Array.from(free.keys()).flatMap((i) => (free[i] === 1 ? [Math.sqrt(value[i * n + i]!)] : []));
      const factor = semidefiniteFactor(value, n)!;
      return Array.from(factor).filter((_, i) => i % n <= Math.floor(i / n));
    }),
  );
}

/** The parameters of a vector, and the Cholesky factors of full covariances. */
export function unpacked(
  learned: readonly Learned[],
  vector: Float64Array,
  values: (name: ParameterName) => Matrix,
): { value: Matrix; factor: Matrix | undefined }[] {
  let next = 0;
  return learned.map(({ name, kind, free }) => {
    const value = values(name).slice();
    const n = free.length;
    if (kind === 'matrix') free.forEach((flag, i) => flag === 1 && (value[i] = vector[next++]!));
    if (kind === 'diag') free.forEach((flag, i) => flag === 1 && (value[i * n + i] = vector[next++]! ** 2));
    if (kind !== 'full') return { value, factor: undefined };
    const factor = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) factor[i * n + j] = vector[next++]!;
    return { value: covarianceOf(factor, n), factor };
  });
}

/** L Lᵀ, symmetric to the last bit. */
export function covarianceOf(factor: Matrix, n: number): Matrix {
  const y = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k <= j; k++) sum += factor[i * n + k]! * factor[j * n + k]!;
      y[i * n + j] = y[j * n + i] = sum;
    }
  }
  return y;
}

/** The gradient of the lower factor L from that of L Lᵀ, which need not be symmetric: the lower part of (G + Gᵀ) L. */
export function factorGradient(gradient: Matrix, factor: Matrix, n: number): Matrix {
  const y = product(gradient, factor, n, n, n);
  const other = transposedProduct(gradient, factor, n, n, n);
  return y.map((value, i) => (i % n <= Math.floor(i / n) ? value + other[i]! : 0));
}

/** The gradient of the vector, from those of the parameters. */
export function packedGradient(
  learned: readonly Learned[],
  vector: Float64Array,
  gradients: SystemGradient,
  factors: readonly (Matrix | undefined)[],
): Float64Array {
  let next = 0;
  return Float64Array.from(
    learned.flatMap(({ name, kind, free }, at) => {
      const gradient = gradients[SYSTEM_NAMES[name]];
      const n = free.length;
      const own: number[] = [];
      if (kind === 'matrix') free.forEach((flag, i) => flag === 1 && own.push(gradient[i]!));
      else if (kind === 'diag') {
        let place = next;
        free.forEach((flag, i) => flag === 1 && own.push(2 * vector[place++]! * gradient[i * n + i]!));
      } else own.push(...factorGradient(gradient, factors[at]!, n).filter((_, i) => i % n <= Math.floor(i / n)));
      next += own.length;
      return own;
    }),
  );
}
