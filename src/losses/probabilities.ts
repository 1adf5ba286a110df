import type { Tensor } from '../autograd/tensor.ts';
import { expectFlags } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { addScalar, clip, exp, log, neg, scale } from '../ops/elementwise/elementwise.ts';
import { divideRows, type LossOptions, sumRows } from './loss.ts';

/**
 * Keras's epsilon. Probabilities are kept this far from 0 and 1; divisors and arguments of logarithms this far from 0.
 */
export const EPSILON = 1e-7;

export const atLeast = (x: Tensor, low: number): Tensor => clip(x, low, Infinity);
export const clipped = (p: Tensor): Tensor => clip(p, EPSILON, 1 - EPSILON);
/** 1 − x */
export const complement = (x: Tensor): Tensor => addScalar(neg(x), 1);

/** Probabilities divided by the sum of their row. */
export const normalised = (yPred: Tensor): Tensor => divideRows(yPred, sumRows(yPred));

/** y·(1 − share) + share/classes */
export const smoothed = (yTrue: Tensor, share: number, classes: number): Tensor =>
  share === 0 ? yTrue : addScalar(scale(yTrue, 1 - share), share / classes);

/** x^exponent for x in [0, 1]. Below 10⁻²⁰ x counts as 10⁻²⁰, so that the logarithm has a derivative. */
export const power = (x: Tensor, exponent: number): Tensor => exp(scale(log(atLeast(x, 1e-20)), exponent));

export interface FromLogits {
  /** Whether predictions are logits instead of probabilities. Default false. */
  fromLogits?: boolean;
}

export interface CrossentropyOptions extends FromLogits, LossOptions {
  /** Share of each target, from 0 to 1, that is spread evenly over the classes. Default 0. */
  labelSmoothing?: number | undefined;
}

export function checkCrossentropyOptions(name: string, fromLogits: boolean, labelSmoothing: number): void {
  expectFlags(name, { fromLogits });
  expectNumber(`${name}: labelSmoothing`, labelSmoothing, 'in [0, 1]');
}

/** The kind of predictions that a loss with the option `fromLogits` reads. */
export const readsOf = (fromLogits: boolean): 'logits' | 'probabilities' => (fromLogits ? 'logits' : 'probabilities');
