// Every schedule that has a name, under it.
import { ArgumentError, expectList, shown } from '../../checks/argument-error.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions } from '../../checks/options.ts';
import { cosPi, power } from '../../engine/float64.ts';
import type { Json } from '../../io/model-file.ts';
import { isSchedule, type Schedule, serialize } from './schedule.ts';

export { deserialize, serialize } from './schedule.ts';

type Options<O> = { readonly [K in keyof O]: Json | undefined };

const made = <O extends Options<O>>(name: string, options: O, at: (iteration: number) => number): Schedule => ({
  name,
  at,
  config: () => ({ ...(options as Options<O>), name }),
});

function expectRates(name: string, rates: Record<string, unknown>): void {
  for (const [key, rate] of Object.entries(rates)) expectNumber(`${name}: ${key}`, rate, '≥ 0');
}

/** Always the same: what a number is, where a schedule is asked for. */
export function constant(options: { learningRate: number }): Schedule {
  const { learningRate } = checkOptions('constant', options, { learningRate: 1 });
  expectRates('constant', { learningRate });
  return made('constant', { learningRate }, () => learningRate);
}

export interface DecayOptions {
  initialLearningRate: number;
  /** Iterations that one power of `decayRate`, or one unit of time, takes. */
  decaySteps: number;
  decayRate: number;
  /** Whether to change once in `decaySteps` rather than at every iteration. Default false. */
  staircase?: boolean | undefined;
}

/** A decay by n = t/decaySteps, in whole numbers with `staircase`. */
function decay(name: string, options: DecayOptions, factor: (decayRate: number, n: number) => number): Schedule {
  const names = { initialLearningRate: 1, decaySteps: 1, decayRate: 1, staircase: true };
  const { initialLearningRate, decaySteps, decayRate, staircase = false } = checkOptions(name, options, names);
  expectRates(name, { initialLearningRate, decayRate });
  expectNumber(`${name}: decaySteps`, decaySteps, '> 0');
  return made(name, { initialLearningRate, decaySteps, decayRate, staircase }, (t) => {
    const n = t / decaySteps;
    return initialLearningRate * factor(decayRate, staircase ? Math.floor(n) : n);
  });
}

/**
 * initialLearningRate·decayRateⁿ with n = t/decaySteps.
 *
 * @throws ArgumentError if a rate is negative or decaySteps not above 0.
 * @see keras.optimizers.schedules.ExponentialDecay
 */
export const exponentialDecay = (options: DecayOptions): Schedule => decay('exponentialDecay', options, power);

/**
 * `exponentialDecay` in steps: the learning rate times decayRate once in decaySteps. @see
 * torch.optim.lr_scheduler.StepLR
 */
export const stepDecay = (options: Omit<DecayOptions, 'staircase'>): Schedule =>
  exponentialDecay({
    ...checkOptions('stepDecay', options, { initialLearningRate: 1, decaySteps: 1, decayRate: 1 }),
    staircase: true,
  });

/**
 * initialLearningRate / (1 + decayRate·n) with n = t/decaySteps.
 *
 * @throws ArgumentError if a rate is negative or decaySteps not above 0.
 * @see keras.optimizers.schedules.InverseTimeDecay
 */
export const inverseTimeDecay = (options: DecayOptions): Schedule =>
  decay('inverseTimeDecay', options, (decayRate, n) => 1 / (1 + decayRate * n));

export interface PiecewiseConstantDecayOptions {
  /** The last iterations of all values but the last one, ascending. */
  boundaries: readonly number[];
  /** One more than boundaries. */
  values: readonly number[];
}

/**
 * values[i] for the first i with t ≤ boundaries[i], the last value after all of them.
 *
 * @throws ArgumentError if boundaries do not ascend, or values are not one more than they.
 * @see keras.optimizers.schedules.PiecewiseConstantDecay
 */
