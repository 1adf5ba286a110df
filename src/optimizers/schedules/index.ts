// Every schedule that has a name, exported under that name.
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

/**
 * A constant learning rate: lr(t) = learningRate.
 *
 * @param options.learningRate ≥ 0.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if learningRate is not a number ≥ 0, or an option is unknown.
 * @example
 * const schedule = schedules.constant({ learningRate: 0.01 });
 * schedule.at(100); // 0.01
 */
export function constant(options: { learningRate: number }): Schedule {
  const { learningRate } = checkOptions('constant', options, { learningRate: 1 });
  expectRates('constant', { learningRate });
  return made('constant', { learningRate }, () => learningRate);
}

export interface DecayOptions {
  initialLearningRate: number;
  /**
   * Iterations in which the rate is multiplied by `decayRate` once, or, for `inverseTimeDecay`, in which n grows by 1.
   * Above 0.
   */
  decaySteps: number;
  decayRate: number;
  /** Whether the rate changes only once in `decaySteps`, and not at every iteration. Default false. */
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
 * Exponential decay: lr(t) = initialLearningRate·decayRateⁿ with n = t/decaySteps, or ⌊t/decaySteps⌋ with `staircase`.
 *
 * @param options rates ≥ 0, decaySteps > 0 in iterations.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a rate is negative, decaySteps is not above 0, or an option is unknown.
 * @see keras.optimizers.schedules.ExponentialDecay
 * @example
 * const learningRate = schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 });
 * learningRate.at(200); // 0.025
 * model.compile({ optimizer: sgd({ learningRate }), loss: 'mse' });
 */
export const exponentialDecay = (options: DecayOptions): Schedule => decay('exponentialDecay', options, power);

/**
 * Decay in steps: lr(t) = initialLearningRate·decayRateⁿ with n = ⌊t/decaySteps⌋.
 *
 * @param options rates ≥ 0, decaySteps > 0 in iterations.
 * @returns the schedule `exponentialDecay` with `staircase`. It has no state and may be shared.
 * @throws ArgumentError if a rate is negative, decaySteps is not above 0, or an option is unknown.
 * @see torch.optim.lr_scheduler.StepLR
 * @example
 * const schedule = schedules.stepDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 });
 * schedule.at(199); // 0.05
 */
export const stepDecay = (options: Omit<DecayOptions, 'staircase'>): Schedule =>
  exponentialDecay({
    ...checkOptions('stepDecay', options, { initialLearningRate: 1, decaySteps: 1, decayRate: 1 }),
    staircase: true,
  });

/**
 * Inverse-time decay: lr(t) = initialLearningRate/(1 + decayRate·n) with n = t/decaySteps, or ⌊t/decaySteps⌋ with
 * `staircase`.
 *
 * @param options rates ≥ 0, decaySteps > 0 in iterations.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a rate is negative, decaySteps is not above 0, or an option is unknown.
 * @see keras.optimizers.schedules.InverseTimeDecay
 * @example
 * const schedule = schedules.inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 1 });
 * schedule.at(100); // 0.05
 */
export const inverseTimeDecay = (options: DecayOptions): Schedule =>
  decay('inverseTimeDecay', options, (decayRate, n) => 1 / (1 + decayRate * n));

export interface PiecewiseConstantDecayOptions {
  /** Last iteration of each value but the last, ascending. */
  boundaries: readonly number[];
  /** One rate more than there are boundaries, each ≥ 0. */
  values: readonly number[];
}

/**
 * Piecewise constant decay: lr(t) = values[i] for the first i with t ≤ boundaries[i], and the last value after that.
 *
 * @param options n ascending boundaries in iterations, and n + 1 values.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a number is negative, the boundaries do not ascend, the number of values is not one more
 *   than that of boundaries, or an option is unknown.
 * @see keras.optimizers.schedules.PiecewiseConstantDecay
 * @example
 * const schedule = schedules.piecewiseConstantDecay({ boundaries: [100, 200], values: [0.1, 0.01, 0.001] });
 * schedule.at(150); // 0.01
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
  /** Whether the decay is stretched to 2, 3, … times `decaySteps` each time its end is reached. Default false. */
  cycle?: boolean | undefined;
}

