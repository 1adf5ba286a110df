// The ε under the root of a deviation.
import { ArgumentError, isFloat32, shown } from '../checks/argument-error.ts';

/** Throws `ArgumentError` unless ε is positive as float32. */
export function expectEpsilon(what: string, epsilon: number): void {
  if (isFloat32(epsilon) && Math.fround(epsilon) > 0) return;
  throw new ArgumentError(`${what} expected a positive number, got ${shown(epsilon)}`);
}

/** 1/√(variance + ε) of each feature, in float32. @internal */
export const inverseDeviations = (variance: ArrayLike<number>, epsilon: number): Float32Array =>
  Float32Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
