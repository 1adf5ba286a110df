import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import type { DataLike } from '../../data/array.ts';
import { identity, type Matrix, stationaryCovariance } from '../matrix.ts';
import { readCovariances, readNumbers } from '../parameters.ts';
import { constant, type FilterStep, type LinearSystem, type Varying } from './kalman.ts';
import { isCovariance, type LearnedParameters, type ParameterName, type SYSTEM_NAMES } from './learned.ts';

/**
 * Matrices of a linear Gaussian model of n states, p observations and k inputs. Each but the initial ones may have an
 * axis of steps in front, `[T, …]`.
 */
export interface LinearGaussianOptions {
  /** A, `[n, n]`. */
  transitionMatrix: DataLike;
  /** C, `[p, n]`. */
  observationMatrix: DataLike;
  /** Q, `[n, n]`, positive semidefinite. */
  transitionCovariance: DataLike;
  /** R, `[p, p]`, positive semidefinite. */
  observationCovariance: DataLike;
  /** B, `[n, k]`: what inputs do to the next state. Default 0. */
  controlMatrix?: DataLike | undefined;
  /** D, `[p, k]`: what inputs do to the observation of the same step. Default 0. */
  feedthroughMatrix?: DataLike | undefined;
  /** m, `[n]`. Default 0. */
  initialMean?: DataLike | undefined;
  /**
   * P, `[n, n]`; or `'stationary'`, the covariance that A and Q keep; or `'diffuse'`, 10⁶ times the identity. Default
   * the identity.
   */
  initialCovariance?: DataLike | 'stationary' | 'diffuse' | undefined;
  /** Number of first steps that log-likelihoods leave out, for diffuse initial states. Default 0. */
  burn?: number | undefined;
  /**
   * Parameters that `fitEm` and `fitGradient` learn. Default: both noise covariances, the initial mean and the initial
   * covariance, unless that is a word.
   */
  learn?: LearnedParameters | undefined;
}

/** A parameter of a system. */
export interface Part extends Varying {
  /** Number of steps that a matrix of each step has, ∞ if it is the same at all. */
  readonly steps: number;
}

export type System = LinearSystem & { readonly [Name in (typeof SYSTEM_NAMES)[ParameterName]]: Part };

const DIFFUSE = 1e6;
/** What the initial covariance is: a matrix, or what a word stands for. */
export type InitialKind = 'given' | 'stationary' | 'diffuse';

export const constantPart = (data: Matrix): Part => ({ ...constant(data), steps: Number.POSITIVE_INFINITY });

/** A matrix, or one of each step. */
function readPart(
  what: string,
  given: DataLike,
  shape: readonly (number | null)[],
  isPositive = false,
): { part: Part; shape: Shape } {
  const shapes = [shape, [null, ...shape]];
  const { data, shape: got } = isPositive
    ? readCovariances(what, given, { shapes, n: shape[0]!, allowsSingular: true })
    : readNumbers(what, given, ...shapes);
  const axes = got.slice(-2);
  if (axes.includes(0) && !shape.includes(0))
    throw new ArgumentError(`${what} expected one row and column or more, got ${formatShape(got)}`);
  const size = axes[0]! * axes[1]!;
  const isVarying = got.length > 2;
  return {
    part: {
      data,
      size,
      perSequence: 0,
      perStep: isVarying ? size : 0,
      steps: isVarying ? got[0]! : Number.POSITIVE_INFINITY,
    },
    shape: axes,
  };
}

function stationaryOf(what: string, transition: Part, stateNoise: Part, n: number): Matrix {
  const covariance =
    transition.perStep === 0 && stateNoise.perStep === 0
      ? stationaryCovariance(transition.data, stateNoise.data, n)
      : undefined;
  if (covariance) return covariance;
  throw new ArgumentError(
    `${what}: transitionMatrix expected one matrix with eigenvalues within the unit circle for a 'stationary' initialCovariance, got another`,
  );
}

/** The system of the options, and what its initial covariance is. Throws `ArgumentError` if something does not fit. */
export function readSystem(what: string, given: LinearGaussianOptions): { system: System; initial: InitialKind } {
  const c = readPart(`${what}: observationMatrix`, given.observationMatrix, [null, null]);
  const [p, n] = c.shape as [number, number];
  const square = (name: ParameterName, size: number): Part =>
    readPart(`${what}: ${name}`, given[name] as DataLike, [size, size], isCovariance(name)).part;
  const { controlMatrix, feedthroughMatrix, initialMean, initialCovariance } = given;
  const b = controlMatrix === undefined ? undefined : readPart(`${what}: controlMatrix`, controlMatrix, [n, null]);
  const inputs = b?.shape[1] ?? null;
  const d =
    feedthroughMatrix === undefined
      ? undefined
      : readPart(`${what}: feedthroughMatrix`, feedthroughMatrix, [p, inputs]);
  const k = inputs ?? d?.shape[1] ?? 0;
  const transition = square('transitionMatrix', n);
  const stateNoise = square('transitionCovariance', n);
  let initial: InitialKind = 'given';
  let covariance: Matrix;
  if (initialCovariance === 'diffuse' || initialCovariance === 'stationary') {
    initial = initialCovariance;
    covariance = initial === 'diffuse' ? identity(n, DIFFUSE) : stationaryOf(what, transition, stateNoise, n);
  } else if (typeof initialCovariance === 'string') {
    const got = shown(initialCovariance);
    throw new ArgumentError(`${what}: initialCovariance expected a matrix, 'stationary' or 'diffuse', got ${got}`);
  } else if (initialCovariance === undefined) covariance = identity(n);
  else {
    const shapes = [[n, n]];
    const name = `${what}: initialCovariance`;
    covariance = readCovariances(name, initialCovariance, { shapes, n, allowsSingular: true }).data;
  }
  const system: System = {
    ...{ n, p, k, transition, stateNoise, observation: c.part },
    observationNoise: square('observationCovariance', p),
    control: b?.part ?? constantPart(new Float64Array(n * k)),
    feedthrough: d?.part ?? constantPart(new Float64Array(p * k)),
    initialMean: constantPart(
      initialMean === undefined ? new Float64Array(n) : readNumbers(`${what}: initialMean`, initialMean, [n]).data,
    ),
    initialCovariance: constantPart(covariance),
  };
  return { system, initial };
}

/** Shape of a parameter, without an axis of steps. */
export function shapeOf({ n, p, k }: LinearSystem, name: ParameterName): Shape {
  const shapes: Record<ParameterName, Shape> = {
    transitionMatrix: [n, n],
    observationMatrix: [p, n],
    controlMatrix: [n, k],
    feedthroughMatrix: [p, k],
    transitionCovariance: [n, n],
    observationCovariance: [p, p],
    initialMean: [n],
    initialCovariance: [n, n],
  };
  return shapes[name];
}

/** A system, and what its options said of its start. */
export interface Model {
  readonly system: System;
  readonly initial: InitialKind;
  readonly burn: number;
}

/** Log-likelihood without the first steps that do not count. */
export const totalOf = ({ burn }: Model, steps: readonly FilterStep[]): number =>
  steps.reduce((sum, { logLikelihood }, t) => sum + (t < burn ? 0 : logLikelihood), 0);