/**
 * Polynomial decay: lr(t) = (initialLearningRate − endLearningRate)·(1 − min(t, n)/n)^power + endLearningRate.
 *
 * n is decaySteps; with `cycle`, n is the smallest multiple of decaySteps that is at least t.
 *
 * @param options default: endLearningRate 0.0001, power 1, cycle false.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a rate or power is negative, decaySteps is not above 0, or an option is unknown.
 * @see keras.optimizers.schedules.PolynomialDecay
 * @example
 * const schedule = schedules.polynomialDecay({ initialLearningRate: 0.1, decaySteps: 100, endLearningRate: 0 });
 * schedule.at(50); // 0.05
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

/** ½(1 + cos π·fraction): 1 at fraction 0, 0 at fraction 1. */
const cosineFall = (fraction: number): number => 0.5 * (1 + cosPi(fraction));

const line = (from: number, to: number, fraction: number): number => (to - from) * fraction + from;

export interface CosineDecayOptions {
  initialLearningRate: number;
  /** Iterations from the highest rate to the lowest, not counting the warm-up. Above 0. */
  decaySteps: number;
  /** The lowest rate as a share of the highest. Default 0. */
  alpha?: number | undefined;
  /** The rate at the end of a linear warm-up. Default: no warm-up. */
  warmupTarget?: number | undefined;
  /** Iterations of the warm-up. Default 0. */
  warmupSteps?: number | undefined;
}

/**
 * Cosine decay: lr(t) = top·((1 − alpha)·½(1 + cos πf) + alpha) with f = min(t/decaySteps, 1), top =
 * initialLearningRate.
 *
 * With `warmupTarget`, the rate first rises or falls linearly from initialLearningRate to warmupTarget over warmupSteps
 * iterations. Then top = warmupTarget, and t counts from the end of the warm-up.
 *
 * @param options default: alpha 0, no warm-up.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a rate, alpha or warmupSteps is negative, decaySteps is not above 0, or an option is
 *   unknown.
 * @see Loshchilov and Hutter 2016; keras.optimizers.schedules.CosineDecay
 * @example
 * const learningRate = schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 100 });
 * model.compile({ optimizer: adam({ learningRate }), loss: 'mse' });
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
  /** Factor from the length of one period to that of the next, 1 or ≥ 1.01. Default 2. */
  tMul?: number | undefined;
  /** Factor from the top rate of one period to that of the next. Default 1. */
  mMul?: number | undefined;
  /** The lowest rate as a share of initialLearningRate. Default 0. */
  alpha?: number | undefined;
}

/**
 * Cosine decay with restarts: lr(t) = initialLearningRate·((1 − alpha)·mMulⁱ·½(1 + cos πf) + alpha).
 *
 * i counts the periods from 0. f is the elapsed share of period i. Period i has firstDecaySteps·tMulⁱ iterations.
 *
 * @param options default: tMul 2, mMul 1, alpha 0.
 * @returns a schedule. It has no state and may be shared.
 * @throws ArgumentError if a rate, mMul or alpha is negative, firstDecaySteps is not above 0, tMul is neither 1 nor at
 *   least 1.01, or an option is unknown.
 * @see Loshchilov and Hutter 2016; keras.optimizers.schedules.CosineDecayRestarts
 * @example
 * const schedule = schedules.cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 100 });
 * schedule.at(100); // 0.1
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
    // The periods are counted one by one, because a logarithm would be off by one at some restarts. The lower limit of
    // tMul keeps their number small.
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
  /** A rate, or a schedule whose iterations count from 0 at the end of the warm-up. */
  after: number | Schedule;
  /** Default 0. */
  initialLearningRate?: number | undefined;
}

/**
 * Linear warm-up, then another schedule: lr(t) = lr₀ + (after(0) − lr₀)·t/warmupSteps for t < warmupSteps, then after(t
 * − warmupSteps), with lr₀ = initialLearningRate.
 *
 * @param options default: initialLearningRate 0.
 * @returns a schedule. It has no state of its own.
 * @throws ArgumentError if warmupSteps or a rate is negative, `after` is neither a number nor a schedule, or an option
 *   is unknown.
 * @see Goyal et al. 2017
 * @example
 * const learningRate = schedules.linearWarmup({ warmupSteps: 100, after: 0.01 });
 * model.compile({ optimizer: adam({ learningRate }), loss: 'mse' });
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
