import { ArgumentError, persistent, type Tensor } from '../autograd/tensor.ts';
import { inOrder } from '../ops/layout.ts';

/** One state of a recurrence: its name, and how many numbers a sequence has of it. */
export interface StateSpec {
  readonly name: string;
  readonly width: number;
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
    this.begin(batch).forEach((state, i) => state.set(states[i]!));
  }

  /** The states a batch starts from, zeros at first. Throws `ArgumentError` if the batch has another size than the one before. */
  begin(batch: number): readonly Tensor[] {
    if (this.#held && this.batch !== batch) {
      throw new ArgumentError(
        `${this.#describe()}: stateful, so every batch expected ${this.batch} samples as the first, got ${batch}; call resetStates() to start anew`,
      );
    }
    const make = (): Tensor[] =>
      this.specs.map(({ name, width }) => {
        const state = persistent([batch, width], { name: `${this.#describe()} carried ${name}` });
        state.engine.kernels.fill(state.size, 0, state.ptr);
        return state;
      });
    this.#held ??= { now: make(), before: make() };
    return this.#held.now;
  }

  /** Keeps the states in which a batch ended. */
  keep(states: readonly Tensor[]): void {
    const { now, before } = this.#held!;
    states.forEach((state, i) => {
      state.engine.kernels.scale(state.size, 1, inOrder(state, false).ptr, before[i]!.ptr);
    });
    this.#held = { now: before, before: now };
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
