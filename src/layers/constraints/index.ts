import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import { add, addScalar, clip, div, mul, relu, scale, sqrt, square } from '../../ops/elementwise/elementwise.ts';
import { sum } from '../../ops/reduce.ts';
import { Constraint } from './rule.ts';

/** Keras's `backend.epsilon()`, added to norms that are divisors. */
const EPSILON = 1e-7;

interface NormOptions {
  /** The axis or axes along which a norm is computed. Default 0: the weights into one unit of a kernel `[I, O]`. */
  axis?: number | readonly number[] | undefined;
}

export interface MaxNormOptions extends NormOptions {
  /** The greatest norm. Default 2. */
  maxValue?: number | undefined;
}

export interface UnitNormOptions extends NormOptions {}

export interface MinMaxNormOptions extends NormOptions {
  /** The least norm. Default 0. */
  minValue?: number | undefined;
  /** The greatest norm. Default 1. */
  maxValue?: number | undefined;
  /** The part of the way to the allowed norm that one update goes, in [0, 1]. Default 1. */
  rate?: number | undefined;
}

function checked<O extends NormOptions>(name: string, options: O, names: Names<O>): O {
  const { axis = 0 } = checkOptions(name, options, names);
  const axes = [axis].flat();
  if (axes.length === 0 || !axes.every(Number.isInteger)) {
    throw new ArgumentError(`${name}: axis expected an integer or a list of integers, got ${shown(axis)}`);
  }
  return options;
}

/** √Σ w² along the axes, which stay with length 1. */
function normOf(weight: Tensor, { axis = 0 }: NormOptions): Tensor {
  const axes = typeof axis === 'number' ? [axis] : axis;
  return sqrt(axes.reduce((squares, each) => sum(squares, { axis: each, keepDims: true }), square(weight)));
}

const toNorm = (weight: Tensor, norm: Tensor, wanted: Tensor): Tensor =>
  mul(weight, div(wanted, addScalar(norm, EPSILON)));

/**
 * Limits the norms of a weight.
 *
 * w ← w·min(‖w‖, maxValue) / (‖w‖ + 1e-7), ‖w‖ = √Σ w² along `axis`
 *
 * @param options all may be omitted.
 * @returns a constraint of a weight `[…]` f32, for an option such as `kernelConstraint`.
 * @throws ArgumentError if an option is unknown or `maxValue` is negative; when a layer is built, if its weight has no
 *   such axis.
 * @see keras.constraints.MaxNorm
 *
 * @example
 * const hidden = dense({ units: 3, kernelConstraint: constraints.maxNorm({ maxValue: 3 }) });
 */
export function maxNorm(options: MaxNormOptions = {}): Constraint {
  const { maxValue = 2 } = checked('maxNorm', options, { maxValue: 1, axis: 1 });
  expectNumber('maxNorm: maxValue', maxValue, '≥ 0');
  const rule = (weight: Tensor): Tensor => {
    const norm = normOf(weight, options);
    return toNorm(weight, norm, clip(norm, 0, maxValue));
  };
  return new Constraint(rule, { ...options, name: 'maxNorm' });
}

/**
 * Keeps the norms of a weight in a range.
 *
 * w ← w·(rate·min(max(‖w‖, minValue), maxValue) + (1 − rate)·‖w‖) / (‖w‖ + 1e-7), ‖w‖ = √Σ w² along `axis`
 *
 * @param options all may be omitted.
 * @returns a constraint of a weight `[…]` f32, for an option such as `kernelConstraint`.
 * @throws ArgumentError if an option is unknown, a limit is negative or `rate` is not in [0, 1]; when a layer is built,
 *   if its weight has no such axis.
 * @see keras.constraints.MinMaxNorm
 *
 * @example
 * const hidden = dense({ units: 3, kernelConstraint: constraints.minMaxNorm({ minValue: 0.5, maxValue: 1 }) });
 */
export function minMaxNorm(options: MinMaxNormOptions = {}): Constraint {
  const names = { minValue: 1, maxValue: 1, rate: 1, axis: 1 };
  const { minValue = 0, maxValue = 1, rate = 1 } = checked('minMaxNorm', options, names);
  expectNumber('minMaxNorm: minValue', minValue, '≥ 0');
  expectNumber('minMaxNorm: maxValue', maxValue, '≥ 0');
  expectNumber('minMaxNorm: rate', rate, 'in [0, 1]');
  const rule = (weight: Tensor): Tensor => {
    const norm = normOf(weight, options);
    return toNorm(weight, norm, add(scale(clip(norm, minValue, maxValue), rate), scale(norm, 1 - rate)));
  };
  return new Constraint(rule, { ...options, name: 'minMaxNorm' });
}

/**
 * Keeps a weight from being negative.
 *
 * w ← max(w, 0)
 *
 * @returns a constraint of a weight `[…]` f32, for an option such as `kernelConstraint`.
 * @throws ArgumentError if an option is given.
 * @see keras.constraints.NonNeg
 *
 * @example
 * const sum = dense({ units: 1, kernelConstraint: constraints.nonNeg() });
 */
export function nonNeg(options: Readonly<Record<string, never>> = {}): Constraint {
  checkOptions('nonNeg', options, {});
  return new Constraint(relu, { name: 'nonNeg' });
}

/**
 * Sets the norms of a weight to 1.
 *
 * w ← w / (‖w‖ + 1e-7), ‖w‖ = √Σ w² along `axis`
 *
 * @param options all may be omitted.
 * @returns a constraint of a weight `[…]` f32, for an option such as `kernelConstraint`.
 * @throws ArgumentError if an option is unknown; when a layer is built, if its weight has no such axis.
 * @see keras.constraints.UnitNorm
 *
 * @example
 * const directions = embedding({ inputDim: 9, outputDim: 4, embeddingsConstraint: constraints.unitNorm({ axis: 1 }) });
 */
export function unitNorm(options: UnitNormOptions = {}): Constraint {
  checked('unitNorm', options, { axis: 1 });
  const rule = (weight: Tensor): Tensor => div(weight, addScalar(normOf(weight, options), EPSILON));
  return new Constraint(rule, { ...options, name: 'unitNorm' });
}
