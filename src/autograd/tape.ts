import { ArgumentError, expectList, expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import type { Kernels, Ptr } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { floatsOf, type Weight } from './parameter.ts';
import { expectEngine, keep, Tensor } from './tensor.ts';

/** Where an op's backward adds its contribution: at `ptr`, replacing (0) what stands there or adding to it (1). */
export interface Destination {
  readonly ptr: Ptr;
  readonly accumulate: 0 | 1;
}

/**
 * A gradient that nobody has made yet: rows of a product, which may be made some at a time. What they are made of stays
 * until the step ends.
 */
export interface DeferredRows {
  /** Floats of a row. */
  readonly width: number;
  /** Floats of scratch that `begin` takes. */
  readonly scratchFloats: number;
  /** Makes all rows. */
  make(to: Destination): void;
  /**
   * Prepares, in scratch, to write rows [from, from + count) to `at` with a part's own kernels and scratch: the bits of
   * `make`.
   */
  begin(): (kernels: Kernels, gemmScratch: Ptr, from: number, count: number, at: Ptr) => void;
}

interface Slot {
  /** 0 until the first contribution arrives. */
  ptr: Ptr;
  /** The one contribution so far, if it has not been made. */
  deferred?: DeferredRows | undefined;
  /** Whether no backward on this tape reads the tensor's values. */
  isUnread: boolean;
}

/** What a backward does without. */
export interface BackwardTraits {
  /**
   * It asks for `deferredFor` its outputs, and so can do with rows that are not made yet; else these are made before.
   * Default false.
   */
  acceptsDeferred?: boolean;
  /** It does not read the values of its outputs. Default false. */
  forgetsOutputs?: boolean;
}

interface Entry extends BackwardTraits {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly backward: (tape: Tape) => void;
}

/**
 * The record of one forward pass: entries appended as ops run, walked once from the end. Gradients stand in the arena,
 * in the memory order of the tensor they belong to.
 */
export class Tape {
  readonly #engine: Engine;
  readonly #outer: Tape | undefined;
  readonly #entries: Entry[] = [];
  readonly #slots = new Map<Tensor, Slot>();

  /**
   * @param outer the tape that was open before. What it tracks is refused, for the gradients that are made here have
   *   none.
   */
  constructor(engine: Engine, outer?: Tape) {
    this.#engine = engine;
    this.#outer = outer;
  }

  /** Asks for the gradient of `leaf`, which no op on this tape made. */
  watch(leaf: Tensor): void {
    this.#slots.set(leaf, { ptr: 0, isUnread: false });
  }

  /** Whether `t` has a gradient here. Throws `ArgumentError` where a tape around this one tracks it. */
  tracks(t: Tensor): boolean {
    for (let outer = this.#outer; outer; outer = outer.#outer) {
      if (!outer.#slots.has(t)) continue;
      throw new ArgumentError(
        `valueAndGrad: f expected nothing that an outer one differentiates, got '${t.name}': there are no second derivatives; stopGradient makes it constant`,
      );
    }
    return this.#slots.has(t);
  }

  append(entry: Entry): void {
    for (const input of entry.inputs) {
      const slot = input && this.#slots.get(input);
      if (slot) slot.isUnread = false;
    }
    for (const output of entry.outputs) this.#slots.set(output, { ptr: 0, isUnread: entry.forgetsOutputs ?? false });
    this.#entries.push(entry);
  }

  /** Whether an op on this tape made `t`, and no backward reads its values. */
  isUnread(t: Tensor): boolean {
    return this.#slots.get(t)?.isUnread ?? false;
  }

  /**
   * Address of the gradient that reached `t`, or 0 where none did. Makes what is owed to `t`: call it before taking
   * scratch.
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

  /** The gradient that has reached `t`, if it is still to be made. */
  deferredFor(t: Tensor): DeferredRows | undefined {
    return this.#slots.get(t)?.deferred;
  }

  /**
   * Where to put a contribution to the gradient of `t`, or undefined where nobody wants it. Allocates: call it before
   * taking scratch.
   */
  into(t: Tensor): Destination | undefined {
    const slot = this.#slots.get(t);
    if (!slot) return undefined;
    if (this.gradientOf(t) !== 0) return { ptr: slot.ptr, accumulate: 1 };
    slot.ptr = this.#engine.allocateScratch(t.size);
    return { ptr: slot.ptr, accumulate: 0 };
  }

  /** Like `into` for kernels that only add: the buffer is zeroed when this is the first contribution. */
  intoZeroed(t: Tensor): Ptr | undefined {
    const destination = this.into(t);
    if (destination?.accumulate === 0) this.#engine.f32(destination.ptr, t.size).fill(0);
    return destination?.ptr;
  }

  /** Contributes the buffer at `at` whole. The caller gives it up: it may become the gradient of `t` itself. */
  give(t: Tensor, at: Ptr): void {
    const slot = this.#slots.get(t);
    if (!slot) return;
    const ptr = this.gradientOf(t);
    if (ptr === 0) slot.ptr = at;
    else if (ptr !== at) this.#engine.kernels.axpy(t.size, 1, at, ptr);
  }

  /**
   * Contributes rows that are made when they are needed, or now, if they are not the first contribution. Call it before
   * taking scratch.
   */
  defer(t: Tensor, rows: DeferredRows): void {
    const slot = this.#slots.get(t);
    if (!slot) return;
    if (slot.ptr === 0 && !slot.deferred) slot.deferred = rows;
    else rows.make(this.into(t)!);
  }

  /** Contributes the gradient of `from`, made or deferred, to that of `to`, which has the same memory. */
  pass(from: Tensor, to: Tensor): void {
    const deferred = this.deferredFor(from);
    if (deferred) this.defer(to, deferred);
    else this.give(to, this.gradientOf(from));
  }

  /** Walks back from `root` with ∂root/∂root = `seed`. */
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
 * Tells the tape that `outputs` came from `inputs`. Without an open tape, or where no input is tracked, nothing is
 * kept. `backward` runs when a gradient has reached any output; it reads `tape.gradientOf(output)` and contributes to
 * the inputs. Throws as `isRecording` does.
 */
export function record(
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
  backward: (tape: Tape) => void,
  traits: BackwardTraits = {},
): void {
  if (isRecording(inputs)) active!.append({ inputs, outputs, backward, ...traits });
}

/** What `record` writes to now. Two ops that saw the same one are reached by the same backward pass. @internal */
export const openTape = (): Tape | undefined => active;

/**
 * Whether an op on these inputs will be asked for its gradient, so that it must save what backward reads. Throws
 * `ArgumentError` if they are not all in the memory of one engine: what a kernel reads at an address of another means
 * nothing.
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

/** Runs `body` without recording: what it computes is constant to gradients. */
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

/** What {@link valueAndGrad} returns. */
export interface ValueAndGrad {
  /** The scalar that `f` returned. */
  value: number;
  /** ∂value/∂wrt[i], of the shape of wrt[i]; zeros where it does not depend on it. */
  grads: Tensor[];
}

/**
 * The value of a scalar function and its gradients, in one forward and one backward pass.
 *
 * value = f(), grads[i] = ∂value/∂wrt[i]
 *
 * Layers called in `f` do not drop anything unless they are told that they train: `layer(x, { training: true })`.
 *
 * @param f computes a tensor of size 1 from `wrt` and whatever it closes over. What is made of `wrt` before the call,
 *   or goes through `keep`, `toArray` or `stopGradient`, is a constant.
 * @param wrt parameters, or tensors made before the call, whose gradients are wanted.
 * @param options.seed the ∂value/∂value to start from; default 1.
 * @returns gradients that live as long as the open step; called outside a step, they are the caller's to `dispose`.
 * @throws ArgumentError if `f` returns no tensor of size 1, or one that depends on nothing of `wrt` and is not 0, or a
 *   tensor of `wrt` is not f32 or of another engine than the first; or if, called within another `valueAndGrad`, it
 *   computes with something that the other differentiates: a gradient has no gradient here, and within `stopGradient`
 *   it is a constant.
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
    // A loss of 0 may depend on nothing: that of a batch of which a mask leaves no step.
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
