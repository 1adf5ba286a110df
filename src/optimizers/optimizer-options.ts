import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import type { Names } from '../checks/options.ts';
import type { Schedule } from './schedules/schedule.ts';

/** Options of every optimizer. At most one of the three clipping options may be given. */
export interface OptimizerOptions {
  /** Step size, ≥ 0, or a schedule of the step size over batches. Default: the optimizer's own. */
  learningRate?: number | Schedule | undefined;
  /** Scales the gradient g of each parameter down to at most this L2 norm: g ← g·min(1, clipNorm / ‖g‖). Above 0. */
  clipNorm?: number | undefined;
  /** Clips each element of each gradient to [−clipValue, clipValue]. Above 0. */
  clipValue?: number | undefined;
  /**
   * Scales all gradients together down to at most this L2 norm: g ← g·min(1, globalClipNorm / ‖g‖), where ‖g‖ is the
   * norm over all parameters. Above 0. ‖g‖ is the `gradientNorm` that `trainOnBatch` returns; with
   * `gradientAccumulationSteps` it is the norm of the mean gradient.
   *
   * The norm depends on how the loss is reduced. By default the loss is a mean over the batch. With reduction `sum` the
   * norm grows with the number of rows, and a loss weight w multiplies it by w. The threshold must then be larger by
   * the same factor.
   */
  globalClipNorm?: number | undefined;
  /** p ← p − lr·weightDecay·p before each update. Default 0, no decay. */
  weightDecay?: number | undefined;
  /**
   * Parameters that do not decay: those whose name contains one of these words (`['bias']`), or for which the function
   * returns true.
   */
  excludeFromWeightDecay?: readonly string[] | ((parameter: Parameter) => boolean) | undefined;
  /**
   * Whether to keep an exponential moving average of every parameter; see `swapEma`. At the end of `fit` the parameters
   * are set to their averages, as in Keras. A second `fit` starts from the averages, so two calls of n epochs differ
   * from one call of 2n epochs. Default false.
   */
  useEma?: boolean | undefined;
  /** average ← emaMomentum·average + (1 − emaMomentum)·p after each batch. Default 0.99. */
  emaMomentum?: number | undefined;
  /** Number k of updates: after every k-th update the parameters are set to their averages. Default: never. */
  emaOverwriteFrequency?: number | undefined;
  /** Number of batches whose mean gradient makes one update. Default 1. */
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

/** Returns the value. Throws `ArgumentError` if it is neither a rate nor a schedule. */
export function checkedLearningRate(value: number | Schedule): number | Schedule {
  if (typeof value !== 'object') expectNumber('optimizer: learningRate', value, '≥ 0');
  else if (typeof value?.name !== 'string' || typeof value.at !== 'function') {
    throw new ArgumentError(`optimizer: learningRate expected a number or a schedule, got ${shown(value)}`);
  }
  return value;
}
