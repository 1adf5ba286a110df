// What is made of spectra by small ops: magnitudes and decibels.
import { floatsOf, type Weight } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { ln } from '../engine/float64.ts';
import { greater } from '../ops/elementwise/compare.ts';
import { addScalar, log, maximum, scale, sqrt, square } from '../ops/elementwise/elementwise.ts';
import { where } from '../ops/elementwise/where.ts';
import { max, sum } from '../ops/reduce.ts';

export interface MagnitudeOptions {
  /** 1 for the magnitude |y|, 2 for the power |y|². Default 1. */
  power?: 1 | 2 | undefined;
}

/**
 * The magnitude or the power of spectra.
 *
 * |y| = √(re² + im²), or |y|² = re² + im². The gradient of |y| at 0 is 0.
 *
 * @param y spectra `[…, 2]` f32: real and imaginary part along the last axis, as `stft` and `rfft` make them.
 * @param options power, 1 or 2.
 * @returns `[…]` f32. A tensor of the open step; outside a step the caller owns it.
 * @throws ArgumentError if the last axis of `y` is not 2, `y` is not an f32 tensor, or an option is unknown or not one
 *   of its values.
 * @see torch.abs
 *
 * @example
 * magnitude(tensor([[3, 4], [0, 0]])).toArray(); // 5, 0
 */
export function magnitude(y: Weight, options: MagnitudeOptions = {}): Tensor {
  const { power = 1 } = checkOptions('magnitude', options, { power: 1 });
  expectChoice('magnitude', 'power', power, [1, 2]);
  const spectra = floatsOf(y, 'magnitude: y');
  if (spectra.shape.at(-1) !== 2)
    throw new ArgumentError(`magnitude: y expected […, 2], got ${formatShape(spectra.shape)}`);
  const powers = sum(square(spectra), { axis: -1 });
  if (power === 2) return powers;
  // The root has no gradient at 0: its argument is 1 there, and the result is replaced.
  const isSome = greater(powers, 0);
  return where(isSome, sqrt(where(isSome, powers, 1)), powers);
}

export interface DecibelOptions {
  /** What is 0 dB. Default 1. */
  ref?: number | undefined;
  /** The least value: smaller ones are raised to it. Default 1e-5 for amplitudes, 1e-10 for powers. */
  amin?: number | undefined;
  /** Decibels below the largest value of all at which the result is cut. Default: no cut. */
  topDb?: number | undefined;
}

const decibelNames: Names<DecibelOptions> = { ref: 1, amin: 1, topDb: 1 };

/** factor·log10 of x, in decibels. */
function decibels(what: string, x: Weight, factor: number, least: number, options: DecibelOptions): Tensor {
  const { ref = 1, amin = least, topDb } = checkOptions(what, options, decibelNames);
  expectNumber(`${what}: ref`, ref, '> 0');
  expectNumber(`${what}: amin`, amin, '> 0');
  if (amin < 1.2e-38) throw new ArgumentError(`${what}: amin expected 1.2e-38 or more, got ${shown(amin)}`);
  if (topDb !== undefined) expectNumber(`${what}: topDb`, topDb, '≥ 0');
  const values = floatsOf(x, `${what}: x`);
  const perLog = factor / Math.LN10;
  const db = addScalar(scale(log(maximum(values, amin)), perLog), -perLog * ln(Math.max(ref, amin)));
  return topDb === undefined || db.size === 0 ? db : maximum(db, addScalar(max(db), -topDb));
}

/**
 * Amplitudes in decibels.
 *
 * y = 20·log₁₀ max(x, amin) − 20·log₁₀ max(ref, amin), and at least max(y) − topDb
 *
 * @param x amplitudes `[…]` f32, such as those of `magnitude`.
 * @param options ref, amin and topDb, as librosa has them; topDb is off by default.
 * @returns `[…]` f32 in dB. A tensor of the open step; outside a step the caller owns it.
 * @throws ArgumentError if `x` is not an f32 tensor, or an option is unknown or out of range.
 * @see librosa.amplitude_to_db
 *
 * @example
 * amplitudeToDb(tensor([1, 10])).toArray(); // 0, 20
 */
export const amplitudeToDb = (x: Weight, options: DecibelOptions = {}): Tensor =>
  decibels('amplitudeToDb', x, 20, 1e-5, options);

/**
 * Powers in decibels.
 *
 * y = 10·log₁₀ max(x, amin) − 10·log₁₀ max(ref, amin), and at least max(y) − topDb
 *
 * @param x powers `[…]` f32, such as those of `magnitude` with `power: 2` or of `melSpectrogram`.
 * @param options ref, amin and topDb, as librosa has them; topDb is off by default.
 * @returns `[…]` f32 in dB. A tensor of the open step; outside a step the caller owns it.
 * @throws ArgumentError if `x` is not an f32 tensor, or an option is unknown or out of range.
 * @see librosa.power_to_db
 *
 * @example
 * powerToDb(tensor([1, 10])).toArray(); // 0, 10
 */
export const powerToDb = (x: Weight, options: DecibelOptions = {}): Tensor =>
  decibels('powerToDb', x, 10, 1e-10, options);
