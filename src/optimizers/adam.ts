import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Defined, type Names } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { integerPower } from '../engine/float64.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

/** Options of the Adam family. */
export interface MomentsOptions extends OptimizerOptions {
  /** Decay of the first moment, in [0, 1). Default 0.9. */
  beta1?: number | undefined;
  /** Decay of the second moment, in [0, 1). Default 0.999. */
  beta2?: number | undefined;
  /** Added to the denominator, ≥ 0. Default 1e-7. */
  epsilon?: number | undefined;
}

export interface AdamOptions extends MomentsOptions {
  /** Whether the denominator uses the largest v so far (AMSGrad). Default false. */
  amsgrad?: boolean | undefined;
  /**
   * Whether epsilon is multiplied by √(1 − beta2ᵗ), which adds it to √v after the bias correction, as PyTorch and TF.js
   * do, and not before, as Keras does. Default false.
   */
  scaleEpsilon?: boolean | undefined;
}

export interface AdamwOptions extends AdamOptions {
  /** Default 0.004. */
  weightDecay?: number | undefined;
}

export type Moments = Defined<Pick<MomentsOptions, 'beta1' | 'beta2' | 'epsilon'>>;

/** Checks the options of an optimizer of the Adam family, and separates its moments from the other options. */
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
  readonly #own: Moments & { amsgrad: boolean; scaleEpsilon: boolean };

  constructor(name: 'adam' | 'adamw', given: AdamOptions, defaultDecay?: number) {
    const [moments, { amsgrad = false, scaleEpsilon = false, weightDecay = defaultDecay, ...options }] = momentsOf(
      name,
      given,
      { amsgrad: true, scaleEpsilon: true },
    );
    super({ ...options, weightDecay }, 0.001);
    this.name = name;
    this.#own = { ...moments, amsgrad, scaleEpsilon };
    this.slotNames = ['momentum', 'velocity', ...(amsgrad ? ['velocity_hat'] : [])];
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, update: Update): void {
    const { t, learningRate, gradScale, decay } = update;
    const { beta1, beta2, epsilon, scaleEpsilon } = this.#own;
    const root = Math.sqrt(1 - integerPower(beta2, t));
    const alpha = (learningRate * root) / (1 - integerPower(beta1, t));
    const hyper = [gradScale, alpha, beta1, beta2, epsilon * (scaleEpsilon ? root : 1), decay] as const;
    kernels.adam(count, p, g, slots[0]!, slots[1]!, slots[2] ?? 0, ...hyper);
  }

  protected override ownConfig() {
    return this.#own;
  }
}

/**
 * Adam: steps from running averages of the gradient and of its square, with bias correction.
 *
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε)
 *
 * As in Keras, ε is added to √v before the bias correction; with `scaleEpsilon` after it, as in PyTorch and TF.js.
 *
 * @param options default: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7, amsgrad and scaleEpsilon false.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Kingma and Ba 2014; keras.optimizers.Adam; amsgrad: Reddi, Kale and Kumar 2018
 * @example
 * model.compile({ optimizer: adam({ learningRate: 0.01, globalClipNorm: 1 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const adam = (options: AdamOptions = {}): Optimizer => new Adam('adam', options);

/**
 * Adam with decoupled weight decay: p ← p − lr·weightDecay·p before each update of `adam`.
 *
 * @param options default: weightDecay 0.004; the other options are those of `adam`.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Loshchilov and Hutter 2017; keras.optimizers.AdamW
 * @example
 * model.compile({ optimizer: adamw({ weightDecay: 0.01, excludeFromWeightDecay: ['bias'] }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const adamw = (options: AdamwOptions = {}): Optimizer => new Adam('adamw', options, 0.004);
