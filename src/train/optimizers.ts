import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, persistent, type Tensor } from '../autograd/tensor.ts';
import { Binary, type Kernels, type Ptr } from '../engine/abi.ts';
import { ELEMENTWISE_GRAIN } from '../engine/threads.ts';

/** What every optimizer takes. At most one way of clipping. */
export interface OptimizerOptions {
  learningRate?: number;
  /** Scales each gradient down to at most this L2 norm. */
  clipNorm?: number;
  /** Clips each element to [−clipValue, clipValue]. */
  clipValue?: number;
  /** Scales all gradients together down to at most this L2 norm. */
  globalClipNorm?: number;
}

/** A gradient was not finite; parameters and optimizer state are as they were. */
export class NonFiniteGradientError extends Error {
  override readonly name = 'NonFiniteGradientError';
}

/** The same stretch of a parameter, its gradient and its slots, by address. */
interface Range {
  count: number;
  p: Ptr;
  g: Ptr;
  slots: Ptr[];
}

/** Changes parameters by their gradients. State is made for all parameters before the first of them changes. */
export abstract class Optimizer {
  abstract readonly name: OptimizerName;
  learningRate: number;
  /** Updates made. */
  iterations = 0;
  protected abstract readonly slotNames: readonly string[];
  readonly #options: OptimizerOptions;
  readonly #slots = new Map<Parameter, Tensor[]>();

  constructor(options: OptimizerOptions, defaultLearningRate: number) {
    this.learningRate = options.learningRate ?? defaultLearningRate;
    if (!(this.learningRate >= 0)) {
      throw new ArgumentError(`optimizer: learningRate expected ≥ 0, got ${options.learningRate}`);
    }
    const clips = (['clipNorm', 'clipValue', 'globalClipNorm'] as const).filter((key) => options[key] !== undefined);
    if (clips.length > 1)
      throw new ArgumentError(`optimizer: expected one way of clipping, got ${clips.join(' and ')}`);
    for (const key of clips) {
      if (!(options[key]! > 0)) throw new ArgumentError(`optimizer: ${key} expected > 0, got ${options[key]}`);
    }
    this.#options = options;
  }

  /**
   * One update of every parameter.
   *
   * @param parameters distinct; `gradients[i]` has the shape of `parameters[i]` and may be overwritten.
   * @returns the L2 norm of all gradients together, before clipping.
   * @throws NonFiniteGradientError if that norm is not finite, OutOfMemoryError if state does not fit; nothing has changed then.
   */
  apply(parameters: readonly Parameter[], gradients: readonly Tensor[]): number {
    const squares = gradients.map((g) => g.engine.kernels.sum_squares(g.size, g.ptr));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    if (!Number.isFinite(norm)) {
      const at = squares.findIndex((square) => !Number.isFinite(square));
      throw new NonFiniteGradientError(
        `the gradient of '${parameters[at]?.name}' is not finite at step ${this.iterations + 1}`,
      );
    }
    const { clipNorm, clipValue, globalClipNorm } = this.#options;
    const updates = parameters.map((parameter, i) => ({
      parameter,
      gradient: gradients[i]!,
      slots: this.#slotsOf(parameter),
      scale: clipFactor(norm, globalClipNorm) * clipFactor(Math.sqrt(squares[i]!), clipNorm),
    }));
    if (clipValue !== undefined) for (const { gradient } of updates) clipElements(gradient, clipValue);
    this.iterations++;
    for (const update of updates) {
      const { parameter, gradient, slots } = update;
      const { engine, size, ptr } = parameter.tensor;
      engine.parallel(size, ELEMENTWISE_GRAIN, ({ kernels, from, to }) => {
        const [at, count] = [4 * from, to - from];
        this.update(
          kernels,
          { count, p: ptr + at, g: gradient.ptr + at, slots: slots.map((slot) => slot.ptr + at) },
          update.scale,
        );
      });
      parameter.version++;
    }
    return norm;
  }

