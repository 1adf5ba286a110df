import { Parameter, totalSize } from '../autograd/parameter.ts';
import { expectEngine, expectF32, expectShape, persistent, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList, shownForeign } from '../checks/argument-error.ts';
import { NonFiniteGradientError } from '../checks/divergence.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { Binary, type Kernels, type Ptr } from '../engine/abi.ts';
import { ELEMENTWISE_GRAIN } from '../engine/threads.ts';
import { disposeOnUndo, recordChange, transaction } from '../engine/transaction.ts';
import { classOf } from '../host/class-of.ts';
import type { Json } from '../io/model-file.ts';
import { customName } from '../registry/custom-objects.ts';
import { checkedLearningRate, checkRanges, type OptimizerOptions } from './optimizer-options.ts';
import { type Schedule, serialize } from './schedules/schedule.ts';
import { CHUNK, type Range, type Run, type Update, wholeLines } from './update.ts';

export type OptimizerConfig = { readonly name: string; readonly [option: string]: Json | undefined };

/**
 * Optimizer state of one parameter: the slots of the update rule, and the buffers of gradient accumulation and of the
 * moving average, if these options are on.
 */
interface State {
  slots: Tensor[];
  accumulator: Tensor | undefined;
  average: Tensor | undefined;
}

// A limit below which no update rule can overflow float32. The norms of gradient and state are at most this limit, the
// learning rate is at most its root, and epsilon is at least its inverse. The state then grows to at most 1e24. A step
// is at most 1e30, which is too small to change the largest float32 numbers.
const SAFE_NORM = 1e12;

/**
 * Base class of optimizers, which update parameters by their gradients. An update makes the state of all parameters
 * before it changes the first of them.
 */
export abstract class Optimizer {
  abstract readonly name: string;
  /**
   * Number of batches whose gradients were applied or accumulated: `gradientAccumulationSteps`·`iterations`, plus the
   * batches since the last update. Schedules get this number.
   */
  steps = 0;
  protected abstract readonly slotNames: readonly string[];
  /** Whether `update` also applies the weight decay. */
  protected readonly fusesDecay: boolean = false;
  readonly #options: OptimizerOptions;
  #learningRate: number | Schedule;
  readonly #states = new Map<Parameter, State>();
  readonly #swapped = new Set<Parameter>();
  // Whether the state may be so large that an update could overflow: the last check found it large, or `state` gave it
  // to a caller, who may have changed it.
  #mayOverflow = false;
  // Epsilon of the update rule, 1 if it has none. Undefined until the first `apply`, because the constructor of the
  // subclass sets it later than this one runs.
  #epsilon: number | undefined;

  constructor(options: OptimizerOptions, defaultLearningRate: number) {
    checkRanges(options);
    const { learningRate = defaultLearningRate } = options;
    this.#learningRate = checkedLearningRate(learningRate);
    this.#options = options;
  }

