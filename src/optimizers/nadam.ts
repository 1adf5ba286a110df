import type { Kernels } from '../engine/abi.ts';
import { integerPower } from '../engine/float64.ts';
import { type Moments, type MomentsOptions, momentsOf } from './adam.ts';
import { Optimizer } from './optimizer.ts';
import type { Range, Update } from './update.ts';

class Nadam extends Optimizer {
  readonly name = 'nadam';
  protected readonly slotNames = ['momentum', 'velocity'];
  readonly #moments: Moments;
  // u₁·u₂·…·uₜ for the t last asked for. It is a function of t alone, so that nothing of it need be saved.
  #product = { t: 0, value: 1 };

  constructor(given: MomentsOptions) {
    const [moments, options] = momentsOf('nadam', given, {});
    super(options, 0.001);
    this.#moments = moments;
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, update: Update): void {
    const { t, learningRate, gradScale } = update;
    const { beta1, beta2, epsilon } = this.#moments;
    const product = this.#productUpTo(t);
    const next = this.#momentumAt(t + 1);
    // Numerator and denominator times √(1 − β₂ᵗ), which leaves √v alone.
    const root = Math.sqrt(1 - integerPower(beta2, t));
    const alpha = (learningRate * root * next) / (1 - product * next);
    const alphaG = (learningRate * root * (1 - this.#momentumAt(t))) / (1 - product);
    const hyper = [gradScale, alpha, alphaG, beta1, beta2, epsilon * root] as const;
    kernels.nadam(count, p, g, slots[0]!, slots[1]!, ...hyper);
  }

  protected override ownConfig() {
    return this.#moments;
  }

  #momentumAt(t: number): number {
    return this.#moments.beta1 * (1 - 0.5 * integerPower(0.96, t));
  }

  #productUpTo(t: number): number {
    if (t < this.#product.t) this.#product = { t: 0, value: 1 };
    // Once it is 0 it stays so, after some thousands.
    while (this.#product.t < t && this.#product.value > 0) this.#product.value *= this.#momentumAt(++this.#product.t);
    return this.#product.value;
  }
}

/**
 * Adam with Nesterov's momentum, m and v as in `adam`, uₜ = β₁(1 − ½·0.96ᵗ), Uₜ = u₁·u₂·…·uₜ: p ← p − lr·(uₜ₊₁·m/(1 −
 * Uₜ₊₁) + (1 − uₜ)·g/(1 − Uₜ))/(√(v/(1 − β₂ᵗ)) + ε). Default lr 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Dozat 2016; keras.optimizers.Nadam
 */
export const nadam = (options: MomentsOptions = {}): Optimizer => new Nadam(options);