  /** Options that make an equal optimizer. */
  config(): OptimizerConfig {
    return { ...this.#options, ...this.ownConfig(), name: this.name, learningRate: this.learningRate };
  }

  /** State of `parameters` by name, `parameter/slot`; made where there is none yet. */
  state(parameters: readonly Parameter[]): Map<string, Tensor> {
    return new Map(
      parameters.flatMap((parameter) =>
        this.#slotsOf(parameter).map((slot, i) => [`${parameter.name}/${this.slotNames[i]}`, slot] as const),
      ),
    );
  }

  /** Frees the state. */
  dispose(): void {
    for (const slots of this.#slots.values()) for (const slot of slots) slot.dispose();
    this.#slots.clear();
  }

  /** Updates a range of a parameter with the rule of this optimizer. */
  protected abstract update(kernels: Kernels, range: Range, scale: number): void;
  protected abstract ownConfig(): Record<string, number | boolean | undefined>;
  protected initialSlotValue(): number {
    return 0;
  }

  #slotsOf(parameter: Parameter): Tensor[] {
    let slots = this.#slots.get(parameter);
    if (!slots) {
      const { engine } = parameter.tensor;
      slots = this.slotNames.map((name) => {
        const slot = persistent(parameter.shape, { name: `${parameter.name}/${name}`, engine });
        engine.kernels.fill(slot.size, this.initialSlotValue(), slot.ptr);
        return slot;
      });
      this.#slots.set(parameter, slots);
    }
    return slots;
  }
}

const clipFactor = (norm: number, limit: number | undefined): number =>
  limit !== undefined && norm > limit ? limit / norm : 1;

function clipElements(gradient: Tensor, limit: number): void {
  const { engine, size, ptr } = gradient;
  engine.scratch(() => {
    const bound = engine.allocateScratch(1);
    engine.f32(bound, 1)[0] = limit;
    engine.kernels.binary(Binary.Min, 1, size, ptr, size, 1, bound, 0, 0, ptr);
    engine.f32(bound, 1)[0] = -limit;
    engine.kernels.binary(Binary.Max, 1, size, ptr, size, 1, bound, 0, 0, ptr);
  });
}

/** base^exponent by squaring: host powers differ in their last bits. */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  momentum?: number;
  /** Default false. */
  nesterov?: boolean;
}

class Sgd extends Optimizer {
  readonly name = 'sgd';
  protected readonly slotNames: readonly string[];
  readonly #momentum: number;
  readonly #nesterov: boolean;

  constructor(options: SgdOptions) {
    super(options, 0.01);
    this.#momentum = options.momentum ?? 0;
    this.#nesterov = options.nesterov ?? false;
    if (!(this.#momentum >= 0 && this.#momentum <= 1)) {
      throw new ArgumentError(`sgd: momentum expected in [0, 1], got ${options.momentum}`);
    }
    this.slotNames = this.#momentum > 0 ? ['momentum'] : [];
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, scale: number): void {
    kernels.sgd(count, p, g, slots[0] ?? 0, scale, this.learningRate, this.#momentum, +this.#nesterov);
  }

  protected override ownConfig() {
    return { momentum: this.#momentum, nesterov: this.#nesterov };
  }
}

/**
 * p ← p − lr·g; with momentum v ← m·v − lr·g, p ← p + v; with Nesterov's p ← p + m·v − lr·g. Default lr 0.01.
 *
 * @see keras.optimizers.SGD
 */
export const sgd = (options: SgdOptions = {}): Optimizer => new Sgd(options);

export interface RmspropOptions extends OptimizerOptions {
  /** Default 0.9. */
  rho?: number;
  /** Default 0. */
  momentum?: number;
  /** Default 1e-7. */
  epsilon?: number;
  /** Whether to divide by the variance rather than the second moment. Default false. */
  centered?: boolean;
}

class Rmsprop extends Optimizer {
  readonly name = 'rmsprop';
  protected readonly slotNames: readonly string[];
  readonly #options: Required<Pick<RmspropOptions, 'rho' | 'momentum' | 'epsilon' | 'centered'>>;

  constructor({ rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false, ...options }: RmspropOptions) {
    super(options, 0.001);
    this.#options = { rho, momentum, epsilon, centered };
    this.slotNames = ['velocity', ...(momentum > 0 ? ['momentum'] : []), ...(centered ? ['average_gradient'] : [])];
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, scale: number): void {
    const { rho, momentum, epsilon, centered } = this.#options;
    const mom = momentum > 0 ? slots[1]! : 0;
    const average = centered ? slots.at(-1)! : 0;
    const hyper = [scale, this.learningRate, rho, momentum, epsilon] as const;
    kernels.rmsprop(count, p, g, slots[0]!, mom, average, ...hyper);
  }

  protected override ownConfig() {
    return this.#options;
  }
}

/**
 * v ← ρ·v + (1 − ρ)·g², p ← p − lr·g/√(v + ε). Default lr 0.001, ρ 0.9, ε 1e-7.
 *
 * @see Tieleman and Hinton 2012; keras.optimizers.RMSprop
 */
export const rmsprop = (options: RmspropOptions = {}): Optimizer => new Rmsprop(options);

export interface AdamOptions extends OptimizerOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

export interface AdamwOptions extends AdamOptions {
  /** Default 0.004. */
  weightDecay?: number;
}

class Adam extends Optimizer {
  readonly name: 'adam' | 'adamw';
  protected readonly slotNames = ['momentum', 'velocity'];
  readonly #options: Required<Pick<AdamwOptions, 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>>;

  constructor(name: 'adam' | 'adamw', given: AdamwOptions) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0, ...options } = given;
    super(options, 0.001);
    for (const [key, beta] of Object.entries({ beta1, beta2 })) {
      if (!(beta >= 0 && beta < 1)) throw new ArgumentError(`${name}: ${key} expected in [0, 1), got ${beta}`);
    }
    this.name = name;
    this.#options = { beta1, beta2, epsilon, weightDecay };
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, scale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const t = this.iterations;
    const alpha = (this.learningRate * Math.sqrt(1 - power(beta2, t))) / (1 - power(beta1, t));
    const [m, v] = slots as [Ptr, Ptr];
    const hyper = [scale, alpha, beta1, beta2, epsilon, this.learningRate * weightDecay] as const;
    kernels.adam(count, p, g, m, v, ...hyper);
  }

  protected override ownConfig() {
    return this.#options;
  }
}

/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε).
 * Default lr 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7, which stands outside the root and before the correction, as in Keras.
 *
 * @see Kingma and Ba 2014; keras.optimizers.Adam
 */
