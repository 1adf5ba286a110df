import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay ρ of both running averages, in [0, 1]. Default 0.95. */
  rho?: number | undefined;
  /** Added to both averages under their roots, ≥ 0. Default 1e-7. */
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
 * Adadelta: step sizes from running averages of squared gradients and squared steps.
 *
 * a ← ρ·a + (1 − ρ)·g², s = √(d + ε)/√(a + ε)·g, d ← ρ·d + (1 − ρ)·s², p ← p − lr·s
 *
 * The rule of the paper has lr = 1.
 *
 * @param options default: learningRate 0.001, rho 0.95, epsilon 1e-7.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Zeiler 2012; keras.optimizers.Adadelta
 * @example
 * model.compile({ optimizer: adadelta({ learningRate: 1 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const adadelta = (options: AdadeltaOptions = {}): Optimizer => new Adadelta(options);
