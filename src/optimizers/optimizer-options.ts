import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import type { Names } from '../checks/options.ts';
import type { Schedule } from './schedules/schedule.ts';

/** What every optimizer takes. At most one way of clipping. */
export interface OptimizerOptions {
  /** Step size, ≥ 0, or a schedule of it by batches. Default: the optimizer's own. */
  learningRate?: number | Schedule | undefined;
  /** Scales the gradient g of each parameter down to at most this L2 norm: g ← g·min(1, clipNorm / ‖g‖). Above 0. */
  clipNorm?: number | undefined;
  /** Clips each element of each gradient to [−clipValue, clipValue]. Above 0. */
  clipValue?: number | undefined;
  /**
   * Scales all gradients together down to at most this L2 norm: g ← g·min(1, globalClipNorm / ‖g‖), ‖g‖ over every
   * parameter. Above 0. That is the `gradientNorm` of `trainOnBatch`; with `gradientAccumulationSteps` it is the norm
   * of the mean gradient.
   *
   * Which norm is large depends on the loss being a mean over the batch, as it is unless asked otherwise: with
   * reduction `sum` the norm grows with the number of rows, and with a loss weight w by w, and so must the threshold.
   */
  globalClipNorm?: number | undefined;
  /** p ← p − lr·weightDecay·p before each update. Default 0, no decay. */
  weightDecay?: number | undefined;
  /**
   * Parameters that do not decay: those whose name contains one of these words (`['bias']`), or of which a function
   * says so.
   */
  excludeFromWeightDecay?: readonly string[] | ((parameter: Parameter) => boolean) | undefined;
  /**
   * Whether to keep an exponential moving average of every parameter; see `swapEma`. At the end of `fit` the parameters
   * become their averages, as in Keras, and a second `fit` starts from those: two of n epochs are not one of 2n.
   * Default false.
   */
  useEma?: boolean | undefined;
  /** average ← emaMomentum·average + (1 − emaMomentum)·p after each batch. Default 0.99. */
  emaMomentum?: number | undefined;
  /** Updates after which the parameters become their averages, time and again. Default: never. */
  emaOverwriteFrequency?: number | undefined;
  /** Batches whose gradients are averaged to one update. Default 1. */
  gradientAccumulationSteps?: number | undefined;
}

const clips = { clipNorm: '> 0', clipValue: '> 0', globalClipNorm: '> 0' } as const;
const ranges = {
  ...clips,
  weightDecay: '≥ 0',
  emaMomentum: 'in [0, 1]',
  emaOverwriteFrequency: 'an integer ≥ 1',
  gradientAccumulationSteps: 'an integer ≥ 1',
} as const;

export const optimizerNames: Names<OptimizerOptions> = {
  learningRate: 1,
  excludeFromWeightDecay: 1,
  useEma: true,
  ...ranges,
};

/** Throws `ArgumentError` for an option out of its range. */
export function checkRanges(options: OptimizerOptions): void {
  const given = (Object.keys(ranges) as (keyof typeof ranges)[]).filter((key) => options[key] !== undefined);
  const ways = given.filter((key) => key in clips);
  if (ways.length > 1) throw new ArgumentError(`optimizer: expected one way of clipping, got ${ways.join(' and ')}`);
  for (const key of given) expectNumber(`optimizer: ${key}`, options[key], ranges[key]);
  const { excludeFromWeightDecay } = options;
  if (excludeFromWeightDecay === undefined || typeof excludeFromWeightDecay === 'function') return;
  if (Array.isArray(excludeFromWeightDecay) && excludeFromWeightDecay.every((word) => typeof word === 'string')) return;
  throw new ArgumentError(
    `optimizer: excludeFromWeightDecay expected words or a function, got ${shown(excludeFromWeightDecay)}`,
  );
}

/** Throws `ArgumentError` for what is neither a rate nor a schedule. */
export function checkedLearningRate(value: number | Schedule): number | Schedule {
  if (typeof value !== 'object') expectNumber('optimizer: learningRate', value, '≥ 0');
  else if (typeof value?.name !== 'string' || typeof value.at !== 'function') {
    throw new ArgumentError(`optimizer: learningRate expected a number or a schedule, got ${shown(value)}`);
  }
  return value;
}
