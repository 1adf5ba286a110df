// Learning of a linear Gaussian model by the gradient of its log-likelihood.
import { addTo, type Matrix, product, stationaryCovariance, symmetrize, transposed } from '../matrix.ts';
import type { FitHistory } from '../results.ts';
import { kalmanFilter, type Observed, SingularInnovation } from './kalman.ts';
import { kalmanGradient, zeroGradient } from './kalman-gradient.ts';
import { type Learned, packed, packedGradient, SYSTEM_NAMES, unpacked } from './learned.ts';
import { minimize } from './minimize.ts';
import { regression } from './regression.ts';
import { constantPart, type Model, type System, totalOf } from './system.ts';

/**
 * Around a stationary process coefficients of inputs start from least squares, unless they are given. From 0 the
 * process itself would explain a mean far from 0, which is a plateau of the likelihood.
 */
function withRegression(model: Model, learned: readonly Learned[], sequences: readonly Observed[]): Model {
  const { p, k, feedthrough } = model.system;
  const isFree = learned.some(({ name, free }) => name === 'feedthroughMatrix' && free.every((flag) => flag === 1));
  if (model.initial !== 'stationary' || !isFree || feedthrough.data.some((value) => value !== 0)) return model;
  const start = regression(sequences, p, k);
  return start ? { ...model, system: { ...model.system, feedthrough: constantPart(start) } } : model;
}

/** Climbs the log-likelihood of sequences that have one at the start. */
export function climb(
  given: Model,
  learned: readonly Learned[],
  sequences: readonly Observed[],
  { tolerance, maxIterations }: { tolerance: number; maxIterations: number },
): { system: System; history: FitHistory } {
  const model = withRegression(given, learned, sequences);
  const start = packed(learned, (name) => model.system[SYSTEM_NAMES[name]].data);
  // Counted in units of steps, so that the first iteration has a length that fits.
  const count = Math.max(
    sequences.reduce((sum, { steps }) => sum + steps, 0),
    1,
  );
  const { x, values, converged } = minimize(
    (vector) => valueAndGradient(model, learned, vector, sequences, -1 / count),
    start,
    { tolerance: tolerance / count, maxIterations },
  );
  const logLikelihood = values.map((value) => -value * count);
  return {
    system: systemAt(model, learned, x)!.system,
    history: { logLikelihood, converged, iterations: values.length - 1 },
  };
}

/** The system at a vector of learned parameters; undefined if it has no stationary state but needs one. */
function systemAt(
  model: Model,
  learned: readonly Learned[],
  vector: Float64Array,
): { system: System; factors: (Matrix | undefined)[] } | undefined {
  const parts = unpacked(learned, vector, (name) => model.system[SYSTEM_NAMES[name]].data);
  const changed = learned.map(({ name }, i) => [SYSTEM_NAMES[name], constantPart(parts[i]!.value)]);
  const system = { ...model.system, ...Object.fromEntries(changed) } as System;
  const factors = parts.map(({ factor }) => factor);
  if (model.initial !== 'stationary') return { system, factors };
  const initial = stationaryCovariance(system.transition.data, system.stateNoise.data, system.n);
  return initial && { system: { ...system, initialCovariance: constantPart(initial) }, factors };
}

function valueAndGradient(
  model: Model,
  learned: readonly Learned[],
  vector: Float64Array,
  sequences: readonly Observed[],
  scale: number,
) {
  const none = { value: Number.POSITIVE_INFINITY, gradient: new Float64Array(vector.length) };
  const found = systemAt(model, learned, vector);
  if (!found) return none;
  const { system, factors } = found;
  const sums = zeroGradient(system);
  let total = 0;
  try {
    for (const sequence of sequences) {
      const steps = kalmanFilter(system, sequence);
      total += totalOf(model, steps);
      kalmanGradient(system, sequence, steps, (t) => (t < model.burn ? 0 : scale), sums);
    }
  } catch (error) {
    if (error instanceof SingularInnovation) return none;
    throw error;
  }
  if (model.initial === 'stationary') {
    // P = A P Aᵀ + Q: with Z = Aᵀ Z A + dP, the gradient of Q gets Z and that of A gets 2 Z A P.
    const { n } = system;
    const [a, p] = [system.transition.data, system.initialCovariance.data];
    const turned = transposed(a, n);
    const z = stationaryCovariance(turned, symmetrize(sums.initialCovariance, n), n);
    if (!z) return none;
    addTo(sums.stateNoise, z);
    addTo(sums.transition, product(product(z, a, n, n, n), p, n, n, n), 2);
  }
  const gradient = packedGradient(learned, vector, sums, factors);
  const value = scale * total;
  return Number.isFinite(value) && gradient.every(Number.isFinite) ? { value, gradient } : none;
}