export function piecewiseConstantDecay(options: PiecewiseConstantDecayOptions): Schedule {
  const name = 'piecewiseConstantDecay';
  const { boundaries, values } = checkOptions(name, options, { boundaries: 1, values: 1 });
  for (const [key, list] of Object.entries({ boundaries, values })) {
    expectList(`${name}: ${key}`, list).forEach((value, i) => expectNumber(`${name}: ${key}[${i}]`, value, '≥ 0'));
  }
  if (values.length !== boundaries.length + 1) {
    throw new ArgumentError(`${name}: values expected ${boundaries.length + 1}, got ${values.length}`);
  }
  const at = boundaries.findIndex((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!);
  if (at >= 0) {
    throw new ArgumentError(`${name}: boundaries[${at}] expected above ${boundaries[at - 1]}, got ${boundaries[at]}`);
  }
  return made(name, { boundaries: [...boundaries], values: [...values] }, (t) => {
    const next = boundaries.findIndex((boundary) => t <= boundary);
    return values[next < 0 ? boundaries.length : next]!;
  });
}

export interface PolynomialDecayOptions {
  initialLearningRate: number;
  decaySteps: number;
  /** Default 0.0001. */
  endLearningRate?: number | undefined;
  /** Default 1. */
  power?: number | undefined;
  /** Whether to start again from where the end was reached, with twice, three times … the steps. Default false. */
  cycle?: boolean | undefined;
}

/**
 * (initialLearningRate − endLearningRate)·(1 − t/decaySteps)^power + endLearningRate, with t at most decaySteps; with
 * `cycle` decaySteps is the first multiple of it that t does not pass.
 *
 * @throws ArgumentError if a rate or power is negative or decaySteps not above 0.
 * @see keras.optimizers.schedules.PolynomialDecay
 */
export function polynomialDecay(options: PolynomialDecayOptions): Schedule {
  checkOptions('polynomialDecay', options, {
    initialLearningRate: 1,
    decaySteps: 1,
    endLearningRate: 1,
    power: 1,
    cycle: true,
  });
  const { initialLearningRate, decaySteps, endLearningRate = 0.0001, power: exponent = 1, cycle = false } = options;
  expectRates('polynomialDecay', { initialLearningRate, endLearningRate, power: exponent });
  expectNumber('polynomialDecay: decaySteps', decaySteps, '> 0');
  const config = { initialLearningRate, decaySteps, endLearningRate, power: exponent, cycle };
  return made('polynomialDecay', config, (t) => {
    const steps = cycle ? decaySteps * Math.max(1, Math.ceil(t / decaySteps)) : decaySteps;
    const left = 1 - Math.min(t, steps) / steps;
    return (initialLearningRate - endLearningRate) * power(left, exponent) + endLearningRate;
  });
}

/** From 1 at fraction 0 to 0 at fraction 1, along half a wave of the cosine. */
const cosineFall = (fraction: number): number => 0.5 * (1 + cosPi(fraction));

const line = (from: number, to: number, fraction: number): number => (to - from) * fraction + from;

export interface CosineDecayOptions {
  initialLearningRate: number;
  /** Iterations from the highest rate to the lowest, after those of the warm-up. */
  decaySteps: number;
  /** The lowest rate as a share of the highest. Default 0. */
  alpha?: number | undefined;
  /** The rate that a linear warm-up leads to. Default: no warm-up. */
  warmupTarget?: number | undefined;
  /** Default 0. */
  warmupSteps?: number | undefined;
}

/**
 * top·((1 − alpha)·½(1 + cos πf) + alpha) with f = t/decaySteps, at most 1, and top = initialLearningRate.
 *
 * With `warmupTarget`, first warmupSteps iterations on the line from initialLearningRate to warmupTarget, which then is
 * top.
 *
 * @throws ArgumentError if a rate, alpha or warmupSteps is negative or decaySteps not above 0.
 * @see Loshchilov and Hutter 2016; keras.optimizers.schedules.CosineDecay
 */
export function cosineDecay(options: CosineDecayOptions): Schedule {
  checkOptions('cosineDecay', options, {
    initialLearningRate: 1,
    decaySteps: 1,
    alpha: 1,
    warmupTarget: 1,
    warmupSteps: 1,
  });
  const { initialLearningRate, decaySteps, alpha = 0, warmupTarget, warmupSteps = 0 } = options;
  const top = warmupTarget ?? initialLearningRate;
  expectRates('cosineDecay', { initialLearningRate, alpha, warmupTarget: top, warmupSteps });
  expectNumber('cosineDecay: decaySteps', decaySteps, '> 0');
  const before = warmupTarget === undefined ? 0 : warmupSteps;
  return made('cosineDecay', { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps }, (t) => {
    if (t < before) return line(initialLearningRate, top, t / before);
    return top * line(alpha, 1, cosineFall(Math.min((t - before) / decaySteps, 1)));
  });
}

export interface CosineDecayRestartsOptions {
  initialLearningRate: number;
  /** Iterations of the first period. */
  firstDecaySteps: number;
  /** How much longer each period is than the one before. Default 2. */
  tMul?: number | undefined;
  /** How much higher each period starts than the one before. Default 1. */
  mMul?: number | undefined;
  /** The lowest rate as a share of initialLearningRate. Default 0. */
  alpha?: number | undefined;
}

/**
 * Periods of a cosine decay: initialLearningRate·((1 − alpha)·mMulⁱ·½(1 + cos πf) + alpha), f the part of period i that
 * is over.
 *
 * @throws ArgumentError if a rate, mMul or alpha is negative, firstDecaySteps not above 0, or tMul
 *   neither 1 nor at least 1.01.
 * @see Loshchilov and Hutter 2016; keras.optimizers.schedules.CosineDecayRestarts
 */
export function cosineDecayRestarts(options: CosineDecayRestartsOptions): Schedule {
  checkOptions('cosineDecayRestarts', options, {
    initialLearningRate: 1,
    firstDecaySteps: 1,
    tMul: 1,
    mMul: 1,
    alpha: 1,
  });
  const { initialLearningRate, firstDecaySteps, tMul = 2, mMul = 1, alpha = 0 } = options;
  expectRates('cosineDecayRestarts', { initialLearningRate, mMul, alpha });
  expectNumber('cosineDecayRestarts: firstDecaySteps', firstDecaySteps, '> 0');
  expectNumber('cosineDecayRestarts: tMul', tMul, 'a number, 1 or ≥ 1.01');
  const config = { initialLearningRate, firstDecaySteps, tMul, mMul, alpha };
  return made('cosineDecayRestarts', config, (t) => {
    // Counted rather than had from a logarithm, which misses by one at a restart. There are few: hence the least tMul.
    let [period, left, steps] = [0, t, firstDecaySteps];
    if (tMul === 1) {
      period = Math.floor(t / firstDecaySteps);
      left = t - period * firstDecaySteps;
    } else {
      for (; left >= steps; steps *= tMul, period++) left -= steps;
    }
    return initialLearningRate * line(alpha, 1, power(mMul, period) * cosineFall(left / steps));
  });
}

export interface LinearWarmupOptions {
  warmupSteps: number;
  /** What follows; its own iterations start from 0 when the warm-up is over. */
  after: number | Schedule;
  /** Default 0. */
  initialLearningRate?: number | undefined;
}

/**
 * The line from initialLearningRate to the first rate of what follows, over warmupSteps iterations; then what follows.
 *
 * @throws ArgumentError if warmupSteps or a rate is negative.
 * @see Goyal et al. 2017
 */
export function linearWarmup(options: LinearWarmupOptions): Schedule {
  const names = { warmupSteps: 1, after: 1, initialLearningRate: 1 };
  const { warmupSteps, after, initialLearningRate = 0 } = checkOptions('linearWarmup', options, names);
  expectRates('linearWarmup', { warmupSteps, initialLearningRate });
  const next = typeof after === 'number' ? constant({ learningRate: after }) : after;
  if (!isSchedule(next))
    throw new ArgumentError(`linearWarmup: after expected a number or a schedule, got ${shown(after)}`);
  return {
    name: 'linearWarmup',
    at: (t) => (t < warmupSteps ? line(initialLearningRate, next.at(0), t / warmupSteps) : next.at(t - warmupSteps)),
    config: () => ({ name: 'linearWarmup', warmupSteps, initialLearningRate, after: serialize(next) }),
  };
}
