import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Defined, type Names } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { integerPower } from '../engine/float64.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

/** What the rules of the Adam family take. */
export interface MomentsOptions extends OptimizerOptions {
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.999. */
  beta2?: number | undefined;
  /** Default 1e-7. */
  epsilon?: number | undefined;
}

export interface AdamOptions extends MomentsOptions {
  /** Whether the root is of the greatest v so far. Default false. */
  amsgrad?: boolean | undefined;
}

export interface AdamwOptions extends AdamOptions {
  /** Default 0.004. */
  weightDecay?: number | undefined;
}

export type Moments = Defined<Pick<MomentsOptions, 'beta1' | 'beta2' | 'epsilon'>>;

/** The options of the Adam family, checked and apart from those of every optimizer. */
export function momentsOf<O extends MomentsOptions>(
  name: string,
  given: O,
  own: Names<Omit<O, keyof MomentsOptions>>,
): [Moments, Omit<O, keyof Moments>] {
  const names = { beta1: 1, beta2: 1, epsilon: 1, ...own, ...optimizerNames };
  const {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-7,
    ...options
  } = checkOptions(name, given, names as Names<NoInfer<O>>);
  for (const [key, beta] of Object.entries({ beta1, beta2 })) expectNumber(`${name}: ${key}`, beta, 'in [0, 1)');
  expectNumber(`${name}: epsilon`, epsilon, '≥ 0');
  return [{ beta1, beta2, epsilon }, options];
}

class Adam extends Optimizer {
  readonly name: 'adam' | 'adamw';
  protected readonly slotNames: readonly string[];
  protected override readonly fusesDecay = true;
  readonly #moments: Moments;
  readonly #amsgrad: boolean;

  constructor(name: 'adam' | 'adamw', given: AdamOptions, defaultDecay?: number) {
    const [moments, { amsgrad = false, weightDecay = defaultDecay, ...options }] = momentsOf(name, given, {
      amsgrad: true,
    });
    super({ ...options, weightDecay }, 0.001);
    this.name = name;
    this.#moments = moments;
    this.#amsgrad = amsgrad;
    this.slotNames = ['momentum', 'velocity', ...(amsgrad ? ['velocity_hat'] : [])];
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, update: Update): void {
    const { t, learningRate, gradScale, decay } = update;
    const { beta1, beta2, epsilon } = this.#moments;
    const alpha = (learningRate * Math.sqrt(1 - integerPower(beta2, t))) / (1 - integerPower(beta1, t));
    const hyper = [gradScale, alpha, beta1, beta2, epsilon, decay] as const;
    kernels.adam(count, p, g, slots[0]!, slots[1]!, slots[2] ?? 0, ...hyper);
  }

  protected override ownConfig() {
    return { ...this.#moments, amsgrad: this.#amsgrad };
  }
}

/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε).
 * Default lr 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7, which stands outside the root and before the correction, as in Keras.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Kingma and Ba 2014; keras.optimizers.Adam; amsgrad: Reddi, Kale and Kumar 2018
 */
export const adam = (options: AdamOptions = {}): Optimizer => new Adam('adam', options);

/**
 * Adam with p ← p − lr·weightDecay·p before each update. Default weightDecay 0.004.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Loshchilov and Hutter 2017; keras.optimizers.AdamW
 */
export const adamw = (options: AdamwOptions = {}): Optimizer => new Adam('adamw', options, 0.004);
