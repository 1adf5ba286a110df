import { ArgumentError, expectF32, expectShape, persistent, type Tensor } from '../autograd/tensor.ts';
import { expectCount } from '../engine/argument-error.ts';
import type { Engine } from '../engine/engine.ts';
import { inOrder } from '../ops/layout.ts';

/** One state of a recurrence: its name, and how many numbers a sequence has of it. */
export interface StateSpec {
  readonly name: string;
  readonly width: number;
}

/** Throws `ArgumentError`, which names the layer, unless `states` has one f32 tensor `[batch, width]` for each state of it. */
export function expectStates(
  layer: { readonly stateSpecs: readonly StateSpec[]; describe(): string },
  states: readonly Tensor[],
  batch: number,
): void {
  const what = `${layer.describe()}: initialState`;
  const specs = layer.stateSpecs;
  if (!Array.isArray(states) || states.length !== specs.length) {
    const names = specs.map(({ name }) => name).join(', ');
    const got = Array.isArray(states) ? states.length : 'no list';
    throw new ArgumentError(`${what} expected ${specs.length} tensors (${names}), got ${got}`);
  }
  specs.forEach(({ width }, i) => {
    expectF32(`${what}[${i}]`, states[i]);
    expectShape(`${what}[${i}]`, states[i].shape, [batch, width]);
  });
}

/** Where the states stand, and where they stood before the last call, so that a failed step can be taken back. */
interface Held {
  now: Tensor[];
  before: Tensor[];
}

/** The states that a stateful layer carries from one batch to the next. Values are carried, gradients are not. */
export class CarriedStates {
  readonly specs: readonly StateSpec[];
  readonly #describe: () => string;
  #held: Held | undefined;

  constructor(specs: readonly StateSpec[], describe: () => string) {
    this.specs = specs;
    this.#describe = describe;
  }

  /** Copies, `[B, width]` each; undefined before the first batch and after `reset`. */
  get values(): Float32Array[] | undefined {
    return this.#held?.now.map((state) => state.toArray() as Float32Array);
  }

  /** Sequences in a batch, once there was one. */
  get batch(): number | undefined {
    return this.#held?.now[0]?.shape[0];
  }

  /** Sets the states that the next batch starts from. Throws `ArgumentError` unless there are all of them, with `batch`·width values each. */
  set(states: readonly ArrayLike<number>[], batch: number): void {
    expectCount(`${this.#describe()}: batch`, batch);
    if (states.length !== this.specs.length) {
      throw new ArgumentError(`${this.#describe()}: states expected ${this.specs.length} arrays, got ${states.length}`);
    }
    this.specs.forEach(({ width }, i) => {
      const { length } = states[i]!;
      if (length !== batch * width) {
        throw new ArgumentError(
          `${this.#describe()}: states[${i}] expected ${batch * width} values for [${batch}, ${width}], got ${length}`,
        );
      }
    });
    this.begin(batch);
    this.#held ??= this.#make(batch);
    this.#held.now.forEach((state, i) => state.set(states[i]!));
  }

  /**
   * The states a batch starts from, undefined for zeros. Throws `ArgumentError` if the batch has another size than the one before. Changes
   * nothing.
   */
  begin(batch: number): readonly Tensor[] | undefined {
    if (this.#held && this.batch !== batch) {
      throw new ArgumentError(
        `${this.#describe()}: stateful, so every batch expected ${this.batch} samples as the first, got ${batch}; call resetStates() to start anew`,
      );
    }
    return this.#held?.now;
  }

  /** Keeps the states in which a batch ended, whose size `begin` was asked about. */
  keep(states: readonly Tensor[]): void {
    const { now, before } = this.#held ?? this.#make(states[0]!.shape[0]!, states[0]!.engine);
    states.forEach((state, i) => {
      state.engine.kernels.scale(state.size, 1, inOrder(state, false).ptr, before[i]!.ptr);
    });
    this.#held = { now: before, before: now };
  }

  #make(batch: number, engine?: Engine): Held {
    const [now, before] = [0, 1].map(() =>
      this.specs.map(({ name, width }) =>
        persistent([batch, width], { name: `${this.#describe()} carried ${name}`, ...(engine && { engine }) }),
      ),
    );
    return { now: now!, before: before! };
  }

  /** Makes the next batch start from zeros. */
  reset(): void {
    for (const state of [...(this.#held?.now ?? []), ...(this.#held?.before ?? [])]) state.dispose();
    this.#held = undefined;
  }

  /** Starts from zeros until the function it returns is called, which puts the states back. */
  setAside(): () => void {
    const held = this.#held;
    this.#held = undefined;
    return () => {
      this.reset();
      this.#held = held;
    };
  }

  /** The function it returns undoes at most one `keep`. */
  snapshot(): () => void {
    const held = this.#held;
    return () => {
      if (held) this.#held = held;
      else this.reset();
    };
  }
}
