import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface LionOptions extends OptimizerOptions {
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.99. */
  beta2?: number | undefined;
}

class Lion extends Optimizer {
  readonly name = 'lion';
  protected readonly slotNames = ['momentum'];
  readonly #betas: { beta1: number; beta2: number };

  constructor(given: LionOptions) {
    const names = { beta1: 1, beta2: 1, ...optimizerNames };
    const { beta1 = 0.9, beta2 = 0.99, ...options } = checkOptions('lion', given, names);
    super(options, 0.001);
    for (const [key, beta] of Object.entries({ beta1, beta2 })) expectNumber(`lion: ${key}`, beta, 'in [0, 1]');
    this.#betas = { beta1, beta2 };
  }

  protected override update(
    kernels: Kernels,
    { count, p, g, slots }: Range,
    { learningRate, gradScale }: Update,
  ): void {
    kernels.lion(count, p, g, slots[0]!, gradScale, learningRate, this.#betas.beta1, this.#betas.beta2);
  }

  protected override ownConfig() {
    return this.#betas;
  }
}

/**
 * p ← p − lr·sign(β₁m + (1 − β₁)g), then m ← β₂m + (1 − β₂)g. Default lr 0.001, β₁ 0.9, β₂ 0.99.
 *
 * Every element moves by lr: it wants a learning rate 3 to 10 times smaller than Adam's.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Chen et al. 2023; keras.optimizers.Lion
 */
export const lion = (options: LionOptions = {}): Optimizer => new Lion(options);