  /** Number of updates made. */
  get iterations(): number {
    return Math.floor(this.steps / this.#accumulationSteps);
  }

  /** The learning rate of the next update. */
  get learningRate(): number {
    return typeof this.#learningRate === 'number' ? this.#learningRate : this.#learningRate.at(this.steps);
  }

  /** Throws `ArgumentError` for a negative number, and for any number if the optimizer has a schedule, as in Keras. */
  set learningRate(value: number | Schedule) {
    if (typeof value === 'number' && typeof this.#learningRate !== 'number') {
      throw new ArgumentError(
        `${this.name}: learningRate follows the schedule '${this.#learningRate.name}' and cannot be set to ${value}; give another schedule, or make the optimizer with a number`,
      );
    }
    this.#learningRate = checkedLearningRate(value);
  }

  /**
   * Updates every `trainable` parameter by the gradients of one batch. With `gradientAccumulationSteps` k, it adds the
   * gradients up and updates by the mean of k batches at every k-th call.
   *
   * One call is one step. As in Keras, all parameters share one step count, which schedules and the bias corrections of
   * Adam use. One call therefore gets all parameters that a step changes. Parts of a model that are trained in turn
   * each need their own optimizer.
   *
   * @param parameters distinct parameters. `gradients[i]` has the shape of `parameters[i]` and may be overwritten.
   * @returns the L2 norm of the gradients of all trainable parameters together, before clipping.
   * @throws NonFiniteGradientError if the norm of the gradients or of their mean is not finite, or a parameter or its
   *   state would not stay finite; OutOfMemoryError if there is no memory for the state; ArgumentError if a gradient
   *   does not fit its parameter, a schedule does not return a learning rate, a parameter is swapped with its average,
   *   or a constraint returns another shape or a value that is not finite. After an error parameters and state are as
   *   before.
   */
  apply(parameters: readonly Parameter[], gradients: readonly Tensor[]): number {
    this.#expectGradients(parameters, gradients);
    gradients = gradients.filter((_, i) => parameters[i]!.trainable);
    parameters = parameters.filter(({ trainable }) => trainable);
    this.#expectNotSwapped(parameters);
    const squares = this.#squares(parameters, gradients);
    const states = parameters.map((parameter) => this.#stateOf(parameter));
    const t = this.iterations + 1;
    const isUpdate = (this.steps + 1) % this.#accumulationSteps === 0;
    const updates = isUpdate ? this.#prepare(parameters, gradients, states, squares, t) : undefined;
    const { emaMomentum = 0.99, emaOverwriteFrequency = Number.POSITIVE_INFINITY } = this.#options;
    // As in Keras, the average equals p until the first update is done, and it is also updated after batches that only
    // accumulate gradients.
    const ema = { keep: t === 1 ? 0 : emaMomentum, overwrite: t % emaOverwriteFrequency === 0 };
    // Addresses of the buffers that the update writes: p, the slots of the rule, and the accumulator and the average if
    // they exist.
    const buffers = parameters.map(({ tensor }, i) => [tensor, ...tensorsOf(states[i]!)].map(({ ptr }) => ptr));
    const run: Run = (kernels, i, count, g, [p, ...state]) => {
      const { slots, accumulator } = states[i]!;
      const update = updates?.[i];
      const rest = state.splice(slots.length);
      if (update) {
        if (update.decay > 0 && !this.fusesDecay) kernels.axpy(count, -update.decay, p!, p!);
        this.update(kernels, { count, p: p!, g, slots: state }, update);
      }
      if (accumulator) {
        const sum = rest.shift()!;
        if (update) kernels.fill(count, 0, sum);
        else kernels.axpy(count, 1, g, sum);
      }
      for (const average of rest) {
        kernels.scale(count, ema.keep, average, average);
        kernels.axpy(count, 1 - ema.keep, p!, average);
        if (ema.overwrite) kernels.scale(count, 1, average, p!);
      }
    };
    if (this.#mayOverflow || !squares.every((square, i) => this.#cannotOverflow(updates?.[i], square))) {
      this.#expectFinite(parameters, buffers, (kernels, i, to) =>
        run(kernels, i, parameters[i]!.size, gradients[i]!.ptr, to),
      );
    }

    const constrain = parameters.find(({ constraint }) => constraint)?.constraint?.begin(parameters, buffers);
    // No code below may fail, except that `constrain` undoes the update if it fails.
    parameters[0]?.tensor.engine.parallel(totalSize(parameters), ELEMENTWISE_GRAIN, ({ kernels, from, to, keep }) => {
      let start = 0;
      parameters.forEach(({ size }, i) => {
        const [end, chunk] = [Math.min(wholeLines(to - start), size), keep ? CHUNK : size];
        for (let at = Math.max(wholeLines(from - start), 0); at < end; at += chunk) {
          const count = Math.min(chunk, end - at);
          const chunkBuffers = buffers[i]!.map((ptr) => ptr + 4 * at);
          keep?.(chunkBuffers, count);
          run(kernels, i, count, gradients[i]!.ptr + 4 * at, chunkBuffers);
        }
        start += size;
      });
    });
    // As in Keras, constraints come after moving averages.
    constrain?.();
    this.steps++;
    if (isUpdate || (this.#options.useEma && ema.overwrite)) for (const parameter of parameters) parameter.version++;
    return totalNorm(squares);
  }

  /** Whether no update rule can overflow with these numbers. */
  #cannotOverflow(update: Update | undefined, squares: number): boolean {
    this.#epsilon ??= (this.ownConfig().epsilon as number | undefined) ?? 1;
    const { norm, learningRate, decay } = update ?? { norm: Math.sqrt(squares), learningRate: 0, decay: 0 };
    return norm <= SAFE_NORM && learningRate <= Math.sqrt(SAFE_NORM) && decay <= 1 && this.#epsilon * SAFE_NORM >= 1;
  }

  /** Makes the update on copies. Throws `NonFiniteGradientError` if a result is not finite. */
  #expectFinite(
    parameters: readonly Parameter[],
    buffers: readonly Ptr[][],
    run: (kernels: Kernels, i: number, to: Ptr[]) => void,
  ): void {
    let mayOverflow = false;
    parameters.forEach(({ name, size, tensor: { engine } }, i) => {
      const { kernels } = engine;
      engine.scratch(() => {
        const copies = buffers[i]!.map((ptr) => {
          const copy = engine.allocateScratch(size);
          kernels.scale(size, 1, ptr, copy);
          return copy;
        });
        run(kernels, i, copies);
        copies.forEach((copy, j) => {
          const squares = kernels.sum_squares(size, copy);
          if (!Number.isFinite(squares)) {
            throw new NonFiniteGradientError(`the update of '${name}' is not finite at step ${this.steps + 1}`);
          }
          mayOverflow ||= j > 0 && squares > SAFE_NORM ** 2;
        });
      });
    });
    this.#mayOverflow = mayOverflow;
  }

  /**
   * Exchanges parameters with their moving averages. A second call exchanges them back. A parameter that has no average
   * yet does not change.
   *
   * A model that is saved between the two calls has its averages as weights.
   *
   * @throws ArgumentError without `useEma`.
   */
  swapEma(parameters: readonly Parameter[]): void {
    for (const [parameter, average] of this.#averagesOf(parameters)) {
      const values = parameter.toArray();
      parameter.tensor.set(average.dataView());
      average.set(values);
      if (!this.#swapped.delete(parameter)) this.#swapped.add(parameter);
    }
  }

  /**
   * Runs `body` with the moving averages in place of the parameters.
   *
   * @returns the result of `body`. `body` must not use the parameters after it returns.
   * @throws ArgumentError without `useEma`, or if `body` returns a promise. Asynchronous code can call `swapEma` before
   *   and after instead.
   */
  withEma<T>(parameters: readonly Parameter[], body: () => T): T {
    this.swapEma(parameters);
    try {
      const result = body();
      if (classOf(result) === 'Promise') {
        throw new ArgumentError('withEma: body expected to be done, got a promise; swapEma does for it');
      }
      return result;
    } finally {
      this.swapEma(parameters);
    }
  }

  /** Whether any parameter is exchanged with its average by `swapEma`. */
  get isSwapped(): boolean {
    return this.#swapped.size > 0;
  }

  /** Sets the parameters to their moving averages, as at the end of training. Does nothing without `useEma`. */
  finalizeVariableValues(parameters: readonly Parameter[]): void {
    if (!this.#options.useEma) return;
    if (this.isSwapped) this.swapEma(parameters);
    for (const [parameter, average] of this.#averagesOf(parameters)) {
      parameter.tensor.set(average.dataView());
    }
  }

  /** Options that make an equal optimizer. A custom schedule or function is given by its name. */
  config(): OptimizerConfig {
    const { excludeFromWeightDecay: excluded, learningRate: _, ...options } = this.#options;
    const excludeFromWeightDecay = typeof excluded === 'function' ? customName(excluded.name) : excluded;
    const learningRate = typeof this.#learningRate === 'number' ? this.#learningRate : serialize(this.#learningRate);
    return { ...options, excludeFromWeightDecay, ...this.ownConfig(), name: this.name, learningRate };
  }

  /** State tensors of `parameters` by name, `parameter/slot`. Missing state is made. */
  state(parameters: readonly Parameter[]): Map<string, Tensor> {
    this.#mayOverflow = true;
    return new Map(
      // A parameter may have been renamed after its slots were made.
      parameters.flatMap((parameter) =>
        tensorsOf(this.#stateOf(parameter)).map((slot) => [
          parameter.name + slot.name.slice(slot.name.lastIndexOf('/')),
          slot,
        ]),
      ),
    );
  }

  /** Frees the state of some parameters; by default, of all. */
  dispose(parameters: Iterable<Parameter> = [...this.#states.keys()]): void {
    for (const parameter of parameters) {
      const state = this.#states.get(parameter);
      if (state) for (const slot of tensorsOf(state)) slot.dispose();
      this.#states.delete(parameter);
      this.#swapped.delete(parameter);
    }
  }

  /** Updates a range of a parameter with the rule of this optimizer. It may only call kernels. @internal */
  protected abstract update(kernels: Kernels, range: Range, update: Update): void;
  protected abstract ownConfig(): Record<string, number | boolean | undefined>;
  /** Initial value of every slot of the rule. */
  protected initialSlotValue(): number {
    return 0;
  }

  get #accumulationSteps(): number {
    return this.#options.gradientAccumulationSteps ?? 1;
  }

  #expectNotSwapped(parameters: readonly Parameter[]): void {
    const swapped = parameters.find((parameter) => this.#swapped.has(parameter));
    if (!swapped) return;
    throw new ArgumentError(`${this.name}: '${swapped.name}' is swapped with its average; swap it back first`);
  }

  #expectGradients(parameters: readonly Parameter[], gradients: readonly Tensor[]): void {
    for (const each of expectList(`${this.name}: parameters`, parameters))
      if (!(each instanceof Parameter))
        throw new ArgumentError(`${this.name}: expected parameters, got ${shownForeign(each, 'version')}`);
    expectList(`${this.name}: gradients`, gradients);
    const { length } = parameters;
    if (length === 0 || gradients.length !== length || new Set(parameters).size !== length) {
      throw new ArgumentError(
        `${this.name}: expected distinct parameters and a gradient for each, got ${length} and ${gradients.length}${gradients.length ? '' : '; a layer has weights once it is built'}`,
      );
    }
    gradients.forEach((gradient, i) => {
      const { name, tensor } = parameters[i]!;
      const what = `${this.name}: gradient of '${name}'`;
      expectF32(what, gradient);
      expectShape(what, gradient.shape, tensor.shape);
      // All parameters are updated at once, by the kernels of one engine.
      for (const each of [tensor, gradient]) expectEngine(each, parameters[0]!.tensor);
      if (gradient.timeMajor) throw new ArgumentError(`${what} expected row-major`);
    });
  }

  #squares(parameters: readonly Parameter[], gradients: readonly Tensor[]): number[] {
    const squares = gradients.map((g) => g.engine.kernels.sum_squares(g.size, g.ptr));
    const at = squares.findIndex((square) => !Number.isFinite(square));
    if (at < 0) return squares;
    throw new NonFiniteGradientError(
      `the gradient of '${parameters[at]?.name}' is not finite at step ${this.steps + 1}`,
    );
  }