export const adam = (options: AdamOptions = {}): Optimizer => new Adam('adam', { ...options, weightDecay: 0 });

/**
 * Adam with p ← p − lr·weightDecay·p before each update. Default weightDecay 0.004.
 *
 * @see Loshchilov and Hutter 2017; keras.optimizers.AdamW
 */
export const adamw = (options: AdamwOptions = {}): Optimizer => new Adam('adamw', { weightDecay: 0.004, ...options });

export interface AdagradOptions extends OptimizerOptions {
  /** What the sum of squares starts from. Default 0.1. */
  initialAccumulatorValue?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

class Adagrad extends Optimizer {
  readonly name = 'adagrad';
  protected readonly slotNames = ['accumulator'];
  readonly #initial: number;
  readonly #epsilon: number;

  constructor({ initialAccumulatorValue = 0.1, epsilon = 1e-7, ...options }: AdagradOptions) {
    super(options, 0.001);
    this.#initial = initialAccumulatorValue;
    this.#epsilon = epsilon;
  }

  protected override initialSlotValue(): number {
    return this.#initial;
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, scale: number): void {
    kernels.adagrad(count, p, g, slots[0]!, scale, this.learningRate, this.#epsilon);
  }

  protected override ownConfig() {
    return { initialAccumulatorValue: this.#initial, epsilon: this.#epsilon };
  }
}

/**
 * a ← a + g², p ← p − lr·g/√(a + ε). Default lr 0.001, a starts at 0.1, ε 1e-7.
 *
 * @see Duchi, Hazan and Singer 2011; keras.optimizers.Adagrad
 */
export const adagrad = (options: AdagradOptions = {}): Optimizer => new Adagrad(options);

const optimizers = { sgd, rmsprop, adam, adamw, adagrad };

export type OptimizerName = keyof typeof optimizers;
export type OptimizerConfig = { name: OptimizerName } & Record<string, number | boolean | string | undefined>;

/** The optimizer that a configuration describes. Throws `ArgumentError` for an unknown name. */
export function optimizerOf({ name, ...options }: OptimizerConfig): Optimizer {
  if (!Object.hasOwn(optimizers, name)) {
    throw new ArgumentError(`optimizer expected one of ${Object.keys(optimizers).join(', ')}, got '${name}'`);
  }
  return optimizers[name](options as never);
}
