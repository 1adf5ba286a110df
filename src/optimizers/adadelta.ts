import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface AdadeltaOptions extends OptimizerOptions {
  /** Default 0.95. */
  rho?: number | undefined;
  /** Default 1e-7. */
  epsilon?: number | undefined;
}

class Adadelta extends Optimizer {
  readonly name = 'adadelta';
  protected readonly slotNames = ['accumulated_grad', 'accumulated_delta_var'];
  readonly #rho: number;
  readonly #epsilon: number;

  constructor(given: AdadeltaOptions) {
    const names = { rho: 1, epsilon: 1, ...optimizerNames };
    const { rho = 0.95, epsilon = 1e-7, ...options } = checkOptions('adadelta', given, names);
    super(options, 0.001);
    expectNumber('adadelta: rho', rho, 'in [0, 1]');
    expectNumber('adadelta: epsilon', epsilon, '≥ 0');
    this.#rho = rho;
    this.#epsilon = epsilon;
  }

  protected override update(
    kernels: Kernels,
    { count, p, g, slots }: Range,
    { learningRate, gradScale }: Update,
  ): void {
    kernels.adadelta(count, p, g, slots[0]!, slots[1]!, gradScale, learningRate, this.#rho, this.#epsilon);
  }

  protected override ownConfig() {
    return { rho: this.#rho, epsilon: this.#epsilon };
  }
}

/**
 * a ← ρ·a + (1 − ρ)·g², s = √(d + ε)/√(a + ε)·g, d ← ρ·d + (1 − ρ)·s², p ← p − lr·s. Default lr 0.001, ρ 0.95, ε 1e-7.
 *
 * The paper has no learning rate, which is one of 1.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Zeiler 2012; keras.optimizers.Adadelta
 */
export const adadelta = (options: AdadeltaOptions = {}): Optimizer => new Adadelta(options);