  /**
   * Does every part of an update that may fail. The accumulated mean, with clipped elements, replaces the gradients in
   * place. Returns the numbers of each parameter's update.
   */
  #prepare(
    parameters: readonly Parameter[],
    gradients: readonly Tensor[],
    states: readonly State[],
    batchSquares: number[],
    t: number,
  ): Update[] {
    const { clipNorm, clipValue, globalClipNorm, weightDecay = 0 } = this.#options;
    const learningRate = this.learningRate;
    expectNumber(`${this.name}: learningRate at step ${this.steps}`, learningRate, '≥ 0');
    let squares = batchSquares;
    if (this.#accumulationSteps > 1) {
      gradients.forEach(({ engine, size, ptr }, i) => {
        engine.kernels.axpy(size, 1, states[i]!.accumulator!.ptr, ptr);
        engine.kernels.scale(size, 1 / this.#accumulationSteps, ptr, ptr);
      });
      squares = this.#squares(parameters, gradients);
    }
    if (clipValue !== undefined) for (const gradient of gradients) clipElements(gradient, clipValue);
    const globalScale = clipFactor(totalNorm(squares), globalClipNorm);
    return parameters.map((parameter, i) => {
      const norm = Math.sqrt(squares[i]!);
      const gradScale = globalScale * clipFactor(norm, clipNorm);
      const decay = this.#decays(parameter) ? learningRate * weightDecay : 0;
      return { t, learningRate, gradScale, norm: norm * gradScale, decay };
    });
  }

  #decays(parameter: Parameter): boolean {
    const { excludeFromWeightDecay: excluded = [] } = this.#options;
    if (typeof excluded === 'function') return !excluded(parameter);
    return !excluded.some((word) => parameter.name.includes(word));
  }

  #averagesOf(parameters: readonly Parameter[]): [Parameter, Tensor][] {
    if (!this.#options.useEma) throw new ArgumentError(`${this.name}: expected useEma, to have moving averages`);
    return parameters.flatMap((parameter): [Parameter, Tensor][] => {
      const average = this.#states.get(parameter)?.average;
      return average ? [[parameter, average]] : [];
    });
  }

  #stateOf(parameter: Parameter): State {
    return this.#states.get(parameter) ?? transaction(() => this.#newStateOf(parameter));
  }

  #newStateOf(parameter: Parameter): State {
    const make = (slot: string): Tensor =>
      disposeOnUndo(
        persistent(parameter.shape, { name: `${parameter.name}/${slot}`, engine: parameter.tensor.engine }),
      );
    const state = {
      slots: this.slotNames.map(make),
      accumulator: this.#accumulationSteps > 1 ? make('gradient_accumulator') : undefined,
      average: this.#options.useEma ? make('average') : undefined,
    };
    for (const slot of state.slots) fill(slot, this.initialSlotValue());
    if (state.accumulator) fill(state.accumulator, 0);
    state.average?.set(parameter.tensor.dataView());
    this.#states.set(parameter, state);
    recordChange(() => this.#states.delete(parameter));
    return state;
  }
}

const fill = ({ engine, size, ptr }: Tensor, value: number): void => engine.kernels.fill(size, value, ptr);

const tensorsOf = ({ slots, accumulator, average }: State): Tensor[] =>
  [...slots, accumulator, average].filter((slot) => slot !== undefined);

const totalNorm = (squares: readonly number[]): number => Math.sqrt(squares.reduce((sum, square) => sum + square, 0));

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
