import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface LionOptions extends OptimizerOptions {
  /** Weight of the momentum in the step, in [0, 1]. Default 0.9. */
  beta1?: number | undefined;
  /** Decay of the momentum, in [0, 1]. Default 0.99. */
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
 * Lion: every element moves by lr, in the direction of the sign of an interpolated momentum.
 *
 * p ← p − lr·sign(β₁m + (1 − β₁)g), then m ← β₂m + (1 − β₂)g
 *
 * The paper uses a learning rate 3 to 10 times smaller than that of Adam.
 *
 * @param options default: learningRate 0.001, beta1 0.9, beta2 0.99.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Chen et al. 2023; keras.optimizers.Lion
 * @example
 * model.compile({ optimizer: lion({ learningRate: 0.0003 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const lion = (options: LionOptions = {}): Optimizer => new Lion(options);
