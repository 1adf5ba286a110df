import { ArgumentError, expectList, expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import type { Kernels, Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { floatsOf, type Weight } from './parameter.ts';
import { expectEngine, keep, Tensor } from './tensor.ts';

/**
 * The buffer to which a backward function writes its contribution to a gradient. `accumulate` is 0 to overwrite the
 * content and 1 to add to it.
 */
export interface Destination {
  readonly ptr: Ptr;
  readonly accumulate: 0 | 1;
}

/**
 * A deferred gradient: rows of a product that are not computed yet. They may be computed a few at a time. The operands
 * stay in memory until the step ends.
 */
export interface DeferredRows {
  /** Floats of a row. */
  readonly width: number;
  /** Floats of scratch that `begin` allocates. */
  readonly scratchFloats: number;
  /** Computes all rows. */
  make(to: Destination): void;
  /**
   * Packs an operand in scratch. The returned function writes rows [from, from + count) to `at`, with the kernels and
   * the scratch of a part. The rows have the same bits as those of `make`.
   */
  begin(): (kernels: Kernels, gemmScratch: Ptr, from: number, count: number, at: Ptr) => void;
}

interface Slot {
  /** 0 until the first contribution arrives. */
  ptr: Ptr;
  /** The only contribution so far, if it is deferred. */
  deferred?: DeferredRows | undefined;
  /** Whether no backward function on this tape reads the values of the tensor. */
  isUnread: boolean;
}

/** Optional properties of a backward function. */
export interface BackwardTraits {
  /**
   * It calls `deferredFor` for its outputs and accepts rows that are not computed yet. Otherwise they are computed
   * before it runs. Default false.
   */
  acceptsDeferred?: boolean;
  /** It does not read the values of its outputs. Default false. */
  forgetsOutputs?: boolean;
  /** Options that the op was called with, for those who write down what a tape has recorded. Default: not told. */
  options?: object;
}

interface Entry extends BackwardTraits {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly backward: (tape: Tape) => void;
}

/**
 * The record of one forward pass. Ops append entries as they run; backward visits them once, from the last to the
 * first. Gradients are in the arena, each in the memory order of its tensor.
 */
export class Tape {
  readonly #engine: Engine;
  readonly #outer: Tape | undefined;
  readonly #entries: Entry[] = [];
  readonly #slots = new Map<Tensor, Slot>();

  /**
   * Makes an empty tape.
   *
   * @param outer the tape that was open before. Tensors that it tracks are refused here, because gradients computed on
   *   this tape have no gradients of their own.
   */
  constructor(engine: Engine, outer?: Tape) {
    this.#engine = engine;
    this.#outer = outer;
  }

  /** Requests the gradient of `leaf`, a tensor that no op on this tape computed. */
  watch(leaf: Tensor): void {
    this.#slots.set(leaf, { ptr: 0, isUnread: false });
  }

  /** Whether `t` has a gradient here. Throws `ArgumentError` if an outer tape tracks it. */
  tracks(t: Tensor): boolean {
    for (let outer = this.#outer; outer; outer = outer.#outer) {
      if (!outer.#slots.has(t)) continue;
      throw new ArgumentError(
        `valueAndGrad: f expected nothing that an outer one differentiates, got '${t.name}': there are no second derivatives; stopGradient makes it constant`,
      );
    }
    return this.#slots.has(t);
  }

  /** Adds an entry for an op that has run. */
  append(entry: Entry): void {
    for (const input of entry.inputs) {
      const slot = input && this.#slots.get(input);
      if (slot) slot.isUnread = false;
    }
    for (const output of entry.outputs) this.#slots.set(output, { ptr: 0, isUnread: entry.forgetsOutputs ?? false });
    this.#entries.push(entry);
  }

  /** Whether an op on this tape computed `t`, and no backward function reads its values. */
  isUnread(t: Tensor): boolean {
    return this.#slots.get(t)?.isUnread ?? false;
  }

  /**
   * Address of the gradient of `t`, or 0 if there is none. A deferred gradient is computed first, so call it before
   * allocating scratch.
   */
  gradientOf(t: Tensor): Ptr {
    const slot = this.#slots.get(t);
    if (!slot) return 0;
    const { deferred } = slot;
    if (deferred) {
      slot.deferred = undefined;
      slot.ptr = this.#engine.allocateScratch(t.size);
      deferred.make({ ptr: slot.ptr, accumulate: 0 });
    }
    return slot.ptr;
  }

  /** The gradient of `t`, if it is deferred. */
  deferredFor(t: Tensor): DeferredRows | undefined {
    return this.#slots.get(t)?.deferred;
  }

  /**
   * Where to write a contribution to the gradient of `t`; undefined if no gradient is needed. It allocates. Call it
   * before allocating scratch.
   */
  into(t: Tensor): Destination | undefined {
    const slot = this.#slots.get(t);
    if (!slot) return undefined;
    if (this.gradientOf(t) !== 0) return { ptr: slot.ptr, accumulate: 1 };
    slot.ptr = this.#engine.allocateScratch(t.size);
    return { ptr: slot.ptr, accumulate: 0 };
  }

  /** `into` for kernels that can only add: the buffer is set to 0 before the first contribution. */
  intoZeroed(t: Tensor): Ptr | undefined {
    const destination = this.into(t);
    if (destination?.accumulate === 0) this.#engine.f32(destination.ptr, t.size).fill(0);
    return destination?.ptr;
  }

  /**
   * Contributes the buffer at `at` to the gradient of `t`. The caller must not use it afterwards: it may become the
   * gradient of `t`.
   */
  give(t: Tensor, at: Ptr): void {
    const slot = this.#slots.get(t);
    if (!slot) return;
    const ptr = this.gradientOf(t);
    if (ptr === 0) slot.ptr = at;
    else if (ptr !== at) this.#engine.kernels.axpy(t.size, 1, at, ptr);
  }

  /**
   * Contributes a deferred gradient. Its rows are computed when they are needed, or at once if they are not the first
   * contribution. Call it before allocating scratch.
   */
  defer(t: Tensor, rows: DeferredRows): void {
    const slot = this.#slots.get(t);
    if (!slot) return;
    if (slot.ptr === 0 && !slot.deferred) slot.deferred = rows;
    else rows.make(this.into(t)!);
  }

  /** Contributes the gradient of `from`, computed or deferred, to that of `to`. Both tensors have the same memory. */
  pass(from: Tensor, to: Tensor): void {
    const deferred = this.deferredFor(from);
    if (deferred) this.defer(to, deferred);
    else this.give(to, this.gradientOf(from));
  }

  /** Runs backward from `root`, with ∂root/∂root = `seed`. */
  backward(root: Tensor, seed: number): void {
    const start = this.into(root);
    if (!start) return;
    this.#engine.f32(start.ptr, root.size).fill(seed);
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { outputs, backward, acceptsDeferred } = this.#entries[i]!;
      if (!acceptsDeferred) for (const output of outputs) this.gradientOf(output);
      if (outputs.some((output) => this.#isReached(output))) backward(this);
    }
  }

  #isReached(t: Tensor): boolean {
    const slot = this.#slots.get(t)!;
    return slot.ptr !== 0 || slot.deferred !== undefined;
  }
}

let active: Tape | undefined;

/**
 * Records on the open tape that an op computed `outputs` from `inputs`. Without an open tape, or if no input is
 * tracked, it does nothing. `backward` runs when an output has a gradient. It reads `tape.gradientOf(output)` and adds
 * contributions to the gradients of the inputs. Throws `ArgumentError` if the inputs are not all of one engine, or if
 * an outer tape tracks one of them.
 */
export function record(
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
  backward: (tape: Tape) => void,
  traits: BackwardTraits = {},
): void {
  if (isRecording(inputs)) active!.append({ inputs, outputs, backward, ...traits });
}

/**
 * The tape that `record` writes to. Two ops that are recorded on the same tape belong to the same backward pass.
 * @internal
 */
export const openTape = (): Tape | undefined => active;

/**
 * Whether an op on these inputs is recorded. If it is, the op must save its residuals for backward. Throws
 * `ArgumentError` if the inputs are not all of one engine, because an address is valid in one memory only, or if an
 * outer tape tracks one of them.
 */
export function isRecording(inputs: readonly (Tensor | undefined)[]): boolean {
  let first: Tensor | undefined;
  let isTracked = false;
  for (const input of inputs) {
    if (!input) continue;
    expectEngine(input, (first ??= input));
    isTracked = active?.tracks(input) || isTracked;
  }
  return isTracked;
}

/**
 * Runs a function without recording: gradients treat its results as constants.
 *
 * ∂(result of `body`)/∂(any input) = 0
 *
 * @param body a function without parameters.
 * @returns the result of `body`.
 * @throws ArgumentError if `body` is not a function. Errors of `body` pass through.
 * @see tf.stop_gradient, torch.no_grad
 *
 * @example
 * const w = new Parameter('w', [2], [1, 2]);
 * const { grads } = valueAndGrad(() => ops.sum(ops.mul(w, stopGradient(() => ops.square(w)))), [w]);
 * grads[0].toArray(); // 1 4: w² is a constant factor
 */
export function stopGradient<T>(body: () => T): T {
  expectType('stopGradient: body', body, 'a function');
  const outer = active;
  active = undefined;
  try {
    return body();
  } finally {
    active = outer;
  }
}

/** The result of {@link valueAndGrad}. */
export interface ValueAndGrad {
  /** The scalar that `f` returned. */
  value: number;
  /** ∂value/∂wrt[i], in the shape of wrt[i]; zeros if the value does not depend on it. */
  grads: Tensor[];
}

/**
 * Computes the value of a scalar function and its gradients, in one forward and one backward pass.
 *
 * value = f(), grads[i] = ∂value/∂wrt[i]
 *
 * Layers called in `f` apply dropout only if they are called for training: `layer(x, { training: true })`.
 *
 * @param f computes a tensor of size 1 from the tensors of `wrt`. Tensors computed before the call are constants, and
 *   so are results of `keep`, `toArray` and `stopGradient`.
 * @param wrt parameters, or f32 tensors made before the call, whose gradients are needed.
 * @param options.seed factor of the gradients: ∂value/∂value at the start; default 1.
 * @returns the value as a number, and gradients, each in the shape of its tensor. Inside a step they live until it
 *   ends. Outside a step the caller owns them and must `dispose` them.
 * @throws ArgumentError if `f` is not a function, `wrt` is not a list of f32 tensors or parameters of one engine, an
 *   option is unknown, `f` does not return a tensor of size 1, or the result does not depend on `wrt` and is not 0.
 *   Also, inside another `valueAndGrad`, if `f` computes with a tensor that the outer call differentiates: there are no
 *   second derivatives. `stopGradient` makes such a tensor a constant.
 * @see jax.value_and_grad
 *
 * @example
 * const w = new Parameter('w', [2], [1, 2]);
 * const { value, grads } = valueAndGrad(() => ops.sum(ops.square(w)), [w]);
 * value; // 5
 * grads[0].toArray(); // 2 4
 */
export function valueAndGrad(
  f: () => Tensor,
  wrt: readonly Weight[],
  options: { seed?: number | undefined } = {},
): ValueAndGrad {
  const { seed = 1 } = checkOptions('valueAndGrad', options, { seed: 1 });
  expectType('valueAndGrad: f', f, 'a function');
  expectList('valueAndGrad: wrt', wrt);
  const leaves = wrt.map((leaf, i) => floatsOf(leaf, `valueAndGrad: wrt[${i}]`));
  for (const leaf of leaves) expectEngine(leaf, leaves[0]!);
  const engine = leaves[0]?.engine ?? currentEngine();
  const outside = engine.openStep === 0;
  return engine.step(() => {
    const tape = new Tape(engine, active);
    for (const leaf of leaves) tape.watch(leaf);
    const outer = active;
    active = tape;
    let root: Tensor;
    try {
      root = f();
    } finally {
      active = outer;
    }
    if (!(root instanceof Tensor) || root.size !== 1) {
      const got = root instanceof Tensor ? formatShape(root.shape) : String(root);
      throw new ArgumentError(`valueAndGrad: f expected to return a tensor of size 1, got ${got}`);
    }
    const value = root.item();
    // A loss of 0 may be a constant: a mask may exclude every step of a batch.
    if (leaves.length > 0 && value !== 0 && !tape.tracks(root)) {
      throw new ArgumentError('valueAndGrad: f expected to compute its result from wrt, got a constant');
    }
    tape.backward(root, seed);
    const grads = leaves.map((leaf) => gradient(tape, leaf));
    return { value, grads: outside ? grads.map((grad) => keep(grad)) : grads };
  });
}

function gradient(tape: Tape, leaf: Tensor): Tensor {
  const at = tape.gradientOf(leaf) || tape.intoZeroed(leaf)!;
  const { engine, shape, timeMajor } = leaf;
  return new Tensor(engine, at, engine.openStep, shape, 'f32', `d ${leaf.name}`, timeMajor);
}
